//! Leaves by the layout of their key. Encoding is a bijection between the leaves of a layout and some byte strings.

use alloc::boxed::Box;
use alloc::vec::Vec;
use tsz_codec::{CodecError, Decode, Encode, Reader};
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_ledger::{Key, Leaf};
use tsz_types::MICROS;

use crate::layout::{Field, layout};
use crate::varint;

const LIMB_BITS: usize = 24;
const SIZE_LIMBS: usize = 2;
const FUNDING_LIMBS: usize = 3;
/// Felts of a funding index.
type Funding = [F; FUNDING_LIMBS + 1];

/// What earlier leaves of the same batch say about later ones: the last funding index written for each market.
/// A position settled at the same index repeats it by one bit.
pub(crate) struct Context {
    funding: Box<[Funding; 256]>,
}

impl Context {
    /// Before the first leaf: all indices zero.
    pub fn new() -> Self {
        Self { funding: Box::new([[F::ZERO; FUNDING_LIMBS + 1]; 256]) }
    }

    fn funding(&mut self, key: Key) -> &mut Funding {
        &mut self.funding[usize::from(key.lo() as u8)] // cell 256 + market
    }
}

/// Appends the encoding of a leaf; `None` if it is no cell of the key's layout.
pub(crate) fn write(context: &mut Context, key: Key, leaf: &Leaf, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = leaf.as_slice();
    for field in layout(key) {
        write_field(*field, context.funding(key), &mut rest, out)?;
    }
    rest.iter().all(|felt| *felt == F::ZERO).then_some(())
}

fn write_field(field: Field, funding: &mut Funding, rest: &mut &[F], out: &mut Vec<u8>) -> Option<()> {
    match field {
        Field::Number(n) => varint::write(out, number(take(rest, n)?)?),
        Field::Signed(n) => varint::write(out, signed(take(rest, n + 1)?)?),
        Field::Money(n) => varint::write(out, money(number(take(rest, n)?)?)),
        Field::SignedMoney(n) => {
            let code = signed(take(rest, n + 1)?)?;
            varint::write(out, money(code >> 1) << 1 | code & 1);
        }
        Field::Limbs(n) => {
            for felt in take(rest, n)? {
                out.extend_from_slice(&limb(felt)?.to_le_bytes()[..3]);
            }
        }
        Field::Felts(n) => take(rest, n)?.iter().for_each(|felt| felt.encode(out)),
        Field::Position => {
            let size = signed(take(rest, SIZE_LIMBS + 1)?)?;
            let index = take(rest, FUNDING_LIMBS + 1)?;
            let code = signed(index)?;
            let repeats = size != 0 && index == funding.as_slice();
            varint::write(out, if size == 0 { 0 } else { size << 1 | u128::from(repeats) });
            if !repeats {
                varint::write(out, code);
            }
            if size != 0 {
                funding.copy_from_slice(index);
            }
        }
    }
    Some(())
}

/// Reads the leaf of a key.
pub(crate) fn read(context: &mut Context, key: Key, input: &mut Reader<'_>) -> Result<Leaf, CodecError> {
    let mut leaf = ZERO;
    let mut rest = leaf.as_mut_slice();
    for field in layout(key) {
        read_field(*field, context.funding(key), &mut rest, input)?;
    }
    Ok(leaf)
}

fn read_field(
    field: Field,
    funding: &mut Funding,
    rest: &mut &mut [F],
    input: &mut Reader<'_>,
) -> Result<(), CodecError> {
    let bits = |n: usize| (n * LIMB_BITS) as u32; // at most 96
    match field {
        Field::Number(n) => {
            let value = varint::read(input, bits(n), "number")?;
            put(rest, n, value);
        }
        Field::Signed(n) => {
            let code = read_signed(input, n)?;
            put_signed(rest, n, code);
        }
        Field::Money(n) => {
            let code = varint::read(input, bits(n) + 1, "amount")?;
            put(rest, n, micros(code, n).ok_or_else(|| input.invalid("amount"))?);
        }
        Field::SignedMoney(n) => {
            let code = varint::read(input, bits(n) + 2, "amount")?;
            let magnitude = micros(code >> 1, n).filter(|m| *m != 0 || code & 1 == 0);
            let magnitude = magnitude.ok_or_else(|| input.invalid("amount"))?;
            put_signed(rest, n, magnitude << 1 | code & 1);
        }
        Field::Limbs(n) => {
            for _ in 0..n {
                let value = input.uint(3)?;
                put(rest, 1, value);
            }
        }
        Field::Felts(n) => {
            for felt in split(rest, n) {
                *felt = F::decode(input)?;
            }
        }
        Field::Position => read_position(funding, rest, input)?,
    }
    Ok(())
}

fn read_position(
    funding: &mut Funding,
    rest: &mut &mut [F],
    input: &mut Reader<'_>,
) -> Result<(), CodecError> {
    let code = varint::read(input, (SIZE_LIMBS * LIMB_BITS) as u32 + 2, "position")?;
    if (1..4).contains(&code) {
        return Err(input.invalid("position")); // an empty one with a sign or an index that repeats
    }
    let (size, repeats) = (code >> 1, code & 1 == 1);
    put_signed(rest, SIZE_LIMBS, size);
    if repeats {
        split(rest, FUNDING_LIMBS + 1).copy_from_slice(funding);
        return Ok(());
    }
    let index = read_signed(input, FUNDING_LIMBS)?;
    let mut felts: Funding = [F::ZERO; FUNDING_LIMBS + 1];
    put_signed(&mut felts.as_mut_slice(), FUNDING_LIMBS, index);
    if size != 0 && felts == *funding {
        return Err(input.invalid("position")); // it would repeat
    }
    if size != 0 {
        *funding = felts;
    }
    split(rest, FUNDING_LIMBS + 1).copy_from_slice(&felts);
    Ok(())
}

fn read_signed(input: &mut Reader<'_>, limbs: usize) -> Result<u128, CodecError> {
    let code = varint::read(input, (limbs * LIMB_BITS) as u32 + 1, "signed number")?;
    if code == 1 { Err(input.invalid("signed number")) } else { Ok(code) }
}

/// Twice the units where the amount is whole, else twice the millionths and one.
fn money(micros: u128) -> u128 {
    if micros.is_multiple_of(MICROS) { (micros / MICROS) << 1 } else { (micros << 1) | 1 }
}

/// The millionths below 2^(24 n) of a code; `None` for whole units written as millionths.
fn micros(code: u128, limbs: usize) -> Option<u128> {
    let value = match (code >> 1, code & 1) {
        (units, 0) => units.checked_mul(MICROS)?,
        (micros, _) if micros.is_multiple_of(MICROS) => return None,
        (micros, _) => micros,
    };
    (value >> (limbs * LIMB_BITS) == 0).then_some(value)
}

fn limb(felt: &F) -> Option<u32> {
    Some(felt.as_canonical_u32()).filter(|limb| limb >> LIMB_BITS == 0)
}

fn number(limbs: &[F]) -> Option<u128> {
    limbs.iter().rev().try_fold(0, |value, felt| Some(value << LIMB_BITS | u128::from(limb(felt)?)))
}

/// Twice the magnitude and the sign; there is no negative zero.
fn signed(felts: &[F]) -> Option<u128> {
    let (sign, limbs) = felts.split_last()?;
    let (magnitude, sign) = (number(limbs)?, sign.as_canonical_u32());
    (sign < 2 && (sign == 0 || magnitude != 0)).then(|| magnitude << 1 | u128::from(sign))
}

/// The next `n` felts of a leaf.
fn take<'a>(rest: &mut &'a [F], n: usize) -> Option<&'a [F]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

/// The next `n` felts of a leaf; no layout asks for more than there are.
fn split<'a>(rest: &mut &'a mut [F], n: usize) -> &'a mut [F] {
    let all = core::mem::take(rest);
    let (head, tail) = all.split_at_mut(n.min(all.len()));
    *rest = tail;
    head
}

fn put(rest: &mut &mut [F], n: usize, mut value: u128) {
    for felt in split(rest, n) {
        *felt = F::from_u32(value as u32 & ((1 << LIMB_BITS) - 1));
        value >>= LIMB_BITS;
    }
}

fn put_signed(rest: &mut &mut [F], limbs: usize, code: u128) {
    put(rest, limbs, code >> 1);
    put(rest, 1, code & 1);
}
