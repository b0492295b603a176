//! One side of a fill: its order, its slot, its trigger, its fee and its leg.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::bucket::Credit;
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Scaled;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::units::SCALE;
use tsz_margin::tables::{Claim, Price};
use tsz_order::terms::lookup_perp;
use tsz_order::{Admission, PerpTerms, SlotMove, Terms, admit};

use super::leg::{Fill, Leg, leg};

columns! {
    /// Taker or maker.
    pub struct Side {
        /// The order; bound by the bus `order`.
        terms: (Terms),
        /// What only perpetual orders say; bound by the bus `order`.
        perp: (PerpTerms),
        /// Key slot; < 48 by two lookups. Not signed.
        key_slot: felt,
        /// Nonce in CTL, which is only read; bound by the bus.
        ctl_nonce: [2],
        /// The order slot.
        slot: (SlotMove),
        /// How far the mark is past the trigger at the first fill, low 24 bits; range12.
        past: (U24),
        /// High 8 bits; two lookups.
        past_hi: felt,
        /// Borrow of that difference; boolean.
        past_borrow: felt,
        /// The order's cap less the fee; range12.
        own_gap: (U24),
        /// The market's cap less the fee; range12.
        cap_gap: (U24),
        /// 1 = the fee may be negative and no broker is paid; boolean, only the maker's.
        is_rebate: felt,
        /// Fee less the broker's rate, unless `is_rebate`; range12.
        net_gap: (U24),
        /// Position and collateral.
        leg: (Leg),
        /// N times the broker's rate.
        share: (Scaled),
        /// The broker's SUB cell.
        share_cell: (Credit),
        /// 1 = the broker is paid: the rate is not zero and this is no self-trade.
        pays_broker: felt,
        /// next_account - 1 - broker if the broker is paid; range12.
        distance: (U24),
        /// 1 = the change of the sub-account is judged.
        judged: felt,
        /// Accesses of the judgement.
        reads: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Side<E> {
    /// Fee rate, signed.
    pub fn fee(&self, real: &E) -> E {
        let direction = E::ONE - self.terms.is_sell.double();
        direction * (self.leg.cash.factor() - real.clone() * c::<E>(SCALE as u32))
    }

    /// Broker's rate.
    pub fn rate(&self) -> E {
        compose12(&self.terms.broker_rate)
    }

    /// What is judged of the side: judgement `who` of op `index`, whose table is read from place `at` on.
    pub fn claim(&self, [index, who, at]: [E; 3], price: &Price<E>, real: &E) -> Claim<E> {
        Claim {
            index,
            who,
            account: self.terms.account.clone(),
            sub: self.terms.sub.clone(),
            market: price.market.clone(),
            has_market: E::ONE,
            at,
            mask: self.leg.mask(),
            tokens: self.leg.tokens(),
            others: self.leg.others(real),
            unit: price.unit.clone(),
            lots_before: self.leg.lots_before.clone(),
            short_before: self.leg.short_before.clone(),
            lots_after: self.leg.lots_after.clone(),
            short_after: self.leg.short_after.clone(),
            collateral_before: self.leg.collateral_settled(),
            collateral_after: self.leg.collateral_left(),
            grows: real.clone() - self.leg.shrinks.clone(),
            is_strict: E::ZERO,
            pays: E::ZERO,
            is_forced: E::ZERO,
        }
    }

    /// Keys of SUB and POS.
    pub fn keys(&self, market: &E) -> [[E; 2]; 2] {
        let sub = self.terms.sub.clone() * c::<E>(512);
        let pos = sub.clone() + c::<E>(256) + market.clone();
        [[self.terms.account.clone(), sub], [self.terms.account.clone(), pos]]
    }
}

/// What the op knows of a side.
pub struct Part<'a, E> {
    /// First of its four accesses.
    pub at: E,
    /// Number of the written value of its slot.
    pub written: E,
    /// 1 = the position must shrink, whatever the order says; boolean.
    pub shrinks: E,
    /// 1 = the slot is closed after the fill.
    pub close: &'a E,
    /// The order's cap, signed.
    pub own_cap: E,
    /// The market's cap, signed.
    pub market_cap: E,
    /// The fill.
    pub fill: Fill<'a, E>,
}

/// The side's order is usable and triggered, its slot moves, its fee is within the caps and split, its leg is right,
/// and it is judged unless it ends without positions and debt.
pub fn side<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &Side<AB::Expr>,
    p: &Part<'_, AB::Expr>,
) {
    let real = row.real.clone();
    lookup_perp(row, &real, &s.terms, &s.perp);
    let admission = Admission {
        terms: &s.terms,
        key_slot: &s.key_slot,
        ctl_nonce: &s.ctl_nonce,
        slot: &s.slot,
        at: p.at.clone(),
        written: p.written.clone(),
        lots: p.fill.lots,
        close: p.close,
        flag: &real,
    };
    admit(row, &admission);
    trigger(row, s, p.fill.price);
    leg(row, &s.leg, &p.fill);
    fee(row, s, p);
    must_reduce(row, s, p);
    judged(row, s, &p.fill);
}

/// On the first fill the mark is usable and not short of the trigger.
fn trigger<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &Side<AB::Expr>,
    price: &Price<AB::Expr>,
) {
    let first = row.real.clone() - s.slot.is_continued.clone();
    let (above, below) = (s.perp.is_above.clone(), s.perp.is_below.clone());
    row.u24(&s.past);
    row.narrow(&s.past_hi, 8);
    row.boolean(&s.past_borrow);
    let way = first.clone() * (above.clone() - below.clone());
    let gap = |k: usize| way.clone() * (price.mark[k].clone() - s.perp.trigger[k].clone());
    row.zero(gap(0) + s.past_borrow.clone() * c::<AB::Expr>(1 << 24) - s.past.value());
    row.zero(gap(1) - s.past_borrow.clone() - s.past_hi.clone());
    row.zero(first * (above + below) * (AB::Expr::ONE - price.usable.clone()));
}

/// The fee is at most both caps, and at least the broker's rate unless it may be negative.
fn fee<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Side<AB::Expr>, p: &Part<'_, AB::Expr>) {
    let fee = s.fee(&row.real);
    for (gap, cap) in [(&s.own_gap, &p.own_cap), (&s.cap_gap, &p.market_cap)] {
        row.u24(gap);
        row.zero(cap.clone() - fee.clone() - gap.value());
    }
    row.boolean(&s.is_rebate);
    row.u24(&s.net_gap);
    row.zero((AB::Expr::ONE - s.is_rebate.clone()) * fee - s.rate() - s.net_gap.value());
    row.scaled(&s.share, p.fill.notional);
    for (factor, rate) in s.share.multiplier.iter().zip(&s.terms.broker_rate) {
        row.zero(factor.clone() - rate.clone());
    }
    row.credit(&s.share_cell, &AB::Expr::ONE, &s.share.amount());
    row.u24(&s.distance);
    row.zero(p.fill.live.clone() * s.terms.has_broker.clone() - s.pays_broker.clone());
}

/// An order that only reduces, and any order where the op says so, shrinks the position.
fn must_reduce<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    s: &Side<AB::Expr>,
    p: &Part<'_, AB::Expr>,
) {
    let (grows, live) = (AB::Expr::ONE - s.leg.shrinks.clone(), &p.fill.live);
    row.zero((*live).clone() * s.perp.reduces.clone() * grows.clone());
    row.zero((*live).clone() * p.shrinks.clone() * grows);
}

/// Judged unless no position and no debt is left; at a usable price.
fn judged<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Side<AB::Expr>, f: &Fill<'_, AB::Expr>) {
    let leg = &s.leg;
    let idle = leg.is_bare.clone() * (AB::Expr::ONE - leg.negative_after.clone());
    row.zero(f.live.clone() * (AB::Expr::ONE - idle) - s.judged.clone());
    row.zero(s.judged.clone() * (AB::Expr::ONE - f.price.usable.clone()));
    let reads = leg.tokens().double() + leg.others(&row.real) * c::<AB::Expr>(3);
    row.zero(s.judged.clone() * reads - s.reads.clone());
}
