//! `tsz bench settle`: a proof of pairs that close positions in settled markets, by its circuit alone.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_ledger::{Cell, Key, MkfCell, MkoCell, MkpCell, PosCell, SubCell};
use tsz_settle::SettleRecord;
use tsz_stark::Profile;
use tsz_trade::ops::SettlePair;
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, Party, TradeOp};
use tsz_types::{AccountId, Collateral, FundingIndex, Lots, MarketId, SubId};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::markets::{MARKETS, PRICE, System, TIME};
use crate::measure::timed;
use crate::output::Output;

/// Lots of each position.
const LOTS: i64 = 1_000;
/// Collateral of each holder, millionths.
const CASH: i128 = 100_000_000_000_000;

fn holder(account: u32) -> Result<Party> {
    Ok(Party { account: AccountId::new(account)?, sub: SubId::MIN })
}

/// The markets have named prices, and every pair its long and short.
fn prepare(system: &mut System, pairs: u32) -> Result<()> {
    let hour = (TIME / HOUR_MS) as u32;
    for m in (0..MARKETS).map(u32::from) {
        let prices = MkpCell { index: PRICE - 7, mark: PRICE + 7, price_ts: TIME - 1, settled: true };
        system.view.set(Key::mkp(m), prices.to_leaf());
        let funding = MkfCell { funding: FundingIndex::new(-123_456_789)?, hour };
        system.view.set(Key::mkf(m), funding.to_leaf());
        let open_interest = 2 * u64::from(pairs) * LOTS.unsigned_abs();
        system.view.set(Key::mko(m), MkoCell { open_interest, ..MkoCell::default() }.to_leaf());
    }
    for k in 0..pairs {
        let market = MarketId::new((k % u32::from(MARKETS)) as u8)?;
        for (account, size) in [(2 + 2 * k, LOTS), (3 + 2 * k, -LOTS)] {
            let party = holder(account)?;
            let cell = SubCell { collateral: Collateral::new(CASH)?, pos_count: 1, mask: 0 };
            system.view.set(party.sub_key(), cell.to_leaf());
            let last = FundingIndex::new(i64::from(account))?;
            system.view.set(party.pos_key(market), PosCell::new(size, last)?.to_leaf());
        }
    }
    Ok(())
}

/// Pairs of as many longs and shorts, each with its own index of the last settlement.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(768);
    let spinner = output.spinner("executing");
    let mut system = System::new(args.seed, Status::Settling)?;
    prepare(&mut system, ops)?;
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for index in 0..ops {
            let market = MarketId::new((index % u32::from(MARKETS)) as u8)?;
            let (long, short) = (holder(2 + 2 * index)?, holder(3 + 2 * index)?);
            let op = TradeOp::from(SettlePair { market, long, short, lots: Lots::new(LOTS.unsigned_abs())? });
            let accesses = system.apply(index, &op)?;
            records.push(SettleRecord { index, op, accesses });
        }
        Ok(())
    });
    done?;
    ensure!(records.len() == ops as usize, "an operation is missing");
    let counts = tsz_settle::Counts::of(&system.params, &records)?;
    let class =
        tsz_settle::Class::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) =
        timed(|| tsz_settle::Witness::new(class, &system.batch, &system.params, &records, system.start()));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("settle", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_settle::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    for (name, cost) in
        [("execute", execute), ("setup", setup), ("trace", trace), ("prove", prove), ("verify", verify)]
    {
        report.stage(name, cost);
    }
    report.proof(&format!("settle/{}", class.name), key.vk(), &proof);
    Ok(report)
}
