//! SettlePair: the end of a market.

use serde::{Deserialize, Serialize};
use tsz_risk::MICRO;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{Lots, MarketId};

use crate::account::Party;
use crate::market::{MarketRow, move_open_interest};
use crate::params::Status;
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Closes a long and a short position of a settling market against each other at its last mark. TAV stays, so nobody
/// is judged; pairs keep every sum in order at each step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlePair {
    /// Market.
    pub market: MarketId,
    /// Holder of a long position.
    pub long: Party,
    /// Holder of a short position.
    pub short: Party,
    /// Lots, at most what either holds.
    pub lots: Lots,
}

impl Rule for SettlePair {
    /// Accesses: MKP read, MKF read; SUB write, POS write of the long, then of the short; MKO write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        row.check_status(&[Status::Settling])?;
        row.check_fresh(&env.ctx)?;
        for (party, sign) in [(self.long, 1), (self.short, -1)] {
            let size = party.peek(log, self.market)?.position.size;
            if size.signum() != sign || self.lots == Lots::MIN || self.lots.get() > size.unsigned_abs() {
                return Err(TradeReject::Lots { got: self.lots, size });
            }
        }
        let (lots, n) = (i128::from(self.lots.get()), row.risk.notional(self.lots.get())? as i128);
        let long = self.long.trade(log, &row, -lots, n * MICRO)?;
        let short = self.short.trade(log, &row, lots, -n * MICRO)?;
        move_open_interest(log, &row, long.interest + short.interest, false)?;
        Ok(TradeReceipt { quote: n, ..TradeReceipt::default() })
    }
}
