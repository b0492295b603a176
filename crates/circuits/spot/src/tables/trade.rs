//! SpotTrade: one row a fill.
//!
//! Proven: both orders are usable and match; the maker's limit is the price; amounts, fees and broker shares are the
//! exact products; each leg moves a balance that stays in 0..2^96; an own counterparty only shrinks both
//! orders; what insurance sells it sells for token 0.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::chain::sys;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, SYS_HI, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_order::{Meeting, meet};

use super::market::{Spot, lookup};
use super::side::{Fill, Side, balance, side};

columns! {
    /// One SpotTrade.
    pub struct Trade {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The market; bound by the bus `market`.
        spot: (Spot),
        /// The fill.
        meeting: (Meeting),
        /// price * tick, base 2^12; range12.
        unit_price: [5],
        /// Carries of that product.
        unit_carries: (Carry * 4),
        /// Carries of lots * lot.
        base_carries: (Carry * 4),
        /// Carries of lots * unit_price.
        quote_carries: (Carry * 4),
        /// The token that the taker gets.
        token: felt,
        /// Taker.
        taker: (Side),
        /// Maker.
        maker: (Side),
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
    TradeAir, Trade, "spot", 0
}

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
        let both = self.is_real.double() + self.live() * c::<E>(6) + self.brokers();
        let reads = self.is_real.clone() * c::<E>(6) + self.reads_head.clone();
        [both.clone() + reads, both]
    }

    /// The token that the maker gets.
    fn other_token(&self) -> E {
        self.spot.base.clone() + self.spot.quote.clone() - self.token.clone()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TradeAir {
    fn eval(&self, builder: &mut AB) {
        let t: Trade<AB::Expr> = current(builder);
        let [n, writes] = t.counts();
        let values = n.clone() + writes;
        let mut row = Row::sized(builder, t.is_real.clone(), t.index.clone(), n.clone(), values);
        lookup(&mut row, &t.taker.terms.market, &t.spot);
        meet(&mut row, &t.meeting, &t.taker.terms, &t.maker.terms);
        for s in [&t.taker, &t.maker] {
            row.zero(s.is_insurance.clone() * t.spot.quote.clone());
        }
        // spot has no rebates
        row.zero(t.maker.terms.maker_negative.clone());
        let lots = t.meeting.lots();
        let (taker_cap, maker_cap) = (t.spot.taker_cap.clone(), t.spot.maker_cap.clone());
        let fill = Fill {
            at: 0,
            written: n.clone(),
            lots: &lots,
            close: t.meeting.close.clone(),
            own_cap: t.taker.terms.max_taker.clone(),
            market_cap: taker_cap,
        };
        side(&mut row, &t.taker, fill);
        let fill = Fill {
            at: 4,
            written: n.clone() + AB::Expr::ONE,
            lots: &lots,
            close: AB::Expr::ZERO,
            own_cap: t.maker.terms.max_maker.clone(),
            market_cap: maker_cap,
        };
        side(&mut row, &t.maker, fill);
        products(&mut row, &t);
        legs(&mut row, &t, &n);
        brokers(&mut row, &t, &n);
    }
}

/// The base amount is lots * lot, the quote amount lots * price * tick; a buyer gets base, a seller quote.
fn products<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>) {
    for digit in &t.unit_price {
        row.range(digit.clone());
    }
    row.product(&t.maker.terms.price, &t.spot.tick, &t.unit_price, &t.unit_carries);
    let side = t.taker.terms.is_sell.clone();
    let Spot { base, quote, .. } = &t.spot;
    row.zero(t.token.clone() - base.clone() - side.clone() * (quote.clone() - base.clone()));
    let (x, y) = (&t.taker.gets.digits, &t.maker.gets.digits);
    let shift: [AB::Expr; 5] = core::array::from_fn(|k| side.clone() * (y[k].clone() - x[k].clone()));
    let base: [AB::Expr; 5] = core::array::from_fn(|k| x[k].clone() + shift[k].clone());
    let quote: [AB::Expr; 5] = core::array::from_fn(|k| y[k].clone() - shift[k].clone());
    row.product(&t.meeting.lots, &t.spot.lot, &base, &t.base_carries);
    row.product(&t.meeting.lots, &t.unit_price, &quote, &t.quote_carries);
}

/// Balances of the parties (accesses 8..12, writes 2..6) and of the fee account (last two writes).
fn legs<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>, n: &AB::Expr) {
    let live = t.live();
    let (x, y) = (t.token.clone(), t.other_token());
    let (taker, maker) = (&t.taker, &t.maker);
    let mut leg = |j: AB::Expr, w: AB::Expr, key: [AB::Expr; 2], old: [AB::Expr; 8], new: [AB::Expr; 8]| {
        row.key_if(&live, j.clone(), true, key);
        row.value_if(&live, j, old);
        row.value_if(&live, n.clone() + w, new);
    };
    let paid = taker.paid.old_leaf(&maker.gets.amount());
    leg(c(8), c(2), taker.balance(&y), paid, taker.paid.new_leaf());
    let got = taker.received.old_leaf(&taker.net.amount());
    leg(c(9), c(3), taker.balance(&x), got, taker.received.new_leaf());
    let paid = maker.paid.old_leaf(&taker.gets.amount());
    leg(c(10), c(4), maker.balance(&x), paid, maker.paid.new_leaf());
    let got = maker.received.old_leaf(&maker.net.amount());
    leg(c(11), c(5), maker.balance(&y), got, maker.received.new_leaf());
    let j = c::<AB::Expr>(12) + t.reads_head.clone() + t.brokers();
    let w = c::<AB::Expr>(6) + t.brokers();
    let fees = |token: &AB::Expr| balance(&AB::Expr::ZERO, AB::Expr::ZERO, token);
    let got = taker.fee_cell.old_leaf(&taker.fee.amount());
    leg(j.clone(), w.clone(), fees(&x), got, taker.fee_cell.new_leaf());
    let got = maker.fee_cell.old_leaf(&maker.fee.amount());
    leg(j + AB::Expr::ONE, w + AB::Expr::ONE, fees(&y), got, maker.fee_cell.new_leaf());
}

/// HEAD if a broker is paid, then the brokers' balances.
fn brokers<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>, n: &AB::Expr) {
    let (live, head) = (t.live(), t.reads_head.clone());
    let [a, b] = [&t.taker, &t.maker].map(|s| s.pays_broker.clone());
    row.zero(a.clone() + b.clone() - a * b - head.clone());
    let [b0, b1, t0, t1] = t.head.clone();
    row.key_if(&head, c(12), false, [c(SYS_HI), c(sys::HEAD)]);
    row.value_if(&head, c(12), pad8(&[b0, b1, t0, t1, t.next_account.clone()]));
    let mut j = c::<AB::Expr>(12) + head;
    let mut w = n.clone() + c::<AB::Expr>(6);
    for (s, token) in [(&t.taker, t.token.clone()), (&t.maker, t.other_token())] {
        let pays = s.pays_broker.clone();
        row.zero(live.clone() * s.terms.has_broker.clone() - pays.clone());
        let gap = t.next_account.clone() - AB::Expr::ONE - s.terms.broker.clone() - s.distance.value();
        row.zero(pays.clone() * gap);
        row.key_if(&pays, j.clone(), true, balance(&s.terms.broker, AB::Expr::ZERO, &token));
        row.value_if(&pays, j.clone(), s.share_cell.old_leaf(&s.share.amount()));
        row.value_if(&pays, w.clone(), s.share_cell.new_leaf());
        j += pays.clone();
        w += pays;
    }
}
