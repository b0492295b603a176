//! A small system with approvals.

use alloc::vec;
use alloc::vec::Vec;
use tsz_ext_sdk::Program;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{
    Access, BalCell, BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId,
};
use tsz_sig::SecretKey;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey, MemView, TokenListing, Verified, View, chain};
use tsz_types::{AccountId, Balance, EthAddress, KeySlot, Nonce, SubId, TimeMs, TokenId, Units};

use crate::*;

pub const TIME: u64 = 1_000;
pub const BASE: u8 = 5;
pub const QUOTE: u8 = 0;
/// Stands for positions where a limit names a token.
pub const POSITIONS: u8 = 128;

/// Accounts 2..=4 with 1,000 units of tokens 0 and 5 in sub-account 0; key slot 1 must not approve.
pub struct World {
    pub view: MemView,
    pub batch: BatchContext,
    pub keys: Vec<SecretKey>,
    pub nonces: [u32; 5],
}

pub fn account(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}

pub fn sub(n: u8) -> SubId {
    SubId::new(n).unwrap()
}

pub fn token(n: u8) -> TokenId {
    TokenId::new(n).unwrap()
}

pub fn units(n: u64) -> Units {
    Units::new(n).unwrap()
}

pub fn slot(n: u8) -> ApprovalSlot {
    ApprovalSlot::new(n).unwrap()
}

pub fn limit(t: u8, n: u64) -> Limit {
    Limit { of: Limited::new(t).unwrap(), units: units(n) }
}

/// An id for a program of a test.
pub fn id(n: u32) -> Digest {
    [F::from_u32(n); 8]
}

pub fn approver(n: u32) -> Approver {
    Approver { account: account(n), sub: sub(0), slot: slot(0) }
}

fn genesis(keys: &[SecretKey]) -> Genesis {
    let key = |n: usize, place: u8, permissions| GenesisKey {
        slot: KeySlot::new(place).unwrap(),
        key_id: keys[n].public_key().key_id(),
        policy: KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry: TimeMs::new(2_000).unwrap() },
    };
    let user = |n: usize| GenesisAccount {
        owner: EthAddress([n as u8; 20]),
        keys: vec![
            key(n, 0, Permissions::ALL),
            key(n, 1, [Permission::Trade, Permission::ManageKeys].into_iter().collect()),
        ],
        balances: [QUOTE, BASE].map(|t| (sub(0), token(t), Balance::from(units(1_000)))).to_vec(),
        collateral: vec![],
    };
    Genesis {
        operator: EthAddress([9; 20]),
        tokens: [QUOTE, BASE].map(|t| TokenListing { token: token(t), minimum: units(1) }).to_vec(),
        accounts: (0..3).map(user).collect(),
        ..Genesis::default()
    }
}

impl World {
    pub fn new() -> Self {
        let keys: Vec<_> = (0u8..3).map(|k| SecretKey::from_seed(&[k; 32])).collect();
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let batch = BatchContext { system: system.digest(), batch: 1, time: TIME, params: tsz_hash::ZERO };
        let view = MemView::from_leaves(genesis(&keys).leaves().unwrap());
        Self { view, batch, keys, nonces: [0; 5] }
    }

    /// Applies and commits; on rejection the state stays.
    pub fn apply(&mut self, op: ExtOp, programs: &[(Digest, Program)]) -> Result<Vec<Access>, ExtReject> {
        let ctx = ExtContext {
            batch: &self.batch,
            programs: &Native(programs),
            verifier: &Verified,
            margin: &NoMargin,
        };
        let accesses = apply(&self.view, &ctx, &op)?;
        self.view.commit(&accesses);
        Ok(accesses)
    }

    pub fn approval(&self, n: u32, program: Digest, terms: Digest, limits: &[Limit]) -> ApproveExtension {
        let mut op = ApproveExtension {
            account: account(n),
            sub: sub(0),
            slot: slot(0),
            program,
            terms,
            expiry: TimeMs::new(TIME + 500).unwrap(),
            limits: limits.to_vec(),
            nonce: Nonce::new(self.nonces[n as usize]).unwrap(),
            key_slot: KeySlot::MIN,
            signature: self.keys[0].sign(&id(0)),
        };
        op.signature = self.sign(n, &op.message());
        op
    }

    pub fn sign(&self, n: u32, message: &[tsz_hash::Block]) -> tsz_sig::Signature {
        self.keys[n as usize - 2].sign(&chain(&self.batch.system, message))
    }

    /// Signs and applies an approval in slot 0 of (n, 0).
    pub fn approve(&mut self, n: u32, program: Digest, terms: Digest, limits: &[Limit]) {
        let op = self.approval(n, program, terms, limits);
        self.apply(ExtOp::ApproveExtension(op), &[]).unwrap();
        self.nonces[n as usize] += 1;
    }

    pub fn revocation(&self, n: u32) -> RevokeExtension {
        let mut op = RevokeExtension {
            account: account(n),
            sub: sub(0),
            slot: slot(0),
            nonce: Nonce::new(self.nonces[n as usize]).unwrap(),
            key_slot: KeySlot::MIN,
            signature: self.keys[0].sign(&id(0)),
        };
        op.signature = self.sign(n, &op.message());
        op
    }

    pub fn micros(&self, n: u32, t: u8) -> u128 {
        BalCell::from_leaf(&self.view.get(Key::bal(n, 0, t.into()))).unwrap().balance.get()
    }

    pub fn limit_used(&self, n: u32, index: u32) -> u128 {
        let leaf = self.view.get(key::limit(account(n), sub(0), slot(0), index));
        LimitCell::from_leaf(&leaf).unwrap().used.get()
    }
}

/// An operation of a program that touches cells, sorted here.
pub fn operation(program: Digest, parties: &[u32], cells: &[Touch], args: &[u32]) -> Extension {
    let mut cells = cells.to_vec();
    cells.sort_by_key(|touch| touch.key);
    let parties = parties.iter().map(|n| approver(*n)).collect();
    Extension { program, parties, cells, args: args.to_vec() }
}

pub fn bal(n: u32, t: u8) -> Touch {
    Touch::write(Key::bal(n, 0, t.into()))
}
