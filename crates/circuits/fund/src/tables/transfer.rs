//! Transfer: moves units between two buckets, of one account or of two.
//!
//! Proven: the signer's key has the permission (transfer-internal within the account, else transfer-out); the
//! source stays at or above zero without open positions; the destination exists and is another cell; both move
//! by the same amount.

use tsz_air::{Air, F, InteractionBuilder};

use crate::tables::{SIGNED_PUBLICS, current, op_air, signed_context};
use tsz_gadgets::bucket::{Credit, Debit, Place};
use tsz_gadgets::chain::sys;
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, Shape, c, pad8};
use tsz_gadgets::signer::{Approver, Signer, permission};
use tsz_gadgets::units::Units;

columns! {
    /// One Transfer.
    pub struct Transfer {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The source's owner, who signs.
        signer: (Signer),
        /// Source.
        from: (Place),
        /// Destination account; range12.
        to_account: (U24),
        /// Destination.
        to: (Place),
        /// Token of both; < 128 by two lookups.
        token: felt,
        /// Amount.
        units: (Units),
        /// Inverse of the digit sum of the units.
        units_inv: felt,
        /// 1 = the destination is of the same account; boolean, owned by the zero test of the difference.
        is_internal: felt,
        /// Inverse of the difference of the accounts, or 0.
        account_diff_inv: felt,
        /// Inverse of the difference of the lower key halves if internal: the cells differ.
        cell_diff_inv: felt,
        /// Batch, time in HEAD, which is only read; bound by the bus.
        head: [4],
        /// Next account; bound by the bus, at most 2^24.
        next_account: felt,
        /// next_account - 1 - to_account; range12: the destination exists.
        distance: (U24),
        /// The source's cell.
        debit: (Debit),
        /// The destination's cell.
        credit: (Credit),
    }
}

op_air! {
    /// AIR of [`Transfer`]. Public values: S (8), T (2).
    TransferAir, Transfer, "transfer", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TransferAir {
    fn eval(&self, builder: &mut AB) {
        transfer_constraints(builder, 3, Approver::Signature);
    }
}

/// The constraints of the table, for ops whose messages have a code and are approved in some way.
pub fn transfer_constraints<AB: InteractionBuilder<F = F>>(builder: &mut AB, code: u32, by: Approver) {
    let t: Transfer<AB::Expr> = current(builder);
    let (system, time) = signed_context(builder);
    let more = by.accesses();
    let shape = Shape { n: 6 + more, nv: 9 + more };
    let mut row = Row::new(builder, t.is_real.clone(), t.index.clone(), shape);
    row.u24(&t.to_account);
    row.place(&t.from, &t.token);
    row.place(&t.to, &t.token);
    row.narrow(&t.token, 7);
    row.units(&t.units);
    row.units_non_zero(&t.units, &t.units_inv);
    parties(&mut row, &t);

    let [u0, u1, u2] = t.units.limbs();
    let [nonce_lo, nonce_hi] = t.signer.nonce();
    let account = t.signer.account.value();
    let first = [c(code), account.clone(), t.from.sb(), t.token.clone(), u0, u1, u2, nonce_hi];
    let mut second = pad8(&[t.to_account.value(), t.to.sb()]);
    second[7] = nonce_lo;
    row.approver(1, &t.signer, t.from.sub.clone(), (&system, &time), [first, second], by);

    let amount = t.units.amount();
    row.debit(&t.debit);
    row.key(4 + more, true, account, t.from.lo(&t.token));
    row.old(4 + more, t.debit.old_leaf(&amount));
    row.new_value(1, t.debit.new_leaf());
    row.credit(&t.credit, &t.to.bucket, &amount);
    row.key(5 + more, true, t.to_account.value(), t.to.lo(&t.token));
    row.old(5 + more, t.credit.old_leaf());
    row.new_value(2, t.credit.new_leaf());
}

fn parties<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Transfer<AB::Expr>) {
    let real = t.is_real.clone();
    // is_internal = 1 iff the accounts are equal.
    let difference = t.signer.account.value() - t.to_account.value();
    row.zero(difference.clone() * t.account_diff_inv.clone() + t.is_internal.clone() - real.clone());
    row.zero(difference * t.is_internal.clone());
    let internal = t.signer.permissions[permission::TRANSFER_INTERNAL].clone();
    let out = t.signer.permissions[permission::TRANSFER_OUT].clone();
    row.zero(t.is_internal.clone() * internal + (real.clone() - t.is_internal.clone()) * out - real.clone());
    let cells = t.from.lo(&t.token) - t.to.lo(&t.token);
    row.zero(cells * t.cell_diff_inv.clone() - t.is_internal.clone());

    let [b0, b1, t0, t1] = t.head.clone();
    row.sys_key(0, false, sys::HEAD);
    row.old(0, pad8(&[b0, b1, t0, t1, t.next_account.clone()]));
    row.u24(&t.distance);
    row.zero(t.next_account.clone() - real - t.to_account.value() - t.distance.value());
}
