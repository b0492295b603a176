//! SettleMarket (L1): one row an op.
//!
//! Proven: the record is absorbed into L1CHAIN with the next serial; its prices are not zero and that of longs is not
//! above that of shorts. If the market is listed and settling, MKP becomes the named prices, unless it already is
//! settled; else the op ends there.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::chain::L1Queue;
use tsz_gadgets::compare::Excess;
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::perps::{SETTLING, UNLISTED, lookup_status};
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_trade::code::SETTLE_MARKET;

use super::MKP_HI;

columns! {
    /// A price of a record.
    pub struct Named {
        /// Low 24 bits; range12.
        lo: (U24),
        /// High 8 bits; two lookups.
        hi: felt,
    }
}

columns! {
    /// One SettleMarket.
    pub struct SettleMarket {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Market (u8); two lookups.
        market: felt,
        /// What the list says of `market - excess`: a status, or 4 = so many markets there are; bound by `status`.
        status: felt,
        /// How far the market is beyond the list, 0 if it is listed; below 2^8 by two lookups.
        excess: felt,
        /// 1 = listed and settling; boolean, owned by the zero test.
        is_settling: felt,
        /// Inverse of status - 3, or 0.
        status_inv: felt,
        /// Price of longs.
        long: (Named),
        /// Price of shorts.
        short: (Named),
        /// Inverse of the limb sum of the price of longs: it is not 0.
        long_inv: felt,
        /// short - long; not negative.
        spread: (Excess),
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Index, mark and time found in MKP; bound by the tuple where the market is settling.
        old: [6],
        /// 1 = MKP is settled, and kept; boolean, at most `is_settling`.
        is_settled: felt,
    }
}

op_air! {
    /// AIR of [`SettleMarket`].
    SettleMarketAir, SettleMarket, "settle_market", 0
}

impl<E: PrimeCharacteristicRing + Clone> Named<E> {
    /// The price in limbs of 24 and 8 bits.
    pub fn limbs(&self) -> [E; 2] {
        [self.lo.value(), self.hi.clone()]
    }
}

impl Named<F> {
    /// Columns of a price.
    pub fn of(price: u32) -> Self {
        Self { lo: U24::of(price & 0xff_ffff), hi: F::from_u32(price >> 24) }
    }
}

impl SettleMarket<F> {
    /// Fills in what the prices and the status determine.
    pub fn with(mut self, long: u32, short: u32) -> Self {
        let limbs = |x: u32| [i64::from(x & 0xff_ffff), i64::from(x >> 24)];
        let distance = self.status - F::from_u32(SETTLING);
        (self.long, self.short) = (Named::of(long), Named::of(short));
        self.long_inv = inverse(self.long.limbs().into_iter().sum());
        self.spread = Excess::of(limbs(short), limbs(long));
        self.is_settling = F::from_bool(distance == F::ZERO);
        self.status_inv = inverse(distance);
        self
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SettleMarketAir {
    fn eval(&self, builder: &mut AB) {
        let s: SettleMarket<AB::Expr> = current(builder);
        let (real, settling) = (s.is_real.clone(), s.is_settling.clone());
        let n = real.double() + settling.clone();
        let mut row = Row::sized(builder, real, s.index.clone(), n.clone(), n.double());
        row.narrow(&s.market, 8);
        status(&mut row, &s);
        prices(&mut row, &s);
        let ([l0, l1], [s0, s1]) = (s.long.limbs(), s.short.limbs());
        let none = || AB::Expr::ZERO;
        let named = [l0.clone(), l1.clone(), s0.clone(), s1.clone()];
        let rest =
            [[s.market.clone(), none(), none(), none()], named.clone(), core::array::from_fn(|_| none())];
        row.l1_queue((0, 0), &s.queue, c(SETTLE_MARKET), rest);

        row.key_if(&settling, c(2), true, [c(MKP_HI), s.market.clone()]);
        let [i0, i1, m0, m1, t0, t1] = s.old.clone();
        let kept = s.is_settled.clone();
        row.value_if(&settling, c(2), pad8(&[i0, i1, m0, m1, t0.clone(), t1.clone(), kept.clone()]));
        let [i0, i1, m0, m1] =
            core::array::from_fn(|k| named[k].clone() + kept.clone() * (s.old[k].clone() - named[k].clone()));
        row.value_if(&settling, c(5), pad8(&[i0, i1, m0, m1, t0, t1, AB::Expr::ONE]));
    }
}

/// The market is listed with the status; or the status is 4 and it is not below the number of markets.
fn status<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &SettleMarket<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    row.narrow(&s.excess, 8);
    row.zero(s.excess.clone() * (s.status.clone() - real.clone() * c::<AB::Expr>(UNLISTED)));
    lookup_status(row, s.market.clone() - s.excess.clone(), &s.status);
    let distance = s.status.clone() - real.clone() * c::<AB::Expr>(SETTLING);
    row.zero(distance.clone() * s.status_inv.clone() + s.is_settling.clone() - real);
    row.zero(distance * s.is_settling.clone());
    for bit in [&s.is_settling, &s.is_settled] {
        row.boolean(bit);
    }
    row.zero(s.is_settled.clone() * (one - s.is_settling.clone()));
}

/// 1 <= long <= short < 2^32.
fn prices<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, s: &SettleMarket<AB::Expr>) {
    for price in [&s.long, &s.short] {
        row.u24(&price.lo);
        row.narrow(&price.hi, 8);
    }
    let sum: AB::Expr = s.long.limbs().into_iter().sum();
    row.zero(sum * s.long_inv.clone() - row.real.clone());
    row.excess(&s.spread, &s.short.limbs(), &s.long.limbs());
}
