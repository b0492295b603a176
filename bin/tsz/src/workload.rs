//! Seeded populations and signed operations, for the demo and the benchmarks.

use anyhow::{Context, Result};
use rayon::prelude::*;
use tsz_engine::Executor;
use tsz_ledger::{KeyPolicy, Leaf, Permissions, Scheme, SystemId};
use tsz_sig::{SIGNATURE_BYTES, SecretKey, Signature};
use tsz_smt::Tree;
use tsz_smt::bench::Mix;
use tsz_stf::{
    Deposit, FullExit, FundOp, Genesis, GenesisAccount, GenesisKey, RegisterKey, TokenListing, Transfer,
    Withdraw, message,
};
use tsz_types::{
    AccountId, Balance, Bucket, EthAddress, KeySlot, L1Serial, MICROS, Nonce, SubId, TimeMs, TokenId, Units,
};

/// Units of token 0 that every account starts with; no workload moves as much out of one account.
const START_UNITS: u128 = 1_000_000_000;
/// Time of the first batch; each further one is a second later.
const START_TIME: u64 = 1_760_000_000_000;

/// What the operations of a batch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Transfers between accounts.
    Transfers,
    /// Mostly transfers, some deposits and withdrawals, a few keys and exits.
    Everything,
}

/// An account whose key the workload holds.
struct Holder {
    account: AccountId,
    key: SecretKey,
    nonce: u32,
}

/// A population and the operations it signs.
pub struct Workload {
    /// The system that every message names.
    pub system: SystemId,
    /// The first state.
    pub genesis: Genesis,
    holders: Vec<Holder>,
    mix: Mix,
    next_account: u32,
    serial: u64,
    batch: u64,
}

/// One batch to execute.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its time in ms.
    pub time: u64,
    /// Its operations, without BeginBatch.
    pub ops: Vec<FundOp>,
}

impl Workload {
    /// `2^accounts_log2` accounts, `active` of which (spread evenly) sign; the first state's vk root is `vk_root`.
    pub fn new(accounts_log2: u32, active: u32, seed: u64, vk_root: tsz_hash::Digest) -> Result<Self> {
        let accounts = 1u32 << accounts_log2;
        let users = accounts - 2;
        let active = active.min(users);
        let policy =
            KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::MAX };
        let key_of = |k: u32| SecretKey::from_seed(format!("tsz/workload/{seed}/{k}").as_bytes());
        let keys: Vec<SecretKey> = (0..active).into_par_iter().map(key_of).collect();
        let balance = Balance::new(START_UNITS * MICROS)?;
        let account = |number: u32| GenesisAccount {
            owner: owner(number),
            balances: vec![(SubId::MIN, TokenId::QUOTE, balance)],
            ..GenesisAccount::default()
        };
        let mut genesis = Genesis {
            operator: owner(0),
            tokens: vec![TokenListing { token: TokenId::QUOTE, minimum: Units::new(10)? }],
            time: START_TIME,
            vk_root,
            accounts: (2..accounts).map(account).collect(),
            ..Genesis::default()
        };
        let mut holders = Vec::with_capacity(keys.len());
        for (k, key) in (0..active).zip(keys) {
            let index = (u64::from(k) * u64::from(users) / u64::from(active)) as u32;
            let entry = GenesisKey { slot: KeySlot::MIN, key_id: key.public_key().key_id(), policy };
            genesis.accounts[index as usize].keys.push(entry);
            holders.push(Holder { account: AccountId::new(index + 2)?, key, nonce: 0 });
        }
        let system = SystemId { rollup: 1, chain: 1, address: [0x75; 20] };
        Ok(Self { system, genesis, holders, mix: Mix(seed), next_account: accounts, serial: 0, batch: 0 })
    }

    /// The state tree of the genesis, to execute on.
    pub fn executor(&self) -> Result<Executor> {
        let leaves = self.genesis.leaves()?;
        let leaves: Vec<(u64, Leaf)> = leaves.into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect();
        Ok(Executor::new(self.system.digest(), Tree::from_leaves(&leaves)?))
    }

    /// The next batch: `ops` signed operations.
    pub fn batch(&mut self, ops: u32, kinds: Kinds) -> Result<Batch> {
        let system = self.system.digest();
        self.batch += 1;
        let mut signers = Vec::with_capacity(ops as usize);
        let mut out = Vec::with_capacity(ops as usize);
        for _ in 0..ops {
            let (op, signer) = self.op(kinds)?;
            out.push(op);
            signers.push(signer);
        }
        let holders = &self.holders;
        out.par_iter_mut().zip(&signers).for_each(|(op, signer)| {
            if let (Some(k), Some(blocks)) = (signer, op.message()) {
                let signature = holders[*k].key.sign(&message(&system, &blocks));
                if let Some(place) = op.signature_mut() {
                    *place = signature;
                }
            }
        });
        Ok(Batch { time: START_TIME + 1000 * self.batch, ops: out })
    }

    /// An operation and the holder who signs it.
    fn op(&mut self, kinds: Kinds) -> Result<(FundOp, Option<usize>)> {
        let choice = if kinds == Kinds::Transfers { 100 } else { self.mix.next() % 100 };
        match choice {
            0..4 => Ok((self.deposit()?.into(), None)),
            4 => Ok((self.full_exit()?.into(), None)),
            5..8 => self.withdraw(),
            8 => self.register_key(),
            _ => self.transfer(),
        }
    }

    /// A random holder with the nonce to use.
    fn pick(&mut self) -> Result<(usize, AccountId, Nonce)> {
        let k = (self.mix.next() % self.holders.len() as u64) as usize;
        let holder = &mut self.holders[k];
        let nonce = Nonce::new(holder.nonce)?;
        holder.nonce += 1;
        Ok((k, holder.account, nonce))
    }

    fn units(&mut self) -> Result<Units> {
        Ok(Units::new(10 + self.mix.next() % 1000)?)
    }

    fn transfer(&mut self) -> Result<(FundOp, Option<usize>)> {
        let (k, account, nonce) = self.pick()?;
        let to = (k as u64 + 1 + self.mix.next() % (self.holders.len() as u64 - 1)) as usize;
        let op = Transfer {
            account,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            to_account: self.holders[to % self.holders.len()].account,
            to_sub: SubId::MIN,
            to_bucket: Bucket::Balance,
            token: TokenId::QUOTE,
            units: self.units()?,
            nonce,
            key_slot: KeySlot::MIN,
            signature: unsigned()?,
        };
        Ok((op.into(), Some(k)))
    }

    fn withdraw(&mut self) -> Result<(FundOp, Option<usize>)> {
        let (k, account, nonce) = self.pick()?;
        let op = Withdraw {
            account,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            token: TokenId::QUOTE,
            units: self.units()?,
            to: owner(account.get()),
            nonce,
            key_slot: KeySlot::MIN,
            signature: unsigned()?,
        };
        Ok((op.into(), Some(k)))
    }

    /// A second key for withdrawals only.
    fn register_key(&mut self) -> Result<(FundOp, Option<usize>)> {
        let (k, account, nonce) = self.pick()?;
        let op = RegisterKey {
            account,
            slot: KeySlot::new(1)?,
            key_id: self.holders[(k + 1) % self.holders.len()].key.public_key().key_id(),
            scheme: Scheme::Schnorr,
            permissions: [tsz_ledger::Permission::Withdraw].into_iter().collect(),
            expiry: TimeMs::new(START_TIME + 3_600_000)?,
            nonce,
            key_slot: KeySlot::MIN,
            signature: unsigned()?,
        };
        Ok((op.into(), Some(k)))
    }

    fn next_serial(&mut self) -> Result<L1Serial> {
        self.serial += 1;
        Ok(L1Serial::new(self.serial - 1)?)
    }

    /// Half of the deposits create an account.
    fn deposit(&mut self) -> Result<Deposit> {
        let account = if self.mix.next() & 1 == 0 {
            self.next_account += 1;
            self.next_account - 1
        } else {
            2 + (self.mix.next() % u64::from(self.next_account - 2)) as u32
        };
        Ok(Deposit {
            serial: self.next_serial()?,
            account: AccountId::new(account)?,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            token: TokenId::QUOTE,
            units: self.units()?,
            owner: owner(account),
        })
    }

    /// An exit from collateral, which is empty: a record for 0 units. One in four comes from a stranger.
    fn full_exit(&mut self) -> Result<FullExit> {
        let k = (self.mix.next() % self.holders.len() as u64) as usize;
        let account = self.holders[k].account;
        let stranger = u32::from(self.mix.next() & 3 == 0);
        Ok(FullExit {
            serial: self.next_serial()?,
            account,
            sub: SubId::MIN,
            bucket: Bucket::Collateral,
            token: TokenId::QUOTE,
            sender: owner(account.get() + stranger),
        })
    }

    /// A transfer of everything `victim` started with to another account, well-formed but signed with a key
    /// that is not the victim's.
    pub fn forged_transfer(&self) -> Result<FundOp> {
        let [victim, thief] = self.holders.first_chunk::<2>().context("two accounts are needed")?.each_ref();
        let mut op = FundOp::from(Transfer {
            account: victim.account,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            to_account: thief.account,
            to_sub: SubId::MIN,
            to_bucket: Bucket::Balance,
            token: TokenId::QUOTE,
            units: Units::new(START_UNITS as u64 / 2)?,
            nonce: Nonce::new(victim.nonce)?,
            key_slot: KeySlot::MIN,
            signature: unsigned()?,
        });
        if let Some(blocks) = op.message() {
            let signature = thief.key.sign(&message(&self.system.digest(), &blocks));
            if let Some(place) = op.signature_mut() {
                *place = signature;
            }
        }
        Ok(op)
    }
}

/// L1 owner of an account.
fn owner(account: u32) -> EthAddress {
    let mut bytes = [0xee; 20];
    bytes[16..].copy_from_slice(&account.to_be_bytes());
    EthAddress(bytes)
}

/// What stands in an operation before it is signed.
fn unsigned() -> Result<Signature> {
    Signature::from_bytes(&[0; SIGNATURE_BYTES]).context("the zero signature is well-formed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tsz_stf::{Code, Reject};

    #[test]
    fn every_operation_of_two_batches_is_accepted() {
        for kinds in [Kinds::Everything, Kinds::Transfers] {
            let mut workload = Workload::new(6, 20, 5, tsz_hash::ZERO).unwrap();
            let mut executor = workload.executor().unwrap();
            let mut codes = std::collections::BTreeSet::new();
            for _ in 0..2 {
                let batch = workload.batch(300, kinds).unwrap();
                let done = executor.execute(batch.time, &batch.ops).unwrap();
                assert!(done.rejected.is_empty(), "{:?}", done.rejected.first());
                assert_eq!(done.records.len(), 301);
                assert!(
                    kinds == Kinds::Everything || done.records.iter().all(|r| r.receipt.code == Code::Ok)
                );
                codes.extend(done.records.iter().map(|r| r.op.code()));
            }
            assert_eq!(codes.len(), if kinds == Kinds::Everything { 6 } else { 2 });
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_operations() {
        let ops = |seed| {
            let mut workload = Workload::new(6, 9, seed, tsz_hash::ZERO).unwrap();
            workload.batch(50, Kinds::Everything).unwrap().ops
        };
        assert_eq!(ops(3), ops(3));
        assert_ne!(ops(3), ops(4));
    }

    #[test]
    fn the_forged_transfer_fails_for_its_signature_alone() {
        let mut workload = Workload::new(6, 20, 5, tsz_hash::ZERO).unwrap();
        let mut executor = workload.executor().unwrap();
        let batch = workload.batch(10, Kinds::Transfers).unwrap();
        executor.execute(batch.time, &batch.ops).unwrap();
        let forged = workload.forged_transfer().unwrap();
        let done = executor.execute(batch.time + 1, &[forged]).unwrap();
        assert_eq!(done.rejected.first().map(|r| r.reason), Some(Reject::Signature));
    }
}
