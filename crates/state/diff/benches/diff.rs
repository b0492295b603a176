//! Published data of a batch of transfers: bytes, and the time to write, read and apply them.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot build its state has nothing to measure")]

use criterion::{BatchSize, Criterion, Throughput};
use std::hint::black_box;
use tsz_diff::{Data, Realm, data_hash};
use tsz_scenario::{Mix, Options, Params, generate, published, run_with};

const OPS: u32 = 8_192;

/// A workload of one batch: the realm before it, and its data.
fn workload(name: &str, ops: u32, accounts: u32, active: u32, mix: Mix) -> (Realm, Data) {
    let params = Params { accounts, active, batches: 1, mix };
    let run = run_with(&generate(ops, 1, &params).unwrap(), Options { verify_own: false }).unwrap();
    let mut all = published(&run).unwrap();
    let (data, realm) = (all.remove(1), Realm::genesis(&all[0]).unwrap());
    let (bytes, leaves) = (data.to_bytes().unwrap().len(), data.leaves.len());
    let (out, each) = (data.withdrawals.len(), bytes as f64 / f64::from(ops));
    println!(
        "published/{name}: {ops} operations, {active} of {accounts} accounts active, {leaves} leaves, \
         {out} withdrawals, {bytes} bytes, {each:.1} bytes an operation"
    );
    (realm, data)
}

fn main() {
    let mut c = Criterion::default().configure_from_args();
    workload("transfers", 512, 1 << 18, 2_000, Mix::TRANSFERS);
    workload("all", OPS, 1 << 18, 2_000, Mix::ALL);
    for ops in [512, OPS] {
        workload("perp", ops, 1 << 18, 2_000, Mix::PERP);
        workload("spot", ops, 1 << 18, 2_000, Mix::SPOT);
    }
    let (realm, data) = workload("transfers", OPS, 1 << 18, 2_000, Mix::TRANSFERS);
    let bytes = data.to_bytes().unwrap();
    let mut group = c.benchmark_group("diff");
    group.sample_size(20).throughput(Throughput::Elements(data.leaves.len() as u64));
    group.bench_function("write", |b| b.iter(|| black_box(&data).to_bytes()));
    group.bench_function("read", |b| b.iter(|| Data::from_bytes(black_box(&bytes))));
    group.bench_function("data_hash", |b| b.iter(|| data_hash(black_box(&bytes))));
    group.bench_function("apply", |b| {
        b.iter_batched(|| realm.clone(), |mut realm| realm.apply(&data), BatchSize::LargeInput)
    });
    group.finish();
    c.final_summary();
}
