//! From applied ops to traces.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Requests, Trace};
use tsz_chips::{poseidon2, range, tuple};
use tsz_gadgets::collect;
use tsz_gadgets::params::ParamsAir;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};
use tsz_trade::Params;

use crate::class::{BEARER, Class, MARGIN, PAGE, TARGET};
use crate::record::{DeleverageRecord, RecordError};
use crate::tables::{AdlAir, BearerAir, ForceAir, HolderAir, LossAir, PageAir, RefusalAir, WellAir};
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
    /// The permutation table is too small.
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

/// Limbs of T.
pub(crate) fn time_limbs(context: &BatchContext) -> Vec<F> {
    [0, 24].map(|s| F::from_u32((context.time >> s) as u32 & 0xff_ffff)).to_vec()
}

impl Witness {
    /// Fills the tables for the ops of `records`, in their order; the tuple sponge starts from `start`.
    ///
    /// # Errors
    /// [`WitnessError`] if the ops do not fit the class or a record is not one of its op. That the ops follow the rules is
    /// not checked: a proof of others is refused by the verifier.
    pub fn new(
        class: &Class,
        context: &BatchContext,
        params: &Params,
        records: &[DeleverageRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        let traces = op_traces(class, context, params, records)?;
        Self::assemble(class, context, records, start, traces)
    }

    /// Fills the shared tables for given tables of the circuit.
    pub(crate) fn assemble(
        class: &Class,
        context: &BatchContext,
        records: &[DeleverageRecord],
        start: Digest,
        mut traces: Vec<Trace>,
    ) -> Result<Self, WitnessError> {
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let mut requests = Requests::new();
        requests.merge(collect(&ParamsAir, &traces[0], &context.params));
        requests.merge(collect(&PageAir, &traces[PAGE], &[]));
        requests.merge(collect(&HolderAir, &traces[PAGE + 1], &[]));
        requests.merge(collect(&AdlAir, &traces[PAGE + 2], &[]));
        requests.merge(collect(&ForceAir, &traces[PAGE + 3], &[]));
        requests.merge(tsz_margin::requests(&traces[MARGIN..TARGET], &time_limbs(context)));
        requests.merge(tsz_margin::target_requests(&traces[TARGET..BEARER]));
        requests.merge(collect(&BearerAir, &traces[BEARER], &[]));
        requests.merge(collect(&LossAir, &traces[BEARER + 1], &[]));
        requests.merge(collect(&RefusalAir, &traces[BEARER + 2], &[]));
        requests.merge(collect(&WellAir, &traces[BEARER + 3], &[]));
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut requests)?;
        traces.push(hashed.trace);
        traces.push(range::trace(&requests.range));
        traces.extend(poseidon2::traces(&requests.p2, &[class.poseidon2])?);
        let claim = ExecClaim {
            algorithm: Family::Deleverage.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
