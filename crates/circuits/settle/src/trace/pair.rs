//! Rows of a SettlePair.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_gadgets::units::SCALE;
use tsz_hash::{Digest, PrimeField32};
use tsz_margin::tables::Price;
use tsz_margin::{Book, signed};
use tsz_trade::Party;
use tsz_trade::ops::SettlePair;

use super::bits;
use crate::record::{RecordError, SettleRecord, accesses};
use crate::tables::{Cash, Closed, Half, Pair, Worth};

fn number(digits: &[F]) -> u128 {
    digits.iter().rev().fold(0, |acc, x| (acc << 12) | u128::from(x.as_canonical_u32()))
}

impl Worth<F> {
    /// Columns of lots at the digits of a price; digits beyond 2^72 are lost.
    fn of(lots: u64, unit: &[F; 5]) -> Self {
        let parts = unit.map(|x| x.as_canonical_u32());
        let quote = digits12::<6>(u128::from(lots) * number(unit));
        let joined = number(&felts(quote));
        let scale = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];
        Self {
            quote: felts(quote),
            quote_carries: product_carries(&digits12::<4>(lots.into()), &parts),
            micros: felts(digits12(joined * SCALE)),
            micros_carries: product_carries(&quote, &scale),
        }
    }

    fn amount(&self) -> [i64; 4] {
        self.limbs().map(signed)
    }
}

impl Closed<F> {
    /// Columns of an MKO cell that loses twice the lots.
    fn of(mko: &Digest, lots: u64) -> Self {
        let limbs: [i64; 5] = core::array::from_fn(|k| signed(mko[k]));
        let before = limbs[0] + (limbs[1] << 24) + (limbs[2] << 48);
        let left = before - 2 * lots as i64;
        let low = |x: i64, k: u32| x >> (24 * k) & 0xff_ffff;
        let c0 = (low(left, 0) + 2 * (lots & 0xff_ffff) as i64) >> 24;
        let c1 = (low(left, 1) + 2 * (lots >> 24) as i64 + c0) >> 24;
        let moves = limbs[3] + (limbs[4] << 24) + 1;
        let mut carries = [F::ZERO; 4];
        for (k, carry) in [c0, c1].into_iter().enumerate() {
            let two: [F; 2] = bits(carry);
            carries[2 * k..2 * k + 2].copy_from_slice(&two);
        }
        let u24 = |x: i64, k: u32| U24::of(low(x, k) as u32);
        Self {
            left: [u24(left, 0), u24(left, 1)],
            left_hi: F::from_i64(left >> 48),
            carries,
            moves: [u24(moves, 0), u24(moves, 1)],
            moves_carry: F::from_bool(moves & 0xff_ffff == 0),
        }
    }
}

/// The lots of an op and the market they are in.
struct Lots<'a> {
    price: &'a Price<F>,
    lots: u64,
}

impl Lots<'_> {
    fn half(&self, book: &mut Book<'_>, party: Party, [sub, pos]: [&Digest; 2], gain: [i64; 4]) -> Half<F> {
        let before = u64::from(pos[0].as_canonical_u32()) | u64::from(pos[1].as_canonical_u32()) << 24;
        let after = before.wrapping_sub(self.lots) & ((1 << 48) - 1);
        let last = ([pos[3], pos[4], pos[5]], pos[6]);
        let (is_due, settled) = book.settle(before, pos[2], last, self.price);
        let lots_after: [F; 4] = felts(digits12(after.into()));
        let sum: F = lots_after.into_iter().sum();
        let low = |x: u64| x & 0xff_ffff;
        let moved: [i64; 4] =
            core::array::from_fn(|k| signed(settled[2 * k]) + (signed(settled[2 * k + 1]) << 12) + gain[k]);
        Half {
            account: U24::of(party.account.get()),
            sub: F::from_u8(party.sub.get()),
            lots_before: felts(digits12(before.into())),
            lots_after,
            lots_carry: F::from_bool(low(after) + low(self.lots) > 0xff_ffff),
            is_flat: F::from_bool(after == 0),
            flat_inv: inverse(sum),
            last: last.0,
            last_negative: last.1,
            is_due,
            settled,
            holdings: sub[5],
            cash: Cash::of(sub, &moved),
        }
    }
}

/// The row of an op.
pub(super) fn row(
    book: &mut Book<'_>,
    record: &SettleRecord,
    op: &SettlePair,
) -> Result<Pair<F>, RecordError> {
    let [mkp, mkf, sub_long, long, sub_short, short, insurance, mko] = accesses::<8>(record)?;
    let price = book.price(op.market.get().into(), &mkp.old, &mkf.old);
    let lots = op.lots.get();
    let digits: [F; 4] = felts(digits12(lots.into()));
    let (paid, owed) = (Worth::of(lots, &price.unit_long), Worth::of(lots, &price.unit));
    let (gets, pays) = (paid.amount(), owed.amount());
    let market = Lots { price: &price, lots };
    let rest = core::array::from_fn(|k| pays[k] - gets[k]);
    Ok(Pair {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        lots: digits,
        lots_inv: inverse(digits.into_iter().sum()),
        long: market.half(book, op.long, [&sub_long.old, &long.old], gets),
        short: market.half(book, op.short, [&sub_short.old, &short.old], pays.map(|limb| -limb)),
        holdings: insurance.old[5],
        insurance: Cash::of(&insurance.old, &rest),
        interest: Closed::of(&mko.old, lots),
        paid,
        owed,
        price,
    })
}
