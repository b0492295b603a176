//! `tsz bench legs`: a proof of the guard over block trades, by its circuit with legs alone. Runs are no part of it.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_ext::{
    ApprovalPolicy, ApprovalSlot, Approver, ExtContext, ExtOp, Extension, Installed, LimitCell, Limited,
    Touch, cell, key, terms_digest,
};
use tsz_ext_apps::block::host;
use tsz_ext_sdk::Trade;
use tsz_guard::ExtensionRecord;
use tsz_guard::margin::{MarginClass, MarginCounts, MarginWitness, verify_margin};
use tsz_hash::Digest;
use tsz_ledger::{Cell, Key, PosCell, Realm, SubCell};
use tsz_stark::Profile;
use tsz_stf::Verified;
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, MarginRules};
use tsz_types::{AccountId, Balance, Collateral, FundingIndex, SubId};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::markets::{PRICE, System, TIME};
use crate::measure::timed;
use crate::output::Output;

/// Collateral of each party, millionths.
const CASH: i128 = 100_000_000_000_000;
/// Each limit of positions, millionths.
const PLENTY: u128 = 1 << 80;
/// The deal, larger than all its fills.
const DEAL: Trade = Trade { market: 0, lots: 1 << 40, price: PRICE + 1, multiplier: 1 };
/// Accounts of buyer and seller.
const PARTIES: [u32; 2] = [2, 3];

fn approver(account: u32) -> Result<Approver> {
    Ok(Approver { account: AccountId::new(account)?, sub: SubId::MIN, slot: ApprovalSlot::MIN })
}

/// Both parties with collateral, a position in another market, and the deal approved.
fn prepare(system: &mut System, program: Digest) -> Result<()> {
    system.at_hour((TIME / HOUR_MS) as u32);
    let [buyer, seller] = PARTIES;
    for (account, other, sells) in [(buyer, seller, false), (seller, buyer, true)] {
        let Approver { account: id, sub, slot } = approver(account)?;
        let view = &mut system.view;
        view.set(key::program(id, sub, slot), program);
        view.set(key::terms(id, sub, slot), terms_digest(&host::terms(sells, (other, 0), &DEAL)));
        let limits = [Some(Limited::Positions), None, None, None];
        let policy = ApprovalPolicy { expiry: TIME + 1, epoch: 1, limits };
        view.set(key::policy(id, sub, slot), policy.to_leaf());
        let limit = LimitCell { limit: Balance::new(PLENTY)?, ..LimitCell::default() };
        view.set(key::limit(id, sub, slot, 0), limit.to_leaf());
        let cell = SubCell { collateral: Collateral::new(CASH)?, pos_count: 1, mask: 0 };
        view.set(Key::sub(account, 0), cell.to_leaf());
        let size = if sells { -1_000 } else { 1_000 };
        view.set(Key::pos(account, 0, 1), PosCell::new(size, FundingIndex::ZERO)?.to_leaf());
    }
    Ok(())
}

/// A lot of the deal.
fn fill(program: Digest) -> Result<Extension> {
    let parties = PARTIES.into_iter().map(approver).collect::<Result<Vec<_>>>()?;
    let of = |party: &Approver| {
        // of slot 0
        let leg = Key::user(Realm::Private, party.account.get(), 0, cell::APPROVAL + cell::LEG);
        [leg, key::storage(party.account, party.sub, party.slot, 0)].map(Touch::write)
    };
    let cells = parties.iter().flat_map(of).collect();
    Ok(Extension { program, parties, cells, args: host::args(0, 1, &DEAL) })
}

/// Proves so many fills of one deal.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(1_024);
    let spinner = output.spinner("executing");
    let program = Installed::id("block").context("the program block is not installed")?;
    let mut system = System::new(args.seed, Status::Open)?;
    prepare(&mut system, program)?;
    let System { mut view, params, batch, .. } = system;
    let margin = MarginRules { params: &params };
    let context = ExtContext { batch: &batch, programs: &Installed, verifier: &Verified, margin: &margin };
    let op = fill(program)?;
    let mut records = Vec::new();
    let (done, execute) = timed(|| -> Result<()> {
        for index in 1..=ops {
            let accesses = tsz_ext::apply(&view, &context, &ExtOp::Extension(op.clone()))?;
            view.commit(&accesses);
            records.push(ExtensionRecord { index, op: op.clone(), accesses });
        }
        Ok(())
    });
    done?;
    ensure!(records.len() == ops as usize, "an operation is missing");
    let counts = MarginCounts::of(&params, &records)?;
    let class = MarginClass::fitting(&counts).context("more operations than the largest class holds")?;
    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let (watch, start) = (Stopwatch::start(), batch.digest());
    let (witness, trace) =
        timed(|| MarginWitness::new(class, &batch, &params, program, &records, [start; 2]));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("legs", ops.into(), watch.cost());
    let (valid, verified) = timed(|| verify_margin(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    let all: usize = key.vk().tables().iter().map(tsz_stark::TableInfo::cells).sum();
    report.figure("cells_per_leg", all as f64 / f64::from(2 * ops));
    for (name, cost) in
        [("execute", execute), ("setup", setup), ("trace", trace), ("prove", prove), ("verify", verified)]
    {
        report.stage(name, cost);
    }
    report.proof(&format!("guard/{}", class.plain.name), key.vk(), &proof);
    Ok(report)
}
