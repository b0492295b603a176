//! RegisterKeyByOidc and RevokeKeyByOidc: a social login with manage-keys writes or clears a slot.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::policy::Policy;
use tsz_gadgets::row::{Row, Shape, c};
use tsz_gadgets::signer::{Signer, permission};
use tsz_gadgets::table::{SIGNED_PUBLICS, current, signed_context};
use tsz_gadgets::{columns, op_air};
use tsz_ledger::Scheme;

/// Accesses of an op.
pub(crate) const ACCESSES: usize = 6;
/// Writes of an op.
pub(crate) const WRITES: usize = 3;
/// Code of a registration; that of a revocation is one more.
pub(crate) const CODE: u32 = 74;
/// Access of a key change that reads the provider's cell: given by table `oidc_approval`.
pub(crate) const PROVIDER: usize = 3;

columns! {
    /// One registration or revocation.
    pub struct Login {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The account and its identity, for which a token approves.
        signer: (Signer),
        /// Slot written; < 48 by two lookups.
        slot: felt,
        /// What the slot holds afterwards.
        policy: (Policy),
        /// KEYA of the slot before: overwritten whatever it is; bound by the bus.
        old_a: [8],
        /// KEYB of the slot before.
        old_b: [8],
    }
}

op_air! {
    /// AIR of [`Login`]. Public values: S (8), T (2).
    LoginAir, Login, "oidc_login", SIGNED_PUBLICS
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LoginAir {
    fn eval(&self, builder: &mut AB) {
        let k: Login<AB::Expr> = current(builder);
        let (system, time) = signed_context(builder);
        let shape = Shape { n: ACCESSES as u32, nv: (ACCESSES + WRITES) as u32 };
        let mut row = Row::new(builder, k.is_real.clone(), k.index.clone(), shape);
        row.slot(&k.slot);
        row.policy(&k.policy);

        let p = &k.policy;
        let account = k.signer.account.value();
        let message = message(&k.signer, &k.slot, p);
        let scheme = Scheme::Oidc.code();
        row.token_signer(0, &k.signer, AB::Expr::ZERO, (&system, &time), message, scheme);
        let may = k.signer.permissions[permission::MANAGE_KEYS].clone();
        row.zero(k.is_real.clone() * (AB::Expr::ONE - may));

        let [a, b] = Row::<AB>::slot_cells(&k.slot);
        row.key(4, true, account.clone(), a);
        row.old(4, k.old_a.clone());
        row.new_value(1, p.key_id.clone());
        row.key(5, true, account, b);
        row.old(5, k.old_b.clone());
        row.new_value(2, p.key_b());
    }
}

/// Blocks of the approved message (docs/src/auth.md).
pub(crate) fn message<E: PrimeCharacteristicRing + Clone>(
    signer: &Signer<E>,
    slot: &E,
    policy: &Policy<E>,
) -> [[E; 8]; 2] {
    let [nonce_lo, nonce_hi] = signer.nonce();
    let first = [
        c::<E>(CODE) + policy.is_revoke.clone(),
        signer.account.value(),
        slot.clone() + policy.scheme() * c::<E>(64),
        policy.permissions(),
        policy.expiry[0].value(),
        policy.expiry[1].value(),
        nonce_lo,
        nonce_hi,
    ];
    [first, policy.key_id.clone()]
}
