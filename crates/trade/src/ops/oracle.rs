//! OracleUpdate.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tsz_hash::{Block, Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Key, MkpCell};
use tsz_risk::oracle::{lower_median, within_deviation};
use tsz_sig::Signature;
use tsz_stf::{Log, SigVerifier, View, chain};
use tsz_types::{MarketId, TimeMs, split_limbs};

use crate::market::params;
use crate::order::fill;
use crate::params::Status;
use crate::{Env, Rule, TradeReceipt, TradeReject, code};

/// New prices of a market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleUpdate {
    /// Market.
    pub market: MarketId,
    /// Reports by strictly increasing signer.
    pub reports: Vec<PriceReport>,
}

/// What one signer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceReport {
    /// Place in the list of signers.
    pub signer: u8,
    /// Index price, ticks.
    pub index: u32,
    /// Mark price, ticks.
    pub mark: u32,
    /// Half-width of the signer's confidence interval, ticks; signed for the record, no rule uses it.
    pub confidence: u32,
    /// Time of the prices.
    pub ts: TimeMs,
    /// Circuit breaker: the signer stands by a move beyond the bound.
    pub breaker: bool,
    /// Signature of the message.
    #[serde(with = "tsz_stf::forms::signature")]
    pub signature: Signature,
}

impl PriceReport {
    /// Blocks of the signed message about a feed.
    pub fn message(&self, feed: &Digest) -> [Block; 3] {
        let (mut a, mut b) = (ZERO, ZERO);
        a[0] = F::from_u32(code::ORACLE_UPDATE);
        fill(&mut a, 1, &split_limbs::<2>(self.index.into()));
        fill(&mut a, 3, &split_limbs::<2>(self.mark.into()));
        fill(&mut a, 5, &split_limbs::<2>(self.confidence.into()));
        a[7] = F::from_bool(self.breaker);
        fill(&mut b, 0, &self.ts.to_felts());
        [a, b, *feed]
    }
}

/// Checks one report of a list by strictly increasing signers.
pub(super) fn check_report<S: SigVerifier>(
    env: &Env<'_, S>,
    place: usize,
    previous: Option<u8>,
    signer: u8,
    blocks: &[Block],
    signature: &Signature,
) -> Result<(), TradeReject> {
    let key = env.ctx.params.oracle.signers.get(usize::from(signer));
    let key =
        key.filter(|_| previous.is_none_or(|p| p < signer)).ok_or(TradeReject::Signer { place, signer })?;
    let digest = chain(&env.batch.system, blocks);
    if env.verifier.verify(key, &digest, signature) {
        Ok(())
    } else {
        Err(TradeReject::ReportSignature { place, signer })
    }
}

/// Checks that enough signers report. A system without signers has no prices.
pub(super) fn check_quorum<S>(env: &Env<'_, S>, reports: usize) -> Result<(), TradeReject> {
    let quorum = env.ctx.params.oracle.quorum;
    if reports == 0 || reports < usize::from(quorum) {
        return Err(TradeReject::Quorum { quorum, reports });
    }
    Ok(())
}

impl OracleUpdate {
    /// The value of the reports, whose signatures are checked.
    fn aggregate<S: SigVerifier>(&self, env: &Env<'_, S>, feed: &Digest) -> Result<MkpCell, TradeReject> {
        check_quorum(env, self.reports.len())?;
        let mut previous = None;
        for (place, report) in self.reports.iter().enumerate() {
            if report.index == 0 || report.mark == 0 {
                return Err(TradeReject::ZeroPrice { place });
            }
            check_report(env, place, previous, report.signer, &report.message(feed), &report.signature)?;
            previous = Some(report.signer);
        }
        let each = |price: fn(&PriceReport) -> u32| self.reports.iter().map(price).collect::<Vec<_>>();
        let price_ts = self.reports.iter().map(|r| r.ts.get()).min().unwrap_or(0);
        Ok(MkpCell {
            index: lower_median(&each(|r| r.index))?,
            mark: lower_median(&each(|r| r.mark))?,
            price_ts,
            settled: false,
        })
    }
}

impl Rule for OracleUpdate {
    /// Access: MKP write.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let params = params(&env.ctx, self.market)?;
        let key = Key::mkp(self.market.get().into());
        let old: MkpCell = log.peek_cell(key)?;
        if params.status == Status::Settling || old.settled {
            return Err(TradeReject::MarketStatus { market: self.market, status: params.status });
        }
        let new = self.aggregate(env, &params.feed)?;
        let (oracle, time) = (&env.ctx.params.oracle, env.ctx.time);
        let (previous, got) = (old.price_ts, new.price_ts);
        // old prices inside max_age would let the operator walk through them in one batch
        let (latest, reach) = (time.saturating_add(oracle.delta), got.saturating_add(oracle.delta));
        if got <= previous || got > latest || time > reach {
            return Err(TradeReject::PriceTime { previous, got, time });
        }
        let breaker = self.reports.iter().all(|r| r.breaker);
        let max = oracle.max_deviation.get();
        for (old, new) in [(old.index, new.index), (old.mark, new.mark)] {
            if !breaker && !within_deviation(old, new, max) {
                return Err(TradeReject::Deviation { old, new, max });
            }
        }
        log.write_cell(key, &new);
        Ok(TradeReceipt::default())
    }
}
