//! Prices: what the MKP and MKF cells of a market say, one row for each pair of values, however many ops read them.
//!
//! Proven: the market is listed with that status and multiplier; `unit` and `unit_long` are what a lot is worth; the
//! hour of MKF is that of the batch time; a price that is usable is not zero and, unless only forced operations may use
//! it, young enough or frozen. Limbs of mark, index and hour are ranged here; those of the time are canonical in cells.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_trade::HOUR_MS;

use super::market::lookup_scale;
use super::rules::lookup_age;
use super::{MKF_HI, MKP_HI};

/// `price`: the fields of [`Price`]. Provided by the price table.
const PRICE: LookupBus<'static> = LookupBus::new("price");
/// Base 2^12 digits of [`HOUR_MS`].
const HOUR: [u32; 2] = [HOUR_MS as u32 & 0xfff, (HOUR_MS >> 12) as u32];
/// The status of a market whose price is frozen.
const SETTLING: u32 = 3;

columns! {
    /// A market as it is now; a copy, bound by the bus.
    pub struct Price {
        /// Market (u8).
        market: felt,
        /// Index price (24, 8 bits).
        index: [2],
        /// Mark price (24, 8 bits).
        mark: [2],
        /// Time of the prices (24, 24 bits).
        ts: [2],
        /// Magnitude of the funding index (24, 24, 15 bits).
        funding: [3],
        /// Its sign; boolean.
        funding_negative: felt,
        /// Hour up to which ticks are done (24, 8 bits).
        hour: [2],
        /// Status, 0..=3.
        status: felt,
        /// Base 2^12 digits of the multiplier (u20).
        qm: [2],
        /// Base 2^12 digits of mark * qm (u52): what a lot of a short position is worth.
        unit: [5],
        /// 1 = the market settles at named prices: a long position is worth the index; boolean.
        is_settled: felt,
        /// Digits of what a lot of a long position is worth.
        unit_long: [5],
        /// 1 = positions may be valued at the mark now, 2 = forced operations may, as it is the last price; else 0.
        usable: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Price<E> {
    /// The MKP cell and the MKF cell.
    pub fn leaves(&self) -> [[E; 8]; 2] {
        let ([i0, i1], [m0, m1], [t0, t1]) = (self.index.clone(), self.mark.clone(), self.ts.clone());
        let ([f0, f1, f2], [h0, h1]) = (self.funding.clone(), self.hour.clone());
        let settled = self.is_settled.clone();
        [pad8(&[i0, i1, m0, m1, t0, t1, settled]), pad8(&[f0, f1, f2, self.funding_negative.clone(), h0, h1])]
    }

    /// Digits of what a lot of a position is worth.
    pub fn unit_of(&self, is_short: &E) -> [E; 5] {
        core::array::from_fn(|k| {
            let long = self.unit_long[k].clone();
            long.clone() + is_short.clone() * (self.unit[k].clone() - long)
        })
    }

    /// Keys of the two cells.
    pub fn keys(&self) -> [[E; 2]; 2] {
        [MKP_HI, MKF_HI].map(|hi| [c(hi), self.market.clone()])
    }
}

columns! {
    /// The age of a price.
    pub struct Age {
        /// Inverse of the limb sum of the mark, if there must be one.
        mark_inv: felt,
        /// Largest age (24, 16 bits); bound by `age`.
        limit: [2],
        /// ts + limit - T if the price is used for its age; range12.
        slack: (U24 * 2),
        /// Borrow and carry of that sum; boolean.
        shift: [2],
    }
}

columns! {
    /// One price.
    pub struct PriceRow {
        /// 1 = the row holds a price; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// What is said.
        price: (Price),
        /// Digits of the low limb of the mark; range12.
        mark: (U24),
        /// Digits of the low limb of the index; range12.
        index: (U24),
        /// Carries of mark * qm.
        unit_carries: (Carry * 4),
        /// Carries of the product for long positions.
        long_carries: (Carry * 4),
        /// 1 = usable because the market is settling; boolean.
        is_frozen: felt,
        /// 1 = usable by forced operations only; boolean.
        is_last: felt,
        /// Its age, if it is usable for that.
        age: (Age),
        /// Digits of the low limb of the hour; range12.
        hour: (U24),
        /// Base 2^12 digits of hour * 3,600,000; range12.
        start: [4],
        /// Carries of that product.
        start_carries: (Carry * 3),
        /// T - start; range12.
        rest: (U24),
        /// Borrow; boolean.
        rest_borrow: felt,
        /// 3,599,999 - rest; range12.
        rest_left: (U24),
    }
}

op_air! {
    /// AIR of [`PriceRow`]. Public values: T (2).
    PriceAir, PriceRow, "price", 2
}

fn fields<E: Clone>(price: &Price<E>) -> Vec<E>
where
    Price<E>: Columns<E>,
{
    let mut out = Vec::new();
    price.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The market is so, if the boolean `flag` (at most `real`).
pub fn lookup<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    price: &Price<AB::Expr>,
) {
    PRICE.lookup_key(row.builder(), fields(price), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PriceAir {
    fn eval(&self, builder: &mut AB) {
        let p: PriceRow<AB::Expr> = current(builder);
        let time: [AB::Expr; 2] = core::array::from_fn(|k| builder.public_values()[k].into());
        let mut row = Row::bare(builder, p.is_real.clone());
        let real = row.real.clone();
        row.zero(p.uses.clone() * (AB::Expr::ONE - real));
        scale(&mut row, &p);
        fresh(&mut row, &p, &time);
        hour(&mut row, &p, &time);
        PRICE.table_entry(row.builder(), fields(&p.price), p.uses.clone());
    }
}

/// The multiplier is the market's, `unit` and `unit_long` are the products.
fn scale<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &PriceRow<AB::Expr>) {
    let x = &p.price;
    lookup_scale(row, [x.market.clone(), x.status.clone(), compose12(&x.qm)]);
    row.u24(&p.mark);
    row.zero(p.mark.value() - x.mark[0].clone());
    row.u24(&p.index);
    row.zero(p.index.value() - x.index[0].clone());
    row.narrow(&x.mark[1], 8);
    row.narrow(&x.index[1], 8);
    for digit in x.qm.iter().chain(&x.unit).chain(&x.unit_long) {
        row.range(digit.clone());
    }
    row.boolean(&x.is_settled);
    let mark = [p.mark.lo.clone(), p.mark.hi.clone(), x.mark[1].clone()];
    let index = [p.index.lo.clone(), p.index.hi.clone(), x.index[1].clone()];
    row.product(&mark, &x.qm, &x.unit, &p.unit_carries);
    let long: [AB::Expr; 3] = core::array::from_fn(|k| {
        mark[k].clone() + x.is_settled.clone() * (index[k].clone() - mark[k].clone())
    });
    row.product(&long, &x.qm, &x.unit_long, &p.long_carries);
}

/// A usable price is not zero; it is young, frozen, or for forced operations only.
fn fresh<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &PriceRow<AB::Expr>, time: &[AB::Expr; 2]) {
    let (x, one) = (&p.price, AB::Expr::ONE);
    let timed = x.usable.clone() - p.is_frozen.clone() - p.is_last.double();
    let priced = timed.clone() + p.is_frozen.clone() + p.is_last.clone();
    for bit in [&timed, &p.is_frozen, &p.is_last, &priced] {
        row.boolean(bit);
    }
    row.zero(p.is_frozen.clone() * (x.status.clone() - c::<AB::Expr>(SETTLING)));
    let sum = x.mark[0].clone() + x.mark[1].clone();
    row.zero(priced * (sum * p.age.mark_inv.clone() - one));
    young(row, &p.age, &timed, &x.ts, time);
}

/// If `timed` (boolean): ts + limit - T is not negative.
pub(super) fn young<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    age: &Age<AB::Expr>,
    timed: &AB::Expr,
    ts: &[AB::Expr; 2],
    time: &[AB::Expr; 2],
) {
    for bit in &age.shift {
        row.boolean(bit);
    }
    lookup_age(row, &age.limit);
    for limb in &age.slack {
        row.u24(limb);
    }
    // the sum of the limbs is below 2^25 in size: an equation of integers for each limb
    let [borrow, carry] = age.shift.clone();
    let shift = borrow - carry;
    let gap = |k: usize| timed.clone() * (ts[k].clone() + age.limit[k].clone() - time[k].clone());
    row.zero(gap(0) + shift.clone() * c::<AB::Expr>(1 << 24) - age.slack[0].value());
    row.zero(gap(1) - shift - age.slack[1].value());
}

/// hour * 3,600,000 <= T < (hour + 1) * 3,600,000.
fn hour<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &PriceRow<AB::Expr>, time: &[AB::Expr; 2]) {
    let real = row.real.clone();
    row.u24(&p.hour);
    row.zero(p.hour.value() - p.price.hour[0].clone());
    row.narrow(&p.price.hour[1], 8);
    for digit in &p.start {
        row.range(digit.clone());
    }
    let hour = [p.hour.lo.clone(), p.hour.hi.clone(), p.price.hour[1].clone()];
    row.product(&hour, &HOUR.map(c::<AB::Expr>), &p.start, &p.start_carries);
    row.u24(&p.rest);
    row.u24(&p.rest_left);
    row.boolean(&p.rest_borrow);
    let start = [compose12(&p.start[..2]), compose12(&p.start[2..])];
    let gap = |k: usize| time[k].clone() * real.clone() - start[k].clone();
    row.zero(gap(0) + p.rest_borrow.clone() * c::<AB::Expr>(1 << 24) - p.rest.value());
    row.zero(gap(1) - p.rest_borrow.clone());
    let last = real.clone() * c::<AB::Expr>(HOUR_MS as u32 - 1);
    row.zero(p.rest.value() + p.rest_left.value() - last);
}
