//! Proofs: made, verified, forged, damaged.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{ExecClaim, Family};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_testkit::damaged;

use super::world::*;
use crate::class::CLASSES;
use crate::{prove, verify};

#[test]
fn proves_every_kind_of_op_and_nothing_else() {
    let world = everything();
    let pk = SMALL.setup(Profile::InsecureTest).unwrap();
    let start = world.context.digest();
    let (claim, proof) = prove(&pk, &world.context, &world.params, &world.records, start).unwrap();
    verify(pk.vk(), &claim, &proof).unwrap();
    let changes: [fn(&mut ExecClaim); 8] = [
        |c| c.algorithm = Family::Perp.algorithm(),
        |c| c.context.time += 1,
        |c| c.context.batch |= 1 << 48,
        |c| c.context.params[3] += F::ONE,
        |c| c.count -= 1,
        |c| c.has_begin = true,
        |c| c.start[0] += F::ONE,
        |c| c.end[7] += F::ONE,
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut claim = claim;
        change(&mut claim);
        assert!(verify(pk.vk(), &claim, &proof).is_err(), "change {k}");
    }
    for (damage, bytes) in damaged(&proof, 5, 60) {
        assert!(verify(pk.vk(), &claim, &bytes).is_err(), "{damage:?}");
    }
    let mut lie = world;
    lie.records[0].accesses.last_mut().unwrap().new[0] += F::ONE;
    let start = lie.context.digest();
    if let Ok((claim, proof)) = prove(&pk, &lie.context, &lie.params, &lie.records, start) {
        assert!(verify(pk.vk(), &claim, &proof).is_err());
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
