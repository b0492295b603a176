//! Columns of one side of a fill from its order and the access log. Values out of range lose their high bits: such a
//! row satisfies nothing.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::bucket::Credit;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{Scaled, digits12, felts, product_carries};
use tsz_gadgets::units::SCALE;
use tsz_gadgets::{inverse, limb24, magnitude};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_margin::tables::Price;
use tsz_margin::{Book, signed};
use tsz_order::{Orders, SlotMove};
use tsz_trade::order::{PerpOrder, Signed};
use tsz_types::Rate;

use crate::tables::{Interest, Leg, Side};
use crate::trace::{Log, RecordError};

/// What both sides of a trade share.
pub struct Market {
    /// The market as it is now.
    pub price: Price<F>,
    /// Lots of the fill.
    pub lots: u64,
    /// Price of the fill times the multiplier.
    pub unit_price: u128,
    /// Lots times that, lower 60 bits.
    pub notional: u64,
    /// Whether it is no self-trade.
    pub live: bool,
}

/// What the columns of a side are made of.
pub struct SideInput<'a> {
    /// The order.
    pub order: &'a Signed<PerpOrder>,
    /// Its fee.
    pub fee: Rate,
    /// The market's cap, signed.
    pub cap: F,
    /// Whether the side may get a rebate.
    pub is_maker: bool,
    /// Whether its slot is closed after the fill.
    pub close: bool,
}

impl SideInput<'_> {
    fn share(&self) -> u32 {
        self.order.order.terms.broker_rate.get().unsigned_abs()
    }

    /// 10^6 plus what a buyer pays besides, or less what a seller does not get.
    fn factor(&self) -> u32 {
        let fee = if self.order.order.terms.buys() { self.fee.get() } else { -self.fee.get() };
        (SCALE as i32).wrapping_add(fee) as u32 & 0xff_ffff
    }
}

fn bits<const N: usize>(x: i64) -> [F; N] {
    core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1))
}

fn u24(x: i64) -> U24<F> {
    U24::of((x & 0xff_ffff) as u32)
}

fn turn(negative: bool) -> i64 {
    if negative { -1 } else { 1 }
}

/// The leaf of a collateral cell that gained an amount.
fn credited(old: &Digest, amount: u128) -> Digest {
    let held = magnitude(old) as i128;
    let sum = if old[4] == F::ONE { -held } else { held } + amount as i128;
    let mut new = *old;
    for (k, limb) in new.iter_mut().take(4).enumerate() {
        *limb = F::from_u32(limb24(sum.unsigned_abs(), k));
    }
    new[4] = F::from_bool(sum < 0);
    new
}

/// Columns of a cell that gains.
pub fn credit(old: &Digest, amount: u128) -> Credit<F> {
    Credit::of(old, &credited(old, amount), amount)
}

/// The side without its leg: KEYA, KEYB, CTL, ORD.
///
/// # Errors
/// [`RecordError`] when the log ends.
pub fn side(
    context: &BatchContext,
    log: &mut Log<'_>,
    orders: &mut Orders,
    market: &Market,
    input: &SideInput<'_>,
) -> Result<Side<F>, RecordError> {
    let [key_a, key_b, ctl, ord] = [log.read()?, log.read()?, log.read()?, log.read()?];
    let order = orders.find(context, input.order, [&key_a.old, &key_b.old]);
    let (terms, perp) = (order.order.terms(), order.extra.terms());
    let slot = SlotMove::of(&terms, market.lots, &ord.old, input.close);
    let fee = F::from_i32(input.fee.get());
    let own_cap = if input.is_maker {
        F::from_i64(turn(terms.maker_negative == F::ONE)) * terms.max_maker
    } else {
        terms.max_taker
    };
    let is_rebate = input.is_maker && input.fee.get() < 0;
    let net = if is_rebate { F::ZERO } else { fee };
    let mut row = Side {
        key_slot: F::from_u8(input.order.key_slot.get()),
        ctl_nonce: [ctl.old[0], ctl.old[1]],
        own_gap: U24::of_felt(own_cap - fee),
        cap_gap: U24::of_felt(input.cap - fee),
        is_rebate: F::from_bool(is_rebate),
        net_gap: U24::of_felt(net - F::from_u32(input.share())),
        share: Scaled::of(market.notional, input.share()),
        share_cell: credit(&Digest::default(), share(market, input)),
        slot,
        terms,
        perp,
        ..Side::default()
    };
    trigger(&mut row, market);
    row.leg.cash = Scaled::of(market.notional, input.factor());
    Ok(row)
}

fn share(market: &Market, input: &SideInput<'_>) -> u128 {
    u128::from(market.notional) * u128::from(input.share())
}

fn trigger(row: &mut Side<F>, market: &Market) {
    let wide = |x: &[F; 2]| i64::from(x[0].as_canonical_u32()) | i64::from(x[1].as_canonical_u32()) << 24;
    let way = signed(row.perp.is_above) - signed(row.perp.is_below);
    let way = if row.slot.is_continued == F::ONE { 0 } else { way };
    let (mark, trigger) = (wide(&market.price.mark), wide(&row.perp.trigger));
    let gap = way * (mark - trigger);
    row.past = u24(gap);
    row.past_hi = F::from_i64(gap >> 24 & 0xff);
    row.past_borrow = F::from_bool(way * ((mark & 0xff_ffff) - (trigger & 0xff_ffff)) < 0);
}

/// Fills in the leg on cells that held `sub` and `pos`.
pub fn leg(row: &mut Side<F>, book: &mut Book<'_>, market: &Market, sub: &Digest, pos: &Digest) {
    let sells = row.terms.is_sell == F::ONE;
    let x = &mut row.leg;
    let before = u64::from(pos[0].as_canonical_u32()) | u64::from(pos[1].as_canonical_u32()) << 24;
    let last = ([pos[3], pos[4], pos[5]], pos[6]);
    (x.is_due, x.settled) = book.settle(before, pos[2], last, &market.price);
    x.short_before = pos[2];
    (x.last, x.last_negative) = last;
    size(x, before, market, sells);
    collateral(x, sub, sells);
    let holdings = sub[5].as_canonical_u32();
    x.positions = F::from_u32(holdings & 63) + x.flat_before - x.flat_after;
    x.mask = bits(i64::from(holdings >> 6));
    x.is_bare = F::from_bool(x.positions == F::ZERO);
    x.bare_inv = inverse(x.positions);
    judged(row, market);
}

fn zero_test(digits: &[F]) -> (F, F) {
    let sum: F = digits.iter().copied().sum();
    (F::from_bool(sum == F::ZERO), inverse(sum))
}

fn size(x: &mut Leg<F>, before: u64, market: &Market, sells: bool) {
    let old = turn(x.short_before == F::ONE) * before as i64;
    let way = turn(sells);
    let new = old + way * market.lots as i64;
    let after = new.unsigned_abs() & ((1 << 48) - 1);
    x.lots_before = felts(digits12(before.into()));
    x.lots_after = felts(digits12(after.into()));
    x.short_after = F::from_bool(new < 0);
    (x.flat_before, x.flat_before_inv) = zero_test(&x.lots_before);
    (x.flat_after, x.flat_after_inv) = zero_test(&x.lots_after);
    let low = |lots: u64| (lots & 0xff_ffff) as i64;
    let sum = turn(x.short_before == F::ONE) * low(before) + way * low(market.lots);
    x.size_carry = bits(((turn(new < 0) * sum) >> 24) + 2);
    let opposes = before != 0 && (x.short_before == F::ONE) != sells;
    let follows = new != 0 && (new < 0) == sells;
    x.opposes = F::from_bool(opposes);
    x.follows = F::from_bool(follows);
    x.shrinks = F::from_bool(opposes && !follows);
    let lots = if market.live && x.shrinks == F::ZERO { after } else { 0 };
    let unit = digits12::<5>(market.unit_price);
    x.bound = felts(digits12(u128::from(lots) * market.unit_price));
    x.bound_carries = product_carries(&digits12::<4>(lots.into()), &unit);
}

fn collateral(x: &mut Leg<F>, sub: &Digest, sells: bool) {
    let (from, way) = (turn(sub[4] == F::ONE), turn(sells));
    x.collateral_before = core::array::from_fn(|k| sub[k]);
    x.negative_before = sub[4];
    let cash = x.cash.amount();
    let limbs: [i64; 4] = core::array::from_fn(|k| {
        let settled = signed(x.settled[2 * k]) + (signed(x.settled[2 * k + 1]) << 12);
        from * signed(sub[k]) + settled - way * signed(cash[k])
    });
    let total = limbs.iter().rev().fold(0i128, |acc, limb| (acc << 24) + i128::from(*limb));
    let to = turn(total < 0);
    let mut carry = 0;
    for (k, limb) in limbs.into_iter().enumerate() {
        let sum = to * limb + carry;
        x.collateral_after[k] = u24(sum);
        carry = sum >> 24;
        if k < 3 {
            let three: [F; 3] = bits(carry + 4);
            x.cash_carries[3 * k..3 * k + 3].copy_from_slice(&three);
        }
    }
    x.negative_after = F::from_bool(total < 0);
    let sum: F = x.collateral_after.iter().map(U24::value).sum();
    x.negative_inv = if total < 0 { inverse(sum) } else { F::ZERO };
}

fn judged(row: &mut Side<F>, market: &Market) {
    let x = &row.leg;
    let idle = x.is_bare == F::ONE && x.negative_after == F::ZERO;
    if market.live && !idle {
        row.judged = F::ONE;
        row.reads = x.tokens().double() + x.others(&F::ONE) * F::from_u8(3);
    }
}

/// The broker of a side is paid on a cell that held `cell`.
pub fn pay_broker(row: &mut Side<F>, market: &Market, input: &SideInput<'_>, next: F, cell: &Digest) {
    row.pays_broker = F::ONE;
    row.distance = U24::of_felt(next - F::ONE - row.terms.broker);
    row.share_cell = credit(cell, share(market, input));
}

/// Open interest that was `before` and moves as the legs say.
pub fn interest(before: &Digest, sides: [&Side<F>; 2], market: &Market, cap: [F; 3]) -> Interest<F> {
    let mut change = [0i64; 2];
    for [old, new] in sides.map(|s| s.leg.lots()) {
        for k in 0..2 {
            change[k] += signed(new[k]) - signed(old[k]);
        }
    }
    interest_by(before, change, (&market.price, market.live), cap)
}

/// Open interest that was `before` and moves by a change in two limbs, if it is `live`.
pub fn interest_by(
    before: &Digest,
    change: [i64; 2],
    (price, live): (&Price<F>, bool),
    cap: [F; 3],
) -> Interest<F> {
    let moves = magnitude(&[before[3], before[4], F::ZERO, F::ZERO, F::ZERO, F::ZERO, F::ZERO, F::ZERO]) + 1;
    let mut x = Interest {
        before: [before[0], before[1], before[2]],
        moves: [0, 24].map(|s| u24((moves >> s) as i64)),
        moves_carry: F::from_bool(moves & 0xff_ffff == 0),
        ..Interest::default()
    };
    let mut carry = 0;
    let mut after = [0i64; 3];
    for k in 0..3 {
        let sum = signed(before[k]) + change.get(k).copied().unwrap_or(0) + carry;
        after[k] = sum & 0xff_ffff;
        carry = sum >> 24;
        if k < 2 {
            let three: [F; 3] = bits(carry + 4);
            x.carries[3 * k..3 * k + 3].copy_from_slice(&three);
        }
    }
    let total = after.iter().rev().fold(0i128, |acc, limb| (acc << 24) + i128::from(*limb));
    x.after = felts(digits12(total.unsigned_abs()));
    let change = change[0] + (change[1] << 24);
    if live && change > 0 {
        room(&mut x, total.unsigned_abs(), price, cap);
    } else {
        room(&mut x, 0, price, cap);
        x.grew = F::ZERO;
        fall(&mut x, if live { after } else { [0; 3] }, live);
    }
    x
}

fn room(x: &mut Interest<F>, lots: u128, price: &Price<F>, cap: [F; 3]) {
    let unit = price.unit.map(|digit| digit.as_canonical_u32());
    let unit_value = unit.iter().rev().fold(0u128, |acc, digit| acc << 12 | u128::from(*digit));
    let value = lots * unit_value;
    x.grew = F::ONE;
    x.value = felts(digits12(value));
    x.value_carries = product_carries(&digits12::<5>(lots), &unit);
    let limbs = core::array::from_fn(|k| i64::from(limb24(value, k)));
    let (gap, borrows) = difference(cap.map(signed), limbs);
    (x.room, x.room_borrows) = (gap.map(u24), borrows);
}

fn fall(x: &mut Interest<F>, after: [i64; 3], live: bool) {
    let before = if live { x.before.map(signed) } else { [0; 3] };
    let (gap, borrows) = difference(before, after);
    x.fall = [u24(gap[0]), u24(gap[1])];
    x.fall_hi = F::from_i64(gap[2]);
    x.fall_borrows = borrows;
}

/// Limbs of `x - y`, none negative but the top one, and their borrows.
fn difference(x: [i64; 3], y: [i64; 3]) -> ([i64; 3], [F; 2]) {
    let mut borrow = 0;
    let mut borrows = [F::ZERO; 2];
    let gap = core::array::from_fn(|k| {
        let d = x[k] - y[k] - borrow;
        borrow = i64::from(d < 0);
        match borrows.get_mut(k) {
            Some(to) => {
                *to = F::from_i64(borrow);
                d & 0xff_ffff
            }
            None => d,
        }
    });
    (gap, borrows)
}
