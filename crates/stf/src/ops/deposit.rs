//! Deposit.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{AcctCell, HeadCell, Key};
use tsz_types::{AccountId, Bucket, EthAddress, L1Serial, SubId, TokenId, Units};

use super::{consume, keep, pay_out};
use crate::bucket::{Leg, positive};
use crate::hashes::{bucket_bits, place};
use crate::{Code, Env, Log, OutRecord, Receipt, Reject, Rule, SigVerifier, View, code};

/// Money from L1. Naming the next account creates it; an account further up does not exist, and the money goes
/// back to the depositor as a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Receiver.
    pub account: AccountId,
    /// Sub-account of the receiver.
    pub sub: SubId,
    /// Balance or collateral.
    pub bucket: Bucket,
    /// Token; the quote token for collateral.
    pub token: TokenId,
    /// Amount, at least 1.
    pub units: Units,
    /// Depositor: owner of a created account, receiver of a refund.
    pub owner: EthAddress,
}

impl Deposit {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let units = self.units.to_felts();
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(code::DEPOSIT);
        place(&mut first, 1, &self.serial.to_felts());
        first[4] = F::from_u32(self.account.get());
        first[5] = F::from_u32(bucket_bits(self.token, self.sub, self.bucket));
        place(&mut first, 6, &units[..2]);
        second[0] = units[2];
        place(&mut second, 1, &self.owner.to_felts());
        [first, second]
    }

    /// The record that pays it back.
    fn refund(&self) -> OutRecord {
        OutRecord {
            op: code::DEPOSIT,
            account: self.account,
            sub: self.sub,
            bucket: self.bucket,
            token: self.token,
            units: self.units,
            to: self.owner,
        }
    }
}

impl Rule for Deposit {
    fn run<V: View, S: SigVerifier>(&self, _: &Env<'_, S>, log: &mut Log<'_, V>) -> Result<Receipt, Reject> {
        positive(self.units)?;
        let leg = Leg { account: self.account, sub: self.sub, bucket: self.bucket, token: self.token };
        let (bucket_key, acct_key) = (leg.key()?, Key::acct(self.account.get()));
        let head: HeadCell = log.peek_cell(Key::HEAD)?;
        let (creates, exists) =
            (self.account.get() == head.next_account, self.account.get() < head.next_account);
        let next_account = head.next_account + u32::from(creates); // at most 2^24: an account id is below it
        log.write_cell(Key::HEAD, &HeadCell { next_account, ..head });
        consume(log, self.serial, &self.record())?;
        if creates {
            log.write_cell(acct_key, &AcctCell { owner: Some(self.owner) });
        } else {
            keep(log, acct_key);
        }
        if !creates && !exists {
            keep(log, bucket_key);
            let refund = self.refund();
            pay_out(log, Some(&refund));
            return Ok(Receipt::out(Code::NoAccount, refund));
        }
        leg.credit(log, self.units)?;
        pay_out(log, None);
        Ok(Receipt { created: creates.then_some(self.account), ..Receipt::OK })
    }
}
