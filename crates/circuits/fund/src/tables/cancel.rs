//! CancelOrder: ends the orders of a slot up to a signed nonce.
//!
//! Proven: a key of the account that may trade signed it; the nonce is at least the slot's next one; the slot moves to
//! the nonce after it, with nothing filled and no tag.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};

use crate::tables::{SIGNED_PUBLICS, current, op_air, signed_context};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{PRIVATE, Row, Shape, c, pad8};
use tsz_gadgets::signer::{Authority, permission};

/// First order cell of a sub-account.
const ORDERS: u32 = 256;

columns! {
    /// One CancelOrder.
    pub struct Cancel {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The owner, who signs.
        signer: (Authority),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Order slot; < 256 by two lookups.
        slot: felt,
        /// Low 24 bits of the nonce; range12.
        nonce: (U24),
        /// High 8 bits; two lookups, and so nonce_hi + carry: the last nonce is not used.
        nonce_hi: felt,
        /// 1 = the low limb is 2^24 - 1; boolean, owned by the zero test.
        carry: felt,
        /// Inverse of (low limb - 2^24 + 1), or 0.
        carry_inv: felt,
        /// The ORD cell found: next nonce (2), lots filled (2), tag (4); bound by the bus.
        old: [8],
        /// Low limb of nonce - next; range12.
        gap: (U24),
        /// High 8 bits of it; two lookups.
        gap_hi: felt,
        /// Borrow of that difference; boolean.
        borrow: felt,
    }
}

op_air! {
    /// AIR of [`Cancel`]. Public values: S (8), T (2).
    CancelAir, Cancel, "cancel", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CancelAir {
    fn eval(&self, builder: &mut AB) {
        let x: Cancel<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let mut row = Row::new(builder, x.is_real.clone(), x.index.clone(), Shape { n: 3, nv: 4 });
        row.narrow(&x.sub, 5);
        row.narrow(&x.slot, 8);
        let account = x.signer.account.value();
        let (lo, hi, zero) = (x.nonce.value(), x.nonce_hi.clone(), AB::Expr::ZERO);
        let place = x.sub.clone() + x.slot.clone() * c::<AB::Expr>(32);
        let (z, code) = (zero.clone(), c(tsz_trade::code::CANCEL_ORDER));
        let first = [code, account.clone(), place, z.clone(), z.clone(), z, lo, hi];
        row.authority(0, &x.signer, permission::TRADE, (&system, &time), [first, pad8(&[])]);
        let after = after(&mut row, &x);
        not_before_the_next(&mut row, &x);
        let cell = x.sub.clone() * c::<AB::Expr>(512) + c::<AB::Expr>(ORDERS) + x.slot.clone();
        row.key(2, true, account + c::<AB::Expr>(PRIVATE), cell);
        row.old(2, x.old.clone());
        row.new_value(0, pad8(&after));
    }
}

/// nonce + 1 has limbs of 24 and 8 bits: the carry is 1 iff the low limb is 2^24 - 1.
fn after<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Cancel<AB::Expr>) -> [AB::Expr; 2] {
    let real = row.real.clone();
    row.u24(&x.nonce);
    row.narrow(&x.nonce_hi, 8);
    row.boolean(&x.carry);
    let hi = x.nonce_hi.clone() + x.carry.clone();
    row.narrow(&hi, 8);
    let below = x.nonce.value() - real.clone() * c::<AB::Expr>(0xff_ffff);
    row.zero(x.carry.clone() * below.clone());
    row.zero(below * x.carry_inv.clone() - real.clone() + x.carry.clone());
    [x.nonce.value() + real - x.carry.clone() * c::<AB::Expr>(1 << 24), hi]
}

/// nonce - next has limbs of 24 and 8 bits. Limb equations are of integers below 2^25 in size.
fn not_before_the_next<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Cancel<AB::Expr>) {
    row.u24(&x.gap);
    row.narrow(&x.gap_hi, 8);
    row.boolean(&x.borrow);
    let low = x.nonce.value() - x.old[0].clone() - x.gap.value();
    row.zero(low + x.borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(x.nonce_hi.clone() - x.old[1].clone() - x.borrow.clone() - x.gap_hi.clone());
}
