//! L1RegisterKey and L1RevokeKey: the L1 owner of an account writes or clears a slot.
//!
//! Proven: the record of three blocks is absorbed into L1CHAIN; the slot changes iff the account exists and its
//! owner is the sender.

use tsz_air::{Air, F, InteractionBuilder};

use crate::tables::{current, op_air};
use tsz_gadgets::chain::{Serial, sys};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::owner::Owner;
use tsz_gadgets::policy::Policy;
use tsz_gadgets::row::{Row, Shape, c, pad8};

columns! {
    /// One L1RegisterKey or L1RevokeKey.
    pub struct L1Key {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// 1 = the slot changes; boolean.
        is_ok: felt,
        /// Account; range12.
        account: (U24),
        /// Slot; < 48 by two lookups.
        slot: felt,
        /// What the slot is to hold.
        policy: (Policy),
        /// The account cell against the sender.
        owner: (Owner),
        /// Serial of the op.
        serial: (Serial),
        /// L1 chain found; bound by the bus.
        chain_old: [8],
        /// L1 chain after one, two and three blocks of the record; owned by `p2`.
        chain_a: [8],
        /// After two blocks.
        chain_b: [8],
        /// After three blocks: the value left.
        chain_new: [8],
        /// KEYA of the slot before; bound by the bus.
        old_a: [8],
        /// KEYB of the slot before; bound by the bus.
        old_b: [8],
    }
}

op_air! {
    /// AIR of [`L1Key`].
    L1KeyAir, L1Key, "l1key", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for L1KeyAir {
    fn eval(&self, builder: &mut AB) {
        let k: L1Key<AB::Expr> = current(builder);
        let mut row = Row::new(builder, k.is_real.clone(), k.index.clone(), Shape { n: 5, nv: 9 });
        row.u24(&k.account);
        row.slot(&k.slot);
        row.policy(&k.policy);
        let account = k.account.value();

        // Exactly one of: done, no account, another owner.
        row.boolean(&k.is_ok);
        row.owner(2, &k.owner, &k.is_ok, account.clone());
        let reasons = k.owner.is_absent.clone() + k.owner.is_other.clone();
        row.zero(k.is_ok.clone() + reasons - k.is_real.clone());

        record(&mut row, &k);
        let [a, b] = Row::<AB>::slot_cells(&k.slot);
        for (j, lo, old, new) in
            [(3, a, &k.old_a, k.policy.key_id.clone()), (4, b, &k.old_b, k.policy.key_b())]
        {
            row.key(j, true, account.clone(), lo);
            row.old(j, old.clone());
            let left = core::array::from_fn(|f| {
                old[f].clone() + k.is_ok.clone() * (new[f].clone() - old[f].clone())
            });
            row.new_value(j - 1, left);
        }
    }
}

fn record<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, k: &L1Key<AB::Expr>) {
    let p = &k.policy;
    let [s0, s1, s2] = row.serial(0, 0, &k.serial);
    let code = c::<AB::Expr>(8) + p.is_revoke.clone();
    let slot_scheme = k.slot.clone() + p.scheme() * c::<AB::Expr>(64);
    let e = |n: usize| p.expiry[n].value();
    let first = [code, s0, s1, s2, k.account.value(), slot_scheme, p.permissions(), e(0)];
    let sender = pad8(&k.owner.sender.values());
    let second = core::array::from_fn(|f| if f == 0 { e(1) } else { sender[f - 1].clone() });
    let real = row.real.clone();
    row.step(&real, first, &k.chain_old, &k.chain_a);
    row.step(&real, second, &k.chain_a, &k.chain_b);
    row.step(&real, p.key_id.clone(), &k.chain_b, &k.chain_new);
    row.sys_key(1, true, sys::L1CHAIN);
    row.old(1, k.chain_old.clone());
    row.new_value(1, k.chain_new.clone());
}
