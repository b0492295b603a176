//! Honest signatures, and the lies that must be refused.

mod honest;
mod hop;
mod lies;

use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, Requests, TableAir, Trace,
    Violation, WindowAccess, air_enum, bus, check, columns, from_rows,
};
use tsz_hash::Digest;
use tsz_sig::{KeyId, SecretKey};
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
