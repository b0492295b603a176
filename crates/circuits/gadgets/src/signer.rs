//! Who signs: key cells, permission, expiry, nonce and the signed message.

use tsz_air::{InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_hash::{Block, Digest, F, PrimeField32, step};

use crate::columns;
use crate::inverse;
use crate::limb::U24;
use crate::row::{PRIVATE, Row, c, pad8};

/// Number of key slots of an account.
pub const SLOTS: u32 = 48;
/// First key cell of an account.
pub const KEY_A: u32 = 2;
/// Number of the native scheme.
pub const SCHNORR: u32 = 1;
/// Bit numbers of the permissions.
pub mod permission {
    /// Sign orders and cancel them.
    pub const TRADE: usize = 0;
    /// Transfer between sub-accounts of the account.
    pub const TRANSFER_INTERNAL: usize = 1;
    /// Transfer to another account.
    pub const TRANSFER_OUT: usize = 2;
    /// Withdraw to L1.
    pub const WITHDRAW: usize = 3;
    /// Register and revoke keys.
    pub const MANAGE_KEYS: usize = 4;
    /// Approve programs and revoke approvals.
    pub const EXTENSION: usize = 5;
}
/// Number of permissions.
pub const PERMISSIONS: usize = 6;

/// Key id, permissions and expiry of a key's cells.
type KeyRef<'a, E> = (&'a [E; 8], &'a [E; PERMISSIONS], &'a [E; 2]);
/// Expiry, the margin to it and the borrow of that difference.
pub type ExpiryRef<'a, E> = (&'a [E; 2], &'a [U24<E>; 2], &'a E);

/// What approves the message of an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approver {
    /// A native signature, on bus `sig`.
    Signature,
    /// A login by a key of another scheme, on bus `login`.
    Login {
        /// Number of the scheme.
        scheme: u32,
    },
    /// A token of an OpenID provider, on bus `token`. Its table reads the provider's cell: an access of the op after those
    /// of the signer.
    Token {
        /// Number of the scheme.
        scheme: u32,
    },
}

impl Approver {
    /// Accesses of the op, after those of the signer, that are given by another table.
    pub const fn accesses(self) -> u32 {
        match self {
            Self::Signature | Self::Login { .. } => 0,
            Self::Token { .. } => 1,
        }
    }
}

columns! {
    /// The signer of an op and everything that makes the signature count.
    pub struct Signer {
        /// Account; range12.
        account: (U24),
        /// Inverse of account - 1, where the insurance account may not sign.
        account_inv: felt,
        /// Key slot; < 48 by two lookups. Not signed: the operator may name any slot that holds the key.
        slot: felt,
        /// Key id in the slot's KEYA cell; bound by the bus and by `sig`.
        key_id: [8],
        /// Permissions of the key, lowest bit first; boolean, their sum is bound to KEYB.
        permissions: [PERMISSIONS],
        /// Expiry of the key (24, 24 bits); bound to KEYB.
        expiry: [2],
        /// expiry - T - 1; range12.
        margin: (U24 * 2),
        /// Borrow of that difference; boolean.
        borrow: felt,
        /// Low 24 bits of the new nonce; range12.
        nonce_lo: (U24),
        /// High 8 bits of the new nonce; < 2^8 by two lookups.
        nonce_hi: felt,
        /// Carry of the increment; boolean.
        nonce_carry: felt,
        /// Felts 2..7 of the nonce cell (kill epoch and unused), kept; bound by the bus.
        ctl_rest: [6],
        /// Capacity after the first block of the message; owned by `p2`.
        mid: [8],
        /// Digest of the message; owned by `p2` and by `sig`.
        digest: [8],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Signer<E> {
    /// Low 24 and high 8 bits of the nonce of this op, before the increment.
    ///
    /// The old low limb has 24 bits (every writer checks), so a wrong carry gives -1 or 2^24 there.
    pub fn nonce(&self) -> [E; 2] {
        let carry = self.nonce_carry.clone();
        let lo = self.nonce_lo.value() - E::ONE + carry.clone() * c::<E>(1 << 24);
        [lo, self.nonce_hi.clone() - carry]
    }

    fn ctl(&self, lo: E, hi: E) -> [E; 8] {
        let mut leaf = pad8(&[lo, hi]);
        leaf[2..].clone_from_slice(&self.ctl_rest);
        leaf
    }
}

columns! {
    /// The signer of an op that takes no nonce of CTL: the right to sign and the signature.
    pub struct Authority {
        /// Account; range12.
        account: (U24),
        /// Key slot; < 48 by two lookups. Not signed.
        slot: felt,
        /// Key id in the slot's KEYA cell; bound by the bus and by `sig`.
        key_id: [8],
        /// Permissions of the key, lowest bit first; boolean, their sum is bound to KEYB.
        permissions: [PERMISSIONS],
        /// Expiry of the key (24, 24 bits); bound to KEYB.
        expiry: [2],
        /// expiry - T - 1; range12.
        margin: (U24 * 2),
        /// Borrow of that difference; boolean.
        borrow: felt,
        /// Capacity after the first block of the message; owned by `p2`.
        mid: [8],
        /// Digest of the message; owned by `p2` and by `sig`.
        digest: [8],
    }
}

impl Authority<F> {
    /// Columns of a signer; the CTL cell of the input is not used.
    pub fn of(input: &SignerInput<'_>) -> Self {
        let s = Signer::of(input);
        Self {
            account: s.account,
            slot: s.slot,
            key_id: s.key_id,
            permissions: s.permissions,
            expiry: s.expiry,
            margin: s.margin,
            borrow: s.borrow,
            mid: s.mid,
            digest: s.digest,
        }
    }
}

/// What a signer's columns are made of.
pub struct SignerInput<'a> {
    /// Account.
    pub account: u32,
    /// Key slot.
    pub slot: u32,
    /// KEYA cell.
    pub key_a: &'a Digest,
    /// KEYB cell.
    pub key_b: &'a Digest,
    /// Nonce cell before.
    pub ctl: &'a Digest,
    /// Batch time.
    pub time: u64,
    /// System digest.
    pub system: &'a Digest,
    /// Message.
    pub message: [Block; 2],
}

impl Signer<F> {
    /// Columns of a signer.
    pub fn of(input: &SignerInput<'_>) -> Self {
        let account = F::from_u32(input.account);
        let [e0, e1] = [input.key_b[2], input.key_b[3]].map(|x| u64::from(x.as_canonical_u32()));
        let margin = (e0 | e1 << 24).wrapping_sub(input.time).wrapping_sub(1);
        let nonce = u64::from(input.ctl[0].as_canonical_u32()) + 1;
        let carry = (nonce >> 24) as u32;
        let bits = input.key_b[1].as_canonical_u32();
        let mid = step(&input.message[0], input.system);
        Self {
            account: U24::of(input.account),
            account_inv: inverse(account - F::ONE),
            slot: F::from_u32(input.slot),
            key_id: *input.key_a,
            permissions: core::array::from_fn(|k| F::from_u32(bits >> k & 1)),
            expiry: [input.key_b[2], input.key_b[3]],
            margin: [0, 24].map(|s| U24::of((margin >> s) as u32 & 0xff_ffff)),
            borrow: F::from_bool(e0 < (input.time & 0xff_ffff) + 1),
            nonce_lo: U24::of(nonce as u32 & 0xff_ffff),
            nonce_hi: input.ctl[1] + F::from_u32(carry),
            nonce_carry: F::from_u32(carry),
            ctl_rest: core::array::from_fn(|k| input.ctl[k + 2]),
            mid,
            digest: step(&input.message[1], &mid),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Row<'_, AB> {
    /// A slot number: below 48.
    pub fn slot(&mut self, slot: &AB::Expr) {
        self.range(slot.clone());
        self.range(slot.clone() + c::<AB::Expr>(4096 - SLOTS));
    }

    /// Lower halves of the keys of a slot's two cells.
    pub fn slot_cells(slot: &AB::Expr) -> [AB::Expr; 2] {
        [0, 1].map(|k| slot.double() + c::<AB::Expr>(KEY_A + k))
    }

    /// Accesses `j`, `j + 1` (reads of the key cells) and `j + 2` (write 0, the nonce of `sub`): the key is of
    /// the account, of scheme 1, not expired at `time` and has signed `message` under `system`.
    ///
    /// The permission is for the caller to demand.
    pub fn signer(
        &mut self,
        j: u32,
        s: &Signer<AB::Expr>,
        sub: AB::Expr,
        context: (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
    ) {
        self.not_insurance(s);
        self.authorise(j, s, sub, context, message, SCHNORR);
        self.signed(&s.key_id, &s.digest);
    }

    /// [`Row::signer`] of an op that the insurance account may sign, but where the boolean `barred` is 1.
    pub fn any_signer(
        &mut self,
        j: u32,
        s: &Signer<AB::Expr>,
        barred: &AB::Expr,
        sub: AB::Expr,
        context: (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
    ) {
        let from_insurance = s.account.value() - AB::Expr::ONE;
        self.zero(barred.clone() * (from_insurance * s.account_inv.clone() - AB::Expr::ONE));
        self.authorise(j, s, sub, context, message, SCHNORR);
        self.signed(&s.key_id, &s.digest);
    }

    /// [`Row::signer`] for a key of another scheme, that has approved the message on bus `login`.
    pub fn external_signer(
        &mut self,
        j: u32,
        s: &Signer<AB::Expr>,
        sub: AB::Expr,
        context: (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
        scheme: u32,
    ) {
        self.not_insurance(s);
        self.authorise(j, s, sub, context, message, scheme);
        self.approved(scheme, &s.key_id, &s.digest);
    }

    /// [`Row::signer`] for an identity at an OpenID provider, for which a token has approved the message on bus `token`.
    ///
    /// Access `j + 3` is given by the table of tokens.
    pub fn token_signer(
        &mut self,
        j: u32,
        s: &Signer<AB::Expr>,
        sub: AB::Expr,
        context: (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
        scheme: u32,
    ) {
        self.not_insurance(s);
        self.authorise(j, s, sub, context, message, scheme);
        let (index, real) = ([self.index.clone()], self.real.clone());
        bus::token::receive(self.builder(), index, s.key_id.clone(), s.digest.clone(), real);
    }

    /// [`Row::signer`], [`Row::external_signer`] or [`Row::token_signer`].
    pub fn approver(
        &mut self,
        j: u32,
        s: &Signer<AB::Expr>,
        sub: AB::Expr,
        context: (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
        by: Approver,
    ) {
        match by {
            Approver::Signature => self.signer(j, s, sub, context, message),
            Approver::Login { scheme } => self.external_signer(j, s, sub, context, message, scheme),
            Approver::Token { scheme } => self.token_signer(j, s, sub, context, message, scheme),
        }
    }

    /// The signer is not the insurance account.
    fn not_insurance(&mut self, s: &Signer<AB::Expr>) {
        let from_insurance = s.account.value() - AB::Expr::ONE;
        self.zero(from_insurance * s.account_inv.clone() - self.real.clone());
    }

    /// All of [`Row::signer`] but the signature of the digest, and that insurance signs nothing.
    fn authorise(
        &mut self,
        j: u32,
        s: &Signer<AB::Expr>,
        sub: AB::Expr,
        (system, time): (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
        scheme: u32,
    ) {
        let real = self.real.clone();
        let account = s.account.value();
        self.u24(&s.account);
        self.slot(&s.slot);
        for bit in &s.permissions {
            self.boolean(bit);
        }
        self.key_cells(j, &s.slot, (&s.key_id, &s.permissions, &s.expiry), account.clone(), scheme);
        self.unexpired((&s.expiry, &s.margin, &s.borrow), time);
        self.nonce(j + 2, s, c::<AB::Expr>(PRIVATE) + account, sub);
        let [first, second] = message;
        self.step(&real, first, system, &s.mid);
        self.step(&real, second, &s.mid, &s.digest);
    }

    /// Accesses `j`, `j + 1` (reads of the key cells): the key is of the account, of scheme 1, not expired at `time`,
    /// has the permission number `needed` and has signed `message` under `system`.
    pub fn authority(
        &mut self,
        j: u32,
        a: &Authority<AB::Expr>,
        needed: usize,
        (system, time): (&[AB::Expr; 8], &[AB::Expr; 2]),
        message: [[AB::Expr; 8]; 2],
    ) {
        let real = self.real.clone();
        self.u24(&a.account);
        self.slot(&a.slot);
        for bit in &a.permissions {
            self.boolean(bit);
        }
        self.zero(a.permissions[needed].clone() - real.clone());
        self.key_cells(j, &a.slot, (&a.key_id, &a.permissions, &a.expiry), a.account.value(), SCHNORR);
        self.unexpired((&a.expiry, &a.margin, &a.borrow), time);
        let [first, second] = message;
        self.step(&real, first, system, &a.mid);
        self.step(&real, second, &a.mid, &a.digest);
        self.signed(&a.key_id, &a.digest);
    }

    fn key_cells(
        &mut self,
        j: u32,
        slot: &AB::Expr,
        (key_id, permissions, expiry): KeyRef<'_, AB::Expr>,
        account: AB::Expr,
        scheme: u32,
    ) {
        let [a, b] = Self::slot_cells(slot);
        self.key(j, false, account.clone(), a);
        self.old(j, key_id.clone());
        let permissions = bits(permissions);
        let [e0, e1] = expiry.clone();
        self.key(j + 1, false, account, b);
        self.old(j + 1, pad8(&[c(scheme), permissions, e0, e1]));
    }

    /// T < expiry: expiry - T - 1 has 48 bits. Each limb equation is one of integers below 2^25 in size.
    pub fn unexpired(&mut self, (expiry, margin, borrow): ExpiryRef<'_, AB::Expr>, time: &[AB::Expr; 2]) {
        let real = self.real.clone();
        self.boolean(borrow);
        for limb in margin {
            self.u24(limb);
        }
        let gap = |k: usize| expiry[k].clone() - margin[k].value() - time[k].clone() * real.clone();
        self.zero(gap(0) - real.clone() + borrow.clone() * c::<AB::Expr>(1 << 24));
        self.zero(gap(1) - borrow.clone());
    }

    fn nonce(&mut self, j: u32, s: &Signer<AB::Expr>, hi: AB::Expr, sub: AB::Expr) {
        self.u24(&s.nonce_lo);
        self.narrow(&s.nonce_hi, 8);
        self.boolean(&s.nonce_carry);
        self.key(j, true, hi, sub * c::<AB::Expr>(512));
        let [lo, hi] = s.nonce();
        self.old(j, s.ctl(lo, hi));
        self.new_value(0, s.ctl(s.nonce_lo.value(), s.nonce_hi.clone()));
    }
}

/// The integer of bits, lowest first.
pub fn bits<E: PrimeCharacteristicRing + Clone>(bits: &[E]) -> E {
    bits.iter().rev().fold(E::ZERO, |acc, b| acc.double() + b.clone())
}
