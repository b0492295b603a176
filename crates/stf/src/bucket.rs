//! Legs: money into and out of a bucket.

use tsz_ledger::Key;
use tsz_ledger::cells::BucketCell;
use tsz_types::{AccountId, Bucket, NumberError, SubId, TokenId, Units};

use crate::{Log, Reject, View};

/// One side of a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    pub account: AccountId,
    pub sub: SubId,
    pub bucket: Bucket,
    pub token: TokenId,
}

impl Leg {
    /// The cell; the quote token is the only one with collateral.
    pub fn key(&self) -> Result<Key, Reject> {
        if self.bucket.is_collateral() && self.token != TokenId::QUOTE {
            return Err(Reject::NotQuote { token: self.token });
        }
        let (account, sub) = (self.account.get(), self.sub.get().into());
        Ok(Key::bucket(account, sub, self.bucket.is_collateral(), self.token.get().into()))
    }

    /// The cell's content, without an access.
    pub fn peek<V: View>(&self, log: &Log<'_, V>) -> Result<BucketCell, Reject> {
        let key = self.key()?;
        BucketCell::from_leaf(self.bucket, &log.peek(key)).map_err(|error| Reject::corrupt(key, error))
    }

    /// Writes the cell.
    pub fn write<V: View>(&self, log: &mut Log<'_, V>, cell: &BucketCell) -> Result<(), Reject> {
        log.write(self.key()?, cell.to_leaf());
        Ok(())
    }

    /// Takes `units` out. Collateral beside positions or margin tokens stays: MarginTransfer judges what may leave.
    pub fn debit<V: View>(&self, log: &mut Log<'_, V>, units: Units) -> Result<(), Reject> {
        let cell = self.peek(log)?;
        if cell.holdings() != 0 {
            return Err(Reject::OpenPositions { holdings: cell.holdings() });
        }
        let insufficient = |_: NumberError| Reject::Insufficient {
            token: self.token,
            held: cell.micros(),
            needed: units.micros() as i128, // 80 bits
        };
        self.write(log, &cell.debit(units).map_err(insufficient)?)
    }

    /// Puts `units` in.
    pub fn credit<V: View>(&self, log: &mut Log<'_, V>, units: Units) -> Result<(), Reject> {
        let cell = self.peek(log)?.credit(units)?;
        self.write(log, &cell)
    }
}

/// Refuses an amount of zero.
pub(crate) fn positive(units: Units) -> Result<(), Reject> {
    if units == Units::MIN { Err(Reject::ZeroUnits) } else { Ok(()) }
}
