//! Encodings of primitives, felts and containers.

use alloc::string::String;
use alloc::vec::Vec;
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

use crate::{CodecError, Decode, Encode, Reader, decode_bounded};

macro_rules! integer {
    ($($ty:ty),*) => { $(
        impl Encode for $ty {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
        impl Decode for $ty {
            const MIN_LEN: usize = size_of::<$ty>();
            fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok(Self::from_le_bytes(input.array()?))
            }
        }
    )* };
}

integer!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128);

impl Encode for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
}

impl Decode for bool {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(input.invalid("bool")),
        }
    }
}

impl Encode for F {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_canonical_u32().encode(out);
    }
}

impl Decode for F {
    const MIN_LEN: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let value = u32::decode(input)?;
        if value < F::ORDER_U32 { Ok(F::from_u32(value)) } else { Err(input.invalid("felt")) }
    }
}

impl<T: Encode, const N: usize> Encode for [T; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|x| x.encode(out));
    }
}

impl<T: Decode, const N: usize> Decode for [T; N] {
    const MIN_LEN: usize = N * T::MIN_LEN;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut items = Vec::with_capacity(N);
        for _ in 0..N {
            items.push(T::decode(input)?);
        }
        items.try_into().map_err(|_| input.invalid("array"))
    }
}

impl<T: Encode> Encode for [T] {
    /// The length as `u32`, then the values. A list has fewer than 2^32 values.
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u32).encode(out);
        self.iter().for_each(|x| x.encode(out));
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_slice().encode(out);
    }
}

impl<T: Decode> Decode for Vec<T> {
    const MIN_LEN: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        decode_bounded(input, u32::MAX as usize)
    }
}

impl Encode for str {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_bytes().encode(out);
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl Decode for String {
    const MIN_LEN: usize = 4;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::from_utf8(Vec::decode(input)?).map_err(|_| input.invalid("UTF-8 string"))
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(x) = self {
            x.encode(out);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    const MIN_LEN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(if bool::decode(input)? { Some(T::decode(input)?) } else { None })
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self).encode(out);
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Encode),*> Encode for ($($name,)*) {
            fn encode(&self, out: &mut Vec<u8>) {
                $( self.$index.encode(out); )*
            }
        }
        impl<$($name: Decode),*> Decode for ($($name,)*) {
            const MIN_LEN: usize = 0 $( + $name::MIN_LEN )*;
            fn decode(input: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok(($( $name::decode(input)?, )*))
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
