//! AdlRank: who is next on one side of a market.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_ledger::tuple::MAX_ACCESSES;
use tsz_ledger::{Key, MkoCell, MkrCell};
use tsz_risk::adl::LOSS_CLASSES;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, MarketId, SubId};

use super::adl::rank_of;
use crate::account::{Party, Table};
use crate::market::MarketRow;
use crate::order::Side;
use crate::params::Status;
use crate::{Context, Env, Rule, TradeReceipt, TradeReject};

/// Lists a page of the holders of one side. Pages follow each other until the lots of the side are all listed; a move
/// of any size in the market but by ADL, or a new price, and the ranking starts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdlRank {
    /// Market.
    pub market: MarketId,
    /// The side whose holders are listed: buy = long.
    pub side: Side,
    /// Loss class of the closes that the ranking is for.
    pub class: u8,
    /// Whether this is the first page.
    #[serde(default)]
    pub restart: bool,
    /// Holders, strictly increasing over all pages.
    pub holders: Vec<Party>,
}

impl AdlRank {
    fn key(&self) -> Key {
        Key::mkr(self.market.get().into(), self.side as u32, self.class.into())
    }

    /// The ranking before this page.
    fn before<V: View>(
        &self,
        log: &Log<'_, V>,
        row: &MarketRow<'_>,
        interest: &MkoCell,
    ) -> Result<MkrCell, TradeReject> {
        let price_ts = row.prices.price_ts;
        if self.restart {
            // sizes sum to zero, so each side is half of the open interest
            let remaining = interest.open_interest / 2;
            return Ok(MkrCell { moves: interest.moves, price_ts, remaining, ..MkrCell::default() });
        }
        let cell: MkrCell = log.peek_cell(self.key())?;
        if cell.moves != interest.moves || cell.price_ts != price_ts {
            return Err(TradeReject::OtherRanking { market: self.market });
        }
        Ok(cell)
    }

    /// Adds a holder. Accesses: SUB read, POS read, table.
    fn add<V: View>(
        &self,
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        row: &MarketRow<'_>,
        cell: MkrCell,
        (place, holder): (usize, Party),
    ) -> Result<MkrCell, TradeReject> {
        let (account, sub) = (AccountId::new(cell.account)?, SubId::new(cell.sub)?);
        // the fee account, which never holds a position, stands for nobody
        if (Party { account, sub }) >= holder {
            return Err(TradeReject::Holders { place });
        }
        let at = holder.read(log, row.id)?;
        let sign = if self.side == Side::Buy { 1 } else { -1 };
        if at.position.sign() != sign {
            return Err(TradeReject::NotOpposite { account: holder.account });
        }
        let (lots, remaining) = (at.position.lots(), cell.remaining);
        let left = remaining.checked_sub(lots);
        let table = Table::read(log, ctx, holder, Some(row))?;
        let rank = rank_of(row, holder, &at, &table, self.class)?;
        Ok(MkrCell {
            remaining: left.ok_or(TradeReject::TooManyHolders { place, lots, remaining })?,
            account: holder.account.get(),
            sub: holder.sub.get(),
            rank: cell.rank.max(rank),
            ..cell
        })
    }
}

impl Rule for AdlRank {
    /// Accesses: MKP read, MKF read, MKO read; of each holder SUB read, POS read, table; MKR write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        if self.class >= LOSS_CLASSES {
            return Err(TradeReject::LossClass { class: self.class });
        }
        let ctx = env.forced();
        let row = MarketRow::read(log, &ctx, self.market)?;
        row.check_status(&[Status::Open, Status::ReduceOnly])?;
        let interest: MkoCell = log.read_cell(Key::mko(self.market.get().into()))?;
        let mut cell = self.before(log, &row, &interest)?;
        for (place, holder) in self.holders.iter().enumerate() {
            let (got, max) = (log.accesses().len(), MAX_ACCESSES);
            if got >= max {
                return Err(TradeReject::TooManyAccesses { max, got });
            }
            cell = self.add(log, &ctx, &row, cell, (place, *holder))?;
        }
        log.write_cell(self.key(), &cell);
        Ok(TradeReceipt::default())
    }
}
