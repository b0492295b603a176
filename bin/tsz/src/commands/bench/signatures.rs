//! `tsz bench signatures`: keys, signing and verification on one core.

use anyhow::{Context, Result};
use tsz_engine::measure::Cost;
use tsz_sig::{SecretKey, Signature};
use tsz_smt::bench::Mix;

use crate::cli::BenchArgs;
use crate::commands::bench::Report;
use crate::measure::timed;
use crate::output::Output;

/// Signs and verifies on one core.
pub fn run(args: &BenchArgs, output: &Output) -> Result<Report> {
    let count = args.ops.unwrap_or(1024) as usize;
    let spinner = output.spinner("signing and verifying");
    let mut mix = Mix(args.seed);
    let messages: Vec<_> = (0..count).map(|_| mix.digest()).collect();
    let seeds: Vec<[u8; 8]> = (0..count).map(|_| mix.next().to_le_bytes()).collect();
    let (keys, keygen) = timed(|| seeds.iter().map(|seed| SecretKey::from_seed(seed)).collect::<Vec<_>>());
    let (signatures, sign) = timed(|| {
        keys.iter().zip(&messages).map(|(key, message)| key.sign(message)).collect::<Vec<Signature>>()
    });
    let (valid, verify) = timed(|| {
        let mut all = keys.iter().zip(&messages).zip(&signatures);
        all.try_for_each(|((key, message), signature)| key.public_key().verify(message, signature))
    });
    valid.context("an honest signature is refused")?;
    spinner.finish_and_clear();

    let mut report = Report::new("signatures", count as u64, verify);
    let micros = |cost: Cost| cost.wall_seconds * 1e6 / count as f64;
    report.figure("keygen_microseconds", micros(keygen));
    report.figure("sign_microseconds", micros(sign));
    report.figure("verify_microseconds", micros(verify));
    Ok(report)
}
