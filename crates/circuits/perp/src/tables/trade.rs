//! PerpTrade: one row a fill.
//!
//! Proven: both orders are usable, triggered and match; the maker's limit is the price; positions are settled and
//! moved, cash, fees and broker shares are the exact products and sum to 0; the open interest moves and its cap holds;
//! orders that must reduce do; both sub-accounts are judged.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::Credit;
use tsz_gadgets::chain::sys;
use tsz_gadgets::product::{Carry, Scaled};
use tsz_gadgets::row::{Row, SYS_HI, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Claim, Listed, MKO_HI, Price, claim, lookup_listed, lookup_price};
use tsz_order::{Meeting, meet};

use super::interest::{Interest, interest};
use super::leg::Fill;
use super::side::{Part, Side, side};

columns! {
    /// One PerpTrade.
    pub struct Trade {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The fill.
        meeting: (Meeting),
        /// The market as it is now; bound by the bus `price`.
        price: (Price),
        /// The market as it is listed; bound by the bus `listed`.
        listed: (Listed),
        /// Digits of price * qm; range12.
        unit_price: [5],
        /// Carries of that product.
        unit_carries: (Carry * 4),
        /// Digits of N = lots * price * qm; range12, below 2^56.
        notional: [5],
        /// Carries of that product.
        notional_carries: (Carry * 4),
        /// Taker.
        taker: (Side),
        /// Maker.
        maker: (Side),
        /// N times what the fee account gets of both fees.
        net: (Scaled),
        /// Its SUB cell.
        fee_cell: (Credit),
        /// Open interest.
        interest: (Interest),
        /// 1 = a broker is paid, so HEAD is read.
        reads_head: felt,
        /// Batch, time in HEAD; bound by the bus.
        head: [4],
        /// Next account; bound by the bus.
        next_account: felt,
    }
}

op_air! {
    /// AIR of [`Trade`]. No public values.
    TradeAir, Trade, "perp", 0
}

/// Accesses before the brokers of an op that moves balances.
const LEGS: u32 = 14;

impl<E: PrimeCharacteristicRing + Clone> Trade<E> {
    /// 1 = an op that moves balances.
    fn live(&self) -> E {
        self.is_real.clone() - self.meeting.is_own.clone()
    }

    fn brokers(&self) -> E {
        self.taker.pays_broker.clone() + self.maker.pays_broker.clone()
    }

    /// Accesses, and those that write.
    fn counts(&self) -> [E; 2] {
        let writes = self.is_real.double() + self.live() * c::<E>(6) + self.brokers();
        let reads = self.is_real.clone() * c::<E>(8)
            + self.reads_head.clone()
            + self.taker.reads.clone()
            + self.maker.reads.clone();
        [writes.clone() + reads, writes]
    }

    /// Change of the open interest, limb by limb.
    fn change(&self) -> [E; 2] {
        let sides = [&self.taker, &self.maker].map(|s| s.leg.lots());
        core::array::from_fn(|k| {
            sides.iter().map(|[before, after]| after[k].clone() - before[k].clone()).sum()
        })
    }

    /// Place of the fee account's cell, behind the brokers'.
    fn fee_place(&self) -> E {
        c::<E>(LEGS) + self.reads_head.clone() + self.brokers()
    }

    /// The claims of taker and maker.
    pub fn claims(&self) -> [Claim<E>; 2] {
        let at = self.fee_place() + c::<E>(2);
        let then = at.clone() + self.taker.reads.clone();
        let claim = |side: &Side<E>, who: u32, at| {
            side.claim([self.index.clone(), c(who), at], &self.price, &self.is_real)
        };
        [claim(&self.taker, 0, at), claim(&self.maker, 1, then)]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TradeAir {
    fn eval(&self, builder: &mut AB) {
        let t: Trade<AB::Expr> = current(builder);
        let [n, writes] = t.counts();
        let values = n.clone() + writes;
        let mut row = Row::sized(builder, t.is_real.clone(), t.index.clone(), n.clone(), values);
        market(&mut row, &t);
        meet(&mut row, &t.meeting, &t.taker.terms, &t.maker.terms);
        products(&mut row, &t);
        sides(&mut row, &t, &n);
        legs(&mut row, &t, &n);
        brokers(&mut row, &t, &n);
        fees(&mut row, &t, &n);
        let at = t.fee_place() + AB::Expr::ONE;
        let live = t.live();
        interest(&mut row, &t.interest, &t.change(), &live, (&t.price, &t.listed));
        let [old, new] = t.interest.leaves();
        row.key_if(&live, at.clone(), true, [c(MKO_HI), t.price.market.clone()]);
        row.value_if(&live, at, old);
        row.value_if(&live, n + c::<AB::Expr>(7) + t.brokers(), new);
        for (s, told) in [&t.taker, &t.maker].into_iter().zip(t.claims()) {
            claim(&mut row, &s.judged, &told);
        }
    }
}

/// The orders' market is listed, open or reduce-only; MKP and MKF are read.
fn market<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>) {
    let real = row.real.clone();
    lookup_price(row, &real, &t.price);
    lookup_listed(row, &t.listed);
    row.zero(t.listed.market.clone() - t.price.market.clone());
    row.zero(t.taker.terms.market.clone() - t.price.market.clone());
    // only settling markets have a price for each side
    row.zero(t.price.is_settled.clone());
    let status = t.price.status.clone();
    row.zero(real.clone() * (status.clone() - AB::Expr::ONE) * (status - AB::Expr::TWO));
    let [mkp, mkf] = t.price.keys();
    let [prices, funding] = t.price.leaves();
    for (at, (key, value)) in (0..).zip([(mkp, prices), (mkf, funding)]) {
        row.key_if(&real, c(at), false, key);
        row.value_if(&real, c(at), value);
    }
}

/// N = lots * price * qm, below 2^56.
fn products<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>) {
    for digit in t.unit_price.iter().chain(&t.notional) {
        row.range(digit.clone());
    }
    row.range(t.notional[4].clone() * c::<AB::Expr>(1 << 4));
    row.product(&t.maker.terms.price, &t.price.qm, &t.unit_price, &t.unit_carries);
    row.product(&t.meeting.lots, &t.unit_price, &t.notional, &t.notional_carries);
}

/// Both sides; only the maker may get a rebate.
fn sides<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>, n: &AB::Expr) {
    let (live, lots, never) = (t.live(), t.meeting.lots(), AB::Expr::ZERO);
    // reduce-only markets have status 2
    let restricted = t.price.status.clone() - AB::Expr::ONE;
    let fill = |is_sell| Fill {
        price: &t.price,
        lots: &lots,
        is_sell,
        notional: &t.notional,
        unit_price: &t.unit_price,
        live: &live,
    };
    let taker = Part {
        at: c(2),
        shrinks: restricted.clone(),
        written: n.clone(),
        close: &t.meeting.close,
        own_cap: t.taker.terms.max_taker.clone(),
        market_cap: t.listed.taker_cap.clone(),
        fill: fill(&t.taker.terms.is_sell),
    };
    side(row, &t.taker, &taker);
    row.zero(t.taker.is_rebate.clone());
    let sign = AB::Expr::ONE - t.maker.terms.maker_negative.double();
    let maker = Part {
        at: c(6),
        shrinks: restricted,
        written: n.clone() + AB::Expr::ONE,
        close: &never,
        own_cap: sign * t.maker.terms.max_maker.clone(),
        market_cap: t.listed.maker_cap.clone(),
        fill: fill(&t.maker.terms.is_sell),
    };
    side(row, &t.maker, &maker);
}

/// SUB and POS of both (accesses 10..14, writes 2..6).
fn legs<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>, n: &AB::Expr) {
    let live = t.live();
    for (k, s) in (0..).zip([&t.taker, &t.maker]) {
        let [sub, pos] = s.keys(&t.price.market);
        let cells = [(sub, s.leg.sub_leaves()), (pos, s.leg.pos_leaves(&t.price))];
        for (i, (key, [old, new])) in (0..).zip(cells) {
            let at = c::<AB::Expr>(10 + 2 * k + i);
            row.key_if(&live, at.clone(), true, key);
            row.value_if(&live, at, old);
            row.value_if(&live, n.clone() + c::<AB::Expr>(2 + 2 * k + i), new);
        }
    }
}

/// HEAD if a broker is paid, then the brokers' SUB cells.
fn brokers<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>, n: &AB::Expr) {
    let head = t.reads_head.clone();
    let [a, b] = [&t.taker, &t.maker].map(|s| s.pays_broker.clone());
    row.zero(a.clone() + b.clone() - a * b - head.clone());
    let [b0, b1, t0, t1] = t.head.clone();
    row.key_if(&head, c(LEGS), false, [c(SYS_HI), c(sys::HEAD)]);
    row.value_if(&head, c(LEGS), pad8(&[b0, b1, t0, t1, t.next_account.clone()]));
    let mut at = c::<AB::Expr>(LEGS) + head;
    let mut written = n.clone() + c::<AB::Expr>(6);
    for s in [&t.taker, &t.maker] {
        let pays = s.pays_broker.clone();
        let gap = t.next_account.clone() - AB::Expr::ONE - s.terms.broker.clone() - s.distance.value();
        row.zero(pays.clone() * gap);
        row.key_if(&pays, at.clone(), true, [s.terms.broker.clone(), AB::Expr::ZERO]);
        row.value_if(&pays, at.clone(), s.share_cell.old_leaf());
        row.value_if(&pays, written.clone(), s.share_cell.new_leaf());
        at += pays.clone();
        written += pays;
    }
}

/// The fee account gets both fees less the brokers' shares, which is not negative.
fn fees<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>, n: &AB::Expr) {
    let (live, real) = (t.live(), row.real.clone());
    row.scaled(&t.net, &t.notional);
    let [taker, maker] = [&t.taker, &t.maker].map(|s| s.fee(&real) - s.rate());
    row.zero(live.clone() * (taker + maker - t.net.factor()));
    row.credit(&t.fee_cell, &AB::Expr::ONE, &t.net.amount());
    let at = t.fee_place();
    row.key_if(&live, at.clone(), true, [AB::Expr::ZERO, AB::Expr::ZERO]);
    row.value_if(&live, at, t.fee_cell.old_leaf());
    row.value_if(&live, n.clone() + c::<AB::Expr>(6) + t.brokers(), t.fee_cell.new_leaf());
}
