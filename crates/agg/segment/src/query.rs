//! One query: openings, the value of the tested polynomial, folding.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::gadgets::{fri, wide};
use tsz_plonk::{Bit, Builder, Ext, Felt};
use tsz_segment::circuit::{Circuit, GROUPS};
use tsz_segment::field::generator;
use tsz_segment::shape::{ARITY, DEGREE, LOG_ARITY, LOG_BLOWUP, Shape};
use tsz_segment::verifier::unit;
use tsz_stark::F;

use crate::constraints::{embed_quad, evaluate};
use crate::wires::{Query, Row, Wires};

/// What the queries have in common.
pub(crate) struct Batch<'a> {
    circuit: &'a Circuit,
    shape: &'a Shape,
    wires: &'a Wires,
    /// Mixes columns.
    mixer: Ext,
    /// Powers of it: of each register, then of each column of the check tree.
    powers: Vec<Ext>,
    points: &'a BTreeMap<u32, Ext>,
    /// `z^4`: the check polynomial's parts are polynomials in the fourth power.
    check_point: Ext,
    /// For each combination of rows the mixed polynomial through the taps.
    combos: Vec<Vec<Ext>>,
    /// The same for the check tree: a constant.
    check: Ext,
    /// Challenge of each round.
    folds: &'a [Ext],
}

/// Challenges and what follows from them.
pub(crate) struct Mixing<'a> {
    pub(crate) mixer: Ext,
    pub(crate) z: Ext,
    pub(crate) points: &'a BTreeMap<u32, Ext>,
    pub(crate) coefficients: &'a [Ext],
    pub(crate) folds: &'a [Ext],
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        b: &mut Builder,
        circuit: &'a Circuit,
        shape: &'a Shape,
        wires: &'a Wires,
        mixing: Mixing<'a>,
    ) -> Self {
        let Mixing { mixer, z, points, coefficients, folds } = mixing;
        let zero: Ext = b.zero().into();
        let check_columns = &coefficients[circuit.taps..];
        let powers = fri::powers(b, mixer, circuit.registers.len() + check_columns.len());
        let mut combos: Vec<Vec<Ext>> = circuit.combos.iter().map(|rows| vec![zero; rows.len()]).collect();
        for (register, power) in circuit.registers.iter().zip(&powers) {
            let combo = &mut combos[register.combo];
            for (sum, coefficient) in combo.iter_mut().zip(&coefficients[register.tap..]) {
                *sum = b.mul_add(*power, *coefficient, *sum);
            }
        }
        let check = b.dot(&powers[circuit.registers.len()..], check_columns);
        let mut check_point = z;
        for _ in 0..LOG_BLOWUP {
            check_point = b.square(check_point);
        }
        Self { circuit, shape, wires, mixer, powers, points, check_point, combos, check, folds }
    }

    /// Asserts all that a query says. `position` are the bits of the position, least first.
    pub(crate) fn assert(&self, b: &mut Builder, query: &Query, position: &[Bit]) {
        for (row, root) in query.rows.iter().zip(&self.wires.roots) {
            open(b, row, position, *root);
        }
        let value = self.value(b, query, position);
        self.fold(b, query, position, value);
    }

    /// The value of the polynomial whose degree is tested.
    fn value(&self, b: &mut Builder, query: &Query, position: &[Bit]) -> Ext {
        let x: Ext = fri::power_of_constant(b, generator(self.shape.log_domain()), position).into();
        let registers = self.circuit.registers.len();
        let column = fri::reduce_quads(b, self.mixer, &query.rows[GROUPS].quads);
        let numerator = b.mul_sub(column, self.powers[registers], self.check);
        let denominator = b.sub(x, self.check_point);
        let mut total = b.div(numerator, denominator);
        for (combo, (polynomial, rows)) in self.combos.iter().zip(&self.circuit.combos).enumerate() {
            let sum = self.columns(b, query, combo);
            let expected = evaluate(b, polynomial, x);
            let numerator = b.sub(sum, expected);
            let factors: Vec<Ext> = rows.iter().map(|back| b.sub(x, self.points[back])).collect();
            let one = b.one().into();
            let denominator = factors.into_iter().fold(one, |acc, factor| b.mul(acc, factor));
            let quotient = b.div(numerator, denominator);
            total = b.add(total, quotient);
        }
        total
    }

    /// Mixed columns of the registers that are read in one combination of rows.
    fn columns(&self, b: &mut Builder, query: &Query, combo: usize) -> Ext {
        let mut total: Ext = b.zero().into();
        let mut first = 0;
        for (group, row) in query.rows[..GROUPS].iter().enumerate() {
            let width = self.circuit.widths[group];
            let mut quads: Vec<(Ext, u8)> = row.quads.iter().map(|quad| (*quad, 0)).collect();
            for register in self.circuit.registers[first..first + width].iter().filter(|r| r.combo == combo) {
                quads[register.offset / 4].1 |= 1 << (register.offset % 4);
            }
            let count = quads.iter().rposition(|(_, mask)| *mask != 0).map_or(0, |last| last + 1);
            quads.truncate(count);
            quads.reverse();
            if !quads.is_empty() {
                let sum = b.horner_masked(self.mixer, &quads);
                total = b.mul_add(sum, self.powers[first], total);
            }
            first += width;
        }
        total
    }

    /// Folds down to the last polynomial.
    fn fold(&self, b: &mut Builder, query: &Query, position: &[Bit], mut value: Ext) {
        let mut position = position;
        for (round, row) in query.folds.iter().enumerate() {
            let (group, place) = position.split_at(self.shape.rounds[round]);
            open(b, row, group, self.wires.folds[round]);
            let values = transpose(b, &row.quads);
            let held = choose(b, place, &values);
            b.assert_eq(held, value);
            let s_inverse = fri::power_of_constant(b, generator(position.len()).inverse(), group);
            value = fold(b, s_inverse, self.folds[round], &values);
            position = group;
        }
        let x = fri::power_of_constant(b, generator(position.len()), position);
        let last = self.last(b, x);
        b.assert_eq(last, value);
    }

    /// Value of the last polynomial: one reduction for each coordinate of its coefficients.
    fn last(&self, b: &mut Builder, x: Felt) -> Ext {
        let count = self.wires.last.len() / DEGREE;
        let coordinates: Vec<Ext> =
            self.wires.last.chunks(count).map(|quads| fri::reduce_quads(b, x.into(), quads)).collect();
        let units: Vec<Ext> = (0..DEGREE).map(|j| b.constant(unit(j))).collect();
        b.dot(&coordinates, &units)
    }
}

/// Asserts that a leaf has this place in a tree.
fn open(b: &mut Builder, row: &Row, index: &[Bit], root: Digest) {
    let leaf = wide::hash(b, &row.quads);
    let got = wide::merkle_root(b, leaf, index, &row.path);
    hash::assert_eq(b, got, root);
}

/// The 16 elements of a leaf of a round, which holds all first coordinates, then all second ones, ..
fn transpose(b: &mut Builder, quads: &[Ext]) -> Vec<Ext> {
    let felts: Vec<Felt> = quads.iter().flat_map(|quad| b.unpack(*quad)).collect();
    (0..ARITY)
        .map(|k| {
            let quad = b.pack(core::array::from_fn(|j| felts[j * ARITY + k]));
            embed_quad(b, quad)
        })
        .collect()
}

/// The value whose number has these bits, least first.
fn choose(b: &mut Builder, number: &[Bit], values: &[Ext]) -> Ext {
    let mut values = values.to_vec();
    for bit in number {
        values = values.as_chunks::<2>().0.iter().map(|[even, odd]| b.select(*bit, *odd, *even)).collect();
    }
    values[0]
}

/// The folded value of 16 values at `s w^i` for risc0's w, a power of which is Plonky3's generator.
fn fold(b: &mut Builder, s_inverse: Felt, mixer: Ext, values: &[Ext]) -> Ext {
    let theirs = F::two_adic_generator(LOG_ARITY);
    let ours = generator(LOG_ARITY);
    // Plonky3's generator is ours to the power of m
    let m = (0..ARITY).find(|m| ours.exp_u64(*m as u64) == theirs).unwrap_or_default();
    let reversed = |k: usize| (0..LOG_ARITY).fold(0, |acc, bit| acc << 1 | (k >> bit & 1));
    let evaluations: Vec<Ext> = (0..ARITY).map(|k| values[m * reversed(k) % ARITY]).collect();
    fri::fold_at(b, s_inverse, LOG_ARITY, mixer, &evaluations)
}
