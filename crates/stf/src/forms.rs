//! JSON forms of digests and signatures: lowercase hex; a digest is 8 little-endian 32-bit words.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use tsz_codec::{Encode, decode_all};
use tsz_hash::Digest;

/// Lowercase hex.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, b| {
        let _ = write!(text, "{b:02x}"); // writing to a string cannot fail
        text
    })
}

/// Bytes of lowercase hex; `None` for anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|p| Some(nibble(p[0])? << 4 | nibble(*p.get(1)?)?)).collect()
}

/// Hex form of a digest.
pub fn digest_hex(digest: &Digest) -> String {
    to_hex(&digest.to_bytes())
}

/// Digest of its hex form; `None` unless it is canonical.
pub fn parse_digest(text: &str) -> Option<Digest> {
    decode_all(&from_hex(text)?).ok()
}

/// `#[serde(with = "tsz_stf::forms::digest")]` for digests.
pub mod digest {
    use super::*;

    /// Writes the hex form.
    pub fn serialize<S: Serializer>(value: &Digest, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&digest_hex(value))
    }

    /// Reads the hex form.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(d)?;
        parse_digest(&text)
            .ok_or_else(|| D::Error::custom("expected a digest: 64 hex digits of canonical felts"))
    }
}

/// `#[serde(with = "tsz_stf::forms::signature")]` for signatures.
pub mod signature {
    use super::*;
    use tsz_sig::Signature;

    /// Writes the hex form.
    pub fn serialize<S: Serializer>(value: &Signature, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&to_hex(&value.to_bytes()))
    }

    /// Reads the hex form.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Signature, D::Error> {
        let text = String::deserialize(d)?;
        let bytes =
            from_hex(&text).ok_or_else(|| D::Error::custom("expected a signature in lowercase hex"))?;
        Signature::from_bytes(&bytes).map_err(D::Error::custom)
    }
}
