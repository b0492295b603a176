//! What collateral tokens are worth: one row for each token and value of the MKP cell that prices it, however many
//! judgements read them.
//!
//! Proven, if the cell's values are canonical: the list in force has the token's haircut, market and units per lot;
//! `factor = index * qm * haircut` and `den = units per lot * 10^4`, so that a balance b counts `floor(b factor / den)`;
//! an entry that `is_usable` needs no price or has one that is not zero and young enough. An entry that `is_whole` is of a
//! token of haircut 0 and has `factor = index * qm * 10^4`: what a seizure pays for it.

use tsz_air::{Air, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::MKP_HI;
use super::collateral::lookup_haircut;
use super::market::lookup_scale;
use super::price::{Age, young};

/// `worth`: the fields of [`Worth`], `is_whole`. Provided by the worth table.
const WORTH: LookupBus<'static> = LookupBus::new("worth");
/// Base 2^12 digits of 10^4, the unit of haircuts.
pub(crate) const FRACTION: [u32; 2] = [10_000 & 0xfff, 10_000 >> 12];

columns! {
    /// What a token counts; a copy, bound by the bus.
    pub struct Worth {
        /// Place in the list (0..=3).
        place: felt,
        /// Its weight in a mask, 2^place.
        weight: felt,
        /// Market that prices it.
        market: felt,
        /// Index price (24, 8 bits).
        index: [2],
        /// Mark price (24, 8 bits).
        mark: [2],
        /// Time of the prices (24, 24 bits).
        ts: [2],
        /// 1 = the market settles at named prices.
        is_settled: felt,
        /// Base 2^12 digits of index * qm * haircut (u66), of index * qm * 10^4 if the entry `is_whole`.
        factor: [6],
        /// Base 2^12 digits of units per lot * 10^4 (u78); not 0.
        den: [7],
        /// 1 = the token may be counted now; boolean. A forced operation counts it always.
        is_usable: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Worth<E> {
    /// The MKP cell.
    pub fn leaf(&self) -> [E; 8] {
        let ([i0, i1], [m0, m1], [t0, t1]) = (self.index.clone(), self.mark.clone(), self.ts.clone());
        pad8(&[i0, i1, m0, m1, t0, t1, self.is_settled.clone()])
    }

    /// Its key.
    pub fn key(&self) -> [E; 2] {
        [c(MKP_HI), self.market.clone()]
    }
}

columns! {
    /// One token at one price.
    pub struct WorthRow {
        /// 1 = the row holds a token; boolean.
        is_real: felt,
        /// Lookups; 0 on padding.
        uses: felt,
        /// What is said.
        worth: (Worth),
        /// 1 = the whole value of a token of haircut 0; boolean.
        is_whole: felt,
        /// Status of the market; bound by `scale`.
        status: felt,
        /// Digits of the low limb of the index; range12.
        index: (U24),
        /// Base 2^12 digits of the multiplier; range12.
        qm: [2],
        /// Digits of the haircut; range12.
        haircut: [2],
        /// Digits of the units per lot; range12.
        units: [6],
        /// Digits of index * qm; range12.
        unit: [5],
        /// Carries of that product.
        unit_carries: (Carry * 4),
        /// Carries of unit * haircut, or of unit * 10^4.
        factor_carries: (Carry * 5),
        /// Carries of units * 10^4.
        den_carries: (Carry * 6),
        /// 1 = usable because the haircut is 0; boolean.
        is_free: felt,
        /// The age of the price, if it is usable for that.
        age: (Age),
    }
}

op_air! {
    /// AIR of [`WorthRow`]. Public values: T (2).
    WorthAir, WorthRow, "worth", 2
}

fn fields<E: Clone>(worth: &Worth<E>, is_whole: &E) -> Vec<E>
where
    Worth<E>: Columns<E>,
{
    let mut out = Vec::new();
    worth.write(&mut |x: &E| out.push(x.clone()));
    out.push(is_whole.clone());
    out
}

/// The token counts so, on real rows.
pub fn lookup<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, worth: &Worth<AB::Expr>) {
    lookup_whole(row, worth, &AB::Expr::ZERO);
}

/// The token counts so, on real rows; if `is_whole` is 1, its haircut is 0 and the factor is of its whole value.
pub fn lookup_whole<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    worth: &Worth<AB::Expr>,
    is_whole: &AB::Expr,
) {
    let real = row.real.clone();
    WORTH.lookup_key(row.builder(), fields(worth, is_whole), Count::bounded(real, 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for WorthAir {
    fn eval(&self, builder: &mut AB) {
        let w: WorthRow<AB::Expr> = current(builder);
        let time: [AB::Expr; 2] = core::array::from_fn(|k| builder.public_values()[k].into());
        let mut row = Row::bare(builder, w.is_real.clone());
        let real = row.real.clone();
        row.zero(w.uses.clone() * (AB::Expr::ONE - real));
        listed(&mut row, &w);
        factor(&mut row, &w);
        usable(&mut row, &w, &time);
        WORTH.table_entry(row.builder(), fields(&w.worth, &w.is_whole), w.uses.clone());
    }
}

/// Place, haircut, market and units per lot are the list's, the multiplier is the market's.
fn listed<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, w: &WorthRow<AB::Expr>) {
    let x = &w.worth;
    for digit in w.qm.iter().chain(&w.haircut).chain(&w.units) {
        row.range(digit.clone());
    }
    let [u0, u1, u2] = [0, 1, 2].map(|k| compose12(&w.units[2 * k..2 * k + 2]));
    let haircut = compose12(&w.haircut);
    lookup_haircut(row, [x.place.clone(), x.weight.clone(), haircut, x.market.clone(), u0, u1, u2]);
    lookup_scale(row, [x.market.clone(), w.status.clone(), compose12(&w.qm)]);
}

/// factor = index * qm * haircut, or index * qm * 10^4 where the haircut is 0 and the entry is whole; den = units * 10^4.
fn factor<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, w: &WorthRow<AB::Expr>) {
    let (x, real) = (&w.worth, row.real.clone());
    row.u24(&w.index);
    row.zero(w.index.value() - x.index[0].clone());
    row.narrow(&x.index[1], 8);
    for digit in w.unit.iter().chain(&x.factor).chain(&x.den) {
        row.range(digit.clone());
    }
    let index = [w.index.lo.clone(), w.index.hi.clone(), x.index[1].clone()];
    row.product(&index, &w.qm, &w.unit, &w.unit_carries);
    row.boolean(&w.is_whole);
    row.zero(w.is_whole.clone() * compose12(&w.haircut));
    let share: [AB::Expr; 2] =
        core::array::from_fn(|k| w.haircut[k].clone() + w.is_whole.clone() * c::<AB::Expr>(FRACTION[k]));
    row.product(&w.unit, &share, &x.factor, &w.factor_carries);
    let fraction = FRACTION.map(|digit| real.clone() * c::<AB::Expr>(digit));
    row.product(&w.units, &fraction, &x.den, &w.den_carries);
}

/// Usable without a price, or with a young one that is not zero.
fn usable<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    w: &WorthRow<AB::Expr>,
    time: &[AB::Expr; 2],
) {
    let x = &w.worth;
    let timed = x.is_usable.clone() - w.is_free.clone();
    for bit in [&x.is_usable, &w.is_free, &timed] {
        row.boolean(bit);
    }
    row.zero(w.is_free.clone() * compose12(&w.haircut));
    let sum = x.mark[0].clone() + x.mark[1].clone();
    row.zero(timed.clone() * (sum * w.age.mark_inv.clone() - AB::Expr::ONE));
    young(row, &w.age, &timed, &x.ts, time);
}
