//! Positions besides the one in the op's market: one row each, the rows of one judgement one after the other.
//!
//! Proven: the rows of a judgement read POS, MKP and MKF of open positions of one sub-account in strictly increasing
//! markets, none of them the op's, from a first place in the op's log on; the end sends number and sums.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing,
    TableAir, WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::row::{Row, c, compose12, pad8};

use super::held::{Held, held};
use super::price::{Price, lookup as lookup_price};
use super::settle::{Settlement, lookup as lookup_settlement};

/// `total`: index, who, account, sub, market, forced, place after the last access, number, then the fields of [`Totals`].
const TOTAL: PermutationCheckBus<'static> = PermutationCheckBus::new("total");

columns! {
    /// Sums over positions, digit by digit, not carried.
    pub struct Totals {
        /// Signed notionals.
        notional: [6],
        /// Signed unsettled funding.
        unsettled: [8],
        /// Notional times initial fraction.
        initial: [6],
        /// Notional times maintenance fraction.
        maintenance: [6],
        /// Notional times close-out fraction.
        closeout: [6],
    }
}

columns! {
    /// One position.
    pub struct Position {
        /// 1 = the row holds a position; boolean.
        is_real: felt,
        /// 1 = the last of its judgement; boolean.
        is_end: felt,
        /// Sequence number of the op; constant over the judgement.
        index: felt,
        /// Which judgement of the op; constant.
        who: felt,
        /// Account; constant.
        account: felt,
        /// Sub-account; constant.
        sub: felt,
        /// Market of the op; constant.
        op_market: felt,
        /// 1 = the last price counts whatever its age; constant, owned by the claim.
        is_forced: felt,
        /// Place of the first of the three accesses; three more in each row.
        at: felt,
        /// Positions of the judgement before this row.
        count: felt,
        /// The market; bound by `price`, increasing within the judgement.
        price: (Price),
        /// Inverse of market - op_market.
        other_inv: felt,
        /// Base 2^12 digits of the lots in POS; range12.
        lots: [4],
        /// Inverse of their sum: the position is open.
        lots_inv: felt,
        /// Its sign (1 = short); bound by the bus.
        is_short: felt,
        /// Funding index at its last settlement; bound by the bus.
        last: [3],
        /// Sign of that; bound by the bus.
        last_negative: felt,
        /// 1 = not settled at the present index; boolean.
        is_due: felt,
        /// Unsettled funding in signed digits; bound by `settle`, 0 unless due.
        unsettled: [8],
        /// Notional and tier.
        held: (Held),
        /// Sums before this row.
        totals: (Totals),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Position<E> {
    /// Sums after this row.
    pub fn after(&self) -> Totals<E> {
        let (h, t) = (&self.held, &self.totals);
        let sign = E::ONE - self.is_short.double();
        let margin = |sums: &[E; 6], f: usize| -> [E; 6] {
            core::array::from_fn(|k| sums[k].clone() + h.notional[k].clone() * h.tier.fractions[f].clone())
        };
        Totals {
            notional: core::array::from_fn(|k| t.notional[k].clone() + sign.clone() * h.notional[k].clone()),
            unsettled: core::array::from_fn(|k| t.unsettled[k].clone() + self.unsettled[k].clone()),
            initial: margin(&t.initial, 0),
            maintenance: margin(&t.maintenance, 1),
            closeout: margin(&t.closeout, 2),
        }
    }

    /// The POS cell.
    fn leaf(&self) -> [E; 8] {
        let [f0, f1, f2] = self.last.clone();
        let lots = [compose12(&self.lots[..2]), compose12(&self.lots[2..])];
        let [l0, l1] = lots;
        pad8(&[l0, l1, self.is_short.clone(), f0, f1, f2, self.last_negative.clone()])
    }

    fn settlement(&self) -> Settlement<E> {
        Settlement {
            lots: self.lots.clone(),
            is_short: self.is_short.clone(),
            qm: self.price.qm.clone(),
            last: self.last.clone(),
            last_negative: self.last_negative.clone(),
            now: self.price.funding.clone(),
            now_negative: self.price.funding_negative.clone(),
            value: self.unsettled.clone(),
        }
    }

    fn constants(&self) -> [E; 6] {
        let party = [&self.index, &self.who, &self.account, &self.sub];
        let [index, who, account, sub] = party.map(E::clone);
        [index, who, account, sub, self.op_market.clone(), self.is_forced.clone()]
    }
}

pub(super) fn cells<E: Clone>(totals: &Totals<E>) -> Vec<E>
where
    Totals<E>: Columns<E>,
{
    let mut out = Vec::with_capacity(32);
    totals.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// Takes the sums of `number` positions whose accesses end before `end`, if the boolean `flag` (at most `real`).
pub(super) fn receive<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    constants: [AB::Expr; 6],
    [end, number]: [AB::Expr; 2],
    totals: &Totals<AB::Expr>,
) {
    let fields = constants.into_iter().chain([end, number]).chain(cells(totals));
    TOTAL.receive(row.builder(), fields, Count::bounded(flag.clone(), 1));
}

/// AIR of [`Position`]. No public values.
#[derive(Clone, Debug)]
pub struct PositionAir;

impl TableAir for PositionAir {
    fn name(&self) -> String {
        "position".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Position<()>>()
    }
}

impl BaseAir<F> for PositionAir {
    fn width(&self) -> usize {
        <Position<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PositionAir {
    fn eval(&self, builder: &mut AB) {
        let p: Position<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Position<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, p.is_real.clone());
        row.index = p.index.clone();
        let real = row.real.clone();
        row.boolean(&p.is_end);
        row.zero(p.is_end.clone() * (AB::Expr::ONE - real));
        value(&mut row, &p);
        accesses(&mut row, &p);
        chain(&mut row, &p, &next);
    }
}

/// The position is open, in another market than the op's, at a usable price; its unsettled funding and notional.
fn value<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Position<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    lookup_price(row, &real, &p.price);
    // at the last price, if forced
    let now = p.price.usable.clone() - one.clone();
    row.zero((real.clone() - p.is_forced.clone()) * now.clone());
    row.zero(p.is_forced.clone() * now * (p.price.usable.clone() - AB::Expr::TWO));
    row.zero((p.price.market.clone() - p.op_market.clone()) * p.other_inv.clone() - real.clone());
    for digit in &p.lots {
        row.range(digit.clone());
    }
    let sum: AB::Expr = p.lots.iter().cloned().sum();
    row.zero(sum * p.lots_inv.clone() - real.clone());
    row.boolean(&p.is_due);
    row.zero(p.is_due.clone() * (one.clone() - real.clone()));
    lookup_settlement(row, &p.is_due, &p.settlement());
    let settled = one - p.is_due.clone();
    for digit in &p.unsettled {
        row.zero(settled.clone() * digit.clone());
    }
    for (last, now) in p.last.iter().zip(&p.price.funding) {
        row.zero(settled.clone() * (last.clone() - now.clone()));
    }
    row.zero(settled * (p.last_negative.clone() - p.price.funding_negative.clone()));
    held(row, &real, &p.price.market, (&p.lots, &p.price.unit_of(&p.is_short)), &p.held);
}

/// POS, MKP and MKF are read.
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Position<AB::Expr>) {
    let real = row.real.clone();
    let cell = p.sub.clone() * c::<AB::Expr>(512) + c::<AB::Expr>(256) + p.price.market.clone();
    let [mkp, mkf] = p.price.keys();
    let [prices, funding] = p.price.leaves();
    let reads = [([p.account.clone(), cell], p.leaf()), (mkp, prices), (mkf, funding)];
    for (k, (key, value)) in (0..).zip(reads) {
        let at = p.at.clone() + c::<AB::Expr>(k);
        row.key_if(&real, at.clone(), false, key);
        row.value_if(&real, at, value);
    }
}

/// A judgement starts with sums of zero, goes on in the next row unless it ends, and its end sends the sums.
fn chain<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    p: &Position<AB::Expr>,
    next: &Position<AB::Expr>,
) {
    let real = row.real.clone();
    let goes_on = real - p.is_end.clone();
    let starts = (AB::Expr::ONE - goes_on.clone()) * next.is_real.clone();
    let after_cells = cells(&p.after());
    row.zero(goes_on.clone() * (AB::Expr::ONE - next.is_real.clone()));
    for (here, there) in p.constants().into_iter().zip(next.constants()) {
        row.zero(goes_on.clone() * (there - here));
    }
    let (step, count) = (c::<AB::Expr>(3), p.count.clone() + AB::Expr::ONE);
    row.zero(goes_on.clone() * (next.at.clone() - p.at.clone() - step.clone()));
    row.zero(goes_on.clone() * (next.count.clone() - count.clone()));
    row.zero(starts.clone() * next.count.clone());
    for (there, sum) in cells(&next.totals).into_iter().zip(&after_cells) {
        row.zero(goes_on.clone() * (there.clone() - sum.clone()));
        row.zero(starts.clone() * there);
    }
    let gap = next.price.market.clone() - p.price.market.clone() - AB::Expr::ONE;
    row.range(goes_on.clone() * gap);
    let end = p.at.clone() + step;
    let builder = row.builder();
    builder.when_last_row().assert_zero(goes_on);
    builder.when_first_row().assert_zero(p.count.clone());
    for sum in cells(&p.totals) {
        builder.when_first_row().assert_zero(sum);
    }
    let fields = p.constants().into_iter().chain([end, count]).chain(after_cells);
    TOTAL.send(builder, fields, Count::bounded(p.is_end.clone(), 1));
}
