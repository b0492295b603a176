//! L1 addresses.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};
use tsz_codec::{CodecError, Decode, Encode, Reader};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

use crate::NumberError;

const NAME: &str = "EthAddress";

/// A 20-byte L1 address, in L1's byte order. Text form: `0x` and 40 lowercase hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EthAddress(pub [u8; 20]);

impl EthAddress {
    /// Limbs of an address: six of 24 bits, one of 16.
    pub const LIMBS: usize = 7;

    /// The limbs of the big-endian integer, least significant first.
    pub fn to_felts(self) -> [F; 7] {
        let byte = |b: usize| self.0.get(19usize.wrapping_sub(b)).copied().map_or(0, u32::from);
        core::array::from_fn(|k| F::from_u32(byte(3 * k) | byte(3 * k + 1) << 8 | byte(3 * k + 2) << 16))
    }

    /// The address of canonical limbs.
    pub fn from_felts(limbs: &[F; 7]) -> Result<Self, NumberError> {
        let mut out = [0; 20];
        for (index, limb) in limbs.iter().enumerate() {
            let (got, bits) = (limb.as_canonical_u32(), if index == 6 { 16 } else { 24 });
            if got >> bits != 0 {
                return Err(NumberError::Limb { name: NAME, index, bits, got });
            }
            for (b, byte) in got.to_le_bytes().iter().enumerate().take(bits as usize / 8) {
                out[19 - 3 * index - b] = *byte;
            }
        }
        Ok(Self(out))
    }
}

impl fmt::Display for EthAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl FromStr for EthAddress {
    type Err = NumberError;

    /// Accepts lowercase digits only: upper case would be a second form, or a checksum nobody checks.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let error = NumberError::Text { name: NAME };
        let digits = text.strip_prefix("0x").ok_or(error)?.as_bytes();
        let nibble = |c: u8| match c {
            b'0'..=b'9' => Ok(c - b'0'),
            b'a'..=b'f' => Ok(c - b'a' + 10),
            _ => Err(error),
        };
        if digits.len() != 40 {
            return Err(error);
        }
        let mut out = [0; 20];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(out))
    }
}

impl Encode for EthAddress {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for EthAddress {
    const MIN_LEN: usize = 20;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(input.array()?))
    }
}

impl Serialize for EthAddress {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}

struct AddressVisitor;

impl Visitor<'_> for AddressVisitor {
    type Value = EthAddress;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address: 0x and 40 lowercase hex digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<EthAddress, E> {
        text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for EthAddress {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            d.deserialize_str(AddressVisitor)
        } else {
            <[u8; 20]>::deserialize(d).map(Self)
        }
    }
}
