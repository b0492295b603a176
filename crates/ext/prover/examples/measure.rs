//! Times of proving full segments of the committed guests: `cargo run --release --example measure -- [GUEST..] [SIZE..]`,
//! for example `grid options 15 16`; all guests if none is named. The operations of a fixture are repeated until they
//! fill the segment: a guest does not ask whether one follows from the other, the transition proof does. Where the
//! segment is too small for the fixture, only its first operations run, or none.

use std::time::Instant;

use anyhow::Context;
use tsz_ext_prover::{Execution, Guest, verify};

/// Words of a run before its operations: count and capacity.
const HEAD: usize = 9;

fn main() -> anyhow::Result<()> {
    let (sizes, mut names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.parse::<u32>().is_ok());
    if names.is_empty() {
        names = ["vesting", "grid", "options", "broker", "block"].map(String::from).to_vec();
    }
    println!(
        "guest, segment, operations, cycles, wall s, CPU s, operations a minute, MB, bytes of seal, verified ms"
    );
    for name in &names {
        for size in &sizes {
            prove(name, size.parse()?)?;
        }
    }
    Ok(())
}

/// The run of the fixture's operations, as often as 2^po2 cycles hold all of them; of its first ones where they do not.
fn fill(guest: &Guest, input: &[u32], po2: u32) -> anyhow::Result<(u32, Execution)> {
    let (head, all) = input.split_at_checked(HEAD).context("no run")?;
    // an operation: counts of accesses, writes, parties, arguments, then 10 words an access and the arguments
    let mut starts = vec![0];
    while let Some([accesses, _, _, args, ..]) = all.get(starts[starts.len() - 1]..) {
        starts.push(starts[starts.len() - 1] + (4 + 10 * accesses + args) as usize);
    }
    let firsts = (0..head[0]).zip(&starts).map(|(count, end)| (count, all[..*end].to_vec()));
    let repeated = (1..).map(|times| (times * head[0], all.repeat(times as usize)));
    let mut last = None;
    for (count, ops) in firsts.chain(repeated) {
        let execution = guest.execute(&[&[count], &head[1..], &ops].concat(), 20)?;
        if execution.po2[0] > po2 {
            break;
        }
        last = Some((count, execution));
    }
    last.with_context(|| format!("not even an empty run has 2^{po2} cycles"))
}

/// Fills one segment of the size and proves it.
fn prove(name: &str, po2: u32) -> anyhow::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests");
    let guest = Guest::from_elf(&std::fs::read(format!("{folder}/elf/{name}.elf"))?)?;
    let text = std::fs::read_to_string(format!("{folder}/fixtures/{name}.txt"))?;
    let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let (count, execution) = fill(&guest, words.get(8..).unwrap_or_default(), po2)?;
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    let proof = execution.prove()?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let now = Instant::now();
    verify(&guest.root(), &execution.output, &proof)?;
    let checked = now.elapsed().as_millis();
    println!(
        "{name}, 2^{:?}, {count}, {}, {wall:.1}, {cpu:.1}, {:.1}, {}, {}, {checked}",
        execution.po2,
        execution.user_cycles + execution.paging_cycles,
        f64::from(count) * 60.0 / wall,
        peak_mb()?,
        4 * proof.seals.iter().map(Vec::len).sum::<usize>(),
    );
    Ok(())
}

/// CPU time of the process so far, of all its threads.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat.rsplit_once(')').ok_or_else(|| anyhow::anyhow!("/proc/self/stat"))?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<Result<u64, _>>()? as f64 / 100.0)
}

/// Most memory that the process has had.
fn peak_mb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0");
    Ok(kb.parse::<u64>()? / 1_000)
}
