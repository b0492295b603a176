//! Cycles of each operation of the fixtures and of an empty run, and how many fit a segment, by risc0's executor alone:
//! `cargo run --release --no-default-features --example cycles [GUEST..]`. Needs no C++.

use tsz_ext_prover::Guest;

/// Words of a run before its operations: count and capacity.
const HEAD: usize = 9;

fn main() -> anyhow::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests");
    let named: Vec<String> = std::env::args().skip(1).collect();
    let all = ["vesting", "grid", "options", "broker", "block"].map(String::from);
    for name in if named.is_empty() { &all[..] } else { &named } {
        let guest = Guest::from_elf(&std::fs::read(format!("{folder}/elf/{name}.elf"))?)?;
        let root: String = guest.root().iter().map(|w| format!("{w:08x}")).collect();
        println!("{name} {root}");
        let text = std::fs::read_to_string(format!("{folder}/fixtures/{name}.txt"))?;
        let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        let (digest, input) = words.split_at(8);
        let cycles = |count: u32, end: usize| -> anyhow::Result<(u64, u64, [u32; 8])> {
            let run = guest.execute(&[&[count], &input[1..end]].concat(), 20)?;
            Ok((run.user_cycles, run.paging_cycles, run.output))
        };
        let (mut before, paging, _) = cycles(0, HEAD)?;
        println!("  empty run: {before} cycles, {paging} for memory");
        let mut at = HEAD;
        for number in 0..input[0] {
            let [accesses, writes, parties, args] = [0, 1, 2, 3].map(|k| input[at + k]);
            at += (4 + 10 * accesses + args) as usize;
            let (user, paging, output) = cycles(number + 1, at)?;
            println!(
                "  operation {number}: {parties} parties, {accesses} accesses, {writes} writes, {args} arguments: {} cycles ({paging} for memory so far)",
                user - before
            );
            before = user;
            let known = number + 1 < input[0] || output == *digest;
            anyhow::ensure!(known, "{name}: another digest than the ledger's");
        }
        // the guest does not ask whether one operation follows from the other: the transition proof does
        for po2 in [15, 16, 18] {
            let mut times = 0;
            let repeated = |times: u32| {
                let ops = input[HEAD..].repeat(times as usize);
                [&[times * input[0]], &input[1..HEAD], &ops].concat()
            };
            while guest.execute(&repeated(times + 1), 20)?.po2[0] <= po2 {
                times += 1;
            }
            println!("  2^{po2}: {} operations fit a segment", times * input[0]);
        }
    }
    Ok(())
}
