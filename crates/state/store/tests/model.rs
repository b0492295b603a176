//! Both stores against a naive model.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, as tests themselves may

mod common;

use common::{Leaves, batch, tree, write};
use proptest::prelude::*;
use tsz_hash::ZERO;
use tsz_smt::bench::Mix;
use tsz_store::{DurableStore, Error, MemoryStore, Options, Store};

const RETAIN: usize = 4;

fn options() -> Options {
    Options { retain: RETAIN, ..Options::default() }
}

fn check(store: &dyn Store, history: &[Leaves], retained: usize, mix: &mut Mix) {
    let batch = history.len() as u64 - 1;
    assert_eq!(store.tip().batch, batch);
    let tips = store.retained();
    assert_eq!(tips.last(), Some(&store.tip()));
    assert_eq!(tips.len(), retained);
    for tip in tips {
        let model = &history[tip.batch as usize];
        assert_eq!(tip.root, tree(model).root());
        let at = store.tree_at(&tip.root).unwrap();
        assert!(at.leaves().eq(model.iter().map(|(k, v)| (*k, *v))));
        for (key, _) in common::batch(mix.next(), 5) {
            let (value, proof) = store.proof_at(&tip.root, key).unwrap();
            assert_eq!(value, model.get(&key).copied().unwrap_or(ZERO));
            assert!(proof.verify(&tip.root, key, &value));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn stores_equal_the_model_across_reopening(
        seed: u64, steps in prop::collection::vec((0usize..60, any::<bool>()), 1..10)
    ) {
        let mut mix = Mix(seed);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let genesis: Vec<_> = batch(mix.next(), 100).into_iter().filter(|(_, value)| *value != ZERO).collect();
        let mut history = vec![Leaves::from_iter(genesis.iter().copied())];
        let mut memory = MemoryStore::new(&genesis, RETAIN).unwrap();
        let mut durable = DurableStore::create(&path, &genesis, options()).unwrap();
        for (size, reopen) in steps {
            let updates = batch(mix.next(), size);
            let mut model = history[history.len() - 1].clone();
            write(&mut model, &updates);
            history.push(model);
            let number = history.len() as u64 - 1;
            let tip = memory.commit(number, &updates).unwrap();
            prop_assert_eq!(durable.commit(number, &updates).unwrap(), tip);
            if reopen {
                drop(durable);
                durable = DurableStore::open(&path, options()).unwrap();
            }
            let retained = history.len().min(RETAIN);
            check(&memory, &history, retained, &mut mix);
            check(&durable, &history, retained, &mut mix);
        }
    }

    #[test]
    fn exported_state_is_imported_and_goes_on(seed: u64, batches in 0u64..4) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("snapshot");
        let mut store = MemoryStore::new(&batch(seed, 80), RETAIN).unwrap();
        for number in 1..=batches {
            store.commit(number, &batch(seed ^ number, 30)).unwrap();
        }
        store.export(&file).unwrap();
        let mut durable = DurableStore::import(&dir.path().join("state"), &file, options()).unwrap();
        let mut memory = MemoryStore::import(&file, RETAIN).unwrap();
        prop_assert_eq!(durable.tip(), store.tip());
        prop_assert_eq!(durable.retained(), vec![store.tip()]);
        let updates = batch(!seed, 30);
        let tip = store.commit(batches + 1, &updates).unwrap();
        prop_assert_eq!(durable.commit(batches + 1, &updates).unwrap(), tip);
        prop_assert_eq!(memory.commit(batches + 1, &updates).unwrap(), tip);
        drop(durable);
        let durable = DurableStore::open(&dir.path().join("state"), options()).unwrap();
        prop_assert_eq!(durable.retained().len(), 2);
    }
}

fn refused(store: &mut dyn Store) {
    let tip = store.tip();
    let value = Mix(1).digest();
    assert!(matches!(store.commit(2, &[]), Err(Error::WrongBatch { expected: 1, got: 2 })));
    assert!(matches!(store.commit(0, &[]), Err(Error::WrongBatch { expected: 1, got: 0 })));
    let twice = store.commit(1, &[(3, value), (3, value)]);
    assert!(matches!(twice, Err(Error::Tree(tsz_smt::Error::DuplicateKey { key: 3 }))));
    assert!(matches!(store.commit(1, &[(1 << 40, value)]), Err(Error::Tree(_))));
    assert!(matches!(store.proof_at(&tip.root, 1 << 40), Err(Error::Tree(_))));
    assert!(matches!(store.proof_at(&ZERO, 1), Err(Error::NotRetained { .. })));
    assert_eq!(store.tip(), tip);
    store.commit(1, &[(3, value)]).unwrap();
}

#[test]
fn rejects_wrong_batch_bad_keys_and_forgotten_roots() {
    let dir = tempfile::tempdir().unwrap();
    let genesis = batch(9, 20);
    refused(&mut MemoryStore::new(&genesis, 1).unwrap());
    refused(&mut DurableStore::create(&dir.path().join("state"), &genesis, options()).unwrap());
}

#[test]
fn smaller_retention_forgets_and_never_resurrects() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut store = DurableStore::create(&path, &batch(1, 50), options()).unwrap();
    let genesis = store.tip().root;
    for number in 1..=3 {
        store.commit(number, &batch(number + 1, 20)).unwrap();
    }
    assert!(store.tree_at(&genesis).is_ok());
    drop(store);
    let mut store = DurableStore::open(&path, Options { retain: 2, ..options() }).unwrap();
    assert_eq!(store.retained().len(), 2);
    store.commit(4, &batch(5, 20)).unwrap();
    assert!(matches!(store.tree_at(&genesis), Err(Error::NotRetained { .. })));
    drop(store);
    assert_eq!(DurableStore::open(&path, options()).unwrap().retained().len(), 2);
}

#[test]
fn second_handle_and_existing_file_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let store = DurableStore::create(&path, &batch(1, 50), options()).unwrap();
    assert!(matches!(DurableStore::open(&path, options()), Err(Error::InUse)));
    assert!(matches!(DurableStore::create(&path, &[], options()), Err(Error::Exists(_))));
    drop(store);
    assert!(matches!(DurableStore::open(&dir.path().join("none"), options()), Err(Error::Io(_))));
}
