//! Tokens that approve: one row for each op of the family that is not from L1.
//!
//! Proven: a token under a key that the read provider cell commits to approves the message for the identity. The row
//! gives one access of the op, the read of that cell, and tells the op's table so on bus `token`.

use tsz_air::{Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, bus};
use tsz_auth::oidc::{Algorithm, MAX_SKEW};
use tsz_auth::passkey::{CHALLENGE, CHARS_PER_FELT};
use tsz_auth::scan::Field;
use tsz_chips::oidc::{lookup_provider, pack, receive_digest, receive_value};
use tsz_chips::{base64url, es256, rsa};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::{PROVIDER_HI, Row, c};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_hash::{Domain, hash_bytes};

use crate::time::{Rule, Time, constrain};

/// Felts that a key id hashes: four digests.
const KEY_FELTS: usize = 32;
/// `iat` may be so many ms after the batch time.
pub(crate) const SKEW_MS: u32 = 1_000 * MAX_SKEW as u32;

columns! {
    /// The token that approves, and whose it is.
    pub struct Token {
        /// Number of the token; buses `oidc_digest`, `oidc_value`.
        number: felt,
        /// Number of the provider's key; buses `oidc_provider`, `rsa` or `es256`.
        key: felt,
        /// Cell of the provider; < 2^12 by a lookup. Not signed: the operator may name any cell that holds the key.
        slot: felt,
        /// What the cell holds; bound by bus `val` and by `oidc_provider`.
        cell: [8],
        /// SHA-256 of the signing input, halves in the order of bytes; buses `oidc_digest`, `rsa` or `es256`.
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
    /// One approval.
    pub struct Approval {
        /// 1 = the row is an approval; boolean.
        is_real: felt,
        /// Sequence number of the op; bus `token`.
        index: felt,
        /// Which access of the op reads the provider's cell: the one that its table leaves out; bound by bus `key`.
        place: felt,
        /// Id of the identity; bus `token`.
        key_id: [8],
        /// Digest of the message; bus `token`.
        message: [8],
        /// The token.
        token: (Token),
    }
}

/// AIR of [`Approval`] by tokens of an algorithm. Public values: S (8), T (2).
#[derive(Clone, Copy, Debug)]
pub struct ApprovalAir(pub Algorithm);

impl TableAir for ApprovalAir {
    fn name(&self) -> String {
        "oidc_approval".into()
    }
    fn column_names(&self) -> Vec<String> {
        tsz_gadgets::layout::names::<Approval<()>>()
    }
}

impl BaseAir<F> for ApprovalAir {
    fn width(&self) -> usize {
        <Approval<()> as Columns<()>>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        SIGNED_PUBLICS
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        Vec::new()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ApprovalAir {
    fn eval(&self, builder: &mut AB) {
        let a: Approval<AB::Expr> = current(builder);
        let (_, time) = signed_context(builder);
        let mut row = Row::bare(builder, a.is_real.clone());
        row.index = a.index.clone();
        let (t, real) = (&a.token, &a.is_real);
        row.range(t.slot.clone());
        row.key_if(real, a.place.clone(), false, [c(PROVIDER_HI), t.slot.clone()]);
        row.value_if(real, a.place.clone(), t.cell.clone());
        eval_key(&mut row, self.0, t);
        eval_identity(&mut row, t, &a.key_id);
        eval_nonce(&mut row, t, &a.message);
        eval_claims(&mut row, self.0, t, &time);
        let (index, real) = ([a.index.clone()], real.clone());
        bus::token::send(row.builder(), index, a.key_id.clone(), a.message.clone(), real);
    }
}

/// The cell is of the key that signed the text, and of these issuer, audience and kid.
fn eval_key<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, algorithm: Algorithm, t: &Token<AB::Expr>) {
    let real = row.real.clone();
    let texts = [&t.issuer, &t.audience, &t.kid].map(Clone::clone);
    lookup_provider(row.builder(), t.key.clone(), t.cell.clone(), texts, real.clone());
    let (key, digest) = (t.key.clone(), t.digest.clone());
    match algorithm {
        Algorithm::Rs256 => rsa::lookup(row.builder(), key, digest, real.clone()),
        Algorithm::Es256 => es256::lookup(row.builder(), key, digest, real.clone()),
    }
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
    algorithm: Algorithm,
    t: &Token<AB::Expr>,
    time: &[AB::Expr; 2],
) {
    let iat = constrain(row, &t.iat, time, Rule::AtMost(SKEW_MS)).0;
    let exp = constrain(row, &t.exp, time, Rule::After).0;
    let algorithm = hash_bytes(algorithm.name().as_bytes()).map(AB::Expr::from);
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
