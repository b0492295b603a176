//! PremiumSample.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, MksCell};
use tsz_risk::MICRO;
use tsz_risk::oracle::lower_median;
use tsz_sig::Signature;
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{MarketId, split_limbs};

use super::oracle::{check_quorum, check_report};
use crate::market::{HOUR_MS, current_funding, params};
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

/// What one signer says about the book in one minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PremiumReport {
    /// Place in the list of signers.
    pub signer: u8,
    /// Premium of the book over the index in that minute, 1e-6 (`tsz_risk::funding::premium`), magnitude at most 10^6.
    pub premium: i32,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

impl PremiumReport {
    /// Blocks of the signed message about a feed and a minute since the epoch.
    pub fn message(&self, feed: &Digest, minute: u64) -> [Block; 2] {
        let mut a = ZERO;
        let sign = u32::from(self.premium < 0);
        fill(&mut a, 0, &[code::PREMIUM_SAMPLE, self.premium.unsigned_abs(), sign].map(F::from_u32));
        fill(&mut a, 3, &split_limbs::<2>(minute.into()));
        [a, *feed]
    }
}

impl Rule for PremiumSample {
    /// Accesses: MKF read, MKS write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let feed = params(&env.ctx, self.market)?.feed;
        current_funding(log, &env.ctx, self.market)?;
        let key = Key::mks(self.market.get().into());
        let MksCell { sum, minute } = log.peek_cell(key)?;
        let (hour, now) = (env.ctx.time / HOUR_MS, env.ctx.time % HOUR_MS / MINUTE_MS);
        if now < u64::from(minute) {
            return Err(TradeReject::Minute { minute, now });
        }
        check_quorum(env, self.reports.len())?;
        let mut previous = None;
        for (place, report) in self.reports.iter().enumerate() {
            if report.premium.unsigned_abs() > MICRO as u32 {
                return Err(TradeReject::Premium { place, premium: report.premium });
            }
            let blocks = report.message(&feed, 60 * hour + u64::from(minute));
            check_report(env, place, previous, report.signer, &blocks, &report.signature)?;
            previous = Some(report.signer);
        }
        let sample = lower_median(&self.reports.iter().map(|r| r.premium).collect::<Vec<_>>())?;
        // at most 60 samples of 10^6; minute <= now <= 59
        log.write_cell(key, &MksCell { sum: sum + i64::from(sample), minute: minute + 1 });
        Ok(TradeReceipt::default())
    }
}
