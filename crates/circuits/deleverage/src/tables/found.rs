//! An open position of one side, as an op finds it.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c, compose12, pad8};
use tsz_margin::tables::{MASK_WEIGHT, MAX_POSITIONS, PLACES, Price, Settlement, lookup_settlement, weight};

columns! {
    /// Position and sub-account; the side is known from elsewhere.
    pub struct Found {
        /// Base 2^12 digits of the lots in POS; range12.
        lots: [4],
        /// Inverse of their sum: the position is open.
        lots_inv: felt,
        /// Index of the last settlement (24, 24, 15 bits); bound by the bus.
        last: [3],
        /// Its sign; bound by the bus.
        last_negative: felt,
        /// 1 = unsettled funding; boolean.
        is_due: felt,
        /// It, in signed digits; bound by `settle`, 0 unless due.
        settled: [8],
        /// Collateral in SUB (24, 24, 24, 23 bits); bound by the bus.
        collateral: [4],
        /// Its sign; bound by the bus.
        negative: felt,
        /// Open positions; at most 32.
        positions: felt,
        /// Which margin tokens are held; boolean.
        mask: [PLACES],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Found<E> {
    /// Lots (24, 24 bits).
    pub fn limbs(&self) -> [E; 2] {
        [compose12(&self.lots[..2]), compose12(&self.lots[2..])]
    }

    /// Number of the margin tokens.
    pub fn tokens(&self) -> E {
        self.mask.iter().cloned().sum()
    }

    /// SUB.
    pub fn sub_leaf(&self) -> [E; 8] {
        let [a, b, x, y] = self.collateral.clone();
        let holdings = self.positions.clone() + weight(&self.mask) * c::<E>(MASK_WEIGHT);
        pad8(&[a, b, x, y, self.negative.clone(), holdings])
    }

    /// POS of the side.
    pub fn pos_leaf(&self, short: &E) -> [E; 8] {
        let ([a, b], [f0, f1, f2]) = (self.limbs(), self.last.clone());
        pad8(&[a, b, short.clone(), f0, f1, f2, self.last_negative.clone()])
    }

    /// Signed limbs of the collateral, the position settled.
    pub fn collateral_settled(&self) -> [E; 4] {
        let sign = E::ONE - self.negative.double();
        core::array::from_fn(|k| {
            sign.clone() * self.collateral[k].clone() + compose12(&self.settled[2 * k..2 * k + 2])
        })
    }
}

/// The position is open; unless due, it is at the present index and nothing is unsettled.
pub fn found<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Found<AB::Expr>,
    short: &AB::Expr,
    price: &Price<AB::Expr>,
) {
    let real = row.real.clone();
    for digit in &x.lots {
        row.range(digit.clone());
    }
    let sum: AB::Expr = x.lots.iter().cloned().sum();
    row.zero(sum * x.lots_inv.clone() - real.clone());
    row.boolean(&x.is_due);
    row.zero(x.is_due.clone() * (AB::Expr::ONE - real.clone()));
    let settlement = Settlement {
        lots: x.lots.clone(),
        is_short: short.clone(),
        qm: price.qm.clone(),
        last: x.last.clone(),
        last_negative: x.last_negative.clone(),
        now: price.funding.clone(),
        now_negative: price.funding_negative.clone(),
        value: x.settled.clone(),
    };
    lookup_settlement(row, &x.is_due, &settlement);
    let settled = real - x.is_due.clone();
    for digit in &x.settled {
        row.zero((AB::Expr::ONE - x.is_due.clone()) * digit.clone());
    }
    for (last, now) in x.last.iter().zip(&price.funding) {
        row.zero(settled.clone() * (last.clone() - now.clone()));
    }
    row.zero(settled * (x.last_negative.clone() - price.funding_negative.clone()));
    row.range(x.positions.clone());
    row.range(x.positions.clone() + c::<AB::Expr>(4095 - MAX_POSITIONS));
    for bit in &x.mask {
        row.boolean(bit);
    }
}
