//! AbsorbDebt: one row an op.
//!
//! Proven: a user's sub-account without positions and margin tokens has negative collateral, which becomes 0; insurance
//! pays it, and is judged if it has positions or debts after.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::fund::{Fund, INSURANCE, fund};

/// The first account of a user.
const FIRST_USER: u32 = 2;

columns! {
    /// A user's sub-account.
    pub struct Debtor {
        /// Account; range12.
        account: (U24),
        /// account - 2; range12.
        user: (U24),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
    }
}

columns! {
    /// One AbsorbDebt.
    pub struct Absorb {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Whose debt it is.
        debtor: (Debtor),
        /// Magnitude of the negative collateral found (24, 24, 24, 23 bits); bound by the tuple.
        debt: [4],
        /// Insurance.
        fund: (Fund),
    }
}

op_air! {
    /// AIR of [`Absorb`]. No public values.
    AbsorbAir, Absorb, "absorb", 0
}

impl<E: PrimeCharacteristicRing + Clone> Debtor<E> {
    /// Key of its cell `number`.
    pub fn key(&self, number: E) -> [E; 2] {
        [self.account.value(), self.sub.clone() * c::<E>(512) + number]
    }
}

impl Debtor<F> {
    /// Columns of a party.
    pub fn of(party: tsz_trade::Party) -> Self {
        let account = party.account.get();
        Self {
            account: U24::of(account),
            user: U24::of(account.wrapping_sub(FIRST_USER) & 0xff_ffff),
            sub: F::from_u8(party.sub.get()),
        }
    }
}

/// The debtor is a user's sub-account.
pub fn debtor<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, d: &Debtor<AB::Expr>) {
    row.u24(&d.account);
    row.u24(&d.user);
    row.zero(d.account.value() - d.user.value() - row.real.clone() * c::<AB::Expr>(FIRST_USER));
    row.narrow(&d.sub, 5);
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for AbsorbAir {
    fn eval(&self, builder: &mut AB) {
        let a: Absorb<AB::Expr> = current(builder);
        let (real, reads) = (a.is_real.clone(), a.fund.reads.clone());
        let n = real.double() + reads;
        let mut row = Row::sized(builder, real.clone(), a.index.clone(), n.clone(), n + real.double());
        debtor(&mut row, &a.debtor);
        let [hi, lo] = a.debtor.key(AB::Expr::ZERO);
        row.key(0, true, hi, lo);
        let [d0, d1, d2, d3] = a.debt.clone();
        row.old(0, pad8(&[d0, d1, d2, d3, AB::Expr::ONE]));
        row.new_value(0, pad8(&[]));

        fund(&mut row, &a.fund, &a.debt.clone().map(|limb| -limb), c(2));
        row.key(1, true, c(INSURANCE), AB::Expr::ZERO);
        row.old(1, a.fund.cash.old_leaf(a.fund.holdings()));
        row.new_value(1, a.fund.cash.new_leaf(a.fund.holdings()));
    }
}
