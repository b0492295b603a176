//! Digests as text: the 32 bytes of the canonical encoding in lowercase hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use tsz_codec::{Encode, decode_all};
use tsz_hash::Digest;

/// Text that is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a digest (64 lowercase hex digits, each felt below p): {0}")]
pub struct HexError(String);

/// A digest that reads and prints as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hex(pub Digest);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.to_bytes()))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hex {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        let error = || HexError(text.chars().take(80).collect());
        let bytes = hex::decode(text).map_err(|_| error())?;
        let digest = decode_all(&bytes).map_err(|_| error())?;
        let hex = Self(digest);
        if hex.to_string() == text { Ok(hex) } else { Err(error()) }
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tsz_hash::hash_bytes;

    #[test]
    fn a_digest_has_one_text() {
        let digest = Hex(hash_bytes(b"x"));
        let text = digest.to_string();
        assert_eq!(text.len(), 64);
        assert_eq!(text.parse(), Ok(digest));
        assert!(text.to_uppercase().parse::<Hex>().is_err());
        assert!(text[2..].parse::<Hex>().is_err());
        assert!("ff".repeat(32).parse::<Hex>().is_err());
    }
}
