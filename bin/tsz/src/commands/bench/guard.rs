//! `tsz bench guard`: a proof of the guard over fills of a grid, by its circuit alone. Their runs: `tsz bench run`.

use anyhow::{Context, Result, ensure};
use tsz_engine::measure::{Cost, Stopwatch};
use tsz_engine::registry::proving_key;
use tsz_ext::{
    ApprovalPolicy, ApprovalSlot, Approver, ExtContext, ExtOp, Extension, Installed, LimitCell, Touch, key,
    terms_digest,
};
use tsz_ext_apps::grid::{Intent, Level, Pair, host};
use tsz_guard::{Class, Counts, ExtensionRecord, Witness, verify};
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{BalCell, BatchContext, Cell, Key, SystemId};
use tsz_stark::Profile;
use tsz_stf::{MemView, Verified};
use tsz_types::{AccountId, Balance, SubId, TokenId};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// Batch time.
const TIME: u64 = 1_700_000_000_000;
/// Base and quote.
const TOKENS: [u8; 2] = [3, 0];
/// Balance of each party, and each limit, in millionths.
const PLENTY: u128 = 1 << 80;
/// Lots of the one level and of the intent.
const LOTS: u64 = 1 << 40;
/// Accounts of the grid and of the intent.
const PARTIES: [u32; 2] = [2, 3];

fn approver(account: u32) -> Result<Approver> {
    Ok(Approver { account: AccountId::new(account)?, sub: SubId::MIN, slot: ApprovalSlot::MIN })
}

/// A grid that sells and an intent that buys, with limits for both tokens and terms as approved.
fn state(program: Digest, terms: [&[u32]; 2]) -> Result<MemView> {
    let mut view = MemView::from_leaves([]);
    let plenty = Balance::new(PLENTY)?;
    let [base, quote] = TOKENS;
    let limits = [Some(TokenId::new(quote)?.into()), Some(TokenId::new(base)?.into()), None, None];
    for (account, terms) in PARTIES.into_iter().zip(terms) {
        let Approver { account, sub, slot } = approver(account)?;
        view.set(key::program(account, sub, slot), program);
        view.set(key::terms(account, sub, slot), terms_digest(terms));
        let policy = ApprovalPolicy { expiry: TIME + 1, epoch: 1, limits };
        view.set(key::policy(account, sub, slot), policy.to_leaf());
        for index in 0..2 {
            let limit = LimitCell { limit: plenty, ..LimitCell::default() };
            view.set(key::limit(account, sub, slot, index), limit.to_leaf());
        }
        for token in TOKENS {
            view.set(Key::bal(account.get(), 0, token.into()), BalCell { balance: plenty }.to_leaf());
        }
    }
    Ok(view)
}

/// One lot of level 0 with fees.
fn fill(program: Digest, terms: [&[u32]; 2]) -> Result<Extension> {
    let fills = [(0, 1)];
    let mut cells: Vec<Touch> = [0, 2, 3]
        .into_iter()
        .flat_map(|account| TOKENS.map(|token| Touch::write(Key::bal(account, 0, token.into()))))
        .collect();
    let parties = PARTIES.into_iter().map(approver).collect::<Result<Vec<_>>>()?;
    cells.extend(parties.iter().map(|p| Touch::write(key::storage(p.account, p.sub, p.slot, 0))));
    cells.sort_by_key(|touch| touch.key);
    let args = host::args(0, [500, 2_000], &fills, terms[0], terms[1]);
    Ok(Extension { program, parties, cells, args })
}

/// Fills of one grid against one intent, applied one after the other.
pub(super) struct Fills {
    /// Constants of their batch.
    pub batch: BatchContext,
    /// The program.
    pub program: Digest,
    /// The operations with their logs.
    pub records: Vec<ExtensionRecord>,
    /// Cost of executing them.
    pub execute: Cost,
}

/// Executes so many fills.
pub(super) fn fills(ops: u32) -> Result<Fills> {
    let program = Installed::id("grid").context("the program grid is not installed")?;
    let [base, quote] = TOKENS.map(u32::from);
    let units = tsz_ext_sdk::spot::Units { lot_base: 7, tick_quote: 3 };
    let pair = Pair { base, quote, units };
    let grid = host::terms(&pair, 500, 0, &[Level { buy: 1_000, sell: 1_001, lots: LOTS }]);
    let market = Pair { base, quote, units };
    let intent = host::intent(&Intent { market, max_fee: 2_000, buys: true, limit: 1_001, lots: LOTS });
    let terms = [&grid[..], &intent[..]];

    let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] }.digest();
    let batch = BatchContext { system, batch: 1, time: TIME, params: ZERO };
    let context =
        ExtContext { batch: &batch, programs: &Installed, verifier: &Verified, margin: &tsz_ext::NoMargin };
    let (mut view, op) = (state(program, terms)?, fill(program, terms)?);
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
    Ok(Fills { batch, program, records, execute })
}

/// Proves so many fills of one grid against one intent.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let ops = args.ops.unwrap_or(936);
    let spinner = output.spinner("executing");
    let Fills { batch, program, records, execute } = fills(ops)?;
    let class =
        Class::fitting(&Counts::of(&records)?).context("more operations than the largest class holds")?;

    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let (watch, start) = (Stopwatch::start(), batch.digest());
    let (witness, trace) = timed(|| Witness::new(class, &batch, program, &records, start, start));
    let (proven, prove) = timed(|| witness?.prove(&key).map_err(anyhow::Error::from));
    let (claim, proof) = proven?;
    let mut report = Report::new("guard", ops.into(), watch.cost());
    let (valid, verified) = timed(|| verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();
    report.figure("cpu_milliseconds_per_op", 1e3 * report.cpu_seconds / f64::from(ops));
    for (name, cost) in
        [("execute", execute), ("setup", setup), ("trace", trace), ("prove", prove), ("verify", verified)]
    {
        report.stage(name, cost);
    }
    report.proof(&format!("guard/{}", class.name), key.vk(), &proof);
    Ok(report)
}
