//! ApproveExtension: a key with the extension right lets a program act on a sub-account.
//!
//! Proven on a real row: the message of docs/src/extensions.md (program, terms, expiry, limits) is signed by an unexpired
//! native key of the account with the right, under the nonce of the sub-account, which goes up; the program is not zero;
//! limits are a prefix of four in strict order of tokens; PROGRAM, TERMS, POLICY and the four LIMIT cells of the slot
//! become what was signed, with the next epoch, and nothing used.

use core::array::from_fn;

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_ext_sdk::cell;
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::op_air;
use tsz_gadgets::row::{PRIVATE, Row, Shape, c, pad8};
use tsz_gadgets::signer::{Signer, permission};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_gadgets::units::Units;

use crate::tables::limit::LIMIT;
use crate::tables::party::{SLOTS, approval_lo};

/// Limits of an approval.
pub(crate) const LIMITS: usize = 4;
/// The last of what a limit may be of, plus 1: tokens are below 128, positions come after them.
pub(crate) const POSITIONS: u32 = cell::POSITIONS + 1;
/// Accesses and writes.
pub(crate) const SHAPE: [u32; 2] = [10, 8];
/// Code in messages.
const CODE: u32 = 80;

columns! {
    /// What both ops begin with: who signs, for which slot.
    pub struct Place {
        /// The account's owner, who signs.
        signer: (Signer),
        /// Inverse of the account: the fee account approves nothing.
        account_inv: felt,
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Slot of the approval; < 7 by two lookups.
        slot: felt,
    }
}

columns! {
    /// One signed limit.
    pub struct Allowed {
        /// 1 = there is one; boolean, at most the one before.
        is_present: felt,
        /// Token + 1, or 129 for positions: 1..=129 by a lookup; 0 if there is none.
        token: felt,
        /// token - token before - 1; range12.
        gap: felt,
        /// The limit in units; 0 if there is none.
        units: (Units),
        /// LIMIT cell before: overwritten whatever it is; bound by the bus.
        old: [8],
    }
}

columns! {
    /// One ApproveExtension.
    pub struct Approve {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Who, where. The signer's message is the last two blocks, absorbed after `mid`.
        place: (Place),
        /// Program; not zero.
        program: [8],
        /// Weights w with sum program_k w_k = 1.
        weights: [8],
        /// Terms.
        terms: [8],
        /// Expiry (24, 24 bits); range12.
        expiry: (U24 * 2),
        /// Epoch of the approval: one more than POLICY had; range12.
        epoch: (U24),
        /// The limits.
        limits: (Allowed * LIMITS),
        /// Capacity after the first block of the message; owned by `p2`.
        head: [8],
        /// Capacity after the second; owned by `p2`.
        head_program: [8],
        /// Capacity after the third; owned by `p2`.
        mid: [8],
        /// PROGRAM before: overwritten whatever it is; bound by the bus.
        old_program: [8],
        /// TERMS before.
        old_terms: [8],
        /// Expiry, and tokens and the last felt of POLICY before; its epoch is that of `epoch` less 1.
        old_policy: [7],
    }
}

op_air! {
    /// AIR of [`Approve`]. Public values: S (8), T (2).
    ApproveAir, Approve, "approve", SIGNED_PUBLICS
}

impl<E: PrimeCharacteristicRing + Clone> Place<E> {
    /// First block of a message, `expiry` in it.
    pub(crate) fn head(&self, code: u32, expiry: [E; 2]) -> [E; 8] {
        let [nonce_lo, nonce_hi] = self.signer.nonce();
        let place = self.sub.clone() + self.slot.clone() * c::<E>(32);
        let [e0, e1] = expiry;
        [c::<E>(code), self.signer.account.value(), place, nonce_lo, nonce_hi, e0, e1, E::ZERO]
    }
}

/// POLICY from its epoch and the other felts.
pub(crate) fn policy<E: Clone>(epoch: E, rest: &[E; 7]) -> [E; 8] {
    let [e0, e1, t0, t1, t2, t3, last] = rest.clone();
    [e0, e1, epoch, t0, t1, t2, t3, last]
}

/// Sub-account and slot, that the account is no reserved one, and the right of the key.
pub(crate) fn place<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Place<AB::Expr>) {
    let real = row.real.clone();
    row.narrow(&p.sub, 5);
    row.range(p.slot.clone());
    row.range(p.slot.clone() + c::<AB::Expr>(4096 - SLOTS));
    row.zero(p.signer.account.value() * p.account_inv.clone() - real.clone());
    let may = p.signer.permissions[permission::EXTENSION].clone();
    row.zero(real * (AB::Expr::ONE - may));
}

/// Access `j`, write `w`: cell `at` of the slot becomes `new`.
pub(crate) fn write<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    p: &Place<AB::Expr>,
    (j, w, at): (u32, u32, u32),
    old: [AB::Expr; 8],
    new: [AB::Expr; 8],
) {
    let hi = p.signer.account.value() + c::<AB::Expr>(PRIVATE);
    row.key(j, true, hi, approval_lo(&p.sub, &p.slot) + c::<AB::Expr>(at));
    row.old(j, old);
    row.new_value(w, new);
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ApproveAir {
    fn eval(&self, builder: &mut AB) {
        let a: Approve<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let [n, writes] = SHAPE;
        let mut row = Row::new(builder, a.is_real.clone(), a.index.clone(), Shape { n, nv: n + writes });
        place(&mut row, &a.place);
        row.u24(&a.expiry[0]);
        row.u24(&a.expiry[1]);
        row.u24(&a.epoch);
        let weighted = (0..8).map(|k| a.program[k].clone() * a.weights[k].clone()).sum::<AB::Expr>();
        row.zero(weighted - a.is_real.clone());
        allowed(&mut row, &a.limits);

        let real = a.is_real.clone();
        let expiry = [a.expiry[0].value(), a.expiry[1].value()];
        row.step(&real, a.place.head(CODE, expiry), &system, &a.head);
        row.step(&real, a.program.clone(), &a.head, &a.head_program);
        row.step(&real, a.terms.clone(), &a.head_program, &a.mid);
        row.signer(0, &a.place.signer, a.place.sub.clone(), (&a.mid, &time), signed(&a.limits));
        cells(&mut row, &a);
    }
}

/// Limits are a prefix, in strict order of tokens; absent ones are zero.
fn allowed<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, limits: &[Allowed<AB::Expr>; LIMITS]) {
    let mut before = (row.real.clone(), AB::Expr::ZERO);
    for limit in limits {
        let present = limit.is_present.clone();
        let absent = AB::Expr::ONE - present.clone();
        row.boolean(&present);
        row.zero(present.clone() * (AB::Expr::ONE - before.0));
        row.range(limit.gap.clone());
        // Four gaps of 12 bits: tokens are at most 2^14, so one is at most 129 if its distance to 129 has 12 bits.
        let above = limit.token.clone() - before.1 - AB::Expr::ONE - limit.gap.clone();
        row.zero(present.clone() * above);
        row.range(c::<AB::Expr>(POSITIONS) - limit.token.clone());
        row.units(&limit.units);
        row.zero(absent.clone() * limit.token.clone());
        row.zero(absent * limit.units.sum());
        before = (present, limit.token.clone());
    }
}

/// The last two blocks of the message: tokens + 1, then limits of three felts.
fn signed<E: PrimeCharacteristicRing + Clone>(limits: &[Allowed<E>; LIMITS]) -> [[E; 8]; 2] {
    let tokens = limits.iter().map(|limit| limit.token.clone());
    let felts: Vec<E> = tokens.chain(limits.iter().flat_map(|limit| limit.units.limbs())).collect();
    [0, 8].map(|at| from_fn(|k| felts[at + k].clone()))
}

fn cells<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, a: &Approve<AB::Expr>) {
    let [t0, t1, t2, t3] = [0, 1, 2, 3].map(|k| a.limits[k].token.clone());
    let [e0, e1] = [a.expiry[0].value(), a.expiry[1].value()];
    let epoch = a.epoch.value();
    let new = policy(epoch.clone(), &[e0, e1, t0, t1, t2, t3, AB::Expr::ZERO]);
    let old = policy(epoch - AB::Expr::ONE, &a.old_policy);
    write(row, &a.place, (3, 1, 0), a.old_program.clone(), a.program.clone());
    write(row, &a.place, (4, 2, 1), a.old_terms.clone(), a.terms.clone());
    write(row, &a.place, (5, 3, 2), old, new);
    for (k, limit) in (0..).zip(&a.limits) {
        let new = pad8(&limit.units.amount());
        write(row, &a.place, (6 + k, 4 + k, LIMIT + k), limit.old.clone(), new);
    }
}
