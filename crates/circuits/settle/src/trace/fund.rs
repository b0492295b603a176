//! Insurance that pays.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::inverse;
use tsz_hash::Digest;
use tsz_ledger::Access;
use tsz_margin::{Book, signed};

use super::bits;
use crate::tables::{Cash, Fund};

/// Columns of insurance, whose cell holds `sub`, that gains the signed limbs `x` and the tokens of a mask; `reads` are
/// the accesses of its judgement, the first of them at place `at` in the log.
pub(super) fn fund(
    book: &mut Book<'_>,
    (index, at): (F, usize),
    sub: &Digest,
    (x, gained): (&[i64; 4], u32),
    reads: &[Access],
) -> Fund<F> {
    let holdings = sub[5].as_canonical_u32();
    let positions = F::from_u32(holdings & 63);
    let mask = holdings >> 6 | gained;
    let mut row = Fund {
        positions,
        is_bare: F::from_bool(positions == F::ZERO),
        bare_inv: inverse(positions),
        mask: bits(mask.into()),
        cash: Cash::of(sub, x),
        ..Fund::default()
    };
    if row.is_bare == F::ZERO || row.cash.sign.negative == F::ONE {
        row.judged = F::ONE;
        row.reads = F::from_u32(2 * mask.count_ones() + 3 * (holdings & 63));
        let count = usize::try_from(signed(row.reads)).unwrap_or(0).min(reads.len());
        book.judge(row.claim(index, F::from_usize(at)), &reads[..count]);
    }
    row
}
