//! The list of guests that come with the system: `guests/elf/ids.txt`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use thiserror::Error;
use tsz_ext_sdk::{Leaf, P};
use tsz_ledger::AlgorithmId;

use crate::guest_algorithm;

/// The list that is compiled in.
const IDS: &str = include_str!("../../../../guests/elf/ids.txt");

const HEAD: &str = "\
# Roots of the memory images of the guests beside this file (eight canonical felts as hex words), which name the
# programs: algorithm id = hash(Algorithm, [2, 1, root]). Written by `tsz guest pin`; compared by `tsz guest check`, by
# the tests of crates/ext/ledger and, with risc0's own code, by those of crates/ext/prover.
";

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestPin {
    /// Name of the ELF file, without its end.
    pub name: String,
    /// Root of its memory image.
    pub root: Leaf,
}

/// A line that is no guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {0}: a name and a root of 64 hex digits, each word a canonical felt, in order of names")]
pub struct PinLineError(usize);

impl GuestPin {
    /// Algorithm id of its operations.
    pub fn algorithm(&self) -> AlgorithmId {
        guest_algorithm(&self.root)
    }
}

/// The guests that are compiled in.
///
/// # Errors
/// None occurs: a test reads the list.
pub fn pinned_guests() -> Result<Vec<GuestPin>, PinLineError> {
    parse_guests(IDS)
}

/// Reads a list: a line a guest, comments after `#`.
///
/// # Errors
/// [`PinLineError`] with the number of the line, from 1 on.
pub fn parse_guests(text: &str) -> Result<Vec<GuestPin>, PinLineError> {
    let mut guests: Vec<GuestPin> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let guest = parse(line).ok_or(PinLineError(number))?;
        if guests.last().is_some_and(|last| last.name >= guest.name) {
            return Err(PinLineError(number));
        }
        guests.push(guest);
    }
    Ok(guests)
}

fn parse(line: &str) -> Option<GuestPin> {
    let (name, root) = line.split_once(' ')?;
    if root.len() != 64 || name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let mut words = [0; 8];
    for (word, digits) in words.iter_mut().zip(root.as_bytes().chunks_exact(8)) {
        let digits =
            core::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *word = u32::from_str_radix(digits, 16).ok().filter(|w| *w < P)?;
    }
    Some(GuestPin { name: name.to_string(), root: words })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
}

/// The root as the list has it.
pub fn root_hex(root: &Leaf) -> String {
    root.iter().map(|word| format!("{word:08x}")).collect()
}

/// The text of a list, sorted by name.
pub fn list_guests(guests: &[GuestPin]) -> String {
    let mut guests: Vec<_> = guests.iter().collect();
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    let lines = guests.into_iter().map(|g| format!("{} {}\n", g.name, root_hex(&g.root)));
    [HEAD.to_string()].into_iter().chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_list_reads_and_writes_back() {
        let guests = pinned_guests().unwrap();
        assert_eq!(list_guests(&guests), IDS);
        let ids: alloc::collections::BTreeSet<_> = guests.iter().map(|g| g.root).collect();
        assert!(ids.len() == guests.len() && ids.len() >= 4);
    }

    #[test]
    fn bad_lines_are_refused() {
        let root = "1".repeat(64);
        assert_eq!(parse_guests(&format!("# x\n\na {root}\n")).unwrap()[0].root, [0x1111_1111; 8]);
        let bad = [
            "a",
            "a 11",
            &format!("A {root}"),
            &format!(" {root}"),
            &format!("a/b {root}"),
            &format!("a {root}1"),
            &format!("a +{}", &root[1..]),
            &format!("a {}", "78000001".repeat(8)),
            &format!("b {root}\na {root}"),
            &format!("a {root}\na {root}"),
        ];
        for text in bad {
            assert!(parse_guests(text).is_err(), "{text}");
        }
        assert_eq!(parse_guests(&format!("a {root}\n!")), Err(PinLineError(2)));
    }
}
