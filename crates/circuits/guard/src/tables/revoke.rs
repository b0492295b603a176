//! RevokeExtension: a key with the extension right empties an approval slot.
//!
//! Proven on a real row: the message is signed by an unexpired native key of the account with the right, under the nonce
//! of the sub-account, which goes up; PROGRAM of the slot becomes zero, and of POLICY only the epoch stays.

use core::array::from_fn;

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::op_air;
use tsz_gadgets::row::{Row, Shape};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};

use crate::tables::approve::{Place, place, policy, write};

/// Accesses and writes.
pub(crate) const SHAPE: [u32; 2] = [5, 3];
/// Code in messages.
const CODE: u32 = 81;

columns! {
    /// One RevokeExtension.
    pub struct Revoke {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Who, where.
        place: (Place),
        /// PROGRAM before; bound by the bus.
        old_program: [8],
        /// Epoch in POLICY, kept; bound by the bus.
        epoch: felt,
        /// Expiry, tokens and last felt of POLICY before; bound by the bus.
        old_policy: [7],
    }
}

op_air! {
    /// AIR of [`Revoke`]. Public values: S (8), T (2).
    RevokeAir, Revoke, "revoke", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RevokeAir {
    fn eval(&self, builder: &mut AB) {
        let r: Revoke<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let [n, writes] = SHAPE;
        let mut row = Row::new(builder, r.is_real.clone(), r.index.clone(), Shape { n, nv: n + writes });
        place(&mut row, &r.place);
        let zeros = || from_fn(|_| AB::Expr::ZERO);
        let first = r.place.head(CODE, [AB::Expr::ZERO, AB::Expr::ZERO]);
        row.signer(0, &r.place.signer, r.place.sub.clone(), (&system, &time), [first, zeros()]);
        write(&mut row, &r.place, (3, 1, 0), r.old_program.clone(), zeros());
        let (old, none) = (policy(r.epoch.clone(), &r.old_policy), from_fn(|_| AB::Expr::ZERO));
        write(&mut row, &r.place, (4, 2, 2), old, policy(r.epoch.clone(), &none));
    }
}
