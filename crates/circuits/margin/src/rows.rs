//! Rows from integers. Values out of range lose their high bits: such a row satisfies nothing.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_hash::{Block, Digest};
use tsz_trade::HOUR_MS;
use tsz_trade::params::{PERP_BLOCKS, Status};

use crate::tables::{
    Age, BEYOND, Held, Market, Price, PriceRow, Ratio, Settle, Shift, Tier, Value, WideCarry, WideSum,
};

/// Milliseconds of an hour less one.
const LAST: u64 = HOUR_MS - 1;

/// The integer of least size that the felt stands for.
pub fn signed(x: F) -> i64 {
    let value = i64::from(x.as_canonical_u32());
    if value > i64::from(F::ORDER_U32 / 2) { value - i64::from(F::ORDER_U32) } else { value }
}

fn felt(x: i64) -> F {
    F::from_i64(x)
}

pub(crate) fn u24(x: i64) -> U24<F> {
    U24::of((x & 0xff_ffff) as u32)
}

fn bits<const N: usize>(x: i64) -> [F; N] {
    core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1))
}

/// The integer of limbs of 24 bits.
pub(crate) fn join(limbs: &[F]) -> u128 {
    limbs.iter().rev().fold(0, |acc, x| acc << 24 | u128::from(x.as_canonical_u32()))
}

/// Digits and carries of sums that are not carried.
pub fn carry(sums: &[F], digits: usize) -> (Vec<F>, Vec<i64>) {
    let mut carry = 0;
    let (mut out, mut carries) = (Vec::new(), Vec::new());
    for k in 0..digits {
        let x = sums.get(k).map_or(0, |s| signed(*s)) + carry;
        out.push(felt(x & 0xfff));
        carry = x >> 12;
        carries.push(carry);
    }
    (out, carries)
}

pub(crate) fn array<const N: usize>(cells: &[F]) -> [F; N] {
    core::array::from_fn(|k| cells.get(k).copied().unwrap_or_default())
}

impl Shift<F> {
    fn of(carry: i64) -> Self {
        let x = carry + (1 << 16);
        Self { lo: felt(x & 0xfff), bits: bits(x >> 12) }
    }
}

/// Columns of carries.
pub fn shifts<const N: usize>(carries: &[i64]) -> [Shift<F>; N] {
    core::array::from_fn(|k| Shift::of(carries.get(k).copied().unwrap_or_default()))
}

impl WideSum<F> {
    /// Columns of six sums.
    pub fn of(sums: &[F; 6]) -> Self {
        let mut carry = 0u64;
        let mut row = Self::default();
        for (k, sum) in sums.iter().enumerate() {
            let x = u64::from(sum.as_canonical_u32()) + carry;
            row.digits[k] = F::from_u64(x & 0xfff);
            carry = x >> 12;
            row.carries[k] = WideCarry { lo: F::from_u64(carry & 0xfff), bits: bits((carry >> 12) as i64) };
        }
        row
    }
}

/// The integer of digits of 12 bits.
pub fn number(digits: &[F]) -> i128 {
    digits.iter().rev().fold(0, |acc: i128, x| (acc << 12) + i128::from(x.as_canonical_u32()))
}

impl Value<F> {
    /// Columns of nine sums.
    pub fn of(mut sums: [F; 9]) -> Self {
        sums[8] += F::from_u32(4);
        let (digits, carries) = carry(&sums, 9);
        let digits: [F; 9] = array(&digits);
        Self { sum_inv: inverse(digits.into_iter().sum()), digits, carries: shifts(&carries) }
    }
}

impl Market<F> {
    /// Columns of a market with these blocks, without capacities and uses.
    pub fn of(blocks: &[Block; PERP_BLOCKS]) -> Self {
        let felts: Vec<F> = blocks[2..5].iter().flatten().copied().collect();
        let mut row = Self {
            is_real: F::ONE,
            general: blocks[0],
            funding: blocks[1],
            feed: blocks[5],
            ..Self::default()
        };
        for (slot, felts) in row.tiers.iter_mut().zip(felts.chunks_exact(6)) {
            slot.bound = array(&felts[..3]);
            slot.fractions = array(&felts[3..]);
        }
        for k in 0..3 {
            let imf = row.tiers[k + 1].fractions[0];
            row.used[k] = F::from_bool(imf != F::ZERO);
            row.imf_inv[k] = inverse(imf);
        }
        row
    }

    /// Which of the five tiers a notional lies in.
    pub(crate) fn tier_of(&self, notional: u128) -> usize {
        let used = &self.tiers[..=self.last_tier()];
        used.iter().position(|slot| notional <= join(&slot.bound)).unwrap_or(BEYOND)
    }

    /// Place of the last tier.
    pub(crate) fn last_tier(&self) -> usize {
        self.used.iter().filter(|x| **x == F::ONE).count()
    }
}

/// What the list says of a market: id, status, qm.
pub(crate) fn scale(market: &Market<F>) -> [F; 3] {
    [market.general[0], market.general[1], market.general[2]]
}

impl Age<F> {
    /// Whether the prices of a cell are young enough.
    pub(crate) fn holds(mkp: &Digest, limit: &[F; 2], time: u64) -> bool {
        u128::from(time) <= join(&mkp[4..6]) + join(limit)
    }

    /// Columns of the prices of a cell; `timed` if they are used for their age.
    pub(crate) fn of(mkp: &Digest, limit: [F; 2], time: u64, timed: bool) -> Self {
        let mut age = Self { mark_inv: inverse(mkp[2] + mkp[3]), limit, ..Self::default() };
        if timed {
            let slack = (join(&mkp[4..6]) + join(&limit)) as i64 - time as i64;
            let low = slack & 0xff_ffff;
            let first = signed(mkp[4] + limit[0]) - (time & 0xff_ffff) as i64;
            age.slack = [u24(slack), u24(slack >> 24)];
            age.shift = [F::from_bool(first < low), F::from_bool(first > low)];
        }
        age
    }
}

impl PriceRow<F> {
    /// Columns of a market's cells at `time`; `age` is the largest age.
    pub fn of([market, status, qm]: [F; 3], [mkp, mkf]: [&Digest; 2], age: [F; 2], time: u64) -> Self {
        let mark = U24::of_felt(mkp[2]);
        let mark_digits = [mark.lo, mark.hi, mkp[3]].map(|x| x.as_canonical_u32());
        let qm_digits = digits12::<2>(qm.as_canonical_u32().into());
        let index = U24::of_felt(mkp[0]);
        let index_digits = [index.lo, index.hi, mkp[1]].map(|x| x.as_canonical_u32());
        let long_digits = if mkp[6] == F::ONE { index_digits } else { mark_digits };
        let unit =
            |digits: [u32; 3]| number(&felts(digits)).unsigned_abs() * u128::from(qm.as_canonical_u32());
        let mark_sum = mark.lo + mark.hi + mkp[3];
        let exists = mark_sum != F::ZERO;
        let frozen = exists && status == F::from_u32(Status::Settling as u32);
        let timed = exists && !frozen && Age::holds(mkp, &age, time);
        let price = Price {
            market,
            index: [mkp[0], mkp[1]],
            mark: [mkp[2], mkp[3]],
            ts: [mkp[4], mkp[5]],
            funding: [mkf[0], mkf[1], mkf[2]],
            funding_negative: mkf[3],
            hour: [mkf[4], mkf[5]],
            status,
            qm: felts(qm_digits),
            unit: felts(digits12(unit(mark_digits))),
            is_settled: mkp[6],
            unit_long: felts(digits12(unit(long_digits))),
            usable: F::from_u8(u8::from(exists) + u8::from(exists && !frozen && !timed)),
        };
        let mut row = Self {
            is_real: F::ONE,
            uses: F::ZERO,
            price,
            mark,
            index,
            unit_carries: product_carries(&mark_digits, &qm_digits),
            long_carries: product_carries(&long_digits, &qm_digits),
            is_frozen: F::from_bool(frozen),
            is_last: F::from_bool(exists && !frozen && !timed),
            age: Age::of(mkp, age, time, timed),
            ..Self::default()
        };
        row.hour(mkf, time);
        row
    }

    fn hour(&mut self, mkf: &Digest, time: u64) {
        self.hour = U24::of_felt(mkf[4]);
        let hour = [self.hour.lo, self.hour.hi, mkf[5]];
        let digits = hour.map(|x| x.as_canonical_u32());
        let start = number(&hour) * i128::from(HOUR_MS);
        let parts = [HOUR_MS as u32 & 0xfff, (HOUR_MS >> 12) as u32];
        self.start = felts(digits12(start.unsigned_abs()));
        self.start_carries = product_carries(&digits, &parts);
        let rest = (i128::from(time) - start) as i64;
        self.rest = u24(rest);
        self.rest_left = u24(LAST as i64 - rest);
        self.rest_borrow = F::from_bool((time & 0xff_ffff) < (start as u64 & 0xff_ffff));
    }
}

impl Settle<F> {
    /// Columns of a settlement of `lots` with digits `qm` of the multiplier.
    pub fn of(
        (lots, is_short): (u64, F),
        qm: [F; 2],
        (last, last_negative): ([F; 3], F),
        (now, now_negative): ([F; 3], F),
    ) -> Self {
        let sign = |negative: F| if negative == F::ONE { -1i64 } else { 1 };
        let number3 = |limbs: &[F; 3], negative: F| join(limbs) as i128 * i128::from(sign(negative));
        let gap = number3(&last, last_negative) - number3(&now, now_negative);
        let turn = if gap < 0 { -1 } else { 1 };
        let mut carry = 0;
        let mut carries = [F::ZERO; 4];
        for k in 0..3 {
            let limb = |limbs: &[F; 3]| i64::from(limbs[k].as_canonical_u32());
            let x = turn * (sign(last_negative) * limb(&last) - sign(now_negative) * limb(&now)) + carry;
            carry = x >> 24;
            if k < 2 {
                let [b0, b1] = bits(carry + 2);
                carries[2 * k] = b0;
                carries[2 * k + 1] = b1;
            }
        }
        let (lots_digits, qm_digits) = (digits12::<4>(lots.into()), qm.map(|x| x.as_canonical_u32()));
        let weight = digits12::<6>(u128::from(lots) * number(&qm).unsigned_abs());
        let size = gap.unsigned_abs();
        let gap_digits = digits12::<6>(size);
        Self {
            is_real: F::ONE,
            uses: F::ZERO,
            lots: felts(lots_digits),
            is_short,
            qm,
            last,
            last_negative,
            now,
            now_negative,
            gap: core::array::from_fn(|k| u24((size >> (24 * k)) as i64)),
            gap_negative: F::from_bool(gap < 0),
            gap_carries: carries,
            weight: felts(weight),
            weight_carries: product_carries(&lots_digits, &qm_digits),
            value: value_digits(&weight, &gap_digits),
            value_carries: product_carries(&weight, &gap_digits),
            is_negative: F::from_bool((gap < 0) != (is_short == F::ONE)),
        }
    }
}

/// The lower eight digits of a product.
fn value_digits(a: &[u32; 6], b: &[u32; 6]) -> [F; 8] {
    let mut carry = 0u64;
    core::array::from_fn(|k| {
        let terms = a.iter().enumerate().filter_map(|(i, x)| {
            let y = b.get(k.checked_sub(i)?)?;
            Some(u64::from(*x) * u64::from(*y))
        });
        let x = carry + terms.sum::<u64>();
        carry = x >> 12;
        F::from_u64(x & 0xfff)
    })
}

/// Limbs and borrows of `x - y`.
pub(crate) fn difference(x: [i64; 3], y: [i64; 3]) -> ([U24<F>; 3], [F; 2]) {
    let mut borrow = 0;
    let mut borrows = [F::ZERO; 2];
    let gap = core::array::from_fn(|k| {
        let d = x[k] - y[k] - borrow;
        borrow = i64::from(d < 0);
        if let Some(to) = borrows.get_mut(k) {
            *to = felt(borrow);
        }
        u24(d)
    });
    (gap, borrows)
}

impl Held<F> {
    /// Columns of `lots` at the digits `unit` in a tier.
    pub fn of(lots: &[F; 4], unit: &[F; 5], tier: Tier<F>) -> Self {
        let (a, b) = (lots.map(|x| x.as_canonical_u32()), unit.map(|x| x.as_canonical_u32()));
        let notional = notional(lots, unit);
        let limbs: [i64; 3] = core::array::from_fn(|k| (notional >> (24 * k)) as i64 & 0xff_ffff);
        let [l0, l1, l2] = limbs;
        let (above, above_borrows) = difference([l0 - 1, l1, l2], tier.prev.map(signed));
        let (below, below_borrows) = difference(tier.bound.map(signed), limbs);
        Self {
            notional: felts(digits12(notional)),
            carries: product_carries(&a, &b),
            tier,
            above,
            above_borrows,
            below,
            below_borrows,
        }
    }
}

/// lots * unit.
pub(crate) fn notional(lots: &[F; 4], unit: &[F; 5]) -> u128 {
    number(lots).unsigned_abs() * number(unit).unsigned_abs()
}

impl Ratio<F> {
    /// Columns of a comparison: digits of the TAVs, sums of the requirements, before and after.
    pub fn of([before, after]: [[F; 9]; 2], [sums_before, sums_after]: [[F; 6]; 2]) -> Self {
        let mut row = Self {
            is_real: F::ONE,
            uses: F::ONE,
            before,
            after,
            sums_before,
            sums_after,
            required_before: WideSum::of(&sums_before),
            required_after: WideSum::of(&sums_after),
            ..Self::default()
        };
        let (digits, carries) = carry(&row.excess_sums(), 16);
        row.excess = array(&digits);
        row.carries = shifts(&carries);
        let sum: F = row.required_before.digits().into_iter().sum();
        row.is_free = F::from_bool(sum == F::ZERO);
        row.free_inv = inverse(sum);
        if sum == F::ZERO {
            let gap: [F; 9] = core::array::from_fn(|k| after[k] - before[k]);
            let (digits, carries) = carry(&gap, 9);
            row.rise = array(&digits);
            row.borrows = core::array::from_fn(|k| felt(-carries[k]));
        }
        row
    }
}
