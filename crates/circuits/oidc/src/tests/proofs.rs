//! Proofs: made, verified, forged, damaged; costs.

use std::sync::OnceLock;
use std::time::Instant;

use tsz_air::{F, PrimeCharacteristicRing, Tamper, assert_degrees, report};
use tsz_auth::oidc::Algorithm;
use tsz_ledger::{ExecClaim, Family, TupleSponge};
use tsz_stark::Profile;
use tsz_stark::security::security;
use tsz_testkit::damaged;

use super::world::*;
use crate::class::{CLASSES, Class, Counts, ES256_CLASSES};
use crate::prove::public_values;
use crate::{ProvingKey, Witness, prove, verify};

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
        |c| c.algorithm = Family::Auth.algorithm(),
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
fn rejects_damaged_bytes_without_panic() {
    let (claim, bytes) = proof();
    for (damage, bytes) in damaged(bytes, 5, 16) {
        assert!(verify(key().vk(), claim, &bytes).is_err(), "{damage:?}");
    }
}

#[test]
fn classes_hold_their_logins() {
    // Tokens of 12 compressions with 14 rows of values.
    let counts = |logins: usize| Counts {
        logins,
        blocks: 12 * logins,
        values: 14 * logins,
        providers: 2,
        governance: 2,
        others: 0,
    };
    let name = |logins: usize| Class::fitting(Algorithm::Rs256, &counts(logins)).map(|c| c.name);
    assert_eq!(
        [name(0), name(7), name(8), name(64), name(65)],
        [Some("small"), Some("small"), Some("large"), Some("large"), None]
    );
    let fitting = |counts: &Counts| Class::fitting(Algorithm::Rs256, counts);
    assert_eq!(fitting(&Counts { others: 1, ..counts(1) }), None);
    assert_eq!(fitting(&Counts { providers: 65, ..counts(60) }), None);
    let es256 = |logins: usize| {
        let counts = Counts { governance: 0, ..counts(logins) };
        Class::fitting(Algorithm::Es256, &counts).map(|c| c.name)
    };
    assert_eq!(
        [es256(7), es256(8), es256(64), es256(65)],
        [Some("small"), Some("large"), Some("large"), None]
    );
}

/// Each column of the tables of ops and approvals, of honest ops of both algorithms.
#[test]
fn every_column_of_an_op_is_constrained() {
    for world in [honest(), super::pay::mixed(Algorithm::Es256)] {
        let (class, witness) = (world.class(), world.witness());
        let airs = class.circuit(Profile::InsecureTest).airs;
        let publics = public_values(class, &witness.claim);
        let rows = |air: &crate::OidcAir| match tsz_air::TableAir::name(air).as_str() {
            "oidc_login" => world.records.iter().filter(|r| matches!(r.op.code(), 74 | 75)).count(),
            "oidc_approval" => world.records.iter().filter(|r| r.op.as_auth().is_some()).count(),
            "set_provider" => 2,
            "oidc_ec_provider" | "es256" => 1,
            _ => 0,
        };
        let real_rows: Vec<usize> = airs.iter().map(rows).collect();
        let tamper = Tamper {
            airs: &airs,
            traces: &witness.traces,
            public_values: &publics,
            real_rows: &real_rows,
            trials: 2,
            seed: 5,
        };
        tamper.assert_constrained(&[]);
    }
}

/// The choice, and the estimate behind it against the rows of lifts that were measured at blow-up 16 and 8.
#[test]
fn classes_have_the_blow_up_that_costs_least() {
    let expected = [
        (&CLASSES[0], Profile::Base4, Profile::Base16, 83_082),
        (&CLASSES[1], Profile::Base4, Profile::Base8, 59_714),
        (&ES256_CLASSES[0], Profile::Base8Ground, Profile::Base16, 87_067),
        (&ES256_CLASSES[1], Profile::Base4, Profile::Base8, 73_034),
    ];
    for (class, profile, measured, rows) in expected {
        let circuit = class.circuit(Profile::Base);
        let estimates = circuit.estimates();
        println!("{} {:?} {estimates:#?}", class.name, class.algorithm());
        let of = estimates.iter().find(|e| e.profile == measured).unwrap();
        assert!(of.permutations.abs_diff(rows) < rows / 100, "{of:?} {rows}");
        assert_eq!(circuit.balanced().profile, profile, "{} {:?}", class.name, class.algorithm());
    }
}

#[test]
fn the_smallest_classes_have_100_proven_bits() {
    for class in [&SMALL, &SMALL_ES256] {
        let pk = class.setup(Profile::Base).unwrap();
        let security = security(pk.vk());
        assert!(security.proven_bits >= 100.0, "{security:?}");
    }
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

/// Run by hand: a full batch of logins, with its cost.
#[test]
#[ignore = "a minute of work; a measurement, not a fact"]
fn measure_a_full_batch_of_social_logins() {
    measure(&CLASSES[1]);
}

/// The same with ES256.
#[test]
#[ignore = "a minute of work; a measurement, not a fact"]
fn measure_a_full_batch_of_social_logins_with_es256() {
    measure(&ES256_CLASSES[1]);
}

fn measure(class: &Class) {
    let mut world = World::of(class.algorithm());
    for _ in 0..64 {
        // As long as a token of a large provider: 12 compressions.
        let op = world.with(world.register(), |m| {
            let more = format!(
                "{{\"azp\":\"{}\",",
                "1234567890-abcdefghijklmnopqrstuvwxyz.apps.example.com".repeat(3)
            );
            let payload = payload(m).replacen('{', &more, 1);
            world.sign("k1", &payload)
        });
        world.verdict(&op).unwrap();
        world.login(op);
    }
    println!("{:?}", Counts::of(class.algorithm(), world.records.iter().map(|r| &r.op)));
    let pk = tsz_stark::setup(measured(class.circuit(Profile::Base))).unwrap();
    println!("{}", report(pk.vk().tables()));
    let tsz_stark::FriParams { log_blowup, num_queries, .. } = *pk.vk().params();
    println!("blow-up {}, {num_queries} queries", 1 << log_blowup);
    println!("proven {:.1} bits", security(pk.vk()).proven_bits);
    let cells: usize = pk.vk().tables().iter().map(tsz_stark::TableInfo::cells).sum();
    println!("{:.0} cells a login", cells as f64 / world.records.len() as f64);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let witness = Witness::new(class, &world.context, &world.records, world.context.digest()).unwrap();
    println!("traces {:?}, {:.2} CPU s", start.elapsed(), cpu_seconds() - cpu);
    let (start, traced) = (Instant::now(), cpu_seconds());
    let (claim, bytes) = witness.prove(&pk).unwrap();
    let proven = cpu_seconds();
    let took = start.elapsed();
    println!(
        "{} logins: proof of {} bytes in {took:?}, {:.2} CPU s",
        claim.count,
        bytes.len(),
        proven - traced
    );
    println!("{:.0} CPU ms a login", (proven - cpu) * 1e3 / world.records.len() as f64);
    let start = Instant::now();
    verify(pk.vk(), &claim, &bytes).unwrap();
    println!("verified in {:?}", start.elapsed());
}
