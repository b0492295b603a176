//! From applied ops to traces.

use thiserror::Error;
use tsz_air::{F, Trace, from_rows};
use tsz_chips::bigint::mulmod::{self, MULMOD, TooManyProducts};
use tsz_chips::collect::{Asked, collect};
use tsz_chips::ecdsa::{self, SignedDigest};
use tsz_chips::keccak::{self, TooManyHashes};
use tsz_chips::passkey::{self, PasskeyTable};
use tsz_chips::sha256::{self, TooManyBlocks};
use tsz_chips::wallet::{self, WalletTable};
use tsz_chips::{base64url, bytes, poseidon2, range, tuple};
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, ExecClaim};

use crate::class::Class;
use crate::login::{self, Approvals, AuthRecord, LoginAir, OP_TABLES, OpTables, RecordError, publics};
use crate::pay::{TransferByAir, WithdrawByAir};

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
    /// The table of Keccak is too small.
    #[error(transparent)]
    Keccak(#[from] TooManyHashes),
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
        let OpTables { traces, approvals } = login::trace(class.kind, context, records, class.ops)?;
        let (rows, signatures) = match &approvals {
            Approvals::Passkeys(all) => {
                (Rows::Passkeys(passkey::rows(all)), all.iter().map(passkey::signature).collect())
            }
            Approvals::Wallets(all) => {
                let signatures: Vec<SignedDigest> = all.iter().map(wallet::signature).collect();
                (Rows::Wallets(wallet::rows(all)), signatures)
            }
        };
        Self::with_rows(class, context, records, start, traces, rows, &signatures)
    }

    /// Fills the other tables for tables of ops, rows of approvals and signatures.
    pub(crate) fn with_rows(
        class: &Class,
        context: &BatchContext,
        records: &[AuthRecord],
        start: Digest,
        ops: [Trace; OP_TABLES],
        approvals: Rows,
        signatures: &[SignedDigest],
    ) -> Result<Self, WitnessError> {
        let mut asked = Self::asked(class, &ops, &publics(context));
        let mut of_approvals = approvals.traces(class, &mut asked)?;
        let signed = ecdsa::generate(class.curve(), signatures, &class.ecdsa())?;
        asked.merge(signed.asked);
        let products = class.products();
        let product_trace = mulmod::trace(&products, &asked.messages(MULMOD.name()), class.mulmod)?;
        asked.merge(mulmod::asked(&products, &product_trace));
        let segment =
            tuple::Segment { slot: 0, ops: records.iter().map(|r| (r.index, &r.accesses[..])).collect() };
        let hashed = tuple::generate(class.tuple, start, &[segment], &mut asked.shared)?;

        let mut traces = Vec::from(ops);
        traces.push(hashed.trace);
        traces.extend(poseidon2::traces(&asked.shared.p2, &[class.poseidon2])?);
        traces.push(range::trace(&asked.shared.range));
        traces.append(&mut of_approvals);
        traces.push(signed.verify);
        traces.extend(signed.ladders.into_iter().chain(signed.combs));
        traces.extend([signed.entries, product_trace]);
        traces.extend([bytes::trace(&asked.bytes), bytes::trace(&asked.range15)]);
        let claim = ExecClaim {
            algorithm: class.kind.family().algorithm(),
            context: *context,
            count: records.len() as u32,
            start,
            end: hashed.ends.first().copied().unwrap_or(start),
            has_begin: false,
        };
        Ok(Self { claim, traces })
    }

    /// What the op tables look up.
    fn asked(class: &Class, [login, transfer, withdraw]: &[Trace; OP_TABLES], publics: &[F]) -> Asked {
        let mut asked = collect(&LoginAir(class.kind), login, publics);
        asked.merge(collect(&TransferByAir(class.kind), transfer, publics));
        asked.merge(collect(&WithdrawByAir(class.kind), withdraw, publics));
        asked
    }
}

/// Rows of the table of approvals, with what they hash.
pub(crate) enum Rows {
    /// Of assertions.
    Passkeys(passkey::Rows),
    /// Of wallets' signatures.
    Wallets(wallet::Rows),
}

impl Rows {
    /// The tables of one kind of approvals; adds what they look up.
    fn traces(self, class: &Class, asked: &mut Asked) -> Result<Vec<Trace>, WitnessError> {
        match self {
            Self::Passkeys(rows) => {
                let approvals = from_rows(&rows.rows, class.ops);
                asked.merge(collect(&PasskeyTable, &approvals, &[]));
                let sha256 = sha256::trace(&class.sha256(), &rows.compressions)?;
                Ok(vec![approvals, sha256, base64url::trace(asked)])
            }
            Self::Wallets(rows) => {
                let approvals = from_rows(&rows.rows, class.ops);
                asked.merge(collect(&WalletTable, &approvals, &[]));
                let (mut traces, mut rest) = (vec![approvals], &rows.absorbed[..]);
                let tables = class.keccaks();
                for (k, table) in tables.iter().enumerate() {
                    // The last table says how many are too many.
                    let last = k + 1 == tables.len();
                    let (here, after) =
                        rest.split_at(if last { rest.len() } else { table.blocks().min(rest.len()) });
                    traces.push(keccak::trace(table, here)?);
                    rest = after;
                }
                Ok(traces)
            }
        }
    }
}
