//! Every committed guest on the run that the ledger's tests make of its program. Needs no prover:
//! `cargo test --release --no-default-features`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use tsz_ext_prover::{Guest, GuestError, Words};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../guests").join(name)
}

/// Name and root of each guest in the list.
fn list() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path("elf/ids.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').map(|(n, r)| (n.to_owned(), r.to_owned())).unwrap()).collect()
}

fn guest(name: &str) -> Guest {
    Guest::from_elf(&std::fs::read(path(&format!("elf/{name}.elf"))).unwrap()).unwrap()
}

/// Digest and input of the run of a guest's fixture.
fn run(name: &str) -> (Words, Vec<u32>) {
    let text = std::fs::read_to_string(path(&format!("fixtures/{name}.txt"))).unwrap();
    let words: Vec<u32> = text.lines().map(|w| w.parse().unwrap()).collect();
    (words[..8].try_into().unwrap(), words[8..].to_vec())
}

#[test]
fn image_roots_are_pinned() {
    for (name, pinned) in list() {
        let root: String = guest(&name).root().iter().map(|w| format!("{w:08x}")).collect();
        assert_eq!(root, pinned, "{name}");
    }
}

#[test]
fn guests_compute_what_the_ledger_did() {
    let list = list();
    assert!(list.len() >= 4);
    for (name, _) in list {
        let (digest, input) = run(&name);
        assert_eq!(guest(&name).execute(&input, 18).unwrap().output, digest, "{name}");
        // a short answer, a count too many, a felt beyond the field, an argument too many: no output
        for change in [
            |w: &mut Vec<u32>| w.truncate(w.len() - 1),
            |w: &mut Vec<u32>| w[9] = 200,
            |w: &mut Vec<u32>| w[1] = 0x7800_0001,
            |w: &mut Vec<u32>| w[12] += 1,
        ] {
            let mut lied = input.clone();
            change(&mut lied);
            assert!(matches!(guest(&name).execute(&lied, 18), Err(GuestError::Run(_))), "{name}");
        }
    }
}
