//! Proofs: made, verified, forged, damaged.

use std::sync::OnceLock;

use tsz_hash::ZERO;
use tsz_ledger::{Family, GuardClaim, TupleSponge};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_testkit::damaged;

use super::super::world::{f, program, stored};
use super::world::*;
use crate::margin::{MARGIN_CLASSES, MarginClass, MarginCounts, MarginWitness, prove_margin, verify_margin};
use crate::{CLASSES, Counts, ProvingKey, VerifyError, verify};

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| MARGIN_CLASSES[0].setup(Profile::InsecureTest).unwrap())
}

fn honest() -> &'static (GuardClaim, Vec<u8>) {
    static PROOF: OnceLock<(GuardClaim, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| prove(&every_operation()))
}

fn prove(world: &World) -> (GuardClaim, Vec<u8>) {
    let start = world.w.context.digest();
    let records = &world.w.records;
    prove_margin(key(), &world.w.context, &world.params, program(), records, [start, start]).unwrap()
}

#[test]
fn accepts_a_proof_of_every_operation() {
    let (claim, proof) = honest();
    verify_margin(key().vk(), claim, proof).unwrap();
    let world = every_operation();
    let mut sponge = TupleSponge::new(world.w.context.digest());
    for record in &world.w.records {
        sponge.absorb(record.index, &record.accesses);
    }
    assert_eq!((claim.exec.end, claim.exec.count), (sponge.commitment(), sponge.count()));
}

#[test]
fn rejects_every_public_value_changed() {
    let (claim, proof) = honest();
    let changes: [fn(&mut GuardClaim); 13] = [
        |c| c.exec.algorithm = Family::Extension.algorithm(),
        |c| c.exec.algorithm = ZERO,
        |c| c.exec.algorithm[7] += f(1),
        |c| c.exec.context.batch |= 1 << 48,
        |c| c.exec.context.time += 1,
        |c| c.exec.context.params[3] += f(1),
        |c| c.exec.count -= 1,
        |c| c.exec.count += 0x7800_0001,
        |c| c.exec.has_begin = true,
        |c| c.exec.start[3] += f(1),
        |c| c.exec.end[5] += f(1),
        |c| c.journal_start[0] += f(1),
        |c| c.journal_end[7] += f(1),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut claim = *claim;
        change(&mut claim);
        assert!(verify_margin(key().vk(), &claim, proof).is_err(), "change {k}");
    }
}

#[test]
fn rejects_proofs_and_keys_of_the_plain_circuit() {
    let (claim, proof) = honest();
    assert!(matches!(verify(key().vk(), claim, proof), Err(VerifyError::Key)));
    let plain = CLASSES[0].setup(Profile::InsecureTest).unwrap();
    assert!(matches!(verify_margin(plain.vk(), claim, proof), Err(VerifyError::Key)));
    assert!(verify(plain.vk(), claim, proof).is_err());
}

#[test]
fn rejects_a_proof_of_a_forged_operation() {
    let mut world = World::new();
    let legs = [(3, -3_000 * MICROS), (-3, 3_000 * MICROS + 1)];
    let op = world.operation(&BOTH, 0, &legs, &[], &[]);
    world.forge(op, 0, &[(0, legs[0]), (1, legs[1])], &params()).unwrap();
    let (claim, proof) = prove(&world);
    assert!(matches!(verify_margin(key().vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let (claim, proof) = honest();
    for (damage, bytes) in damaged(proof, 5, 60) {
        assert!(verify_margin(key().vk(), claim, &bytes).is_err(), "{damage:?}");
    }
}

#[test]
fn every_class_has_100_proven_bits() {
    for class in &MARGIN_CLASSES {
        let bits = security(class.setup(Profile::Base).unwrap().vk());
        println!("{}: proven {:.1} bits", class.plain.name, bits.proven_bits);
        assert!(bits.proven_bits >= 100.0, "{}: {bits:?}", class.plain.name);
    }
}

/// A block trade of two parties with a position elsewhere each.
fn counts(n: usize) -> MarginCounts {
    let mut world = World::new();
    world.hold(2, 1, 3, 0);
    world.hold(3, 1, -3, 0);
    world.apply(&BOTH, 0, &[(1, -1_000 * MICROS), (-1, 1_000 * MICROS)]);
    let one = MarginCounts::of(&world.params, &world.w.records).unwrap();
    let plain = Counts {
        operations: n,
        parties: one.plain.parties * n,
        cells: one.plain.cells * n,
        limits: one.plain.limits * n,
        journal: one.plain.journal * n,
        blocks: one.plain.blocks * n,
    };
    // prices are shared
    let margin = core::array::from_fn(|k| one.margin[k] * if k == 0 { 1 } else { n });
    MarginCounts { plain, legs: one.legs * n, crossings: n, margin, ..one }
}

#[test]
fn the_smallest_class_that_holds_the_operations_is_taken() {
    let name = |n| MarginClass::fitting(&counts(n)).map(|class| class.plain.name);
    for (n, class) in
        [(1, "margin-small"), (64, "margin-small"), (65, "margin-medium"), (1_024, "margin-medium")]
    {
        assert_eq!(name(n), Some(class), "{n} block trades");
    }
    assert_eq!(name(1_025), None);
}

/// What 1,024 block trades cost; `cargo test -p tsz-guard --lib -- --ignored --nocapture cost_of`.
#[test]
#[ignore = "takes a minute"]
fn cost_of_1024_block_trades_of_parties_with_two_positions() {
    let class = &MARGIN_CLASSES[1];
    let mut world = World::new();
    for (n, lots) in [(2, 3), (3, -3)] {
        world.hold(n, 1, lots, 0);
        world.set_collateral(n, 1 << 60);
        world.unlimited(n);
    }
    for k in 0..1_024i64 {
        let lots = if k % 3 == 2 { -2 } else { 1 };
        let cash = i128::from(lots) * 1_000 * MICROS;
        let sets = [stored(2, 0, 0, k as u32, 1), stored(3, 1, 0, k as u32, 1)];
        let op = world.operation(&BOTH, 0, &[(lots, -cash), (-lots, cash)], &sets, &[]);
        world.try_apply(op).unwrap();
    }
    let counts = MarginCounts::of(&world.params, &world.w.records).unwrap();
    println!("{counts:?}");
    let time = std::time::Instant::now();
    let pk = class.setup(Profile::Base).unwrap();
    println!("setup {:?}\n{}", time.elapsed(), tsz_air::report(pk.vk().tables()));
    let (start, time) = (world.w.context.digest(), std::time::Instant::now());
    let (context, records) = (&world.w.context, &world.w.records);
    let witness = MarginWitness::new(class, context, &world.params, program(), records, [start; 2]).unwrap();
    println!("traces {:?}", time.elapsed());
    let time = std::time::Instant::now();
    let (claim, proof) = witness.prove(&pk).unwrap();
    println!("proof {:?}, {} bytes", time.elapsed(), proof.len());
    verify_margin(pk.vk(), &claim, &proof).unwrap();
}
