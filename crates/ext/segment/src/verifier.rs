//! The verifier of a seal: DEEP-ALI over a batched FRI, as risc0-zkp 3.0.5 has it.

use alloc::vec;
use alloc::vec::Vec;

use p3_field::{Field, PrimeCharacteristicRing};

use crate::circuit::{Circuit, GROUPS, MIX, Numbers};
use crate::error::{SegmentError, Tree};
use crate::field::{Ext, F, embed, evaluate, generator};
use crate::seal::{Query, Seal};
use crate::shape::{ARITY, CHECK, LOG_ARITY, LOG_BLOWUP, Shape};
use crate::transcript::Transcript;

/// The challenges, in the order in which they are drawn.
#[derive(Clone, Debug)]
pub struct Challenges {
    /// Challenges of the accumulators.
    pub mix: [F; MIX],
    /// Mixes constraints.
    pub constraints: Ext,
    /// The out-of-domain point.
    pub point: Ext,
    /// Mixes columns.
    pub columns: Ext,
    /// Folds, one a round.
    pub folds: Vec<Ext>,
    /// Positions of the queries.
    pub positions: Vec<usize>,
}

/// Order in which the trees of registers are committed to.
const ORDER: [usize; GROUPS] = [1, 2, 0];
/// Order of the four parts of the check polynomial in a row of its tree.
pub const PARTS: [usize; 4] = [0, 2, 1, 3];
/// The check polynomial belongs to the trace on the coset `3 H`.
pub const SHIFT: F = F::new(3);

impl Challenges {
    /// Draws all challenges of a seal.
    pub fn draw(seal: &Seal) -> Self {
        let mut transcript = Transcript::new();
        let public = seal.globals.iter().copied().chain([seal.size]);
        transcript.commit(&tsz_poseidon24::hash(public));
        let [code, data, accum] = ORDER;
        transcript.commit(seal.trees[code].root());
        transcript.commit(seal.trees[data].root());
        let mix = core::array::from_fn(|_| transcript.felt());
        transcript.commit(seal.trees[accum].root());
        let constraints = transcript.ext();
        transcript.commit(seal.trees[GROUPS].root());
        let point = transcript.ext();
        transcript.commit(&tsz_poseidon24::hash(seal.coefficients.iter().copied().flatten()));
        let columns = transcript.ext();
        let mut folds = Vec::with_capacity(seal.folds.len());
        for tree in &seal.folds {
            transcript.commit(tree.root());
            folds.push(transcript.ext());
        }
        transcript.commit(&tsz_poseidon24::hash(seal.last.iter().copied()));
        let positions = seal.queries.iter().map(|_| transcript.position(seal.shape.log_domain())).collect();
        Self { mix, constraints, point, columns, folds, positions }
    }
}

/// What the queries of a seal have in common.
struct Batch<'a> {
    circuit: &'a Circuit,
    shape: &'a Shape,
    challenges: &'a Challenges,
    /// Power of the mixing challenge of each register, then of each column of the check tree.
    powers: Vec<Ext>,
    /// For each combination of rows the mixed polynomial through the taps.
    combos: Vec<Vec<Ext>>,
    /// The same for the check tree: a constant.
    check: Ext,
    last: Vec<Ext>,
}

/// Verifies a seal.
///
/// # Errors
/// A [`SegmentError`] that says what does not hold.
pub fn check(seal: &Seal) -> Result<(), SegmentError> {
    let circuit = Circuit::rv32im()?;
    let challenges = Challenges::draw(seal);
    let coefficients = seal.extension_coefficients();
    constraints(circuit, seal, &challenges, &coefficients)?;
    let batch = Batch::new(circuit, seal, &challenges, &coefficients);
    for (k, (query, position)) in seal.queries.iter().zip(&challenges.positions).enumerate() {
        let value = batch.open(seal, k, query, *position)?;
        batch.fold(seal, k, query, *position, value)?;
    }
    Ok(())
}

/// Whether the constraints at the out-of-domain point are the check polynomial times the vanishing polynomial.
fn constraints(
    circuit: &Circuit,
    seal: &Seal,
    challenges: &Challenges,
    coefficients: &[Ext],
) -> Result<(), SegmentError> {
    let z = challenges.point;
    let back_one = generator(seal.shape.po2).inverse();
    let mut taps = Vec::with_capacity(circuit.taps);
    for register in &circuit.registers {
        let rows = &circuit.combos[register.combo];
        let polynomial = &coefficients[register.tap..register.tap + rows.len()];
        taps.extend(rows.iter().map(|back| evaluate(polynomial, z * back_one.exp_u64(u64::from(*back)))));
    }
    let globals = seal.globals.map(Ext::from);
    let mix = challenges.mix.map(Ext::from);
    let left = circuit.walk(&mut Numbers::new(circuit, challenges.constraints), &taps, &globals, &mix);
    let parts = &coefficients[circuit.taps..];
    let quotient: Ext = PARTS
        .iter()
        .enumerate()
        .map(|(i, part)| {
            let value: Ext = (0..4).map(|j| parts[part + 4 * j] * unit(j)).sum();
            value * z.exp_u64(i as u64)
        })
        .sum();
    let vanishing = (z * SHIFT).exp_power_of_2(seal.shape.po2) - Ext::ONE;
    if left == quotient * vanishing { Ok(()) } else { Err(SegmentError::Constraints) }
}

/// Element j of risc0's basis.
pub fn unit(j: usize) -> Ext {
    embed(core::array::from_fn(|k| F::from_bool(j == k)))
}

impl<'a> Batch<'a> {
    fn new(circuit: &'a Circuit, seal: &'a Seal, challenges: &'a Challenges, coefficients: &[Ext]) -> Self {
        let mut combos: Vec<Vec<Ext>> =
            circuit.combos.iter().map(|rows| vec![Ext::ZERO; rows.len()]).collect();
        let mut powers = Vec::with_capacity(circuit.registers.len() + CHECK);
        let mut power = Ext::ONE;
        for register in &circuit.registers {
            let combo = &mut combos[register.combo];
            for (sum, coefficient) in combo.iter_mut().zip(&coefficients[register.tap..]) {
                *sum += power * *coefficient;
            }
            powers.push(power);
            power *= challenges.columns;
        }
        let mut check = Ext::ZERO;
        for coefficient in &coefficients[circuit.taps..] {
            check += power * *coefficient;
            powers.push(power);
            power *= challenges.columns;
        }
        Self { circuit, shape: &seal.shape, challenges, powers, combos, check, last: seal.last_polynomial() }
    }

    /// Checks the openings of one position; the value there of the polynomial whose degree is tested.
    fn open(&self, seal: &Seal, number: usize, query: &Query, position: usize) -> Result<Ext, SegmentError> {
        for (k, (tree, opening)) in seal.trees.iter().zip(&query.rows).enumerate() {
            if !tree.opens(position, opening) {
                let tree = if k < GROUPS { Tree::Group(k) } else { Tree::Check };
                return Err(SegmentError::Opening { query: number, tree });
            }
        }
        let x = generator(self.shape.log_domain()).exp_u64(position as u64);
        let mut sums = vec![Ext::ZERO; self.combos.len()];
        for (register, power) in self.circuit.registers.iter().zip(&self.powers) {
            sums[register.combo] += *power * query.rows[register.group].row[register.offset];
        }
        let check_powers = &self.powers[self.circuit.registers.len()..];
        let check: Ext =
            query.rows[GROUPS].row.iter().zip(check_powers).map(|(value, power)| *power * *value).sum();
        let z = self.challenges.point;
        let back_one = generator(self.shape.po2).inverse();
        let mut total = quotient(number, check - self.check, Ext::from(x) - z.exp_power_of_2(LOG_BLOWUP))?;
        for ((sum, polynomial), rows) in sums.iter().zip(&self.combos).zip(&self.circuit.combos) {
            let divisor: Ext = rows.iter().map(|back| -z * back_one.exp_u64(u64::from(*back)) + x).product();
            total += quotient(number, *sum - evaluate(polynomial, x.into()), divisor)?;
        }
        Ok(total)
    }

    /// Folds down to the last polynomial.
    fn fold(
        &self,
        seal: &Seal,
        number: usize,
        query: &Query,
        mut position: usize,
        mut value: Ext,
    ) -> Result<(), SegmentError> {
        let mut log = self.shape.log_domain();
        for (round, (opening, log_leaves)) in query.folds.iter().zip(&self.shape.rounds).enumerate() {
            let (place, group) = (position >> log_leaves, position & ((1 << log_leaves) - 1));
            if !seal.folds[round].opens(group, opening) {
                return Err(SegmentError::Opening { query: number, tree: Tree::Fold(round) });
            }
            let mut values: [Ext; ARITY] =
                core::array::from_fn(|i| embed(core::array::from_fn(|j| opening.row[j * ARITY + i])));
            if values.get(place) != Some(&value) {
                return Err(SegmentError::Fold { query: number, round });
            }
            // the values stand at s w^i: f(x) = sum_k x^k f_k(x^16), and the folded value is sum_k mix^k f_k
            let s_inverse = generator(log).inverse().exp_u64(group as u64);
            value = interpolate(&mut values, self.challenges.folds[round] * s_inverse);
            (position, log) = (group, *log_leaves);
        }
        let x = generator(log).exp_u64(position as u64);
        if evaluate(&self.last, x.into()) == value { Ok(()) } else { Err(SegmentError::Last(number)) }
    }
}

fn quotient(query: usize, numerator: Ext, denominator: Ext) -> Result<Ext, SegmentError> {
    Ok(numerator * denominator.try_inverse().ok_or(SegmentError::Point(query))?)
}

/// Value at `x` of the polynomial of degree below 16 with these values at `1, w, w^2, ..`: four rounds of
/// `(f(w) + f(-w)) / 2 + x (f(w) - f(-w)) / 2w` in `x^2`.
fn interpolate(values: &mut [Ext; ARITY], mut x: Ext) -> Ext {
    for log in (1..=LOG_ARITY).rev() {
        let w_inverse = generator(log).inverse();
        let half = 1 << (log - 1);
        let mut factor = F::ONE.halve();
        for k in 0..half {
            let (plus, minus) = (values[k], values[k + half]);
            values[k] = (plus + minus).halve() + (plus - minus) * x * factor;
            factor *= w_inverse;
        }
        x = x.square();
    }
    values[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_evaluates() {
        let coefficients: [Ext; ARITY] =
            core::array::from_fn(|k| embed([F::from_usize(k), F::from_usize(7 * k + 1), F::TWO, F::ZERO]));
        let mut values =
            core::array::from_fn(|k| evaluate(&coefficients, generator(LOG_ARITY).exp_u64(k as u64).into()));
        let x = embed([F::new(5), F::new(6), F::new(7), F::new(8)]);
        assert_eq!(interpolate(&mut values, x), evaluate(&coefficients, x));
    }
}
