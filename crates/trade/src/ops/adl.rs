//! Adl: auto-deleveraging.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_ledger::{Key, MkoCell};
use tsz_risk::quote::adl_score;
use tsz_risk::{Health, Transition};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Lots, MarketId};

use super::takeover::receipt;
use super::target::{Target, insurance_refuses, outcome};
use crate::account::{Before, Party, Table};
use crate::market::MarketRow;
use crate::params::Status;
use crate::{Context, Env, Rule, TradeReceipt, TradeReject};

/// Closes part of a position that insurance cannot take against the best-ranked opposite position, at the zero
/// quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adl {
    /// Whose position is closed; insurance itself may be.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Lots.
    pub lots: Lots,
    /// Holder of the opposite position.
    pub counterparty: Party,
    /// All holders of opposite positions, strictly increasing.
    pub holders: Vec<Party>,
}

/// The opposite side of a target: score of each holder that could take the close, `None` of those that cannot.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    scores: Vec<(Party, u64, Option<u8>)>,
}

impl Ranking {
    /// Judges all holders for a close of `lots`. Accesses: MKO read; of each holder SUB read, POS read, table.
    pub fn read<V: View>(
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        row: &MarketRow<'_>,
        target: &Target<'_>,
        lots: Lots,
        holders: &[Party],
    ) -> Result<Self, TradeReject> {
        let MkoCell { open_interest } = log.read_cell(Key::mko(row.id.get().into()))?;
        // sizes sum to zero, so each side is half of it
        let expected = open_interest / 2;
        let mut scores = Vec::with_capacity(holders.len());
        let mut found = 0u64;
        for (place, holder) in holders.iter().enumerate() {
            if place > 0 && holders[place - 1] >= *holder {
                return Err(TradeReject::Holders { place });
            }
            let at = holder.read(log, row.id)?;
            if at.position.sign() != -target.at.position.sign() {
                return Err(TradeReject::NotOpposite { place });
            }
            found = found.saturating_add(at.position.lots());
            let table = Table::read(log, ctx, *holder, Some(row))?;
            let score = judge(row, target, lots, *holder, &at, &table).ok().flatten();
            scores.push((*holder, at.position.lots(), score));
        }
        if found != expected {
            return Err(TradeReject::HoldersIncomplete { expected, found });
        }
        Ok(Self { scores })
    }

    /// The best score, if anyone can take the close.
    pub fn best(&self) -> Option<u8> {
        self.scores.iter().filter_map(|(_, _, score)| *score).max()
    }

    /// Lots of a holder in the best bucket.
    pub fn check(&self, counterparty: Party) -> Result<u64, TradeReject> {
        let entry = self.scores.iter().find(|(party, _, _)| *party == counterparty);
        let (best, got) = (self.best(), entry.and_then(|(_, _, score)| *score));
        match entry {
            Some((_, lots, Some(_))) if got == best => Ok(*lots),
            _ => Err(TradeReject::Score { best, got }),
        }
    }
}

/// Score of a holder; `None` if it is reserved or ill, or if closing as much as it can would be illegal for it.
/// An error (a result outside its width) means the same.
fn judge(
    row: &MarketRow<'_>,
    target: &Target<'_>,
    lots: Lots,
    holder: Party,
    at: &Before,
    table: &Table<'_>,
) -> Result<Option<u8>, TradeReject> {
    let before = table.margin(at)?;
    if holder.account < AccountId::FIRST_USER || before.health() > Health::PreLiquidation {
        return Ok(None);
    }
    let close = target.close(Lots::new(lots.get().min(at.position.lots()))?)?;
    let after = table.margin(&outcome(row, at, &close)?.0)?;
    if !(Transition { before, after, grew_or_flipped: false }).is_legal() {
        return Ok(None);
    }
    Ok(Some(adl_score(&at.position, &row.risk, before.tav)?))
}

impl Rule for Adl {
    /// Accesses: MKP read, MKF read; table of the target; SUB read, POS read, table of insurance (unless it is the
    /// target); MKO read; of each holder SUB read, POS read, table; SUB write, POS write of the target, then of the
    /// counterparty; MKO write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        row.check_status(&[Status::Open, Status::ReduceOnly])?;
        let target = Target::read(log, &env.ctx, &row, self.target)?;
        target.check_health(Health::FullLiquidation)?;
        target.check_lots(self.lots)?;
        let close = target.close(self.lots)?;
        if self.target != Party::INSURANCE && insurance_refuses(log, &env.ctx, &row, &close)?.is_none() {
            return Err(TradeReject::TakeoverPossible { lots: self.lots });
        }
        let ranking = Ranking::read(log, &env.ctx, &row, &target, self.lots, &self.holders)?;
        let size = ranking.check(self.counterparty)?;
        if size < self.lots.get() {
            return Err(TradeReject::Lots { got: self.lots, size: size as i64 }); // u48
        }
        target.exchange(log, self.counterparty, &close)?;
        Ok(receipt(&close))
    }
}
