//! From applied ops to traces.

use thiserror::Error;
use tsz_air::Trace;
use tsz_chips::schnorr::{self, SignedMessage, TooManySignatures};
use tsz_chips::{poseidon2, range, tuple};
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};
use tsz_sig::PublicKey;

use crate::class::{Class, counts};
use crate::op::FundRecord;
use crate::trace::{OpTraces, RecordError, op_traces, requests};

/// Why there is no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A record that is not one of its op, or too many ops of a kind.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The tuple table is too small.
    #[error(transparent)]
    Tuple(#[from] tuple::Overflow),
    /// The permutation tables are too small.
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

impl Witness {
    /// Fills the tables for the ops of `records`, in their order; the tuple sponge starts from `start`.
    ///
    /// # Errors
    /// [`WitnessError`] if the ops do not fit the class or a record is not one of its op. That the ops follow
    /// the rules is not checked: a proof of others is refused by the verifier.
    pub fn new(
        class: &Class,
        context: &BatchContext,
        records: &[FundRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        let ops = op_traces(context, records, &class.ops)?;
        Self::assemble(class, context, records, start, ops)
    }

    /// Fills the shared tables for given op tables.
    pub(crate) fn assemble(
        class: &Class,
        context: &BatchContext,
        records: &[FundRecord],
        start: Digest,
        ops: OpTraces,
    ) -> Result<Self, WitnessError> {
        let OpTraces { mut traces, signatures } = ops;
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let has_begin = counts(records)[0] > 0;
        let mut requests = requests(context, has_begin, &traces);
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut requests)?;
        let signed: Result<Vec<SignedMessage>, WitnessError> = signatures
            .iter()
            .enumerate()
            .map(|(k, s)| {
                let key = PublicKey::from_key_id(&s.key_id).map_err(|_| WitnessError::Key(k))?;
                Ok(SignedMessage { key, message: s.message, signature: s.signature, uses: 1 })
            })
            .collect();
        let sig = schnorr::generate(&signed?, class.sigs, &mut requests)?;
        traces.push(hashed.trace);
        traces.extend(poseidon2::traces(&requests.p2, &class.poseidon2)?);
        traces.push(range::trace(&requests.range));
        traces.extend([sig.sig, sig.schnorr, sig.comb]);
        let claim = ExecClaim {
            algorithm: Family::Fund.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin,
        };
        Ok(Self { claim, traces })
    }
}
