//! The root of a guest's memory image, from its ELF file: the name of a program, without risc0.
//!
//! The machine's memory is 2^22 pages of 256 words under a binary Merkle tree of Poseidon2 of width 24. A page is
//! absorbed in blocks of 8 words, each as two felts of 16 bits, low first; a node is the permutation of (right, left,
//! 0). Digests are the first eight felts. A guest that is its own kernel starts at its entry point, which the image
//! has at [`START`], in machine mode.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use thiserror::Error;
use tsz_ext_sdk::Leaf;
use tsz_hash::{F, PrimeCharacteristicRing, PrimeField32};

use crate::poseidon24::{WIDTH, permute};

/// Words of a page.
const PAGE: usize = 256;
/// Levels above the pages.
const LEVELS: usize = 22;
/// Where the image has the entry point; the word after it is the mode, 1 for machine mode.
const START: u32 = 0xffff_0210;
/// Bytes of memory that all segments of a guest may take.
const MAX_MEMORY: u32 = 1 << 24;

/// Bytes that are no guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a guest: {0}")]
pub struct ImageError(&'static str);

/// Root of the memory image of a guest, eight canonical felts.
///
/// # Errors
/// [`ImageError`] for what is no ELF file for the machine.
pub fn image_root(elf: &[u8]) -> Result<Leaf, ImageError> {
    let mut pages = Pages::default();
    let entry = load(elf, &mut pages)?;
    pages.set(START, entry);
    pages.set(START + 4, 1);
    Ok(pages.root())
}

#[derive(Default)]
struct Pages(BTreeMap<u32, [u32; PAGE]>);

impl Pages {
    fn set(&mut self, address: u32, word: u32) {
        let word_number = address / 4;
        let page = self.0.entry(word_number / PAGE as u32).or_insert([0; PAGE]);
        page[word_number as usize % PAGE] = word;
    }

    fn root(&self) -> Leaf {
        let mut zero = page_digest(&[0; PAGE]);
        let mut nodes: Vec<(u32, Leaf)> = self.0.iter().map(|(n, page)| (*n, page_digest(page))).collect();
        for _ in 0..LEVELS {
            let mut above: Vec<(u32, Leaf)> = Vec::with_capacity(nodes.len());
            let mut rest = nodes.as_slice();
            while let [(number, node), tail @ ..] = rest {
                let sibling = tail.first().filter(|(n, _)| number % 2 == 0 && *n == number + 1);
                let digest = match sibling {
                    Some((_, right)) => pair(node, right),
                    None if number % 2 == 0 => pair(node, &zero),
                    None => pair(&zero, node),
                };
                above.push((number / 2, digest));
                rest = &tail[usize::from(sibling.is_some())..];
            }
            nodes = above;
            zero = pair(&zero, &zero);
        }
        nodes.first().map_or(zero, |(_, root)| *root)
    }
}

fn first_eight(state: &[F; WIDTH]) -> Leaf {
    core::array::from_fn(|k| state[k].as_canonical_u32())
}

fn page_digest(page: &[u32; PAGE]) -> Leaf {
    let mut state = [F::ZERO; WIDTH];
    for words in page.chunks_exact(8) {
        for (felts, word) in state.chunks_exact_mut(2).zip(words) {
            felts.copy_from_slice(&[F::from_u32(word & 0xffff), F::from_u32(word >> 16)]);
        }
        permute(&mut state);
    }
    first_eight(&state)
}

fn pair(left: &Leaf, right: &Leaf) -> Leaf {
    let mut state = [F::ZERO; WIDTH];
    for (felt, word) in state.iter_mut().zip(right.iter().chain(left)) {
        *felt = F::from_u32(*word);
    }
    permute(&mut state);
    first_eight(&state)
}

/// Puts the segments of an ELF file into memory; gives the entry point.
fn load(elf: &[u8], pages: &mut Pages) -> Result<u32, ImageError> {
    let cut = ImageError("the file is cut off");
    let half = |at: usize| elf.get(at..)?.first_chunk().map(|b| u32::from(u16::from_le_bytes(*b)));
    let word = |at: usize| elf.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b));
    // 32 bits, little endian, version 1
    if elf.get(..7) != Some(b"\x7fELF\x01\x01\x01") {
        return Err(ImageError("no ELF file of 32 bits"));
    }
    if half(16) != Some(2) || half(18) != Some(243) || half(42) != Some(32) {
        return Err(ImageError("no executable for RISC-V"));
    }
    let (entry, table, count) = (word(24).ok_or(cut)?, word(28).ok_or(cut)?, half(44).ok_or(cut)?);
    if entry % 4 != 0 || count > 256 {
        return Err(ImageError("a bad entry point, or too many segments"));
    }
    let mut memory = 0u32;
    for number in 0..count {
        let header = (table as usize).checked_add(32 * number as usize).ok_or(cut)?;
        let field = |at: usize| word(header.checked_add(at)?);
        if field(0).ok_or(cut)? != 1 {
            continue; // not loaded
        }
        let [offset, address] = [field(4).ok_or(cut)?, field(8).ok_or(cut)?];
        let [in_file, in_memory] = [field(16).ok_or(cut)?, field(20).ok_or(cut)?];
        memory = memory.saturating_add(in_memory);
        let fits = address.checked_add(in_memory).is_some_and(|end| end <= START) && memory <= MAX_MEMORY;
        if address % 4 != 0 || !fits {
            return Err(ImageError("a segment outside of memory"));
        }
        let bytes = elf.get(offset as usize..).ok_or(cut)?;
        let bytes = bytes.get(..in_file.min(in_memory) as usize).ok_or(cut)?;
        for at in (0..in_memory).step_by(4) {
            let mut word = [0; 4];
            let rest = bytes.get(at as usize..).unwrap_or_default();
            let len = rest.len().min(4);
            word[..len].copy_from_slice(&rest[..len]);
            pages.set(address + at, u32::from_le_bytes(word));
        }
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const GRID: &[u8] = include_bytes!("../../../../guests/elf/grid.elf");

    /// `crates/ext/prover` compares the same files by risc0's own code.
    #[test]
    fn committed_guests_have_the_roots_of_the_list() {
        extern crate std;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../guests/elf");
        let pins = crate::pinned_guests().unwrap();
        for pin in &pins {
            let elf = std::fs::read(format!("{folder}/{}.elf", pin.name)).unwrap();
            assert_eq!(
                image_root(&elf).map(|r| crate::root_hex(&r)),
                Ok(crate::root_hex(&pin.root)),
                "{}",
                pin.name
            );
        }
        let files = std::fs::read_dir(folder).unwrap().flatten();
        assert_eq!(files.filter(|f| f.path().extension().is_some_and(|e| e == "elf")).count(), pins.len());
    }

    #[test]
    fn every_byte_of_the_image_counts_and_none_panics() {
        let root = image_root(GRID).unwrap();
        let size = u32::from_le_bytes(GRID[68..72].try_into().unwrap()) as usize;
        for at in (0..GRID.len()).step_by(97) {
            let mut other = GRID.to_vec();
            other[at] ^= 1;
            // the program, from its offset on; what follows are names of sections
            if (0x94..0x94 + size).contains(&at) {
                assert_ne!(image_root(&other), Ok(root), "{at}");
            }
            let _ = image_root(&GRID[..at]);
        }
        for at in 0..0x94 {
            let mut other = GRID.to_vec();
            other[at] = 0xff;
            let _ = image_root(&other);
        }
    }
}
