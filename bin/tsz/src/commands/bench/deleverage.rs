//! `tsz bench deleverage`: a proof of rankings and of closes against the best-ranked, by its circuit alone.

use anyhow::{Context, Result, ensure};
use tsz_deleverage::DeleverageRecord;
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_ledger::{Cell, Key, MkoCell, PosCell, SubCell};
use tsz_stark::Profile;
use tsz_trade::ops::{Adl, AdlRank};
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, Party, Side, TradeOp};
use tsz_types::{AccountId, Collateral, FundingIndex, MarketId, SubId};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::markets::{PRICE, System, TIME};
use crate::measure::timed;
use crate::output::Output;

/// Markets in which somebody is deleveraged.
const MARKETS: u32 = 8;
/// Lots of each position.
const LOTS: i64 = 1_000;
/// What a position is worth, millionths.
const WORTH: i128 = LOTS as i128 * PRICE as i128 * 1_000_000;

fn holder(account: u32) -> Result<Party> {
    Ok(Party { account: AccountId::new(account)?, sub: SubId::MIN })
}

/// The long and the short of a pair, and their market.
fn pair(k: u32) -> Result<(Party, Party, MarketId)> {
    Ok((holder(2 + 2 * k)?, holder(3 + 2 * k)?, MarketId::new((k % MARKETS) as u8)?))
}

/// Every long is nearly bankrupt, every short has as much as its position is worth, insurance nothing.
fn prepare(system: &mut System, pairs: u32) -> Result<()> {
    system.at_hour((TIME / HOUR_MS) as u32);
    for m in 0..MARKETS {
        let held = (pairs - m).div_ceil(MARKETS);
        let open_interest = 2 * u64::from(held) * LOTS.unsigned_abs();
        system.view.set(Key::mko(m), MkoCell { open_interest, ..MkoCell::default() }.to_leaf());
    }
    for k in 0..pairs {
        let (long, short, market) = pair(k)?;
        for (party, size, cash) in [(long, LOTS, -WORTH * 98 / 100), (short, -LOTS, 2 * WORTH)] {
            let cell = SubCell { collateral: Collateral::new(cash)?, pos_count: 1, mask: 0 };
            system.view.set(party.sub_key(), cell.to_leaf());
            system.view.set(party.pos_key(market), PosCell::new(size, FundingIndex::new(0)?)?.to_leaf());
        }
    }
    Ok(())
}

/// A ranking of the shorts of each market, then a close of every long against its short.
fn list(pairs: u32) -> Result<Vec<TradeOp>> {
    let mut ops = Vec::new();
    for m in 0..MARKETS {
        let holders: Result<Vec<Party>> =
            (m..pairs).step_by(MARKETS as usize).map(|k| Ok(pair(k)?.1)).collect();
        let (market, holders) = (MarketId::new(m as u8)?, holders?);
        ops.push(AdlRank { market, side: Side::Sell, class: 0, restart: true, holders }.into());
    }
    for k in 0..pairs {
        let (target, counterparty, market) = pair(k)?;
        ops.push(Adl { target, market, counterparty }.into());
    }
    Ok(ops)
}

/// As many closes, after their rankings.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let pairs = args.ops.unwrap_or(64);
    ensure!(pairs >= MARKETS, "at least {MARKETS} closes, one in each market");
    let spinner = output.spinner("executing");
    let mut system = System::new(args.seed, Status::Open)?;
    prepare(&mut system, pairs)?;
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for (index, op) in (0..).zip(list(pairs)?) {
            let accesses = system.apply(index, &op)?;
            records.push(DeleverageRecord { index, op, accesses });
        }
        Ok(())
    });
    done?;
    let counts = tsz_deleverage::Counts::of(&system.params, &records)?;
    let class =
        tsz_deleverage::Class::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) = timed(|| {
        tsz_deleverage::Witness::new(class, &system.batch, &system.params, &records, system.start())
    });
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let ops = records.len() as u32;
    let mut report = Report::new("deleverage", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_deleverage::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    for (name, cost) in
        [("execute", execute), ("setup", setup), ("trace", trace), ("prove", prove), ("verify", verify)]
    {
        report.stage(name, cost);
    }
    report.proof(&format!("deleverage/{}", class.name), key.vk(), &proof);
    Ok(report)
}
