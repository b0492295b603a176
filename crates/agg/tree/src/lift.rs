//! Lifts: a base proof under one fixed key becomes a node proof with a claim of the common form.
//!
//! Where the public values of a circuit stand in its claim is found by asking the circuit's own function from
//! claims to public values for a few claims: every public value is a felt of the claim or a constant.

use p3_field::PrimeCharacteristicRing;
use thiserror::Error;
use tsz_hash::Domain;
use tsz_ledger::{AlgorithmId, BatchContext, ExecClaim, Family, TransitionClaim};
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Builder, Felt, Value};
use tsz_recursion::{KeyValues, ProofWires, Verifier, WitnessError};
use tsz_stark::{F, FriParams, Proof};

use crate::claim::{Claim, ExecRange, limbs};
use crate::wires::{ClaimWires, assert_u24, pack, pack_short, zero_digest};

/// Felts of an exec claim: system, batch, time, parameters, begin flag, count, start, end.
const SYSTEM: usize = 0;
const BATCH: usize = 8;
const TIME: usize = 10;
const PARAMS: usize = 12;
pub(crate) const BEGIN: usize = 20;
pub(crate) const COUNT: usize = 21;
pub(crate) const START: usize = 22;
const END: usize = 30;
pub(crate) const EXEC_FELTS: usize = 38;
/// Felts of a transition claim: s0, sn, ops, context, set root.
const OPS: usize = 16;
const TRANSITION_FELTS: usize = 33;

/// Claims that a map is found from.
pub(crate) const PROBES: u32 = 4;

/// Where each public value stands in the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicMap {
    tables: Vec<Vec<Place>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Felt(usize),
    Constant(F),
}

/// Why public values are not those of a claim.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MapError {
    /// The numbers of public values depend on the claim.
    #[error("the number of public values depends on the claim")]
    Shape,
    /// The key's tables have other numbers of public values.
    #[error("the numbers of public values are not those of the key")]
    Counts,
    /// A public value is neither a felt of the claim nor a constant.
    #[error("public value {index} of table {table} is neither a felt of the claim nor constant")]
    Unknown {
        /// Table.
        table: usize,
        /// Index.
        index: usize,
    },
    /// A part of the claim that every circuit must state is no public value.
    #[error("no public value says {0}")]
    Missing(&'static str),
}

/// A stream of distinct felts without structure.
pub(crate) struct Probe(pub(crate) u32);

impl Probe {
    fn number(&mut self) -> u32 {
        // Weyl sequence through a mixer; any values that do not repeat will do.
        self.0 = self.0.wrapping_add(0x9e37_79b9);
        let x = (self.0 ^ self.0 >> 16).wrapping_mul(0x85eb_ca6b);
        let x = (x ^ x >> 13).wrapping_mul(0xc2b2_ae35);
        x ^ x >> 16
    }
    pub(crate) fn digest(&mut self) -> tsz_hash::Digest {
        core::array::from_fn(|_| F::from_u32(self.number() & 0x3fff_ffff))
    }
    fn u24(&mut self) -> u64 {
        u64::from(self.number() & 0xff_ffff)
    }
    fn u48(&mut self) -> u64 {
        self.u24() << 24 | self.u24()
    }
}

pub(crate) fn exec_probe(probe: &mut Probe, algorithm: AlgorithmId, has_begin: bool) -> ExecClaim {
    let context = BatchContext {
        system: probe.digest(),
        batch: probe.u48(),
        time: probe.u48(),
        params: probe.digest(),
    };
    let (start, end) = (probe.digest(), probe.digest());
    ExecClaim { algorithm, context, count: probe.u24() as u32, start, end, has_begin }
}

pub(crate) fn exec_felts(claim: &ExecClaim) -> Vec<F> {
    let c = &claim.context;
    let mut felts = c.system.to_vec();
    felts.extend(limbs(c.batch));
    felts.extend(limbs(c.time));
    felts.extend(c.params);
    felts.extend([F::from_bool(claim.has_begin), F::from_u32(claim.count)]);
    felts.extend(claim.start);
    felts.extend(claim.end);
    felts
}

fn transition_felts(claim: &TransitionClaim) -> Vec<F> {
    let mut felts = [claim.s0, claim.sn].concat();
    felts.push(F::from_u32(claim.ops));
    felts.extend(claim.context);
    felts.extend(claim.set_root);
    felts
}

impl PublicMap {
    /// The map of a circuit of execution proofs of `algorithm`: the one that begins batches must say which proof
    /// does.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn exec(
        algorithm: AlgorithmId,
        publics: impl Fn(&ExecClaim) -> Vec<Vec<F>>,
    ) -> Result<Self, MapError> {
        let mut probe = Probe(1);
        let claims: Vec<ExecClaim> =
            (0..PROBES).map(|k| exec_probe(&mut probe, algorithm, k % 2 == 1)).collect();
        let map = Self::find(claims.iter().map(|c| (exec_felts(c), publics(c))).collect())?;
        map.demand(START..END + 8, "where the range starts and ends")?;
        map.demand(COUNT..COUNT + 1, "how many ops the range has")?;
        if algorithm == Family::Fund.algorithm() {
            map.demand(BEGIN..BEGIN + 1, "whether the range begins the batch")?;
        }
        Ok(map)
    }

    /// The map of a circuit of transition proofs.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn transition(publics: impl Fn(&TransitionClaim) -> Vec<Vec<F>>) -> Result<Self, MapError> {
        let mut probe = Probe(2);
        let mut claim = || TransitionClaim {
            s0: probe.digest(),
            sn: probe.digest(),
            ops: probe.u24() as u32,
            context: probe.digest(),
            set_root: probe.digest(),
        };
        let claims: Vec<TransitionClaim> = (0..PROBES).map(|_| claim()).collect();
        let map = Self::find(claims.iter().map(|c| (transition_felts(c), publics(c))).collect())?;
        map.demand(0..TRANSITION_FELTS, "some part of the transition")?;
        Ok(map)
    }

    pub(crate) fn find(probes: Vec<(Vec<F>, Vec<Vec<F>>)>) -> Result<Self, MapError> {
        let shape = |publics: &Vec<Vec<F>>| publics.iter().map(Vec::len).collect::<Vec<_>>();
        let lengths = shape(&probes[0].1);
        if probes.iter().any(|(_, publics)| shape(publics) != lengths) {
            return Err(MapError::Shape);
        }
        let place = |table: usize, index: usize| {
            let all = |f: &dyn Fn(&Vec<F>, F) -> bool| probes.iter().all(|(c, p)| f(c, p[table][index]));
            let felt = (0..probes[0].0.len()).find(|k| all(&|claim, public| claim[*k] == public));
            let constant = probes[0].1[table][index];
            match felt {
                Some(k) => Ok(Place::Felt(k)),
                None if all(&|_, public| public == constant) => Ok(Place::Constant(constant)),
                None => Err(MapError::Unknown { table, index }),
            }
        };
        let table = |(t, n): (usize, &usize)| (0..*n).map(|k| place(t, k)).collect();
        Ok(Self { tables: lengths.iter().enumerate().map(table).collect::<Result<_, _>>()? })
    }

    /// Whether the map says what each public value of a verifier's proofs is.
    pub(crate) fn fits(&self, verifier: &Verifier) -> Result<(), MapError> {
        if self.tables.iter().map(Vec::len).eq(verifier.public_counts()) {
            Ok(())
        } else {
            Err(MapError::Counts)
        }
    }

    pub(crate) fn demand(&self, felts: std::ops::Range<usize>, what: &'static str) -> Result<(), MapError> {
        let stated = |k| self.tables.iter().flatten().any(|place| *place == Place::Felt(k));
        if felts.into_iter().all(stated) { Ok(()) } else { Err(MapError::Missing(what)) }
    }

    /// The felts of the claim that the public values of a proof state; each public value is bound: [`Self::fits`].
    #[track_caller]
    pub(crate) fn bind(&self, b: &mut Builder, felts: usize, proof: &ProofWires) -> Vec<Option<Felt>> {
        let mut claim: Vec<Option<Felt>> = vec![None; felts];
        for (places, values) in self.tables.iter().zip(proof.publics()) {
            for (place, value) in places.iter().zip(values) {
                match place {
                    Place::Felt(k) => match claim[*k] {
                        Some(known) => b.assert_eq(known, *value),
                        None => claim[*k] = Some(*value),
                    },
                    Place::Constant(c) => {
                        let constant = b.constant(*c);
                        b.assert_eq(*value, constant);
                    }
                }
            }
        }
        claim
    }

    /// Felts of an exec claim that no public value states: they are the witness's to choose.
    pub(crate) fn free(&self) -> Vec<usize> {
        let stated = |k: &usize| self.tables.iter().flatten().any(|place| *place == Place::Felt(*k));
        (0..EXEC_FELTS).filter(|k| *k != BEGIN && !stated(k)).collect()
    }
}

/// A lift's circuit before it is compiled, and how its inputs are made.
#[derive(Clone, Debug)]
pub struct Lift {
    verifier: Verifier,
    map: PublicMap,
    is_exec: bool,
}

impl Lift {
    /// The lift of execution proofs.
    ///
    /// # Errors
    /// [`MapError::Counts`] for a map of another circuit: some public values would be bound to nothing.
    pub fn exec(verifier: Verifier, map: PublicMap) -> Result<Self, MapError> {
        map.fits(&verifier)?;
        Ok(Self { verifier, map, is_exec: true })
    }

    /// The lift of transition proofs.
    ///
    /// # Errors
    /// As [`Lift::exec`].
    pub fn transition(verifier: Verifier, map: PublicMap) -> Result<Self, MapError> {
        map.fits(&verifier)?;
        Ok(Self { verifier, map, is_exec: false })
    }

    /// Parameters of the proofs it verifies.
    pub fn params(&self) -> &FriParams {
        self.verifier.params()
    }

    /// The circuit. Public values: eight zeros, where a join has the vk root; the digest of the claim.
    pub fn build(&self) -> Builder {
        let mut b = Builder::new();
        let key = self.verifier.fixed_key(&mut b);
        let proof = self.verifier.input(&mut b);
        self.verifier.verify(&mut b, &key, &proof);
        let claim = if self.is_exec {
            self.exec_claim(&mut b, &proof)
        } else {
            self.transition_claim(&mut b, &proof)
        };
        let root = zero_digest(&mut b);
        hash::expose(&mut b, root);
        let digest = claim.digest(&mut b);
        hash::expose(&mut b, digest);
        b
    }

    fn exec_claim(&self, b: &mut Builder, proof: &ProofWires) -> ClaimWires {
        let mut felts = self.map.bind(b, EXEC_FELTS, proof);
        // The vk tree says which algorithm this program's proofs count for.
        let algorithm = hash::input(b);
        for k in self.map.free() {
            felts[k] = Some(b.input());
        }
        let states_begin = felts[BEGIN].is_some();
        let zero = b.zero();
        let felts: Vec<Felt> = felts.into_iter().map(|felt| felt.unwrap_or(zero)).collect();
        range_claim(b, &felts, algorithm, states_begin)
    }

    fn transition_claim(&self, b: &mut Builder, proof: &ProofWires) -> ClaimWires {
        let felts = self.map.bind(b, TRANSITION_FELTS, proof);
        let zero = b.zero();
        let felts: Vec<Felt> = felts.into_iter().map(|felt| felt.unwrap_or(zero)).collect();
        let digest =
            |b: &mut Builder, at: usize| -> Digest { pack(b, core::array::from_fn(|k| felts[at + k])) };
        assert_u24(b, felts[OPS]);
        b.inverse(felts[OPS]);
        let three = b.constant(F::from_u8(3));
        let head = pack_short(b, &[three, felts[OPS]]);
        let none = zero_digest(b);
        let (s0, sn) = (digest(b, 0), digest(b, 8));
        let (context, set_root) = (digest(b, OPS + 1), digest(b, OPS + 9));
        ClaimWires { blocks: [head, none, none, context, s0, sn, set_root] }
    }

    /// The claim and the inputs for an execution proof whose shape has been checked.
    ///
    /// # Errors
    /// [`WitnessError`] for a proof that the native verifier refuses, or that has no crowns ([`WitnessError::Crown`]).
    pub fn exec_values(
        &self,
        key: &KeyValues,
        claim: &ExecClaim,
        publics: &[Vec<F>],
        proof: &Proof,
    ) -> Result<(Claim, Vec<Value>), WitnessError> {
        let mut values = self.verifier.values(key, proof, publics)?;
        values.extend(hash::input_values(&claim.algorithm));
        let felts = exec_felts(claim);
        values.extend(self.map.free().into_iter().map(|k| Value::from(felts[k])));
        Ok((Claim::Exec(ExecRange::from(claim)), values))
    }

    /// The claim and the inputs for a transition proof whose shape has been checked.
    ///
    /// # Errors
    /// [`WitnessError`] for a proof that the native verifier refuses, or that has no crowns ([`WitnessError::Crown`]).
    pub fn transition_values(
        &self,
        key: &KeyValues,
        claim: &TransitionClaim,
        publics: &[Vec<F>],
        proof: &Proof,
    ) -> Result<(Claim, Vec<Value>), WitnessError> {
        Ok((Claim::Transition(*claim), self.verifier.values(key, proof, publics)?))
    }
}

/// The claim about a range from the felts of an exec claim; its count is one.
#[track_caller]
pub(crate) fn range_claim(
    b: &mut Builder,
    felts: &[Felt],
    algorithm: Digest,
    states_begin: bool,
) -> ClaimWires {
    let digest = |b: &mut Builder, at: usize| pack(b, core::array::from_fn(|k| felts[at + k]));
    let context = hash::tagged(b, Domain::Context, &felts[SYSTEM..BEGIN]);
    let (begins, count) = (felts[BEGIN], felts[COUNT]);
    assert_u24(b, count);
    b.inverse(count);
    if states_begin {
        let begins = b.assert_bool(begins);
        let fund = hash::constant(b, &Family::Fund.algorithm());
        crate::wires::assert_digests_if(b, begins, algorithm, fund);
    }
    let one = b.one();
    let head = pack_short(b, &[one, count, begins]);
    let none = zero_digest(b);
    let (start, end) = (digest(b, START), digest(b, END));
    ClaimWires { blocks: [head, none, algorithm, context, start, end, none] }
}

// The layout of the felts is that of the context digest up to the begin flag.
const _: () = assert!(BATCH == 8 && TIME == 10 && PARAMS + 8 == BEGIN && START + 8 == END);
