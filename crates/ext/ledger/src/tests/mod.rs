#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod approvals;
mod broker;
mod codec;
mod events;
mod grid;
mod malicious;
mod options;
mod runs;
mod vectors;
mod vesting;
mod world;

/// Compares digest and input of the run of all that a simulator applied with `guests/fixtures/NAME.txt`, which
/// crates/ext/prover executes.
fn check_fixture(name: &str, sim: &crate::sim::Sim) {
    let run = sim.guest_run(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let digest = sim.replay(&run).unwrap().digest;
    check_words(&["guests/fixtures/", name].concat(), &[&digest, &run.input[..]].concat());
}

/// Compares words, one a line, with a file of the repository. `BLESS=1` writes it anew.
fn check_words(name: &str, words: &[u32]) {
    extern crate std;
    use alloc::string::{String, ToString};
    let text: String = words.iter().map(|w| w.to_string() + "\n").collect();
    let path = [concat!(env!("CARGO_MANIFEST_DIR"), "/../../../"), name, ".txt"].concat();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}
