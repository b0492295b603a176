//! Adl: auto-deleveraging.

use serde::{Deserialize, Serialize};
use tsz_ledger::{Key, MkoCell, MkrCell};
use tsz_risk::Health;
use tsz_risk::adl::{adl_rank, can_bear, loss_class};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Lots, MarketId};

use super::takeover::receipt;
use super::target::{Close, Target, insurance_refuses};
use crate::account::{Before, Party, Table};
use crate::market::{MarketRow, Move};
use crate::params::Status;
use crate::{Context, Env, Rule, TradeReceipt, TradeReject};

/// Closes as much as both have of a position that insurance cannot take against the best-ranked opposite position, at
/// the zero quote. The ranking is that of [`super::AdlRank`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adl {
    /// Whose position is closed; insurance itself may be.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Holder of the opposite position.
    pub counterparty: Party,
}

/// Rank of a holder in a loss class, 0 if it cannot be the counterparty. Its rows count at their last prices.
pub(super) fn rank_of(
    row: &MarketRow<'_>,
    holder: Party,
    at: &Before,
    table: &Table<'_>,
    class: u8,
) -> Result<u16, TradeReject> {
    let (margin, rest) = (table.margin(at)?, table.rest()?.imr);
    let bears = can_bear(&at.position, &row.risk, &margin, rest, class)?;
    if holder.account < AccountId::FIRST_USER || !bears {
        return Ok(0);
    }
    Ok(adl_rank(&at.position, &row.risk, margin.tav)?)
}

/// Best rank of the complete ranking of the side opposite to a target, for what its close costs.
/// Accesses: MKO read, MKR read.
pub(super) fn best_rank<V: View>(
    log: &mut Log<'_, V>,
    row: &MarketRow<'_>,
    target: &Target<'_>,
    class: u8,
) -> Result<u16, TradeReject> {
    let market = row.id;
    let MkoCell { moves, .. } = log.read_cell(Key::mko(market.get().into()))?;
    let side = u32::from(target.at.position.size > 0); // the shorts of a long target
    let cell: MkrCell = log.read_cell(Key::mkr(market.get().into(), side, class.into()))?;
    if cell.moves != moves || cell.price_ts != row.prices.price_ts {
        return Err(TradeReject::OtherRanking { market });
    }
    if cell.remaining != 0 {
        return Err(TradeReject::RankingIncomplete { market, remaining: cell.remaining });
    }
    Ok(cell.rank)
}

/// What the close of a target costs its counterparties.
pub(super) fn class_of(row: &MarketRow<'_>, target: &Target<'_>) -> Result<Option<u8>, TradeReject> {
    Ok(loss_class(&target.at.position, &row.risk, &target.margin)?)
}

/// The counterparty of a deleveraging, and its lots: opposite, able, and not ranked below the best.
/// Accesses: SUB read, POS read, table.
pub(super) fn counterparty<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    target: &Target<'_>,
    (party, class, best): (Party, u8, u16),
) -> Result<u64, TradeReject> {
    let account = party.account;
    let at = party.read(log, row.id)?;
    if at.position.sign() != -target.at.position.sign() {
        return Err(TradeReject::NotOpposite { account });
    }
    let table = Table::read(log, &Context { forced: true, ..*ctx }, party, Some(row))?;
    let got = rank_of(row, party, &at, &table, class)?;
    if got == 0 {
        return Err(TradeReject::CannotBear { account, class });
    }
    if best == 0 || got < best {
        return Err(TradeReject::Rank { best, got });
    }
    Ok(at.position.lots())
}

impl Adl {
    /// As many lots as target and counterparty both have, at the zero quote.
    fn close(&self, target: &Target<'_>, lots: u64) -> Result<Close, TradeReject> {
        target.close(Lots::new(lots.min(target.at.position.lots()))?)
    }
}

impl Rule for Adl {
    /// Accesses: MKP read, MKF read; table of the target; MKO read, MKR read; SUB read, POS read, table of the
    /// counterparty; SUB read, POS read, table of insurance (unless it is the target); SUB write, POS write of the
    /// target, then of the counterparty; MKO write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let ctx = &env.ctx;
        let row = MarketRow::read(log, ctx, self.market)?;
        row.check_status(&[Status::Open, Status::ReduceOnly])?;
        let target = Target::read(log, ctx, &row, self.target)?;
        target.check_health(Health::FullLiquidation)?;
        let class = class_of(&row, &target)?.ok_or(TradeReject::NoLossClass)?;
        let best = best_rank(log, &row, &target, class)?;
        let lots = counterparty(log, ctx, &row, &target, (self.counterparty, class, best))?;
        let close = self.close(&target, lots)?;
        if self.target != Party::INSURANCE && insurance_refuses(log, ctx, &row, &close)?.is_none() {
            return Err(TradeReject::TakeoverPossible {
                lots: Lots::new(close.delta.unsigned_abs() as u64)?,
            });
        }
        target.exchange(log, self.counterparty, &close, Move::Adl)?;
        Ok(receipt(&close))
    }
}
