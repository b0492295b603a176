//! The pinned keys against the circuits.

use crate::*;

/// A change of any constraint, height or parameter fails here; if it is meant, `tsz vk pin` writes the new keys.
#[test]
fn the_pinned_keys_are_those_of_the_circuits() {
    let (pins, registry) = (Pins::built_in().unwrap(), registry());
    pins.check(&registry.derive().unwrap()).unwrap_or_else(|e| panic!("{e}"));
    pins.check_guards(&registry.derive_guards().unwrap()).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn the_admitted_programs_are_the_committed_guests() {
    let programs: Vec<ProgramPin> = runs::guests().unwrap().iter().map(ProgramPin::from).collect();
    let pins = Pins::built_in().unwrap();
    pins.check_programs(&programs).unwrap_or_else(|e| panic!("{e}"));
    // each key of the guard counts for each program, and for nothing else
    let tree = pins.tree().unwrap();
    let listed = |pin: &Pin| tree.entries().iter().filter(|entry| entry.vk == pin.digest.0).count();
    assert!(!pins.guards().is_empty());
    assert!(pins.guards().iter().all(|pin| listed(pin) == programs.len()));
}

#[test]
fn every_pinned_key_is_proven_to_100_bits() {
    let pins = Pins::built_in().unwrap();
    assert!(!pins.vks().is_empty());
    for pin in pins.vks().iter().chain(pins.guards()).chain(pins.nodes()) {
        assert!(pin.proven_bits >= 100.0 && pin.conjectured_bits >= pin.proven_bits, "{pin:?}");
    }
}

/// A change of the recursion machine, of the verifier in the circuit or of the tree shows in every node key, so the
/// cheapest lift and join stand for all of them here; that each lift is one of the pinned base key is part of what
/// pins are. `tsz vk check --nodes` derives all.
#[test]
fn pinned_nodes_are_those_of_this_program() {
    let (pins, registry) = (Pins::built_in().unwrap(), registry());
    if pins.nodes().is_empty() {
        return;
    }
    let derive = |name| derive_node(&registry, tsz_stark::Profile::Node, tsz_tree::SHAPE_LOGS, name).unwrap();
    let derived = ["lift-transition/tiny", "join/15-15"].map(derive);
    pins.check_some_nodes(&derived).unwrap_or_else(|e| panic!("{e}"));
    let lifted = |circuit: &dyn registry::Keyed| {
        pins.nodes().iter().any(|node| node.name == format!("lift-{}", circuit.id()))
    };
    assert!(registry.circuits().all(lifted), "every circuit has a pinned lift");
    let guest_lifts = registry.guards().iter().flat_map(|guard| {
        let name = guard.id().to_string();
        crate::aggregate::RUN_SEGMENTS.map(|n| crate::aggregate::guest_lift_name(&name, n))
    });
    for name in guest_lifts {
        assert!(pins.nodes().iter().any(|node| node.name == name), "{name} is not pinned");
    }
}
