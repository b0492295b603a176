//! Batch update, multi-proof and single proof on a tree of 2^20 leaves (one per account).

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use tsz_smt::bench::{Mix, populate, random_updates};
use tsz_smt::{Touch, Tree};

const ACCOUNTS: u64 = 1 << 20;

fn tree() -> Tree {
    populate(ACCOUNTS, 1, 1).expect("keys are in range")
}

fn update(c: &mut Criterion) {
    let mut tree = tree();
    let mut mix = Mix(2);
    let mut group = c.benchmark_group("smt");
    group.sample_size(20).throughput(Throughput::Elements(4096));
    group.bench_function("update 4096 of 2^20", |b| {
        b.iter_batched(
            || random_updates(ACCOUNTS, 4096, &mut mix),
            |updates| tree.update(&updates).expect("keys are in range"),
            BatchSize::LargeInput,
        );
    });
    let mut touches = |count| -> Vec<Touch> {
        let updates = random_updates(ACCOUNTS, count, &mut mix);
        updates.into_iter().map(|(key, new)| Touch { key, old: tree.get(key), new }).collect()
    };
    let batch = touches(8000);
    group.throughput(Throughput::Elements(8000));
    group.bench_function("multiproof 8000 of 2^20", |b| {
        b.iter(|| tree.multiproof(&batch).expect("touches are fresh"))
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("proof", |b| b.iter(|| tree.proof(black_box(batch[0].key))));
    group.finish();
}

criterion_group!(benches, update);
criterion_main!(benches);
