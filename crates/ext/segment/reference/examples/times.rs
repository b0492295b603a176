//! Time and memory of verifying seals, by our verifier and by risc0's:
//! `cargo run --release --example times -- FILE..`. A file is a seal (`.seal`) or a run that was kept (`.run`). Memory is
//! what a first verification adds to the process at most, so it is told for the first file alone.

use std::time::Instant;

use anyhow::{Context, ensure};

/// Verifications of each seal.
const ROUNDS: u32 = 50;
/// Bytes of a kept run before the size and the length of its first seal.
const HEAD: usize = 4 + 4 + 2 * 32 + 4 * 8 + 4;

fn main() -> anyhow::Result<()> {
    println!("file, 2^po2, bytes, ours: wall ms, CPU ms, kB; risc0's: wall ms, CPU ms");
    let files: Vec<String> = std::env::args().skip(1).collect();
    ensure!(!files.is_empty(), "which files?");
    for (k, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).with_context(|| file.clone())?;
        for seal in seals(file, &bytes)? {
            times(file, &seal, k == 0)?;
        }
    }
    Ok(())
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

/// The seals of a file.
fn seals(file: &str, bytes: &[u8]) -> anyhow::Result<Vec<Vec<u32>>> {
    if !file.ends_with(".run") {
        return Ok(vec![words(bytes)]);
    }
    let mut rest = bytes.get(HEAD..).map(words).context("it ends early")?;
    let mut seals = Vec::new();
    while let [_, len, ..] = rest[..] {
        let seal = rest.get(2..2 + len as usize).context("it ends early")?.to_vec();
        rest.drain(..2 + seal.len());
        seals.push(seal);
    }
    Ok(seals)
}

fn times(file: &str, seal: &[u32], first: bool) -> anyhow::Result<()> {
    // the circuit is decoded once in the life of a process
    let before = status("VmRSS:")?;
    let claim = tsz_segment::verify(seal)?;
    let grown = if first { (status("VmHWM:")? - before).to_string() } else { String::new() };
    let ours = repeat(|| tsz_segment::verify(seal).is_ok())?;
    let theirs = repeat(|| risc0_circuit_rv32im::verify(seal).is_ok())?;
    let [wall, cpu] = ours;
    let (bytes, [their_wall, their_cpu]) = (4 * seal.len(), theirs);
    println!(
        "{file}, 2^{}, {bytes}, {wall:.2}, {cpu:.2}, {grown}; {their_wall:.2}, {their_cpu:.2}",
        claim.po2
    );
    Ok(())
}

/// Milliseconds of one, by the clock and of all threads.
fn repeat(verify: impl Fn() -> bool) -> anyhow::Result<[f64; 2]> {
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    for _ in 0..ROUNDS {
        ensure!(verify(), "refused");
    }
    let each = |seconds: f64| 1e3 * seconds / f64::from(ROUNDS);
    Ok([each(start.elapsed().as_secs_f64()), each(cpu_seconds()? - cpu)])
}

/// CPU time of the process so far, of all its threads.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<Result<u64, _>>()? as f64 / 100.0)
}

/// Kilobytes of a line of the process's status.
fn status(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    Ok(line.split_whitespace().next().context("no number")?.parse()?)
}
