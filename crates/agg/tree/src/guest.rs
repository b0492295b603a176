//! The lift of extension operations: a proof of the guard and a proof of the program's run become one node.
//!
//! # What is proven
//! For public values (0, claim digest D): there are a proof under the fixed key of the guard and one under one of the
//! keys of run programs (`tsz_segment_program::RunProgram`, or joins of its parts, [`crate::RunJoin`]) whose digests are constants here, such that
//! 1. both are of the same program: the algorithm id of the guard's claim is that of the run, stated or, for the image that
//!    joined parts of a run start from, made here ([`RunForm`]);
//! 2. both commit to the same journal: start, end and number of operations agree;
//! 3. the journal starts at the capacity at which the tuples of the range do;
//! 4. D is the digest of the claim Exec(algorithm id, context, count, 0, start, end) about the range of the guard.
//!
//! The claim is that of any lift: joins, and all above them, see no difference. That the key is listed for the algorithm
//! of the claim is for the join to prove, so one key is listed once for each admitted program.

use tsz_ledger::{ExecClaim, GuardClaim};
use tsz_plonk::gadgets::hash;
use tsz_plonk::{Builder, Felt, Value};
use tsz_recursion::{KeyValues, ProofWires, Verifier, WitnessError};
use tsz_segment_program::{GUEST_PUBLICS, GuestClaim, image_algorithm};
use tsz_stark::{F, FriParams, Proof};

use crate::claim::{Claim, ExecRange};
use crate::join::by_table;
use crate::lift::{
    BEGIN, COUNT, EXEC_FELTS, MapError, PROBES, Probe, PublicMap, START, exec_felts, exec_probe, range_claim,
};
use crate::runs::{assert_listed, listed_values, states_run};
use crate::wires::{pack, zero_digest};

/// Felts of a guard claim after those of its exec claim: algorithm id, journal start, journal end.
const ALGORITHM: usize = EXEC_FELTS;
const JOURNAL_START: usize = ALGORITHM + 8;
const JOURNAL_END: usize = JOURNAL_START + 8;
const GUARD_FELTS: usize = JOURNAL_END + 8;

fn guard_felts(claim: &GuardClaim) -> Vec<F> {
    let mut felts = exec_felts(&claim.exec);
    felts.extend([claim.exec.algorithm, claim.journal_start, claim.journal_end].as_flattened());
    felts
}

impl PublicMap {
    /// The map of a circuit of the guard: it states its program and its journal beside the range.
    ///
    /// # Errors
    /// [`MapError`].
    pub fn guard(publics: impl Fn(&GuardClaim) -> Vec<Vec<F>>) -> Result<Self, MapError> {
        let mut probe = Probe(3);
        let mut claim = |k: u32| {
            let (algorithm, journal_start, journal_end) = (probe.digest(), probe.digest(), probe.digest());
            let exec: ExecClaim = exec_probe(&mut probe, algorithm, k % 2 == 1);
            GuardClaim { exec, journal_start, journal_end }
        };
        let claims: Vec<GuardClaim> = (0..PROBES).map(&mut claim).collect();
        let map = Self::find(claims.iter().map(|c| (guard_felts(c), publics(c))).collect())?;
        map.demand(START..EXEC_FELTS, "where the range starts and ends")?;
        map.demand(COUNT..COUNT + 1, "how many ops the range has")?;
        map.demand(ALGORITHM..JOURNAL_START, "which program the operations are of")?;
        map.demand(JOURNAL_START..GUARD_FELTS, "where the journal starts and ends")?;
        Ok(map)
    }
}

/// The lift of proofs of the guard with their runs, before it is compiled.
#[derive(Clone, Debug)]
pub struct GuestLift {
    guard: Verifier,
    map: PublicMap,
    run: Verifier,
    /// Digests of the keys of run programs that it takes.
    runs: Vec<tsz_hash::Digest>,
    form: RunForm,
}

/// What the first public values of a proof of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunForm {
    /// The algorithm id of the program: a [`GuestClaim`].
    Whole,
    /// The root of the memory image that it starts from: a [`tsz_segment_program::Part`] that ends its run.
    Joined,
}

/// A proof of the guard with the proof of its run, both of checked shape.
#[derive(Clone, Copy)]
pub struct GuestProof<'a> {
    /// Key of the guard.
    pub guard_key: &'a KeyValues,
    /// Public values of the guard's proof, by table.
    pub publics: &'a [Vec<F>],
    /// Proof of the guard.
    pub guard: &'a Proof,
    /// Key of the run program.
    pub run_key: &'a KeyValues,
    /// Public values of the run's proof, in the lift's [`RunForm`].
    pub run_publics: &'a [F],
    /// Proof of the run.
    pub run: &'a Proof,
}

impl GuestLift {
    /// The lift of proofs of the guard that `guard` verifies, with proofs of runs that `run` verifies under one of the
    /// keys with the digests `runs`.
    ///
    /// # Errors
    /// [`MapError::Counts`] for a map of another circuit, or a verifier of proofs that are not of run programs.
    pub fn new(
        guard: Verifier,
        map: PublicMap,
        run: Verifier,
        runs: Vec<tsz_hash::Digest>,
        form: RunForm,
    ) -> Result<Self, MapError> {
        map.fits(&guard)?;
        if !states_run(&run) {
            return Err(MapError::Counts);
        }
        Ok(Self { guard, map, run, runs, form })
    }

    /// Parameters of the guard's proofs.
    pub fn params(&self) -> &FriParams {
        self.guard.params()
    }

    /// The circuit. Public values: those of any lift.
    pub fn build(&self) -> Builder {
        let mut builder = Builder::new();
        let b = &mut builder;
        let key = self.guard.fixed_key(b);
        let proof = self.guard.input(b);
        self.guard.verify(b, &key, &proof);
        let key = self.run.input_key(b);
        assert_listed(b, &key, &self.runs);
        let run = self.run.input(b);
        self.run.verify(b, &key, &run);
        let felts = self.bind(b, &proof, &run);
        let algorithm = pack(b, core::array::from_fn(|k| felts[ALGORITHM + k]));
        let claim = range_claim(b, &felts, algorithm, false);
        let root = zero_digest(b);
        hash::expose(b, root);
        let digest = claim.digest(b);
        hash::expose(b, digest);
        builder
    }

    /// The felts of the guard's claim, of which those that the run states are the run's.
    fn bind(&self, b: &mut Builder, proof: &ProofWires, run: &ProofWires) -> Vec<Felt> {
        let mut felts = self.map.bind(b, GUARD_FELTS, proof);
        for k in self.map.free() {
            felts[k] = Some(b.input());
        }
        // A range of the guard begins no batch.
        let zero = b.zero();
        if let Some(begins) = felts[BEGIN].replace(zero) {
            b.assert_eq(begins, zero);
        }
        let felts: Vec<Felt> = felts.into_iter().map(|felt| felt.unwrap_or(zero)).collect();
        let mut publics = run.publics().concat();
        if self.form == RunForm::Joined {
            let algorithm = image_algorithm(b, core::array::from_fn(|k| publics[k]));
            let algorithm = algorithm.map(|quad| b.unpack(quad));
            publics[..8].copy_from_slice(algorithm.as_flattened());
        }
        let (digests, count) = (&publics[..GUEST_PUBLICS - 1], publics[GUEST_PUBLICS - 1]);
        for (own, other) in felts[ALGORITHM..GUARD_FELTS].iter().zip(digests) {
            b.assert_eq(*own, *other);
        }
        // Not 0, as the claim's is not: a part that goes on is no run.
        b.assert_eq(felts[COUNT], count);
        for k in 0..8 {
            b.assert_eq(felts[JOURNAL_START + k], felts[START + k]);
        }
        felts
    }

    /// What the run of a range must claim.
    pub fn run_claim(claim: &GuardClaim) -> GuestClaim {
        let exec = &claim.exec;
        let (start, end) = (claim.journal_start, claim.journal_end);
        GuestClaim { algorithm: exec.algorithm, start, end, count: exec.count }
    }

    /// The claim and the inputs for a proof of the guard and one of its run.
    ///
    /// # Errors
    /// [`WitnessError`] for proofs that the native verifier refuses, or that have no crowns ([`WitnessError::Crown`]).
    pub fn values(
        &self,
        claim: &GuardClaim,
        proof: &GuestProof<'_>,
    ) -> Result<(Claim, Vec<Value>), WitnessError> {
        let mut values = self.guard.values(proof.guard_key, proof.guard, proof.publics)?;
        values.extend(Verifier::key_values(proof.run_key));
        values.extend(listed_values(proof.run_key, &self.runs));
        let publics = by_table(&self.run, proof.run_publics);
        values.extend(self.run.values(proof.run_key, proof.run, &publics)?);
        let felts = guard_felts(claim);
        values.extend(self.map.free().into_iter().map(|k| Value::from(felts[k])));
        Ok((Claim::Exec(ExecRange::from(&claim.exec)), values))
    }
}
