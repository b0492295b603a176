//! What one side of a fill reads and writes of its account and its order slot.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::row::{PRIVATE, Row, c, pad8};

use crate::slot::{SlotMove, slot_move};
use crate::terms::Terms;

/// One side as its columns are, and what the op knows of the fill.
pub struct Admission<'a, E> {
    /// The order.
    pub terms: &'a Terms<E>,
    /// Key slot; checked here.
    pub key_slot: &'a E,
    /// Nonce in CTL; bound by the bus.
    pub ctl_nonce: &'a [E; 2],
    /// The order slot.
    pub slot: &'a SlotMove<E>,
    /// First of the four accesses.
    pub at: E,
    /// Number of the written value of the slot.
    pub written: E,
    /// Lots of the fill (24, 24 bits).
    pub lots: &'a [E; 2],
    /// 1 = the slot is closed after the fill; boolean.
    pub close: &'a E,
    /// 1 = there is such a side; boolean, at most `real`.
    pub flag: &'a E,
}

/// On rows where `flag` is 1: KEYA, KEYB and CTL of the account are read and are those of the order, ORD is written
/// with the fill. Accesses `at..at + 4`. That the order is usable is for the caller to look up.
pub fn admit<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, a: &Admission<'_, AB::Expr>) {
    let (t, flag) = (a.terms, a.flag);
    let at = |k: u32| a.at.clone() + c::<AB::Expr>(k);
    slot_move(row, a.slot, t, a.lots, a.close);
    let (account, sub) = (t.account.clone(), t.sub.clone() * c::<AB::Expr>(512));
    let private = account.clone() + c::<AB::Expr>(PRIVATE);
    row.slot(a.key_slot);
    let [key_a, key_b] = Row::<AB>::slot_cells(a.key_slot);
    row.key_if(flag, at(0), false, [account.clone(), key_a]);
    row.value_if(flag, at(0), t.key_id.clone());
    let [e0, e1] = t.key_expiry.clone();
    row.key_if(flag, at(1), false, [account, key_b]);
    row.value_if(flag, at(1), pad8(&[AB::Expr::ONE, t.permissions.clone(), e0, e1]));
    let [n0, n1] = a.ctl_nonce.clone();
    let [k0, k1] = t.kill_epoch.clone();
    row.key_if(flag, at(2), false, [private.clone(), sub.clone()]);
    row.value_if(flag, at(2), pad8(&[n0, n1, k0, k1]));
    row.key_if(flag, at(3), true, [private, sub + c::<AB::Expr>(256) + t.slot.clone()]);
    row.value_if(flag, at(3), a.slot.old_leaf());
    row.value_if(flag, a.written.clone(), a.slot.new_leaf(t));
}
