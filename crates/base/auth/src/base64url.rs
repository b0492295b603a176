//! Base64url without padding (RFC 4648 section 5), canonical: one text for each byte string.

use alloc::vec::Vec;
use thiserror::Error;

/// The alphabet in the order of the values.
pub const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Base64Error {
    /// A byte outside the alphabet; padding and whitespace are.
    #[error("byte {byte:#04x} at {at} is not of the base64url alphabet")]
    Alphabet {
        /// Position.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// One character more than a multiple of four: no bytes have this text.
    #[error("no bytes have a text of {0} characters")]
    Length(usize),
    /// The unused bits of the last character are not zero: another text decodes to the same bytes.
    #[error("the unused bits of the last character are not zero")]
    UnusedBits,
}

/// The value 0..64 of a character.
pub fn value(c: u8) -> Option<u8> {
    ALPHABET.iter().position(|a| *a == c).map(|v| v as u8)
}

/// The text of bytes.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0u32, |acc, k| acc << 8 | u32::from(chunk.get(k).copied().unwrap_or(0)));
        let chars = (0..=chunk.len()).map(|k| ALPHABET[(group >> (18 - 6 * k)) as usize & 63]);
        out.extend(chars);
    }
    out
}

/// The bytes of a text.
///
/// # Errors
/// [`Base64Error`] for anything but the one canonical text.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Base64Error> {
    if text.len() % 4 == 1 {
        return Err(Base64Error::Length(text.len()));
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for (at, chunk) in text.chunks(4).enumerate() {
        let mut group = 0;
        for k in 0..4 {
            let v = match chunk.get(k) {
                Some(&byte) => value(byte).ok_or(Base64Error::Alphabet { at: 4 * at + k, byte })?,
                None => 0,
            };
            group = group << 6 | u32::from(v);
        }
        let bytes = chunk.len() - 1;
        if bytes < 3 && group & (0xff_ffff >> (8 * bytes)) != 0 {
            return Err(Base64Error::UnusedBits);
        }
        out.extend((0..bytes).map(|k| (group >> (16 - 8 * k)) as u8));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_has_the_vectors_of_rfc_7515() {
        for n in 0..40usize {
            let bytes: Vec<u8> = (0..n).map(|k| (k * 37 + n * 11) as u8).collect();
            assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
        // RFC 7515, appendix C.
        assert_eq!(encode(&[3, 236, 255, 224, 193]), b"A-z_4ME");
    }

    #[test]
    fn rejects_padding_whitespace_other_alphabets_and_unused_bits() {
        for text in [&b"AA=="[..], b"A A", b"AA+A", b"AA/A", b"AA\n"] {
            assert!(matches!(decode(text), Err(Base64Error::Alphabet { .. })), "{text:?}");
        }
        assert_eq!(decode(b"AB"), Err(Base64Error::UnusedBits));
        assert_eq!(decode(b"AAB"), Err(Base64Error::UnusedBits));
        assert_eq!(decode(b"AAAAA"), Err(Base64Error::Length(5)));
    }
}
