//! `tsz bench oidc` and `oidc-es256`: logins by OpenID token, checked natively and proven.

use anyhow::{Context, Result, bail};
use tsz_auth::issuer::Issuer;
use tsz_auth::issuer_rsa::RsaIssuer;
use tsz_auth::oidc::{Algorithm, Identity};
use tsz_auth::{LoginProvider, SocialLogin};
use tsz_engine::measure::Stopwatch;
use tsz_engine::registry::proving_key;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{BatchContext, Cell, Key, KeyPolicy, Permission, Permissions, Scheme, SystemId};
use tsz_oidc::{Class, Counts, OidcRecord, Witness, verify};
use tsz_smt::bench::Mix;
use tsz_stark::Profile;
use tsz_stf::{AuthOp, MemView, RegisterKeyByOidc, Trusted, Verified, apply_auth_with, message};
use tsz_trade::Op;
use tsz_types::{AccountId, KeySlot, Nonce, ProviderSlot, TimeMs};

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// Batch time.
const TIME: u64 = 1_700_000_000_000;
/// Accounts before the first that logs in.
const FIRST: u32 = 2;
/// Logins that a proof of tokens of this size holds.
const MOST: usize = 64;

/// Checks and proves one registration of a session key for each of the accounts.
pub fn run(args: &BenchArgs, output: &Output, algorithm: Algorithm) -> Result<Report> {
    let name = match algorithm {
        Algorithm::Rs256 => "oidc",
        Algorithm::Es256 => "oidc_es256",
    };
    let count = args.ops.map_or(MOST, |n| n as usize);
    let spinner = output.spinner("making tokens");
    let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] }.digest();
    let context = BatchContext { system, batch: 1, time: TIME, params: ZERO };
    let (view, ops) = logins(algorithm, count, args.seed, &context)?;
    let counts = Counts::of(algorithm, &ops);
    let Some(class) = Class::fitting(algorithm, &counts) else {
        bail!("a proof holds at most {MOST} of these logins, not {count}")
    };

    spinner.set_message("checking");
    let auth = || ops.iter().filter_map(Op::as_auth);
    let (valid, native) =
        timed(|| auth().try_for_each(|op| apply_auth_with(&view, &context, 1, op, &Verified).map(|_| ())));
    valid.context("an honest token is refused")?;
    let record = |(k, op): (usize, &AuthOp)| {
        let index = k as u32 + 1;
        let applied = apply_auth_with(&view, &context, index, op, &Trusted)?;
        Ok(OidcRecord { index, op: Op::Auth(op.clone()), accesses: applied.accesses })
    };
    let records: Vec<OidcRecord> = auth().enumerate().map(record).collect::<Result<_>>()?;

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
    report.figure("compressions_per_token", per_login(counts.blocks as f64));
    report.figure("proven_cpu_milliseconds", per_login(report.cpu_seconds * 1e3));
    report.figure("cells_per_login", per_login(all as f64));
    report.stage("setup", setup);
    report.stage("trace", trace);
    report.stage("prove", prove);
    report.stage("verify", verify);
    report.proof(name, key.vk(), &proof);
    Ok(report)
}

/// One login of each of `count` accounts, every one with a subject of its own, under one key of a provider.
fn logins(
    algorithm: Algorithm,
    count: usize,
    seed: u64,
    context: &BatchContext,
) -> Result<(MemView, Vec<Op>)> {
    let mut mix = Mix(seed);
    // The lengths of a large provider's tokens: a client id as audience, a hash as kid.
    let audience = "407408718192-0123456789abcdefghijklmnopqrstuv.apps.example.com";
    let provider = LoginProvider {
        issuer: "https://accounts.example.com".to_owned(),
        audience: audience.to_owned(),
        kid: "6f7254101f56e41cf35c9926de84a2d552b4c6f1".to_owned(),
        key: match algorithm {
            Algorithm::Rs256 => RsaIssuer.key().into(),
            Algorithm::Es256 => es256().key().into(),
        },
    };
    let mut view = MemView::from_leaves([(Key::provider(0), provider.digest())]);
    let mut ops = Vec::with_capacity(count);
    for k in 0..count {
        let account = FIRST + k as u32;
        let subject = format!("{:021}", mix.next());
        let identity = Identity {
            issuer: &provider.issuer,
            audience,
            subject: &subject,
            salt: core::array::from_fn(|_| mix.next() as u8),
        };
        let policy =
            KeyPolicy { scheme: Scheme::Oidc, permissions: Permissions::ALL, expiry: TimeMs::new(TIME * 2)? };
        view.set(Key::key_a(account, 0), identity.key_id());
        view.set(Key::key_b(account, 0), Some(policy).to_leaf());
        ops.push(Op::Auth(register(&provider, &identity, account, mix.digest(), context)?));
    }
    Ok((view, ops))
}

/// The provider that signs with ES256.
fn es256() -> Issuer {
    Issuer::from_seed(b"provider")
}

/// A registration of a session key for a day.
fn register(
    provider: &LoginProvider,
    identity: &Identity<'_>,
    account: u32,
    key_id: Digest,
    context: &BatchContext,
) -> Result<AuthOp> {
    let mut op = RegisterKeyByOidc {
        account: AccountId::new(account)?,
        slot: KeySlot::new(1)?,
        key_id,
        scheme: Scheme::Schnorr,
        permissions: [Permission::Trade].into_iter().collect(),
        expiry: TimeMs::new(TIME + 86_400_000)?,
        nonce: Nonce::new(0)?,
        key_slot: KeySlot::new(0)?,
        provider_slot: ProviderSlot::new(0)?,
        provider: provider.clone(),
        login: SocialLogin { token: Vec::new(), salt: identity.salt },
    };
    let digest = message(&context.system, &op.message());
    // What such tokens have beside the claims that are read.
    let more = format!(
        r#"{{"azp":"{}","email":"someone@example.com","email_verified":true,"at_hash":"HK6E_P6Dh8Y93mRNtsDB1Q","#,
        identity.audience
    );
    let payload = Issuer::payload(identity, &digest, TIME / 1000).replacen('{', &more, 1);
    op.login.token = match provider.key.algorithm() {
        Algorithm::Rs256 => RsaIssuer.sign(&RsaIssuer::header(&provider.kid), &payload),
        Algorithm::Es256 => es256().sign(&Issuer::header(&provider.kid), &payload),
    };
    Ok(op.into())
}
