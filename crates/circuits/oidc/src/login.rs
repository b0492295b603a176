//! RegisterKeyByOidc and RevokeKeyByOidc: a social login with manage-keys writes or clears a slot.

use tsz_air::{Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, bus};
use tsz_auth::oidc::MAX_SKEW;
use tsz_auth::passkey::{CHALLENGE, CHARS_PER_FELT};
use tsz_auth::scan::Field;
use tsz_auth::social::ALGORITHM;
use tsz_chips::oidc::{lookup_provider, pack, receive_digest, receive_value};
use tsz_chips::{base64url, rsa};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::policy::Policy;
use tsz_gadgets::row::{PROVIDER_HI, Row, Shape, c};
use tsz_gadgets::signer::{Signer, permission};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_hash::{Domain, hash_bytes};
use tsz_ledger::Scheme;

use crate::time::{Rule, Time, constrain};

/// Accesses of an op.
pub(crate) const ACCESSES: usize = 6;
/// Writes of an op.
pub(crate) const WRITES: usize = 3;
/// Code of a registration; that of a revocation is one more.
pub(crate) const CODE: u32 = 74;
/// Felts that a key id hashes: four digests.
const KEY_FELTS: usize = 32;
/// `iat` may be so many ms after the batch time.
pub(crate) const SKEW_MS: u32 = 1_000 * MAX_SKEW as u32;

columns! {
    /// The token that approves, and whose it is.
    pub struct Token {
        /// Number of the token; buses `oidc_digest`, `oidc_value`.
        number: felt,
        /// Number of the provider's key; buses `oidc_provider`, `rsa`.
        key: felt,
        /// Cell of the provider; < 2^12 by a lookup. Not signed: the operator may name any cell that holds the key.
        slot: felt,
        /// What the cell holds; bound by the tuple and by `oidc_provider`.
        cell: [8],
        /// SHA-256 of the signing input, halves in the order of bytes; buses `oidc_digest`, `rsa`.
        digest: [16],
        /// Digest of iss; buses `oidc_value`, `oidc_provider`.
        issuer: [8],
        /// Digest of aud; the same.
        audience: [8],
        /// Digest of kid; the same.
        kid: [8],
        /// Digest of sub; bus `oidc_value`, bound by the key id.
        subject: [8],
        /// Digest of the salt; bound by the key id.
        salt: [8],
        /// Capacities of the key id after issuer, audience and subject; bus `p2`.
        mids: [24],
        /// Characters of the nonce; bus `base64`, bound to the token by `nonce`.
        characters: [CHALLENGE],
        /// Their values; bus `base64`.
        values: [CHALLENGE],
        /// 120 less the top seven bits of each felt of the message; bus `bytes`.
        top_rest: [8],
        /// Its inverse, or anything.
        top_inv: [8],
        /// Capacity of the nonce's digest after its first block; bus `p2`.
        nonce_mid: [8],
        /// Digest of the nonce; bus `p2`.
        nonce: [8],
        /// When the token was issued.
        iat: (Time),
        /// When it expires.
        exp: (Time),
    }
}

columns! {
    /// One registration or revocation.
    pub struct Login {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The account and its identity, which approves.
        signer: (Signer),
        /// The approval.
        token: (Token),
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

/// AIR of [`Login`]. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct LoginAir;

impl TableAir for LoginAir {
    fn name(&self) -> String {
        "oidc_login".into()
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
        let message = message(&k.signer, &k.slot, p);
        let scheme = Scheme::Oidc.code();
        row.external_authority(0, &k.signer, AB::Expr::ZERO, (&system, &time), message, scheme);
        let may = k.signer.permissions[permission::MANAGE_KEYS].clone();
        row.zero(k.is_real.clone() * (AB::Expr::ONE - may));

        let t = &k.token;
        row.range(t.slot.clone());
        row.key(3, false, c(PROVIDER_HI), t.slot.clone());
        row.old(3, t.cell.clone());
        eval_key(&mut row, t);
        eval_identity(&mut row, t, &k.signer.key_id);
        eval_nonce(&mut row, t, &k.signer.digest);
        eval_claims(&mut row, t, &time);

        let [a, b] = Row::<AB>::slot_cells(&k.slot);
        row.key(4, true, account.clone(), a);
        row.old(4, k.old_a.clone());
        row.new_value(1, p.key_id.clone());
        row.key(5, true, account, b);
        row.old(5, k.old_b.clone());
        row.new_value(2, p.key_b());
    }
}

/// Blocks of the approved message (docs/src/auth.md).
pub(crate) fn message<E: PrimeCharacteristicRing + Clone>(
    signer: &Signer<E>,
    slot: &E,
    policy: &Policy<E>,
) -> [[E; 8]; 2] {
    let [nonce_lo, nonce_hi] = signer.nonce();
    let first = [
        c::<E>(CODE) + policy.is_revoke.clone(),
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

/// The cell is of the key that signed the text, and of these issuer, audience and kid.
fn eval_key<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Token<AB::Expr>) {
    let real = row.real.clone();
    let texts = [&t.issuer, &t.audience, &t.kid].map(Clone::clone);
    lookup_provider(row.builder(), t.key.clone(), t.cell.clone(), texts, real.clone());
    rsa::lookup(row.builder(), t.key.clone(), t.digest.clone(), real.clone());
    receive_digest(row.builder(), t.number.clone(), t.digest.clone(), real);
}

/// The key id is the hash of issuer, audience, subject and salt.
fn eval_identity<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    t: &Token<AB::Expr>,
    key_id: &[AB::Expr; 8],
) {
    let real = row.real.clone();
    let mut capacity = Domain::Oidc.iv(KEY_FELTS).map(AB::Expr::from);
    for (k, part) in [&t.issuer, &t.audience, &t.subject, &t.salt].into_iter().enumerate() {
        let after = if k < 3 { core::array::from_fn(|i| t.mids[8 * k + i].clone()) } else { key_id.clone() };
        row.step(&real, part.clone(), &capacity, &after);
        capacity = after;
    }
}

/// The nonce is the challenge of the message: each felt as six characters, big-endian, below p.
fn eval_nonce<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    t: &Token<AB::Expr>,
    message: &[AB::Expr; 8],
) {
    let real = row.real.clone();
    for (character, value) in t.characters.iter().zip(&t.values) {
        base64url::lookup(row.builder(), character.clone(), value.clone(), real.clone());
    }
    for pair in t.top_rest.chunks(2) {
        bus::bytes::lookup(row.builder(), [pair[0].clone(), pair[1].clone()], real.clone());
    }
    let number = |v: &[AB::Expr]| v.iter().fold(AB::Expr::ZERO, |acc, x| acc * c::<AB::Expr>(64) + x.clone());
    for (k, felt) in message.iter().enumerate() {
        let digits = &t.values[CHARS_PER_FELT * k..CHARS_PER_FELT * (k + 1)];
        let rest = t.top_rest[k].clone();
        row.zero(number(&digits[..2]) + rest.clone() - real.clone() * c::<AB::Expr>(120));
        // Where the top is less than 120 the inverse exists; else the low bits are 0.
        let is_less = rest.clone() * t.top_inv[k].clone();
        row.zero((AB::Expr::ONE - is_less.clone()) * rest);
        row.zero((real.clone() - is_less) * digits[2..].iter().cloned().sum::<AB::Expr>());
        row.zero(real.clone() * felt.clone() - number(digits));
    }
    let felts = pack(&t.characters);
    let block = |k: usize| core::array::from_fn(|i| felts[8 * k + i].clone());
    let iv = Domain::Bytes.iv(CHALLENGE).map(AB::Expr::from);
    row.step(&real, block(0), &iv, &t.nonce_mid);
    row.step(&real, block(1), &t.nonce_mid, &t.nonce);
}

/// Each field of the token has the value that the row names, and the times hold.
fn eval_claims<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    t: &Token<AB::Expr>,
    time: &[AB::Expr; 2],
) {
    let iat = constrain(row, &t.iat, time, Rule::AtMost(SKEW_MS)).0;
    let exp = constrain(row, &t.exp, time, Rule::After).0;
    let algorithm = hash_bytes(ALGORITHM).map(AB::Expr::from);
    let claims = [
        (Field::Alg, algorithm),
        (Field::Kid, t.kid.clone()),
        (Field::Iss, t.issuer.clone()),
        (Field::Aud, t.audience.clone()),
        (Field::Sub, t.subject.clone()),
        (Field::Nonce, t.nonce.clone()),
        (Field::Iat, iat),
        (Field::Exp, exp),
    ];
    let real = row.real.clone();
    for (field, digest) in claims {
        receive_value(row.builder(), t.number.clone(), c(field.code().into()), digest, real.clone());
    }
}
