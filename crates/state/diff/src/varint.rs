//! Integers in 7-bit groups, the lowest first; bit 7 says that another group follows (LEB128, shortest form only).

use alloc::vec::Vec;
use tsz_codec::{CodecError, Reader};

/// Appends the encoding of `value`.
pub(crate) fn write(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an integer below 2^`bits`, `bits <= 120`.
pub(crate) fn read(input: &mut Reader<'_>, bits: u32, what: &'static str) -> Result<u128, CodecError> {
    let (mut value, mut shift) = (0u128, 0u32);
    loop {
        let byte = input.array::<1>()?[0];
        let group = u128::from(byte & 0x7f);
        let room = bits.saturating_sub(shift).min(7);
        if group >> room != 0 || (byte == 0 && shift > 0) {
            return Err(input.invalid(what));
        }
        value |= group << shift;
        if byte < 0x80 {
            return Ok(value);
        }
        shift += 7;
        if shift >= bits {
            return Err(input.invalid(what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(value: u128, bits: u32) -> Result<u128, CodecError> {
        let mut out = Vec::new();
        write(&mut out, value);
        read(&mut Reader::new(&out), bits, "number")
    }

    #[test]
    fn the_bound_is_exact() {
        for bits in [1, 6, 7, 8, 13, 14, 39, 48, 98, 120] {
            let top = (1u128 << bits) - 1;
            assert_eq!(round(top, bits), Ok(top), "{bits}");
            assert_eq!(round(0, bits), Ok(0));
            assert!(round(top + 1, bits).is_err(), "{bits}");
        }
    }

    #[test]
    fn longer_forms_are_refused() {
        let read = |bytes: &[u8]| read(&mut Reader::new(bytes), 30, "number");
        assert_eq!(read(&[0x81, 0x01]), Ok(129));
        assert!(read(&[0x81, 0x00]).is_err());
        assert!(read(&[0x80, 0x80, 0x00]).is_err());
        assert!(read(&[0x81]).is_err());
        assert!(read(&[0xff; 8]).is_err());
    }
}
