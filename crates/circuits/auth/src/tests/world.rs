//! A small system whose account 2 has a passkey.

use tsz_air::{Violation, check};
use tsz_auth::Passkey;
use tsz_auth::authenticator::Authenticator;
use tsz_ledger::{BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId};
use tsz_stark::Profile;
use tsz_stf::{AuthOp, MemView, RegisterKeyByPasskey, Reject, RevokeKeyByPasskey, apply_auth_with, message};
use tsz_stf::{Trusted, Verified};
use tsz_types::{AccountId, KeySlot, Nonce, TimeMs};

use crate::class::{CLASSES, Class};
use crate::login::AuthRecord;
use crate::prove::public_values;
use crate::witness::Witness;

pub const SMALL: Class = CLASSES[0];
pub const TIME: u64 = 0x2_ffff_fff0;
pub const EXPIRY: u64 = 0x3_0000_0005;
pub const RP_ID: &str = "example.com";
pub const ORIGIN: &str = "https://login.example.com:8443";

pub fn slot(n: u8) -> KeySlot {
    KeySlot::new(n).unwrap()
}

/// Account 2 with a passkey that manages keys in slot 3, and the same one without the right in slot 4.
pub struct World {
    pub view: MemView,
    pub context: BatchContext,
    pub authenticator: Authenticator,
    pub passkey: Passkey,
    pub records: Vec<AuthRecord>,
}

impl World {
    pub fn new() -> Self {
        let authenticator = Authenticator::from_seed(b"user");
        let passkey = authenticator.passkey(RP_ID, ORIGIN, true).unwrap();
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] }.digest();
        let context = BatchContext { system, batch: 1, time: TIME, params: tsz_hash::ZERO };
        let mut world =
            Self { view: MemView::from_leaves([]), context, authenticator, passkey, records: Vec::new() };
        let id = world.passkey.key_id();
        world.put(3, Some((id, Permissions::ALL)));
        world.put(4, Some((id, [Permission::Withdraw].into_iter().collect())));
        world
    }

    /// Puts a passkey into a slot of account 2.
    pub fn put(&mut self, slot: u32, key: Option<(tsz_hash::Digest, Permissions)>) {
        let policy = key.map(|(_, permissions)| KeyPolicy {
            scheme: Scheme::P256,
            permissions,
            expiry: TimeMs::new(EXPIRY).unwrap(),
        });
        self.view.set(Key::key_a(2, slot), key.map_or(tsz_hash::ZERO, |(id, _)| id));
        self.view.set(Key::key_b(2, slot), policy.to_leaf());
    }

    pub fn nonce(&self) -> Nonce {
        use tsz_ledger::CtlCell;
        CtlCell::from_leaf(&tsz_stf::View::get(&self.view, Key::ctl(2, 0))).unwrap().nonce
    }

    /// A session key for slot 7, not yet approved.
    pub fn register(&self) -> RegisterKeyByPasskey {
        let blank = self.authenticator.assert(&self.passkey, &tsz_hash::ZERO);
        RegisterKeyByPasskey {
            account: AccountId::new(2).unwrap(),
            slot: slot(7),
            key_id: core::array::from_fn(|k| tsz_air::PrimeCharacteristicRing::from_usize(1000 + k)),
            scheme: Scheme::Schnorr,
            permissions: [Permission::Trade].into_iter().collect(),
            expiry: TimeMs::new(TIME + 86_400_000).unwrap(),
            nonce: self.nonce(),
            key_slot: slot(3),
            passkey: self.passkey.clone(),
            assertion: blank,
        }
    }

    pub fn revoke(&self) -> RevokeKeyByPasskey {
        let RegisterKeyByPasskey { account, slot, nonce, key_slot, passkey, assertion, .. } = self.register();
        RevokeKeyByPasskey { account, slot, nonce, key_slot, passkey, assertion }
    }

    pub fn digest(&self, op: &AuthOp) -> tsz_hash::Digest {
        message(&self.context.system, &op.message())
    }

    /// The op with an honest approval.
    pub fn approve(&self, op: impl Into<AuthOp>) -> AuthOp {
        let mut op = op.into();
        *op.assertion_mut().unwrap() = self.authenticator.assert(&self.passkey, &self.digest(&op));
        op
    }

    /// What the ledger says with all checks.
    pub fn verdict(&self, op: &AuthOp) -> Result<(), Reject> {
        apply_auth_with(&self.view, &self.context, 0, op, &Verified).map(|_| ())
    }

    /// Applies without a check of the approval, and records.
    pub fn apply(&mut self, op: AuthOp) {
        let index = 5 + self.records.len() as u32;
        let applied = apply_auth_with(&self.view, &self.context, index, &op, &Trusted).unwrap();
        self.view.commit(&applied.accesses);
        self.records.push(AuthRecord { index, op, accesses: applied.accesses });
    }

    pub fn witness(&self) -> Witness {
        Witness::new(&SMALL, &self.context, &self.records, self.context.digest()).unwrap()
    }
}

/// Two registrations and a revocation.
pub fn honest() -> World {
    let mut w = World::new();
    let op = w.approve(w.register());
    w.verdict(&op).unwrap();
    w.apply(op);
    let op = w.approve(RegisterKeyByPasskey { slot: slot(3), scheme: Scheme::P256, ..w.register() });
    w.verdict(&op).unwrap();
    w.apply(op);
    w.put(3, Some((w.passkey.key_id(), Permissions::ALL)));
    let op = w.approve(w.revoke());
    w.verdict(&op).unwrap();
    w.apply(op);
    w
}

/// One registration.
pub fn one() -> World {
    let mut w = World::new();
    let op = w.approve(w.register());
    w.apply(op);
    w
}

/// Where traces are noticed: `table` of a broken constraint, `bus:name`, or `nowhere`.
pub fn place(witness: &Witness) -> String {
    place_in(&SMALL, witness)
}

/// [`place`] in a circuit.
pub fn place_in(class: &Class, witness: &Witness) -> String {
    let airs = class.circuit(Profile::InsecureTest).airs;
    match check(&airs, &witness.traces, &public_values(class, &witness.claim)) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}
