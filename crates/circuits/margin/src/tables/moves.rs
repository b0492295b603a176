//! What an op does to the position and the collateral of a sub-account, for a payment of any size.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, compose12, pad8};

use super::collateral::{PLACES, weight};
use super::price::Price;
use super::settle::{Settlement, lookup as lookup_settlement};

/// Open positions of a sub-account at most.
pub const MAX_POSITIONS: u32 = 32;
/// Weight of the mask of margin tokens in the holdings of a sub-account.
pub const MASK_WEIGHT: u32 = 64;

columns! {
    /// Position and collateral before and after.
    pub struct Move {
        /// Base 2^12 digits of the lots in POS; range12.
        lots_before: [4],
        /// 1 = short; bound by the bus.
        short_before: felt,
        /// Index of the last settlement (24, 24, 15 bits); bound by the bus.
        last: [3],
        /// Its sign; bound by the bus.
        last_negative: felt,
        /// 1 = no position before; boolean, owned by the zero test.
        flat_before: felt,
        /// Inverse of the digit sum of the lots before, or 0.
        flat_before_inv: felt,
        /// 1 = unsettled funding; boolean.
        is_due: felt,
        /// It, in signed digits; bound by `settle`, 0 unless due.
        settled: [8],
        /// Base 2^12 digits of the lots left in POS; range12.
        lots_after: [4],
        /// 1 = short; boolean, not without lots.
        short_after: felt,
        /// 1 = no position after; boolean, owned by the zero test.
        flat_after: felt,
        /// Inverse of the digit sum of the lots after, or 0.
        flat_after_inv: felt,
        /// Carry of the lots plus 2; two bits, boolean.
        size_carry: [2],
        /// Collateral in SUB (24, 24, 24, 23 bits); bound by the bus.
        collateral_before: [4],
        /// Its sign; bound by the bus.
        negative_before: felt,
        /// Collateral left; range12, below 2^95.
        collateral_after: (U24 * 4),
        /// Its sign; boolean, not with 0.
        negative_after: felt,
        /// Inverse of the sum of the limbs after, if negative.
        negative_inv: felt,
        /// Carries of the collateral plus 4; three bits each, boolean.
        cash_carries: [9],
        /// Open positions after; at most 32, and not 0 beside one in the market.
        positions: felt,
        /// Their inverse, if the position after is open.
        positions_inv: felt,
        /// Which margin tokens are held; boolean, kept.
        mask: [PLACES],
    }
}

fn sign<E: PrimeCharacteristicRing + Clone>(bit: &E) -> E {
    E::ONE - bit.double()
}

fn limbs<E: PrimeCharacteristicRing + Clone>(digits: &[E; 4]) -> [E; 2] {
    [compose12(&digits[..2]), compose12(&digits[2..])]
}

impl<E: PrimeCharacteristicRing + Clone> Move<E> {
    /// Lots before and after (24, 24 bits).
    pub fn lots(&self) -> [[E; 2]; 2] {
        [limbs(&self.lots_before), limbs(&self.lots_after)]
    }

    /// Number of the margin tokens.
    pub fn tokens(&self) -> E {
        self.mask.iter().cloned().sum()
    }

    /// Open positions in other markets.
    pub fn others(&self, real: &E) -> E {
        self.positions.clone() - real.clone() + self.flat_after.clone()
    }

    /// SUB found and left.
    pub fn sub_leaves(&self) -> [[E; 8]; 2] {
        let [a, b, x, y] = self.collateral_before.clone();
        let holdings = self.positions.clone() + weight(&self.mask) * c::<E>(MASK_WEIGHT);
        let opened = self.flat_before.clone() - self.flat_after.clone();
        let old = pad8(&[a, b, x, y, self.negative_before.clone(), holdings.clone() - opened]);
        let [a, b, x, y] = core::array::from_fn(|k| self.collateral_after[k].value());
        [old, pad8(&[a, b, x, y, self.negative_after.clone(), holdings])]
    }

    /// POS found and left.
    pub fn pos_leaves(&self, price: &Price<E>) -> [[E; 8]; 2] {
        let [[a, b], [x, y]] = self.lots();
        let [f0, f1, f2] = self.last.clone();
        let old = pad8(&[a, b, self.short_before.clone(), f0, f1, f2, self.last_negative.clone()]);
        let open = E::ONE - self.flat_after.clone();
        let [f0, f1, f2] = price.funding.clone().map(|limb| open.clone() * limb);
        let negative = open * price.funding_negative.clone();
        [old, pad8(&[x, y, self.short_after.clone(), f0, f1, f2, negative])]
    }

    /// Signed limbs of the settlement.
    pub fn settled_limbs(&self) -> [E; 4] {
        core::array::from_fn(|k| compose12(&self.settled[2 * k..2 * k + 2]))
    }

    /// Signed limbs of the collateral before, the position settled.
    pub fn collateral_settled(&self) -> [E; 4] {
        let settled = self.settled_limbs();
        core::array::from_fn(|k| {
            sign(&self.negative_before) * self.collateral_before[k].clone() + settled[k].clone()
        })
    }

    /// Signed limbs of the collateral after.
    pub fn collateral_left(&self) -> [E; 4] {
        core::array::from_fn(|k| sign(&self.negative_after) * self.collateral_after[k].value())
    }

    fn settlement(&self, price: &Price<E>) -> Settlement<E> {
        Settlement {
            lots: self.lots_before.clone(),
            is_short: self.short_before.clone(),
            qm: price.qm.clone(),
            last: self.last.clone(),
            last_negative: self.last_negative.clone(),
            now: price.funding.clone(),
            now_negative: price.funding_negative.clone(),
            value: self.settled.clone(),
        }
    }
}

/// The position is settled and moved by `lots` (24, 24 bits) up, or down if the boolean `down`; the collateral gains the
/// settlement and `cash`: signed limbs, the lower three of 24 bits, the last below 2^26 in size.
pub fn moves<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Move<AB::Expr>,
    price: &Price<AB::Expr>,
    (lots, down): (&[AB::Expr; 2], &AB::Expr),
    cash: &[AB::Expr; 4],
) {
    moves_beyond(row, x, price, (lots, down), cash, &AB::Expr::ZERO);
}

/// [`moves`] for a position that is only supposed to move: it may be one more than a sub-account may have, if the boolean
/// `beyond` (at most `real`).
pub fn moves_beyond<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Move<AB::Expr>,
    price: &Price<AB::Expr>,
    (lots, down): (&[AB::Expr; 2], &AB::Expr),
    cash: &[AB::Expr; 4],
    beyond: &AB::Expr,
) {
    for digit in x.lots_before.iter().chain(&x.lots_after) {
        row.range(digit.clone());
    }
    zero_test(row, x.lots_before.iter().cloned().sum(), &x.flat_before, &x.flat_before_inv);
    zero_test(row, x.lots_after.iter().cloned().sum(), &x.flat_after, &x.flat_after_inv);
    settlement(row, x, price);
    size(row, x, lots, down);
    collateral(row, x, cash);
    count(row, x, beyond);
}

/// At most 32 positions after, one at least if the position after is open: the count before is never below 0, so it takes
/// nothing from the mask. The mask has four bits.
fn count<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Move<AB::Expr>, beyond: &AB::Expr) {
    row.range(x.positions.clone());
    row.range(x.positions.clone() + c::<AB::Expr>(4095 - MAX_POSITIONS) - beyond.clone());
    let open = row.real.clone() - x.flat_after.clone();
    row.zero(open * (x.positions.clone() * x.positions_inv.clone() - AB::Expr::ONE));
    for bit in &x.mask {
        row.boolean(bit);
    }
}

/// `flag` = 1 iff the sum of small numbers is 0, on real rows.
fn zero_test<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    sum: AB::Expr,
    flag: &AB::Expr,
    inv: &AB::Expr,
) {
    let real = row.real.clone();
    row.boolean(flag);
    row.zero(sum.clone() * inv.clone() - real + flag.clone());
    row.zero(sum * flag.clone());
}

/// Unless due, the position is empty or at the present index, and nothing is settled.
fn settlement<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Move<AB::Expr>,
    price: &Price<AB::Expr>,
) {
    row.boolean(&x.is_due);
    row.zero(x.is_due.clone() * (AB::Expr::ONE - row.real.clone()));
    lookup_settlement(row, &x.is_due, &x.settlement(price));
    let settled = AB::Expr::ONE - x.is_due.clone();
    for digit in &x.settled {
        row.zero(settled.clone() * digit.clone());
    }
    let open = settled * (row.real.clone() - x.flat_before.clone());
    for (last, now) in x.last.iter().zip(&price.funding) {
        row.zero(open.clone() * (last.clone() - now.clone()));
    }
    row.zero(open * (x.last_negative.clone() - price.funding_negative.clone()));
}

/// `sign_after (sign_before before_k ± lots_k) + carry_(k-1) = after_k + 2^24 carry_k`, the carry in -2..=1.
fn size<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Move<AB::Expr>,
    lots: &[AB::Expr; 2],
    down: &AB::Expr,
) {
    let [before, after] = x.lots();
    for bit in x.size_carry.iter().chain([&x.short_after]) {
        row.boolean(bit);
    }
    row.zero(x.short_after.clone() * x.flat_after.clone());
    let carry = x.size_carry[0].clone() + x.size_carry[1].double() - row.real.double();
    let moved = |k: usize| {
        let sum = sign(&x.short_before) * before[k].clone() + sign(down) * lots[k].clone();
        sign(&x.short_after) * sum - after[k].clone()
    };
    row.zero(moved(0) - carry.clone() * c::<AB::Expr>(1 << 24));
    row.zero(moved(1) + carry);
}

/// `sign_after (sign_before before_k + settled_k + cash_k) + carry_(k-1) = after_k + 2^24 carry_k`, carries in -4..=3:
/// both sides are below 2^28 in size.
fn collateral<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Move<AB::Expr>,
    cash: &[AB::Expr; 4],
) {
    let four = row.real.clone() * c::<AB::Expr>(4);
    for limb in &x.collateral_after {
        row.u24(limb);
    }
    row.range(x.collateral_after[3].hi.double());
    for bit in x.cash_carries.iter().chain([&x.negative_after]) {
        row.boolean(bit);
    }
    let sum: AB::Expr = x.collateral_after.iter().map(U24::value).sum();
    row.zero(x.negative_after.clone() * (sum * x.negative_inv.clone() - AB::Expr::ONE));
    let carry = |k: usize| {
        let [b0, b1, b2] = [0, 1, 2].map(|i| x.cash_carries[3 * k + i].clone());
        b0 + b1.double() + b2 * c::<AB::Expr>(4) - four.clone()
    };
    let settled = x.collateral_settled();
    for k in 0..4 {
        let sum = settled[k].clone() + cash[k].clone();
        let mut e = sign(&x.negative_after) * sum - x.collateral_after[k].value();
        if k > 0 {
            e += carry(k - 1);
        }
        if k < 3 {
            e -= carry(k) * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}
