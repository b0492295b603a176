//! The claim is what the native functions say, for random batches.

use tsz_ledger::TransitionSet;
use tsz_ledger::tuple::blocks;

use super::fixture::*;
use crate::class::Class;

#[test]
fn claims_agree_with_the_native_tree_and_set() {
    for seed in 0..24 {
        let shape = Shape {
            ops: 1 + seed as usize % 7,
            accesses: 1 + seed as usize % 5,
            cells: 1 + seed as usize,
            algorithms: 1 + seed as usize % 4,
        };
        let (tree, ops) = batch(seed, shape);
        let w = witness(&tree, &ops);
        let mut after = tree.snapshot();
        for access in ops.iter().flat_map(|(_, log)| log).filter(|a| a.write) {
            after.update(&[(access.key.raw(), access.new)]).unwrap();
        }
        let (set, _) = TransitionSet::from_ops(context().digest(), &ops).unwrap();
        let claim = w.claim();
        assert_eq!((claim.s0, claim.sn), (tree.root(), after.root()), "seed {seed}");
        assert_eq!((claim.ops as usize, claim.set_root), (ops.len(), set.root()), "seed {seed}");
        let all: usize = (0..).zip(&ops).map(|(i, (_, log))| blocks(i, log).0.len()).sum();
        assert_eq!(w.counts().tuple, all + set.leaves().len());
    }
}

#[test]
fn random_batches_are_accepted() {
    for seed in 100..112 {
        let shape = Shape { ops: 6, accesses: 9, cells: 2 + seed as usize % 13, algorithms: 3 };
        let (tree, ops) = batch(seed, shape);
        let w = witness(&tree, &ops);
        let class = Class::fitting(&w.counts()).unwrap();
        assert_eq!(verdict_in(class, &w), "accepted", "seed {seed}");
    }
}

#[test]
fn counts_bound_the_rows_that_are_used() {
    let (tree, ops) = batch(7, Shape { ops: 60, accesses: 6, cells: 100, algorithms: 4 });
    let w = witness(&tree, &ops);
    let counts = w.counts();
    let class = Class::fitting(&counts).unwrap();
    assert_eq!(class.name, "small");
    assert!(!Class::named("tiny").unwrap().holds(&counts));
    let heights = class.circuit(tsz_stark::Profile::InsecureTest).log_heights;
    let traces = w.traces(&heights).unwrap();
    assert_eq!(traces.rows[3], counts.tuple);
    let width = traces.traces[6].width;
    let used = traces.traces[6].values.chunks(width).filter(|row| row[width - 1].to_string() != "0").count();
    // 40 empty nodes and the inner nodes of the set are not counted exactly
    assert!(used <= counts.poseidon2 && counts.poseidon2 < used + 128, "{used} {counts:?}");
}

#[test]
fn classes_hold_the_batches_that_they_are_made_for() {
    for (name, ops, accounts) in TRANSFERS {
        let class = Class::named(name).unwrap();
        let (tree, ops) = transfers(5, ops, accounts);
        let counts = witness(&tree, &ops).counts();
        println!("{}: {counts:?}", class.name);
        assert!(class.holds(&counts), "{class:?}: {counts:?}");
    }
}
