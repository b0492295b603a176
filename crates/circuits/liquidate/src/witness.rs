//! From applied ops to traces.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Requests, Trace};
use tsz_chips::schnorr::{self, SignedMessage, TooManySignatures};
use tsz_chips::{poseidon2, range, tuple};
use tsz_gadgets::collect;
use tsz_gadgets::params::ParamsAir;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};
use tsz_order::{PerpOrderAir, SignatureRequest};
use tsz_sig::PublicKey;
use tsz_trade::Params;

use crate::class::{Class, MARGIN, ORDER, TARGET};
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::{CloseAir, ForcedAir, TakeoverAir};
use crate::trace::{OpTraces, op_traces};

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
    /// The signature tables are too small.
    #[error(transparent)]
    Signatures(#[from] TooManySignatures),
    /// A key cell that no key has: its signature cannot be proven.
    #[error("signature {0} is by a key id that no key has")]
    Key(usize),
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

/// Public values of the order table: S, T.
pub(crate) fn order_publics(context: &BatchContext) -> Vec<F> {
    context.system.into_iter().chain(time_limbs(context)).collect()
}

fn signed(requests: &[SignatureRequest]) -> Result<Vec<SignedMessage>, WitnessError> {
    let message = |(k, s): (usize, &SignatureRequest)| {
        let key = PublicKey::from_key_id(&s.key_id).map_err(|_| WitnessError::Key(k))?;
        Ok(SignedMessage { key, message: s.message, signature: s.signature, uses: 1 })
    };
    requests.iter().enumerate().map(message).collect()
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
        records: &[LiquidateRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        let ops = op_traces(class, context, params, records)?;
        Self::assemble(class, context, records, start, ops)
    }

    /// Fills the shared tables for given tables of the circuit.
    pub(crate) fn assemble(
        class: &Class,
        context: &BatchContext,
        records: &[LiquidateRecord],
        start: Digest,
        ops: OpTraces,
    ) -> Result<Self, WitnessError> {
        let OpTraces { mut traces, signatures } = ops;
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let mut requests = Requests::new();
        requests.merge(collect(&ParamsAir, &traces[0], &context.params));
        requests.merge(collect(&PerpOrderAir, &traces[ORDER], &order_publics(context)));
        requests.merge(collect(&TakeoverAir, &traces[ORDER + 1], &[]));
        requests.merge(collect(&CloseAir, &traces[ORDER + 2], &[]));
        requests.merge(collect(&ForcedAir, &traces[ORDER + 3], &[]));
        requests.merge(tsz_margin::requests(&traces[MARGIN..TARGET], &time_limbs(context)));
        requests.merge(tsz_margin::target_requests(&traces[TARGET..TARGET + 2]));
        requests.merge(tsz_margin::minimal_requests(&traces[TARGET + 2]));
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut requests)?;
        let sig = schnorr::generate(&signed(&signatures)?, class.orders, &mut requests)?;
        traces.push(hashed.trace);
        let permutations = poseidon2::traces(&requests.p2, &[class.poseidon2])?;
        traces.push(range::trace(&requests.range));
        traces.extend([sig.sig, sig.schnorr, sig.comb]);
        traces.extend(permutations);
        let claim = ExecClaim {
            algorithm: Family::Liquidate.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
