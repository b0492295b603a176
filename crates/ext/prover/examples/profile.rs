//! Where a guest spends its cycles on its fixture: `cargo run --release --no-default-features --example profile [GUEST
//! [ELF]]` prints the instructions run most often, as ranges of addresses that are run equally often, to be read beside
//! a disassembly. Needs no C++.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use risc0_binfmt::{MemoryImage, Program};
use risc0_circuit_rv32im::execute::{CycleLimit, Executor};
use risc0_circuit_rv32im::trace::{TraceCallback, TraceEvent};

#[derive(Default)]
struct Counts(BTreeMap<u32, u64>);

impl TraceCallback for Counts {
    fn trace_callback(&mut self, event: TraceEvent) -> anyhow::Result<()> {
        if let TraceEvent::InstructionStart { pc, .. } = event {
            *self.0.entry(pc).or_default() += 1;
        }
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests");
    let name = std::env::args().nth(1).unwrap_or_else(|| "grid".into());
    let elf = std::env::args().nth(2).unwrap_or_else(|| format!("{folder}/elf/{name}.elf"));
    let image = MemoryImage::new_kernel(Program::load_elf(&std::fs::read(elf)?, u32::MAX)?);
    let text = std::fs::read_to_string(format!("{folder}/fixtures/{name}.txt"))?;
    let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let counts = Rc::new(RefCell::new(Counts::default()));
    let feed = tsz_ext_prover::Feed::new(&words[8..]);
    Executor::new(image, &feed, None, vec![counts.clone()], None)
        .run(18, 4_000, CycleLimit::None, |_| Ok(()))?;
    let mut ranges: Vec<(u32, u32, u64)> = Vec::new();
    for (pc, count) in &counts.borrow().0 {
        match ranges.last_mut() {
            Some((_, end, last)) if *end == *pc && last == count => *end += 4,
            _ => ranges.push((*pc, pc + 4, *count)),
        }
    }
    ranges.sort_by_key(|(start, end, count)| std::cmp::Reverse(u64::from((end - start) / 4) * count));
    for (start, end, count) in &ranges {
        println!("{start:#x}..{end:#x}: {} instructions, {count} times", (end - start) / 4);
    }
    Ok(())
}
