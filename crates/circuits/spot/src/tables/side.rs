//! One side of a fill: its order, its slot, its fee and its legs.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::{Debit, Gain};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Scaled;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::units::{SCALE, Units};
use tsz_order::terms::lookup;
use tsz_order::{Admission, SlotMove, Terms, admit};

columns! {
    /// Taker or maker.
    pub struct Side {
        /// The order; bound by the bus `order`.
        terms: (Terms),
        /// 1 = the order is of insurance, which only sells, for token 0; boolean, bound by the bus `order`.
        is_insurance: felt,
        /// Key slot; < 48 by two lookups. Not signed.
        key_slot: felt,
        /// Nonce in CTL, which is only read; bound by the bus.
        ctl_nonce: [2],
        /// The order slot.
        slot: (SlotMove),
        /// The order's cap less the fee; range12.
        own_gap: (U24),
        /// The market's cap less the fee; range12.
        cap_gap: (U24),
        /// What the side gets, before fees; what the other side pays.
        gets: (Units),
        /// Times 10^6 - fee: what arrives.
        net: (Scaled),
        /// Times fee - broker rate: what the fee account gets.
        fee: (Scaled),
        /// Times broker rate.
        share: (Scaled),
        /// The cell that the side pays from.
        paid: (Debit),
        /// The cell that it receives in.
        received: (Gain),
        /// The fee account's cell.
        fee_cell: (Gain),
        /// The broker's cell.
        share_cell: (Gain),
        /// 1 = the broker is paid: the rate is not zero and this is no self-trade.
        pays_broker: felt,
        /// next_account - 1 - broker if the broker is paid; range12.
        distance: (U24),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Side<E> {
    /// Key of the side's balance of `token`.
    pub fn balance(&self, token: &E) -> [E; 2] {
        balance(&self.terms.account, self.terms.sub.clone(), token)
    }
}

/// Key of a balance of `token`.
pub fn balance<E: PrimeCharacteristicRing + Clone>(account: &E, sub: E, token: &E) -> [E; 2] {
    [account.clone(), sub * c::<E>(512) + c::<E>(128) + token.clone()]
}

/// What the caller knows of a side.
pub struct Fill<'a, E> {
    /// First of its four accesses.
    pub at: u32,
    /// Number of the written value of its slot.
    pub written: E,
    /// Lots of the fill.
    pub lots: &'a [E; 2],
    /// 1 = the slot is closed after the fill.
    pub close: E,
    /// The order's cap.
    pub own_cap: E,
    /// The market's cap.
    pub market_cap: E,
}

/// The side's order is usable, its slot moves, its fee is within the caps and split exactly.
pub fn side<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Side<AB::Expr>, f: Fill<'_, AB::Expr>) {
    lookup(row, &s.terms, &s.is_insurance);
    let real = row.real.clone();
    let admission = Admission {
        terms: &s.terms,
        key_slot: &s.key_slot,
        ctl_nonce: &s.ctl_nonce,
        slot: &s.slot,
        at: c(f.at),
        written: f.written.clone(),
        lots: f.lots,
        close: &f.close,
        flag: &real,
    };
    admit(row, &admission);
    amounts(row, s);
    let fee = s.fee.factor() + compose12(&s.terms.broker_rate);
    let real = row.real.clone();
    for (gap, cap) in [(&s.own_gap, &f.own_cap), (&s.cap_gap, &f.market_cap)] {
        row.u24(gap);
        row.zero(cap.clone() - fee.clone() - gap.value());
    }
    row.zero(s.net.factor() + fee - real * c::<AB::Expr>(SCALE as u32));
    row.debit(&s.paid);
    for gain in [&s.received, &s.fee_cell, &s.share_cell] {
        row.gain(gain);
    }
    row.u24(&s.distance);
}

fn amounts<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Side<AB::Expr>) {
    row.units(&s.gets);
    for product in [&s.net, &s.fee, &s.share] {
        row.scaled(product, &s.gets.digits);
    }
    for (factor, rate) in s.share.multiplier.iter().zip(&s.terms.broker_rate) {
        row.zero(factor.clone() - rate.clone());
    }
}
