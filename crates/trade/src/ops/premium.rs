//! PremiumSample.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, MksCell};
use tsz_risk::funding::premium;
use tsz_risk::oracle::lower_median;
use tsz_sig::Signature;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{MarketId, split_limbs};

use super::oracle::{check_quorum, check_report};
use crate::market::{HOUR_MS, MarketRow};
use crate::order::fill;
use crate::{Env, Rule, TradeReceipt, TradeReject, code};

/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;

/// Adds the premium of one minute to the hour's sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PremiumSample {
    /// Market.
    pub market: MarketId,
    /// Reports by strictly increasing signer, all on the next minute without a sample.
    pub reports: Vec<PremiumReport>,
}

/// What one signer says about the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PremiumReport {
    /// Place in the list of signers.
    pub signer: u8,
    /// Impact bid, ticks; 0 = none.
    pub bid: u32,
    /// Impact ask, ticks; 2^32 - 1 = none.
    pub ask: u32,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

impl PremiumReport {
    /// Blocks of the signed message about a feed and a minute since the epoch.
    pub fn message(&self, feed: &Digest, minute: u64) -> [Block; 2] {
        let mut a = ZERO;
        a[0] = F::from_u32(code::PREMIUM_SAMPLE);
        fill(&mut a, 1, &split_limbs::<2>(self.bid.into()));
        fill(&mut a, 3, &split_limbs::<2>(self.ask.into()));
        fill(&mut a, 5, &split_limbs::<2>(minute.into()));
        [a, *feed]
    }
}

impl Rule for PremiumSample {
    /// Accesses: MKP read, MKF read, MKS write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let row = MarketRow::read(log, &env.ctx, self.market)?;
        row.check_fresh(&env.ctx)?;
        let key = Key::mks(self.market.get().into());
        let MksCell { sum, minute } = log.peek_cell(key)?;
        let (hour, now) = (env.ctx.time / HOUR_MS, env.ctx.time % HOUR_MS / MINUTE_MS);
        if now < u64::from(minute) {
            return Err(TradeReject::Minute { minute, now });
        }
        check_quorum(env, self.reports.len())?;
        let mut previous = None;
        for (place, report) in self.reports.iter().enumerate() {
            let blocks = report.message(&row.params.feed, 60 * hour + u64::from(minute));
            check_report(env, place, previous, report.signer, &blocks, &report.signature)?;
            previous = Some(report.signer);
        }
        let each = |price: fn(&PremiumReport) -> u32| self.reports.iter().map(price).collect::<Vec<_>>();
        let bid = lower_median(&each(|r| r.bid))?;
        let ask = lower_median(&each(|r| r.ask))?;
        let sample = premium(bid, ask, row.prices.index)?;
        // at most 60 samples of 10^6; minute <= now <= 59
        log.write_cell(key, &MksCell { sum: sum + i64::from(sample), minute: minute + 1 });
        Ok(TradeReceipt::default())
    }
}
