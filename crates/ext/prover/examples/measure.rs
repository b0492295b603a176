//! Times of proving full segments of the committed guests: `cargo run --release --example measure -- [GUEST..] [SIZE..]`,
//! for example `grid options 15 16`; all guests if none is named. The operations of a fixture are repeated until they
//! fill the segment: a guest does not ask whether one follows from the other, the transition proof does.

use std::time::Instant;

use tsz_ext_prover::{Guest, verify};

/// Words of a run before its operations: count and capacity.
const HEAD: usize = 9;

fn main() -> anyhow::Result<()> {
    let (sizes, mut names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|arg| arg.parse::<u32>().is_ok());
    if names.is_empty() {
        names = ["vesting", "grid", "options", "broker"].map(String::from).to_vec();
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

/// Fills one segment of the size and proves it.
fn prove(name: &str, po2: u32) -> anyhow::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests");
    let guest = Guest::from_elf(&std::fs::read(format!("{folder}/elf/{name}.elf"))?)?;
    let text = std::fs::read_to_string(format!("{folder}/fixtures/{name}.txt"))?;
    let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let input = words.get(8..).unwrap_or_default();
    let (head, ops) = input.split_at_checked(HEAD).ok_or_else(|| anyhow::anyhow!("{name}: no run"))?;
    let repeated = |times: u32| [&[times * head[0]], &head[1..], &ops.repeat(times as usize)].concat();
    let mut times = 1;
    // 2^po2 in one segment
    while guest.execute(&repeated(times + 1), 20)?.po2[0] <= po2 {
        times += 1;
    }
    let execution = guest.execute(&repeated(times), 20)?;
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    let proof = execution.prove()?;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let now = Instant::now();
    verify(&guest.root(), &execution.output, &proof)?;
    let (count, checked) = (times * head[0], now.elapsed().as_millis());
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
