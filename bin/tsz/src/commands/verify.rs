//! `tsz verify`.

use anyhow::{Context, Result};
use serde_json::json;
use tsz_aggregator::Expectation;
use tsz_engine::folder::Bits;
use tsz_engine::{Hex, Pins, Verified, registry, verify_dir};
use tsz_hash::Digest;
use tsz_stark::MIN_PROVEN_BITS;

use crate::cli::VerifyArgs;
use crate::output::{Output, seconds};

/// Verifies a folder of proofs.
pub fn run(args: &VerifyArgs, output: &Output) -> Result<()> {
    let expected = Expectation {
        first_root: root("--from-root", args.from_root.as_deref())?,
        last_root: root("--to-root", args.to_root.as_deref())?,
        ..Expectation::default()
    };
    let pins = Pins::built_in().context("the pins compiled into this program")?;
    let spinner = output.spinner("verifying");
    let verified = verify_dir(&args.dir, &registry(), &pins, Some(&expected));
    spinner.finish_and_clear();
    let verified = verified.with_context(|| format!("{} is refused", args.dir.display()))?;
    print(&verified, output);
    Ok(())
}

/// The root that an option gives.
pub fn root(option: &str, text: Option<&str>) -> Result<Option<Digest>> {
    let parse = |text: &str| text.parse::<Hex>().map(|hex| hex.0);
    text.map(parse).transpose().with_context(|| option.to_owned())
}

/// What the proofs are worth: the weakest of them.
pub fn security(bits: &Bits, runs: usize) -> String {
    let Bits { proven, conjectured } = bits;
    if runs == 0 {
        return format!("security: at least {proven:.1} proven bits ({conjectured:.1} conjectured)");
    }
    format!(
        "security: {conjectured:.0} conjectured bits, about {proven:.0} proven ones: that of the {runs} runs of programs, \
         by risc0's parameters; every other proof has at least {MIN_PROVEN_BITS} proven bits"
    )
}

/// Says what was verified.
pub fn print(verified: &Verified, output: &Output) {
    let Verified { headers, manifest, bits, runs, setup, check } = verified;
    for header in headers {
        let (batch, ops) = (header.context.batch, header.ops);
        output.line(format!(
            "batch {batch}: {ops} operations, root {} -> {}",
            Hex(header.s0),
            Hex(header.sn)
        ));
    }
    let proofs: usize = manifest.batches.iter().map(|b| b.proofs.len()).sum();
    output.line(format!(
        "verified: {} batches, {proofs} proofs, in {} (keys {})",
        headers.len(),
        seconds(check.wall_seconds),
        seconds(setup.wall_seconds)
    ));
    output.line(security(bits, *runs));
    output.object(&json!({
        "ok": true,
        "proven_bits": bits.proven,
        "conjectured_bits": bits.conjectured,
        "runs": runs,
        "first_root": manifest.first_root,
        "last_root": manifest.last_root,
        "vk_root": manifest.vk_root,
        "batches": manifest.batches,
        "proofs": proofs,
        "setup": setup,
        "check": check,
    }));
}
