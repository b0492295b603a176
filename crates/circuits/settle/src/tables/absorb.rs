//! AbsorbDebt: one row an op.
//!
//! Proven: a user's sub-account without positions and margin tokens has negative collateral, which becomes 0; insurance
//! pays it. Insurance has no positions, and its collateral is not negative after: nothing of it is at stake.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, Shape, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::cash::{Cash, cash};

/// Account of insurance.
const INSURANCE: u32 = 1;
/// The first account of a user.
const FIRST_USER: u32 = 2;
/// Weight of the mask of margin tokens in the holdings of a sub-account.
const MASK_WEIGHT: u32 = 64;

columns! {
    /// One AbsorbDebt.
    pub struct Absorb {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Account; range12.
        account: (U24),
        /// account - 2; range12.
        user: (U24),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Magnitude of the negative collateral found (24, 24, 24, 23 bits); bound by the tuple.
        debt: [4],
        /// Which margin tokens insurance holds, kept; boolean.
        mask: [4],
        /// Collateral of insurance.
        insurance: (Cash),
    }
}

op_air! {
    /// AIR of [`Absorb`].
    AbsorbAir, Absorb, "absorb", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for AbsorbAir {
    fn eval(&self, builder: &mut AB) {
        let a: Absorb<AB::Expr> = current(builder);
        let mut row = Row::new(builder, a.is_real.clone(), a.index.clone(), Shape { n: 2, nv: 4 });
        let real = row.real.clone();
        row.u24(&a.account);
        row.u24(&a.user);
        row.zero(a.account.value() - a.user.value() - real * c::<AB::Expr>(FIRST_USER));
        row.narrow(&a.sub, 5);
        row.key(0, true, a.account.value(), a.sub.clone() * c::<AB::Expr>(512));
        let [d0, d1, d2, d3] = a.debt.clone();
        row.old(0, pad8(&[d0, d1, d2, d3, AB::Expr::ONE]));
        row.new_value(0, pad8(&[]));

        cash(&mut row, &a.insurance, &a.debt.clone().map(|limb| -limb));
        // never negative: there is no inverse
        row.zero(a.insurance.sign.negative.clone());
        row.zero(a.insurance.sign.sum_inv.clone());
        for bit in &a.mask {
            row.boolean(bit);
        }
        let mask = a.mask.iter().rev().fold(AB::Expr::ZERO, |acc, bit| acc.double() + bit.clone());
        let holdings = mask * c::<AB::Expr>(MASK_WEIGHT);
        row.key(1, true, c(INSURANCE), AB::Expr::ZERO);
        row.old(1, a.insurance.old_leaf(holdings.clone()));
        row.new_value(1, a.insurance.new_leaf(holdings));
    }
}
