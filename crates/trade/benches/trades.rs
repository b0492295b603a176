//! Operations a second on one core, without signatures and with: trades of accounts that have positions in three
//! markets, committed one after the other; and one of each kind of operation for accounts whose positions are in the
//! last markets. Order digests are known from intake, as in a sequencer, unless the name says otherwise.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot build its state has nothing to measure")]

mod exchange;

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use exchange::{Exchange, TIME, rate};
use tsz_diff::{Data, Roots};
use tsz_hash::ZERO;
use tsz_ledger::{Access, Cell, HeadCell, Key, SubCell};
use tsz_stf::{Trusted, Verified, View};
use tsz_trade::ops::*;
use tsz_trade::*;
use tsz_types::*;

/// Time on a core as the scheduler counts it, so that other work on the machine does not count; wall time where there
/// is no such count. It is counted in ticks of some milliseconds, so samples have to be longer.
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

/// Published bytes of a batch of trades (docs/src/data.md), printed with the times.
fn published(exchange: &mut Exchange, name: &str, ops: &[Op]) {
    let head = exchange.executor.view().get(Key::HEAD);
    let time = TimeMs::new(TIME).unwrap();
    let next_account = exchange::account(exchange.users);
    let begun = HeadCell { batch: BatchNumber::new(1).unwrap(), time, next_account };
    let mut accesses = vec![Access::write(Key::HEAD, head, begun.to_leaf())];
    for op in ops {
        exchange.run(std::slice::from_ref(op), &Trusted);
        accesses.extend_from_slice(exchange.executor.accesses());
    }
    let roots = Roots { old: ZERO, new: ZERO, private: ZERO };
    let data = Data::from_accesses(exchange.batch, roots, &accesses, vec![]).unwrap();
    let (bytes, leaves, trades) = (data.to_bytes().unwrap().len(), data.leaves.len(), ops.len());
    let each = bytes as f64 / trades as f64;
    println!("published/{name}: {trades} trades, {leaves} leaves, {bytes} bytes, {each:.1} bytes a trade");
}

fn published_bytes(_: &mut Criterion<CpuTime>) {
    let mut exchange = Exchange::new(1_000, [0, 1, 2]);
    let mut next = 0;
    for count in [1_000, 8_000] {
        let perps: Vec<_> = (next..next + count).map(|k| perp(&exchange, k)).collect();
        next += count;
        published(&mut exchange, "perp_trade", &perps);
        let spots: Vec<_> = (next..next + count).map(|k| spot(&exchange, k)).collect();
        next += count;
        published(&mut exchange, "spot_trade", &spots);
    }
}

fn trade(op: impl Into<TradeOp>) -> Op {
    Op::Trade(op.into())
}

fn perp(exchange: &Exchange, k: u32) -> Op {
    trade(exchange.perp(k, false, true))
}

fn unhashed(exchange: &Exchange, k: u32) -> Op {
    trade(exchange.perp(k, false, false))
}

fn signed(exchange: &Exchange, k: u32) -> Op {
    trade(exchange.perp(k, true, true))
}

fn spot(exchange: &Exchange, k: u32) -> Op {
    trade(exchange.spot(k))
}

/// A way to make operation `k`, and a way to run some.
type Work = (fn(&Exchange, u32) -> Op, fn(&mut Exchange, &[Op]));

/// Measures runs of `n` operations that start at number `next`: nonces only grow.
fn measure(
    group: &mut BenchmarkGroup<'_, CpuTime>,
    exchange: &mut Exchange,
    next: &mut u32,
    (name, n): (&str, u32),
    (make, run): Work,
) {
    group.throughput(Throughput::Elements(n.into()));
    group.bench_function(name, |bencher| {
        let cell = RefCell::new((&mut *exchange, &mut *next));
        bencher.iter_batched(
            || {
                let (exchange, next) = &mut *cell.borrow_mut();
                let ops: Vec<_> = (**next..**next + n).map(|k| make(exchange, k)).collect();
                **next += n;
                ops
            },
            |ops| {
                let (exchange, _) = &mut *cell.borrow_mut();
                run(exchange, &ops);
                ops
            },
            BatchSize::PerIteration,
        );
    });
}

fn trades(c: &mut Criterion<CpuTime>) {
    let trusted: fn(&mut Exchange, &[Op]) = |exchange, ops| exchange.run(ops, &Trusted);
    let mut group = c.benchmark_group("ledger");
    group.sample_size(20);
    let (mut exchange, mut next) = (Exchange::new(1_000, [0, 1, 2]), 0);
    let mut run = |name, work| measure(&mut group, &mut exchange, &mut next, name, work);
    run(("perp_trade", 20_000), (perp, trusted));
    run(("spot_trade", 20_000), (spot, trusted));
    run(("perp_trade_unhashed", 20_000), (unhashed, trusted));
    run(("perp_trade_verified", 200), (signed, |exchange, ops| exchange.run(ops, &Verified)));
    run(("perp_trade_verified_together", 2_000), (signed, Exchange::run_collected));
    let (mut exchange, mut next) = (Exchange::new(1 << 20, [0, 1, 2]), 0);
    let mut run = |name, work| measure(&mut group, &mut exchange, &mut next, name, work);
    run(("perp_trade_of_2^20_accounts", 20_000), (perp, trusted));
    run(("spot_trade_of_2^20_accounts", 20_000), (spot, trusted));
    group.finish();
}

/// Applies one operation again and again, without committing it.
fn kinds(c: &mut Criterion<CpuTime>) {
    let mut exchange = Exchange::new(1_000, [253, 254, 255]);
    let target = impoverish(&mut exchange);
    let mut accesses = Vec::new();
    let mut group = c.benchmark_group("kinds");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    for (name, op) in all_kinds(&exchange, target) {
        let op = Op::Trade(op);
        let ctx = TradeContext { batch: &exchange.batch, params: &exchange.params };
        let view = exchange.executor.view();
        group.bench_function(name, |bencher| {
            bencher.iter(|| apply_op_into(view, &ctx, 1, black_box(&op), &Trusted, &mut accesses).unwrap());
        });
        if name.starts_with("adl_rank") {
            exchange.run(&[op], &Trusted);
        }
    }
    group.finish();
}

/// Leaves the first holder of a long position one unit.
fn impoverish(exchange: &mut Exchange) -> Party {
    let target = exchange.holders(1)[0];
    let view = exchange.executor.view();
    let margin = invariants::margin(view, &exchange.params, TIME, target).unwrap();
    let cell = SubCell::from_leaf(&view.get(target.sub_key())).unwrap();
    let collateral = Collateral::new(cell.collateral.get() - margin.tav + 1_000_000).unwrap();
    let mut view = std::mem::take(&mut exchange.executor).into_view();
    view.set(target.sub_key(), SubCell { collateral, ..cell }.to_leaf());
    exchange.executor = MemExecutor::new(view);
    target
}

/// One operation of each kind; those of liquidation are about a target that insurance may take over.
fn all_kinds(exchange: &Exchange, target: Party) -> Vec<(&'static str, TradeOp)> {
    let market = MarketId::new(255).unwrap();
    let shorts = exchange.holders(-1);
    let margin = |direction| MarginTransfer {
        account: shorts[0].account,
        sub: SubId::MIN,
        direction,
        token: TokenId::QUOTE,
        amount: Balance::new(1).unwrap(),
        nonce: Nonce::MIN,
        key_slot: KeySlot::MIN,
        signature: exchange.blank,
    };
    let (ts, signature) = (TimeMs::new(TIME + 1).unwrap(), exchange.blank);
    let price = |signer| PriceReport {
        signer,
        index: exchange::PRICE,
        mark: exchange::PRICE,
        confidence: 0,
        ts,
        breaker: false,
        signature,
    };
    let premium = |signer| PremiumReport { signer, premium: 5, signature };
    let rank = |page: &[Party]| AdlRank {
        market,
        side: Side::Sell,
        class: 0,
        restart: true,
        holders: page.to_vec(),
    };
    let trade = exchange.perp(2, false, true); // in market 255
    let (buy, sell) = (trade.taker.clone(), trade.maker.clone());
    let one = Lots::new(1).unwrap();
    let forced = ForcedClose {
        serial: L1Serial::MIN,
        party: shorts[1],
        market,
        side: Side::Buy,
        lots: one,
        limit: Price::MAX,
        sender: EthAddress::default(),
        fill: Some(ForcedFill { maker: sell, taker_fee: rate(0), maker_fee: rate(0) }),
    };
    let cancel = CancelOrder {
        account: shorts[0].account,
        sub: SubId::MIN,
        slot: Slot::MIN,
        nonce: Nonce::MIN,
        key_slot: KeySlot::MIN,
        signature,
    };
    vec![
        ("perp_trade", trade.into()),
        ("spot_trade", exchange.spot(2).into()),
        ("cancel_order", cancel.into()),
        ("margin_transfer_in", margin(Direction::In).into()),
        ("margin_transfer_out", margin(Direction::Out).into()),
        ("oracle_update_3", OracleUpdate { market, reports: (0..3).map(price).collect() }.into()),
        ("premium_sample_3", PremiumSample { market, reports: (0..3).map(premium).collect() }.into()),
        ("funding_settle", FundingSettle { party: shorts[0], market }.into()),
        ("forced_close", forced.into()),
        ("liquidate", Liquidate { target, market, maker: buy, lots: one, maker_fee: rate(0) }.into()),
        ("adl_rank_16", rank(&shorts[..16]).into()),
        ("adl_rank_all", rank(&shorts).into()),
        ("adl", Adl { target, market, counterparty: shorts[0] }.into()),
    ]
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = published_bytes, trades, kinds
}
criterion_main!(benches);
