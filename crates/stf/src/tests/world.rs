//! A small system to play in.

use alloc::vec;
use alloc::vec::Vec;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId};
use tsz_sig::SecretKey;
use tsz_types::{
    AccountId, Balance, Bucket, Collateral, EthAddress, KeySlot, L1Serial, Nonce, SubId, TimeMs, TokenId,
    Units,
};

use crate::*;

pub const TIME: u64 = 1_000;
pub const OWNER: EthAddress = EthAddress([7; 20]);
pub const OTHER_OWNER: EthAddress = EthAddress([8; 20]);
pub const OPERATOR: EthAddress = EthAddress([9; 20]);

/// Accounts 2 and 3 with keys, balances and collateral; tokens 0 (minimum 10) and 5 (minimum 1).
pub struct World {
    pub view: MemView,
    pub batch: BatchContext,
    pub keys: Vec<SecretKey>,
}

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
    KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(2_000).unwrap() }
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
            (sub(0), token(0), Balance::from(units(1_000))),
            (sub(0), token(5), Balance::new(500_000_007).unwrap()),
        ],
        collateral: vec![(sub(1), Collateral::new(100_000_001).unwrap())],
    };
    Genesis {
        operator: OPERATOR,
        tokens: vec![
            TokenListing { token: token(0), minimum: units(10) },
            TokenListing { token: token(5), minimum: units(1) },
        ],
        accounts: vec![user(OWNER, 0), user(OTHER_OWNER, 2)],
        ..Genesis::default()
    }
}

impl World {
    pub fn new() -> Self {
        let keys: Vec<_> = (0u8..4).map(|k| SecretKey::from_seed(&[k; 32])).collect();
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let batch = BatchContext { system: system.digest(), batch: 1, time: TIME, params: tsz_hash::ZERO };
        Self { view: MemView::from_leaves(genesis(&keys).leaves().unwrap()), batch, keys }
    }

    /// Applies and commits; on rejection the state stays.
    pub fn apply(&mut self, op: impl Into<FundOp>) -> Result<Receipt, Reject> {
        let applied = apply(&self.view, &self.batch, 1, &op.into())?;
        self.view.commit(&applied.accesses);
        Ok(applied.receipt)
    }

    pub fn sign(&self, key: usize, mut op: FundOp) -> FundOp {
        if let Some(blocks) = op.message() {
            *op.signature_mut().unwrap() = self.keys[key].sign(&message(&self.batch.system, &blocks));
        }
        op
    }

    /// A signature of nothing, to be replaced.
    pub fn blank(&self) -> tsz_sig::Signature {
        self.keys[0].sign(&[Default::default(); 8])
    }

    /// A transfer of token 5 from account 2 to account 3, unsigned.
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
            nonce: nonce(0),
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
            units: units(10),
            to: OTHER_OWNER,
            nonce: nonce(0),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn register(&self, key_id: Digest) -> RegisterKey {
        RegisterKey {
            account: account(2),
            slot: slot(7),
            key_id,
            scheme: Scheme::Schnorr,
            permissions: Permissions::ALL,
            expiry: TimeMs::new(5_000).unwrap(),
            nonce: nonce(0),
            key_slot: slot(0),
            signature: self.blank(),
        }
    }

    pub fn micros(&self, account_id: u32, sub_id: u8, token_id: u8) -> i128 {
        let key = Key::bal(account_id, sub_id.into(), token_id.into());
        tsz_ledger::cells::BucketCell::from_leaf(Bucket::Balance, &self.view.get(key)).unwrap().micros()
    }
}

pub fn deposit(serial: u64, to: u32) -> Deposit {
    Deposit {
        serial: L1Serial::new(serial).unwrap(),
        account: account(to),
        sub: sub(0),
        bucket: Bucket::Balance,
        token: token(5),
        units: units(3),
        owner: OTHER_OWNER,
    }
}

pub fn full_exit(serial: u64, from: u32, sender: EthAddress) -> FullExit {
    FullExit {
        serial: L1Serial::new(serial).unwrap(),
        account: account(from),
        sub: sub(0),
        bucket: Bucket::Balance,
        token: token(5),
        sender,
    }
}
