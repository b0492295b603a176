//! RegisterKey and RevokeKey: a key with manage-keys writes or clears a slot.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};

use crate::tables::{SIGNED_PUBLICS, current, op_air, signed_context};
use tsz_gadgets::columns;
use tsz_gadgets::policy::Policy;
use tsz_gadgets::row::{Row, Shape, c};
use tsz_gadgets::signer::{Signer, permission};

columns! {
    /// One RegisterKey or RevokeKey.
    pub struct Key {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The account's owner, who signs.
        signer: (Signer),
        /// Slot written; < 48 by two lookups.
        slot: felt,
        /// What the slot holds afterwards.
        policy: (Policy),
        /// KEYA and KEYB of the slot before: overwritten whatever they are; bound by the bus.
        old_a: [8],
        /// KEYB of the slot before.
        old_b: [8],
    }
}

op_air! {
    /// AIR of [`Key`]. Public values: S (8), T (2).
    KeyAir, Key, "key", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for KeyAir {
    fn eval(&self, builder: &mut AB) {
        let k: Key<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let mut row = Row::new(builder, k.is_real.clone(), k.index.clone(), Shape { n: 5, nv: 8 });
        row.slot(&k.slot);
        row.policy(&k.policy);

        let p = &k.policy;
        let account = k.signer.account.value();
        let [nonce_lo, nonce_hi] = k.signer.nonce();
        let code = c::<AB::Expr>(5) + p.is_revoke.clone();
        let slot_scheme = k.slot.clone() + p.scheme() * c::<AB::Expr>(64);
        let [e0, e1] = [p.expiry[0].value(), p.expiry[1].value()];
        let first = [code, account.clone(), slot_scheme, p.permissions(), e0, e1, nonce_lo, nonce_hi];
        row.signer(0, &k.signer, AB::Expr::ZERO, (&system, &time), [first, p.key_id.clone()]);
        let may = k.signer.permissions[permission::MANAGE_KEYS].clone();
        row.zero(k.is_real.clone() * (AB::Expr::ONE - may));

        let [a, b] = Row::<AB>::slot_cells(&k.slot);
        row.key(3, true, account.clone(), a);
        row.old(3, k.old_a.clone());
        row.new_value(1, p.key_id.clone());
        row.key(4, true, account, b);
        row.old(4, k.old_b.clone());
        row.new_value(2, p.key_b());
    }
}
