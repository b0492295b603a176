//! Signing (target: under 100 us) and verification (target: under 250 us) on one core.

use criterion::{Criterion, Throughput};
use p3_field::PrimeCharacteristicRing;
use std::hint::black_box;
use tsz_hash::F;
use tsz_sig::{Claim, PublicKey, SecretKey, verify_batch};

fn main() {
    let mut c = Criterion::default().configure_from_args();
    let key = SecretKey::from_seed(&[7; 32]);
    let public = key.public_key();
    let message = [F::TWO; 8];
    let signature = key.sign(&message);
    c.bench_function("keygen", |b| b.iter(|| SecretKey::from_seed(black_box(&[7; 32]))));
    c.bench_function("sign", |b| b.iter(|| key.sign(black_box(&message))));
    c.bench_function("verify", |b| b.iter(|| public.verify(black_box(&message), &signature)));
    c.bench_function("decompress", |b| b.iter(|| PublicKey::from_key_id(&public.key_id())));
    // as in a batch of trades: each key signs some of the messages
    let keys: Vec<_> = (0..16u8).map(|k| SecretKey::from_seed(&[k; 32])).collect();
    let claims: Vec<_> = (0..256usize)
        .map(|k| {
            let (key, message) = (&keys[k % keys.len()], [F::from_usize(k); 8]);
            Claim { key: key.public_key(), message, signature: key.sign(&message) }
        })
        .collect();
    let mut group = c.benchmark_group("batch");
    group.throughput(Throughput::Elements(claims.len() as u64));
    group.bench_function("verify_batch", |b| b.iter(|| verify_batch(black_box(&claims))));
    group.bench_function("one by one", |b| b.iter(|| black_box(&claims).iter().all(Claim::verify)));
    group.finish();
    let x = public.point().x;
    c.bench_function("field mul", |b| b.iter(|| black_box(x) * black_box(x)));
    c.bench_function("field inverse", |b| b.iter(|| black_box(x).inverse()));
    c.final_summary();
}
