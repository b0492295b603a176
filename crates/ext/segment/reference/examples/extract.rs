//! Extracts the circuit's data from the sources of risc0-circuit-rv32im 4.0.5:
//! `cargo run --example extract -- FOLDER_OF_THE_CRATE OUT`. The steps are private in the crate, so they are read
//! from the source text; the tap set is public. The format is told in `tsz_segment::circuit`.

use anyhow::{Context, bail, ensure};
use risc0_circuit_rv32im::CircuitImpl;
use risc0_zkp::adapter::TapsProvider;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (folder, out) =
        (arguments.next().context("which folder?")?, arguments.next().context("which file?")?);
    let source = std::fs::read_to_string(format!("{folder}/src/zirgen/poly_ext.rs"))?;
    let mut bytes = Vec::new();
    registers(&mut bytes)?;
    steps(&source, &mut bytes)?;
    tsz_segment::circuit::Circuit::decode(&bytes).context("what was written cannot be read")?;
    std::fs::write(&out, &bytes)?;
    println!("{out}: {} bytes", bytes.len());
    Ok(())
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn registers(bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    let taps = CircuitImpl.get_taps();
    for group in 0..taps.num_groups() {
        put(bytes, taps.group_size(group) as u64);
        let registers: Vec<_> = taps.group_regs(group).collect();
        ensure!(registers.len() == taps.group_size(group), "group {group} has gaps");
        for (offset, register) in registers.iter().enumerate() {
            ensure!(register.offset() == offset, "group {group} has gaps");
            put(bytes, register.size() as u64);
            (0..register.size()).for_each(|k| put(bytes, register.back(k) as u64));
        }
    }
    Ok(())
}

/// Lines `PolyExtStep::NAME(operands), // ..` up to `],`, then `ret: N`.
fn steps(source: &str, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    let block = source.split_once("block: &[").context("no steps")?.1;
    let (block, rest) = block.split_once("\n],").context("no end of the steps")?;
    let lines: Vec<&str> = block.lines().collect();
    put(bytes, lines.len() as u64);
    let (mut values, mut chains) = (0u64, 0u64);
    for line in lines {
        let step = line.strip_prefix("PolyExtStep::").with_context(|| format!("not a step: {line}"))?;
        let step = step.split_once(", //").context("no end of a step")?.0;
        let (name, operands) = step.split_once('(').unwrap_or((step, ")"));
        let operands = operands.strip_suffix(')').context("no end of the operands")?;
        let operands = operands.split(',').map(str::trim).filter(|x| !x.is_empty()).map(str::parse);
        let x = operands.collect::<Result<Vec<u64>, _>>()?;
        let number = match (name, x.len()) {
            ("Const", 1) => 0,
            ("ConstExt", 4) => 1,
            ("Get", 1) => 2,
            ("GetGlobal", 2) => 3 + x[0],
            ("Add", 2) => 5,
            ("Sub", 2) => 6,
            ("Mul", 2) => 7,
            ("True", 0) => 8,
            ("AndEqz", 2) => 9,
            ("AndCond", 3) => 10,
            _ => bail!("unknown step {line}"),
        };
        ensure!(name != "GetGlobal" || x[0] < 2, "unknown argument {line}");
        put(bytes, number);
        match number {
            0..=2 => x.iter().for_each(|x| put(bytes, *x)),
            3 | 4 => put(bytes, x[1]),
            5..=7 => x.iter().for_each(|x| put(bytes, values - x)),
            9 => [chains - x[0], values - x[1]].into_iter().for_each(|x| put(bytes, x)),
            10 => [chains - x[0], values - x[1], chains - x[2]].into_iter().for_each(|x| put(bytes, x)),
            _ => {}
        }
        if number < 8 { values += 1 } else { chains += 1 }
    }
    let result = rest.trim_start().strip_prefix("ret: ").context("no result")?;
    put(bytes, result.split_once(',').context("no end of the result")?.0.parse()?);
    Ok(())
}
