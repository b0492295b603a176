//! `tsz bench auth` and `tsz bench wallet`: logins by passkey and by wallet, checked natively and proven.

use anyhow::{Context, Result, bail};
use tsz_auth::Passkey;
use tsz_auth::authenticator::Authenticator;
use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::SigningDomain;
use tsz_auth_circuit::{AuthRecord, CLASSES, Class, Kind, WALLET_CLASSES, Witness, verify};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId};
use tsz_smt::bench::Mix;
use tsz_stark::Profile;
use tsz_stf::{AuthOp, MemView, RegisterKeyByPasskey, RegisterKeyByWallet, Trusted, Verified};
use tsz_stf::{apply_auth_with, message};
use tsz_types::{AccountId, KeySlot, Nonce, TimeMs};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// Batch time.
const TIME: u64 = 1_700_000_000_000;
/// Where wallets sign.
const DOMAIN: SigningDomain = SigningDomain { chain: 31337, contract: [1; 20] };
/// Accounts before the first that logs in.
const FIRST: u32 = 2;

/// Checks and proves one registration of a session key for each of the accounts.
pub fn run(args: &BenchArgs, output: &Output, kind: Kind) -> Result<Report> {
    let (name, classes) = match kind {
        Kind::Passkey => ("auth", &CLASSES),
        Kind::Wallet => ("wallet", &WALLET_CLASSES),
    };
    let most = classes.iter().map(Class::capacity).max().unwrap_or(0);
    let count = args.ops.map_or(most, |n| n as usize);
    let Some(class) = Class::fitting(kind, count) else {
        bail!("a proof holds at most {most} logins, not {count}")
    };
    let spinner = output.spinner("making approvals");
    let system = SystemId { rollup: 1, chain: DOMAIN.chain, address: DOMAIN.contract }.digest();
    let context = BatchContext { system, batch: 1, time: TIME, params: ZERO };
    let Logins { view, records } = logins(kind, count, args.seed, &context)?;

    spinner.set_message("checking");
    let (valid, native) = timed(|| {
        records
            .iter()
            .try_for_each(|r| apply_auth_with(&view, &context, r.index, &r.op, &Verified).map(|_| ()))
    });
    valid.context("an honest approval is refused")?;

    spinner.set_message("proving");
    let (key, setup) = timed(|| proving_key(class.circuit(Profile::Base)));
    let key = key?;
    let watch = Stopwatch::start();
    let (witness, trace) = timed(|| Witness::new(class, &context, &records, context.digest()));
    let witness = witness?;
    let (proof, prove) = timed(|| witness.prove(&key));
    let (claim, proof) = proof?;
    let mut report = Report::new(name, count as u64, watch.cost());
    drop(witness);
    let (valid, verify) = timed(|| verify(key.vk(), &claim, &proof));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();

    let per_login = |x: f64| x / count as f64;
    let all: usize = key.vk().tables().iter().map(tsz_stark::TableInfo::cells).sum();
    report.figure("check_microseconds", per_login(native.wall_seconds * 1e6));
    report.figure("proven_cpu_milliseconds", per_login(report.cpu_seconds * 1e3));
    report.figure("cells_per_login", per_login(all as f64));
    report.stage("setup", setup);
    report.stage("trace", trace);
    report.stage("prove", prove);
    report.stage("verify", verify);
    report.proof(name, key.vk(), &proof);
    Ok(report)
}

/// The state before, and one login of each account.
struct Logins {
    view: MemView,
    records: Vec<AuthRecord>,
}

/// One login of each of `count` accounts, every one with a key of its own.
fn logins(kind: Kind, count: usize, seed: u64, context: &BatchContext) -> Result<Logins> {
    let mut mix = Mix(seed);
    let mut view = MemView::from_leaves([]);
    let mut ops = Vec::with_capacity(count);
    for k in 0..count {
        let account = FIRST + k as u32;
        let seed = mix.next().to_le_bytes();
        let (id, scheme, op) = match kind {
            Kind::Passkey => {
                let authenticator = Authenticator::from_seed(&seed);
                let passkey = authenticator.passkey("example.com", "https://app.example.com", true)?;
                let id = passkey.key_id();
                (id, Scheme::P256, by_passkey(&authenticator, passkey, account, mix.digest(), context)?)
            }
            Kind::Wallet => {
                let soft = SoftWallet::from_seed(&seed);
                let id = soft.wallet(DOMAIN).key_id();
                (id, Scheme::Secp256k1, by_wallet(&soft, account, mix.digest(), context)?)
            }
        };
        let policy = KeyPolicy { scheme, permissions: Permissions::ALL, expiry: TimeMs::new(TIME * 2)? };
        view.set(Key::key_a(account, 0), id);
        view.set(Key::key_b(account, 0), Some(policy).to_leaf());
        ops.push(op);
    }
    let record = |(k, op): (usize, AuthOp)| {
        let index = k as u32 + 1;
        let applied = apply_auth_with(&view, context, index, &op, &Trusted)?;
        Ok(AuthRecord { index, op, accesses: applied.accesses })
    };
    let records = ops.into_iter().enumerate().map(record).collect::<Result<_>>()?;
    Ok(Logins { view, records })
}

/// A registration of a session key for a day.
fn by_passkey(
    authenticator: &Authenticator,
    passkey: Passkey,
    account: u32,
    key_id: Digest,
    context: &BatchContext,
) -> Result<AuthOp> {
    let assertion = authenticator.assert(&passkey, &ZERO);
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
        assertion,
    };
    op.assertion = authenticator.assert(&op.passkey, &message(&context.system, &op.message()));
    Ok(op.into())
}

/// The same by wallet.
fn by_wallet(soft: &SoftWallet, account: u32, key_id: Digest, context: &BatchContext) -> Result<AuthOp> {
    let mut op = RegisterKeyByWallet {
        account: AccountId::new(account)?,
        slot: KeySlot::new(1)?,
        key_id,
        scheme: Scheme::Schnorr,
        permissions: [Permission::Trade].into_iter().collect(),
        expiry: TimeMs::new(TIME + 86_400_000)?,
        nonce: Nonce::new(0)?,
        key_slot: KeySlot::new(0)?,
        wallet: soft.wallet(DOMAIN),
        approval: soft.approve(&DOMAIN, &ZERO),
    };
    op.approval = soft.approve(&DOMAIN, &message(&context.system, &op.message()));
    Ok(op.into())
}
