//! The batch phase of the transcript: from the vk to the out-of-domain point.
//!
//! Plonky3 seeds its transcript with a description of the run (counts, widths, grinding bits). All of that is
//! fixed by the vk, so the sponge state after seeding is a constant of the program; what the proof says is
//! absorbed in the circuit. In order: log heights, main commitment, public values, preprocessed commitment,
//! lookup grinding, **lookup challenges**, lookup commitment, terminals, **constraint challenge**, quotient
//! commitment, out-of-domain grinding, **zeta**.

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::gadgets::transcript::Transcript;
use tsz_plonk::{Builder, Ext, Felt, Value};
use tsz_stark::{Commitment, F, Proof, VerifyingKey};

use crate::key::KeyWires;
use crate::layout::Layout;
use crate::seed::Seeds;

/// What the transcripts of all proofs of one vk have in common.
#[derive(Clone, Debug)]
pub struct BatchPhase {
    seed: Vec<F>,
    log_heights: Vec<usize>,
    publics: Vec<usize>,
    /// Digests of a commitment.
    cap: usize,
    /// Tables with lookups.
    terminals: usize,
    lookup_pow_bits: usize,
    ood_pow_bits: usize,
}

/// The part of a proof that the batch phase absorbs, as wires.
#[derive(Clone, Debug)]
pub struct BatchWires {
    /// Commitment to the main traces.
    pub main: Vec<Digest>,
    /// Public values by table.
    pub publics: Vec<Vec<Felt>>,
    /// Grinding before the lookup challenges; present if any table has lookups.
    pub lookup_pow: Option<Felt>,
    /// Commitment to the lookup columns; empty if no table has lookups.
    pub lookup: Vec<Digest>,
    /// Sum of the lookup fractions of each table that has some.
    pub terminals: Vec<Ext>,
    /// Commitment to the quotient chunks.
    pub quotient: Vec<Digest>,
    /// Grinding before the out-of-domain point.
    pub ood_pow: Felt,
}

/// The challenges, and the transcript for the opening argument.
#[derive(Clone, Debug)]
pub struct Challenges {
    /// Base randomness and payload combiner of the lookups, if there are lookups.
    pub lookup: Option<[Ext; 2]>,
    /// Folds the constraints.
    pub alpha: Ext,
    /// The out-of-domain point.
    pub zeta: Ext,
    /// The transcript after `zeta`.
    pub transcript: Transcript,
}

impl BatchPhase {
    /// The batch phase of proofs under `vk`.
    pub fn new<A>(vk: &VerifyingKey<A>) -> Self {
        Self::seeded(vk, Seeds::new(vk, &Layout::new(vk)).batch)
    }

    pub(crate) fn seeded<A>(vk: &VerifyingKey<A>, seed: Vec<F>) -> Self {
        let (tables, params) = (vk.tables(), vk.params());
        Self {
            seed,
            log_heights: vk.log_heights().to_vec(),
            publics: tables.iter().map(|t| t.public_values).collect(),
            cap: 1 << params.cap_height,
            terminals: tables.iter().filter(|t| t.aux_width > 0).count(),
            lookup_pow_bits: params.lookup_pow_bits,
            ood_pow_bits: params.ood_pow_bits,
        }
    }

    /// Declares the inputs of the phase: [`BatchPhase::values`] gives their values.
    #[track_caller]
    pub fn input(&self, b: &mut Builder) -> BatchWires {
        let has_lookups = self.terminals > 0;
        let cap = |b: &mut Builder| (0..self.cap).map(|_| hash::input(b)).collect();
        let main = cap(b);
        let publics = self.publics.iter().map(|n| (0..*n).map(|_| b.input()).collect()).collect();
        let lookup_pow = has_lookups.then(|| b.input());
        let lookup = if has_lookups { cap(b) } else { Vec::new() };
        let terminals = (0..self.terminals).map(|_| b.input_ext()).collect();
        let quotient = cap(b);
        BatchWires { main, publics, lookup_pow, lookup, terminals, quotient, ood_pow: b.input() }
    }

    /// Replays the phase: absorbs the proof, checks both grindings, draws the challenges, and asserts that the
    /// lookup terminals sum to 0.
    #[track_caller]
    pub fn replay(&self, b: &mut Builder, key: &KeyWires, proof: &BatchWires) -> Challenges {
        let mut t = Transcript::new(b);
        t.observe_digest(b, key.digest);
        observe_constants(b, &mut t, &self.seed);
        for log_height in &self.log_heights {
            let bits = b.constant(Value::from_usize(*log_height));
            t.observe_ext(b, bits);
        }
        observe_cap(b, &mut t, &proof.main);
        for value in proof.publics.iter().flatten() {
            t.observe(b, *value);
        }
        observe_cap(b, &mut t, &key.preprocessed);
        let lookup = proof.lookup_pow.map(|witness| {
            check_pow(b, &mut t, self.lookup_pow_bits, witness);
            [t.sample_ext(b), t.sample_ext(b)]
        });
        observe_cap(b, &mut t, &proof.lookup);
        for terminal in &proof.terminals {
            t.observe_ext(b, *terminal);
        }
        let sum = b.sum(&proof.terminals);
        b.assert_zero(sum);
        let alpha = t.sample_ext(b);
        observe_cap(b, &mut t, &proof.quotient);
        check_pow(b, &mut t, self.ood_pow_bits, proof.ood_pow);
        let zeta = t.sample_ext(b);
        Challenges { lookup, alpha, zeta, transcript: t }
    }

    /// The values of [`BatchPhase::input`] for a proof whose shape the native verifier accepts.
    pub fn values(&self, proof: &Proof, publics: &[Vec<F>]) -> Vec<Value> {
        let proof = proof.inner();
        let cap = |c: &Commitment| -> Vec<Value> { c.roots().iter().flat_map(hash::input_values).collect() };
        let mut values = cap(&proof.commitments.main);
        values.extend(publics.iter().flatten().map(|x| Value::from(*x)));
        values.extend(proof.lookup_pow_witness.map(Value::from));
        values.extend(proof.commitments.permutation.iter().flat_map(cap));
        values.extend(proof.lookup_terminals.iter().flatten().map(|t| t.0));
        values.extend(cap(&proof.commitments.quotient_chunks));
        values.push(proof.ood_pow_witness.into());
        values
    }
}

#[track_caller]
pub(crate) fn observe_constants(b: &mut Builder, t: &mut Transcript, felts: &[F]) {
    for felt in felts {
        let felt = b.constant(*felt);
        t.observe(b, felt);
    }
}

#[track_caller]
pub(crate) fn observe_cap(b: &mut Builder, t: &mut Transcript, cap: &[Digest]) {
    for root in cap {
        t.observe_digest(b, *root);
    }
}

/// Proof of work; without any bits the witness must be 0, as in Plonky3.
#[track_caller]
pub(crate) fn check_pow(b: &mut Builder, t: &mut Transcript, bits: usize, witness: Felt) {
    if bits == 0 {
        b.assert_zero(witness);
    }
    t.check_witness(b, bits, witness);
}
