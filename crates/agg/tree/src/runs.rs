//! Joins of parts of runs: up to four proofs of consecutive segments, or of joins of them, become one.
//!
//! # What is proven
//! For public values (from, x, y, count), those of a [`Part`]: there are four proofs, each under one of the keys whose
//! digests are constants here, and those of the witness's choice among them, the first one always, follow each other in
//! their order ([`Part::then`]) from the image `from` to the end (x, y, count).
//!
//! There are two programs of this kind, both of one shape ([`RUN_JOINS`]): one takes the programs of segments, the other
//! one takes the first. A key is a constant of the next program, so nothing is circular, and a run has at most sixteen
//! segments. A proof that counts for nothing stands where a run has fewer.

use p3_field::PrimeCharacteristicRing;
use tsz_hash::Digest;
use tsz_plonk::gadgets::hash;
use tsz_plonk::{Bit, Builder, Felt, PlonkAir, Program, Prover, Shape, Value};
use tsz_recursion::{KeyValues, KeyWires, Verifier, WitnessError};
use tsz_segment_program::{GUEST_PUBLICS, Part};
use tsz_stark::{Profile, Proof, VerifyingKey};

use crate::join::by_table;
use crate::lift::MapError;
use crate::program::ProgramError;
use crate::wires::zero_digest;

/// Children of a join.
pub const RUN_ARITY: usize = 4;
/// Most segments of the runs of each join, lower joins first.
pub const RUN_JOINS: [usize; 2] = [RUN_ARITY, RUN_ARITY * RUN_ARITY];

/// Name of the key of a join: `run-join/16`.
pub fn run_join_name(segments: usize) -> String {
    format!("run-join/{segments}")
}

/// The shape of both joins.
pub fn run_join_shape(profile: Profile) -> Shape {
    let log = if profile.is_insecure() { 15 } else { 17 };
    Shape::node(profile, log, GUEST_PUBLICS)
}

/// Whether proofs of a verifier have the public values of a run or of a part, and no others.
pub(crate) fn states_run(verifier: &Verifier) -> bool {
    verifier.public_counts().filter(|n| *n > 0).eq([GUEST_PUBLICS])
}

/// Asserts that a key is one of a list; the witness says which one.
#[track_caller]
pub(crate) fn assert_listed(b: &mut Builder, key: &KeyWires, list: &[Digest]) {
    let flags: Vec<Bit> = list
        .iter()
        .map(|_| {
            let flag = b.input();
            b.assert_bool(flag)
        })
        .collect();
    let (sum, one) = (b.sum(&flags.iter().map(|f| Felt::from(*f)).collect::<Vec<_>>()), b.one());
    b.assert_eq(sum, one);
    let mut chosen = zero_digest(b);
    for (flag, listed) in flags.into_iter().zip(list) {
        let listed = hash::constant(b, listed);
        chosen = core::array::from_fn(|q| b.mul_add(flag.into(), listed[q], chosen[q]));
    }
    hash::assert_eq(b, key.digest, chosen);
}

/// The inputs of [`assert_listed`].
pub(crate) fn listed_values(key: &KeyValues, list: &[Digest]) -> impl Iterator<Item = Value> {
    list.iter().map(|listed| Value::from_bool(*listed == key.digest))
}

/// The join of parts of runs before it is compiled.
#[derive(Clone, Debug)]
pub struct RunJoin {
    child: Verifier,
    listed: Vec<Digest>,
}

/// A part with its proof, of checked shape.
#[derive(Clone, Copy)]
pub struct RunChild<'a> {
    /// Key of its program.
    pub key: &'a KeyValues,
    /// What it says.
    pub part: &'a Part,
    /// The proof.
    pub proof: &'a Proof,
}

/// Why parts are not joined.
#[derive(Debug, thiserror::Error)]
pub enum RunJoinError {
    /// More children than a join has, or none.
    #[error("{0} parts of a run, at least 1 and at most {RUN_ARITY}")]
    Children(usize),
    /// Parts that do not follow each other.
    #[error("part {0} of the run does not go on where the one before ended")]
    Chain(usize),
    /// A proof gives no inputs.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// Nothing was proven.
    #[error(transparent)]
    Prove(#[from] tsz_plonk::Error),
}

impl RunJoin {
    /// The join of children that a verifier verifies under one of the keys with these digests.
    ///
    /// # Errors
    /// [`MapError::Counts`] for a verifier of other proofs.
    pub fn new(child: Verifier, listed: Vec<Digest>) -> Result<Self, MapError> {
        if states_run(&child) { Ok(Self { child, listed }) } else { Err(MapError::Counts) }
    }

    /// The circuit.
    pub fn build(&self) -> Builder {
        let mut builder = Builder::new();
        let b = &mut builder;
        let children: [Vec<Felt>; RUN_ARITY] = core::array::from_fn(|_| {
            let key = self.child.input_key(b);
            assert_listed(b, &key, &self.listed);
            let proof = self.child.input(b);
            self.child.verify(b, &key, &proof);
            proof.publics().concat()
        });
        join_parts(b, &children).into_iter().for_each(|felt| b.expose(felt));
        builder
    }

    /// The joined part and the inputs.
    ///
    /// # Errors
    /// [`RunJoinError`], all but `Prove`.
    pub fn values(&self, children: &[RunChild<'_>]) -> Result<(Part, Vec<Value>), RunJoinError> {
        let (first, rest) = children.split_first().ok_or(RunJoinError::Children(0))?;
        if rest.len() >= RUN_ARITY {
            return Err(RunJoinError::Children(children.len()));
        }
        let mut part = *first.part;
        for (k, child) in (1..).zip(rest) {
            part = part.then(child.part).ok_or(RunJoinError::Chain(k))?;
        }
        Ok((part, self.forced_values(children, children.len())?))
    }

    /// The inputs for children of which the first `used` count, whether they follow each other or not; at least one.
    pub(crate) fn forced_values(
        &self,
        children: &[RunChild<'_>],
        used: usize,
    ) -> Result<Vec<Value>, RunJoinError> {
        let mut values = Vec::new();
        for k in 0..RUN_ARITY {
            let child = children.get(k).or(children.first()).ok_or(RunJoinError::Children(0))?;
            let publics = by_table(&self.child, &child.part.publics());
            values.extend(Verifier::key_values(child.key));
            values.extend(listed_values(child.key, &self.listed));
            values.extend(self.child.values(child.key, child.proof, &publics)?);
        }
        values.extend((1..RUN_ARITY).map(|k| Value::from_bool(k < used)));
        Ok(values)
    }
}

/// Places of a part's public values: where it starts, where it ends, its number of operations.
const FROM: core::ops::Range<usize> = 0..8;
const TO: core::ops::Range<usize> = 8..16;
const COUNT: usize = GUEST_PUBLICS - 1;

/// The public values of the first part and of those after it that the witness says count.
#[track_caller]
pub(crate) fn join_parts(b: &mut Builder, parts: &[Vec<Felt>; RUN_ARITY]) -> Vec<Felt> {
    let [first, rest @ ..] = parts;
    let (mut whole, zero) = (first.clone(), b.zero());
    for part in rest {
        let counts = b.input();
        let counts = b.assert_bool(counts);
        // What comes before goes on, from the image that this part starts from.
        b.assert_eq_if(counts, whole[COUNT], zero);
        for (to, from) in TO.zip(FROM) {
            b.assert_eq_if(counts, whole[to], part[from]);
        }
        for k in TO.start..GUEST_PUBLICS {
            whole[k] = b.select(counts, part[k], whole[k]);
        }
    }
    whole
}

/// A join with its keys.
pub struct RunJoinProgram {
    join: RunJoin,
    prover: Prover,
}

impl RunJoinProgram {
    /// Compiles a join and makes its keys.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn new(join: RunJoin, profile: Profile) -> Result<Self, ProgramError> {
        let prover = Program::compile(join.build(), run_join_shape(profile))?.keys()?;
        Ok(Self { join, prover })
    }

    /// The program with its keys.
    pub fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The program with its keys, alone.
    pub fn into_prover(self) -> Prover {
        self.prover
    }

    /// The key.
    pub fn vk(&self) -> &VerifyingKey<PlonkAir> {
        self.prover.vk()
    }

    /// Joins one to four parts: the part that they are, and the proof.
    ///
    /// # Errors
    /// [`RunJoinError`].
    pub fn prove(&self, children: &[RunChild<'_>]) -> Result<(Part, Vec<u8>), RunJoinError> {
        let (part, values) = self.join.values(children)?;
        let (_, proof) = self.prover.prove(&values)?;
        Ok((part, proof))
    }
}
