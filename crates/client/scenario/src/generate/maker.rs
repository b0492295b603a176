//! Operations of a workload, one by one.

use std::collections::BTreeSet;

use tsz_hash::Digest;
use tsz_ledger::{Permissions, Scheme};
use tsz_stf::{
    Code, Deposit, FullExit, L1RegisterKey, L1RevokeKey, RegisterKey, RevokeKey, Transfer, Withdraw,
};
use tsz_types::{AccountId, Bucket, EthAddress, KeySlot, L1Serial, Nonce, SubId, TimeMs, TokenId, Units};

use super::{FIRST, Mix, TOKENS, small};
use crate::op::blank_signature;
use crate::spec::Population;
use crate::{Expect, MarketKind, OpSpec, ScenarioError};

/// SplitMix64: the same numbers on every machine and in every version of every library.
pub(super) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound.max(1))) as u32
    }
}

/// What the workload knows of the state it makes.
pub(super) struct Maker {
    pub(super) random: Random,
    population: Population,
    next_account: u32,
    spare: Digest,
    with_spare: BTreeSet<u32>,
}

const SPARE_SLOT: u32 = 1;

impl Maker {
    pub fn new(seed: u64, population: Population, spare: Digest) -> Self {
        let next_account = FIRST + population.count;
        Self { random: Random(seed), population, next_account, spare, with_spare: BTreeSet::new() }
    }

    pub fn into_population(self) -> Population {
        self.population
    }

    /// The next operation.
    pub fn op(&mut self, mix: &Mix) -> Result<OpSpec, ScenarioError> {
        let weights = mix.weights();
        let mut pick = self.random.below(weights.iter().sum());
        let kind = weights.iter().position(|w| match pick.checked_sub(*w) {
            Some(rest) => {
                pick = rest;
                false
            }
            None => true,
        });
        match kind {
            Some(0) => self.transfer(),
            Some(1) => self.internal(),
            Some(2) => self.deposit(),
            Some(3) => self.create(),
            Some(4) => self.withdraw(),
            Some(5) => self.full_exit(),
            Some(7) => self.trade(MarketKind::Spot),
            Some(8) => self.trade(MarketKind::Perp),
            _ => self.change_key(),
        }
    }

    fn active(&mut self) -> u32 {
        let k = self.random.below(self.population.active);
        self.active_account(k)
    }

    /// The `k`-th account that signs.
    fn active_account(&self, k: u32) -> u32 {
        FIRST + k * self.population.stride
    }

    /// Two different active accounts.
    pub(super) fn two_active(&mut self) -> (u32, u32) {
        let from = self.random.below(self.population.active);
        let mut to = self.random.below(self.population.active - 1);
        to += u32::from(to >= from);
        (self.active_account(from), self.active_account(to))
    }

    fn units(&mut self) -> Result<Units, ScenarioError> {
        small(1 + self.random.below(1_000))
    }

    fn transfer(&mut self) -> Result<OpSpec, ScenarioError> {
        let (from, to) = self.two_active();
        let (account, to_account) = (small(from)?, small(to)?);
        Ok(OpSpec::filled(Transfer { to_account, ..self.internal_of(account, Bucket::Balance, SubId::MIN)? }))
    }

    fn internal(&mut self) -> Result<OpSpec, ScenarioError> {
        let account = small(self.active())?;
        let sub = small(1 + self.random.below(3))?;
        let bucket = if self.random.below(2) == 0 { Bucket::Balance } else { Bucket::Collateral };
        Ok(OpSpec::filled(self.internal_of(account, bucket, sub)?))
    }

    fn internal_of(
        &mut self,
        account: AccountId,
        to_bucket: Bucket,
        to_sub: SubId,
    ) -> Result<Transfer, ScenarioError> {
        Ok(Transfer {
            account,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            to_account: account,
            to_sub,
            to_bucket,
            token: TokenId::QUOTE,
            units: self.units()?,
            nonce: Nonce::MIN,
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        })
    }

    fn deposit(&mut self) -> Result<OpSpec, ScenarioError> {
        let account = self.active();
        let token = self.random.below(TOKENS.into());
        self.deposit_to(account, token)
    }

    fn create(&mut self) -> Result<OpSpec, ScenarioError> {
        let account = self.next_account;
        self.next_account += 1;
        self.deposit_to(account, 0)
    }

    fn deposit_to(&mut self, account: u32, token: u32) -> Result<OpSpec, ScenarioError> {
        let collateral = token == 0 && self.random.below(4) == 0;
        Ok(OpSpec::filled(Deposit {
            serial: L1Serial::MIN,
            account: small(account)?,
            sub: SubId::MIN,
            bucket: if collateral { Bucket::Collateral } else { Bucket::Balance },
            token: small(token)?,
            units: self.units()?,
            owner: self.population.owner_of(account),
        }))
    }

    fn withdraw(&mut self) -> Result<OpSpec, ScenarioError> {
        let account = self.active();
        Ok(OpSpec::filled(Withdraw {
            account: small(account)?,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            token: TokenId::QUOTE,
            units: self.units()?,
            to: self.population.owner_of(account),
            nonce: Nonce::MIN,
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        }))
    }

    /// One in four is asked for by somebody else. An active account keeps its money for the other operations, so
    /// where all are active, all are asked for by somebody else.
    fn full_exit(&mut self) -> Result<OpSpec, ScenarioError> {
        let count = self.population.count;
        let start = self.random.below(count);
        let idle = (0..count).map(|k| (start + k) % count).find(|place| !self.population.is_active(*place));
        let account = FIRST + idle.unwrap_or_default();
        let foreign = idle.is_none() || self.random.below(4) == 0;
        let exit = FullExit {
            serial: L1Serial::MIN,
            account: small(account)?,
            sub: SubId::MIN,
            bucket: Bucket::Balance,
            token: TokenId::QUOTE,
            sender: if foreign { EthAddress::default() } else { self.population.owner_of(account) },
        };
        let expect = Expect::code(if foreign { Code::NotOwner } else { Code::Ok });
        Ok(OpSpec { expect: Some(expect), ..OpSpec::filled(exit) })
    }

    /// Puts the spare key into slot 1 or takes it out, half of the time from L1.
    fn change_key(&mut self) -> Result<OpSpec, ScenarioError> {
        let number = self.active();
        let (account, slot) = (small(number)?, small(SPARE_SLOT)?);
        let sender = self.population.owner_of(number);
        let (serial, nonce, signature) = (L1Serial::MIN, Nonce::MIN, blank_signature());
        let (key_slot, key_id) = (KeySlot::MIN, self.spare);
        let (scheme, permissions, expiry) = (Scheme::Schnorr, Permissions::ALL, TimeMs::MAX);
        let adds = self.with_spare.insert(number);
        if !adds {
            self.with_spare.remove(&number);
        }
        Ok(match (adds, self.random.below(2) == 0) {
            (true, true) => OpSpec::filled(L1RegisterKey {
                serial,
                account,
                slot,
                key_id,
                scheme,
                permissions,
                expiry,
                sender,
            }),
            (true, false) => OpSpec::filled(RegisterKey {
                account,
                slot,
                key_id,
                scheme,
                permissions,
                expiry,
                nonce,
                key_slot,
                signature,
            }),
            (false, true) => OpSpec::filled(L1RevokeKey { serial, account, slot, sender }),
            (false, false) => OpSpec::filled(RevokeKey { account, slot, nonce, key_slot, signature }),
        })
    }
}
