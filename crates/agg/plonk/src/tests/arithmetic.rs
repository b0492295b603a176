//! Builder operations against native field arithmetic.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use rand::RngExt;
use rand::rngs::StdRng;
use tsz_stark::{F, Profile};

use super::{ext, felt, rng, satisfied};
use crate::run::run;
use crate::{Builder, Ext, Fault, Felt, Program, RunError, Value, coordinates, from_coordinates};

/// A random program next to the values it computes.
#[derive(Default)]
struct Mirror {
    b: Builder,
    inputs: Vec<Value>,
    felts: Vec<(Felt, F)>,
    exts: Vec<(Ext, Value)>,
}

impl Mirror {
    fn start(rng: &mut StdRng) -> Self {
        let mut m = Self::default();
        for k in 0..3 {
            let (x, y) = (felt(rng), ext(rng));
            m.inputs.extend([Value::from(x), y]);
            m.felts.push((m.b.input(), x));
            m.exts.push((m.b.input_ext(), y));
            // Small constants meet the identities of the optimiser.
            m.felts.push((m.b.constant(F::from_u8(k)), F::from_u8(k)));
            let c = if k == 2 { ext(rng) } else { Value::from_u8(k) };
            m.exts.push((m.b.constant(c), c));
        }
        m
    }

    fn felt(&self, rng: &mut StdRng) -> (Felt, F) {
        self.felts[rng.random_range(0..self.felts.len())]
    }

    fn ext(&self, rng: &mut StdRng) -> (Ext, Value) {
        if rng.random_range(0..4) == 0 {
            let (wire, value) = self.felt(rng);
            return (wire.into(), value.into());
        }
        self.exts[rng.random_range(0..self.exts.len())]
    }

    fn step_felt(&mut self, rng: &mut StdRng) {
        let (x, y, z) = (self.felt(rng), self.felt(rng), self.felt(rng));
        let b = &mut self.b;
        let made = match rng.random_range(0..10) {
            0 => (b.add(x.0, y.0), x.1 + y.1),
            1 => (b.sub(x.0, y.0), x.1 - y.1),
            2 => (b.mul(x.0, y.0), x.1 * y.1),
            3 => (b.mul_add(x.0, y.0, z.0), x.1 * y.1 + z.1),
            4 => (b.mul_sub(x.0, y.0, z.0), x.1 * y.1 - z.1),
            5 => (b.scale(x.0, F::from_u8(7)), x.1 * F::from_u8(7)),
            6 => (b.add_constant(x.0, F::TWO), x.1 + F::TWO),
            7 if y.1 != F::ZERO => (b.div(x.0, y.0), x.1 / y.1),
            8 => {
                let bits = b.bits(x.0);
                let k = rng.random_range(0..31);
                let bit = x.1.as_canonical_u32() >> k & 1 == 1;
                (b.select(bits[k], y.0, z.0), if bit { y.1 } else { z.1 })
            }
            _ => (b.sum(&[x.0, y.0, z.0, x.0]), x.1.double() + y.1 + z.1),
        };
        self.felts.push(made);
    }

    fn step_ext(&mut self, rng: &mut StdRng) {
        let (x, y, z) = (self.ext(rng), self.ext(rng), self.ext(rng));
        let b = &mut self.b;
        let made = match rng.random_range(0..9) {
            0 => (b.add(x.0, y.0), x.1 + y.1),
            1 => (b.sub(x.0, y.0), x.1 - y.1),
            2 => (b.mul(x.0, y.0), x.1 * y.1),
            3 => (b.mul_add(x.0, y.0, z.0), x.1 * y.1 + z.1),
            4 => (b.dot(&[x.0, y.0], &[y.0, z.0]), x.1 * y.1 + y.1 * z.1),
            5 => (b.neg(x.0), -x.1),
            6 if y.1 != Value::ZERO => (b.div(x.0, y.0), x.1 * y.1.inverse()),
            7 => {
                let parts = b.unpack(x.0);
                let v = coordinates(x.1);
                (b.pack([parts[3], parts[0], parts[2], parts[1]]), from_coordinates([v[3], v[0], v[2], v[1]]))
            }
            _ => {
                let q = [F::TWO, -F::ONE, F::from_u8(9)];
                (b.combine(q, [x.0, y.0, z.0]), x.1.double() - y.1 + z.1 * q[2])
            }
        };
        self.exts.push(made);
    }

    /// Random operations; the last results become public, and every result is asserted to be what it is.
    fn finish(mut self, rng: &mut StdRng, steps: usize) -> (Builder, Vec<Value>, Vec<F>) {
        for _ in 0..steps {
            self.step_felt(rng);
            self.step_ext(rng);
        }
        let mut publics = Vec::new();
        for (wire, value) in self.felts.iter().rev().take(steps / 2) {
            self.b.expose(*wire);
            publics.push(*value);
        }
        for (wire, value) in self.exts.iter().rev().take(steps / 2) {
            self.b.expose_ext(*wire);
            publics.extend(coordinates(*value));
        }
        (self.b, self.inputs, publics)
    }
}

#[test]
fn random_programs_agree_with_native_arithmetic_optimised_or_not() {
    for seed in 0..60 {
        let mut rng = rng(seed);
        let steps = rng.random_range(2..40);
        let (b, inputs, expected) = Mirror::start(&mut rng).finish(&mut rng, steps);
        assert_eq!(run(&b.ir, &inputs).unwrap().publics, expected, "unoptimised, seed {seed}");
        let program = Program::fitted(b.clone(), Profile::InsecureNode).unwrap();
        assert_eq!(program.run(&inputs).unwrap().publics, expected, "seed {seed}");
        if seed < 12 {
            satisfied(b, &inputs);
        }
    }
}

#[test]
fn bits_are_those_of_the_canonical_representative() {
    let edges = [0, 1, 2, (1 << 27) - 1, 1 << 27, 7 << 27, 1 << 30, (15 << 27) - 1, 15 << 27];
    let mut b = Builder::new();
    for _ in edges {
        let x = b.public();
        for bit in b.bits(x) {
            b.expose(bit.into());
        }
    }
    let inputs = edges.map(Value::from_u32);
    let (_, witness) = satisfied(b, &inputs);
    for (x, publics) in edges.iter().zip(witness.publics.chunks(32)) {
        assert_eq!(publics[0], F::from_u32(*x));
        for k in 0..31 {
            assert_eq!(publics[k + 1], F::from_u32(x >> k & 1), "bit {k} of {x}");
        }
    }
}

#[test]
fn logic_gates_are_boolean() {
    let mut b = Builder::new();
    let x: [Felt; 2] = [b.public(), b.public()];
    let bits = x.map(|x| b.assert_bool(x));
    let (not, and) = (b.not(bits[0]), b.and(bits[0], bits[1]));
    b.expose(not.into());
    b.expose(and.into());
    for (p, q) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (_, witness) = satisfied(b.clone(), &[Value::from_u32(p), Value::from_u32(q)]);
        assert_eq!(witness.publics[2..], [F::from_u32(1 - p), F::from_u32(p & q)]);
    }
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    assert!(program.run(&[Value::TWO, Value::ONE]).is_err());
}

#[test]
fn a_failing_assertion_names_its_gate_and_source_line() {
    let mut b = Builder::new();
    let (x, y) = (b.input(), b.input());
    let sum = b.add(x, y);
    let line = line!() + 1;
    b.assert_eq(sum, x);
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    let Err(RunError::Gate { gate, at, fault }) = program.run(&[Value::ONE, Value::TWO]) else {
        panic!("the assertion does not hold");
    };
    assert_eq!((gate, at.line()), ("assertion", line));
    assert!(at.file().ends_with("arithmetic.rs"));
    assert_eq!(fault, Fault::Unequal { left: Value::from_u8(3), right: Value::ONE });
    assert!(program.run(&[Value::ONE, Value::ZERO]).is_ok());
}

#[test]
fn refuses_division_by_zero_even_if_unused_or_constant() {
    let mut b = Builder::new();
    let x = b.input();
    b.inverse(x);
    let program = Program::fitted(b.clone(), Profile::InsecureNode).unwrap();
    assert!(matches!(
        program.run(&[Value::ZERO]),
        Err(RunError::Gate { gate: "inverse", fault: Fault::ZeroInverse, .. })
    ));
    assert!(program.run(&[Value::ONE]).is_ok());
    let zero = b.zero();
    b.inverse(zero);
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    assert!(program.run(&[Value::ONE]).is_err());
}

#[test]
fn refuses_a_wrong_number_of_inputs_and_an_extension_value_for_a_felt() {
    let mut b = Builder::new();
    let x = b.input();
    b.expose(x);
    let program = Program::fitted(b, Profile::InsecureNode).unwrap();
    assert_eq!(program.run(&[]).unwrap_err(), RunError::InputCount { expected: 1, got: 0 });
    let fault = program.run(&[ext(&mut rng(1))]).unwrap_err();
    assert!(matches!(fault, RunError::Gate { gate: "input", fault: Fault::NotBase(_), .. }));
}

#[test]
fn optimiser_folds_shares_fuses_and_drops() {
    let mut b = Builder::new();
    let (x, y): (Felt, Felt) = (b.public(), b.public());
    let before = b.clone();
    // Dead, though expensive.
    let quad = b.pack([x, y, x, y]);
    b.permute([quad; 4]);
    // Constants fold through every kind of node.
    let two = b.constant::<Felt>(F::TWO);
    let four = b.mul(two, two);
    let bits = b.bits(four);
    let state = b.constant::<Ext>(Value::ONE);
    let hashed = b.permute([state; 4]);
    let lane = b.unpack(hashed[0])[0];
    let known = b.select(bits[2], lane, x);
    b.assert_eq(known, lane);
    assert_eq!(crate::rows(&b), crate::rows(&before), "nothing is left of it");
    // x * y + y * x + 4 is one form: the product is shared, then fused; 4 is its constant.
    let (p, q) = (b.mul(x, y), b.mul(y, x));
    let sum = b.add(p, q);
    let sum = b.add(sum, four);
    b.expose(sum);
    let rows = crate::rows(&b);
    assert_eq!((rows.alu, rows.poseidon2, rows.publics), (1, 0, 3));
    let (_, witness) = satisfied(b, &[Value::from_u8(5), Value::from_u8(6)]);
    assert_eq!(witness.publics[2], F::from_u8(64));
}

#[test]
fn a_product_that_one_sum_reads_costs_no_row() {
    let mut b = Builder::new();
    let (x, y): (Felt, Felt) = (b.public(), b.public());
    let product = b.mul(x, y);
    let sum = b.sub(x, product);
    b.expose(sum);
    assert_eq!(crate::rows(&b).alu, 1);
    let (_, witness) = satisfied(b, &[Value::from_u8(5), Value::from_u8(6)]);
    assert_eq!(witness.publics[2], -F::from_u8(25));
}

#[test]
fn a_repeated_permutation_costs_one_row() {
    let mut b = Builder::new();
    let state = core::array::from_fn(|_| b.input_ext());
    let (first, second) = (b.permute(state), b.permute(state));
    b.assert_eq(first[1], second[1]);
    b.expose_ext(first[0]);
    assert_eq!(crate::rows(&b).poseidon2, 1);
}
