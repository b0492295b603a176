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
        let w = everything();
        prove(key(), &w.context, &w.params, &w.records, w.context.digest()).unwrap()
    })
}

#[test]
fn accepts_a_proof_of_every_op() {
    let (claim, proof) = honest();
    verify(key().vk(), claim, proof).unwrap();
    let world = everything();
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
        |c| c.algorithm = Family::Liquidate.algorithm(),
        |c| c.context.batch |= 1 << 48,
        |c| c.context.time += 1,
        |c| c.context.params[3] += F::ONE,
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
}

#[test]
fn rejects_a_proof_of_a_forged_op() {
    let mut world = every_force();
    world.records[0].accesses[1].new[0] += F::ONE;
    let start = world.context.digest();
    let (claim, proof) = prove(key(), &world.context, &world.params, &world.records, start).unwrap();
    assert!(matches!(verify(key().vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let (claim, proof) = honest();
    for (damage, bytes) in damaged(proof, 5, 60) {
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
fn the_smallest_class_that_holds_the_ops_is_taken() {
    let name = |c: Counts| Class::fitting(&c).map(|c| c.name);
    let counts =
        Counts { lists: [64, 3, 1], pages: 64, holders: 256, adls: 64, forces: 64, ..Counts::default() };
    assert_eq!(name(counts), Some("small"));
    assert_eq!(name(Counts { has_unlisted: true, ..counts }), Some("medium"));
    assert_eq!(name(Counts { lists: [63, 3, 1], has_unlisted: true, ..counts }), Some("small"));
    assert_eq!(name(Counts { holders: 257, ..counts }), Some("medium"));
    assert_eq!(name(Counts { adls: 65, ..counts }), Some("medium"));
    assert_eq!(name(Counts { judged: [512, 128, 128], ..counts }), Some("small"));
    assert_eq!(name(Counts { judged: [513, 128, 128], ..counts }), Some("medium"));
    assert_eq!(name(Counts { judged: [0, 0, 1_025], ..counts }), None);
    assert_eq!(name(Counts { lists: [256, 3, 1], ..counts }), Some("medium"));
    assert_eq!(name(Counts { lists: [255, 3, 1], has_unlisted: true, ..counts }), Some("medium"));
    assert_eq!(name(Counts { forces: 129, ..counts }), None);
}
