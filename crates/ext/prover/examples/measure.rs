//! Cycles of the committed grid guest for 1, 3, .. operations, and time of proving them at segment sizes given as
//! arguments: `cargo run --release --example measure -- 15 16`. The operations of the fixture are repeated: the guest
//! does not ask whether one follows from the other, the transition proof does.

use std::time::Instant;

use tsz_ext_prover::{Guest, verify};

fn main() -> anyhow::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests");
    let guest = Guest::from_elf(&std::fs::read(format!("{folder}/elf/grid.elf"))?)?;
    let root: String = guest.root().iter().map(|w| format!("{w:08x}")).collect();
    println!("grid {root}");
    let text = std::fs::read_to_string(format!("{folder}/fixtures/grid.txt"))?;
    let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let (start, ops) = words[9..].split_at(8);
    let repeated = |times: u32| [&[3 * times], start, &ops.repeat(times as usize)].concat();
    println!("operations, user cycles, paging cycles");
    println!("0, {}", cycles(&guest, &[&[0], start].concat())?);
    for times in [1, 2, 10, 30] {
        println!("{}, {}", 3 * times, cycles(&guest, &repeated(times))?);
    }
    for po2 in std::env::args().skip(1) {
        prove(&guest, &repeated(1), po2.parse()?)?;
    }
    Ok(())
}

fn cycles(guest: &Guest, input: &[u32]) -> anyhow::Result<String> {
    let execution = guest.execute(input, 18)?;
    Ok(format!("{}, {}, segments of 2^{:?}", execution.user_cycles, execution.paging_cycles, execution.po2))
}

/// Fills one segment of the size and proves it.
fn prove(guest: &Guest, three: &[u32], po2: u32) -> anyhow::Result<()> {
    let ops = &three[9..];
    let repeated = |times: u32| [&[3 * times], &three[1..9], &ops.repeat(times as usize)].concat();
    let mut times = 1;
    // 2^po2 in one segment
    while guest.execute(&repeated(times + 1), 20)?.po2[0] <= po2 {
        times += 1;
    }
    let start = Instant::now();
    let execution = guest.execute(&repeated(times), 20)?;
    let executed = start.elapsed();
    let proof = execution.prove()?;
    let proven = start.elapsed() - executed;
    let now = Instant::now();
    verify(&guest.root(), &execution.output, &proof)?;
    println!(
        "2^{:?}: {} operations, executed in {executed:?}, proven in {proven:?}, {} bytes, verified in {:?}",
        execution.po2,
        3 * times,
        4 * proof.seals.iter().map(Vec::len).sum::<usize>(),
        now.elapsed()
    );
    Ok(())
}
