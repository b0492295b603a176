//! Withdraw: takes units out of a bucket and records them for L1.
//!
//! Proven: the signer's key may withdraw; the token is listed and the units reach its minimum; the bucket stays
//! at or above zero without open positions; OUT absorbs `[4, account, tsb, units (3), 0, 0] [to (7), 0]`.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};

use crate::tables::{SIGNED_PUBLICS, current, op_air, signed_context};
use tsz_gadgets::bucket::{Debit, Place};
use tsz_gadgets::chain::{Chain, sys};
use tsz_gadgets::columns;
use tsz_gadgets::limb::{Address, U24};
use tsz_gadgets::row::{Row, Shape, TOK_HI, c, pad8};
use tsz_gadgets::signer::{Approver, Signer, permission};
use tsz_gadgets::units::Units;

columns! {
    /// One Withdraw.
    pub struct Withdraw {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The owner, who signs.
        signer: (Signer),
        /// Source.
        from: (Place),
        /// Token; < 128 by two lookups.
        token: felt,
        /// Amount.
        units: (Units),
        /// Inverse of the digit sum of the units.
        units_inv: felt,
        /// Recipient on L1.
        to: (Address),
        /// Minimum withdrawal (24, 24, 12 bits); bound by the bus.
        minimum: [3],
        /// Low limbs of units - minimum; range12. The third is an expression.
        excess: (U24 * 2),
        /// Borrows of that difference; boolean.
        borrows: [2],
        /// The source's cell.
        debit: (Debit),
        /// Withdrawal chain.
        out: (Chain),
    }
}

op_air! {
    /// AIR of [`Withdraw`]. Public values: S (8), T (2).
    WithdrawAir, Withdraw, "withdraw", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for WithdrawAir {
    fn eval(&self, builder: &mut AB) {
        withdraw_constraints(builder, 4, Approver::Signature);
    }
}

/// The constraints of the table, for ops whose messages have a code and are approved in some way. The record for
/// L1 has code 4 in any case.
pub fn withdraw_constraints<AB: InteractionBuilder<F = F>>(builder: &mut AB, code: u32, by: Approver) {
    let w: Withdraw<AB::Expr> = current(builder);
    let (system, time) = signed_context(builder);
    let more = by.accesses();
    let shape = Shape { n: 6 + more, nv: 9 + more };
    let mut row = Row::new(builder, w.is_real.clone(), w.index.clone(), shape);
    row.place(&w.from, &w.token);
    row.narrow(&w.token, 7);
    row.units(&w.units);
    row.units_non_zero(&w.units, &w.units_inv);
    row.address(&w.to);

    let [u0, u1, u2] = w.units.limbs();
    let [nonce_lo, nonce_hi] = w.signer.nonce();
    let account = w.signer.account.value();
    let (sb, tsb) = (w.from.sb(), w.from.tsb(&w.token));
    let first = [c(code), account.clone(), sb, w.token.clone(), u0.clone(), u1.clone(), u2.clone(), nonce_hi];
    let mut second = pad8(&w.to.values());
    second[7] = nonce_lo;
    row.approver(0, &w.signer, w.from.sub.clone(), (&system, &time), [first, second], by);
    let may = w.signer.permissions[permission::WITHDRAW].clone();
    row.zero(w.is_real.clone() * (AB::Expr::ONE - may));

    token(&mut row, &w, 3 + more);
    row.debit(&w.debit);
    row.key(4 + more, true, account.clone(), w.from.lo(&w.token));
    row.old(4 + more, w.debit.old_leaf(&w.units.amount()));
    row.new_value(1, w.debit.new_leaf());
    let record = [pad8(&[c(4), account, tsb, u0, u1, u2]), pad8(&w.to.values())];
    row.chain((5 + more, 2, sys::OUT), &w.out, &w.is_real, record);
}

/// The token is listed in access `j`, and units - minimum has 60 bits. Limb equations are of integers below 2^25 in size.
fn token<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, w: &Withdraw<AB::Expr>, j: u32) {
    let [m0, m1, m2] = w.minimum.clone();
    row.key(j, false, c(TOK_HI), w.token.clone());
    row.old(j, pad8(&[AB::Expr::ONE, m0.clone(), m1.clone(), m2.clone()]));
    for borrow in &w.borrows {
        row.boolean(borrow);
    }
    for limb in &w.excess {
        row.u24(limb);
    }
    let [u0, u1, u2] = w.units.limbs();
    let [b0, b1] = w.borrows.clone();
    let radix = c::<AB::Expr>(1 << 24);
    row.zero(u0 - m0 + b0.clone() * radix.clone() - w.excess[0].value());
    row.zero(u1 - m1 - b0 + b1.clone() * radix - w.excess[1].value());
    row.range(u2 - m2 - b1);
}
