//! Tables that every circuit shares.
//!
//! | module | provides | message |
//! |---|---|---|
//! | [`poseidon2`] | `p2` | in\[16\], out_hi\[8\] |
//! | [`poseidon24`] | `p2_24` | in\[24\], out_hi\[8\] |
//! | [`range`] | `range12` | v |
//! | [`schnorr`] | `sig` | key_id\[8\], msg\[8\] |
//! | [`bytes`] | `bytes`, `range15` | a, b; v |
//! | [`bigint`] | `mulmod` | id, X\[32\], Y\[32\], Z\[32\] |
//! | [`ecdsa`] | `ecdsa_p256`, `ecdsa_secp256k1` | x\[32\], y\[32\], digest\[32\] |
//! | [`sha256`] | `sha_state`, `sha_words` | id, h_in\[16\], h_out\[16\]; id, k, w\[8\] |
//! | [`base64url`] | `base64` | character, value |
//! | [`keccak`] | `keccak_in`, `keccak_out` | id, block\[68\]; id, hash\[16\] |
//! | [`rsa`] | `rsa`; looks up `rsa_modulus` | key, digest\[16\]; key, N\[256\] |
//! | [`es256`] | `es256`: a provider's point signed a digest | see there |
//! | [`oidc`] | `oidc_..`: digest, fields and providers of tokens | see there |
//! | [`passkey`], [`wallet`] | `login` | scheme, key_id\[8\], msg\[8\] |
//! | [`mod@tuple`] | `seg`; receives `op`, `key`, `val` | |

pub mod base64url;
pub mod bigint;
pub mod bytes;
pub mod collect;
pub mod ecdsa;
pub mod es256;
pub mod keccak;
pub mod oidc;
pub mod passkey;
pub mod poseidon2;
pub mod poseidon24;
pub mod range;
pub mod rsa;
pub mod schnorr;
pub mod sha256;
#[cfg(test)]
mod tests;
pub mod tuple;
pub mod wallet;
