//! OpenID Connect tokens: what their signing input is, what its fields are, which keys count.
//!
//! # What is proven
//! Tables of this module talk about tokens by a number `token` and keys by a number `key`.
//!
//! | table | a row is | says |
//! |---|---|---|
//! | [`TokenTable`] | a character of the padded signing input | on `oidc_char`: the characters of every value of a field |
//! | [`SplitTable`], [`ScannerTable`] | a character of base64url, a transition of [`tsz_auth::scan`] | preprocessed |
//! | [`ValueTable`] | 24 bytes of a value | on `oidc_value`: (token, field, digest\[8\]) |
//! | [`DigestTable`] | a compression of the signing input | on `oidc_digest`: (token, SHA-256\[16\]) |
//! | [`ProviderTable`] | a key of a provider, RS256 | on `oidc_provider`: (key, cell\[8\], iss\[8\], aud\[8\], kid\[8\]); the modulus on `rsa_modulus` |
//! | [`EcProviderTable`] | a key of a provider, ES256 | the same; the point on `es256_point` |
//!
//! A circuit has one of the two tables of keys, and with it one algorithm: the number of the algorithm is a constant in
//! what the cell hashes, as is the length of that list.
//!
//! A user that receives, for one number, `oidc_digest` once and `oidc_value` once for each of the eight fields has: there
//! is a text `header.payload` with that digest, both parts canonical base64url, that [`tsz_auth::scan::scan`] accepts with
//! values whose [`tsz_hash::hash_bytes`] are the digests received.
//!
//! # Soundness
//! 1. *Words.* `token` is the number of the first block of table `sha256` that the text is hashed in; blocks count up by
//!    one. Every 16 rows the last 16 characters are looked up as words of the block (`window` is a shift register inside
//!    a token; blocks are aligned by preprocessed columns). [`DigestTable`] walks the same numbers with states, from the
//!    constant IV to the last block, which `oidc_end` names. A number of `sha256` is one block. So the digest is the one
//!    of the blocks whose bytes are the rows.
//! 2. *Padding.* Kinds of rows are one-hot: characters, the dot, the mark 0x80, zeros. After characters come characters,
//!    one dot (in the header) or the mark (in the payload); after the dot a character; after the mark zeros up to the end
//!    of the final block. The mark is in the final block before its last eight bytes, or in the last nine bytes but the
//!    first of the block before it; the last two bytes are eight times the number of rows before the mark. So the blocks
//!    are the padded text, of fewer than 2^13 characters (the length is a half of a word).
//! 3. *Decoding.* A character's value is that of `oidc_split`, with its quotients by 16 and 4; bytes are made of
//!    neighbouring values by the phase of the group of four, which begins with 0 at each part. A part does not end in
//!    phase 0, and unused bits are 0 in phases 1 and 2. So both parts are canonical base64url and every byte of theirs is
//!    on one row.
//! 4. *Fields.* Each byte moves the state by an entry of `oidc_scan`, from the header's start to its end at the dot, from
//!    the payload's start to its end at the mark. The entry says whether the byte belongs to a value, and of which field;
//!    such a byte is **sent** with its index in the value, so none can be left out.
//! 5. *Once.* A value's rows are received in full by [`ValueTable`], from index 0 on, with none left, and the digest begins
//!    with their number ([`tsz_hash::Domain::Bytes`]). A field that stands twice needs two values, but the user receives
//!    one for a field and a token; one that is missing sends nothing. A value is not empty (the automaton).
//! 6. *Two tokens with one number* are hashed in the same blocks: they are the same text up to the padding of the shorter
//!    one, which is no text of base64url. So they are the same text, and mixing their values changes nothing.
//! 7. *Keys.* `key` is preprocessed, so all that is said with it is about one row; its bytes of the modulus (of the
//!    point) are looked up, and the cell is the hash of [`tsz_auth::LoginProvider::felts`] of that row. A modulus is odd and
//!    has 2,048 bits ([`tsz_auth::rs256::Rs256Key::is_modulus`]): (lowest - 1) / 2 and highest - 128 are bytes.
//! 8. *Padding rows* have `is_real` 0 and send nothing. Constraints hold around the end of a table as everywhere, so a
//!    token may not even wrap around it unnoticed: its rows would be a token.

mod digest;
mod provider;
mod scanner;
#[cfg(test)]
mod tests;
mod token;
mod trace;
mod value;

pub use digest::{DigestCols, DigestTable};
pub use provider::{
    EcProviderCols, EcProviderTable, MAX_PROVIDERS, ProviderCols, ProviderTable, TooManyProviders, blocks,
};
pub use scanner::{SCANNER_LOG_HEIGHT, SPLIT_LOG_HEIGHT, ScannerTable, SplitTable};
pub use token::{TokenCols, TokenTable};
pub use trace::{Need, Rows, TooLong, need, rows};
pub use value::{ValueCols, ValueTable};

use tsz_air::{Count, F, InteractionBuilder, LookupBus, PermutationCheckBus};

/// `oidc_split`: character, value, value / 16, value / 4.
const SPLIT: LookupBus<'static> = LookupBus::new("oidc_split");
/// `oidc_scan`: state, byte, next state, whether the byte is of a value, its field.
const SCAN: LookupBus<'static> = LookupBus::new("oidc_scan");
/// `oidc_char`: token, field, index, byte.
const CHAR: PermutationCheckBus<'static> = PermutationCheckBus::new("oidc_char");
/// `oidc_end`: token, last block.
const END: PermutationCheckBus<'static> = PermutationCheckBus::new("oidc_end");
/// `oidc_digest`: token, digest\[16\].
const DIGEST: PermutationCheckBus<'static> = PermutationCheckBus::new("oidc_digest");
/// `oidc_value`: token, field, digest\[8\].
const VALUE: PermutationCheckBus<'static> = PermutationCheckBus::new("oidc_value");
/// `oidc_provider`: key, cell\[8\], iss\[8\], aud\[8\], kid\[8\].
const PROVIDER: LookupBus<'static> = LookupBus::new("oidc_provider");

/// Bytes of a row of [`ValueTable`].
pub const VALUE_BYTES: usize = 24;
/// Most blocks of a signing input.
pub const MAX_BLOCKS: usize = (tsz_auth::social::MAX_SIGNED + 9).div_ceil(64);

/// Receives the digest (halves in the order of bytes) of a token's signing input if `flag`.
pub fn receive_digest<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    token: AB::Expr,
    digest: [AB::Expr; 16],
    flag: AB::Expr,
) {
    let message: Vec<AB::Expr> = core::iter::once(token).chain(digest).collect();
    DIGEST.receive(builder, message, Count::bounded(flag, 1));
}

/// Receives the digest of the value of a field if `flag`.
pub fn receive_value<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    token: AB::Expr,
    field: AB::Expr,
    digest: [AB::Expr; 8],
    flag: AB::Expr,
) {
    let message: Vec<AB::Expr> = [token, field].into_iter().chain(digest).collect();
    VALUE.receive(builder, message, Count::bounded(flag, 1));
}

/// Looks up that provider number `key` has this cell and these digests of issuer, audience and kid if `flag`.
pub fn lookup_provider<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    key: AB::Expr,
    cell: [AB::Expr; 8],
    texts: [[AB::Expr; 8]; 3],
    flag: AB::Expr,
) {
    let message: Vec<AB::Expr> =
        core::iter::once(key).chain(cell).chain(texts.into_iter().flatten()).collect();
    PROVIDER.lookup_key(builder, message, Count::bounded(flag, 1));
}

/// Bytes, three a felt, the first the lowest: felts of [`tsz_hash::hash_bytes`].
pub fn pack<E: tsz_air::PrimeCharacteristicRing>(bytes: &[E]) -> Vec<E> {
    let felt = |b: &[E]| b.iter().rev().fold(E::ZERO, |acc, x| acc * E::from_u32(256) + x.clone());
    bytes.chunks(3).map(felt).collect()
}
