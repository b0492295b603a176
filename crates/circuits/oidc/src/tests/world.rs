//! A small system whose account 2 is of a social login.

use tsz_air::{Violation, check};
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::{Algorithm, Identity};
use tsz_auth::{LoginProvider, SocialLogin};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{
    BatchContext, Cell, CtlCell, Key, KeyPolicy, L1InCell, Permission, Permissions, Scheme, SystemId,
};
use tsz_stark::Profile;
use tsz_stf::{AuthOp, MemView, RegisterKeyByOidc, Reject, RevokeKeyByOidc, View, message};
use tsz_stf::{Trusted, Verified, apply_auth_with};
use tsz_trade::ops::{ClearProvider, SetProvider};
use tsz_trade::{Op, Params, TradeContext, TradeOp, apply_op_with};
use tsz_types::{AccountId, KeySlot, L1Serial, Nonce, ProviderSlot, TimeMs};

use crate::class::{CLASSES, Class, ES256_CLASSES};
use crate::prove::public_values;
use crate::record::OidcRecord;
use crate::witness::{Rows, Witness};

pub static SMALL: Class = CLASSES[0];
pub static SMALL_ES256: Class = ES256_CLASSES[0];
pub const TIME: u64 = 1_700_000_000_999;
pub const EXPIRY: u64 = TIME + 5;
pub const SALT: [u8; 32] = [9; 32];

pub fn slot(n: u8) -> KeySlot {
    KeySlot::new(n).unwrap()
}

pub fn cell(n: u16) -> ProviderSlot {
    ProviderSlot::new(n).unwrap()
}

pub fn provider(kid: &str) -> LoginProvider {
    let (issuer, audience, kid) = ("https://accounts.example".into(), "app".into(), kid.into());
    LoginProvider { issuer, audience, kid, key: RsaIssuer.key().into() }
}

/// The provider that signs with ES256.
pub fn es256() -> Issuer {
    Issuer::from_seed(b"provider")
}

/// [`provider`] with its ES256 key.
pub fn ec_provider(kid: &str) -> LoginProvider {
    LoginProvider { key: es256().key().into(), ..provider(kid) }
}

pub fn identity() -> Identity<'static> {
    Identity { issuer: "https://accounts.example", audience: "app", subject: "108204", salt: SALT }
}

/// Account 2 with an identity that manages keys in slot 3, and the same one without the right in slot 4; the provider's
/// key `k1` in cell 5.
pub struct World {
    pub algorithm: Algorithm,
    pub view: MemView,
    pub context: BatchContext,
    pub records: Vec<OidcRecord>,
}

impl World {
    pub fn new() -> Self {
        Self::of(Algorithm::Rs256)
    }

    /// The world whose provider has a key of an algorithm.
    pub fn of(algorithm: Algorithm) -> Self {
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] }.digest();
        let context = BatchContext { system, batch: 1, time: TIME, params: ZERO };
        let view = MemView::from_leaves([]);
        let mut world = Self { algorithm, view, context, records: Vec::new() };
        let id = identity().key_id();
        world.put(3, Some((id, Permissions::ALL)));
        world.put(4, Some((id, [Permission::Withdraw].into_iter().collect())));
        let leaf = world.provider("k1").digest();
        world.view.set(Key::provider(5), leaf);
        world
    }

    /// The provider with a key of the world's algorithm.
    pub fn provider(&self, kid: &str) -> LoginProvider {
        match self.algorithm {
            Algorithm::Rs256 => provider(kid),
            Algorithm::Es256 => ec_provider(kid),
        }
    }

    /// A token of the provider over any payload.
    pub fn sign(&self, kid: &str, payload: &str) -> Vec<u8> {
        match self.algorithm {
            Algorithm::Rs256 => RsaIssuer.sign(&RsaIssuer::header(kid), payload),
            Algorithm::Es256 => es256().sign(&Issuer::header(kid), payload),
        }
    }

    /// Puts an identity into a slot of account 2.
    pub fn put(&mut self, slot: u32, key: Option<(Digest, Permissions)>) {
        let policy = key.map(|(_, permissions)| KeyPolicy {
            scheme: Scheme::Oidc,
            permissions,
            expiry: TimeMs::new(EXPIRY).unwrap(),
        });
        self.view.set(Key::key_a(2, slot), key.map_or(ZERO, |(id, _)| id));
        self.view.set(Key::key_b(2, slot), policy.to_leaf());
    }

    pub fn nonce(&self) -> Nonce {
        CtlCell::from_leaf(&self.view.get(Key::ctl(2, 0))).unwrap().nonce
    }

    pub fn serial(&self) -> L1Serial {
        L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap().next
    }

    /// A session key for slot 7, not yet approved.
    pub fn register(&self) -> RegisterKeyByOidc {
        RegisterKeyByOidc {
            account: AccountId::new(2).unwrap(),
            slot: slot(7),
            key_id: core::array::from_fn(|k| tsz_air::PrimeCharacteristicRing::from_usize(1000 + k)),
            scheme: Scheme::Schnorr,
            permissions: [Permission::Trade].into_iter().collect(),
            expiry: TimeMs::new(TIME + 86_400_000).unwrap(),
            nonce: self.nonce(),
            key_slot: slot(3),
            provider_slot: cell(5),
            provider: self.provider("k1"),
            login: SocialLogin { token: Vec::new(), salt: SALT },
        }
    }

    pub fn revoke(&self) -> RevokeKeyByOidc {
        let r = self.register();
        let RegisterKeyByOidc { account, slot, nonce, key_slot, provider_slot, provider, login, .. } = r;
        RevokeKeyByOidc { account, slot, nonce, key_slot, provider_slot, provider, login }
    }

    pub fn digest(&self, op: &AuthOp) -> Digest {
        message(&self.context.system, &op.message())
    }

    /// The op with the token that `make` makes of its message.
    pub fn with(&self, op: impl Into<AuthOp>, make: impl FnOnce(&Digest) -> Vec<u8>) -> AuthOp {
        let mut op = op.into();
        let digest = self.digest(&op);
        op.social_login_mut().unwrap().token = make(&digest);
        op
    }

    /// The op with an honest token.
    pub fn approve(&self, op: impl Into<AuthOp>) -> AuthOp {
        self.with(op, |m| self.sign("k1", &payload(m)))
    }

    /// What the ledger says with all checks.
    pub fn verdict(&self, op: &AuthOp) -> Result<(), Reject> {
        apply_auth_with(&self.view, &self.context, 0, op, &Verified).map(|_| ())
    }

    /// Applies without a check of the approval, and records.
    pub fn apply(&mut self, op: impl Into<Op>) {
        let (op, index) = (op.into(), 5 + self.records.len() as u32);
        let params = Params::default();
        let context = TradeContext { batch: &self.context, params: &params };
        let applied = apply_op_with(&self.view, &context, index, &op, &Trusted).unwrap();
        self.view.commit(&applied.accesses);
        self.records.push(OidcRecord { index, op, accesses: applied.accesses });
    }

    pub fn login(&mut self, op: AuthOp) {
        self.apply(Op::Auth(op));
    }

    pub fn set_provider(&mut self, slot: u16, provider: &LoginProvider) {
        let op = SetProvider { serial: self.serial(), slot: cell(slot), provider: provider.digest() };
        self.apply(Op::Trade(TradeOp::from(op)));
    }

    pub fn clear_provider(&mut self, slot: u16) {
        let op = ClearProvider { serial: self.serial(), slot: cell(slot) };
        self.apply(Op::Trade(TradeOp::from(op)));
    }

    pub fn class(&self) -> &'static Class {
        match self.algorithm {
            Algorithm::Rs256 => &SMALL,
            Algorithm::Es256 => &SMALL_ES256,
        }
    }

    pub fn witness(&self) -> Witness {
        Witness::new(self.class(), &self.context, &self.records, self.context.digest()).unwrap()
    }

    /// The witness of rows that were changed.
    pub fn changed(&self, change: impl FnOnce(&mut Rows)) -> Witness {
        let mut rows = Rows::new(self.algorithm, &self.context, &self.records).unwrap();
        change(&mut rows);
        Witness::of_rows(self.class(), &self.context, &self.records, self.context.digest(), &rows).unwrap()
    }
}

pub fn payload(message: &Digest) -> String {
    Issuer::payload(&identity(), message, TIME / 1000)
}

/// A provider set, two registrations and a revocation under two keys, a provider cleared.
pub fn honest() -> World {
    let mut w = World::new();
    let op = w.approve(w.register());
    w.verdict(&op).unwrap();
    w.login(op);
    w.set_provider(4095, &provider("k2"));
    let second = RegisterKeyByOidc {
        provider_slot: cell(4095),
        provider: provider("k2"),
        slot: slot(3),
        ..w.register()
    };
    let second = RegisterKeyByOidc { scheme: Scheme::Oidc, ..second };
    let op = w.with(second, |m| RsaIssuer.token("k2", &identity(), m, TIME / 1000 + 60));
    w.verdict(&op).unwrap();
    w.login(op);
    w.put(3, Some((identity().key_id(), Permissions::ALL)));
    let op = w.approve(w.revoke());
    w.verdict(&op).unwrap();
    w.login(op);
    w.clear_provider(5);
    w
}

/// One registration.
pub fn one() -> World {
    let mut w = World::new();
    let op = w.approve(w.register());
    w.login(op);
    w
}

/// Where traces are noticed: `table` of a broken constraint, `bus:name`, or `nowhere`.
pub fn place(witness: &Witness) -> String {
    let of = |class: &&Class| class.family().algorithm() == witness.claim.algorithm;
    let class = [&SMALL, &SMALL_ES256].into_iter().find(of).unwrap();
    let airs = class.circuit(Profile::InsecureTest).airs;
    match check(&airs, &witness.traces, &public_values(class, &witness.claim)) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}
