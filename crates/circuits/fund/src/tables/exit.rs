//! FullExit (L1): the L1 owner takes the whole units out of a bucket.
//!
//! Proven: the record is absorbed into L1CHAIN; the exit succeeds iff the account exists, its owner is the
//! sender, it is not the insurance account and the cell is not negative and has no open positions. Then
//! `units = floor(cell / 10^6)`, the rest below 10^6 stays and OUT absorbs the withdrawal; else nothing moves.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};

use crate::tables::{current, op_air};
use tsz_gadgets::bucket::{Debit, Place};
use tsz_gadgets::chain::{Chain, L1Queue, sys};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::owner::Owner;
use tsz_gadgets::row::{Row, Shape, c, pad8};
use tsz_gadgets::units::{SCALE, Units};

columns! {
    /// One FullExit.
    pub struct Exit {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// 1 = the exit succeeds; boolean.
        is_ok: felt,
        /// Refused: the account is the insurance fund; boolean.
        is_reserved: felt,
        /// Refused: open positions; boolean.
        is_open: felt,
        /// Refused: negative; boolean.
        is_negative: felt,
        /// Account; range12.
        account: (U24),
        /// Inverse of account - 1 if the exit succeeds.
        account_inv: felt,
        /// Bucket.
        place: (Place),
        /// Token; < 128 by two lookups.
        token: felt,
        /// The account cell against the sender.
        owner: (Owner),
        /// Units withdrawn; 0 if refused.
        units: (Units),
        /// The bucket's cell: loses the units.
        cell: (Debit),
        /// 999,999 - rest if the exit succeeds, else 0; range12.
        below_unit: (U24),
        /// Sign of the cell, kept; bound by the bus.
        negative: felt,
        /// Open positions, kept; bound by the bus.
        pos_count: felt,
        /// Inverse of the open positions where they are the reason.
        pos_count_inv: felt,
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Withdrawal chain.
        out: (Chain),
    }
}

op_air! {
    /// AIR of [`Exit`].
    ExitAir, Exit, "exit", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ExitAir {
    fn eval(&self, builder: &mut AB) {
        let e: Exit<AB::Expr> = current(builder);
        let mut row = Row::new(builder, e.is_real.clone(), e.index.clone(), Shape { n: 5, nv: 9 });
        row.u24(&e.account);
        row.place(&e.place, &e.token);
        row.narrow(&e.token, 7);
        row.units(&e.units);
        let account = e.account.value();
        row.owner(2, &e.owner, &e.is_ok, account.clone());
        reasons(&mut row, &e);
        cell(&mut row, &e);

        let zero = || AB::Expr::ZERO;
        let tsb = e.place.tsb(&e.token);
        let sender = e.owner.sender.values();
        let [s0, s1, s2, s3, s4, s5, s6] = sender.clone();
        let rest = [[account.clone(), tsb.clone(), zero(), zero()], [zero(), s0, s1, s2], [s3, s4, s5, s6]];
        row.l1_queue((0, 0), &e.queue, c(7), rest);
        let [u0, u1, u2] = e.units.limbs();
        let record = [pad8(&[c(7), account, tsb, u0, u1, u2]), pad8(&sender)];
        row.chain((4, 3, sys::OUT), &e.out, &e.is_ok, record);
    }
}

/// `is_ok` or exactly one reason; `is_ok` excludes every reason, and a reason given is true.
fn reasons<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, e: &Exit<AB::Expr>) {
    let one = AB::Expr::ONE;
    for flag in [&e.is_ok, &e.is_reserved, &e.is_open, &e.is_negative] {
        row.boolean(flag);
    }
    let owner = e.owner.is_absent.clone() + e.owner.is_other.clone();
    let others = e.is_reserved.clone() + e.is_open.clone() + e.is_negative.clone();
    row.zero(e.is_ok.clone() + owner + others - e.is_real.clone());

    let insurance = e.account.value() - one.clone();
    row.zero(e.is_ok.clone() * (insurance.clone() * e.account_inv.clone() - one.clone()));
    row.zero(e.is_reserved.clone() * insurance);
    row.zero(e.is_ok.clone() * e.pos_count.clone());
    row.zero(e.is_open.clone() * (e.pos_count.clone() * e.pos_count_inv.clone() - one.clone()));
    row.zero(e.is_ok.clone() * e.negative.clone());
    row.zero(e.is_negative.clone() * (one - e.negative.clone()));
}

/// The cell loses the units and keeps sign and positions; what is left of a successful exit is below one unit.
fn cell<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, e: &Exit<AB::Expr>) {
    let one = AB::Expr::ONE;
    row.debit(&e.cell);
    // Digits are below 2^12, so their sum is zero only if the units are.
    row.zero((one.clone() - e.is_ok.clone()) * e.units.sum());
    for k in 1..4 {
        row.zero(e.is_ok.clone() * e.cell.new[k].value());
    }
    row.u24(&e.below_unit);
    let largest = c::<AB::Expr>(SCALE as u32 - 1);
    row.zero(e.is_ok.clone() * (largest - e.cell.new[0].value()) - e.below_unit.value());

    // A balance has no sign and no positions.
    let balance = one - e.place.bucket.clone();
    row.zero(balance.clone() * e.negative.clone());
    row.zero(balance * e.pos_count.clone());
    let signed = |mut leaf: [AB::Expr; 8]| {
        leaf[4] = e.negative.clone();
        leaf[5] = e.pos_count.clone();
        leaf
    };
    row.key(3, true, e.account.value(), e.place.lo(&e.token));
    row.old(3, signed(e.cell.old_leaf(&e.units.amount())));
    row.new_value(2, signed(e.cell.new_leaf()));
}
