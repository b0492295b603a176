//! Proofs: made, verified, forged, damaged; costs.

use std::sync::OnceLock;
use std::time::Instant;

use tsz_air::{F, PrimeCharacteristicRing, assert_degrees, report};
use tsz_ledger::{ExecClaim, Family, TupleSponge};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_testkit::damaged;

use super::world::*;
use crate::class::{CLASSES, Class, WALLET_CLASSES};
use crate::{Kind, ProvingKey, Witness, prove, verify};

fn key() -> &'static ProvingKey {
    static KEY: OnceLock<ProvingKey> = OnceLock::new();
    KEY.get_or_init(|| SMALL.setup(Profile::InsecureTest).unwrap())
}

fn proof() -> &'static (ExecClaim, Vec<u8>) {
    static PROOF: OnceLock<(ExecClaim, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| {
        let world = honest();
        prove(key(), &world.context, &world.records, world.context.digest()).unwrap()
    })
}

#[test]
fn accepts_honest_logins_and_none() {
    assert_eq!(place(&honest().witness()), "nowhere");
    assert_eq!(place(&World::new().witness()), "nowhere");
}

#[test]
fn accepts_a_proof_of_logins() {
    let (claim, bytes) = proof();
    verify(key().vk(), claim, bytes).unwrap();
    assert_degrees(key().vk().tables());
    println!("{}", report(key().vk().tables()));
    let world = honest();
    let mut sponge = TupleSponge::new(world.context.digest());
    for record in &world.records {
        sponge.absorb(record.index, &record.accesses);
    }
    assert_eq!((claim.end, claim.count), (sponge.commitment(), sponge.count()));
}

#[test]
fn rejects_every_public_value_changed() {
    let (claim, bytes) = proof();
    let changes: [fn(&mut ExecClaim); 8] = [
        |c| c.algorithm = Family::Fund.algorithm(),
        |c| c.context.batch |= 1 << 48,
        |c| c.context.time += 1,
        |c| c.context.time |= 1 << 48,
        |c| c.context.system[7] += F::ONE,
        |c| c.count -= 1,
        |c| c.count += 0x7800_0001,
        |c| c.has_begin = true,
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut claim = *claim;
        change(&mut claim);
        assert!(verify(key().vk(), &claim, bytes).is_err(), "change {k}");
    }
    for felt in [0, 7] {
        let (mut start, mut end) = (*claim, *claim);
        start.start[felt] += F::ONE;
        end.end[felt] += F::ONE;
        assert!(verify(key().vk(), &start, bytes).is_err());
        assert!(verify(key().vk(), &end, bytes).is_err());
    }
}

#[test]
fn rejects_a_proof_of_an_approval_of_another_message() {
    let mut world = World::new();
    let mut op = world.approve(world.register());
    if let tsz_stf::AuthOp::RegisterKeyByPasskey(op) = &mut op {
        op.permissions = tsz_ledger::Permissions::ALL;
    }
    world.apply(op);
    let (claim, bytes) = prove(key(), &world.context, &world.records, world.context.digest()).unwrap();
    assert!(matches!(verify(key().vk(), &claim, &bytes), Err(crate::VerifyError::Stark(_))));
}

#[test]
fn rejects_damaged_bytes_without_panic() {
    let (claim, bytes) = proof();
    for (damage, bytes) in damaged(bytes, 5, 16) {
        assert!(verify(key().vk(), claim, &bytes).is_err(), "{damage:?}");
    }
}

#[test]
fn classes_hold_their_logins() {
    assert_eq!(CLASSES.map(|c| c.capacity()), [7, 64]);
    assert_eq!(Class::fitting(Kind::Passkey, 8).map(|c| c.name), Some("large"));
    assert_eq!(Class::fitting(Kind::Passkey, 65), None);
    assert_eq!(WALLET_CLASSES.map(|c| c.capacity()), [7, 64]);
    assert_eq!(Class::fitting(Kind::Wallet, 64).map(|c| c.name), Some("large"));
    assert_eq!(Class::fitting(Kind::Wallet, 65), None);
}

/// The choice, and the estimate behind it against the rows of lifts that were measured at blow-up 16.
#[test]
fn classes_have_the_blow_up_that_costs_least() {
    let expected = [
        (&CLASSES[0], Profile::Base8, 81_669),
        (&CLASSES[1], Profile::Base4, 95_324),
        (&WALLET_CLASSES[0], Profile::Base8Ground, 96_520),
        (&WALLET_CLASSES[1], Profile::Base4, 108_500),
    ];
    for (class, profile, rows) in expected {
        let circuit = class.circuit(Profile::Base);
        let estimates = circuit.estimates();
        println!("{} {:?} {estimates:#?}", class.name, class.kind);
        let sixteen = estimates.iter().find(|e| e.profile == Profile::Base16).unwrap();
        assert!(sixteen.permutations.abs_diff(rows) < rows / 100, "{sixteen:?} {rows}");
        assert_eq!(circuit.balanced().profile, profile, "{} {:?}", class.name, class.kind);
    }
}

#[test]
fn the_smallest_classes_have_100_proven_bits() {
    for class in [&SMALL, &WALLET_CLASSES[0]] {
        let pk = class.setup(Profile::Base).unwrap();
        let security = security(pk.vk());
        assert!(security.proven_bits >= 100.0, "{security:?}");
    }
}

/// Run by hand: a full batch of logins, with its cost.
#[test]
#[ignore = "a minute of work; a measurement, not a fact"]
fn measure_a_full_batch_of_logins() {
    let class = &CLASSES[1];
    let mut world = World::new();
    for _ in 0..class.capacity() {
        let op = world.approve(world.register());
        world.apply(op);
    }
    measure(class, &world.context, &world.records);
}

/// The circuit in the profile that the registry pins, or with the blow-up that `TSZ_BLOW_UP` names.
fn measured<A: tsz_stark::CircuitAir>(mut circuit: tsz_stark::Circuit<A>) -> tsz_stark::Circuit<A> {
    let profile = match std::env::var("TSZ_BLOW_UP").as_deref() {
        Ok("2") => Profile::Base,
        Ok("4") => Profile::Base4,
        Ok("8") => Profile::Base8,
        Ok("16") => Profile::Base16,
        _ => return circuit.balanced(),
    };
    circuit.profile = profile;
    circuit
}

/// CPU seconds of this process, all threads (fields 14 and 15 of proc_pid_stat(5), in hundredths).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after_name.split(' ').skip(11).take(2).filter_map(|t| t.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Proves a batch with its cost.
pub fn measure(class: &Class, context: &tsz_ledger::BatchContext, records: &[crate::AuthRecord]) {
    let pk = tsz_stark::setup(measured(class.circuit(Profile::Base))).unwrap();
    println!("{}", report(pk.vk().tables()));
    let tsz_stark::FriParams { log_blowup, num_queries, .. } = *pk.vk().params();
    println!("blow-up {}, {num_queries} queries", 1 << log_blowup);
    println!("proven {:.1} bits", security(pk.vk()).proven_bits);
    let cells: usize = pk.vk().tables().iter().map(tsz_stark::TableInfo::cells).sum();
    println!("{:.0} cells a login", cells as f64 / records.len() as f64);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let witness = Witness::new(class, context, records, context.digest()).unwrap();
    println!("traces {:?}, {:.2} CPU s", start.elapsed(), cpu_seconds() - cpu);
    let (start, traced) = (Instant::now(), cpu_seconds());
    let (claim, bytes) = witness.prove(&pk).unwrap();
    let proven = cpu_seconds();
    println!(
        "{} logins: proof of {} bytes in {:?}, {:.2} CPU s",
        claim.count,
        bytes.len(),
        start.elapsed(),
        proven - traced
    );
    println!("{:.0} CPU ms a login", (proven - cpu) * 1e3 / records.len() as f64);
    let start = Instant::now();
    verify(pk.vk(), &claim, &bytes).unwrap();
    println!("verified in {:?}", start.elapsed());
}
