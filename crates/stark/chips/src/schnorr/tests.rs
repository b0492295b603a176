//! Honest signatures, and the lies that must be refused.

use std::time::Instant;

use tsz_air::{
    Air, BaseAir, Columns, F, Field, InteractionBuilder, PrimeCharacteristicRing, Requests, TableAir, Tamper,
    Trace, Violation, WindowAccess, air_enum, assert_degrees, bus, check, columns, from_rows, report,
};
use tsz_hash::Digest;
use tsz_sig::curve::{Affine, Curve};
use tsz_sig::{Challenge, KeyId, PublicKey, Scalar, SecretKey, Septic, Signature};
use tsz_stark::{Circuit, Profile, ProvingKey, VerifyError, prove, setup, verify};

use super::*;
use crate::poseidon2::{self, Poseidon2Table};
use crate::range::{self, RangeTable};

columns! {
    /// A message that a circuit needs signed.
    struct UserCols {
        /// Boolean: look the message up.
        is_real,
        /// The key.
        key_id: [8],
        /// The message.
        msg: [8],
    }
}

#[derive(Clone)]
struct User;

impl TableAir for User {
    fn name(&self) -> String {
        "user".into()
    }
}

impl BaseAir<F> for User {
    fn width(&self) -> usize {
        UserCols::<F>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for User {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = UserCols::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        bus::sig::lookup(builder, row.key_id, row.msg, row.is_real);
    }
}

air_enum! {
    /// Tables of the tests.
    enum TestAir {
        User(User), Sig(SigTable), Ladder(LadderTable), Comb(CombTable), Poseidon2(Poseidon2Table),
        Range(RangeTable),
    }
}

/// Positions of the tables.
const SIG: usize = 1;
const LADDER: usize = 2;
const COMB: usize = 3;

fn airs(profile: Profile, log: usize) -> Circuit<TestAir> {
    let tables: [(TestAir, usize); 6] = [
        (User.into(), log),
        (SigTable.into(), log),
        (LadderTable::new().into(), log + LOG_ROWS),
        (CombTable.into(), COMB_LOG_HEIGHT),
        (Poseidon2Table::new().into(), log + 1),
        (RangeTable.into(), range::LOG_HEIGHT),
    ];
    Circuit::new(profile, tables)
}

fn key(i: usize) -> SecretKey {
    SecretKey::from_seed(&i.to_le_bytes())
}

fn message(i: usize) -> Digest {
    core::array::from_fn(|k| F::from_usize(1000 * i + k))
}

fn signed(i: usize, uses: u32) -> SignedMessage {
    let (key, message) = (key(i), message(i));
    SignedMessage { key: key.public_key(), message, signature: key.sign(&message), uses }
}

const LOG: usize = 6;
/// Signatures of [`honest`]; their uses are 1, 2, 0.
const COUNT: usize = 3;

fn honest() -> Vec<SignedMessage> {
    vec![signed(0, 1), signed(1, 2), signed(2, 0)]
}

/// Traces where the user looks each message up as often as the signature says.
fn traces(sigs: &[SignedMessage], log: usize) -> Vec<Trace> {
    let wanted: Vec<_> =
        sigs.iter().flat_map(|s| vec![(s.key.key_id(), s.message); s.uses as usize]).collect();
    traces_for(sigs, &wanted, log)
}

fn traces_for(sigs: &[SignedMessage], wanted: &[(KeyId, Digest)], log: usize) -> Vec<Trace> {
    let mut requests = Requests::new();
    let tables = generate(sigs, log, &mut requests).unwrap();
    let users: Vec<UserCols<F>> =
        wanted.iter().map(|(key_id, msg)| UserCols { is_real: F::ONE, key_id: *key_id, msg: *msg }).collect();
    let mut traces = vec![from_rows(&users, log), tables.sig, tables.schnorr, tables.comb];
    traces.extend(poseidon2::traces(&requests.p2, &[log + 1]).unwrap());
    traces.push(range::trace(&requests.range));
    traces
}

fn publics() -> Vec<Vec<F>> {
    vec![vec![]; 6]
}

fn verdict(traces: &[Trace]) -> Result<(), Violation> {
    check(&airs(Profile::InsecureTest, LOG).airs, traces, &publics())
}

/// Asserts that a constraint of the table fails.
fn assert_constraint(traces: &[Trace], table: &str) {
    match verdict(traces) {
        Err(Violation::Constraint { air, .. }) if air == table => {}
        other => panic!("expected a failing constraint of {table}, got {other:?}"),
    }
}

/// Asserts that the bus does not balance while all constraints hold.
fn assert_bus(traces: &[Trace], name: &str) {
    match verdict(traces) {
        Err(Violation::Bus { bus, .. }) if bus == name => {}
        other => panic!("expected an unbalanced {name}, got {other:?}"),
    }
}

fn edit_sig(traces: &mut [Trace], row: usize, f: impl FnOnce(&mut SigCols<F>)) {
    let out = &mut traces[SIG].values[row * SigCols::<F>::WIDTH..][..SigCols::<F>::WIDTH];
    let mut cols = SigCols::from_row(out);
    f(&mut cols);
    cols.to_row(out);
}

fn edit_ladder(traces: &mut [Trace], row: usize, f: impl FnOnce(&mut LadderCols<F>)) {
    let out = &mut traces[LADDER].values[row * LadderCols::<F>::WIDTH..][..LadderCols::<F>::WIDTH];
    let mut cols = LadderCols::from_row(out);
    f(&mut cols);
    cols.to_row(out);
}

fn swap_rows(trace: &mut Trace, a: usize, b: usize) {
    (0..trace.width).for_each(|c| trace.values.swap(a * trace.width + c, b * trace.width + c));
}

fn keys() -> ProvingKey<TestAir> {
    setup(airs(Profile::InsecureTest, LOG)).unwrap()
}

fn accepted(pk: &ProvingKey<TestAir>, traces: &[Trace]) -> bool {
    let proof = prove(pk, traces, &publics()).unwrap().to_bytes().unwrap();
    match verify(pk.vk(), &proof, &publics()) {
        Ok(_) => true,
        Err(VerifyError::Invalid(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

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
fn rejects_a_forged_response() {
    let mut sigs = honest();
    sigs[0].signature.s = sigs[0].signature.s + Scalar::ONE;
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_a_forged_challenge() {
    let mut sigs = honest();
    let mut bytes = sigs[0].signature.e.to_bytes();
    bytes[7] ^= 1;
    sigs[0].signature.e = Challenge::from_bytes(&bytes);
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_another_accounts_key() {
    let mut sigs = honest();
    sigs[0].key = key(9).public_key();
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_the_negated_key() {
    let mut sigs = honest();
    sigs[0].key = PublicKey::from_point(sigs[0].key.point().neg()).unwrap();
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_a_key_id_with_another_ordinate() {
    // The id says -P, the ladder uses P.
    let mut tables = traces(&honest(), LOG);
    edit_sig(&mut tables, 2, |row| row.key_id[7] = -row.key_id[7]);
    assert!(verdict(&tables).is_err());
}

#[test]
fn rejects_a_changed_message() {
    let mut sigs = honest();
    sigs[0].message[7] += F::ONE;
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_a_message_that_nobody_signed() {
    let sigs = honest();
    let other = (sigs[0].key.key_id(), message(7));
    let wanted = [other, (sigs[1].key.key_id(), sigs[1].message), (sigs[1].key.key_id(), sigs[1].message)];
    assert_bus(&traces_for(&sigs, &wanted, LOG), "sig");
}

#[test]
fn rejects_more_uses_than_provided() {
    let mut tables = traces(&honest(), LOG);
    edit_sig(&mut tables, 1, |row| row.mult = F::ONE);
    assert_bus(&tables, "sig");
}

#[test]
fn rejects_a_wrong_hash() {
    for lane in 0..8 {
        let mut tables = traces(&honest(), LOG);
        edit_sig(&mut tables, 0, |row| row.h1[lane] += F::ONE);
        assert_bus(&tables, "p2");
    }
}

#[test]
fn rejects_a_non_canonical_limb() {
    // hi one lower makes the limb 2^24 higher: hi stays in range, no 24 bits sum up to the limb.
    let mut tables = traces(&honest(), LOG);
    edit_sig(&mut tables, 0, |row| row.hi[2] -= F::ONE);
    assert!(matches!(verdict(&tables), Err(Violation::Bus { .. })));
    // A lane h as h + p: hi = 120.. and lo = h + 1, which is below 2^24. The ladder agrees; the range does not.
    let high = F::from_u32(tsz_sig::challenge::HIGH_LIMIT);
    assert_eq!(high * F::from_u32(1 << 24) + F::ONE, F::ZERO);
    let mut requests = Requests::new();
    requests.range(tsz_sig::challenge::HIGH_LIMIT + HIGH_SHIFT);
    assert!(requests.range.iter().all(|n| *n == 0), "120 has no entry");
    requests.range(tsz_sig::challenge::HIGH_LIMIT - 1 + HIGH_SHIFT);
    assert_eq!(requests.range[4095], 1);
}

#[test]
fn rejects_a_digit_out_of_the_set() {
    // The same limb with 2 in one bit and the next higher bit one lower.
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 3, |row| {
        let j = (0..7).find(|j| row.bits[*j] == F::ONE && row.bits[j + 1] == F::ZERO).unwrap();
        row.bits[j] = F::ZERO;
        row.bits[j + 1] = F::TWO;
    });
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_flipped_bit() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 5, |row| row.bits[0] = F::ONE - row.bits[0]);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_limbs_that_start_above_zero() {
    let mut tables = traces(&honest(), LOG);
    for row in 0..ROWS {
        edit_ladder(&mut tables, row, |row| row.limbs[1] += F::ONE);
    }
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_skipped_row() {
    let mut tables = traces(&honest(), LOG);
    let width = tables[LADDER].width;
    let len = tables[LADDER].values.len();
    tables[LADDER].values.copy_within(5 * width..len, 4 * width);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_swapped_rows() {
    let mut tables = traces(&honest(), LOG);
    swap_rows(&mut tables[LADDER], 4, 5);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_swapped_blocks() {
    // Each ladder would start at the end of another signature's comb.
    let mut tables = traces(&honest(), LOG);
    (0..ROWS).for_each(|r| swap_rows(&mut tables[LADDER], r, ROWS + r));
    assert_constraint(&tables, "schnorr");
}

#[test]
fn accepts_swapped_signature_rows() {
    let mut tables = traces(&honest(), LOG);
    swap_rows(&mut tables[SIG], 0, 50);
    verdict(&tables).unwrap();
}

#[test]
fn rejects_a_padding_row_that_provides() {
    let wanted = [(key(0).public_key().key_id(), message(0))];
    let mut tables = traces_for(&[], &wanted, LOG);
    let fake = |row: &mut SigCols<F>| (row.key_id, row.msg, row.mult) = (wanted[0].0, wanted[0].1, F::ONE);
    edit_sig(&mut tables, 9, fake);
    assert_constraint(&tables, "sig");
    // With is_real set it must look its statement up.
    edit_sig(&mut tables, 9, |row| row.is_real = F::ONE);
    assert!(matches!(verdict(&tables), Err(Violation::Bus { .. })));
    edit_sig(&mut tables, 9, |row| row.is_real = F::TWO.inverse());
    assert_constraint(&tables, "sig");
}

#[test]
fn rejects_a_statement_provided_before_the_last_row() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 7, |row| row.uses = F::ONE);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_padding_block_that_provides_too_much() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, ROWS * COUNT + ROWS - 1, |row| row.uses = F::ONE);
    assert_bus(&tables, "schnorr");
}

/// Replaces the first signature's key by a point off the curve; everything else is recomputed honestly: without
/// the curve equation the key would be accepted, as the formulas never use b.
#[test]
fn rejects_a_key_off_the_curve() {
    let mut tables = traces(&honest(), LOG);
    let off = Affine { x: Septic::new([1, 2, 3, 4, 5, 6, 7]), y: Septic::new([7, 6, 5, 4, 3, 2, 1]) };
    assert!(!off.is_on_curve());
    for row in 0..ROWS {
        edit_ladder(&mut tables, row, |row| (row.key_x, row.key_y) = (off.x.0, off.y.0));
    }
    match verdict(&tables) {
        // The curve equation is the first constraint of the table.
        Err(Violation::Constraint { air, row: 0, constraint }) => {
            assert!(air == "schnorr" && constraint < 7, "{constraint}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejects_a_key_that_changes_within_a_block() {
    let mut tables = traces(&honest(), LOG);
    let other = *key(5).public_key().point();
    edit_ladder(&mut tables, ROWS - 1, |row| (row.key_x, row.key_y) = (other.x.0, other.y.0));
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_ladder_that_starts_elsewhere() {
    // The forger's favourite: start where the ladder needs to, not where the comb ends.
    let mut tables = traces(&honest(), LOG);
    let start = <Septic as Curve<7>>::G;
    edit_ladder(&mut tables, ROWS, |row| (row.x[0], row.y_first) = (start.x.0, start.y.0));
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_comb_entry_of_another_window() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 2, |row| row.window += F::TWO);
    assert_constraint(&tables, "schnorr");
    let mut tables = traces(&honest(), LOG);
    tables[COMB].values[0] += F::ONE;
    assert_bus(&tables, "comb");
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
