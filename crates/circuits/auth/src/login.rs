//! RegisterKeyBy.. and RevokeKeyBy..: an external key with manage-keys writes or clears a slot.

use thiserror::Error;
use tsz_air::{
    Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix, TableAir, Trace,
};
use tsz_chips::{passkey, wallet};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::policy::Policy;
use tsz_gadgets::row::{Row, Shape, c};
use tsz_gadgets::signer::{Signer, SignerInput, permission};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext, Family, KeyPolicy, Scheme};
use tsz_stf::{Approval, AuthOp};
use tsz_types::{AccountId, KeySlot};

use crate::pay::{self, payment};

/// What approves the ops of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Passkeys.
    Passkey,
    /// Wallets.
    Wallet,
}

impl Kind {
    /// The family of its ops.
    pub const fn family(self) -> Family {
        match self {
            Self::Passkey => Family::Auth,
            Self::Wallet => Family::Wallet,
        }
    }

    /// Code of its registration; that of its revocation is one more.
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Passkey => 70,
            Self::Wallet => 72,
        }
    }

    /// Scheme of its key slots.
    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Passkey => Scheme::P256,
            Self::Wallet => Scheme::Secp256k1,
        }
    }
}

/// Accesses of a key change.
const ACCESSES: usize = 5;
/// Writes of a key change.
const WRITES: usize = 3;
/// Tables of ops: key changes, transfers, withdrawals.
pub(crate) const OP_TABLES: usize = 3;

columns! {
    /// One registration or revocation.
    pub struct Login {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The account and its passkey or wallet, which approves.
        signer: (Signer),
        /// Slot written; < 48 by two lookups.
        slot: felt,
        /// What the slot holds afterwards.
        policy: (Policy),
        /// KEYA of the slot before: overwritten whatever it is; bound by the bus.
        old_a: [8],
        /// KEYB of the slot before.
        old_b: [8],
    }
}

/// AIR of [`Login`] for one kind of key. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct LoginAir(pub Kind);

impl TableAir for LoginAir {
    fn name(&self) -> String {
        "login".into()
    }
    fn column_names(&self) -> Vec<String> {
        tsz_gadgets::layout::names::<Login<()>>()
    }
}

impl BaseAir<F> for LoginAir {
    fn width(&self) -> usize {
        <Login<()> as Columns<()>>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        SIGNED_PUBLICS
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        Vec::new()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LoginAir {
    fn eval(&self, builder: &mut AB) {
        let k: Login<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let shape = Shape { n: ACCESSES as u32, nv: (ACCESSES + WRITES) as u32 };
        let mut row = Row::new(builder, k.is_real.clone(), k.index.clone(), shape);
        row.slot(&k.slot);
        row.policy(&k.policy);

        let p = &k.policy;
        let account = k.signer.account.value();
        let message = message(self.0, &k.signer, &k.slot, p);
        let scheme = self.0.scheme().code();
        row.external_signer(0, &k.signer, AB::Expr::ZERO, (&system, &time), message, scheme);
        let may = k.signer.permissions[permission::MANAGE_KEYS].clone();
        row.zero(k.is_real.clone() * (AB::Expr::ONE - may));

        let [a, b] = Row::<AB>::slot_cells(&k.slot);
        row.key(3, true, account.clone(), a);
        row.old(3, k.old_a.clone());
        row.new_value(1, p.key_id.clone());
        row.key(4, true, account, b);
        row.old(4, k.old_b.clone());
        row.new_value(2, p.key_b());
    }
}

/// Blocks of the approved message (docs/src/auth.md).
fn message<E: PrimeCharacteristicRing + Clone>(
    kind: Kind,
    signer: &Signer<E>,
    slot: &E,
    policy: &Policy<E>,
) -> [[E; 8]; 2] {
    let [nonce_lo, nonce_hi] = signer.nonce();
    let first = [
        c::<E>(kind.code()) + policy.is_revoke.clone(),
        signer.account.value(),
        slot.clone() + policy.scheme() * c::<E>(64),
        policy.permissions(),
        policy.expiry[0].value(),
        policy.expiry[1].value(),
        nonce_lo,
        nonce_hi,
    ];
    [first, policy.key_id.clone()]
}

/// An op that the ledger applied.
#[derive(Clone, Debug)]
pub struct AuthRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: AuthOp,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// An access log that is not of its op, or too many ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Another number of accesses than the op has.
    #[error("op {index}: {got} accesses, expected {expected}")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses of the op.
        expected: usize,
        /// Accesses given.
        got: usize,
    },
    /// An op of another family.
    #[error("op {index} is of another family")]
    Family {
        /// Sequence number.
        index: u32,
    },
    /// More ops than rows.
    #[error("{got} ops, at most {rows}")]
    TooMany {
        /// Rows of the table.
        rows: usize,
        /// Ops given.
        got: usize,
    },
}

/// Approvals that a table of ops looks up.
#[derive(Clone, Debug)]
pub(crate) enum Approvals {
    /// Of passkeys.
    Passkeys(Vec<passkey::Approval>),
    /// Of wallets.
    Wallets(Vec<wallet::Approval>),
}

impl Approvals {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Passkey => Self::Passkeys(Vec::new()),
            Kind::Wallet => Self::Wallets(Vec::new()),
        }
    }

    /// Adds that of an op over a message.
    fn push(&mut self, record: &AuthRecord, message: Digest) -> Result<(), RecordError> {
        match (self, record.op.approval()) {
            (Self::Passkeys(all), Approval::Passkey(passkey, assertion)) => {
                let (passkey, assertion) = (passkey.clone(), assertion.clone());
                all.push(passkey::Approval { passkey, message, assertion, uses: 1 });
            }
            (Self::Wallets(all), Approval::Wallet(wallet, approval)) => {
                all.push(wallet::Approval { wallet: *wallet, message, approval: *approval, uses: 1 });
            }
            _ => return Err(RecordError::Family { index: record.index }),
        }
        Ok(())
    }
}

/// The error of a record that has not so many accesses.
pub(crate) fn wrong(record: &AuthRecord, expected: usize) -> RecordError {
    RecordError::Accesses { index: record.index, expected, got: record.accesses.len() }
}

/// What an op writes: the account, the slot, the slot of the key that approves, the policy. None of a payment.
fn content(op: &AuthOp) -> Option<(AccountId, KeySlot, KeySlot, Policy<F>)> {
    let register = |key_id: &Digest, content: KeyPolicy| {
        let (scheme, permissions) = (content.scheme.code(), content.permissions.bits());
        Policy::register(key_id, scheme, permissions, content.expiry.get())
    };
    Some(match op {
        AuthOp::RegisterKeyByPasskey(op) => {
            (op.account, op.slot, op.key_slot, register(&op.key_id, op.policy()))
        }
        AuthOp::RegisterKeyByWallet(op) => {
            (op.account, op.slot, op.key_slot, register(&op.key_id, op.policy()))
        }
        // Of another family: its approval is refused.
        AuthOp::RegisterKeyByOidc(op) => {
            (op.account, op.slot, op.key_slot, register(&op.key_id, op.policy()))
        }
        AuthOp::RevokeKeyByOidc(op) => (op.account, op.slot, op.key_slot, Policy::revoke()),
        AuthOp::RevokeKeyByPasskey(op) => (op.account, op.slot, op.key_slot, Policy::revoke()),
        AuthOp::RevokeKeyByWallet(op) => (op.account, op.slot, op.key_slot, Policy::revoke()),
        AuthOp::PayByPasskey(_) | AuthOp::PayByWallet(_) | AuthOp::PayByOidc(_) => return None,
    })
}

/// The row of a record and the message that is approved.
fn row(kind: Kind, context: &BatchContext, record: &AuthRecord) -> Result<(Login<F>, Digest), RecordError> {
    let accesses: &[Access; ACCESSES] =
        record.accesses.as_slice().try_into().map_err(|_| wrong(record, ACCESSES))?;
    let [key_a, key_b, ctl, slot_a, slot_b] = accesses;
    let family = RecordError::Family { index: record.index };
    let (account, slot, key_slot, policy) = content(&record.op).ok_or(family)?;
    let slot = F::from_u32(slot.get().into());
    let signer = |message| {
        Signer::of(&SignerInput {
            account: account.get(),
            slot: key_slot.get().into(),
            key_a: &key_a.old,
            key_b: &key_b.old,
            ctl: &ctl.old,
            time: context.time,
            system: &context.system,
            message,
        })
    };
    // The message holds the nonce of the cell, which the signer's columns have.
    let blocks = message(kind, &signer([[F::ZERO; 8]; 2]), &slot, &policy);
    let signer = signer(blocks);
    let (index, digest) = (F::from_u32(record.index), signer.digest);
    let (old_a, old_b) = (slot_a.old, slot_b.old);
    Ok((Login { is_real: F::ONE, index, signer, slot, policy, old_a, old_b }, digest))
}

/// Public values of the table: S, T.
pub(crate) fn publics(context: &BatchContext) -> Vec<F> {
    let time = [0, 24].map(|s| F::from_u32((context.time >> s) as u32 & 0xff_ffff));
    context.system.into_iter().chain(time).collect()
}

/// The op tables with what they ask for.
pub(crate) struct OpTables {
    /// Key changes, transfers, withdrawals.
    pub traces: [Trace; OP_TABLES],
    /// Approvals that they look up.
    pub approvals: Approvals,
}

/// Fills the op tables.
///
/// # Errors
/// [`RecordError`]. That the ops follow the rules is not checked.
pub(crate) fn trace(
    kind: Kind,
    context: &BatchContext,
    records: &[AuthRecord],
    log_height: usize,
) -> Result<OpTables, RecordError> {
    let (rows, got) = (1 << log_height, records.len());
    if got > rows {
        return Err(RecordError::TooMany { rows, got });
    }
    let (mut logins, mut pays) = (Vec::new(), pay::Rows::default());
    let mut approvals = Approvals::new(kind);
    for record in records {
        let message = match payment(&record.op) {
            Some(payment) => pays.push(kind, context, record, payment)?,
            None => {
                let (columns, message) = row(kind, context, record)?;
                logins.push(columns);
                message
            }
        };
        approvals.push(record, message)?;
    }
    let traces =
        [fill(&logins, log_height), fill(&pays.transfers, log_height), fill(&pays.withdrawals, log_height)];
    Ok(OpTables { traces, approvals })
}

/// A trace of rows, then zeros.
fn fill<C: Columns<F>>(rows: &[C], log_height: usize) -> Trace {
    let mut values = F::zero_vec(C::WIDTH << log_height);
    for (out, row) in values.chunks_exact_mut(C::WIDTH).zip(rows) {
        let mut cells = out.iter_mut();
        row.write(&mut |x| {
            if let Some(cell) = cells.next() {
                *cell = *x;
            }
        });
    }
    RowMajorMatrix::new(values, C::WIDTH)
}
