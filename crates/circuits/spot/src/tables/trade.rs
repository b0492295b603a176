//! SpotTrade: one row a fill.
//!
//! Proven: both orders are usable and match; the maker's limit is the price; amounts, fees and broker shares are the
//! exact products; each leg moves a balance that stays in 0..2^96; an own counterparty only shrinks both
//! orders.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::chain::sys;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, SYS_HI, c, compose12, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

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
        /// Base 2^12 digits of the lots of the fill; range12.
        lots: [4],
        /// Inverse of their sum: at least one lot.
        lots_inv: felt,
        /// 1 = both orders are of one sub-account; boolean, owned by the zero test.
        is_own: felt,
        /// Inverse of the difference of the parties, or 0.
        own_inv: felt,
        /// Inverse of the difference of the slots if own.
        slot_inv: felt,
        /// 1 = the taker's slot is closed after the fill; boolean, only of an IOC order.
        close: felt,
        /// How much better than the taker's limit the price is, low 24 bits; range12.
        better: (U24),
        /// High 8 bits; two lookups.
        better_hi: felt,
        /// Borrow of that difference; boolean.
        better_borrow: felt,
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
        self.is_real.clone() - self.is_own.clone()
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

    fn lots(&self) -> [E; 2] {
        [compose12(&self.lots[..2]), compose12(&self.lots[2..])]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TradeAir {
    fn eval(&self, builder: &mut AB) {
        let t: Trade<AB::Expr> = current(builder);
        let [n, writes] = t.counts();
        let values = n.clone() + writes;
        let mut row = Row::sized(builder, t.is_real.clone(), t.index.clone(), n.clone(), values);
        lookup(&mut row, &t.taker.terms.market, &t.spot);
        matching(&mut row, &t);
        parties(&mut row, &t);
        let lots = t.lots();
        let (taker_cap, maker_cap) = (t.spot.taker_cap.clone(), t.spot.maker_cap.clone());
        let fill = Fill {
            at: 0,
            written: n.clone(),
            lots: &lots,
            close: t.close.clone(),
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

/// Opposite sides of one market at the maker's price, within the taker's limit; the roles suit the orders.
fn matching<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>) {
    let real = row.real.clone();
    let (taker, maker) = (&t.taker.terms, &t.maker.terms);
    row.zero(taker.market.clone() - maker.market.clone());
    row.zero(taker.is_sell.clone() + maker.is_sell.clone() - real.clone());
    let sum: AB::Expr = t.lots.iter().cloned().sum();
    for digit in &t.lots {
        row.range(digit.clone());
    }
    row.zero(sum * t.lots_inv.clone() - real);
    // taker buys: limit - price; taker sells: price - limit
    let sign = AB::Expr::ONE - taker.is_sell.double();
    row.u24(&t.better);
    row.narrow(&t.better_hi, 8);
    row.boolean(&t.better_borrow);
    let low = compose12(&taker.price[..2]) - compose12(&maker.price[..2]);
    let high = taker.price[2].clone() - maker.price[2].clone();
    row.zero(sign.clone() * low + t.better_borrow.clone() * c::<AB::Expr>(1 << 24) - t.better.value());
    row.zero(sign * high - t.better_borrow.clone() - t.better_hi.clone());
    row.boolean(&t.close);
    row.zero(t.close.clone() * (AB::Expr::ONE - taker.is_ioc.clone()));
    row.zero(taker.is_post_only.clone());
    for missing in t.taker.missing_lots(&t.lots()) {
        row.zero(taker.is_fok.clone() * missing);
    }
    for role in [&maker.is_ioc, &maker.is_fok, &maker.maker_negative] {
        row.zero(role.clone());
    }
}

/// is_own = 1 iff the parties are one; then the taker wants it and the slots differ.
fn parties<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>) {
    let real = row.real.clone();
    let one = AB::Expr::ONE;
    row.boolean(&t.is_own);
    let difference = t.taker.party() - t.maker.party();
    row.zero(difference.clone() * t.own_inv.clone() - real + t.is_own.clone());
    row.zero(difference * t.is_own.clone());
    row.zero(t.is_own.clone() * (one.clone() - t.taker.terms.decrements.clone()));
    let slots = t.taker.terms.slot.clone() - t.maker.terms.slot.clone();
    row.zero(t.is_own.clone() * (slots * t.slot_inv.clone() - one));
    let Spot { base, quote, .. } = &t.spot;
    let side = t.taker.terms.is_sell.clone();
    row.zero(t.token.clone() - base.clone() - side * (quote.clone() - base.clone()));
}

/// The base amount is lots * lot, the quote amount lots * price * tick; a buyer gets base, a seller quote.
fn products<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Trade<AB::Expr>) {
    for digit in &t.unit_price {
        row.range(digit.clone());
    }
    row.product(&t.maker.terms.price, &t.spot.tick, &t.unit_price, &t.unit_carries);
    let side = t.taker.terms.is_sell.clone();
    let (x, y) = (&t.taker.gets.digits, &t.maker.gets.digits);
    let shift: [AB::Expr; 5] = core::array::from_fn(|k| side.clone() * (y[k].clone() - x[k].clone()));
    let base: [AB::Expr; 5] = core::array::from_fn(|k| x[k].clone() + shift[k].clone());
    let quote: [AB::Expr; 5] = core::array::from_fn(|k| y[k].clone() - shift[k].clone());
    row.product(&t.lots, &t.spot.lot, &base, &t.base_carries);
    row.product(&t.lots, &t.unit_price, &quote, &t.quote_carries);
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
