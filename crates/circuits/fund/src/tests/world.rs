//! A small system and a batch in the making.

use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SubCell, SystemId};
use tsz_sig::{SecretKey, Signature};
use tsz_stf::*;
use tsz_trade::ops::{CancelAll, CancelOrder};
use tsz_trade::{Params, TradeContext, TradeOp, TradeReject};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::op::FundRecord;
use crate::witness::{Witness, WitnessError};

pub const SMALL: Class = CLASSES[0];
pub const EXPIRY: u64 = 0x3_0000_0005;
pub const TIME: u64 = 0x2_ffff_fff0;
pub const OWNER: EthAddress = EthAddress([7; 20]);
pub const OTHER: EthAddress = EthAddress([0xf8; 20]);

pub fn account(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}
pub fn units(n: u64) -> Units {
    Units::new(n).unwrap()
}
pub fn token(n: u8) -> TokenId {
    TokenId::new(n).unwrap()
}
pub fn sub(n: u8) -> SubId {
    SubId::new(n).unwrap()
}
pub fn slot(n: u8) -> KeySlot {
    KeySlot::new(n).unwrap()
}
pub fn nonce(n: u32) -> Nonce {
    Nonce::new(n).unwrap()
}

pub fn policy(permissions: Permissions) -> KeyPolicy {
    KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(EXPIRY).unwrap() }
}

/// Accounts 2 and 3 with keys in slots 0 (all rights) and 1 (internal transfers), balances of tokens 0 and 5 in
/// sub 0, collateral in sub 1 (positive), 2 (negative), 3 (with a position).
pub struct World {
    pub view: MemView,
    pub context: BatchContext,
    pub keys: Vec<SecretKey>,
    pub records: Vec<FundRecord>,
}

fn genesis(keys: &[SecretKey]) -> Genesis {
    let user = |owner, first: usize| GenesisAccount {
        owner,
        keys: vec![
            GenesisKey {
                slot: slot(0),
                key_id: keys[first].public_key().key_id(),
                policy: policy(Permissions::ALL),
            },
            GenesisKey {
                slot: slot(1),
                key_id: keys[first + 1].public_key().key_id(),
                policy: policy([Permission::TransferInternal].into_iter().collect()),
            },
        ],
        balances: vec![
            (sub(0), token(0), Balance::from(units(1 << 50))),
            (sub(0), token(5), Balance::new(0x1_0000_0000_0000_0007).unwrap()),
        ],
        collateral: vec![
            (sub(1), Collateral::new(100_000_000_000_001).unwrap()),
            (sub(2), Collateral::new(-70_000_000_000_003).unwrap()),
        ],
    };
    Genesis {
        operator: OTHER,
        tokens: vec![
            TokenListing { token: token(0), minimum: units(10) },
            TokenListing { token: token(5), minimum: units(1) },
        ],
        accounts: vec![user(OWNER, 0), user(OTHER, 2)],
        ..Genesis::default()
    }
}

impl World {
    pub fn new() -> Self {
        let keys: Vec<_> = (0u8..4).map(|k| SecretKey::from_seed(&[k; 32])).collect();
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: tsz_hash::ZERO };
        let mut view = MemView::from_leaves(genesis(&keys).leaves().unwrap());
        let open = SubCell { collateral: Collateral::new(50_000_000).unwrap(), pos_count: 2, mask: 0 };
        view.set(Key::sub(2, 3), open.to_leaf());
        Self { view, context, keys, records: Vec::new() }
    }

    /// Applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: impl Into<FundOp>) -> Result<Receipt, Reject> {
        let op = op.into();
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &self.context, index, &op, &Trusted)?;
        self.view.commit(&applied.accesses);
        self.records.push(FundRecord { index, op: op.into(), accesses: applied.accesses });
        Ok(applied.receipt)
    }

    /// The same for a cancel.
    pub fn try_cancel(&mut self, op: TradeOp) -> Result<(), TradeReject> {
        let index = self.records.len() as u32;
        let ctx = TradeContext { batch: &self.context, params: &Params::default() };
        let applied = tsz_trade::apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        self.view.commit(&applied.accesses);
        self.records.push(FundRecord { index, op: op.into(), accesses: applied.accesses });
        Ok(())
    }

    pub fn cancel(&mut self, op: TradeOp) {
        self.try_cancel(op).expect("the ledger accepts the cancel");
    }

    /// Signs the cancel with a key.
    pub fn sign_cancel(&self, key: usize, op: impl Into<TradeOp>) -> TradeOp {
        let mut op = op.into();
        let sign = |blocks| self.keys[key].sign(&message(&self.context.system, &blocks));
        match &mut op {
            TradeOp::CancelOrder(op) => op.signature = sign(op.message()),
            TradeOp::CancelAll(op) => op.signature = sign(op.message()),
            _ => unreachable!("not a cancel"),
        }
        op
    }

    /// Slot 7 of sub 1 of account 2, up to nonce 5.
    pub fn cancel_order(&self) -> CancelOrder {
        CancelOrder {
            account: account(2),
            sub: sub(1),
            slot: tsz_types::Slot::new(7).unwrap(),
            nonce: nonce(5),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    /// All orders of sub 1 of account 2, good from the batch time on.
    pub fn cancel_all(&self) -> CancelAll {
        use tsz_ledger::CtlCell;
        let ctl = CtlCell::from_leaf(&self.view.get(Key::ctl(2, 1))).unwrap();
        CancelAll {
            account: account(2),
            sub: sub(1),
            kill_epoch: ctl.kill_epoch,
            not_before: TimeMs::new(TIME).unwrap(),
            nonce: ctl.nonce,
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn apply(&mut self, op: impl Into<FundOp>) -> Code {
        self.try_apply(op).expect("the ledger accepts the op").code
    }

    /// Applies an op made from the present state and expects an outcome.
    pub fn expect(&mut self, code: Code, op: impl Fn(&Self) -> FundOp) {
        let op = op(self);
        assert_eq!(self.apply(op), code);
    }

    pub fn sign(&self, key: usize, op: impl Into<FundOp>) -> FundOp {
        let mut op = op.into();
        if let Some(blocks) = op.message() {
            *op.signature_mut().unwrap() = self.keys[key].sign(&message(&self.context.system, &blocks));
        }
        op
    }

    pub fn blank(&self) -> Signature {
        self.keys[0].sign(&Digest::default())
    }

    pub fn nonce(&self, account: u32, sub: u8) -> Nonce {
        use tsz_ledger::CtlCell;
        CtlCell::from_leaf(&self.view.get(Key::ctl(account, sub.into()))).unwrap().nonce
    }

    pub fn serial(&self) -> L1Serial {
        use tsz_ledger::L1InCell;
        L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap().next
    }

    /// A transfer of 20 units of token 5 from account 2 to account 3, sub 4.
    pub fn transfer(&self) -> Transfer {
        Transfer {
            account: account(2),
            sub: sub(0),
            bucket: Bucket::Balance,
            to_account: account(3),
            to_sub: sub(4),
            to_bucket: Bucket::Balance,
            token: token(5),
            units: units(20),
            nonce: self.nonce(2, 0),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn withdraw(&self) -> Withdraw {
        Withdraw {
            account: account(2),
            sub: sub(0),
            bucket: Bucket::Balance,
            token: token(0),
            units: units(1 << 25),
            to: OTHER,
            nonce: self.nonce(2, 0),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn register(&self) -> RegisterKey {
        RegisterKey {
            account: account(2),
            slot: slot(47),
            key_id: self.keys[1].public_key().key_id(),
            scheme: Scheme::Secp256k1,
            permissions: Permissions::ALL,
            expiry: TimeMs::new((1 << 48) - 1).unwrap(),
            nonce: self.nonce(2, 0),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn revoke(&self) -> RevokeKey {
        RevokeKey {
            account: account(2),
            slot: slot(1),
            nonce: self.nonce(2, 0),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn deposit(&self, to: u32) -> Deposit {
        Deposit {
            serial: self.serial(),
            account: account(to),
            sub: sub(0),
            bucket: Bucket::Balance,
            token: token(0),
            units: units((1 << 59) + 12345),
            owner: OWNER,
        }
    }

    pub fn exit(&self) -> FullExit {
        FullExit {
            serial: self.serial(),
            account: account(2),
            sub: sub(0),
            bucket: Bucket::Balance,
            token: token(5),
            sender: OWNER,
        }
    }

    pub fn l1_register(&self) -> L1RegisterKey {
        L1RegisterKey {
            serial: self.serial(),
            account: account(2),
            slot: slot(9),
            key_id: self.keys[2].public_key().key_id(),
            scheme: Scheme::P256,
            permissions: Permissions::ALL,
            expiry: TimeMs::new(EXPIRY).unwrap(),
            sender: OWNER,
        }
    }

    pub fn l1_revoke(&self) -> L1RevokeKey {
        L1RevokeKey { serial: self.serial(), account: account(2), slot: slot(0), sender: OWNER }
    }

    pub fn begin(&mut self) {
        self.apply(BeginBatch {});
    }

    pub fn try_witness(&self) -> Result<Witness, WitnessError> {
        Witness::new(&SMALL, &self.context, &self.records, self.context.digest())
    }

    pub fn witness(&self) -> Witness {
        self.try_witness().unwrap()
    }
}

/// One op of every kind and every outcome.
pub fn every_op() -> World {
    let mut w = World::new();
    w.begin();
    let op = w.sign(0, w.transfer());
    w.apply(op);
    // within the account, by the weaker key; balance to negative collateral, which stays negative
    for units_ in [1, 200_000_000] {
        let (to_account, to_sub, to_bucket) = (account(2), sub(2), Bucket::Collateral);
        let t = Transfer {
            to_account,
            to_sub,
            to_bucket,
            token: token(0),
            units: units(units_),
            key_slot: slot(1),
            ..w.transfer()
        };
        let op = w.sign(1, t);
        w.apply(op);
    }
    // collateral to balance
    let t = Transfer {
        sub: sub(1),
        bucket: Bucket::Collateral,
        token: token(0),
        nonce: w.nonce(2, 1),
        ..w.transfer()
    };
    let op = w.sign(0, t);
    w.apply(op);
    let op = w.sign(0, w.withdraw());
    w.apply(op);
    let t = Withdraw { units: units(10), ..w.withdraw() };
    let op = w.sign(0, t);
    w.apply(op);
    let op = w.sign(0, w.register());
    w.apply(op);
    let op = w.sign(0, w.revoke());
    w.apply(op);
    cancels(&mut w);
    l1_ops(&mut w);
    w
}

/// Carries of nonces and epochs, the same nonce again, another slot, a time that is long past.
fn cancels(w: &mut World) {
    use tsz_ledger::OrdCell;
    for n in [5, 6, 0xff_ffff, 0x100_0000, u32::MAX - 1] {
        let op = w.sign_cancel(0, CancelOrder { nonce: nonce(n), ..w.cancel_order() });
        w.cancel(op);
    }
    let filled = OrdCell { filled: Lots::new(3).unwrap(), tag: [F::ONE; 4], ..OrdCell::fresh(nonce(5)) };
    let other = tsz_types::Slot::new(255).unwrap();
    w.view.set(Key::ord(2, 1, 255), filled.to_leaf());
    let op = w.sign_cancel(0, CancelOrder { slot: other, ..w.cancel_order() });
    w.cancel(op);
    for not_before in [TIME, 0] {
        let op =
            w.sign_cancel(0, CancelAll { not_before: TimeMs::new(not_before).unwrap(), ..w.cancel_all() });
        w.cancel(op);
    }
    let last = KillEpoch::new(0xff_ffff).unwrap();
    w.view.set(Key::ctl(2, 1), tsz_ledger::CtlCell { nonce: nonce(0xff_ffff), kill_epoch: last }.to_leaf());
    let op = w.sign_cancel(0, w.cancel_all());
    w.cancel(op);
}

fn l1_ops(w: &mut World) {
    use Code::*;
    let collateral =
        |w: &World, n| FullExit { sub: sub(n), bucket: Bucket::Collateral, token: token(0), ..w.exit() };
    w.expect(Ok, |w| w.deposit(2).into());
    let bucket = Bucket::Collateral;
    w.expect(Ok, |w| Deposit { sub: sub(2), bucket, units: units(5), ..w.deposit(3) }.into());
    w.expect(Ok, |w| w.deposit(4).into());
    w.expect(NoAccount, |w| w.deposit(6).into());
    w.expect(NoAccount, |w| w.deposit(0xff_ffff).into());
    w.expect(Ok, |w| w.exit().into());
    w.expect(Ok, |w| w.exit().into());
    w.expect(NotOwner, |w| FullExit { sender: OTHER, ..w.exit() }.into());
    w.expect(NotOwner, |w| FullExit { account: account(99), ..w.exit() }.into());
    w.expect(Reserved, |w| FullExit { account: account(1), sender: OTHER, ..w.exit() }.into());
    w.expect(OpenPositions, |w| collateral(w, 3).into());
    w.expect(Ok, |w| collateral(w, 1).into());
    w.expect(Negative, |w| FullExit { account: account(3), sender: OTHER, ..collateral(w, 2) }.into());
    w.expect(Ok, |w| w.l1_register().into());
    w.expect(NotOwner, |w| L1RegisterKey { sender: OTHER, ..w.l1_register() }.into());
    w.expect(NotOwner, |w| L1RegisterKey { account: account(77), ..w.l1_register() }.into());
    w.expect(Ok, |w| w.l1_revoke().into());
    w.expect(NotOwner, |w| L1RevokeKey { sender: OTHER, ..w.l1_revoke() }.into());
}
