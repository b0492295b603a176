//! `tsz bench oracle`, `tsz bench manage`: a proof of operations on many markets, by its circuit alone.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32};
use tsz_ledger::{Access, BatchContext, Cell, Key, MkfCell, MkoCell, MkpCell, MksCell, SystemId};
use tsz_manage::ManageRecord;
use tsz_oracle::OracleRecord;
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{MemView, Verified, chain};
use tsz_trade::ops::{FundingTick, OracleUpdate, PremiumReport, PremiumSample, PriceReport};
use tsz_trade::params::{FundingConfig, OracleParams, Params, PerpMarket, Status, TierParams};
use tsz_trade::{HOUR_MS, TradeContext, TradeOp, apply_with};
use tsz_types::{Fraction, MarketId, Notional, QuoteMultiplier, Rate, TimeMs};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// Markets.
pub(super) const MARKETS: u8 = 64;
/// Signers listed, and those that report.
const SIGNERS: usize = 7;
const QUORUM: u8 = 5;
/// Index price of every market.
pub(super) const PRICE: u32 = 60_000;
/// The last millisecond of an hour.
pub(super) const TIME: u64 = 475_001 * HOUR_MS - 1;

/// A state with prices, and what signs.
pub(super) struct System {
    pub view: MemView,
    pub params: Params,
    pub batch: BatchContext,
    keys: Vec<SecretKey>,
}

fn market(id: u8, status: Status) -> Result<PerpMarket> {
    let bound = Notional::new(1 << 50)?;
    let tier =
        TierParams { bound, imf: Fraction::new(1_000)?, mmf: Fraction::new(500)?, cmf: Fraction::new(300)? };
    Ok(PerpMarket {
        status,
        qm: QuoteMultiplier::new(1)?,
        tiers: vec![tier],
        taker_cap: Rate::new(2_000)?,
        maker_cap: Rate::new(1_000)?,
        liquidation_fee: Rate::new(10_000)?,
        oi_cap: bound,
        funding: FundingConfig { rate: Rate::new(100)?, small: 500, big: 40_000 },
        feed: [F::from_u8(id); 8],
        forced_band: Fraction::new(500)?,
    })
}

impl System {
    /// Markets of a status.
    pub fn new(seed: u64, status: Status) -> Result<Self> {
        let secret = |k: usize| SecretKey::from_seed(&(seed << 8 | k as u64).to_le_bytes());
        let mut keys: Vec<SecretKey> = (0..SIGNERS).map(secret).collect();
        keys.sort_by_key(|key| key.public_key().key_id().map(|felt| felt.as_canonical_u32()));
        let oracle = OracleParams {
            signers: keys.iter().map(|key| key.public_key().key_id()).collect(),
            quorum: QUORUM,
            max_age: 60_000,
            max_deviation: Fraction::new(1_000)?,
            delta: 5_000,
        };
        let perps: Result<Vec<PerpMarket>> = (0..MARKETS).map(|id| market(id, status)).collect();
        let params = Params { perps: perps?, oracle, ..Params::default() };
        params.validate()?;
        let system = SystemId { rollup: 1, chain: 31_337, address: [1; 20] };
        let batch = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let mut view = MemView::from_leaves([]);
        for m in (0..MARKETS).map(u32::from) {
            let prices = MkpCell { index: PRICE, mark: PRICE, price_ts: TIME - 10_000, ..MkpCell::default() };
            view.set(Key::mkp(m), prices.to_leaf());
            view.set(Key::mko(m), MkoCell { open_interest: 1_000_000, ..MkoCell::default() }.to_leaf());
        }
        Ok(Self { view, params, batch, keys })
    }

    /// All markets at `hour`.
    pub fn at_hour(&mut self, hour: u32) {
        for m in (0..MARKETS).map(u32::from) {
            self.view.set(Key::mkf(m), MkfCell { hour, ..MkfCell::default() }.to_leaf());
            self.view.set(Key::mks(m), MksCell { sum: 1_234_567, minute: 0 }.to_leaf());
        }
    }

    fn sign(&self, signer: usize, blocks: &[tsz_hash::Block]) -> Signature {
        self.keys[signer].sign(&chain(&self.batch.system, blocks))
    }

    fn update(&self, id: u8, round: u32) -> Result<OracleUpdate> {
        let feed = self.params.perps[usize::from(id)].feed;
        let ts = TimeMs::new(TIME - 4_000 + u64::from(round))?;
        let blank = self.sign(0, &[]);
        let report = |signer: u8| {
            let index = PRICE + u32::from(signer) + round % 7;
            let mut report = PriceReport {
                signer,
                index,
                mark: index + 1,
                confidence: 3,
                ts,
                breaker: false,
                signature: blank,
            };
            report.signature = self.sign(signer.into(), &report.message(&feed));
            report
        };
        Ok(OracleUpdate { market: MarketId::new(id)?, reports: (0..QUORUM).map(report).collect() })
    }

    fn sample(&self, id: u8, minute: u64) -> Result<PremiumSample> {
        let feed = self.params.perps[usize::from(id)].feed;
        let minute = 60 * (TIME / HOUR_MS) + minute;
        let blank = self.sign(0, &[]);
        let report = |signer: u8| {
            let mut report = PremiumReport { signer, premium: 100 - i32::from(signer), signature: blank };
            report.signature = self.sign(signer.into(), &report.message(&feed, minute));
            report
        };
        Ok(PremiumSample { market: MarketId::new(id)?, reports: (0..QUORUM).map(report).collect() })
    }

    pub fn apply(&mut self, index: u32, op: &TradeOp) -> Result<Vec<Access>> {
        let ctx = TradeContext { batch: &self.batch, params: &self.params };
        let applied = apply_with(&self.view, &ctx, index, op, &Verified)?;
        self.view.commit(&applied.accesses);
        Ok(applied.accesses)
    }

    pub fn start(&self) -> Digest {
        self.batch.digest()
    }
}

/// Price updates and premium samples in turn.
pub fn oracle(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(256);
    let spinner = output.spinner("signing and executing");
    let mut system = System::new(args.seed, Status::Open)?;
    system.at_hour((TIME / HOUR_MS) as u32);
    let mut records = Vec::new();
    let (signed, execute) = timed(|| -> Result<()> {
        for index in 0..ops {
            let (id, round) = ((index / 2 % u32::from(MARKETS)) as u8, index / 2 / u32::from(MARKETS));
            let op: TradeOp = match index % 2 {
                0 => system.update(id, round)?.into(),
                _ => system.sample(id, round.into())?.into(),
            };
            let accesses = system.apply(index, &op)?;
            records.push(OracleRecord { index, op, accesses });
        }
        Ok(())
    });
    signed?;
    let counts = tsz_oracle::Counts::of(&system.params, records.iter().map(|r| &r.op));
    let class =
        tsz_oracle::Class::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) =
        timed(|| tsz_oracle::Witness::new(class, &system.batch, &system.params, &records, system.start()));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("oracle", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_oracle::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("signatures", counts.reports + counts.premiums);
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    for (name, cost) in [
        ("sign and execute", execute),
        ("setup", setup),
        ("trace", trace),
        ("prove", prove),
        ("verify", verify),
    ] {
        report.stage(name, cost);
    }
    report.proof(&format!("oracle/{}", class.name), key.vk(), &proof);
    Ok(report)
}

/// Funding ticks, hour after hour.
pub fn manage(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(768);
    let spinner = output.spinner("executing");
    let mut system = System::new(args.seed, Status::Open)?;
    let hours = ops.div_ceil(MARKETS.into());
    system.at_hour((TIME / HOUR_MS) as u32 - hours);
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for index in 0..ops {
            let id = MarketId::new((index % u32::from(MARKETS)) as u8)?;
            let op = TradeOp::from(FundingTick { market: id });
            let accesses = system.apply(index, &op)?;
            records.push(ManageRecord { index, op, accesses });
        }
        Ok(())
    });
    done?;
    ensure!(records.len() == ops as usize, "an operation is missing");
    let counts = tsz_manage::Counts::of(&system.params, records.iter().map(|r| &r.op));
    let class =
        tsz_manage::Class::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) =
        timed(|| tsz_manage::Witness::new(class, &system.batch, &system.params, &records, system.start()));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("manage", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_manage::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    for (name, cost) in
        [("execute", execute), ("setup", setup), ("trace", trace), ("prove", prove), ("verify", verify)]
    {
        report.stage(name, cost);
    }
    report.proof(&format!("manage/{}", class.name), key.vk(), &proof);
    Ok(report)
}
