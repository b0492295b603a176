//! Circuits with what the recursion machine has not: periodic columns, tables without preprocessed columns or
//! without messages, public values in several tables, the base profile.

use p3_field::PrimeCharacteristicRing;
use tsz_air::{
    Air, AirBuilder, BaseAir, InteractionBuilder, LookupBus, RowMajorMatrix, TableAir, Trace, WindowAccess,
};
use tsz_plonk::Value;
use tsz_stark::{Circuit, F, Profile, Proof, ProvingKey};

use super::verifier::{circuit, refuses, run};
use crate::KeyValues;

const BUS: LookupBus<'static> = LookupBus::new("digit");
pub(super) const LOG_SUM: usize = 8;
pub(super) const LOG_DIGITS: usize = 6;
const LOG_LINE: usize = 7;

/// Three tables; the sum table comes first and is the tallest.
#[derive(Clone)]
pub(super) enum SmallAir {
    /// (digit, sum, tick): `sum` adds `weight * digit` with periodic weights of period 8; `tick` counts rows
    /// modulo 4, another periodic column. Public: the first digit, the last sum.
    Sum,
    /// (multiplicity) of the preprocessed digits 0..2^6. No public values.
    Digits,
    /// (x, y) with `y' = y + x`, x constant: no messages and no preprocessed columns. Public: x, the last y.
    Line,
}

fn weights() -> Vec<F> {
    [3, 1, 4, 1, 5, 9, 2, 6].map(F::from_u32).to_vec()
}

/// The weight of the next row.
fn next_weights() -> Vec<F> {
    let mut weights = weights();
    weights.rotate_left(1);
    weights
}

fn ticks() -> Vec<F> {
    (0..4).map(F::from_u32).collect()
}

impl TableAir for SmallAir {
    fn name(&self) -> String {
        match self {
            Self::Sum => "sum".into(),
            Self::Digits => "digits".into(),
            Self::Line => "line".into(),
        }
    }
}

impl BaseAir<F> for SmallAir {
    fn width(&self) -> usize {
        match self {
            Self::Sum => 3,
            Self::Digits => 1,
            Self::Line => 2,
        }
    }
    fn preprocessed_width(&self) -> usize {
        matches!(self, Self::Digits).into()
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let digits = || RowMajorMatrix::new((0..1 << LOG_DIGITS).map(F::from_u32).collect(), 1);
        matches!(self, Self::Digits).then(digits)
    }
    fn num_periodic_columns(&self) -> usize {
        if matches!(self, Self::Sum) { 3 } else { 0 }
    }
    fn periodic_columns(&self) -> std::borrow::Cow<'_, [Vec<F>]> {
        if matches!(self, Self::Sum) {
            vec![weights(), next_weights(), ticks()].into()
        } else {
            vec![].into()
        }
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        match self {
            Self::Sum => vec![0, 1],
            Self::Digits => vec![],
            Self::Line => vec![0, 1],
        }
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn num_public_values(&self) -> usize {
        if matches!(self, Self::Digits) { 0 } else { 2 }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SmallAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        match self {
            Self::Sum => {
                let next = main.next_slice();
                let periodic: Vec<AB::Expr> = builder.periodic_values().iter().map(|x| (*x).into()).collect();
                let [weight, next_weight, tick] = [0, 1, 2].map(|k| periodic[k].clone());
                builder.assert_eq(row[2], tick);
                builder.when_first_row().assert_eq(row[1], weight.clone() * row[0]);
                let (first, last) = (builder.public_values()[0], builder.public_values()[1]);
                builder.when_first_row().assert_eq(row[0], first);
                builder.when_last_row().assert_eq(row[1], last);
                builder.when_transition().assert_eq(next[1], row[1] + next_weight * next[0]);
                BUS.lookup_key(builder, [row[0]], 1);
            }
            Self::Digits => {
                let digit = builder.preprocessed().current_slice()[0];
                BUS.table_entry(builder, [digit], row[0]);
            }
            Self::Line => {
                let next = main.next_slice();
                let (x, last) = (builder.public_values()[0], builder.public_values()[1]);
                builder.when_transition().assert_eq(next[0], row[0]);
                builder.when_transition().assert_eq(next[1], row[1] + row[0]);
                builder.when_first_row().assert_eq(row[0], x);
                builder.when_last_row().assert_eq(row[1], last);
            }
        }
    }
}

struct Small {
    pk: ProvingKey<SmallAir>,
    proof: Proof,
    publics: Vec<Vec<F>>,
}

/// The trace of a line, and its public values.
pub(super) fn line(log: usize, x: u32) -> (Trace, Vec<F>) {
    let x = F::from_u32(x);
    let line: Vec<F> = (0..1 << log).flat_map(|k| [x, F::from_u32(k) * x]).collect();
    let publics = vec![x, line[line.len() - 1]];
    (RowMajorMatrix::new(line, 2), publics)
}

/// Honest traces, and their public values.
pub(super) fn traces() -> (Vec<Trace>, Vec<Vec<F>>) {
    let mut counts = vec![F::ZERO; 1 << LOG_DIGITS];
    let (mut sums, mut total) = (Vec::new(), F::ZERO);
    for k in 0..1 << LOG_SUM {
        let digit = k * 7 % 61;
        counts[digit] += F::ONE;
        let value = F::from_usize(digit);
        total += weights()[k % 8] * value;
        sums.extend([value, total, ticks()[k % 4]]);
    }
    let (line, line_publics) = line(LOG_LINE, 11);
    let publics = vec![vec![sums[0], total], vec![], line_publics];
    (vec![RowMajorMatrix::new(sums, 3), RowMajorMatrix::new(counts, 1), line], publics)
}

fn small(profile: Profile) -> Small {
    let tables = [(SmallAir::Sum, LOG_SUM), (SmallAir::Digits, LOG_DIGITS), (SmallAir::Line, LOG_LINE)];
    let pk = tsz_stark::setup(Circuit::new(profile, tables)).unwrap();
    let (traces, publics) = traces();
    let proof = tsz_stark::prove(&pk, &traces, &publics).unwrap();
    tsz_stark::verify_proof(pk.vk(), &proof, &publics).unwrap();
    Small { pk, proof, publics }
}

#[test]
fn accepts_proofs_of_circuits_of_every_kind_and_profile() {
    let insecure = [Profile::InsecureTest, Profile::InsecureNode];
    let base = [Profile::Base, Profile::Base4, Profile::Base8, Profile::Base8Ground, Profile::Base16];
    for profile in insecure.into_iter().chain(base).chain([Profile::Node]) {
        let Small { pk, proof, publics } = small(profile);
        run(&circuit(pk.vk()), pk.vk(), &proof, &publics).unwrap();
    }
}

/// The shape differs from that of the machine, so every input of it is changed as well.
#[test]
fn every_input_of_such_a_program_is_bound() {
    let Small { pk, proof, publics } = small(Profile::InsecureTest);
    let (verifier, program) = circuit(pk.vk());
    let honest = verifier.values(&KeyValues::from(pk.vk().as_ref()), &proof, &publics).unwrap();
    for at in 0..honest.len() {
        let mut wrong = honest.clone();
        wrong[at] += Value::ONE;
        assert!(program.run(&wrong).is_err(), "input {at} of {}", honest.len());
    }
}

#[test]
fn public_values_of_every_table_are_bound() {
    for profile in [Profile::InsecureTest, Profile::Base] {
        let Small { pk, proof, publics } = small(profile);
        let circuit = circuit(pk.vk());
        for (table, count) in [(0, 2), (2, 2)] {
            for k in 0..count {
                let mut wrong = publics.clone();
                wrong[table][k] += F::ONE;
                assert!(tsz_stark::verify_proof(pk.vk(), &proof, &wrong).is_err());
                assert!(refuses(&circuit, pk.vk(), &proof, &wrong), "{profile:?} {table} {k}");
            }
        }
    }
}

/// A trace that breaks a constraint with a periodic column gives a proof that both verifiers refuse.
#[test]
fn a_false_statement_about_a_periodic_column_is_refused() {
    let Small { pk, publics, .. } = small(Profile::InsecureTest);
    let circuit = circuit(pk.vk());
    let honest = traces().0;
    for (table, cell) in [(0, 2), (0, 3 * 100 + 2), (0, 3 * 9 + 1), (1, 4), (2, 2 * 5), (2, 2 * 9 + 1)] {
        let mut traces = honest.clone();
        traces[table].values[cell] += F::ONE;
        let proof = tsz_stark::prove(&pk, &traces, &publics).unwrap();
        assert!(tsz_stark::verify_proof(pk.vk(), &proof, &publics).is_err(), "{table} {cell}");
        assert!(refuses(&circuit, pk.vk(), &proof, &publics), "{table} {cell}");
    }
}
