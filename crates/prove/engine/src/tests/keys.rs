//! The pinned keys against the circuits.

use crate::*;

/// A change of any constraint, height or parameter fails here; if it is meant, `tsz vk pin` writes the new keys.
#[test]
fn the_pinned_keys_are_those_of_the_circuits() {
    Pins::built_in().unwrap().check(&registry().derive().unwrap()).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn every_pinned_key_is_proven_to_100_bits() {
    let pins = Pins::built_in().unwrap();
    assert!(!pins.vks().is_empty());
    for pin in pins.vks() {
        assert!(pin.proven_bits >= 100.0 && pin.conjectured_bits >= pin.proven_bits, "{pin:?}");
    }
}
