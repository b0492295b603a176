//! Cycles of a guest's runs, by risc0's executor alone: `cargo run --release --no-default-features --example runs ELF
//! FIXTURE..`. A fixture has the output's 8 words, then those of the input, one a line.

use std::path::Path;

use tsz_ext_prover::Guest;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let elf = args.next().ok_or_else(|| anyhow::anyhow!("which guest?"))?;
    let guest = Guest::from_elf(&std::fs::read(&elf)?)?;
    for fixture in args {
        let text = std::fs::read_to_string(&fixture)?;
        let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        let (output, input) = words.split_at_checked(8).ok_or_else(|| anyhow::anyhow!("no output"))?;
        let run = guest.execute(input, 20)?;
        anyhow::ensure!(run.output == *output, "{fixture}: the output is {:?}", run.output);
        let name =
            Path::new(&fixture).file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let (user, paging, segments) = (run.user_cycles, run.paging_cycles, run.po2);
        println!("{name}: {user} cycles, {paging} for memory, segments of 2^{segments:?}");
    }
    Ok(())
}
