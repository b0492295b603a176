//! Rows of a SeizeToken.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::bucket::{Debit, Gain};
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::{inverse, magnitude};
use tsz_margin::tables::{MBAL, Shift, Worth, weight};
use tsz_margin::{Book, signed};
use tsz_trade::ops::SeizeToken;

use super::bits;
use super::fund::fund;
use crate::record::{RecordError, SettleRecord, split, split_table};
use crate::tables::{Cash, Debtor, Quote, Seize};

fn number(digits: &[F]) -> u128 {
    digits.iter().rev().fold(0, |acc, x| (acc << 12) | u128::from(x.as_canonical_u32()))
}

/// `ceil(a * b / d)` of digits of 12 bits, for a divisor below 2^80 and a quotient below 2^128.
fn quotient(a: &[F; 8], b: &[F; 6], d: u128) -> u128 {
    let mut product = [0u64; 14];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            product[i + j] += u64::from(x.as_canonical_u32()) * u64::from(y.as_canonical_u32());
        }
    }
    let mut over = 0;
    for digit in &mut product {
        let x = *digit + over;
        (*digit, over) = (x & 0xfff, x >> 12);
    }
    let (mut rest, mut out) = (0u128, 0u128);
    for digit in product.iter().rev() {
        let part = rest << 12 | u128::from(*digit);
        out = (out << 12) | (part / d);
        rest = part % d;
    }
    out + u128::from(rest != 0)
}

/// The first `N` digits of sums that are not carried, and the carries.
fn carried<const N: usize, const C: usize>(sums: &[F; 15]) -> ([F; N], [Shift<F>; C]) {
    let mut carry = 0i64;
    let (mut digits, mut carries) = ([F::ZERO; N], [(); C].map(|()| Shift::default()));
    for (k, sum) in sums.iter().enumerate() {
        let x = signed(*sum) + carry;
        carry = x >> 12;
        if let Some(digit) = digits.get_mut(k) {
            *digit = F::from_i64(x & 0xfff);
        }
        if let Some(to) = carries.get_mut(k) {
            let shifted = carry + (1 << 16);
            *to = Shift { lo: F::from_i64(shifted & 0xfff), bits: bits(shifted >> 12) };
        }
    }
    (digits, carries)
}

impl Quote<F> {
    /// Columns of an amount against a debt.
    fn of(amount: u128, debt: u128, worth: &Worth<F>) -> Self {
        let digits: [F; 8] = felts(digits12(amount));
        let den = number(&worth.den);
        let mut row = Self {
            amount: digits,
            amount_inv: inverse(digits.into_iter().sum()),
            value: felts(digits12(quotient(&digits, &worth.factor, den.max(1)))),
            debt: felts(digits12(debt)),
            ..Self::default()
        };
        (row.rest, row.rest_carries) = carried(&row.rest_sums(worth));
        (row.excess, row.excess_carries) = carried(&row.excess_sums(worth));
        row.spare = felts(digits12(den.wrapping_sub(1).wrapping_sub(number(&row.rest))));
        let mut borrow = 0;
        for k in 0..6 {
            let digit = |x: &[F; 7]| i64::from(x[k].as_canonical_u32());
            let x = digit(&worth.den) - digit(&row.rest) - borrow - i64::from(k == 0);
            borrow = i64::from(x < 0);
            row.borrows[k] = F::from_i64(borrow);
        }
        row
    }
}

/// The row of an op.
pub(super) fn row(
    book: &mut Book<'_>,
    record: &SettleRecord,
    op: &SeizeToken,
) -> Result<Seize<F>, RecordError> {
    let (table, rest) = split_table(record);
    let ([mkp, mbal, sub, mbal_fund, sub_fund], reads) = split::<5>(record.index, rest)?;
    let index = F::from_u32(record.index);
    let place = (mbal.key.lo() & 511).wrapping_sub(MBAL);
    let (worth, is_whole) = book.seized(place, &mkp.old);
    let factor: F = worth.factor.iter().copied().sum();
    let amount = op.amount.get();
    let quote = Quote::of(amount, magnitude(&sub.old), &worth);
    let value = number(&quote.value);
    let gets: [i64; 4] = core::array::from_fn(|k| (value >> (24 * k)) as i64 & 0xff_ffff);
    let place_bits: [F; 4] = core::array::from_fn(|k| F::from_bool(k == place as usize));
    let left: F = mbal.new[..4].iter().copied().sum();
    let bit = signed(weight(&place_bits)) as u32;
    let had = sub_fund.old[5].as_canonical_u32() >> 6 & bit != 0;
    let pays = gets.map(|limb| -limb);
    let holdings = sub.old[5].as_canonical_u32();
    let (positions, mask) = (F::from_u32(holdings & 63), bits::<4>(i64::from(holdings >> 6)));
    let has_positions = F::from_bool(holdings & 63 != 0);
    let own = has_positions * (mask.iter().copied().sum::<F>().double() + positions * F::from_u32(3));
    let at = 5 + own.as_canonical_u32() as usize;
    let row = Seize {
        is_real: F::ONE,
        index,
        debtor: Debtor::of(op.target),
        positions,
        has_positions,
        positions_inv: inverse(positions),
        reads: own,
        worth,
        is_whole,
        factor_inv: inverse(factor),
        at: place_bits,
        quote,
        given: Debit::of(&mbal.new, amount),
        is_left: F::from_bool(left != F::ZERO),
        left_inv: inverse(left),
        mask,
        cash: Cash::of(&sub.old, &gets),
        taken: Gain::of(&mbal_fund.old, &mbal_fund.new, amount),
        had: F::from_bool(had),
        fund: fund(book, (index, at), &sub_fund.old, (&pays, bit), reads),
    };
    if has_positions == F::ONE {
        book.target(row.ill(), table);
    }
    Ok(row)
}
