//! The lift of extension operations: a proof of the guard and a proof of the program's run become one node.
//!
//! # What is proven
//! For public values (0, claim digest D): there are a proof under the fixed key of the guard and one under one of the
//! keys of run programs (`tsz_segment_program::RunProgram`) whose digests are constants here, such that
//! 1. both are of the same program: the algorithm id of the guard's claim is that of the run;
//! 2. both commit to the same journal: start, end and number of operations agree;
//! 3. the journal starts at the capacity at which the tuples of the range do;
//! 4. D is the digest of the claim Exec(algorithm id, context, count, 0, start, end) about the range of the guard.
//!
//! The claim is that of any lift: joins, and all above them, see no difference. That the key is listed for the algorithm
//! of the claim is for the join to prove, so one key is listed once for each admitted program.

use p3_field::PrimeCharacteristicRing;
use tsz_ledger::{ExecClaim, GuardClaim};
use tsz_plonk::gadgets::hash;
use tsz_plonk::{Bit, Builder, Felt, Value};
use tsz_recursion::{KeyValues, KeyWires, ProofWires, Verifier, WitnessError};
use tsz_segment_program::{GUEST_PUBLICS, GuestClaim};
use tsz_stark::{F, FriParams, Proof};

use crate::claim::{Claim, ExecRange};
use crate::join::PUBLIC_TABLE;
use crate::lift::{
    BEGIN, COUNT, EXEC_FELTS, MapError, PROBES, Probe, PublicMap, START, exec_felts, exec_probe, range_claim,
};
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
    /// Public values of the run's proof: those of a [`GuestClaim`].
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
    ) -> Result<Self, MapError> {
        map.fits(&guard)?;
        let is_run = run.public_counts().enumerate().all(|(table, n)| match table {
            PUBLIC_TABLE => n == GUEST_PUBLICS,
            _ => n == 0,
        });
        if !is_run {
            return Err(MapError::Counts);
        }
        Ok(Self { guard, map, run, runs })
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
        self.assert_listed(b, &key);
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

    /// The key is that of a listed run program, the witness says which one.
    fn assert_listed(&self, b: &mut Builder, key: &KeyWires) {
        let flags: Vec<Bit> = self
            .runs
            .iter()
            .map(|_| {
                let flag = b.input();
                b.assert_bool(flag)
            })
            .collect();
        let (sum, one) = (b.sum(&flags.iter().map(|f| Felt::from(*f)).collect::<Vec<_>>()), b.one());
        b.assert_eq(sum, one);
        let mut chosen = zero_digest(b);
        for (flag, listed) in flags.into_iter().zip(&self.runs) {
            let listed = hash::constant(b, listed);
            chosen = core::array::from_fn(|q| b.mul_add(flag.into(), listed[q], chosen[q]));
        }
        hash::assert_eq(b, key.digest, chosen);
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
        let publics = &run.publics()[PUBLIC_TABLE];
        let (digests, count) = (&publics[..GUEST_PUBLICS - 1], publics[GUEST_PUBLICS - 1]);
        for (own, other) in felts[ALGORITHM..GUARD_FELTS].iter().zip(digests) {
            b.assert_eq(*own, *other);
        }
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
    /// [`WitnessError`] for proofs that the native verifier refuses.
    pub fn values(
        &self,
        claim: &GuardClaim,
        proof: &GuestProof<'_>,
    ) -> Result<(Claim, Vec<Value>), WitnessError> {
        let mut values = self.guard.values(proof.guard_key, proof.guard, proof.publics)?;
        values.extend(Verifier::key_values(proof.run_key));
        let is_key = |listed: &tsz_hash::Digest| *listed == proof.run_key.digest;
        values.extend(self.runs.iter().map(|listed| Value::from_bool(is_key(listed))));
        let mut publics = vec![Vec::new(); self.run.public_counts().count()];
        publics[PUBLIC_TABLE] = proof.run_publics.to_vec();
        values.extend(self.run.values(proof.run_key, proof.run, &publics)?);
        let felts = guard_felts(claim);
        values.extend(self.map.free().into_iter().map(|k| Value::from(felts[k])));
        Ok((Claim::Exec(ExecRange::from(&claim.exec)), values))
    }
}
