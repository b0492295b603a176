//! Orders: one row for each signed order, however often it is filled.
//!
//! Proven: the message of docs/src/trading.md with these fields is signed by the key; order and key expire after the
//! batch time; the key may trade; all fields have their widths; the account is not the fee account. Insurance only sells, of
//! sub-account 0, in spot, and only reduces in perpetuals.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::signer::{PERMISSIONS, bits};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_gadgets::{columns, op_air};
use tsz_trade::order::{PERP_ORDER, SPOT_ORDER};

use crate::terms::{PerpTerms, Terms, provide, provide_perp};

columns! {
    /// One order.
    pub struct Order {
        /// 1 = the row holds an order; boolean.
        is_real: felt,
        /// Fills that look the order up; free, 0 on padding: an entry is a true statement.
        uses: felt,
        /// Account; range12.
        account: (U24),
        /// Inverse of the account: the fee account has no orders.
        account_inv: felt,
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Order slot; < 256 by two lookups.
        slot: felt,
        /// Market; < 2^16 by lookups.
        market: (U24),
        /// Low 24 bits of the price; range12.
        price: (U24),
        /// High 8 bits; two lookups.
        price_hi: felt,
        /// Inverse of the digit sum of the price.
        price_inv: felt,
        /// Lots; range12.
        lots: (U24 * 2),
        /// Low 24 bits of the nonce; range12.
        nonce: (U24),
        /// High 8 bits; two lookups, and so nonce_hi + nonce_carry: the last nonce is not used.
        nonce_hi: felt,
        /// 1 = the low limb is 2^24 - 1; boolean, owned by the zero test.
        nonce_carry: felt,
        /// Inverse of (low limb - 2^24 + 1), or 0.
        nonce_inv: felt,
        /// 1 = sells; boolean.
        is_sell: felt,
        /// IOC, FOK, post-only; boolean, at most one.
        tif: [3],
        /// Self-trade mode; boolean.
        decrements: felt,
        /// Expiry; range12.
        expiry: (U24 * 2),
        /// expiry - T - 1; range12.
        margin: (U24 * 2),
        /// Borrow of that difference; boolean.
        borrow: felt,
        /// Kill epoch; signed, and bound to a cell by each trade.
        kill_epoch: [2],
        /// Largest taker fee; 12 and 7 bits.
        max_taker: (U24),
        /// Magnitude of the largest maker fee; 12 and 7 bits.
        max_maker: (U24),
        /// Its sign; boolean.
        maker_negative: felt,
        /// Inverse of the magnitude if negative: -0 is not a value.
        max_maker_inv: felt,
        /// Broker; range12.
        broker: (U24),
        /// Broker's rate; 12 and 7 bits.
        broker_rate: (U24),
        /// 1 = the rate is not zero; boolean, owned by the zero test.
        has_broker: felt,
        /// Inverse of the rate, or 0.
        rate_inv: felt,
        /// Key that signed; bound by `sig`.
        key_id: [8],
        /// Permissions, lowest bit first; boolean; bit 0, trade, is 1.
        permissions: [6],
        /// Expiry of the key; bound to KEYB by each trade.
        key_expiry: [2],
        /// key_expiry - T - 1; range12.
        key_margin: (U24 * 2),
        /// Borrow; boolean.
        key_borrow: felt,
        /// Capacity after the first block; owned by `p2`.
        mid_a: [8],
        /// Capacity after the second block; owned by `p2`.
        mid_b: [8],
        /// Digest; owned by `p2` and `sig`.
        digest: [8],
    }
}

columns! {
    /// What only a spot order has.
    pub struct SpotExtra {
        /// 1 = the account is insurance; boolean, owned by the zero test.
        is_insurance: felt,
        /// Inverse of account - 1, or 0.
        insurance_inv: felt,
    }
}

columns! {
    /// One spot order.
    pub struct SpotOrder {
        /// What every order has.
        order: (Order),
        /// The rest.
        extra: (SpotExtra),
    }
}

columns! {
    /// What only a perpetual order has.
    pub struct PerpExtra {
        /// 1 = reduce-only by its own word; boolean.
        reduce_only: felt,
        /// 1 = the account is insurance; boolean, owned by the zero test.
        is_insurance: felt,
        /// Inverse of account - 1, or 0.
        insurance_inv: felt,
        /// 1 = one of the two.
        reduces: felt,
        /// 1 = trigger above; boolean.
        is_above: felt,
        /// 1 = trigger below; boolean, at most one of the two.
        is_below: felt,
        /// Low 24 bits of the trigger price; range12. 0 without a trigger.
        trigger: (U24),
        /// High 8 bits; two lookups.
        trigger_hi: felt,
        /// Inverse of the digit sum of the trigger price, if there is a trigger.
        trigger_inv: felt,
    }
}

columns! {
    /// One perpetual order.
    pub struct PerpOrder {
        /// What every order has.
        order: (Order),
        /// The rest.
        extra: (PerpExtra),
    }
}

op_air! {
    /// AIR of [`SpotOrder`]. Public values: S (8), T (2).
    SpotOrderAir, SpotOrder, "order", SIGNED_PUBLICS
}

op_air! {
    /// AIR of [`PerpOrder`]. Public values: S (8), T (2).
    PerpOrderAir, PerpOrder, "order", SIGNED_PUBLICS
}

/// What the families put into a message.
#[derive(Clone, Debug)]
pub struct Kind<E> {
    /// Op code.
    pub code: u32,
    /// Flags besides side, time in force and self-trade mode.
    pub flags: E,
    /// Trigger price.
    pub trigger: [E; 2],
}

impl<E: PrimeCharacteristicRing> Kind<E> {
    /// A spot order's.
    pub fn spot() -> Self {
        Self { code: SPOT_ORDER, flags: E::ZERO, trigger: [E::ZERO, E::ZERO] }
    }
}

impl<E: PrimeCharacteristicRing + Clone> PerpExtra<E> {
    /// What the order adds to its message.
    pub fn kind(&self) -> Kind<E> {
        let trigger = self.is_above.clone() + self.is_below.double();
        Kind {
            code: PERP_ORDER,
            flags: self.reduce_only.clone() * c::<E>(8) + trigger * c::<E>(32),
            trigger: [self.trigger.value(), self.trigger_hi.clone()],
        }
    }

    /// What fills see of it.
    pub fn terms(&self) -> PerpTerms<E> {
        PerpTerms {
            reduces: self.reduces.clone(),
            is_above: self.is_above.clone(),
            is_below: self.is_below.clone(),
            trigger: [self.trigger.value(), self.trigger_hi.clone()],
        }
    }
}

impl<E: PrimeCharacteristicRing + Clone> Order<E> {
    /// What trades see of the order.
    pub fn terms(&self) -> Terms<E> {
        let [is_ioc, is_fok, is_post_only] = self.tif.clone();
        let [lots0, lots1] = [0, 1].map(|k| self.lots[k].value());
        let carry = self.nonce_carry.clone();
        let after = self.nonce.value() + self.is_real.clone() - carry.clone() * c::<E>(1 << 24);
        Terms {
            account: self.account.value(),
            sub: self.sub.clone(),
            slot: self.slot.clone(),
            market: self.market.value(),
            price: [self.price.lo.clone(), self.price.hi.clone(), self.price_hi.clone()],
            lots: [lots0, lots1],
            nonce: [self.nonce.value(), self.nonce_hi.clone()],
            after: [after, self.nonce_hi.clone() + carry],
            is_sell: self.is_sell.clone(),
            is_ioc,
            is_fok,
            is_post_only,
            decrements: self.decrements.clone(),
            kill_epoch: self.kill_epoch.clone(),
            max_taker: self.max_taker.value(),
            max_maker: self.max_maker.value(),
            maker_negative: self.maker_negative.clone(),
            broker: self.broker.value(),
            broker_rate: [self.broker_rate.lo.clone(), self.broker_rate.hi.clone()],
            has_broker: self.has_broker.clone(),
            tag: core::array::from_fn(|k| self.digest[k].clone()),
            key_id: self.key_id.clone(),
            permissions: bits(&self.permissions),
            key_expiry: self.key_expiry.clone(),
        }
    }

    /// The blocks that are signed.
    pub fn message(&self, kind: &Kind<E>) -> [[E; 8]; 3] {
        let [ioc, fok, post_only] = self.tif.clone();
        let tif = ioc + fok.double() + post_only * c::<E>(3);
        let own = self.is_sell.clone() + tif.double() + self.decrements.clone() * c::<E>(16);
        let flags = own + kind.flags.clone();
        let [t0, t1] = kind.trigger.clone();
        let [k0, k1] = self.kill_epoch.clone();
        let [e0, e1] = [0, 1].map(|k| self.expiry[k].value());
        let [b0, b1] = [0, 1].map(|k| self.lots[k].value());
        let place = self.sub.clone() + self.slot.clone() * c::<E>(32);
        let (price, taker) = (self.price.value(), self.max_taker.value());
        let (nonce, nonce_hi) = (self.nonce.value(), self.nonce_hi.clone());
        let price_hi = self.price_hi.clone();
        [
            [c(kind.code), self.account.value(), place, self.market.value(), price, price_hi, b0, b1],
            [nonce, nonce_hi, flags, e0, e1, k0, k1, taker],
            pad8(&[
                self.max_maker.value(),
                self.maker_negative.clone(),
                self.broker.value(),
                self.broker_rate.value(),
                t0,
                t1,
            ]),
        ]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SpotOrderAir {
    fn eval(&self, builder: &mut AB) {
        let SpotOrder { order: o, extra } = current::<AB, SpotOrder<AB::Expr>>(builder);
        let (system, time) = signed_context(builder);
        let mut row = Row::bare(builder, o.is_real.clone());
        order(&mut row, &o, &Kind::spot(), (&system, &time));
        insurance(&mut row, &o, &extra.is_insurance, &extra.insurance_inv);
        // what insurance seized is in its sub-account 0; it sells it
        row.zero(extra.is_insurance.clone() * (AB::Expr::ONE - o.is_sell.clone()));
        row.zero(extra.is_insurance.clone() * o.sub.clone());
        provide(&mut row, &o.terms(), &extra.is_insurance, o.uses.clone());
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PerpOrderAir {
    fn eval(&self, builder: &mut AB) {
        let PerpOrder { order: o, extra } = current::<AB, PerpOrder<AB::Expr>>(builder);
        let (system, time) = signed_context(builder);
        let mut row = Row::bare(builder, o.is_real.clone());
        order(&mut row, &o, &extra.kind(), (&system, &time));
        perpetual(&mut row, &o, &extra);
        provide_perp(&mut row, &o.terms(), &extra.terms(), o.uses.clone());
    }
}

/// What holds of every order.
fn order<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    o: &Order<AB::Expr>,
    kind: &Kind<AB::Expr>,
    (system, time): (&[AB::Expr; 8], &[AB::Expr; 2]),
) {
    let real = row.real.clone();
    row.zero(o.uses.clone() * (AB::Expr::ONE - real.clone()));
    row.zero(o.account.value() * o.account_inv.clone() - real.clone());
    widths(row, o);
    nonce(row, o);
    flags(row, o);
    let expiry = [0, 1].map(|k| o.expiry[k].value());
    later(row, &expiry, (&o.margin, &o.borrow), time);
    later(row, &o.key_expiry, (&o.key_margin, &o.key_borrow), time);
    let [a, b, c] = o.message(kind);
    row.step(&real, a, system, &o.mid_a);
    row.step(&real, b, &o.mid_a, &o.mid_b);
    row.step(&real, c, &o.mid_b, &o.digest);
    row.signed(&o.key_id, &o.digest);
}

/// is_insurance = 1 iff the account is insurance.
fn insurance<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    o: &Order<AB::Expr>,
    is_insurance: &AB::Expr,
    inv: &AB::Expr,
) {
    let real = row.real.clone();
    row.boolean(is_insurance);
    let other = o.account.value() - real.clone();
    row.zero(is_insurance.clone() * other.clone());
    row.zero(other * inv.clone() - real + is_insurance.clone());
}

/// Flags of a perpetual order; insurance may only reduce; a trigger has a price, and nothing else has.
fn perpetual<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    o: &Order<AB::Expr>,
    x: &PerpExtra<AB::Expr>,
) {
    let one = AB::Expr::ONE;
    let triggered = x.is_above.clone() + x.is_below.clone();
    for bit in [&x.reduce_only, &x.is_above, &x.is_below, &triggered] {
        row.boolean(bit);
    }
    insurance(row, o, &x.is_insurance, &x.insurance_inv);
    let both = x.reduce_only.clone() * x.is_insurance.clone();
    row.zero(x.reduce_only.clone() + x.is_insurance.clone() - both - x.reduces.clone());
    row.u24(&x.trigger);
    row.narrow(&x.trigger_hi, 8);
    let digits = x.trigger.lo.clone() + x.trigger.hi.clone() + x.trigger_hi.clone();
    row.zero((one.clone() - triggered.clone()) * digits.clone());
    row.zero(triggered * (digits * x.trigger_inv.clone() - one));
}

fn widths<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, o: &Order<AB::Expr>) {
    let real = row.real.clone();
    row.u24(&o.account);
    row.narrow(&o.sub, 5);
    row.narrow(&o.slot, 8);
    row.u16(&o.market);
    row.u24(&o.price);
    row.narrow(&o.price_hi, 8);
    let digits = o.price.lo.clone() + o.price.hi.clone() + o.price_hi.clone();
    row.zero(digits * o.price_inv.clone() - real);
    for limb in o.lots.iter().chain(&o.expiry) {
        row.u24(limb);
    }
    for rate in [&o.max_taker, &o.max_maker, &o.broker_rate] {
        row.range(rate.lo.clone());
        row.narrow(&rate.hi, 7);
    }
    row.u24(&o.broker);
}

/// nonce + 1 has limbs of 24 and 8 bits: the carry is 1 iff the low limb is 2^24 - 1.
fn nonce<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, o: &Order<AB::Expr>) {
    let real = row.real.clone();
    row.u24(&o.nonce);
    row.narrow(&o.nonce_hi, 8);
    row.boolean(&o.nonce_carry);
    row.narrow(&(o.nonce_hi.clone() + o.nonce_carry.clone()), 8);
    let below = o.nonce.value() - real.clone() * c::<AB::Expr>(0xff_ffff);
    row.zero(o.nonce_carry.clone() * below.clone());
    row.zero(below * o.nonce_inv.clone() - real + o.nonce_carry.clone());
}

fn flags<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, o: &Order<AB::Expr>) {
    let real = row.real.clone();
    let one = AB::Expr::ONE;
    for bit in [&o.is_sell, &o.decrements, &o.maker_negative, &o.has_broker].into_iter().chain(&o.tif) {
        row.boolean(bit);
    }
    let tif: AB::Expr = o.tif.iter().cloned().sum();
    row.boolean(&tif);
    let maker = o.max_maker.value() * o.max_maker_inv.clone();
    row.zero(o.maker_negative.clone() * (maker - one.clone()));
    let rate = o.broker_rate.value();
    row.zero(rate.clone() * o.rate_inv.clone() - o.has_broker.clone());
    row.zero(rate * (one - o.has_broker.clone()));
    for bit in &o.permissions[..PERMISSIONS] {
        row.boolean(bit);
    }
    row.zero(o.permissions[0].clone() - real);
}

/// T < `at`: at - T - 1 has 48 bits. Each limb equation is one of integers below 2^26 in size.
fn later<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    at: &[AB::Expr; 2],
    (margin, borrow): (&[U24<AB::Expr>; 2], &AB::Expr),
    time: &[AB::Expr; 2],
) {
    let real = row.real.clone();
    row.boolean(borrow);
    for limb in margin {
        row.u24(limb);
    }
    let gap = |k: usize| at[k].clone() - margin[k].value() - time[k].clone() * real.clone();
    row.zero(gap(0) - real.clone() + borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(gap(1) - borrow.clone());
}
