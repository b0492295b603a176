//! Writes the seals of a run of the committed grid guest on the fixture, one file a segment:
//! `cargo run --release --example seal -- FOLDER PO2 [TIMES [INPUT]]`, the operations of the input TIMES times. An input
//! is output and words for the guest, one a line (`guests/fixtures/grid.txt`). A file is the seal's words, little-endian.

use anyhow::Context;
use tsz_ext_prover::{Guest, verify};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().context("which folder?")?;
    let po2 = arguments.next().context("which size of segments?")?.parse()?;
    let times: u32 = arguments.next().map_or(Ok(1), |n| n.parse())?;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests");
    let guest = Guest::from_elf(&std::fs::read(format!("{folder}/elf/grid.elf"))?)?;
    let input = arguments.next().unwrap_or_else(|| format!("{folder}/fixtures/grid.txt"));
    let text = std::fs::read_to_string(input)?;
    let words = text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let (count, (start, ops)) = (words[8], words[9..].split_at(8));
    let input = [&[count * times], start, &ops.repeat(times as usize)].concat();
    let execution = guest.execute(&input, po2)?;
    println!("image {:?}\noutput {:?}\nsegments {:?}", guest.root(), execution.output, execution.po2);
    let proof = execution.prove()?;
    verify(&guest.root(), &execution.output, &proof)?;
    for (k, seal) in proof.seals.iter().enumerate() {
        let bytes: Vec<u8> = seal.iter().flat_map(|w| w.to_le_bytes()).collect();
        let name = format!("{out}/grid-{}-{k}.seal", execution.po2[k]);
        std::fs::write(&name, &bytes)?;
        println!("{name}: {} bytes", bytes.len());
    }
    Ok(())
}
