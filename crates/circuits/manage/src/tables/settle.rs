//! FundingSettle: one row an op.
//!
//! Proven: a position in a listed market whose funding is up to date exists; collateral gains
//! `size * multiplier * (F_last - F)`, and F_last becomes F.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::clock;
use tsz_gadgets::limb::U24;
use tsz_gadgets::perps::{Funding, lookup_funding};
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, Shape, c, compose12, pad8};
use tsz_gadgets::signed::{Sign, Step};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::{MKF_HI, MKP_HI};

columns! {
    /// What a position gains since it was settled last: `lots * multiplier * gap` with the sign of both.
    pub struct Payment {
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// Inverse of their sum: there is a position.
        lots_inv: felt,
        /// 1 = a short; boolean.
        is_short: felt,
        /// Base 2^12 digits of the multiplier; range12.
        multiplier: [2],
        /// Magnitude of the index at the last settlement; bound by the tuple.
        last: [3],
        /// Its sign; boolean.
        last_negative: felt,
        /// Magnitude of the index now; bound by the tuple.
        now: [3],
        /// Its sign; boolean.
        now_negative: felt,
        /// |last - now|; range12.
        gap: (U24 * 3),
        /// Its sign.
        gap_sign: (Sign),
        /// Carries of that difference.
        gap_steps: (Step * 2),
        /// Base 2^12 digits of lots * multiplier; range12.
        weight: [6],
        /// Carries of that product.
        weight_carries: (Carry * 5),
        /// Base 2^12 digits of weight * gap; range12, the last below 2^10.
        value: [8],
        /// Carries of that product.
        value_carries: (Carry * 7),
        /// 1 = it is paid, -1 = it is received by others: the product of both signs.
        sign: felt,
    }
}

columns! {
    /// One FundingSettle.
    pub struct Settle {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The market; bound by `funding`.
        market: (Funding),
        /// Hour of the batch time and in MKF; bound by `clock` and by the tuple.
        hour: [2],
        /// Minute of the batch time; bound by `clock`.
        minute: felt,
        /// Account; range12.
        account: (U24),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// MKP, which is only read; bound by the tuple.
        mkp: [8],
        /// The payment.
        payment: (Payment),
        /// Magnitude of the collateral found; bound by the tuple.
        old: [4],
        /// Its sign; boolean.
        old_negative: felt,
        /// Positions and margin tokens, kept; bound by the tuple.
        holdings: felt,
        /// Magnitude left: 95 bits; range12.
        new: (U24 * 4),
        /// Its sign.
        new_sign: (Sign),
        /// Carries of the sum.
        steps: (Step * 3),
    }
}

op_air! {
    /// AIR of [`Settle`]. No public values: the time is that of the clock.
    SettleAir, Settle, "settle", 0
}

impl<E: PrimeCharacteristicRing + Clone> Payment<E> {
    /// Base 2^12 digits of the gap.
    fn gap_digits(&self) -> Vec<E> {
        self.gap.iter().flat_map(|limb| [limb.lo.clone(), limb.hi.clone()]).collect()
    }

    /// Signed limbs of what the collateral gains.
    fn limbs(&self) -> [E; 4] {
        core::array::from_fn(|k| self.sign.clone() * compose12(&self.value[2 * k..2 * k + 2]))
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SettleAir {
    fn eval(&self, builder: &mut AB) {
        let s: Settle<AB::Expr> = current(builder);
        let mut row = Row::new(builder, s.is_real.clone(), s.index.clone(), Shape { n: 4, nv: 6 });
        lookup_funding(&mut row, &s.market);
        clock::lookup(&mut row, &s.hour, &s.minute);
        row.u24(&s.account);
        row.narrow(&s.sub, 5);
        payment(&mut row, &s);

        row.boolean(&s.old_negative);
        for limb in &s.new {
            row.u24(limb);
        }
        // 2^95: twice the top 12 bits are below 2^12
        row.range(s.new[3].hi.double());
        let new = s.new.each_ref().map(U24::value);
        let gained = s.payment.limbs();
        row.signed_sum((&s.old, &s.old_negative), &gained, (&new, &s.new_sign), &s.steps);
        accesses(&mut row, &s, &new);
    }
}

/// The gap is `last - now`, the value `lots * multiplier * |gap|` below 2^94, the sign that of the gap for a long
/// position and the other for a short one.
fn payment<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Settle<AB::Expr>) {
    let (p, real, one) = (&s.payment, row.real.clone(), AB::Expr::ONE);
    for bit in [&p.is_short, &p.last_negative, &p.now_negative] {
        row.boolean(bit);
    }
    for digit in p.lots.iter().chain(&p.multiplier).chain(&p.weight).chain(&p.value) {
        row.range(digit.clone());
    }
    row.range(p.value[7].clone() * c::<AB::Expr>(1 << 2));
    let lots: AB::Expr = p.lots.iter().cloned().sum();
    row.zero(lots * p.lots_inv.clone() - real.clone());
    row.zero(compose12(&p.multiplier) - s.market.multiplier.clone());
    for limb in &p.gap {
        row.u24(limb);
    }
    let turn = p.now_negative.double() - one.clone();
    let minus_now = p.now.clone().map(|limb| turn.clone() * limb);
    let gap = p.gap.each_ref().map(U24::value);
    row.signed_sum((&p.last, &p.last_negative), &minus_now, (&gap, &p.gap_sign), &p.gap_steps);
    row.product(&p.lots, &p.multiplier, &p.weight, &p.weight_carries);
    row.product(&p.weight, &p.gap_digits(), &p.value, &p.value_carries);
    let sign = |bit: &AB::Expr| one.clone() - bit.double();
    row.zero(real * sign(&p.is_short) * sign(&p.gap_sign.negative) - p.sign.clone());
}

fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &Settle<AB::Expr>, new: &[AB::Expr; 4]) {
    let (market, account) = (s.market.market.clone(), s.account.value());
    let sub = s.sub.clone() * c::<AB::Expr>(512);
    let p = &s.payment;
    row.key(0, false, c(MKP_HI), market.clone());
    row.old(0, s.mkp.clone());
    row.key(1, false, c(MKF_HI), market.clone());
    let ([f0, f1, f2], [h0, h1]) = (p.now.clone(), s.hour.clone());
    row.old(1, pad8(&[f0, f1, f2, p.now_negative.clone(), h0, h1]));
    row.key(2, true, account.clone(), sub.clone());
    let cell = |[c0, c1, c2, c3]: [AB::Expr; 4], sign: &AB::Expr| {
        pad8(&[c0, c1, c2, c3, sign.clone(), s.holdings.clone()])
    };
    row.old(2, cell(s.old.clone(), &s.old_negative));
    row.new_value(0, cell(new.clone(), &s.new_sign.negative));
    row.key(3, true, account, sub + c::<AB::Expr>(256) + market);
    let [l0, l1] = [compose12(&p.lots[..2]), compose12(&p.lots[2..])];
    let position = |[f0, f1, f2]: [AB::Expr; 3], sign: &AB::Expr| {
        pad8(&[l0.clone(), l1.clone(), p.is_short.clone(), f0, f1, f2, sign.clone()])
    };
    row.old(3, position(p.last.clone(), &p.last_negative));
    row.new_value(1, position(p.now.clone(), &p.now_negative));
}
