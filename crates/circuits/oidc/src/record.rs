//! What is proven: operations of the family with their access logs, and the rows of its op tables.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_auth::oidc::Algorithm;
use tsz_auth::passkey::{CHALLENGE, CHARS_PER_FELT};
use tsz_auth::scan::Field;
use tsz_auth::{LoginProvider, SocialLogin, base64url};
use tsz_chips::oidc::pack;
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::inverse;
use tsz_gadgets::policy::Policy;
use tsz_gadgets::signer::{Signer, SignerInput};
use tsz_hash::{Block, Digest, Domain, hash_bytes, step};
use tsz_ledger::{Access, BatchContext};
use tsz_stf::{AuthOp, Payment};
use tsz_trade::{Op, TradeOp, code};
use tsz_types::{AccountId, KeySlot, ProviderSlot};

use crate::approval::{Approval, SKEW_MS, Token};
use crate::login::{ACCESSES, Login, PROVIDER, message};
use crate::provider::SetProvider;
use crate::time::{Rule, Time};

/// An operation that the ledger applied.
#[derive(Clone, Debug)]
pub struct OidcRecord {
    /// Sequence number in the batch.
    pub index: u32,
    /// The op.
    pub op: Op,
    /// What it accessed, in order.
    pub accesses: Vec<Access>,
}

/// A record that no row can be made of, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// An op of another family.
    #[error("op {index} has code {code}, which is of another family")]
    Kind {
        /// Sequence number.
        index: u32,
        /// Code of the op.
        code: u32,
    },
    /// Another number of accesses than the op kind has.
    #[error("op {index}: {got} accesses, expected {expected}")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses of the kind.
        expected: usize,
        /// Accesses given.
        got: usize,
    },
    /// An ES256 signature that is not 64 bytes.
    #[error("the token of op {index} has no signature of 64 bytes")]
    Signature {
        /// Sequence number.
        index: u32,
    },
    /// More rows than a table has.
    #[error("{got} rows of table {table}, at most {rows}")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// Rows needed.
        got: usize,
    },
}

/// What an op of a social login says.
pub(crate) struct Approved<'a> {
    provider_slot: ProviderSlot,
    /// The key that the op names.
    pub provider: &'a LoginProvider,
    /// The token.
    pub login: &'a SocialLogin,
    /// What is approved.
    pub what: What<'a>,
}

/// What a token approves.
pub(crate) enum What<'a> {
    /// A change of a slot.
    Key { account: AccountId, slot: KeySlot, key_slot: KeySlot, policy: Box<Policy<F>> },
    /// A payment.
    Pay(&'a Payment),
}

impl<'a> Approved<'a> {
    /// Of an op, if it is one of a social login.
    pub fn of(op: &'a Op) -> Option<Self> {
        let op = op.as_auth()?;
        let (provider_slot, provider, login) = match op {
            AuthOp::RegisterKeyByOidc(op) => (op.provider_slot, &op.provider, &op.login),
            AuthOp::RevokeKeyByOidc(op) => (op.provider_slot, &op.provider, &op.login),
            AuthOp::PayByOidc(op) => (op.provider_slot, &op.provider, &op.login),
            _ => return None,
        };
        let what = match op {
            AuthOp::RegisterKeyByOidc(op) => {
                let content = op.policy();
                let (scheme, permissions) = (content.scheme.code(), content.permissions.bits());
                let policy = Policy::register(&op.key_id, scheme, permissions, content.expiry.get());
                let tsz_stf::RegisterKeyByOidc { account, slot, key_slot, .. } = *op;
                What::Key { account, slot, key_slot, policy: Box::new(policy) }
            }
            AuthOp::RevokeKeyByOidc(op) => {
                let tsz_stf::RevokeKeyByOidc { account, slot, key_slot, .. } = *op;
                What::Key { account, slot, key_slot, policy: Box::new(Policy::revoke()) }
            }
            AuthOp::PayByOidc(op) => What::Pay(&op.payment),
            _ => return None,
        };
        Some(Self { provider_slot, provider, login, what })
    }

    /// The algorithm of the provider's key.
    pub fn algorithm(&self) -> Algorithm {
        self.provider.key.algorithm()
    }

    /// The signing input: everything before the last dot.
    pub fn signed(&self) -> &'a [u8] {
        let token = &self.login.token;
        let end = token.iter().rposition(|b| *b == b'.').unwrap_or(token.len());
        token.get(..end).unwrap_or_default()
    }

    /// The signature's bytes; none of a text that is no base64url.
    pub fn signature(&self) -> Vec<u8> {
        let text = self.login.token.get(self.signed().len() + 1..).unwrap_or_default();
        base64url::decode(text).unwrap_or_default()
    }
}

/// What the tables of tokens say about one.
pub(crate) struct Said {
    pub number: u32,
    pub key: u32,
    pub digest: [F; 16],
    /// Bytes of each field, by its number; empty if the token has none.
    pub values: [Vec<u8>; 8],
}

impl Said {
    fn value(&self, field: Field) -> &[u8] {
        self.values.get(usize::from(field.code()) - 1).map_or(&[], Vec::as_slice)
    }

    /// The digest in the order of its bytes.
    pub fn digest_bytes(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        for (pair, half) in digest.chunks_exact_mut(2).zip(self.digest) {
            pair.copy_from_slice(&(half.as_canonical_u32() as u16).to_be_bytes());
        }
        digest
    }

    fn hashed(&self, field: Field) -> Digest {
        hash_bytes(self.value(field))
    }
}

/// The accesses of a record as an array.
fn accesses<const N: usize>(record: &OidcRecord) -> Result<&[Access; N], RecordError> {
    let got = record.accesses.len();
    let error = RecordError::Accesses { index: record.index, expected: N, got };
    record.accesses.as_slice().try_into().map_err(|_| error)
}

/// The row of a key change.
pub(crate) fn login(
    context: &BatchContext,
    record: &OidcRecord,
    (account, slot, key_slot): (AccountId, KeySlot, KeySlot),
    policy: Policy<F>,
) -> Result<Login<F>, RecordError> {
    let [key_a, key_b, ctl, _, slot_a, slot_b] = accesses::<ACCESSES>(record)?;
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
    let signer = signer(message(&signer([[F::ZERO; 8]; 2]), &slot, &policy));
    let (index, old_a, old_b) = (F::from_u32(record.index), slot_a.old, slot_b.old);
    Ok(Login { is_real: F::ONE, index, signer, slot, policy, old_a, old_b })
}

/// The row of an approval, for what the row of its op says: key id, digest of the message, and which access it leaves.
pub(crate) fn approval(
    context: &BatchContext,
    record: &OidcRecord,
    approved: &Approved<'_>,
    said: &Said,
    (key_id, message, place): (Digest, Digest, usize),
) -> Approval<F> {
    let cell = record.accesses.get(place).map_or(tsz_hash::ZERO, |access| access.old);
    Approval {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        place: F::from_usize(place),
        key_id,
        message,
        token: token(context, approved, said, &cell),
    }
}

/// The access of a key change that its table leaves to that of approvals.
pub(crate) const KEY_CHANGE: usize = PROVIDER;

fn token(context: &BatchContext, approved: &Approved<'_>, said: &Said, cell: &Digest) -> Token<F> {
    let mut t = Token::<F> {
        number: F::from_u32(said.number),
        key: F::from_u32(said.key),
        slot: F::from_u32(approved.provider_slot.get().into()),
        cell: *cell,
        digest: said.digest,
        issuer: said.hashed(Field::Iss),
        audience: said.hashed(Field::Aud),
        kid: said.hashed(Field::Kid),
        subject: said.hashed(Field::Sub),
        salt: hash_bytes(&approved.login.salt),
        ..Token::default()
    };
    let mut capacity = Domain::Oidc.iv(32);
    for (k, part) in [&t.issuer, &t.audience, &t.subject].into_iter().enumerate() {
        capacity = step(part, &capacity);
        t.mids[8 * k..8 * (k + 1)].copy_from_slice(&capacity);
    }
    let nonce = said.value(Field::Nonce);
    for k in 0..CHALLENGE {
        let character = nonce.get(k).copied().unwrap_or(b'A');
        t.characters[k] = F::from_u8(character);
        t.values[k] = F::from_u8(base64url::value(character).unwrap_or(0));
    }
    for k in 0..8 {
        let top = t.values[CHARS_PER_FELT * k] * F::from_u32(64) + t.values[CHARS_PER_FELT * k + 1];
        t.top_rest[k] = F::from_u32(120) - top;
        t.top_inv[k] = inverse(t.top_rest[k]);
    }
    let felts = pack(&t.characters);
    let block = |k: usize| -> Block { core::array::from_fn(|i| felts[8 * k + i]) };
    t.nonce_mid = step(&block(0), &Domain::Bytes.iv(CHALLENGE));
    t.nonce = step(&block(1), &t.nonce_mid);
    t.iat = Time::of(said.value(Field::Iat), context.time, Rule::AtMost(SKEW_MS));
    t.exp = Time::of(said.value(Field::Exp), context.time, Rule::After);
    t
}

/// The row of a SetProvider or ClearProvider; `None` for another op.
pub(crate) fn set_provider(record: &OidcRecord) -> Option<Result<SetProvider<F>, RecordError>> {
    let (slot, is_clear) = match record.op.as_trade()? {
        TradeOp::SetProvider(op) => (op.slot, false),
        TradeOp::ClearProvider(op) => (op.slot, true),
        _ => return None,
    };
    Some(accesses::<3>(record).map(|[l1in, chain, cell]| {
        let mut first = Block::default();
        first[0] = F::from_u32(if is_clear { code::CLEAR_PROVIDER } else { code::SET_PROVIDER });
        first[1..4].copy_from_slice(&l1in.old[..3]);
        first[4] = F::from_u32(slot.get().into());
        SetProvider {
            is_real: F::ONE,
            index: F::from_u32(record.index),
            slot: first[4],
            is_clear: F::from_bool(is_clear),
            provider: cell.new,
            queue: L1Queue {
                serial: Serial::of(&l1in.old),
                chain: Chain::of(&chain.old, [&first, &cell.new]),
            },
            old: cell.old,
        }
    }))
}
