//! A Merkle proof of the state tree as a guest, to count its cycles (docs/src/programs.md). Input: `[root (8), key (2),
//! leaf (8), siblings (40 * 8)]`; output: the root, if the proof holds.
#![no_std]
#![no_main]

use tsz_ext_sdk::{Key, Leaf, merkle, poseidon2};
use tsz_guest::raw::{fail, halt, read};

#[unsafe(no_mangle)]
extern "C" fn __guest_main() -> ! {
    let (mut root, mut key, mut leaf): (Leaf, [u32; 2], Leaf) = ([0; 8], [0; 2], [0; 8]);
    let mut siblings: [Leaf; merkle::DEPTH] = [[0; 8]; merkle::DEPTH];
    let whole = read(&mut root).and_then(|()| read(&mut key)).and_then(|()| read(&mut leaf));
    if whole.and_then(|()| read(siblings.as_flattened_mut())).is_err() {
        fail();
    }
    let [hi, lo] = key;
    if poseidon2::check(&root, Key { hi, lo }, &leaf, &siblings).is_err() {
        fail();
    }
    halt(&root)
}
