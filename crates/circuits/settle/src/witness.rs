//! From applied ops to traces.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Requests, Trace};
use tsz_chips::{poseidon2, range, tuple};
use tsz_gadgets::collect;
use tsz_gadgets::params::ParamsAir;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};
use tsz_margin::tables::TargetAir;
use tsz_trade::Params;

use crate::class::{Class, PAIR};
use crate::record::{RecordError, SettleRecord};
use crate::tables::{AbsorbAir, PairAir, SeizeAir};
use crate::trace::op_traces;

/// Why there is no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A record that is not one of its op, or too many rows.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The tuple table is too small.
    #[error(transparent)]
    Tuple(#[from] tuple::Overflow),
    /// The permutation tables are too small.
    #[error(transparent)]
    Poseidon2(#[from] poseidon2::TableFull),
}

/// Everything that a proof is made from.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What is proven.
    pub claim: ExecClaim,
    /// Traces in the order of the circuit.
    pub(crate) traces: Vec<Trace>,
}

/// Batch time in limbs.
pub(crate) fn time_publics(context: &BatchContext) -> Vec<F> {
    [0, 24].map(|s| F::from_u32((context.time >> s) as u32 & 0xff_ffff)).to_vec()
}

impl Witness {
    /// Fills the tables for the ops of `records`, in their order; the tuple sponge starts from `start`.
    ///
    /// # Errors
    /// [`WitnessError`] if the ops do not fit the class or a record is not one of its op. That the ops follow the
    /// rules, and that `params` are those in force, is not checked: a proof of others is refused by the verifier.
    pub fn new(
        class: &Class,
        context: &BatchContext,
        params: &Params,
        records: &[SettleRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        let own = op_traces(class, context, params, records)?;
        Self::assemble(class, context, records, start, own)
    }

    /// Fills the shared tables for given tables of the family.
    pub(crate) fn assemble(
        class: &Class,
        context: &BatchContext,
        records: &[SettleRecord],
        start: Digest,
        own: Vec<Trace>,
    ) -> Result<Self, WitnessError> {
        let mut traces = own;
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let mut requests = Requests::new();
        requests.merge(collect(&ParamsAir, &traces[0], &context.params));
        requests.merge(tsz_margin::requests(&traces[1..PAIR], &time_publics(context)));
        requests.merge(collect(&PairAir, &traces[PAIR], &[]));
        requests.merge(collect(&AbsorbAir, &traces[PAIR + 1], &[]));
        requests.merge(collect(&SeizeAir, &traces[PAIR + 2], &[]));
        requests.merge(collect(&TargetAir, &traces[PAIR + 3], &[]));
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut requests)?;
        traces.push(hashed.trace);
        traces.extend(poseidon2::traces(&requests.p2, &class.poseidon2)?);
        traces.push(range::trace(&requests.range));
        let claim = ExecClaim {
            algorithm: Family::Settle.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
