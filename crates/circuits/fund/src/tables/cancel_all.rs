//! CancelAll: ends all orders of a sub-account by moving its kill epoch on.
//!
//! Proven: a key of the account that may trade signed it with the nonce and the epoch that CTL holds; T is not before the
//! signed time; nonce and epoch go on by one.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};

use crate::tables::{SIGNED_PUBLICS, current, op_air, signed_context};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{PRIVATE, Row, Shape, c, pad8};
use tsz_gadgets::signer::{Authority, permission};

columns! {
    /// A number of 32 bits that goes on by one. The old limbs are expressions.
    pub struct Next {
        /// Low 24 bits of the new number; range12.
        lo: (U24),
        /// High 8 bits of it; two lookups.
        hi: felt,
        /// Carry of the increment; boolean.
        carry: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Next<E> {
    /// Limbs found. The old low limb has 24 bits (every writer checks), so a wrong carry gives -1 or 2^24 there.
    pub fn old(&self) -> [E; 2] {
        let carry = self.carry.clone();
        [self.lo.value() - E::ONE + carry.clone() * c::<E>(1 << 24), self.hi.clone() - carry]
    }

    /// Limbs left.
    pub fn limbs(&self) -> [E; 2] {
        [self.lo.value(), self.hi.clone()]
    }
}

columns! {
    /// One CancelAll.
    pub struct CancelAll {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The owner, who signs.
        signer: (Authority),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Nonce of CTL.
        nonce: (Next),
        /// Kill epoch of CTL.
        epoch: (Next),
        /// Signed time from which on the op is good; range12.
        not_before: (U24 * 2),
        /// T - not_before; range12.
        elapsed: (U24 * 2),
        /// Borrow of that difference; boolean.
        borrow: felt,
    }
}

op_air! {
    /// AIR of [`CancelAll`]. Public values: S (8), T (2).
    CancelAllAir, CancelAll, "cancel_all", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CancelAllAir {
    fn eval(&self, builder: &mut AB) {
        let x: CancelAll<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let mut row = Row::new(builder, x.is_real.clone(), x.index.clone(), Shape { n: 3, nv: 4 });
        row.narrow(&x.sub, 5);
        let account = x.signer.account.value();
        let ([n0, n1], [k0, k1]) = (x.nonce.old(), x.epoch.old());
        let code = c(tsz_trade::code::CANCEL_ALL);
        let (kill0, kill1) = (k0.clone(), k1.clone());
        let first =
            [code, account.clone(), x.sub.clone(), kill0, kill1, AB::Expr::ZERO, n0.clone(), n1.clone()];
        let second = pad8(&[x.not_before[0].value(), x.not_before[1].value()]);
        row.authority(0, &x.signer, permission::TRADE, (&system, &time), [first, second]);
        for next in [&x.nonce, &x.epoch] {
            row.u24(&next.lo);
            row.narrow(&next.hi, 8);
            row.boolean(&next.carry);
        }
        good(&mut row, &x, &time);
        row.key(2, true, account + c::<AB::Expr>(PRIVATE), x.sub.clone() * c::<AB::Expr>(512));
        row.old(2, pad8(&[n0, n1, k0, k1]));
        let ([n0, n1], [k0, k1]) = (x.nonce.limbs(), x.epoch.limbs());
        row.new_value(0, pad8(&[n0, n1, k0, k1]));
    }
}

/// not_before <= T: the difference has 48 bits. Limb equations are of integers below 2^26 in size.
fn good<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &CancelAll<AB::Expr>, time: &[AB::Expr; 2]) {
    let real = row.real.clone();
    row.boolean(&x.borrow);
    for limb in x.not_before.iter().chain(&x.elapsed) {
        row.u24(limb);
    }
    let gap = |k: usize| time[k].clone() * real.clone() - x.not_before[k].value() - x.elapsed[k].value();
    row.zero(gap(0) + x.borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(gap(1) - x.borrow.clone());
}
