//! `tsz bench liquidate`: a proof of takeovers, by its circuit alone.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Stopwatch;
use tsz_ledger::{Cell, Key, MkoCell, PosCell, SubCell};
use tsz_liquidate::LiquidateRecord;
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_trade::ops::Takeover;
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, Party, TradeOp};
use tsz_types::{AccountId, Collateral, FundingIndex, Lots, MarketId, SubId};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::markets::{PRICE, System, TIME};
use crate::commands::bench::report::cells;
use crate::measure::timed;
use crate::output::Output;

/// Markets in which somebody is liquidated, and so positions of insurance.
const MARKETS: u32 = 8;
/// Lots of each target.
const LOTS: i64 = 1_000;
/// Collateral of each target, millionths: 2% of what its position is worth are left, less than CMR.
const DEBT: i128 = -(LOTS as i128 * PRICE as i128) * 980_000;

fn target(index: u32) -> Result<Party> {
    Ok(Party { account: AccountId::new(2 + index)?, sub: SubId::MIN })
}

/// Every target is long and nearly bankrupt; insurance is rich.
fn prepare(system: &mut System, targets: u32) -> Result<()> {
    system.at_hour((TIME / HOUR_MS) as u32);
    for m in 0..MARKETS {
        let open_interest = 2 * u64::from(targets) * LOTS.unsigned_abs();
        system.view.set(Key::mko(m), MkoCell { open_interest, ..MkoCell::default() }.to_leaf());
    }
    for k in 0..targets {
        let (party, market) = (target(k)?, MarketId::new((k % MARKETS) as u8)?);
        let cell = SubCell { collateral: Collateral::new(DEBT)?, pos_count: 1, mask: 0 };
        system.view.set(party.sub_key(), cell.to_leaf());
        system.view.set(party.pos_key(market), PosCell::new(LOTS, FundingIndex::new(0)?)?.to_leaf());
    }
    let rich = SubCell { collateral: Collateral::new(1 << 80)?, ..SubCell::default() };
    system.view.set(Party::INSURANCE.sub_key(), rich.to_leaf());
    Ok(())
}

/// Insurance takes the whole position of as many targets.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(64);
    let spinner = output.spinner("executing");
    let mut system = System::new(args.seed, Status::Open)?;
    prepare(&mut system, ops)?;
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for index in 0..ops {
            let market = MarketId::new((index % MARKETS) as u8)?;
            let op = Takeover { target: target(index)?, market, lots: Lots::new(LOTS.unsigned_abs())? };
            let op = TradeOp::from(op);
            let accesses = system.apply(index, &op)?;
            records.push(LiquidateRecord { index, op, accesses });
        }
        Ok(())
    });
    done?;
    ensure!(records.len() == ops as usize, "an operation is missing");
    let counts = tsz_liquidate::Counts::of(&system.params, &records)?;
    let class =
        tsz_liquidate::Class::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| class.setup(Profile::Base));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) =
        timed(|| tsz_liquidate::Witness::new(class, &system.batch, &system.params, &records, system.start()));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("liquidate", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_liquidate::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    report.figure("proven_bits", security(key.vk()).proven_bits);
    for (name, cost) in
        [("execute", execute), ("setup", setup), ("trace", trace), ("prove", prove), ("verify", verify)]
    {
        report.stage(name, cost);
    }
    report.proof_bytes = proof.len() as u64;
    report.cells = cells(&format!("liquidate/{}", class.name), key.vk().tables());
    Ok(report)
}
