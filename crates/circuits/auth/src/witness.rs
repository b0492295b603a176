//! From applied ops to traces.

use thiserror::Error;
use tsz_air::{Trace, from_rows};
use tsz_chips::bigint::mulmod::{self, MULMOD, TooManyProducts};
use tsz_chips::collect::collect;
use tsz_chips::ecdsa::{self, P256, SignedDigest};
use tsz_chips::passkey::{self, Approval, PasskeyTable};
use tsz_chips::sha256::{self, Sha256Table, TooManyBlocks};
use tsz_chips::{base64url, bytes, poseidon2, range, tuple};
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim, Family};

use crate::class::Class;
use crate::login::{self, AuthRecord, LoginAir, RecordError, publics};

/// Why there is no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// A record that is not one of its op, or too many ops.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The tuple table is too small.
    #[error(transparent)]
    Tuple(#[from] tuple::Overflow),
    /// The permutation table is too small.
    #[error(transparent)]
    Poseidon2(#[from] poseidon2::TableFull),
    /// The table of SHA-256 is too small.
    #[error(transparent)]
    Sha256(#[from] TooManyBlocks),
    /// The table of products is too small.
    #[error(transparent)]
    Products(#[from] TooManyProducts),
    /// Too many signatures, or one without a ladder.
    #[error(transparent)]
    Signatures(#[from] ecdsa::Failed),
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
        records: &[AuthRecord],
        start: Digest,
    ) -> Result<Self, WitnessError> {
        let (trace, approvals) = login::trace(context, records, class.ops)?;
        Self::assemble(class, context, records, start, trace, &approvals)
    }

    /// Fills the other tables for a table of ops and approvals.
    pub(crate) fn assemble(
        class: &Class,
        context: &BatchContext,
        records: &[AuthRecord],
        start: Digest,
        login: Trace,
        approvals: &[Approval],
    ) -> Result<Self, WitnessError> {
        let signatures: Vec<SignedDigest> = approvals.iter().map(passkey::signature).collect();
        Self::with_rows(class, context, records, start, login, passkey::rows(approvals), &signatures)
    }

    /// Fills the other tables for a table of ops, rows of assertions and signatures.
    pub(crate) fn with_rows(
        class: &Class,
        context: &BatchContext,
        records: &[AuthRecord],
        start: Digest,
        login: Trace,
        assertions: passkey::Rows,
        signatures: &[SignedDigest],
    ) -> Result<Self, WitnessError> {
        let mut asked = collect(&LoginAir, &login, &publics(context));
        let assertion_trace = from_rows(&assertions.rows, class.ops);
        asked.merge(collect(&PasskeyTable, &assertion_trace, &[]));
        let sha256 = sha256::trace(&Sha256Table::new(class.sha256), &assertions.compressions)?;
        let signed = ecdsa::generate(&P256, signatures, class.ecdsa())?;
        asked.merge(signed.asked);
        let products = Class::products();
        let product_trace = mulmod::trace(&products, &asked.messages(MULMOD.name()), class.mulmod)?;
        asked.merge(collect(&products, &product_trace, &[]));
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut asked.shared)?;

        let mut traces = vec![login, hashed.trace];
        traces.extend(poseidon2::traces(&asked.shared.p2, &[class.poseidon2])?);
        traces.extend([range::trace(&asked.shared.range), assertion_trace, sha256, base64url::trace(&asked)]);
        traces.extend([signed.verify, signed.ladder, signed.comb, signed.entries, product_trace]);
        traces.extend([bytes::trace(&asked.bytes), bytes::trace(&asked.range15)]);
        let claim = ExecClaim {
            algorithm: Family::Auth.algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }
}
