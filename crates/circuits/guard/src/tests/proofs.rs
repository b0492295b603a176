//! Proofs: made, verified, forged, damaged.

use std::sync::OnceLock;

use tsz_hash::ZERO;
use tsz_ledger::{ExecClaim, Family, GuardClaim, TupleSponge};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_testkit::damaged;

use super::honest::every_approval;
use super::world::*;
use crate::class::{APPROVAL_CLASSES, CLASSES};
use crate::{
    ApprovalClass, Class, Counts, ProvingKey, VerifyError, prove, prove_approvals, verify, verify_approvals,
};

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| CLASSES[0].setup(Profile::InsecureTest).unwrap())
}

fn approval_key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| SMALL.setup(Profile::InsecureTest).unwrap())
}

fn honest() -> &'static (GuardClaim, Vec<u8>) {
    static PROOF: OnceLock<(GuardClaim, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| {
        let w = every_operation();
        let start = w.context.digest();
        prove(key(), &w.context, program(), &w.records, start, start).unwrap()
    })
}

fn honest_approvals() -> &'static (ExecClaim, Vec<u8>) {
    static PROOF: OnceLock<(ExecClaim, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| {
        let w = every_approval();
        prove_approvals(approval_key(), &w.context, &w.approvals, w.context.digest()).unwrap()
    })
}

#[test]
fn accepts_a_proof_of_every_operation() {
    let (claim, proof) = honest();
    verify(key().vk(), claim, proof).unwrap();
    let world = every_operation();
    let mut sponge = TupleSponge::new(world.context.digest());
    for record in &world.records {
        sponge.absorb(record.index, &record.accesses);
    }
    assert_eq!((claim.exec.end, claim.exec.count), (sponge.commitment(), sponge.count()));
}

#[test]
fn accepts_a_proof_of_every_approval() {
    let (claim, proof) = honest_approvals();
    verify_approvals(approval_key().vk(), claim, proof).unwrap();
    let world = every_approval();
    let mut sponge = TupleSponge::new(world.context.digest());
    for record in &world.approvals {
        sponge.absorb(record.index, &record.accesses);
    }
    assert_eq!((claim.end, claim.count), (sponge.commitment(), sponge.count()));
}

#[test]
fn rejects_every_public_value_changed() {
    let (claim, proof) = honest();
    let changes: [fn(&mut GuardClaim); 12] = [
        |c| c.exec.algorithm = Family::Extension.algorithm(),
        |c| c.exec.algorithm = ZERO,
        |c| c.exec.algorithm[7] += f(1),
        |c| c.exec.context.batch |= 1 << 48,
        |c| c.exec.context.time += 1,
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
        assert!(verify(key().vk(), &claim, proof).is_err(), "change {k}");
    }
    let (claim, proof) = honest_approvals();
    let changes: [fn(&mut ExecClaim); 8] = [
        |c| c.algorithm = Family::Fund.algorithm(),
        |c| c.context.batch |= 1 << 48,
        |c| c.context.time += 1,
        |c| c.context.system[7] += f(1),
        |c| c.count += 0x7800_0001,
        |c| c.has_begin = true,
        |c| c.start[3] += f(1),
        |c| c.end[5] += f(1),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut claim = *claim;
        change(&mut claim);
        assert!(verify_approvals(approval_key().vk(), &claim, proof).is_err(), "change {k}");
    }
}

#[test]
fn rejects_proofs_of_the_other_circuit() {
    let (claim, proof) = honest();
    assert!(matches!(verify(approval_key().vk(), claim, proof), Err(VerifyError::Key)));
    let (claim, proof) = honest_approvals();
    assert!(matches!(verify_approvals(key().vk(), claim, proof), Err(VerifyError::Key)));
}

#[test]
fn rejects_a_proof_of_a_forged_operation() {
    let mut world = World::approved();
    let sets = [world.moved(2, 0, QUOTE, -1), world.moved(3, 0, QUOTE, 2)];
    world.forge(world.operation(&[(2, 0), (3, 1)], &sets, &[]), &sets);
    let start = world.context.digest();
    let (claim, proof) = prove(key(), &world.context, program(), &world.records, start, start).unwrap();
    assert!(matches!(verify(key().vk(), &claim, &proof), Err(VerifyError::Stark(_))));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let (claim, proof) = honest();
    for (damage, bytes) in damaged(proof, 5, 100) {
        assert!(verify(key().vk(), claim, &bytes).is_err(), "{damage:?}");
    }
    let (claim, proof) = honest_approvals();
    for (damage, bytes) in damaged(proof, 6, 60) {
        assert!(verify_approvals(approval_key().vk(), claim, &bytes).is_err(), "{damage:?}");
    }
}

#[test]
fn every_class_has_100_proven_bits() {
    for class in &CLASSES {
        let bits = security(class.setup(Profile::Base).unwrap().vk());
        println!("{}: proven {:.1} bits", class.name, bits.proven_bits);
        assert!(bits.proven_bits >= 100.0, "{}: {bits:?}", class.name);
    }
    for class in &APPROVAL_CLASSES {
        let bits = security(class.setup(Profile::Base).unwrap().vk());
        println!("approvals {}: proven {:.1} bits", class.name, bits.proven_bits);
        assert!(bits.proven_bits >= 100.0, "{}: {bits:?}", class.name);
    }
}

#[test]
fn the_smallest_class_that_holds_the_operations_is_taken() {
    let name = |c: Counts| Class::fitting(&c).map(|c| c.name);
    // fills of a grid: two parties, eight cells, four limits
    let fills = |n| Counts {
        operations: n,
        parties: 2 * n,
        cells: 8 * n,
        limits: 4 * n,
        journal: 13 * n,
        blocks: 35 * n,
    };
    for (n, class) in [(58, "small"), (59, "medium"), (936, "medium")] {
        assert_eq!(name(fills(n)), Some(class), "{n} fills");
    }
    assert_eq!(name(fills(937)), None);
    let name = |counts| ApprovalClass::fitting(counts).map(|c| c.name);
    assert_eq!([name([64, 64]), name([65, 0]), name([1024, 512])], ["small", "medium", "medium"].map(Some));
    assert_eq!(name([1025, 0]), None);
}
