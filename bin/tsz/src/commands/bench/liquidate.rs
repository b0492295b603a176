//! `tsz bench liquidate`: a proof of takeovers and partial liquidations in turn, by their circuit alone.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_ledger::{Cell, Key, KeyPolicy, MkoCell, Permissions, PosCell, Scheme, SubCell};
use tsz_liquidate::LiquidateRecord;
use tsz_sig::SecretKey;
use tsz_stark::Profile;
use tsz_trade::ops::{Liquidate, Takeover};
use tsz_trade::order::{Order, PerpOrder, SelfTrade, Side, Signed, Terms, Tif, Trigger};
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, Party, TradeOp};
use tsz_types::{
    AccountId, Collateral, FundingIndex, KeySlot, KillEpoch, Lots, MarketId, Nonce, Price, Rate, Slot, SubId,
    TimeMs,
};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::markets::{PRICE, System, TIME};
use crate::measure::timed;
use crate::output::Output;

/// Markets in which somebody is liquidated, and so positions of insurance and of the maker.
const MARKETS: u32 = 8;
/// Lots of each target.
const LOTS: u64 = 1_000;
/// Lots that a partial liquidation closes: fewer than bring TAV back to IMR.
const CLOSED: u64 = 500;
/// Account that makes.
const MAKER: u32 = 1 << 20;
/// What is left of a position's worth, in percent: less than CMR of a target that is taken over, less than MMR else.
const LEFT: [i128; 2] = [2, 4];

fn party(account: u32) -> Result<Party> {
    Ok(Party { account: AccountId::new(account)?, sub: SubId::MIN })
}

fn market(index: u32) -> Result<MarketId> {
    Ok(MarketId::new((index % MARKETS) as u8)?)
}

/// Every target is long; insurance and the maker are rich.
fn prepare(system: &mut System, targets: u32, key: &SecretKey) -> Result<()> {
    system.at_hour((TIME / HOUR_MS) as u32);
    for m in 0..MARKETS {
        let open_interest = 2 * u64::from(targets) * LOTS;
        system.view.set(Key::mko(m), MkoCell { open_interest, ..MkoCell::default() }.to_leaf());
    }
    for k in 0..targets {
        let party = party(2 + k)?;
        let worth = i128::from(LOTS) * i128::from(PRICE);
        let left = LEFT[(k % 2) as usize];
        let collateral = Collateral::new(-worth * (100 - left) * 10_000)?;
        system.view.set(party.sub_key(), SubCell { collateral, pos_count: 1, mask: 0 }.to_leaf());
        let pos = PosCell::new(LOTS as i64, FundingIndex::new(0)?)?;
        system.view.set(party.pos_key(market(k)?), pos.to_leaf());
    }
    for rich in [Party::INSURANCE, party(MAKER)?] {
        let cell = SubCell { collateral: Collateral::new(1 << 80)?, ..SubCell::default() };
        system.view.set(rich.sub_key(), cell.to_leaf());
    }
    let expiry = TimeMs::new(TIME + HOUR_MS)?;
    let policy = KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry };
    system.view.set(Key::key_a(MAKER, 1), key.public_key().key_id());
    system.view.set(Key::key_b(MAKER, 1), Some(policy).to_leaf());
    Ok(())
}

/// A resting order of its own for each close.
fn order(system: &System, index: u32, key: &SecretKey) -> Result<Signed<PerpOrder>> {
    let terms = Terms {
        account: AccountId::new(MAKER)?,
        sub: SubId::MIN,
        slot: Slot::new((index / 2 % 256) as u8)?,
        nonce: Nonce::new(index / 512)?,
        side: Side::Buy,
        lots: Lots::new(CLOSED)?,
        price: Price::new(PRICE)?,
        tif: Tif::Gtt,
        self_trade: SelfTrade::Reject,
        max_taker_fee: Rate::ZERO,
        max_maker_fee: Rate::new(100)?,
        broker: AccountId::FEES,
        broker_rate: Rate::ZERO,
        expiry: TimeMs::new(TIME + HOUR_MS)?,
        kill_epoch: KillEpoch::MIN,
    };
    let order = PerpOrder { market: market(index)?, reduce_only: false, trigger: Trigger::None, terms };
    let signature = key.sign(&order.digest(&system.batch.system));
    Ok(Signed { order, key_slot: KeySlot::new(1)?, signature, prepared: Default::default() })
}

fn op(system: &System, index: u32, key: &SecretKey) -> Result<TradeOp> {
    let (target, market) = (party(2 + index)?, market(index)?);
    if index.is_multiple_of(2) {
        return Ok(Takeover { target, market, lots: Lots::new(LOTS)? }.into());
    }
    let (maker, lots) = (order(system, index, key)?, Lots::new(CLOSED)?);
    Ok(Liquidate { target, market, maker, lots, maker_fee: Rate::new(100)? }.into())
}

/// Insurance takes the whole position of every other target, half of that of the others is sold to a maker.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(64);
    let spinner = output.spinner("signing and executing");
    let mut system = System::new(args.seed, Status::Open)?;
    let key = SecretKey::from_seed(&args.seed.to_le_bytes());
    prepare(&mut system, ops, &key)?;
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for index in 0..ops {
            let op = op(&system, index, &key)?;
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
    let (pk, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let pk = pk?;
    let watch = Stopwatch::start();
    let (witness, trace) =
        timed(|| tsz_liquidate::Witness::new(class, &system.batch, &system.params, &records, system.start()));
    let (proven, prove) = timed(|| witness?.prove(&pk).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("liquidate", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_liquidate::verify(pk.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
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
    report.proof(&format!("liquidate/{}", class.name), pk.vk(), &proof);
    Ok(report)
}
