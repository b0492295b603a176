//! Takeover: insurance takes lots of a position at the zero quote.
//!
//! Proven: the target is a user below CMR, at fresh prices; 1 to all of its lots are closed, for 1,000 quote units at the
//! mark or more unless all are; the position goes to insurance for `s * Q0 * 10^6 = (s * n - gain) * 10^6`, with the gain of
//! table `quote`; insurance is healthy afterwards at the last prices, and a position of its that grew is within its bounds.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::units::SCALE;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{
    Claim, Figures, GAIN_SHIFT, Ill, MKO_HI, Move, Price, Quote, Shift, carried, claim, is_ill, lookup_price,
    lookup_quote, moves, weight,
};

use super::interest::{Interest, interest};

/// Accesses besides those of the tables of target and insurance.
const OWN: u32 = 9;
/// Base 2^12 digits of [`SCALE`].
const SCALE_DIGITS: [u32; 2] = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];
/// Least notional of a close that leaves a position.
const MIN_NOTIONAL: u32 = 1_000;
/// Account of insurance.
const INSURANCE: u32 = 1;

columns! {
    /// One Takeover.
    pub struct Takeover {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The market as it is now; bound by the bus `price`.
        price: (Price),
        /// Account of the target; range12.
        account: (U24),
        /// Inverse of account * (account - 1).
        account_inv: felt,
        /// Its sub-account; < 32 by two lookups.
        sub: felt,
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// Inverse of their sum.
        lots_inv: felt,
        /// Digits of n = lots * mark * qm; range12.
        notional: [6],
        /// Carries of that product.
        notional_carries: (Carry * 5),
        /// 1 = n is 4,096 or more; boolean.
        is_high: felt,
        /// Inverse of the sum of the digits of n but the lowest, if `is_high`.
        high_inv: felt,
        /// 1 = n must be shown to be large enough by its lowest digit.
        is_low: felt,
        /// The target's position and collateral.
        target: (Move),
        /// Those of insurance.
        insurance: (Move),
        /// TAV and MMR of the target; bound by `target`.
        figures: (Figures),
        /// Digits of gain + 2^83; bound by `quote`.
        gain: [7],
        /// Digits of (s * n - gain) * 10^6 + 2^97, which the target gets and insurance pays; range12, the last below 4.
        cash: [9],
        /// Carries of that.
        cash_carries: (Shift * 8),
        /// 1 = the bounds of growth hold for insurance; boolean.
        grows: felt,
        /// |size| of insurance before - after, unless it grows; range12.
        fall: (U24 * 2),
        /// Borrow; boolean.
        fall_borrow: felt,
        /// Open interest.
        interest: (Interest),
        /// Accesses of the tables of target and insurance.
        reads: [2],
    }
}

op_air! {
    /// AIR of [`Takeover`]. No public values.
    TakeoverAir, Takeover, "takeover", 0
}

impl<E: PrimeCharacteristicRing + Clone> Takeover<E> {
    fn lots_limbs(&self) -> [E; 2] {
        [compose12(&self.lots[..2]), compose12(&self.lots[2..])]
    }

    /// The nine sums of the payment.
    pub fn cash_sums(&self) -> [E; 9] {
        let sign = E::ONE - self.target.short_before.double();
        let amount: [E; 7] = core::array::from_fn(|k| {
            let mut e = E::ZERO - self.gain[k].clone();
            if let Some(digit) = self.notional.get(k) {
                e += sign.clone() * digit.clone();
            }
            if k == 6 {
                e += self.is_real.clone() * c::<E>(1 << (GAIN_SHIFT - 72));
            }
            e
        });
        let [low, high] = SCALE_DIGITS.map(c::<E>);
        core::array::from_fn(|k| {
            let mut e = E::ZERO;
            if let Some(digit) = amount.get(k) {
                e += digit.clone() * low.clone();
            }
            if let Some(digit) = k.checked_sub(1).and_then(|k| amount.get(k)) {
                e += digit.clone() * high.clone();
            }
            // 2^97
            if k == 8 {
                e += self.is_real.double();
            }
            e
        })
    }

    /// The payment in signed limbs.
    pub fn payment(&self) -> [E; 4] {
        let top = self.cash[8].clone() - self.is_real.double();
        core::array::from_fn(|k| {
            let limb = compose12(&self.cash[2 * k..2 * k + 2]);
            if k == 3 { limb + top.clone() * c::<E>(1 << 24) } else { limb }
        })
    }

    /// Accesses.
    fn count(&self) -> E {
        self.is_real.clone() * c::<E>(OWN) + self.reads[0].clone() + self.reads[1].clone()
    }

    /// Place of the reads of insurance's SUB and POS.
    fn insurance_at(&self) -> E {
        self.reads[0].clone() + E::TWO
    }

    /// What the target must be.
    pub fn ill(&self) -> Ill<E> {
        Ill {
            index: self.index.clone(),
            who: E::ZERO,
            account: self.account.value(),
            sub: self.sub.clone(),
            market: self.price.market.clone(),
            at: c(2),
            mask: weight(&self.target.mask),
            tokens: self.target.tokens(),
            others: self.target.others(&self.is_real),
            unit: self.price.unit.clone(),
            lots: self.target.lots_before.clone(),
            is_short: self.target.short_before.clone(),
            collateral: self.target.collateral_settled(),
            is_forced: E::ZERO,
            is_full: E::ONE,
        }
    }

    /// What insurance must be afterwards.
    pub fn claim(&self) -> Claim<E> {
        let x = &self.insurance;
        Claim {
            index: self.index.clone(),
            who: E::ONE,
            account: c(INSURANCE),
            sub: E::ZERO,
            market: self.price.market.clone(),
            has_market: E::ONE,
            at: self.insurance_at() + E::TWO,
            mask: weight(&x.mask),
            tokens: x.tokens(),
            others: x.others(&self.is_real),
            unit: self.price.unit.clone(),
            lots_before: x.lots_before.clone(),
            short_before: x.short_before.clone(),
            lots_after: x.lots_after.clone(),
            short_after: x.short_after.clone(),
            collateral_before: x.collateral_settled(),
            collateral_after: x.collateral_left(),
            grows: self.grows.clone(),
            is_strict: E::ONE,
            pays: E::ZERO,
            is_forced: E::ONE,
        }
    }

    /// The quote that gives the gain.
    fn quote(&self) -> Quote<E> {
        Quote {
            tav: self.figures.tav.clone(),
            required: self.figures.required.clone(),
            notional: self.notional.clone(),
            mmf: self.figures.mmf.clone(),
            gain: self.gain.clone(),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TakeoverAir {
    fn eval(&self, builder: &mut AB) {
        let t: Takeover<AB::Expr> = current(builder);
        let n = t.count();
        let values = n.clone() + t.is_real.clone() * c::<AB::Expr>(5);
        let mut row = Row::sized(builder, t.is_real.clone(), t.index.clone(), n.clone(), values);
        market(&mut row, &t);
        lots(&mut row, &t);
        payment(&mut row, &t);
        positions(&mut row, &t);
        growth(&mut row, &t);
        accesses(&mut row, &t, &n);
        let real = row.real.clone();
        is_ill(&mut row, &real, &t.ill(), &t.figures);
        lookup_quote(&mut row, &real, &t.quote());
        claim(&mut row, &real, &t.claim());
        for (x, reads) in [&t.target, &t.insurance].into_iter().zip(&t.reads) {
            let table = x.tokens().double() + x.others(&real) * c::<AB::Expr>(3);
            row.zero(table - reads.clone());
        }
    }
}

/// The market is open or reduce-only, its price fresh; the target is a user.
fn market<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Takeover<AB::Expr>) {
    let (real, status) = (row.real.clone(), t.price.status.clone());
    lookup_price(row, &real, &t.price);
    row.zero(real.clone() - t.price.usable.clone());
    row.zero(t.price.is_settled.clone());
    row.zero(real.clone() * (status.clone() - AB::Expr::ONE) * (status - AB::Expr::TWO));
    row.u24(&t.account);
    row.narrow(&t.sub, 5);
    let account = t.account.value();
    row.zero(account.clone() * (account - AB::Expr::ONE) * t.account_inv.clone() - real);
}

/// At least one lot; n is their value at the mark, and large enough unless nothing is left.
fn lots<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Takeover<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    for digit in t.lots.iter().chain(&t.notional) {
        row.range(digit.clone());
    }
    let sum: AB::Expr = t.lots.iter().cloned().sum();
    row.zero(sum * t.lots_inv.clone() - real.clone());
    row.product(&t.lots, &t.price.unit, &t.notional, &t.notional_carries);
    row.boolean(&t.is_high);
    let high: AB::Expr = t.notional[1..].iter().cloned().sum();
    row.zero(t.is_high.clone() * (high * t.high_inv.clone() - one.clone()));
    let partial = real - t.target.flat_after.clone();
    row.zero(partial * (one - t.is_high.clone()) - t.is_low.clone());
    row.range(t.is_low.clone() * (t.notional[0].clone() - c::<AB::Expr>(MIN_NOTIONAL)));
}

/// The digits of the payment.
fn payment<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Takeover<AB::Expr>) {
    // digits below 2^13 times at most 820: below 2^23
    carried(row, &t.cash_sums(), &t.cash, &t.cash_carries);
    row.range(t.cash[8].clone() * c::<AB::Expr>(1 << 10));
}

/// The lots go from the target, whose position does not flip, to insurance, and the payment the other way.
fn positions<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Takeover<AB::Expr>) {
    let (real, limbs, paid) = (row.real.clone(), t.lots_limbs(), t.payment());
    let short = t.target.short_before.clone();
    row.zero(t.target.flat_before.clone());
    let flips = t.target.short_after.clone() - short.clone();
    row.zero((real.clone() - t.target.flat_after.clone()) * flips);
    moves(row, &t.target, &t.price, (&limbs, &(real - short.clone())), &paid);
    let cost = paid.map(|limb| AB::Expr::ZERO - limb);
    moves(row, &t.insurance, &t.price, (&limbs, &short), &cost);
    let change = core::array::from_fn(|k| {
        let [t0, t1] = t.target.lots();
        let [i0, i1] = t.insurance.lots();
        t1[k].clone() - t0[k].clone() + i1[k].clone() - i0[k].clone()
    });
    interest(row, &t.interest, &change);
}

/// Unless it grows, |size| of insurance before - after is not negative.
fn growth<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Takeover<AB::Expr>) {
    let kept = row.real.clone() - t.grows.clone();
    row.boolean(&t.grows);
    row.boolean(&t.fall_borrow);
    for limb in &t.fall {
        row.u24(limb);
    }
    let [before, after] = t.insurance.lots();
    let gap = |k: usize| kept.clone() * (before[k].clone() - after[k].clone()) - t.fall[k].value();
    row.zero(gap(0) + t.fall_borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(gap(1) - t.fall_borrow.clone());
}

/// MKP, MKF; SUB and POS of insurance, then of both as writes; MKO.
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Takeover<AB::Expr>, n: &AB::Expr) {
    let (real, market) = (row.real.clone(), t.price.market.clone());
    let cells = |account: AB::Expr, sub: AB::Expr| {
        let sub = sub * c::<AB::Expr>(512);
        let pos = sub.clone() + c::<AB::Expr>(256) + market.clone();
        [[account.clone(), sub], [account, pos]]
    };
    let [target_sub, target_pos] = cells(t.account.value(), t.sub.clone());
    let [sub, pos] = cells(c(INSURANCE), AB::Expr::ZERO);
    let [mkp, mkf] = t.price.keys();
    let [prices, funding] = t.price.leaves();
    let (sub_leaves, pos_leaves) = (t.insurance.sub_leaves(), t.insurance.pos_leaves(&t.price));
    let at = t.insurance_at();
    let reads = [
        (c(0), mkp, prices),
        (c(1), mkf, funding),
        (at.clone(), sub.clone(), sub_leaves[0].clone()),
        (at + AB::Expr::ONE, pos.clone(), pos_leaves[0].clone()),
    ];
    for (at, key, value) in reads {
        row.key_if(&real, at.clone(), false, key);
        row.value_if(&real, at, value);
    }
    let writes = [
        (target_sub, t.target.sub_leaves()),
        (target_pos, t.target.pos_leaves(&t.price)),
        (sub, sub_leaves),
        (pos, pos_leaves),
        ([c(MKO_HI), market.clone()], t.interest.leaves()),
    ];
    for (k, (key, [old, new])) in (0..).zip(writes) {
        let at = n.clone() - c::<AB::Expr>(5 - k);
        row.key_if(&real, at.clone(), true, key);
        row.value_if(&real, at, old);
        row.value_if(&real, n.clone() + c::<AB::Expr>(k), new);
    }
}
