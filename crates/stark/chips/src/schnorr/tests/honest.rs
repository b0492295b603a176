//! What must be accepted, the cost, and the columns.

use std::time::Instant;

use tsz_air::{Requests, Tamper, assert_degrees, report};
use tsz_sig::{Challenge, Scalar, Signature};
use tsz_stark::{Profile, prove, setup, verify};

use super::*;

#[test]
fn accepts_signatures_and_refuses_a_forged_one_as_a_proof() {
    let pk = keys();
    assert_degrees(pk.vk().tables());
    println!("{}", report(pk.vk().tables()));
    let honest = honest();
    verdict(&traces(&honest, LOG)).unwrap();
    assert!(accepted(&pk, &traces(&honest, LOG)));
    let mut forged = honest;
    forged[1].signature.s = forged[1].signature.s + Scalar::ONE;
    assert!(!accepted(&pk, &traces(&forged, LOG)));
}

#[test]
fn accepts_no_signature_and_a_full_table() {
    verdict(&traces(&[], LOG)).unwrap();
    let full: Vec<SignedMessage> = (0..1 << LOG).map(|i| signed(i, 1)).collect();
    verdict(&traces(&full, LOG)).unwrap();
    let more: Vec<SignedMessage> = (0..=1 << LOG).map(|i| signed(i, 1)).collect();
    let refused = generate(&more, LOG, &mut Requests::new()).unwrap_err();
    assert_eq!(refused, TooManySignatures { needed: 65, rows: 64 });
}

#[test]
fn accepts_the_same_signature_twice() {
    verdict(&traces(&[signed(1, 1), signed(1, 1)], LOG)).unwrap();
}

#[test]
fn cells_of_a_signature_stay_within_the_target() {
    let pk = keys();
    let tables = pk.vk().tables();
    let width = |i: usize| tables[i].width + tables[i].aux_width;
    let cells = width(SIG) + ROWS * width(LADDER) + 2 * width(4);
    println!("{cells} cells a signature, {} for the comb table", width(COMB) << COMB_LOG_HEIGHT);
    assert!(cells <= 8_500);
}

#[test]
fn accepts_swapped_signature_rows() {
    let mut tables = traces(&honest(), LOG);
    swap_rows(&mut tables[SIG], 0, 50);
    verdict(&tables).unwrap();
}

#[test]
fn every_column_is_constrained() {
    let circuit = airs(Profile::InsecureTest, LOG);
    let traces = traces(&honest(), LOG);
    let tamper = Tamper {
        airs: &circuit.airs,
        traces: &traces,
        public_values: &publics(),
        real_rows: &[3, COUNT, COUNT * ROWS, 1 << COMB_LOG_HEIGHT, 0, 0],
        trials: 4,
        seed: 1,
    };
    tamper.assert_constrained(&[]);
    assert!(tamper.columns().iter().all(|r| r.noticed == r.trials));
}

#[test]
fn nonces_that_are_multiples_of_the_secret_are_provable() {
    // Without 2^120 H in R the accumulator would meet P or the identity before the ladder ends.
    let sk = key(3);
    let (public, m) = (sk.public_key(), message(3));
    let secret = Scalar::from_bytes(&sk.to_bytes()).unwrap();
    let sigs: Vec<SignedMessage> = [Scalar::ZERO, secret, -secret, secret + secret]
        .into_iter()
        .map(|k| {
            let at = |e: Challenge| Signature { e, s: k - e.scalar() * secret };
            let r = public.nonce_point(&at(Challenge::from_bytes(&[7; 15]))).unwrap();
            let e = Challenge::new(&public.key_id(), &tsz_sig::point_id(&r), &m).unwrap();
            SignedMessage { key: public, message: m, signature: at(e), uses: 1 }
        })
        .collect();
    verdict(&traces(&sigs, LOG)).unwrap();
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks = |k: usize| fields.get(k).and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / 100.0
}

/// Run with `cargo test -p tsz-chips -- --ignored --nocapture timing_of_signatures`.
#[test]
#[ignore = "measures"]
fn timing_of_signatures() {
    let log = 12;
    let n = 1 << log;
    let pk = setup(airs(Profile::Base, log)).unwrap();
    println!("{}", report(pk.vk().tables()));
    let sigs: Vec<SignedMessage> = (0..n).map(|i| signed(i, 1)).collect();
    let per = |cpu: f64| 1000.0 * cpu / n as f64;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    generate(&sigs, log, &mut Requests::new()).unwrap();
    println!(
        "traces: {:.2} s, {:.3} ms CPU a signature",
        start.elapsed().as_secs_f64(),
        per(cpu_seconds() - cpu)
    );
    let traces = traces(&sigs, log);
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let proof = prove(&pk, &traces, &publics()).unwrap();
    println!(
        "prove: {:.2} s, {:.3} ms CPU a signature",
        start.elapsed().as_secs_f64(),
        per(cpu_seconds() - cpu)
    );
    let bytes = proof.to_bytes().unwrap();
    let start = Instant::now();
    verify(pk.vk(), &bytes, &publics()).unwrap();
    println!("verify: {:.1} ms, {} bytes", start.elapsed().as_secs_f64() * 1e3, bytes.len());
}
