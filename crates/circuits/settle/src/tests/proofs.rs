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
        let w = every_op();
        prove(key(), &w.context, &w.params, &w.records, w.context.digest()).unwrap()
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
    assert_eq!(claim.context.params, world.params.hash());
}

#[test]
fn rejects_every_public_value_changed() {
    let (claim, proof) = honest();
    let changes: [fn(&mut ExecClaim); 8] = [
        |c| c.algorithm = Family::Manage.algorithm(),
        |c| c.context.batch |= 1 << 48,
        |c| c.context.time += 1_000_000_000,
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
fn rejects_a_proof_of_a_forged_pair() {
    let mut world = World::new();
    set(&mut world, &CASE);
    world.apply(World::pair(0, 7));
    world.records[0].accesses[2].new[0] += F::ONE;
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
fn the_smallest_class_that_holds_the_ops_is_taken() {
    let name = |c: Counts| Class::fitting(&c).map(|c| c.name);
    let counts = Counts { markets: 64, rules: 3, pairs: 64, debts: 64, seizures: 64, ..Counts::default() };
    assert_eq!(name(counts), Some("small"));
    assert_eq!(name(Counts { pairs: 65, ..counts }), Some("medium"));
    assert_eq!(name(Counts { pairs: 1_024, debts: 256, seizures: 256, ..counts }), Some("medium"));
    assert_eq!(name(Counts { pairs: 1_025, ..counts }), None);
    assert_eq!(name(Counts { debts: 257, ..counts }), None);
    assert_eq!(name(Counts { seizures: 257, ..counts }), None);
}
