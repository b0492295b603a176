//! The constraints at the out-of-domain point, walked step by step into gates.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing};
use tsz_plonk::{Builder, Ext, Value};
use tsz_segment::circuit::{Algebra, Circuit};
use tsz_segment::field::generator;
use tsz_segment::shape::Shape;
use tsz_segment::verifier::{PARTS, SHIFT, unit};

/// The element of a quad in risc0's basis: a row of `horner` at the constant X.
pub(crate) fn embed_quad(b: &mut Builder, quad: Ext) -> Ext {
    let x = b.constant(unit(1));
    b.horner(x, &[quad])
}

/// Points at which registers are read: `z / w^back` for each number of rows back.
pub(crate) fn points(b: &mut Builder, circuit: &Circuit, shape: &Shape, z: Ext) -> BTreeMap<u32, Ext> {
    let back_one = generator(shape.po2).inverse();
    let mut points = BTreeMap::new();
    for back in circuit.combos.iter().flatten() {
        points.entry(*back).or_insert_with(|| b.scale(z, back_one.exp_u64(u64::from(*back))));
    }
    points
}

/// `sum_k coefficients[k] x^k`: one row a coefficient.
pub(crate) fn evaluate(b: &mut Builder, coefficients: &[Ext], x: Ext) -> Ext {
    let Some((last, rest)) = coefficients.split_last() else { return b.zero().into() };
    rest.iter().rev().fold(*last, |acc, c| b.mul_add(acc, x, *c))
}

/// Asserts that the constraints are the check polynomial times the vanishing polynomial.
pub(crate) struct Constraints<'a> {
    pub(crate) circuit: &'a Circuit,
    pub(crate) shape: &'a Shape,
    /// Public felts.
    pub(crate) globals: &'a [Ext],
    /// Challenges of the accumulators.
    pub(crate) mix: &'a [Ext],
    /// Mixes constraints.
    pub(crate) mixer: Ext,
    /// The out-of-domain point.
    pub(crate) z: Ext,
    /// [`points`] of it.
    pub(crate) points: &'a BTreeMap<u32, Ext>,
    /// Coefficients of the polynomials through the taps, then the check polynomial's values.
    pub(crate) coefficients: &'a [Ext],
}

impl Constraints<'_> {
    pub(crate) fn assert(&self, b: &mut Builder) {
        let mut taps = Vec::with_capacity(self.circuit.taps);
        for register in &self.circuit.registers {
            let rows = &self.circuit.combos[register.combo];
            let polynomial = &self.coefficients[register.tap..register.tap + rows.len()];
            taps.extend(rows.iter().map(|back| evaluate(b, polynomial, self.points[back])));
        }
        let mut gates = Gates::new(b, self.mixer);
        let left = self.circuit.walk(&mut gates, &taps, self.globals, self.mix);
        let quotient = self.quotient(b);
        let mut power = b.scale(self.z, SHIFT);
        for _ in 0..self.shape.po2 {
            power = b.square(power);
        }
        let vanishing = b.add_constant(power, -Value::ONE);
        let right = b.mul(quotient, vanishing);
        b.assert_eq(left, right);
    }

    /// The check polynomial: four parts in powers of z, each of four values times the elements of risc0's basis.
    fn quotient(&self, b: &mut Builder) -> Ext {
        let parts = &self.coefficients[self.circuit.taps..];
        let units: Vec<Ext> = (0..4).map(|j| b.constant(unit(j))).collect();
        let values: Vec<Ext> = PARTS
            .iter()
            .map(|part| {
                let zero = b.zero().into();
                (0..4).fold(zero, |acc, j| b.mul_add(parts[part + 4 * j], units[j], acc))
            })
            .collect();
        evaluate(b, &values, self.z)
    }
}

/// Steps as gates.
struct Gates<'a> {
    b: &'a mut Builder,
    /// Powers of the mixing challenge made so far: those that constraints have, and few others.
    powers: BTreeMap<u32, Ext>,
}

impl<'a> Gates<'a> {
    fn new(b: &'a mut Builder, mixer: Ext) -> Self {
        let one = b.one().into();
        Self { b, powers: BTreeMap::from([(0, one), (1, mixer)]) }
    }
}

impl Algebra for Gates<'_> {
    type V = Ext;
    fn constant(&mut self, x: Value) -> Ext {
        self.b.constant(x)
    }
    fn add(&mut self, x: Ext, y: Ext) -> Ext {
        self.b.add(x, y)
    }
    fn sub(&mut self, x: Ext, y: Ext) -> Ext {
        self.b.sub(x, y)
    }
    fn mul(&mut self, x: Ext, y: Ext) -> Ext {
        self.b.mul(x, y)
    }
    fn mul_add(&mut self, x: Ext, y: Ext, z: Ext) -> Ext {
        self.b.mul_add(x, y, z)
    }
    fn power(&mut self, e: u32) -> Ext {
        if let Some(power) = self.powers.get(&e) {
            return *power;
        }
        // the nearest one below times the rest; the powers 0 and 1 are there, so both are smaller
        let (below, x) = self.powers.range(..e).next_back().map_or((0, self.powers[&0]), |(k, x)| (*k, *x));
        let y = self.power(e - below);
        let power = self.b.mul(x, y);
        self.powers.insert(e, power);
        power
    }
}
