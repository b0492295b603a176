//! Canonical byte codec: one value has one representation, and every other string of bytes is refused.
//!
//! Integers are little-endian at their full width, `bool` and the tag of `Option` are one byte 0 or 1, lengths
//! are `u32` and are checked against the bytes that remain before anything is allocated, a felt is 4 bytes below
//! the field order. [`decode_all`] refuses trailing bytes. Structs use [`codec_struct!`].
#![no_std]
extern crate alloc;

mod impls;
mod reader;

use alloc::vec::Vec;
use thiserror::Error;

pub use reader::Reader;

/// Why bytes are not the encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// Fewer bytes than the value needs.
    #[error("input ends at byte {at}: {needed} bytes needed, {left} left")]
    Short {
        /// Offset of the read.
        at: usize,
        /// Bytes the read needs.
        needed: usize,
        /// Bytes that remain.
        left: usize,
    },
    /// Bytes after the value.
    #[error("{left} bytes after the end of the value at byte {at}")]
    Trailing {
        /// Offset of the first of them.
        at: usize,
        /// Their number.
        left: usize,
    },
    /// A length above its bound.
    #[error("length {got} at byte {at} is above the bound {max}")]
    Length {
        /// Offset after the length.
        at: usize,
        /// The length read.
        got: u64,
        /// The largest allowed one.
        max: u64,
    },
    /// A number outside its range, a tag without a meaning, or a second representation of a value.
    #[error("byte {at}: not a canonical {what}")]
    Invalid {
        /// Offset after the value.
        at: usize,
        /// What was expected.
        what: &'static str,
    },
}

/// A value with a canonical encoding.
pub trait Encode {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// A value that can be read back from its canonical encoding.
pub trait Decode: Sized {
    /// Lower bound of the length of an encoding; bounds what a length prefix can make a decoder allocate.
    const MIN_LEN: usize;

    /// Reads one value from the front of the input.
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError>;
}

/// Decodes a value that must take up all of `bytes`.
pub fn decode_all<T: Decode>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut reader = Reader::new(bytes);
    let value = T::decode(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Reads a list of at most `max` values.
pub fn decode_bounded<T: Decode>(input: &mut Reader<'_>, max: usize) -> Result<Vec<T>, CodecError> {
    let count = u32::decode(input)? as usize;
    let fits = input.left() / T::MIN_LEN.max(1);
    let bound = max.min(fits);
    if count > bound {
        return Err(CodecError::Length { at: input.at(), got: count as u64, max: bound as u64 });
    }
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        out.push(T::decode(input)?);
    }
    Ok(out)
}

/// Implements [`Encode`] and [`Decode`] for a struct as the concatenation of its fields in the order given.
///
/// ```
/// # use tsz_codec::{codec_struct, decode_all, Encode};
/// #[derive(Debug, PartialEq)]
/// struct Pair { a: u8, b: u32 }
/// codec_struct!(Pair { a: u8, b: u32 });
/// assert_eq!(decode_all(&Pair { a: 1, b: 2 }.to_bytes()), Ok(Pair { a: 1, b: 2 }));
/// ```
#[macro_export]
macro_rules! codec_struct {
    ($name:ident { $($field:ident : $ty:ty),* $(,)? }) => {
        impl $crate::Encode for $name {
            fn encode(&self, _out: &mut $crate::__Vec<u8>) {
                $( $crate::Encode::encode(&self.$field, _out); )*
            }
        }
        impl $crate::Decode for $name {
            const MIN_LEN: usize = 0 $( + <$ty as $crate::Decode>::MIN_LEN )*;
            fn decode(_input: &mut $crate::Reader<'_>) -> Result<Self, $crate::CodecError> {
                Ok(Self { $( $field: <$ty as $crate::Decode>::decode(_input)?, )* })
            }
        }
    };
}

#[doc(hidden)]
pub use alloc::vec::Vec as __Vec;

#[cfg(test)]
mod tests;
