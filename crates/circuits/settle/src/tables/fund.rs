//! Insurance pays: its collateral moves, and what it has left is judged unless nothing is at stake.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c};
use tsz_margin::tables::{Claim, MASK_WEIGHT, MAX_POSITIONS, NO_MARKET, PLACES, claim, weight};

use super::cash::{Cash, cash};

/// Account of insurance; its sub-account is 0.
pub const INSURANCE: u32 = 1;
/// Which judgement of the op that of insurance is.
pub const WHO: u32 = 1;

columns! {
    /// The SUB cell of insurance.
    pub struct Fund {
        /// Open positions, kept; at most 32 by two lookups.
        positions: felt,
        /// 1 = none; boolean, owned by the zero test.
        is_bare: felt,
        /// Inverse of their number, or 0.
        bare_inv: felt,
        /// Which margin tokens are held after; boolean.
        mask: [PLACES],
        /// Collateral.
        cash: (Cash),
        /// 1 = judged: positions or debt are left.
        judged: felt,
        /// Accesses of the judgement.
        reads: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Fund<E> {
    /// Positions and margin tokens after.
    pub fn holdings(&self) -> E {
        self.positions.clone() + weight(&self.mask) * c::<E>(MASK_WEIGHT)
    }

    fn tokens(&self) -> E {
        self.mask.iter().cloned().sum()
    }

    /// What is judged in the log of op `index` from access `at` on: at the last prices, TAV >= IMR.
    pub fn claim(&self, index: E, at: E) -> Claim<E> {
        let zero = || E::ZERO;
        let sign = E::ONE - self.cash.sign.negative.double();
        let left: [E; 4] = core::array::from_fn(|k| sign.clone() * self.cash.after[k].value());
        Claim {
            index,
            who: c(WHO),
            account: c(INSURANCE),
            sub: zero(),
            market: c(NO_MARKET),
            has_market: zero(),
            at,
            mask: weight(&self.mask),
            tokens: self.tokens(),
            others: self.positions.clone(),
            unit: core::array::from_fn(|_| zero()),
            lots_before: core::array::from_fn(|_| zero()),
            short_before: zero(),
            lots_after: core::array::from_fn(|_| zero()),
            short_after: zero(),
            collateral_before: left.clone(),
            collateral_after: left,
            grows: zero(),
            is_strict: E::ONE,
            pays: zero(),
            is_forced: E::ONE,
        }
    }
}

/// A number of positions, at most [`MAX_POSITIONS`].
pub fn count<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, positions: &AB::Expr) {
    row.range(positions.clone());
    row.range(positions.clone() + c::<AB::Expr>(4095 - MAX_POSITIONS));
}

/// Insurance gains `x` (signed limbs, below 2^25 in size) and is judged from access `at` on if it must be.
pub fn fund<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    f: &Fund<AB::Expr>,
    x: &[AB::Expr; 4],
    at: AB::Expr,
) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    count(row, &f.positions);
    row.boolean(&f.is_bare);
    row.zero(f.positions.clone() * f.bare_inv.clone() - real.clone() + f.is_bare.clone());
    row.zero(f.positions.clone() * f.is_bare.clone());
    for bit in &f.mask {
        row.boolean(bit);
    }
    cash(row, &f.cash, x);
    let idle = f.is_bare.clone() * (one - f.cash.sign.negative.clone());
    row.zero(real - idle - f.judged.clone());
    let reads = f.tokens().double() + f.positions.clone() * c::<AB::Expr>(3);
    row.zero(f.judged.clone() * reads - f.reads.clone());
    let index = row.index.clone();
    claim(row, &f.judged, &f.claim(index, at));
}

impl<E: PrimeCharacteristicRing + Clone> Cash<E> {
    /// Limbs left.
    pub fn limbs(&self) -> [E; 4] {
        self.after.each_ref().map(U24::value)
    }
}
