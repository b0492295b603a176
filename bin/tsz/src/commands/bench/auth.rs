//! `tsz bench auth`: logins by passkey, checked natively and proven by the auth circuit.

use anyhow::{Context, Result, bail};
use tsz_auth::authenticator::Authenticator;
use tsz_auth::{Assertion, Passkey};
use tsz_auth_circuit::{AuthRecord, CLASSES, Class, Witness, verify};
use tsz_engine::measure::Stopwatch;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId};
use tsz_smt::bench::Mix;
use tsz_stark::{Profile, security::security};
use tsz_stf::{AuthOp, MemView, RegisterKeyByPasskey, Trusted, apply_auth_with, message};
use tsz_types::{AccountId, KeySlot, Nonce, TimeMs};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::report::cells;
use crate::measure::timed;
use crate::output::Output;

/// Batch time.
const TIME: u64 = 1_700_000_000_000;
/// Accounts before the first that logs in.
const FIRST: u32 = 2;

/// Checks and proves one registration of a session key for each of the accounts.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let most = CLASSES.iter().map(Class::capacity).max().unwrap_or(0);
    let count = args.ops.map_or(most, |n| n as usize);
    let Some(class) = Class::fitting(count) else {
        bail!("a proof holds at most {most} logins, not {count}")
    };
    let spinner = output.spinner("making assertions");
    let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] }.digest();
    let context = BatchContext { system, batch: 1, time: TIME, params: ZERO };
    let records = records(count, args.seed, &context)?;

    spinner.set_message("checking");
    let (valid, native) = timed(|| {
        records.iter().try_for_each(|r| {
            let (passkey, assertion) = r.op.approval();
            passkey.verify(&message(&context.system, &r.op.message()), assertion)
        })
    });
    valid.context("an honest assertion is refused")?;

    spinner.set_message("proving");
    let (key, setup) = timed(|| class.setup(Profile::Base));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) = timed(|| Witness::new(class, &context, &records, context.digest()));
    let witness = witness?;
    let (proof, prove) = timed(|| witness.prove(&key));
    let (claim, proof) = proof?;
    let mut report = Report::new("auth", count as u64, watch.cost());
    drop(witness);
    let (valid, verify) = timed(|| verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();

    let per_login = |x: f64| x / count as f64;
    let all: usize = key.vk().tables().iter().map(tsz_stark::TableInfo::cells).sum();
    report.proof_bytes = proof.len() as u64;
    report.figure("check_microseconds", per_login(native.wall_seconds * 1e6));
    report.figure("proven_cpu_milliseconds", per_login(report.cpu_seconds * 1e3));
    report.figure("cells_per_login", per_login(all as f64));
    report.figure("proven_bits", security(key.vk()).proven_bits);
    report.stage("setup", setup);
    report.stage("trace", trace);
    report.stage("prove", prove);
    report.stage("verify", verify);
    report.cells = cells("auth", key.vk().tables());
    Ok(report)
}

/// One login of each of `count` accounts, every one with a passkey of its own.
fn records(count: usize, seed: u64, context: &BatchContext) -> Result<Vec<AuthRecord>> {
    let mut mix = Mix(seed);
    let mut view = MemView::from_leaves([]);
    let all =
        KeyPolicy { scheme: Scheme::P256, permissions: Permissions::ALL, expiry: TimeMs::new(TIME * 2)? };
    (0..count)
        .map(|k| {
            let authenticator = Authenticator::from_seed(&mix.next().to_le_bytes());
            let passkey = authenticator.passkey("example.com", "https://app.example.com", true)?;
            let account = FIRST + k as u32;
            view.set(Key::key_a(account, 0), passkey.key_id());
            view.set(Key::key_b(account, 0), Some(all).to_leaf());
            let op = login(&authenticator, passkey, account, mix.digest(), context)?;
            let index = k as u32 + 1;
            let applied = apply_auth_with(&view, context, index, &op, &Trusted)?;
            Ok(AuthRecord { index, op, accesses: applied.accesses })
        })
        .collect()
}

/// A registration of a session key for a day.
fn login(
    authenticator: &Authenticator,
    passkey: Passkey,
    account: u32,
    key_id: Digest,
    context: &BatchContext,
) -> Result<AuthOp> {
    let blank: Assertion = authenticator.assert(&passkey, &ZERO);
    let mut op = RegisterKeyByPasskey {
        account: AccountId::new(account)?,
        slot: KeySlot::new(1)?,
        key_id,
        scheme: Scheme::Schnorr,
        permissions: [Permission::Trade].into_iter().collect(),
        expiry: TimeMs::new(TIME + 86_400_000)?,
        nonce: Nonce::new(0)?,
        key_slot: KeySlot::new(0)?,
        passkey,
        assertion: blank,
    };
    op.assertion = authenticator.assert(&op.passkey, &message(&context.system, &op.message()));
    Ok(op.into())
}
