//! One side of a fill: its order, its slot, its fee and its legs.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::{Debit, Gain};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Scaled;
use tsz_gadgets::row::{PRIVATE, Row, c, compose12, pad8};
use tsz_gadgets::units::{SCALE, Units};

use super::slot::{SlotMove, slot_move};
use super::terms::{Terms, lookup};

columns! {
    /// Taker or maker.
    pub struct Side {
        /// The order; bound by the bus `order`.
        terms: (Terms),
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
    /// Account and sub-account as one number below 2^29.
    pub fn party(&self) -> E {
        self.terms.account.clone() * c::<E>(32) + self.terms.sub.clone()
    }

    /// Key of the side's balance of `token`.
    pub fn balance(&self, token: &E) -> [E; 2] {
        balance(&self.terms.account, self.terms.sub.clone(), token)
    }

    /// Lots of the fill equal the signed lots, limb by limb.
    pub fn missing_lots(&self, lots: &[E; 2]) -> [E; 2] {
        core::array::from_fn(|k| self.terms.lots[k].clone() - lots[k].clone())
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
    lookup(row, &s.terms);
    slot_move(row, &s.slot, &s.terms, f.lots, &f.close);
    accesses(row, s, &f);
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

/// KEYA, KEYB, CTL are read, ORD is written.
fn accesses<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &Side<AB::Expr>,
    f: &Fill<'_, AB::Expr>,
) {
    let real = row.real.clone();
    let (t, j) = (&s.terms, f.at);
    let (account, sub) = (t.account.clone(), t.sub.clone() * c::<AB::Expr>(512));
    let private = account.clone() + c::<AB::Expr>(PRIVATE);
    row.slot(&s.key_slot);
    let [key_a, key_b] = Row::<AB>::slot_cells(&s.key_slot);
    row.key(j, false, account.clone(), key_a);
    row.old(j, t.key_id.clone());
    let [e0, e1] = t.key_expiry.clone();
    row.key(j + 1, false, account, key_b);
    row.old(j + 1, pad8(&[AB::Expr::ONE, t.permissions.clone(), e0, e1]));
    let [n0, n1] = s.ctl_nonce.clone();
    let [k0, k1] = t.kill_epoch.clone();
    row.key(j + 2, false, private.clone(), sub.clone());
    row.old(j + 2, pad8(&[n0, n1, k0, k1]));
    row.key(j + 3, true, private, sub + c::<AB::Expr>(256) + t.slot.clone());
    row.old(j + 3, s.slot.old_leaf());
    row.value_if(&real, f.written.clone(), s.slot.new_leaf(t));
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
