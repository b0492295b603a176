//! Proofs: made, verified, forged, damaged.

use std::sync::OnceLock;

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{ExecClaim, Family, TupleSponge};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_testkit::damaged;

use super::world::*;
use crate::class::CLASSES;
use crate::{Class, Counts, ProvingKey, VerifyError, prove, verify};

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| SMALL.setup(Profile::InsecureTest).unwrap())
}

fn honest() -> &'static (ExecClaim, Vec<u8>) {
    static PROOF: OnceLock<(ExecClaim, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| {
        let w = every_trade();
        prove(key(), &w.context, &w.params, &w.records, w.context.digest()).unwrap()
    })
}

#[test]
fn accepts_a_proof_of_every_trade() {
    let (claim, proof) = honest();
    verify(key().vk(), claim, proof).unwrap();
    let world = every_trade();
    let mut sponge = TupleSponge::new(world.context.digest());
    for record in &world.records {
        sponge.absorb(record.index, &record.accesses);
    }
    assert_eq!((claim.end, claim.count), (sponge.commitment(), sponge.count()));
    assert_eq!(claim.context.params, world.params.hash());
}

#[test]
fn rejects_every_public_value_changed() {
    let (claim, proof) = honest();
    let changes: [fn(&mut ExecClaim); 9] = [
        |c| c.algorithm = Family::Fund.algorithm(),
        |c| c.context.batch |= 1 << 48,
        |c| c.context.time += 1,
        |c| c.context.system[7] += F::ONE,
        |c| c.count -= 1,
        |c| c.count += 0x7800_0001,
        |c| c.has_begin = true,
        |c| c.start[3] += F::ONE,
        |c| c.end[5] += F::ONE,
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut claim = *claim;
        change(&mut claim);
        assert!(verify(key().vk(), &claim, proof).is_err(), "change {k}");
    }
    for felt in 0..8 {
        let mut claim = *claim;
        claim.context.params[felt] += F::ONE;
        assert!(verify(key().vk(), &claim, proof).is_err());
    }
}

#[test]
fn rejects_a_proof_of_a_forged_trade() {
    let mut world = World::new();
    world.apply(world.trade(0, 10, 1_000));
    let taker = &mut world.fill_mut(0).taker;
    taker.signature = World::blank();
    let (claim, proof) =
        prove(key(), &world.context, &world.params, &world.records, world.context.digest()).unwrap();
    assert!(matches!(verify(key().vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let (claim, proof) = honest();
    for (damage, bytes) in damaged(proof, 5, 200) {
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
    }
}

#[test]
fn the_smallest_class_that_holds_the_trades_is_taken() {
    let name = |c: Counts| Class::fitting(&c).map(|c| c.name);
    let counts = Counts {
        markets: 4,
        rules: 4,
        collateral: 4,
        orders: 60,
        trades: 60,
        transfers: 2,
        exits: 1,
        blocks: 60 * 36,
        margin: [4, 100, 100, 120, 0, 4, 60],
    };
    assert_eq!(name(counts), Some("small"));
    assert_eq!(name(Counts { trades: 65, ..counts }), Some("medium"));
    assert_eq!(name(Counts { margin: [4, 100, 129, 120, 0, 4, 60], ..counts }), Some("medium"));
    let full = Counts { trades: 8_192, transfers: 0, orders: 16_384, blocks: 8_192 * 36, ..counts };
    assert_eq!(
        name(Counts { margin: [8, 1 << 15, 1 << 14, 1 << 14, 100, 4, 1 << 12], ..full }),
        Some("full")
    );
    assert_eq!(name(Counts { trades: 8_193, ..counts }), None);
}

/// What 8,192 trades cost; `cargo test -p tsz-perp --release -- --ignored --nocapture cost_of`.
#[test]
#[ignore = "takes minutes"]
fn cost_of_8192_trades_of_parties_with_two_positions() {
    let class = CLASSES.last().unwrap();
    let mut world = World::new();
    for who in 2..6 {
        world.hold(who, 1, 5 - 2 * i64::from(who % 2) * 5, 7);
        world.set_collateral(who, 1 << 60);
    }
    let makers: Vec<_> =
        (0..8u8).map(|slot| place(&world, world.trade(0, 1 << 20, 1_000), 0, 10 + slot)).collect();
    for k in 0..8_192usize {
        let mut op = if k % 2 == 0 { world.trade(0, 3, 1_000) } else { world.sale(0, 3, 1_000) };
        if k % 2 == 0 {
            op.maker = makers[k % 8].maker.clone();
        }
        op.lots = lots(3);
        world.apply(op);
    }
    let counts = Counts::of(&world.params, &world.records).unwrap();
    println!("{counts:?}");
    let time = std::time::Instant::now();
    let pk = class.setup(Profile::Base).unwrap();
    println!("setup {:?}\n{}", time.elapsed(), tsz_air::report(pk.vk().tables()));
    let time = std::time::Instant::now();
    let witness =
        crate::Witness::new(class, &world.context, &world.params, &world.records, world.context.digest())
            .unwrap();
    println!("traces {:?}", time.elapsed());
    let time = std::time::Instant::now();
    let (claim, proof) = witness.prove(&pk).unwrap();
    println!("proof {:?}, {} bytes", time.elapsed(), proof.len());
    verify(pk.vk(), &claim, &proof).unwrap();
}
