//! Durable and in-memory commits of a batch of random leaves among 2^17 accounts.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tsz_smt::bench::{Mix, populate, random_updates};
use tsz_store::{DurableStore, MemoryStore, Options, Store};

const ACCOUNTS: u64 = 1 << 17;

fn bench(c: &mut Criterion, name: &str, leaves: usize, store: &mut dyn Store) {
    let mut mix = Mix(2);
    let mut group = c.benchmark_group("store");
    group.sample_size(20).throughput(Throughput::Elements(leaves as u64));
    group.bench_function(format!("{name} commit of {leaves}"), |b| {
        b.iter_batched(
            || random_updates(ACCOUNTS, leaves, &mut mix),
            |updates| store.commit(store.tip().batch + 1, &updates).expect("the batch is valid"),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn commits(c: &mut Criterion) {
    let genesis: Vec<_> = populate(ACCOUNTS, 1, 1).expect("keys are in range").leaves().collect();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("state");
    let mut durable = DurableStore::create(&path, &genesis, Options::default()).expect("a new store");
    let mut memory = MemoryStore::new(&genesis, 64).expect("keys are in range");
    for leaves in [1, 256, 4096] {
        bench(c, "durable", leaves, &mut durable);
        bench(c, "memory", leaves, &mut memory);
    }
}

criterion_group!(benches, commits);
criterion_main!(benches);
