//! `tsz bench signatures`: keys, signing and verification on one core, and signatures in a proof.

use anyhow::{Context, Result};
use tsz_chips::schnorr::SignedMessage;
use tsz_engine::measure::{Cost, Stopwatch};
use tsz_sig::{SecretKey, Signature};
use tsz_smt::bench::Mix;
use tsz_stark::setup;

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::commands::bench::signature_circuit::{circuit, log_height, traces};
use crate::measure::timed;
use crate::output::Output;

/// Native cost of a signature.
struct Native {
    keygen: Cost,
    sign: Cost,
    verify: Cost,
}

/// Signs, verifies, and proves the signatures.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let count = args.ops.unwrap_or(1024) as usize;
    let spinner = output.spinner("signing and verifying");
    let (native, signed) = native(count, args.seed)?;

    spinner.set_message("proving");
    let log = log_height(count);
    let (key, setup) = timed(|| setup(circuit(log)));
    let key = key?;
    let watch = Stopwatch::start();
    let (traces, trace) = timed(|| traces(&signed, log));
    let (traces, publics) = (traces?, vec![Vec::new(); key.vk().tables().len()]);
    let (proof, prove) = timed(|| tsz_stark::prove(&key, &traces, &publics));
    let proof = proof?.to_bytes()?;
    let mut report = Report::new("signatures", count as u64, watch.cost());
    drop(traces);
    let (valid, verify) = timed(|| tsz_stark::verify(key.vk(), &proof, &publics));
    valid.context("an honest proof is refused")?;
    spinner.finish_and_clear();

    let micros = |cost: Cost| cost.wall_seconds * 1e6 / count as f64;
    report.figure("keygen_microseconds", micros(native.keygen));
    report.figure("sign_microseconds", micros(native.sign));
    report.figure("verify_microseconds", micros(native.verify));
    report.figure("proven_cpu_microseconds", report.cpu_seconds * 1e6 / count as f64);
    report.stage("setup", setup);
    report.stage("trace", trace);
    report.stage("prove", prove);
    report.stage("verify", verify);
    report.proof("signatures", key.vk(), &proof);
    Ok(report)
}

/// Signs and verifies on one core.
fn native(count: usize, seed: u64) -> Result<(Native, Vec<SignedMessage>)> {
    let mut mix = Mix(seed);
    let messages: Vec<_> = (0..count).map(|_| mix.digest()).collect();
    let seeds: Vec<[u8; 8]> = (0..count).map(|_| mix.next().to_le_bytes()).collect();
    let (keys, keygen) = timed(|| seeds.iter().map(|seed| SecretKey::from_seed(seed)).collect::<Vec<_>>());
    let (signatures, sign) = timed(|| {
        let pairs = keys.iter().zip(&messages);
        pairs.map(|(key, message)| key.sign(message)).collect::<Vec<Signature>>()
    });
    let (valid, verify) = timed(|| {
        let mut all = keys.iter().zip(&messages).zip(&signatures);
        all.try_for_each(|((key, message), signature)| key.public_key().verify(message, signature))
    });
    valid.context("an honest signature is refused")?;
    let all = keys.iter().zip(messages).zip(signatures);
    let signed = all.map(|((key, message), signature)| SignedMessage {
        key: key.public_key(),
        message,
        signature,
        uses: 1,
    });
    Ok((Native { keygen, sign, verify }, signed.collect()))
}
