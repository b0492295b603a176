//! FullExit.

use serde::{Deserialize, Serialize};
use tsz_hash::{Block, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::cells::{BalCell, BucketCell, SubCell};
use tsz_ledger::{AcctCell, Key};
use tsz_types::{AccountId, Bucket, Collateral, EthAddress, L1Serial, MICROS, SubId, TokenId, Units};

use super::{consume, keep, pay_out};
use crate::bucket::Leg;
use crate::hashes::{bucket_bits, place};
use crate::{Code, Env, Log, OutRecord, Receipt, Reject, Rule, SigVerifier, View, code};

/// Takes all whole units of a bucket out to L1, on the owner's word there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullExit {
    /// Serial in the L1 queue.
    pub serial: L1Serial,
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
    /// Bucket that is emptied but for its dust.
    pub bucket: Bucket,
    /// Token; the quote token for collateral.
    pub token: TokenId,
    /// Who asked on L1 and is paid.
    pub sender: EthAddress,
}

impl FullExit {
    /// What the L1CHAIN cell absorbs.
    pub fn record(&self) -> [Block; 2] {
        let (mut first, mut second) = (ZERO, ZERO);
        first[0] = F::from_u32(code::FULL_EXIT);
        place(&mut first, 1, &self.serial.to_felts());
        first[4] = F::from_u32(self.account.get());
        first[5] = F::from_u32(bucket_bits(self.token, self.sub, self.bucket));
        place(&mut second, 1, &self.sender.to_felts());
        [first, second]
    }

    /// The first reason for a no-op that holds.
    fn judge(&self, acct: AcctCell, cell: &BucketCell) -> Code {
        if acct.owner != Some(self.sender) {
            Code::NotOwner
        } else if self.account == AccountId::INSURANCE {
            Code::Reserved
        } else if cell.holdings() != 0 {
            Code::OpenPositions
        } else if cell.micros() < 0 {
            Code::Negative
        } else {
            Code::Ok
        }
    }
}

/// Whole units of a cell that is not negative, and the cell with the dust.
fn split(cell: &BucketCell) -> Result<(Units, BucketCell), Reject> {
    match cell {
        BucketCell::Balance(BalCell { balance }) => {
            let (units, dust) = balance.whole_units()?;
            Ok((units, BucketCell::Balance(BalCell { balance: dust })))
        }
        BucketCell::Collateral(sub) => {
            let (micros, held) = (MICROS as i128, sub.collateral.get());
            let units = Units::try_from(held / micros)?;
            let collateral = Collateral::new(held % micros)?;
            Ok((units, BucketCell::Collateral(SubCell { collateral, ..*sub })))
        }
    }
}

impl Rule for FullExit {
    fn run<V: View, S: SigVerifier>(&self, _: &Env<'_, S>, log: &mut Log<'_, V>) -> Result<Receipt, Reject> {
        let leg = Leg { account: self.account, sub: self.sub, bucket: self.bucket, token: self.token };
        let key = leg.key()?;
        consume(log, self.serial, &self.record())?;
        let acct = log.read_cell(Key::acct(self.account.get()))?;
        let cell = leg.peek(log)?;
        let code = self.judge(acct, &cell);
        if code != Code::Ok {
            keep(log, key);
            pay_out(log, None);
            return Ok(Receipt::noop(code));
        }
        let (units, rest) = split(&cell)?;
        leg.write(log, &rest)?;
        let record = OutRecord {
            op: code::FULL_EXIT,
            account: self.account,
            sub: self.sub,
            bucket: self.bucket,
            token: self.token,
            units,
            to: self.sender,
        };
        pay_out(log, Some(&record));
        Ok(Receipt::out(Code::Ok, record))
    }
}
