//! A small system with signers, and a range of ops in the making.

use std::sync::OnceLock;

use tsz_air::{Violation, check};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32};
use tsz_ledger::{BatchContext, Cell, Key, MkfCell, MkpCell, MksCell, SystemId};
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{Genesis, MemView, Trusted, View, chain};
use tsz_trade::ops::{OracleUpdate, PremiumReport, PremiumSample, PriceReport};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, TradeContext, TradeOp, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::OracleRecord;
use crate::witness::{Witness, WitnessError};

pub const SMALL: Class = CLASSES[0];
/// Minute 5 of an hour; the low limb of the time is small.
pub const TIME: u64 = 475_000 * HOUR_MS + 5 * 60_000;
pub const SIGNERS: usize = 6;

/// The secret of the signer at a place.
pub fn secret(place: usize) -> &'static SecretKey {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let mut keys: Vec<_> = (0..SIGNERS as u8).map(|k| SecretKey::from_seed(&[k; 32])).collect();
        keys.sort_by_key(|key| key.public_key().key_id().map(|f| f.as_canonical_u32()));
        keys
    });
    &keys[place]
}

pub fn f(x: u32) -> F {
    F::from_u32(x)
}
pub fn market(m: u8) -> MarketId {
    MarketId::new(m).unwrap()
}
pub fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
}
pub fn ts(t: u64) -> TimeMs {
    TimeMs::new(t).unwrap()
}

fn perp(m: u8, status: Status) -> PerpMarket {
    let bound = Notional::new(1_000_000).unwrap();
    let tier = TierParams { bound, imf: fraction(1_000), mmf: fraction(500), cmf: fraction(300) };
    PerpMarket {
        status,
        qm: QuoteMultiplier::new(1).unwrap(),
        tiers: vec![tier],
        taker_cap: Rate::new(2_000).unwrap(),
        maker_cap: Rate::new(1_000).unwrap(),
        liquidation_fee: Rate::new(10_000).unwrap(),
        oi_cap: bound,
        funding: FundingConfig { rate: Rate::new(-100).unwrap(), small: 500, big: 40_000 },
        feed: [f(m.into()); 8],
        forced_band: fraction(500),
    }
}

/// Markets 0 and 1 open, 2 closed, 3 settling; six signers, quorum four, moves of at most 10%.
pub fn params() -> Params {
    let status = [Status::Open, Status::ReduceOnly, Status::Closed, Status::Settling];
    Params {
        perps: (0..4).zip(status).map(|(m, status)| perp(m, status)).collect(),
        oracle: OracleParams {
            signers: (0..SIGNERS).map(|k| secret(k).public_key().key_id()).collect(),
            quorum: 4,
            max_age: 60_000,
            max_deviation: fraction(1_000),
            delta: 5_000,
        },
        ..Params::default()
    }
}

/// Markets 0, 1 and 3 have prices of 1,000 ticks of a second ago; market 2 has none.
#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<OracleRecord>,
}

impl World {
    pub fn new() -> Self {
        let params = params();
        params.validate().unwrap();
        let genesis = Genesis { parameters: params.hash(), ..Genesis::default() };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let view = MemView::from_leaves(genesis.leaves().unwrap());
        let mut world = Self { view, params, context, records: Vec::new() };
        for m in [0, 1, 3] {
            world.set_price(m, 1_000, TIME - 1_000);
            let funding = FundingIndex::new(-(1 << 40) - 7).unwrap();
            let cell = MkfCell { funding, hour: (TIME / HOUR_MS) as u32 };
            world.view.set(Key::mkf(m.into()), cell.to_leaf());
        }
        world
    }

    pub fn blank() -> Signature {
        static BLANK: OnceLock<Signature> = OnceLock::new();
        *BLANK.get_or_init(|| secret(0).sign(&Digest::default()))
    }

    pub fn set_price(&mut self, m: u8, ticks: u32, price_ts: u64) {
        let cell = MkpCell { index: ticks, mark: ticks, price_ts, settled: false };
        self.view.set(Key::mkp(m.into()), cell.to_leaf());
    }

    pub fn price(&self, m: u8) -> MkpCell {
        MkpCell::from_leaf(&self.view.get(Key::mkp(m.into()))).unwrap()
    }

    pub fn set_sum(&mut self, m: u8, sum: i64, minute: u8) {
        self.view.set(Key::mks(m.into()), MksCell { sum, minute }.to_leaf());
    }

    pub fn sum(&self, m: u8) -> MksCell {
        MksCell::from_leaf(&self.view.get(Key::mks(m.into()))).unwrap()
    }

    /// Signers 0.. report these premiums.
    pub fn sample(&self, m: u8, premiums: &[i32]) -> PremiumSample {
        let report = |(signer, premium): (u8, &i32)| PremiumReport {
            signer,
            premium: *premium,
            signature: Self::blank(),
        };
        PremiumSample { market: market(m), reports: (0..).zip(premiums).map(report).collect() }
    }

    /// The report of a signer: the mark is one tick above the index.
    pub fn report(&self, signer: u8, index: u32, t: u64) -> PriceReport {
        let mark = index + 1;
        let signature = Self::blank();
        PriceReport { signer, index, mark, confidence: 3, ts: ts(t), breaker: false, signature }
    }

    /// Reports of signers 0.. with these index prices, all at the batch time.
    pub fn update(&self, m: u8, prices: &[u32]) -> OracleUpdate {
        let report = |(signer, index): (u8, &u32)| self.report(signer, *index, self.context.time);
        OracleUpdate { market: market(m), reports: (0..).zip(prices).map(report).collect() }
    }

    /// Signs what a signer of that place can sign; a sample for the minute that MKS waits for.
    pub fn sign(&self, op: impl Into<TradeOp>) -> TradeOp {
        let mut op = op.into();
        let feed = |m: MarketId| self.params.perp(m).map_or([F::ZERO; 8], |m| m.feed);
        let sign = |signer: u8, signature: &mut Signature, blocks: &[tsz_hash::Block]| {
            if usize::from(signer) < SIGNERS {
                *signature = secret(signer.into()).sign(&chain(&self.context.system, blocks));
            }
        };
        match &mut op {
            TradeOp::OracleUpdate(op) => {
                let feed = feed(op.market);
                for report in &mut op.reports {
                    let blocks = report.message(&feed);
                    sign(report.signer, &mut report.signature, &blocks);
                }
            }
            TradeOp::PremiumSample(op) => {
                let minute = 60 * (self.context.time / HOUR_MS) + u64::from(self.sum(op.market.get()).minute);
                let feed = feed(op.market);
                for report in &mut op.reports {
                    let blocks = report.message(&feed, minute);
                    sign(report.signer, &mut report.signature, &blocks);
                }
            }
            _ => {}
        }
        op
    }

    /// Signs, applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: impl Into<TradeOp>) -> Result<(), TradeReject> {
        let op = op.into();
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        let op = self.sign(op);
        self.view.commit(&applied.accesses);
        self.records.push(OracleRecord { index, op, accesses: applied.accesses });
        Ok(())
    }

    pub fn apply(&mut self, op: impl Into<TradeOp>) {
        self.try_apply(op).expect("the ledger accepts the op");
    }

    pub fn try_witness(&self) -> Result<Witness, WitnessError> {
        Witness::new(&SMALL, &self.context, &self.params, &self.records, self.context.digest())
    }

    pub fn witness(&self) -> Witness {
        self.try_witness().unwrap()
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &Witness) -> Result<(), Violation> {
    check(&SMALL.circuit(Profile::Base).airs, &witness.traces, &public_values(&witness.claim))
}

/// Quorum, all signers, even and odd counts, equal prices, the bound in both directions, the breaker, a first price,
/// extreme prices and times, a market that is closed.
pub fn every_update() -> World {
    let mut w = World::new();
    let now = w.context.time;
    let at = |mut op: OracleUpdate, t: u64| {
        op.reports.iter_mut().for_each(|r| r.ts = ts(t));
        op
    };
    w.apply(at(w.update(0, &[1_001, 1_003, 1_002, 999]), now - 500));
    w.apply(at(w.update(0, &[990, 1_010, 1_000, 1_000, 1_000]), now - 400));
    w.apply(at(w.update(0, &[1_100, 1_100, 1_099, 1_098, 1_101, 900]), now - 300));
    w.apply(at(w.update(0, &[991, 990, 1_500, 988, 0xffff_fffe, 1]), now - 200));
    // Signers 1, 2, 4, 5; the oldest of several times counts.
    let mut op = w.update(1, &[1_000, 1_001, 1_002, 1_003]);
    for (k, (signer, t)) in [(1, now + 5_000), (2, now + 1), (4, now), (5, now + 1)].into_iter().enumerate() {
        (op.reports[k].signer, op.reports[k].ts) = (signer, ts(t));
    }
    w.apply(op);
    // A fall by half that all stand by, in the future.
    let mut op = at(w.update(1, &[500, 501, 499, 499]), now + 5_000);
    op.reports.iter_mut().for_each(|r| r.breaker = true);
    w.apply(op);
    // The first price of a closed market, as old as it may be; then one that some stand by.
    let mut op = at(w.update(2, &[0xffff_fffe, 0xff_ffff, 0x100_0000, 0x100_0001]), now - 5_000);
    op.reports.iter_mut().for_each(|r| (r.mark, r.confidence) = (u32::MAX, u32::MAX));
    w.apply(op);
    let mut op = w.update(2, &[0x100_0000, 0xff_ffff, 0xff_fffe, 0x100_0001]);
    op.reports.iter_mut().for_each(|r| r.mark = u32::MAX - 0x1999_9999);
    op.reports[2].breaker = true;
    w.apply(op);
    w
}

/// Samples of six minutes: even and odd counts, both signs, extremes, sums that cross zero; another market.
pub fn every_sample() -> World {
    let mut w = World::new();
    w.apply(w.sample(0, &[1_000_000, 1_000_000, -1_000_000, 1_000_000]));
    w.apply(w.sample(0, &[-7, 5, 0, 0, 3]));
    w.apply(w.sample(0, &[-1_000_000, -1_000_000, -999_999, -999_998, 1, 1_000_000]));
    w.apply(w.sample(0, &[-1, -2, -3, -4]));
    w.apply(w.sample(0, &[3, 3, 3, 3, 3]));
    let mut op = w.sample(0, &[-5, -6, -7, 8]);
    for (report, signer) in op.reports.iter_mut().zip([0, 2, 3, 5]) {
        report.signer = signer;
    }
    w.apply(op);
    w.set_sum(3, -59_999_999, 3);
    w.apply(w.sample(3, &[-1_000_000; 4]));
    w.set_sum(1, (1 << 32) - 5, 0);
    w.apply(w.sample(1, &[-20_000_000 / 20; 4]));
    w
}

/// Everything at once.
pub fn every_op() -> World {
    let (mut w, samples) = (every_update(), every_sample());
    for mut record in samples.records {
        record.index = w.records.len() as u32;
        w.records.push(record);
    }
    w
}
