//! Rows of the order table from signed orders.

use std::collections::HashMap;

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_hash::{Digest, step};
use tsz_ledger::BatchContext;
use tsz_sig::Signature;
use tsz_trade::order::{PerpOrder as SignedPerp, Signed, SpotOrder, Terms as SignedTerms, Tif, Trigger};

use crate::order::{Kind, Order, PerpExtra, PerpOrder, SpotExtra, SpotOrder as SpotRow};

/// A signature that the `sig` tables must prove.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRequest {
    /// Key id.
    pub key_id: Digest,
    /// Message digest.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

/// An order of either family.
pub trait Signable: tsz_trade::Order + Copy + PartialEq {
    /// Market.
    fn market(&self) -> u32;
    /// Columns that only perpetual orders have, and what the message gets from them.
    fn extra(&self) -> (PerpExtra<F>, Kind<F>);
}

impl SpotExtra<F> {
    /// Columns of an order of `account`.
    pub fn of(account: F) -> Self {
        let other = account - F::ONE;
        Self { is_insurance: F::from_bool(other == F::ZERO), insurance_inv: inverse(other) }
    }
}

impl Signable for SpotOrder {
    fn market(&self) -> u32 {
        self.market.get().into()
    }
    fn extra(&self) -> (PerpExtra<F>, Kind<F>) {
        (PerpExtra::default(), Kind::spot())
    }
}

impl Signable for SignedPerp {
    fn market(&self) -> u32 {
        self.market.get().into()
    }
    fn extra(&self) -> (PerpExtra<F>, Kind<F>) {
        let SpotExtra { is_insurance, insurance_inv } = SpotExtra::of(F::from_u32(self.terms.account.get()));
        let price = match self.trigger {
            Trigger::None => 0,
            Trigger::Above(price) | Trigger::Below(price) => price.get(),
        };
        let trigger = U24::of(price & 0xff_ffff);
        let trigger_hi = F::from_u32(price >> 24);
        let extra = PerpExtra {
            reduce_only: F::from_bool(self.reduce_only),
            is_insurance,
            insurance_inv,
            reduces: F::from_bool(self.reduce_only || is_insurance == F::ONE),
            is_above: F::from_bool(matches!(self.trigger, Trigger::Above(_))),
            is_below: F::from_bool(matches!(self.trigger, Trigger::Below(_))),
            trigger_inv: inverse(trigger.lo + trigger.hi + trigger_hi),
            trigger,
            trigger_hi,
        };
        let kind = extra.kind();
        (extra, kind)
    }
}

/// Order rows, each once.
#[derive(Default)]
pub struct Orders {
    rows: Vec<PerpOrder<F>>,
    signatures: Vec<SignatureRequest>,
    at: HashMap<[Digest; 3], usize>,
}

impl Orders {
    /// The row of an order under the key that an access log names.
    pub fn find<O: Signable>(
        &mut self,
        context: &BatchContext,
        signed: &Signed<O>,
        [key_a, key_b]: [&Digest; 2],
    ) -> &PerpOrder<F> {
        let message = signed.digest(&context.system);
        let rows = &mut self.rows;
        let signatures = &mut self.signatures;
        let at = *self.at.entry([message, *key_a, *key_b]).or_insert_with(|| {
            rows.push(row(context, &signed.order, [key_a, key_b]));
            signatures.push(SignatureRequest { key_id: *key_a, message, signature: signed.signature });
            rows.len() - 1
        });
        rows[at].order.uses += F::ONE;
        &rows[at]
    }

    /// The rows of spot orders.
    pub fn spot(&self) -> Vec<SpotRow<F>> {
        let row =
            |order: &Order<F>| SpotRow { extra: SpotExtra::of(order.account.value()), order: order.clone() };
        self.rows.iter().map(|perp| row(&perp.order)).collect()
    }

    /// The rows of perpetual orders.
    pub fn perp(&self) -> &[PerpOrder<F>] {
        &self.rows
    }

    /// A signature for each row.
    pub fn signatures(&self) -> &[SignatureRequest] {
        &self.signatures
    }
}

fn wide(value: u64) -> [U24<F>; 2] {
    [0, 24].map(|s| U24::of((value >> s) as u32 & 0xff_ffff))
}

/// at - T - 1 and its borrow, from limbs of 24 bits.
fn later(at: [u32; 2], time: u64) -> ([U24<F>; 2], F) {
    let value = u64::from(at[0]) | u64::from(at[1]) << 24;
    let borrow = u64::from(at[0]) < (time & 0xff_ffff) + 1;
    (wide(value.wrapping_sub(time).wrapping_sub(1)), F::from_bool(borrow))
}

fn row<O: Signable>(context: &BatchContext, order: &O, keys @ [key_a, _]: [&Digest; 2]) -> PerpOrder<F> {
    let (extra, kind) = order.extra();
    let mut o = fields(context, order.terms(), keys);
    o.market = U24::of(order.market());
    o.account_inv = inverse(o.account.value());
    o.key_id = *key_a;
    let [a, b, c] = o.message(&kind);
    o.mid_a = step(&a, &context.system);
    o.mid_b = step(&b, &o.mid_a);
    o.digest = step(&c, &o.mid_b);
    PerpOrder { order: o, extra }
}

fn fields(context: &BatchContext, t: &SignedTerms, [_, key_b]: [&Digest; 2]) -> Order<F> {
    let (nonce, price) = (t.nonce.get(), t.price.get());
    let low = F::from_u32(nonce & 0xff_ffff) - F::from_u32(0xff_ffff);
    let rate = t.broker_rate.get().unsigned_abs();
    let maker = t.max_maker_fee.get();
    let expiry = t.expiry.get();
    let (margin, borrow) = later([expiry as u32 & 0xff_ffff, (expiry >> 24) as u32], context.time);
    let key_expiry = [key_b[2], key_b[3]];
    let (key_margin, key_borrow) = later(key_expiry.map(|x| x.as_canonical_u32()), context.time);
    let permissions = key_b[1].as_canonical_u32();
    let price_limbs = U24::of(price & 0xff_ffff);
    let price_hi = F::from_u32(price >> 24);
    Order {
        is_real: F::ONE,
        account: U24::of(t.account.get()),
        sub: F::from_u8(t.sub.get()),
        slot: F::from_u8(t.slot.get()),
        price_inv: inverse(price_limbs.lo + price_limbs.hi + price_hi),
        price: price_limbs,
        price_hi,
        lots: wide(t.lots.get()),
        nonce: U24::of(nonce & 0xff_ffff),
        nonce_hi: F::from_u32(nonce >> 24),
        nonce_carry: F::from_bool(low == F::ZERO),
        nonce_inv: inverse(low),
        is_sell: F::from_bool(!t.buys()),
        tif: [Tif::Ioc, Tif::Fok, Tif::PostOnly].map(|tif| F::from_bool(t.tif == tif)),
        decrements: F::from_u32(t.self_trade as u32),
        expiry: wide(expiry),
        margin,
        borrow,
        kill_epoch: t.kill_epoch.to_felts(),
        max_taker: U24::of(t.max_taker_fee.get().unsigned_abs()),
        max_maker: U24::of(maker.unsigned_abs()),
        maker_negative: F::from_bool(maker < 0),
        max_maker_inv: if maker < 0 { inverse(F::from_u32(maker.unsigned_abs())) } else { F::ZERO },
        broker: U24::of(t.broker.get()),
        broker_rate: U24::of(rate),
        has_broker: F::from_bool(rate != 0),
        rate_inv: inverse(F::from_u32(rate)),
        permissions: core::array::from_fn(|k| F::from_u32(permissions >> k & 1)),
        key_expiry,
        key_margin,
        key_borrow,
        ..Order::default()
    }
}
