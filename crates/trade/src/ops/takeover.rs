//! Takeover.

use serde::{Deserialize, Serialize};
use tsz_risk::Health;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Lots, MarketId};

use super::target::{Close, Target, insurance_refuses};
use crate::account::Party;
use crate::market::{MarketRow, Move};
use crate::params::Status;
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Insurance takes part of a position at the zero quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Takeover {
    /// Whose position is taken.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Lots.
    pub lots: Lots,
}

/// Least notional of a takeover that leaves a position: the zero quote is rounded by up to one unit, at most 0.1%.
const MIN_NOTIONAL: u128 = 1_000;

impl Takeover {
    fn check_size(&self, row: &MarketRow<'_>, target: &Target<'_>) -> Result<(), TradeReject> {
        let (notional, min) = (row.risk.notional(self.lots.get())?, MIN_NOTIONAL);
        if self.lots.get() < target.at.position.lots() && notional < min {
            return Err(TradeReject::SmallClose { notional, min });
        }
        Ok(())
    }
}

/// Receipt of a close at the zero quote.
pub(super) fn receipt(close: &Close) -> TradeReceipt {
    TradeReceipt { quote: close.quote, ..TradeReceipt::default() }
}

impl Rule for Takeover {
    /// Accesses: MKP read, MKF read; table of the target; SUB read, POS read, table of insurance; SUB write, POS
    /// write of the target, then of insurance; MKO write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        if self.target.account < AccountId::FIRST_USER {
            return Err(TradeReject::ReservedParty { account: self.target.account });
        }
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        row.check_status(&[Status::Open, Status::ReduceOnly])?;
        let target = Target::read(log, &env.ctx, &row, self.target)?;
        target.check_health(Health::FullLiquidation)?;
        target.check_lots(self.lots)?;
        self.check_size(&row, &target)?;
        let close = target.close(self.lots)?;
        if let Some(reason) = insurance_refuses(log, &env.ctx, &row, &close)? {
            return Err(reason);
        }
        target.exchange(log, Party::INSURANCE, &close, Move::Close)?;
        Ok(receipt(&close))
    }
}
