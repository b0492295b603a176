//! `tsz bench margin`: a proof of signed margin transfers and of margin exits, by the perp circuit alone.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_ledger::{
    AcctCell, BalCell, Cell, CtlCell, Key, KeyPolicy, L1InCell, Permissions, PosCell, Scheme, SubCell,
};
use tsz_perp::PerpRecord;
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{View, chain};
use tsz_trade::ops::{Direction, MarginExit, MarginTransfer};
use tsz_trade::params::{CollateralParams, Status};
use tsz_trade::{HOUR_MS, Party, TradeOp};
use tsz_types::{
    AccountId, Balance, Collateral, EthAddress, Fraction, FundingIndex, KeySlot, MarketId, SubId, TimeMs,
    TokenId,
};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::markets::{MARKETS, System, TIME};
use crate::measure::timed;
use crate::output::Output;

/// The collateral token.
const TOKEN: u8 = 5;
/// Of five operations four are transfers and one is an exit: what the classes have room for.
const GROUP: u32 = 5;
/// Millionths of the token that an account has, and that a transfer moves.
const HELD: u128 = 1_000_000_000_000;
const MOVED: u128 = 1_234_567;
/// Collateral of an account, millionths.
const CASH: i128 = 100_000_000_000_000;
const OWNER: EthAddress = EthAddress([7; 20]);

fn party(account: u32) -> Result<Party> {
    Ok(Party { account: AccountId::new(account)?, sub: SubId::MIN })
}

fn secret(seed: u64, account: u32) -> SecretKey {
    SecretKey::from_seed(&(seed << 24 | u64::from(account)).to_le_bytes())
}

/// The token counts; of each group one account has a position and one has none.
fn prepare(system: &mut System, groups: u32, seed: u64) -> Result<()> {
    system.params.collateral = vec![CollateralParams {
        token: TokenId::new(TOKEN)?,
        haircut: Fraction::new(9_000)?,
        market: MarketId::MIN,
        units_per_lot: 1_000,
    }];
    system.params.validate()?;
    system.batch.params = system.params.hash();
    system.at_hour((TIME / HOUR_MS) as u32);
    let policy =
        KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::new(2 * TIME)? };
    for account in 2..2 + 2 * groups {
        let who = party(account)?;
        let trades = account % 2 == 0;
        let balance = |micros| -> Result<_> { Ok(BalCell { balance: Balance::new(micros)? }.to_leaf()) };
        system.view.set(Key::acct(account), AcctCell { owner: Some(OWNER) }.to_leaf());
        system.view.set(Key::key_a(account, 0), secret(seed, account).public_key().key_id());
        system.view.set(Key::key_b(account, 0), Some(policy).to_leaf());
        system.view.set(Key::bal(account, 0, TOKEN.into()), balance(HELD)?);
        system.view.set(who.mbal_key(0), balance(HELD)?);
        let cell = SubCell { collateral: Collateral::new(CASH)?, pos_count: trades.into(), mask: 1 };
        system.view.set(who.sub_key(), cell.to_leaf());
        if trades {
            let market = MarketId::new((account / 2 % u32::from(MARKETS)) as u8)?;
            let last = FundingIndex::new(-i64::from(account))?;
            system.view.set(who.pos_key(market), PosCell::new(1_000, last)?.to_leaf());
        }
    }
    Ok(())
}

fn transfer(system: &System, seed: u64, blank: Signature, index: u32) -> Result<TradeOp> {
    let account = 2 + 2 * (index / GROUP);
    let ctl = CtlCell::from_leaf(&system.view.get(Key::ctl(account, 0)))?;
    let mut op = MarginTransfer {
        account: AccountId::new(account)?,
        sub: SubId::MIN,
        direction: if index.is_multiple_of(2) { Direction::In } else { Direction::Out },
        token: TokenId::new(TOKEN)?,
        amount: Balance::new(MOVED)?,
        nonce: ctl.nonce,
        key_slot: KeySlot::MIN,
        signature: blank,
    };
    op.signature = secret(seed, account).sign(&chain(&system.batch.system, &op.message()));
    Ok(op.into())
}

fn exit(system: &System, index: u32) -> Result<TradeOp> {
    let L1InCell { next } = L1InCell::from_leaf(&system.view.get(Key::L1IN))?;
    let (party, token) = (party(3 + 2 * (index / GROUP))?, TokenId::new(TOKEN)?);
    Ok(MarginExit { serial: next, party, token, sender: OWNER }.into())
}

/// Four transfers in and out of a margin with a position for each exit.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(320);
    let spinner = output.spinner("signing and executing");
    let mut system = System::new(args.seed, Status::Open)?;
    prepare(&mut system, ops.div_ceil(GROUP), args.seed)?;
    let blank = secret(args.seed, 0).sign(&system.start());
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for index in 0..ops {
            let op = match index % GROUP {
                4 => exit(&system, index)?,
                _ => transfer(&system, args.seed, blank, index)?,
            };
            let accesses = system.apply(index, &op)?;
            records.push(PerpRecord { index, op, accesses });
        }
        Ok(())
    });
    done?;
    ensure!(records.len() == ops as usize, "an operation is missing");
    let counts = tsz_perp::Counts::of(&system.params, &records)?;
    let class = tsz_perp::Class::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) =
        timed(|| tsz_perp::Witness::new(class, &system.batch, &system.params, &records, system.start()));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("margin", ops.into(), watch.cost());
    let (valid, verify) = timed(|| tsz_perp::verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("transfers", counts.transfers);
    report.figure("exits", counts.exits);
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
    report.proof(&format!("perp/{}", class.name), key.vk(), &proof);
    Ok(report)
}
