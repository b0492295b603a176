//! Macros that define the number types alike.

/// What unsigned and signed types share: range, arithmetic, text, codec and serde.
macro_rules! common {
    ($name:ident, $inner:ty, signed $signed:literal, bytes $bytes:literal, $form:ident) => {
        impl $name {
            /// The value `got`, if it is in range.
            pub const fn new(got: $inner) -> Result<Self, $crate::NumberError> {
                if got >= Self::MIN.0 && got <= Self::MAX.0 {
                    return Ok(Self(got));
                }
                let (min, max) = (Self::MIN.0 as i128, Self::MAX.0 as i128);
                Err($crate::NumberError::Range { name: stringify!($name), min, max, got: got as i128 })
            }

            /// The integer.
            pub const fn get(self) -> $inner {
                self.0
            }

            /// `self + rhs`, refused outside the type.
            pub fn checked_add(self, rhs: Self) -> Result<Self, $crate::NumberError> {
                self.result('+', rhs, self.0.checked_add(rhs.0))
            }

            /// `self - rhs`, refused outside the type.
            pub fn checked_sub(self, rhs: Self) -> Result<Self, $crate::NumberError> {
                self.result('-', rhs, self.0.checked_sub(rhs.0))
            }

            fn result(self, op: char, rhs: Self, value: Option<$inner>) -> Result<Self, $crate::NumberError> {
                let (left, right) = (self.0 as i128, rhs.0 as i128);
                value.and_then(|v| Self::new(v).ok()).ok_or($crate::NumberError::Overflow {
                    name: stringify!($name),
                    op,
                    left,
                    right,
                })
            }
        }

        impl TryFrom<i128> for $name {
            type Error = $crate::NumberError;
            fn try_from(got: i128) -> Result<Self, Self::Error> {
                let (min, max) = (Self::MIN.0 as i128, Self::MAX.0 as i128);
                let error = $crate::NumberError::Range { name: stringify!($name), min, max, got };
                <$inner>::try_from(got).map_err(|_| error).and_then(Self::new)
            }
        }

        impl From<$name> for $inner {
            fn from(x: $name) -> Self {
                x.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&self.0, f)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::NumberError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::forms::parse_decimal(stringify!($name), text, $signed).and_then(Self::try_from)
            }
        }

        impl tsz_codec::Encode for $name {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                out.extend_from_slice(&self.0.to_le_bytes()[..$bytes]);
            }
        }

        $form!($name, $inner);
    };
}

/// JSON form of amounts: decimal strings.
macro_rules! amount {
    ($name:ident, $inner:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                $crate::forms::write_amount(self.0 as i128, s)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                $crate::forms::read_amount(d)
            }
        }
    };
}

/// JSON form of ids and times: numbers.
macro_rules! number {
    ($name:ident, $inner:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(s)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let value = <$inner as serde::Deserialize>::deserialize(d)?;
                Self::new(value).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// An unsigned type: `name: inner, bits, limbs, bytes, min..=max, form`.
macro_rules! unsigned {
    ($(#[$doc:meta])* $name:ident: $inner:ty, $bits:literal bits, $limbs:literal limbs, $bytes:literal bytes,
     $min:literal..=$max:expr, $form:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// Width in bits.
            pub const BITS: u32 = $bits;
            /// Limbs of 24 bits.
            pub const LIMBS: usize = $limbs;
            /// The smallest value.
            pub const MIN: Self = Self($min);
            /// The largest value.
            pub const MAX: Self = Self($max);

            /// The limbs, least significant first.
            pub fn to_felts(self) -> [tsz_hash::F; $limbs] {
                $crate::split_limbs(self.0 as u128)
            }

            /// The value of canonical limbs.
            pub fn from_felts(limbs: &[tsz_hash::F; $limbs]) -> Result<Self, $crate::NumberError> {
                let value = $crate::join_limbs(stringify!($name), $bits, limbs)?;
                Self::try_from(value as i128)
            }
        }

        common!($name, $inner, signed false, bytes $bytes, $form);

        impl tsz_codec::Decode for $name {
            const MIN_LEN: usize = $bytes;
            fn decode(input: &mut tsz_codec::Reader<'_>) -> Result<Self, tsz_codec::CodecError> {
                let value = i128::try_from(input.uint($bytes)?).map_err(|_| input.invalid(stringify!($name)))?;
                Self::try_from(value).map_err(|_| input.invalid(stringify!($name)))
            }
        }
    };
}

/// A signed type of `bits` magnitude bits: `name: inner, bits, limbs, bytes, form`. Its felts are the limbs of the
/// magnitude and the sign (1 = negative, never with magnitude 0).
macro_rules! signed {
    ($(#[$doc:meta])* $name:ident: $inner:ty, $bits:literal bits, $limbs:literal limbs, $bytes:literal bytes,
     $form:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// Width of the magnitude in bits.
            pub const BITS: u32 = $bits;
            /// Limbs of 24 bits of the magnitude.
            pub const LIMBS: usize = $limbs;
            /// The smallest value.
            pub const MIN: Self = Self(-Self::MAX.0);
            /// The largest value.
            pub const MAX: Self = Self((((1 as $inner) << ($bits - 1)) - 1) * 2 + 1);
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// The magnitude.
            pub const fn magnitude(self) -> u128 {
                (self.0 as i128).unsigned_abs()
            }

            /// Whether the value is below zero.
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// The limbs of the magnitude, least significant first, then the sign.
            pub fn to_felts(self) -> [tsz_hash::F; $limbs + 1] {
                let mut out = $crate::split_limbs(self.magnitude());
                out[$limbs] = <tsz_hash::F as tsz_hash::PrimeCharacteristicRing>::from_bool(self.is_negative());
                out
            }

            /// The value of canonical limbs and sign.
            pub fn from_felts(felts: &[tsz_hash::F; $limbs + 1]) -> Result<Self, $crate::NumberError> {
                let magnitude = $crate::join_limbs(stringify!($name), $bits, &felts[..$limbs])?;
                let got = tsz_hash::PrimeField32::as_canonical_u32(&felts[$limbs]);
                match (got, magnitude) {
                    (0, m) => Self::try_from(m as i128),
                    (1, m) if m != 0 => Self::try_from(-(m as i128)),
                    _ => Err($crate::NumberError::Sign { name: stringify!($name), got, magnitude }),
                }
            }
        }

        common!($name, $inner, signed true, bytes $bytes, $form);

        impl tsz_codec::Decode for $name {
            const MIN_LEN: usize = $bytes;
            fn decode(input: &mut tsz_codec::Reader<'_>) -> Result<Self, tsz_codec::CodecError> {
                let shift = 128 - 8 * $bytes;
                let value = (input.uint($bytes)? << shift) as i128 >> shift;
                Self::try_from(value).map_err(|_| input.invalid(stringify!($name)))
            }
        }
    };
}
