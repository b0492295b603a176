//! Proofs: made, verified, forged, damaged.

use std::sync::OnceLock;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{ExecClaim, Family, TupleSponge};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_stf::{Code, Transfer};
use tsz_testkit::damaged;

use super::world::*;
use crate::class::{CLASSES, Class, counts};
use crate::{ProvingKey, VerifyError, cells_per_op, prove, verify};

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| SMALL.setup(Profile::InsecureTest).unwrap())
}

fn honest() -> &'static (ExecClaim, Vec<u8>) {
    static PROOF: OnceLock<(ExecClaim, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| {
        let world = every_op();
        prove(key(), &world.context, &world.records, world.context.digest()).unwrap()
    })
}

#[test]
fn accepts_a_proof_of_every_op() {
    let (claim, proof) = honest();
    verify(key().vk(), claim, proof).unwrap();
    let world = every_op();
    let mut sponge = TupleSponge::new(world.context.digest());
    for record in &world.records {
        sponge.absorb(record.index, &record.accesses);
    }
    assert_eq!((claim.end, claim.count), (sponge.commitment(), sponge.count()));
}

#[test]
fn accepts_a_proof_with_all_queries() {
    let pk = SMALL.setup(Profile::Base).unwrap();
    let world = every_op();
    let start = Instant::now();
    let (claim, proof) = prove(&pk, &world.context, &world.records, world.context.digest()).unwrap();
    let proven = start.elapsed();
    verify(pk.vk(), &claim, &proof).unwrap();
    println!(
        "small: proof of {} bytes in {proven:?}, verified in {:?}",
        proof.len(),
        start.elapsed() - proven
    );
    // A proof of one key is none of another.
    assert!(verify(key().vk(), &claim, &proof).is_err());
}

#[test]
fn accepts_ranges_that_continue_each_other() {
    let world = every_op();
    let (first, second) = world.records.split_at(7);
    let (a, proof_a) = prove(key(), &world.context, first, world.context.digest()).unwrap();
    let (b, proof_b) = prove(key(), &world.context, second, a.end).unwrap();
    verify(key().vk(), &a, &proof_a).unwrap();
    verify(key().vk(), &b, &proof_b).unwrap();
    assert_eq!((b.end, a.has_begin, b.has_begin), (honest().0.end, true, false));
}

#[test]
fn rejects_every_public_value_changed() {
    let (claim, proof) = honest();
    let changes: [fn(&mut ExecClaim); 8] = [
        |c| c.algorithm = Family::Spot.algorithm(),
        |c| c.context.batch += 1,
        |c| c.context.batch |= 1 << 48,
        |c| c.context.time += 1,
        |c| c.context.time |= 1 << 48,
        |c| c.context.system[7] += F::ONE,
        |c| c.count -= 1,
        |c| c.has_begin = false,
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut claim = *claim;
        change(&mut claim);
        assert!(verify(key().vk(), &claim, proof).is_err(), "change {k}");
    }
    for felt in 0..8 {
        let (mut start, mut end) = (*claim, *claim);
        start.start[felt] += F::ONE;
        end.end[felt] += F::ONE;
        assert!(verify(key().vk(), &start, proof).is_err());
        assert!(verify(key().vk(), &end, proof).is_err());
    }
}

#[test]
fn rejects_a_count_that_is_the_same_felt() {
    let (claim, proof) = honest();
    let aliased = ExecClaim { count: claim.count + 0x7800_0001, ..*claim };
    assert!(matches!(verify(key().vk(), &aliased, proof), Err(VerifyError::Count { .. })));
}

#[test]
fn rejects_a_proof_of_a_forged_transfer() {
    let mut world = World::new();
    let op = world.sign(1, world.transfer());
    world.apply(op);
    let (claim, proof) = prove(key(), &world.context, &world.records, world.context.digest()).unwrap();
    assert!(matches!(verify(key().vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

#[test]
fn rejects_a_proof_of_money_from_nowhere() {
    let mut world = World::new();
    world.expect(Code::Ok, |w| w.deposit(2).into());
    world.records[0].accesses[4].new[1] += F::ONE;
    let (claim, proof) = prove(key(), &world.context, &world.records, world.context.digest()).unwrap();
    assert!(matches!(verify(key().vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let (claim, proof) = honest();
    for (damage, bytes) in damaged(proof, 5, 400) {
        assert!(verify(key().vk(), claim, &bytes).is_err(), "{damage:?}");
    }
}

#[test]
fn every_class_has_100_proven_bits() {
    for class in &CLASSES {
        let pk = class.setup(Profile::Base).unwrap();
        let security = security(pk.vk());
        println!("{}: proven {:.1} bits", class.name, security.proven_bits);
        assert!(security.proven_bits >= 100.0, "{}: {security:?}", class.name);
        println!("{}", tsz_air::report(pk.vk().tables()));
    }
}

#[test]
fn the_smallest_class_that_holds_the_ops_is_taken() {
    let name = |counts| Class::fitting(&counts).map(|c| c.name);
    assert_eq!(name([1, 1, 60, 1, 0, 0, 1, 0, 0]), Some("small"));
    assert_eq!(name([1, 0, 65, 0, 0, 0, 0, 0, 0]), Some("medium"));
    assert_eq!(name([1, 200, 7_000, 400, 10, 5, 50, 0, 0]), Some("large"));
    assert_eq!(name([0, 0, 8_192, 0, 0, 0, 0, 0, 0]), Some("large"));
    assert_eq!(name([0, 0, 8_193, 0, 0, 0, 0, 0, 0]), None);
    assert_eq!(name([65, 0, 0, 0, 0, 0, 0, 0, 0]), None);
}

/// Run by hand: 8,192 transfers between accounts of a small system, with the cost of each table.
#[test]
#[ignore = "a minute of work; a measurement, not a fact"]
fn measure_a_full_batch_of_transfers() {
    let mut world = World::new();
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..8_192 {
        let op = Transfer { to_sub: sub(rng.random_range(0..32)), ..world.transfer() };
        let op = world.sign(0, op);
        world.apply(op);
    }
    let class = Class::fitting(&counts(&world.records)).unwrap();
    let pk = class.setup(Profile::Base).unwrap();
    for cost in cells_per_op(pk.vk().tables(), 8_192) {
        println!(
            "{:<12} 2^{:<2} {:>4} columns {:>8.0} cells/op",
            cost.table, cost.log_height, cost.width, cost.cells_per_op
        );
    }
    let start = Instant::now();
    let witness = crate::Witness::new(class, &world.context, &world.records, world.context.digest()).unwrap();
    println!("traces {:?}", start.elapsed());
    let start = Instant::now();
    let (claim, proof) = witness.prove(&pk).unwrap();
    println!("proof of {} bytes in {:?}", proof.len(), start.elapsed());
    let start = Instant::now();
    verify(pk.vk(), &claim, &proof).unwrap();
    println!("verified in {:?}", start.elapsed());
}
