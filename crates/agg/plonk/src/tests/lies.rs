//! Lies: false traces and false programs that the tables must refuse, each for its own reason.

use p3_field::{Field, PrimeCharacteristicRing};
use tsz_air::{BaseAir, Tamper, Trace, Violation, check};
use tsz_stark::{F, VerifyError};

use super::{by_table, ext, felt, rng, satisfied};
use crate::gadgets::{fri, hash};
use crate::tables::{PlonkAir, poseidon2};
use crate::{Builder, Program, Value};

const ALU: usize = 0;
const P2: usize = 1;
const PACK: usize = 2;
const BITS: usize = 3;
const HORNER: usize = 4;
const PUBLIC: usize = 5;

/// A program that uses every table and every kind of slot.
pub(super) fn demo() -> (Builder, Vec<Value>) {
    let mut rng = rng(42);
    let mut b = Builder::new();
    let index = b.public();
    let bits = b.bits(index);
    let alpha = b.input_ext();
    let quads: Vec<_> = (0..6).map(|_| b.input_ext()).collect();
    let leaf = hash::sponge_quads(&mut b, &quads);
    let path: Vec<_> = (0..5).map(|_| hash::input(&mut b)).collect();
    let root = hash::merkle_root(&mut b, leaf, &bits[..5], &path);
    hash::expose(&mut b, root);
    let reduced = fri::reduce_quads(&mut b, alpha, &quads);
    let folded = fri::fold_row(&mut b, &bits[..5], 2, alpha, &[quads[0], quads[1], reduced, quads[2]]);
    let inverse = b.inverse(folded);
    b.expose_ext(inverse);
    let loose = b.input();
    let shifted = b.add_constant(loose, F::from_u8(3));
    let product = b.mul(shifted, loose);
    b.expose(product);
    let mut inputs = vec![Value::from_u8(0b10110)];
    inputs.extend((0..7 + 10).map(|_| ext(&mut rng)));
    inputs.push(felt(&mut rng).into());
    (b, inputs)
}

struct Case {
    program: Program,
    airs: Vec<PlonkAir>,
    traces: Vec<Trace>,
    publics: Vec<F>,
}

impl Case {
    fn new(b: Builder, inputs: &[Value]) -> Self {
        let (program, witness) = satisfied(b, inputs);
        let traces = program.traces(&witness);
        let airs = program.circuit().airs;
        Self { program, airs, traces, publics: witness.publics }
    }

    fn demo() -> Self {
        let (b, inputs) = demo();
        Self::new(b, &inputs)
    }

    fn cell(&mut self, table: usize, row: usize, column: usize) -> &mut F {
        let trace = &mut self.traces[table];
        &mut trace.values[row * trace.width + column]
    }

    fn violation(&self) -> Violation {
        check(&self.airs, &self.traces, &by_table(&self.publics)).unwrap_err()
    }

    /// Proves the false traces: the proof must not verify. Returns what is violated.
    fn refused(self) -> Violation {
        let violation = self.violation();
        let prover = self.program.keys().unwrap();
        let proof = tsz_stark::prove(prover.proving_key(), &self.traces, &by_table(&self.publics)).unwrap();
        let result = crate::verify(prover.vk(), &self.publics, &proof.to_bytes().unwrap());
        assert!(matches!(result, Err(VerifyError::Invalid(_))), "{violation}");
        violation
    }

    /// Changes a preprocessed cell of a table; the column counts addresses first, then multiplicities.
    fn program_cell(&mut self, table: usize, row: usize, column: usize, change: impl Fn(F) -> F) {
        let mut program = self.airs[table].preprocessed_trace().unwrap();
        let cell = &mut program.values[row * program.width + column];
        *cell = change(*cell);
        self.airs[table] = self.airs[table].with_program(program);
    }
}

fn is_bus(violation: &Violation) -> bool {
    matches!(violation, Violation::Bus { bus, .. } if bus == "wit")
}

fn is_constraint(violation: &Violation, table: &str) -> bool {
    matches!(violation, Violation::Constraint { air, .. } if air == table)
}

#[test]
fn rejects_a_result_that_is_not_the_form() {
    let mut case = Case::demo();
    *case.cell(ALU, 3, 12) += F::ONE;
    assert!(is_constraint(&case.refused(), "alu"));
}

#[test]
fn rejects_an_operand_that_is_not_the_wire() {
    // a + 1 = d + 1 holds as arithmetic; the bus says that both wires are others.
    let mut b = Builder::new();
    let x = b.public();
    let y = b.add_constant(x, F::ONE);
    b.expose(y);
    let mut case = Case::new(b, &[Value::TWO]);
    *case.cell(ALU, 0, 0) += F::ONE;
    *case.cell(ALU, 0, 12) += F::ONE;
    *case.cell(PUBLIC, 0, 1) += F::ONE;
    case.publics[1] += F::ONE;
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_an_extension_value_for_a_felt() {
    // x is read by arithmetic alone, where any extension value would do.
    let mut b = Builder::new();
    let x = b.input();
    let y = b.scale(x, F::TWO);
    let z = b.scale(y, F::TWO);
    b.assert_eq(z, y);
    let mut case = Case::new(b, &[Value::ZERO]);
    assert_eq!(case.program.rows().pack, 1, "the felt has a slot of base type");
    // With the coefficient 2 the row holds; only the bus objects.
    *case.cell(ALU, 0, 1) = F::ONE;
    *case.cell(ALU, 0, 13) = F::TWO;
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_a_changed_public_value() {
    let mut case = Case::demo();
    case.publics[3] += F::ONE;
    assert!(is_constraint(&case.violation(), "public"));
    *case.cell(PUBLIC, 0, 3) += F::ONE;
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_bits_that_are_not_canonical() {
    // 0 as p = 15 * 2^27 + 1, with every reader of the bits in accord.
    let mut b = Builder::new();
    let x = b.public();
    let bits = b.bits(x);
    b.expose(bits[0].into());
    let mut case = Case::new(b, &[Value::ZERO]);
    for k in [0, 27, 28, 29, 30, 31, 32] {
        *case.cell(BITS, 0, k) = F::ONE;
    }
    *case.cell(PUBLIC, 0, 1) = F::ONE;
    case.publics[1] = F::ONE;
    assert!(is_constraint(&case.violation(), "bits"));
    // The flag cannot be denied either.
    *case.cell(BITS, 0, 32) = F::ZERO;
    assert!(is_constraint(&case.violation(), "bits"));
    *case.cell(BITS, 0, 31) = F::ZERO;
    assert!(is_constraint(&case.refused(), "bits"));
}

#[test]
fn rejects_a_bit_that_is_not_boolean() {
    let mut b = Builder::new();
    let x = b.public();
    let bits = b.bits(x);
    b.expose(bits[0].into());
    b.expose(bits[1].into());
    let mut case = Case::new(b, &[Value::TWO]);
    for (k, v) in [(0, 2), (1, 0)] {
        *case.cell(BITS, 0, k) = F::from_u8(v);
        *case.cell(PUBLIC, 0, k + 1) = F::from_u8(v);
        case.publics[k + 1] = F::from_u8(v);
    }
    assert!(is_constraint(&case.refused(), "bits"));
}

#[test]
fn rejects_a_permutation_with_another_result() {
    let mut case = Case::demo();
    *case.cell(P2, 2, poseidon2::BIT - 1) += F::ONE;
    assert!(is_constraint(&case.refused(), "poseidon2"));
}

#[test]
fn rejects_an_exchange_on_a_row_without_swap_bit() {
    // The row of a plain permutation P(x, x) is true with either order: the flag itself is refused.
    let mut b = Builder::new();
    let x = b.input_ext();
    let y = b.permute([x, x, x, x]);
    b.expose_ext(y[0]);
    let mut case = Case::new(b, &[ext(&mut rng(3))]);
    *case.cell(P2, 0, poseidon2::BIT) = F::ONE;
    assert!(is_constraint(&case.refused(), "poseidon2"));
}

#[test]
fn rejects_a_sibling_on_the_other_side() {
    // The bit is denied, and the permutation is an honest one of the halves in the other order: the slots still
    // read the right quads. The bit's wire and the root are others.
    let mut b = Builder::new();
    let bit = b.public();
    let bit = b.assert_bool(bit);
    let x: [_; 4] = core::array::from_fn(|_| b.input_ext());
    let root = b.permute_pair(bit, [x[0], x[1]], [x[2], x[3]]);
    b.expose_ext(root[0]);
    let quads: [Value; 4] = core::array::from_fn(|k| ext(&mut rng(k as u64)));
    let honest = |bit| Case::new(b.clone(), &[&[bit], &quads[..]].concat());
    let (mut case, other) = (honest(Value::ZERO), honest(Value::ONE));
    case.traces[P2] = other.traces[P2].clone();
    case.traces[PACK] = other.traces[PACK].clone();
    case.traces[PUBLIC] = other.traces[PUBLIC].clone();
    let bit = case.publics[0];
    case.publics = other.publics.clone();
    *case.cell(PUBLIC, 0, 0) = bit;
    case.publics[0] = bit;
    assert!(is_bus(&case.refused()));
}

/// A batch reduction of five quads: three rows, the first with one.
fn reduction() -> (Case, Vec<Value>) {
    let mut rng = rng(21);
    let mut b = Builder::new();
    let alpha = b.input_ext();
    let quads: Vec<_> = (0..5).map(|_| b.input_ext()).collect();
    let reduced = fri::reduce_quads(&mut b, alpha, &quads);
    b.expose_ext(reduced);
    let inputs: Vec<Value> = (0..6).map(|_| ext(&mut rng)).collect();
    let case = Case::new(b, &inputs);
    assert_eq!(case.program.rows().horner, 3);
    (case, inputs)
}

#[test]
fn rejects_an_accumulator_that_jumps_within_a_chain() {
    let (mut case, _) = reduction();
    // Row 1 starts elsewhere.
    *case.cell(HORNER, 1, BEFORE) += F::ONE;
    assert!(is_constraint(&case.refused(), "horner"));
    // A chain starts from something.
    let (mut case, _) = reduction();
    *case.cell(HORNER, 0, BEFORE) += F::ONE;
    assert!(is_constraint(&case.refused(), "horner"));
}

#[test]
fn rejects_an_alpha_that_changes_within_a_chain() {
    let (mut case, _) = reduction();
    // A row of zeros keeps every constraint of its own.
    assert_ne!(*case.cell(HORNER, 1, 0), F::ZERO);
    for k in 0..case.traces[HORNER].width {
        *case.cell(HORNER, 1, k) = F::ZERO;
    }
    assert!(is_constraint(&case.refused(), "horner"));
}

/// A program of one polynomial of five coefficients: three rows, the first with one.
pub(super) fn polynomial_program() -> (Builder, Vec<Value>) {
    let mut rng = rng(19);
    let mut b = Builder::new();
    let x = b.input_ext();
    let values: Vec<_> = (0..5).map(|_| b.input_ext()).collect();
    let y = fri::reduce(&mut b, x, &values);
    b.expose_ext(y);
    // The coefficients are no free choice of the rows.
    values.iter().for_each(|value| b.expose_ext(*value));
    (b, (0..6).map(|_| ext(&mut rng)).collect())
}

fn polynomial() -> (Case, Vec<Value>) {
    let (b, inputs) = polynomial_program();
    let case = Case::new(b, &inputs);
    assert_eq!((case.program.rows().alu, case.program.rows().horner), (1, 3));
    (case, inputs)
}

/// Columns of the table of batch reductions and polynomials.
const BEFORE: usize = 4;
const STEP: usize = 12;
const HIGH: usize = 16;
const AFTER: usize = 24;

impl Case {
    fn quad(&mut self, table: usize, row: usize, column: usize) -> Value {
        crate::from_coordinates(core::array::from_fn(|k| *self.cell(table, row, column + k)))
    }

    fn set_quad(&mut self, table: usize, row: usize, column: usize, value: Value) {
        for (k, x) in crate::coordinates(value).into_iter().enumerate() {
            *self.cell(table, row, column + k) = x;
        }
    }

    /// Writes a step into the rows of a polynomial, and the results that follow from it, up to the public values.
    fn with_step(&mut self, step: Value) {
        let mut acc = Value::ZERO;
        for row in 0..3 {
            self.set_quad(HORNER, row, STEP, step);
            self.set_quad(HORNER, row, BEFORE, acc);
            acc = (0..2).fold(acc, |acc, j| acc * step + self.quad(HORNER, row, HIGH + 4 * j));
            self.set_quad(HORNER, row, AFTER, acc);
        }
        self.set_quad(PACK, 0, 0, acc);
        self.set_quad(PUBLIC, 0, 0, acc);
        self.publics[..4].copy_from_slice(&crate::coordinates(acc));
    }
}

#[test]
fn rejects_a_polynomial_with_the_steps_of_a_batch_reduction() {
    let (mut case, inputs) = polynomial();
    let honest = case.publics.clone();
    case.with_step(inputs[0]);
    assert_eq!(case.publics, honest);
    check(&case.airs, &case.traces, &by_table(&case.publics)).unwrap();
    case.with_step(inputs[0].square().square());
    assert_ne!(case.publics, honest);
    assert!(is_constraint(&case.refused(), "horner"));
}

#[test]
fn rejects_powers_of_the_step_that_are_none() {
    for column in [8, STEP] {
        let (mut case, _) = polynomial();
        *case.cell(HORNER, 1, column) += F::ONE;
        assert!(is_constraint(&case.violation(), "horner"));
    }
}

#[test]
fn rejects_a_batch_reduction_with_the_steps_of_a_polynomial() {
    let mut case = Case::demo();
    let alpha = case.quad(HORNER, 0, 0);
    case.set_quad(HORNER, 0, STEP, alpha);
    assert!(is_constraint(&case.refused(), "horner"));
}

#[test]
fn quads_that_are_missing_count_for_nothing_or_are_zero() {
    // A batch reduction of five quads: the one that is missing is masked.
    let (mut case, _) = reduction();
    case.set_quad(HORNER, 0, HIGH, ext(&mut rng(20)));
    check(&case.airs, &case.traces, &by_table(&case.publics)).unwrap();
    // That of a polynomial reads a constant.
    let (mut case, inputs) = polynomial();
    case.set_quad(HORNER, 0, HIGH, Value::ONE);
    case.with_step(inputs[0]);
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_a_polynomial_with_another_start_or_exchanged_coefficients() {
    let (mut case, _) = polynomial();
    case.set_quad(HORNER, 0, BEFORE, Value::ONE);
    assert!(is_constraint(&case.violation(), "horner"));
    let (mut case, inputs) = polynomial();
    // The results are those of the exchanged coefficients; the bus says that they are others.
    let [x, y] = [HIGH, HIGH + 4].map(|column| case.quad(HORNER, 1, column));
    case.set_quad(HORNER, 1, HIGH, y);
    case.set_quad(HORNER, 1, HIGH + 4, x);
    case.with_step(inputs[0]);
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_rows_of_a_polynomial_that_do_not_meet() {
    let (mut case, inputs) = polynomial();
    case.with_step(inputs[0]);
    // The last row starts from another value and says what follows from it.
    case.set_quad(HORNER, 2, BEFORE, Value::ONE);
    let after = (0..2).fold(Value::ONE, |acc, j| acc * inputs[0] + case.quad(HORNER, 2, HIGH + 4 * j));
    case.set_quad(HORNER, 2, AFTER, after);
    case.set_quad(PACK, 0, 0, after);
    case.set_quad(PUBLIC, 0, 0, after);
    case.publics[..4].copy_from_slice(&crate::coordinates(after));
    assert!(is_constraint(&case.refused(), "horner"));
}

#[test]
fn a_program_that_takes_a_polynomial_for_a_batch_reduction_is_another() {
    let (case, _) = polynomial();
    let mut program = case.program.circuit().airs[HORNER].preprocessed_trace().unwrap();
    // Addresses, multiplicities, chain, first, then whether the row is one of a polynomial.
    let cell = &mut program.values[program.width + 10];
    assert_eq!(*cell, F::ONE);
    *cell = F::ZERO;
    let mut airs = case.airs.clone();
    airs[HORNER] = airs[HORNER].with_program(program);
    let found = check(&airs, &case.traces, &by_table(&case.publics)).unwrap_err();
    assert!(is_constraint(&found, "horner"), "{found}");
}

/// Wires that are asserted to be equal share an address: an assertion between results takes no row, and a trace
/// in which the two results differ does not balance.
#[test]
fn rejects_results_that_are_asserted_equal_and_differ() {
    let program = |assert: bool| {
        let mut b = Builder::new();
        let (x, y) = (b.input_ext(), b.input_ext());
        let (p, q) = (b.mul(x, y), b.mul_add(x, x, y));
        if assert {
            b.assert_eq(p, q);
        }
        // Both are read, before and after one another.
        let r = b.mul(p, q);
        b.expose_ext(r);
        b
    };
    // x y = x^2 + y for y = x^2 / (x - 1).
    let x = ext(&mut rng(3));
    let y = x * x * (x - Value::ONE).inverse();
    let mut case = Case::new(program(true), &[x, y]);
    let free = Case::new(program(false), &[x, y]);
    assert_eq!(case.program.rows().alu, free.program.rows().alu, "the assertion takes no row");
    let (_, unequal) = satisfied(program(false), &[x, y + Value::ONE]);
    assert!(case.program.run(&[x, y + Value::ONE]).is_err());
    // Every equation of the rows holds; only the shared address tells the lie.
    case.traces = free.program.traces(&unequal);
    case.publics = unequal.publics;
    assert!(is_bus(&case.refused()));
}

/// A witness value of the base field keeps a slot that is in the base field, whatever it is asserted to be.
#[test]
fn a_felt_that_is_asserted_equal_keeps_its_row_and_its_home() {
    let mut b = Builder::new();
    let (x, f) = (b.input_ext(), b.input());
    b.assert_eq(x, f.into());
    let square = b.square(x);
    b.expose_ext(square);
    let five = Value::from_u8(5);
    let program = Program::fitted(b, tsz_stark::Profile::InsecureNode).unwrap();
    assert!(program.run(&[five, five]).is_ok());
    assert!(program.run(&[ext(&mut rng(6)), five]).is_err());
    // One row for the assertion, one for the value's home.
    assert_eq!((program.rows().alu, program.rows().pack), (2, 2));
}

/// An extension value in place of a felt that is asserted to be equal to it: every row of arithmetic holds with it,
/// and the felt's home, which has room for one felt, is what does not.
#[test]
fn rejects_an_extension_value_for_a_felt_that_is_asserted_equal_to_one() {
    let mut b = Builder::new();
    let (x, f) = (b.input_ext(), b.input());
    b.assert_eq(x, f.into());
    let square = b.square(x);
    b.expose_ext(square);
    let five = Value::from_u8(5);
    let lie = ext(&mut rng(6));
    // The same rows without the felt's type: there the extension value is honest.
    let mut free = Builder::new();
    let (y, g) = (free.input_ext(), free.input_ext());
    let difference = free.sub(y, g);
    free.assert_zero(difference);
    let square = free.square(y);
    free.expose_ext(square);
    let mut case = Case::new(b, &[five, five]);
    let witness = Case::new(free, &[lie, lie]);
    case.publics = witness.publics.clone();
    case.traces[PUBLIC] = witness.traces[PUBLIC].clone();
    let (slots, width) = (4, case.traces[ALU].width);
    let old = [five, five * five].map(crate::coordinates);
    let new = [lie, lie * lie].map(crate::coordinates);
    for row in 0..case.program.rows().alu {
        for slot in 0..slots {
            let cells = &mut case.traces[ALU].values[row * width + 4 * slot..][..4];
            for (old, new) in old.iter().zip(&new) {
                if cells == old {
                    cells.copy_from_slice(new);
                    break;
                }
            }
        }
    }
    for row in 0..case.program.rows().pack {
        let cells = &mut case.traces[PACK].values[4 * row..][..4];
        if cells == old[1] {
            cells.copy_from_slice(&new[1]);
        }
    }
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_a_quotient_that_is_none() {
    let mut b = Builder::new();
    let (n, z, x) = (b.input_ext(), b.input_ext(), b.input_ext());
    let scale = F::from_u8(31);
    let v = b.quotient(n, z, x, scale);
    b.expose_ext(v);
    let mut rng = rng(5);
    let inputs: Vec<Value> = (0..3).map(|_| ext(&mut rng)).collect();
    let mut case = Case::new(b, &inputs);
    let v = (inputs[1] - inputs[2] * scale).inverse() * inputs[0];
    assert_eq!(case.publics, crate::coordinates(v));
    let zero = case.program.run(&[inputs[0], inputs[2] * scale, inputs[2]]);
    assert!(zero.unwrap_err().to_string().contains("zero has no inverse"));
    let row = (0..case.program.rows().alu).find(|row| *case.cell(ALU, *row, 0) == crate::coordinates(v)[0]);
    *case.cell(ALU, row.unwrap(), 0) += F::ONE;
    assert!(is_constraint(&case.refused(), "alu"));
}

#[test]
fn rejects_a_quad_split_otherwise() {
    let mut b = Builder::new();
    let x = b.input_ext();
    b.expose_ext(x);
    let mut case = Case::new(b, &[ext(&mut rng(4))]);
    *case.cell(PACK, 0, 2) += F::ONE;
    assert!(is_bus(&case.refused()));
}

#[test]
fn rejects_programs_with_swapped_addresses_or_wrong_multiplicities() {
    type Change = (usize, usize, usize, fn(F) -> F);
    let changes: [Change; 8] = [
        // A result goes to another address.
        (ALU, 5, 3, |x| x + F::ONE),
        // An operand is read from another address.
        (P2, 1, 1, |x| x + F::ONE),
        // A definition counts one reader more, or none: a wire read without definition.
        (P2, 1, 9 + 6, |x| x - F::ONE),
        (P2, 1, 9 + 6, |_| F::ZERO),
        // A reader does not count.
        (PUBLIC, 0, 1 + 15, |_| F::ZERO),
        // A reader defines.
        (PUBLIC, 0, 1 + 15, |x| -x),
        // A padding row defines, or reads, address 1.
        (PACK, 63, 5, |_| -F::ONE),
        (BITS, 63, 32, |_| F::ONE),
    ];
    for (k, (table, row, column, change)) in changes.into_iter().enumerate() {
        let mut case = Case::demo();
        let count = case.publics.len();
        let column = if table == PUBLIC { count + column - 16 } else { column };
        case.program_cell(table, row, column, change);
        let found = check(&case.airs, &case.traces, &by_table(&case.publics));
        assert!(found.as_ref().is_err_and(is_bus), "change {k}: {found:?}");
    }
}

#[test]
fn a_padding_row_cannot_define_an_address_without_another_vk() {
    // The multiplicities of padding rows are preprocessed zeros: whatever a padding row holds, nobody reads it.
    let mut case = Case::demo();
    *case.cell(PACK, 63, 0) = F::ONE;
    check(&case.airs, &case.traces, &by_table(&case.publics)).unwrap();
    let honest = Case::demo().program.keys().unwrap();
    let mut circuit = case.program.circuit();
    let mut program = circuit.airs[PACK].preprocessed_trace().unwrap();
    let last = program.values.len() - program.width;
    program.values[last + 5] = -F::ONE;
    circuit.airs[PACK] = circuit.airs[PACK].with_program(program);
    let forged = tsz_stark::setup(circuit).unwrap();
    assert_ne!(forged.vk().digest(), honest.vk().digest());
}

#[test]
fn every_column_is_constrained() {
    let case = Case::demo();
    let rows = case.program.rows();
    Tamper {
        airs: &case.airs,
        traces: &case.traces,
        public_values: &by_table(&case.publics),
        real_rows: &[rows.alu, rows.poseidon2, rows.pack, rows.bits, rows.horner, 1],
        trials: 24,
        seed: 7,
    }
    .assert_constrained(&[]);
}
