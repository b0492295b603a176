//! Deposit (L1): credits an account, creates it, or refunds the depositor.
//!
//! Proven: the record is absorbed into L1CHAIN with the next serial; and exactly one of
//! - create: account = next_account; ACCT becomes (owner, exists), next_account + 1, the bucket gains the amount;
//! - credit: account < next_account; the bucket gains the amount;
//! - refund: account > next_account; OUT absorbs a withdrawal of the units to the owner.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};

use crate::tables::{current, op_air};
use tsz_gadgets::bucket::{Credit, Place};
use tsz_gadgets::chain::{Chain, L1Queue, sys};
use tsz_gadgets::columns;
use tsz_gadgets::limb::{Address, U24};
use tsz_gadgets::row::{Row, Shape, c, pad8};
use tsz_gadgets::units::Units;

columns! {
    /// One Deposit.
    pub struct Deposit {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The account is created; boolean, one of three.
        is_create: felt,
        /// The account exists; boolean, one of three.
        is_credit: felt,
        /// The account cannot exist yet; boolean, one of three.
        is_refund: felt,
        /// Account; range12.
        account: (U24),
        /// Where the amount goes.
        place: (Place),
        /// Token; < 128 by two lookups.
        token: felt,
        /// Amount.
        units: (Units),
        /// Inverse of the digit sum of the units.
        units_inv: felt,
        /// L1 owner, who also gets a refund.
        owner: (Address),
        /// Batch and time in HEAD, kept; bound by the bus.
        head: [4],
        /// Next account found; bound by the bus, at most 2^24.
        next_account: felt,
        /// next - 1 - account (credit) or account - next - 1 (refund), 0 for a creation; range12.
        distance: (U24),
        /// Account cell found; bound by the bus; overwritten by a creation.
        acct: [8],
        /// The bucket's cell.
        bucket: (Credit),
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Withdrawal chain: absorbs the refund.
        out: (Chain),
    }
}

op_air! {
    /// AIR of [`Deposit`].
    DepositAir, Deposit, "deposit", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for DepositAir {
    fn eval(&self, builder: &mut AB) {
        let d: Deposit<AB::Expr> = current(builder);
        let mut row = Row::new(builder, d.is_real.clone(), d.index.clone(), Shape { n: 6, nv: 12 });
        ids(&mut row, &d);
        cases(&mut row, &d);
        head_and_account(&mut row, &d);
        records(&mut row, &d);

        // A refund moves nothing: the amount is multiplied by 0.
        let moved = d.is_create.clone() + d.is_credit.clone();
        let amount = d.units.amount().map(|limb| limb * moved.clone());
        row.credit(&d.bucket, &d.place.bucket, &amount);
        row.key(4, true, d.account.value(), d.place.lo(&d.token));
        row.old(4, d.bucket.old_leaf());
        row.new_value(4, d.bucket.new_leaf());
    }
}

fn ids<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, d: &Deposit<AB::Expr>) {
    row.u24(&d.account);
    row.place(&d.place, &d.token);
    row.narrow(&d.token, 7);
    row.units(&d.units);
    row.units_non_zero(&d.units, &d.units_inv);
    row.address(&d.owner);
}

/// Exactly one case, the one that the order of account and next_account demands. Both are at most 2^24, so the
/// differences are integers in (-2^25, 2^25), and one is below 2^24 as a felt only if it is not negative.
fn cases<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, d: &Deposit<AB::Expr>) {
    for flag in [&d.is_create, &d.is_credit, &d.is_refund] {
        row.boolean(flag);
    }
    row.zero(d.is_create.clone() + d.is_credit.clone() + d.is_refund.clone() - d.is_real.clone());
    let ahead = d.account.value() - d.next_account.clone();
    let one = AB::Expr::ONE;
    row.zero(d.is_create.clone() * ahead.clone());
    row.u24(&d.distance);
    row.zero(
        d.is_credit.clone() * (ahead.clone() + one.clone()) - d.is_refund.clone() * (ahead - one)
            + d.distance.value(),
    );
}

fn head_and_account<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, d: &Deposit<AB::Expr>) {
    let [b0, b1, t0, t1] = d.head.clone();
    let next = d.next_account.clone();
    row.sys_key(0, true, sys::HEAD);
    row.old(0, pad8(&[b0.clone(), b1.clone(), t0.clone(), t1.clone(), next.clone()]));
    row.new_value(0, pad8(&[b0, b1, t0, t1, next + d.is_create.clone()]));

    let mut created = pad8(&d.owner.values());
    created[7] = AB::Expr::ONE;
    let left = core::array::from_fn(|k| {
        d.acct[k].clone() + d.is_create.clone() * (created[k].clone() - d.acct[k].clone())
    });
    row.key(3, true, d.account.value(), c(1));
    row.old(3, d.acct.clone());
    row.new_value(3, left);
}

fn records<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, d: &Deposit<AB::Expr>) {
    let code = c::<AB::Expr>(2);
    let [u0, u1, u2] = d.units.limbs();
    let [o0, o1, o2, o3, o4, o5, o6] = d.owner.values();
    let (account, tsb) = (d.account.value(), d.place.tsb(&d.token));
    let head = [account.clone(), tsb.clone(), u0.clone(), u1.clone()];
    let tail = [[u2.clone(), o0.clone(), o1.clone(), o2.clone()], [o3, o4, o5, o6]];
    let [a, b] = tail;
    row.l1_queue((1, 1), &d.queue, code.clone(), [head, a, b]);
    let refund = [pad8(&[code, account, tsb, u0, u1, u2]), pad8(&d.owner.values())];
    row.chain((5, 5, sys::OUT), &d.out, &d.is_refund, refund);
}
