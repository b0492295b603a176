//! Operations a second on one core, without signatures: perpetual trades with positions in three markets,
//! spot trades; one of each kind of operation for accounts whose positions are in the last markets. Order digests are known from intake, as in a sequencer; state in a hash map, logs in one buffer.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot build its state has nothing to measure")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tsz_diff::{Data, Roots};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{
    Access, AcctCell, BalCell, BatchContext, Cell, HeadCell, Key, KeyPolicy, Leaf, MkfCell, MkpCell,
    Permissions, PosCell, Scheme, SubCell, SystemId,
};
use tsz_sig::{Claim, PublicKey, SecretKey, Signature, verify_batch};
use tsz_stf::{SigVerifier, Trusted, Verified, View};
use tsz_trade::ops::*;
use tsz_trade::params::*;
use tsz_trade::*;
use tsz_types::*;

/// Time on a core as the scheduler counts it, so that other work on the machine does not count; wall time where there
/// is no such count.
struct CpuTime;

/// Nanoseconds that this thread has run.
fn on_core() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

impl Measurement for CpuTime {
    type Intermediate = (Option<u64>, Instant);
    type Value = Duration;

    fn start(&self) -> Self::Intermediate {
        (on_core(), Instant::now())
    }

    fn end(&self, (cpu, wall): Self::Intermediate) -> Duration {
        match (cpu, on_core()) {
            (Some(before), Some(after)) => Duration::from_nanos(after - before),
            _ => wall.elapsed(),
        }
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Fibonacci hashing of one word: keys are not chosen by an attacker of the benchmark.
#[derive(Default)]
struct Word(u64);

impl Hasher for Word {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, n: u64) {
        let x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = x ^ x >> 32;
    }
}

/// Leaves, and where each sub-account has positions.
#[derive(Default)]
struct State(HashMap<Key, Leaf, BuildHasherDefault<Word>>, HashMap<Key, [u64; 4], BuildHasherDefault<Word>>);

impl View for State {
    fn get(&self, key: Key) -> Leaf {
        self.0.get(&key).copied().unwrap_or(ZERO)
    }

    fn markets(&self, account: u32, sub: u32) -> [u64; 4] {
        self.1.get(&Key::sub(account, sub)).copied().unwrap_or_default()
    }
}

impl State {
    fn commit(&mut self, accesses: &[Access]) {
        for access in accesses.iter().filter(|a| a.write) {
            self.0.insert(access.key, access.new);
            let (raw, market) = (access.key.raw(), access.key.lo() as usize & 255);
            if raw >> 38 == 0 && raw & 256 != 0 {
                let words = self.1.entry(Key::new(raw & !511).unwrap()).or_default();
                let bit = 1 << (market % 64);
                let word = &mut words[market / 64];
                *word = if access.new == ZERO { *word & !bit } else { *word | bit };
            }
        }
    }
}

const USERS: u32 = 1_000;
/// Distance between the numbers of active accounts.
const STRIDE: u32 = 512;
const TIME: u64 = 1_000 * HOUR_MS;

fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
}

fn rate(n: i32) -> Rate {
    Rate::new(n).unwrap()
}

fn params() -> Params {
    let tier = |bound, imf, mmf, cmf| TierParams {
        bound: Notional::new(bound).unwrap(),
        imf: fraction(imf),
        mmf: fraction(mmf),
        cmf: fraction(cmf),
    };
    let perp = PerpMarket {
        status: Status::Open,
        qm: QuoteMultiplier::new(1).unwrap(),
        tiers: vec![tier(1 << 40, 500, 300, 200), tier(1 << 50, 1_000, 600, 400)],
        taker_cap: rate(1_000),
        maker_cap: rate(1_000),
        liquidation_fee: rate(10_000),
        oi_cap: Notional::MAX,
        funding: FundingConfig { rate: rate(100), small: 500, big: 40_000 },
        feed: ZERO,
        forced_band: fraction(500),
    };
    let spot = SpotMarket {
        status: Status::Open,
        base: TokenId::new(1).unwrap(),
        quote: TokenId::QUOTE,
        lot_base: 1,
        tick_quote: 1,
        taker_cap: rate(1_000),
        maker_cap: rate(1_000),
    };
    let signers = (0..5).map(|k| [F::from_u8(k); 8]).collect();
    let max_deviation = fraction(1_000);
    let oracle = OracleParams { signers, quorum: 3, max_age: 60_000, max_deviation, delta: 5_000 };
    Params { perps: vec![perp; 256], spots: vec![spot], oracle, collateral: vec![] }
}

struct Bench {
    state: State,
    params: Params,
    batch: BatchContext,
    key: SecretKey,
    blank: Signature,
}

impl Bench {
    fn new() -> Self {
        let key = SecretKey::from_seed(&[1; 32]);
        let mut state = State::default();
        let policy =
            KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::MAX };
        let time = TimeMs::new(TIME).unwrap();
        let head = HeadCell { batch: BatchNumber::MIN, time, next_account: account(USERS) };
        state.0.insert(Key::HEAD, head.to_leaf());
        for a in (0..USERS).map(account) {
            let collateral = Collateral::from(Units::new(1 << 50).unwrap());
            let balance = Balance::from(Units::new(1 << 50).unwrap());
            state.0.insert(Key::acct(a), AcctCell { owner: Some(EthAddress::default()) }.to_leaf());
            state.0.insert(Key::key_a(a, 0), key.public_key().key_id());
            state.0.insert(Key::key_b(a, 0), Some(policy).to_leaf());
            state.0.insert(Key::sub(a, 0), SubCell { collateral, ..SubCell::default() }.to_leaf());
            state.0.extend((0..2).map(|t| (Key::bal(a, 0, t), BalCell { balance }.to_leaf())));
        }
        for m in 0..256 {
            let mkf = MkfCell { hour: (TIME / HOUR_MS) as u32, ..MkfCell::default() };
            state.0.insert(Key::mkf(m), mkf.to_leaf());
            state.0.insert(
                Key::mkp(m),
                MkpCell { index: 1_000, mark: 1_000, price_ts: TIME, settled: false }.to_leaf(),
            );
        }
        let system = SystemId { rollup: 1, chain: 1, address: [1; 20] };
        let batch = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params().hash() };
        let blank = key.sign(&[F::ZERO; 8]);
        Self { state, params: params(), batch, key, blank }
    }

    /// As the sequencer keeps it from intake on.
    fn prepared<O: Order + Copy + PartialEq>(&self, mut signed: Signed<O>) -> Signed<O> {
        signed.prepare(&self.batch.system);
        signed
    }

    fn terms(&self, account: u32, slot: u8, nonce: u32, side: Side) -> Terms {
        Terms {
            account: AccountId::new(account).unwrap(),
            sub: SubId::MIN,
            slot: Slot::new(slot).unwrap(),
            nonce: Nonce::new(nonce).unwrap(),
            side,
            lots: Lots::new(10).unwrap(),
            price: Price::new(1_000).unwrap(),
            tif: Tif::Gtt,
            self_trade: SelfTrade::Reject,
            max_taker_fee: rate(1_000),
            max_maker_fee: rate(1_000),
            broker: AccountId::FEES,
            broker_rate: rate(0),
            expiry: TimeMs::MAX,
            kill_epoch: KillEpoch::MIN,
        }
    }

    fn perp(&self, k: u32, market: u8, sign: bool) -> TradeOp {
        let (a, b) = pair(k);
        let side = |account, side| {
            let terms = self.terms(account, 0, k, side);
            let market = MarketId::new(market).unwrap();
            let order = PerpOrder { market, reduce_only: false, trigger: Trigger::None, terms };
            let signature = if sign { self.key.sign(&order.digest(&self.batch.system)) } else { self.blank };
            self.prepared(Signed { order, key_slot: KeySlot::MIN, signature, prepared: Prepared::default() })
        };
        PerpTrade {
            taker: side(a, Side::Buy),
            maker: side(b, Side::Sell),
            lots: Lots::new(10).unwrap(),
            taker_fee: rate(500),
            maker_fee: rate(-100),
            close_taker: false,
        }
        .into()
    }

    fn spot(&self, k: u32) -> TradeOp {
        let (a, b) = pair(k);
        let side = |account, side| {
            let order = SpotOrder { market: SpotMarketId::MIN, terms: self.terms(account, 1, k, side) };
            let signature = self.blank;
            self.prepared(Signed { order, key_slot: KeySlot::MIN, signature, prepared: Prepared::default() })
        };
        SpotTrade {
            taker: side(a, Side::Buy),
            maker: side(b, Side::Sell),
            lots: Lots::new(10).unwrap(),
            taker_fee: rate(500),
            maker_fee: rate(100),
            close_taker: false,
        }
        .into()
    }

    /// Runs with signatures collected, then verifies them together: what an executor does on one core.
    fn run_batch(&mut self, ops: &[TradeOp], log: &mut Vec<Access>) {
        let collect = Collect { key: self.key.public_key(), claims: RefCell::default() };
        for op in ops {
            let ctx = TradeContext { batch: &self.batch, params: &self.params };
            black_box(apply_into(&self.state, &ctx, op, &collect, log).unwrap());
            self.state.commit(log);
        }
        assert!(verify_batch(&collect.claims.into_inner()).into_iter().all(|valid| valid));
    }

    fn run(&mut self, ops: &[TradeOp], log: &mut Vec<Access>, verify: bool) {
        for op in ops {
            let ctx = TradeContext { batch: &self.batch, params: &self.params };
            let receipt = if verify {
                apply_into(&self.state, &ctx, op, &Verified, log)
            } else {
                apply_into(&self.state, &ctx, op, &Trusted, log)
            };
            black_box(receipt.unwrap());
            self.state.commit(log);
        }
    }
}

/// Takes signatures, all by one key, for valid and remembers them.
struct Collect {
    key: PublicKey,
    claims: RefCell<Vec<Claim>>,
}

impl SigVerifier for Collect {
    fn verify(&self, _: &Digest, message: &Digest, signature: &Signature) -> bool {
        let claim = Claim { key: self.key, message: *message, signature: *signature };
        self.claims.borrow_mut().push(claim);
        true
    }
}

/// Two different accounts, spread over all.
fn pair(k: u32) -> (u32, u32) {
    let a = k.wrapping_mul(2_654_435_761) % USERS;
    (account(a), account((a + 1 + k % (USERS - 1)) % USERS))
}

/// User `k`: the active ones lie apart, as among the accounts of an exchange.
fn account(k: u32) -> u32 {
    2 + STRIDE * k
}

/// Published bytes of a batch of trades (docs/src/data.md), printed with the times.
fn published(bench: &mut Bench, name: &str, ops: &[TradeOp]) {
    let head = bench.state.get(Key::HEAD);
    let time = TimeMs::new(TIME).unwrap();
    let begun = HeadCell { batch: BatchNumber::new(1).unwrap(), time, next_account: account(USERS) };
    let mut accesses = vec![Access::write(Key::HEAD, head, begun.to_leaf())];
    let mut log = Vec::new();
    for op in ops {
        bench.run(std::slice::from_ref(op), &mut log, false);
        accesses.extend_from_slice(&log);
    }
    let roots = Roots { old: ZERO, new: ZERO, private: ZERO };
    let data = Data::from_accesses(bench.batch, roots, &accesses, vec![]).unwrap();
    let (bytes, leaves, trades) = (data.to_bytes().unwrap().len(), data.leaves.len(), ops.len());
    let each = bytes as f64 / trades as f64;
    println!("published/{name}: {trades} trades, {leaves} leaves, {bytes} bytes, {each:.1} bytes a trade");
}

fn published_bytes(_: &mut Criterion<CpuTime>) {
    let mut bench = Bench::new();
    let mut log = Vec::new();
    let warm: Vec<_> = (0..6 * USERS).map(|k| bench.perp(k, (k % 3) as u8, false)).collect();
    bench.run(&warm, &mut log, false);
    let mut next = 6 * USERS;
    for count in [1_000, 8_000] {
        let perps: Vec<_> = (next..next + count).map(|k| bench.perp(k, (k % 3) as u8, false)).collect();
        next += count;
        published(&mut bench, "perp_trade", &perps);
        let spots: Vec<_> = (next..next + count).map(|k| bench.spot(k)).collect();
        next += count;
        published(&mut bench, "spot_trade", &spots);
    }
}

fn trades(c: &mut Criterion<CpuTime>) {
    const N: u32 = 1_000;
    let mut bench = Bench::new();
    let mut log = Vec::new();
    let mut next = 0;
    // everyone gets positions in three markets
    let warm: Vec<_> = (0..6 * USERS).map(|k| bench.perp(k, (k % 3) as u8, false)).collect();
    next += 6 * USERS;
    bench.run(&warm, &mut log, false);
    let mut group = c.benchmark_group("ledger");
    group.throughput(Throughput::Elements(N.into()));
    type Make = fn(&Bench, u32) -> TradeOp;
    type Run = fn(&mut Bench, &[TradeOp], &mut Vec<Access>);
    let trusted: Run = |bench, ops, log| bench.run(ops, log, false);
    let verified: Run = |bench, ops, log| bench.run(ops, log, true);
    let kinds: [(&str, Make, Run); 4] = [
        ("perp_trade", |b, k| b.perp(k, (k % 3) as u8, false), trusted),
        ("spot_trade", |b, k| b.spot(k), trusted),
        ("perp_trade_verified", |b, k| b.perp(k, (k % 3) as u8, true), verified),
        ("perp_trade_verified_together", |b, k| b.perp(k, (k % 3) as u8, true), Bench::run_batch),
    ];
    for (name, make, run) in kinds {
        group.sample_size(if name.contains("verified") { 10 } else { 30 });
        group.bench_function(name, |bencher| {
            // one state for all samples: nonces only grow
            let cell = std::cell::RefCell::new((&mut bench, &mut log, &mut next));
            bencher.iter_batched(
                || {
                    let (bench, _, next) = &mut *cell.borrow_mut();
                    let ops: Vec<_> = (**next..**next + N).map(|k| make(bench, k)).collect();
                    **next += N;
                    ops
                },
                |ops| {
                    let (bench, log, _) = &mut *cell.borrow_mut();
                    run(bench, &ops, log);
                    ops
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Applies one operation again and again, without committing it.
fn kinds(c: &mut Criterion<CpuTime>) {
    let mut bench = Bench::new();
    let mut log = Vec::new();
    let warm: Vec<_> = (0..6 * USERS).map(|k| bench.perp(k, 253 + (k % 3) as u8, false)).collect();
    bench.run(&warm, &mut log, false);
    let ill = bench.impoverish();
    let mut group = c.benchmark_group("kinds");
    group.throughput(Throughput::Elements(1));
    for (name, op) in bench.kinds(ill) {
        let ctx = TradeContext { batch: &bench.batch, params: &bench.params };
        group.bench_function(name, |bencher| {
            bencher.iter(|| apply_into(&bench.state, &ctx, black_box(&op), &Trusted, &mut log).unwrap());
        });
        if matches!(op, TradeOp::AdlRank(_)) {
            bench.state.commit(&log);
        }
    }
    group.finish();
}

impl Bench {
    /// Leaves a holder of a long position in market 255 one unit.
    fn impoverish(&mut self) -> Party {
        let held = |a: u32| PosCell::from_leaf(&self.state.get(Key::pos(a, 0, 255))).unwrap().size();
        let account = (0..USERS).map(account).find(|a| held(*a) > 0).unwrap();
        let target = Party { account: AccountId::new(account).unwrap(), sub: SubId::MIN };
        let margin = invariants::margin(&self.state, &self.params, TIME, target).unwrap();
        let key = Key::sub(account, 0);
        let cell = SubCell::from_leaf(&self.state.get(key)).unwrap();
        let collateral = Collateral::new(cell.collateral.get() - margin.tav + 1_000_000).unwrap();
        self.state.0.insert(key, SubCell { collateral, ..cell }.to_leaf());
        target
    }

    /// One operation of each kind; those of liquidation are about a target that insurance may take over.
    fn kinds(&self, target: Party) -> Vec<(&'static str, TradeOp)> {
        let market = MarketId::new(255).unwrap();
        let size = |a: u32| PosCell::from_leaf(&self.state.get(Key::pos(a, 0, 255))).unwrap().size();
        let party = |a: u32| Party { account: AccountId::new(a).unwrap(), sub: SubId::MIN };
        let shorts: Vec<_> = (0..USERS).map(account).filter(|a| size(*a) < 0).map(party).collect();
        let margin = |direction| MarginTransfer {
            account: shorts[0].account,
            sub: SubId::MIN,
            direction,
            token: TokenId::QUOTE,
            amount: Balance::new(1).unwrap(),
            nonce: Nonce::MIN,
            key_slot: KeySlot::MIN,
            signature: self.blank,
        };
        let ts = TimeMs::new(TIME + 1).unwrap();
        let price = |signer| PriceReport {
            signer,
            index: 1_000,
            mark: 1_000,
            confidence: 0,
            ts,
            breaker: false,
            signature: self.blank,
        };
        let premium = |signer| PremiumReport { signer, premium: 5, signature: self.blank };
        let rank = |page: &[Party]| AdlRank {
            market,
            side: Side::Sell,
            class: 0,
            restart: true,
            holders: page.to_vec(),
        };
        let far = 6 * USERS + 1;
        let TradeOp::PerpTrade(trade) = self.perp(far, 255, false) else { unreachable!() };
        let (buy, sell) = (trade.taker.clone(), trade.maker.clone());
        let forced = ForcedClose {
            serial: L1Serial::MIN,
            party: shorts[1],
            market,
            side: Side::Buy,
            lots: Lots::new(1).unwrap(),
            limit: Price::MAX,
            sender: EthAddress::default(),
            fill: Some(ForcedFill { maker: sell, taker_fee: rate(0), maker_fee: rate(0) }),
        };
        let best = *shorts.iter().max_by_key(|p| size(p.account.get()).unsigned_abs()).unwrap();
        vec![
            ("perp_trade", trade.into()),
            ("spot_trade", self.spot(far)),
            ("margin_transfer_in", margin(Direction::In).into()),
            ("margin_transfer_out", margin(Direction::Out).into()),
            ("oracle_update_3", OracleUpdate { market, reports: (0..3).map(price).collect() }.into()),
            ("premium_sample_3", PremiumSample { market, reports: (0..3).map(premium).collect() }.into()),
            ("funding_settle", FundingSettle { party: shorts[0], market }.into()),
            ("forced_close", forced.into()),
            (
                "liquidate",
                Liquidate { target, market, maker: buy, lots: Lots::new(1).unwrap(), maker_fee: rate(0) }
                    .into(),
            ),
            ("adl_rank_16", rank(&shorts[..16]).into()),
            ("adl_rank_all", rank(&shorts).into()),
            ("adl", Adl { target, market, counterparty: best }.into()),
        ]
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = published_bytes, trades, kinds
}
criterion_main!(benches);
