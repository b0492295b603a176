//! The upper levels of a commitment's tree, hashed once for all queries.
//!
//! The paths of many queries meet near the root. So the program takes the digests of one level, the crown, as advice,
//! hashes them to the committed root, and lets each path end at the crown. Which digest that must be, a query looks up
//! by the value of a polynomial: the upper bits of its index mean a point of the base field that its folding needs
//! anyway, and the polynomial has the crown's digests as values at these points.

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Builder, Ext, Felt};
use tsz_stark::{F, FriParams};

use crate::layout::Layout;

/// Levels between the root and the crown, by the least number of queries for which the siblings in a proof give the whole
/// crown but in one of a billion proofs: a query must pass below each node of the level above it. Who wants a proof that
/// cannot be lifted has to grind as many.
const LEVELS: [(usize, usize); 2] = [(80, 3), (40, 2)];

/// Levels between root and crown.
pub(crate) fn levels(params: &FriParams) -> usize {
    if params.cap_height > 0 {
        return 0;
    }
    LEVELS.iter().find(|(queries, _)| params.num_queries >= *queries).map_or(1, |(_, levels)| *levels)
}

/// Declares the crown of each tree, its digests in the order of the tree: those of the commitments, then those of the
/// folding rounds.
#[track_caller]
pub(crate) fn input(layout: &Layout, b: &mut Builder) -> Vec<Vec<Digest>> {
    let levels = levels(&layout.params);
    if levels == 0 {
        return Vec::new();
    }
    let trees = layout.rounds.len() + layout.schedule.len();
    (0..trees).map(|_| (0..1 << levels).map(|_| hash::input(b)).collect()).collect()
}

/// Bits of a number, reversed.
fn reverse(x: usize, bits: usize) -> usize {
    (0..bits).fold(0, |acc, k| acc << 1 | (x >> k & 1))
}

/// Coefficients, lowest first, of the polynomial of least degree with values by point: a row for each coefficient, of its
/// factors of the values.
pub(crate) fn interpolation(points: &[F]) -> Vec<Vec<F>> {
    let count = points.len();
    let mut rows = vec![vec![F::ZERO; count]; count];
    for (at, point) in points.iter().enumerate() {
        // Coefficients of the product of (x - other), and its value at the point.
        let (mut product, mut value) = (vec![F::ONE], F::ONE);
        for other in points.iter().enumerate().filter(|(k, _)| *k != at).map(|(_, p)| *p) {
            value *= *point - other;
            let mut next = vec![F::ZERO; product.len() + 1];
            for (k, coefficient) in product.iter().enumerate() {
                next[k] -= other * *coefficient;
                next[k + 1] += *coefficient;
            }
            product = next;
        }
        let scale = value.inverse();
        for (row, coefficient) in rows.iter_mut().zip(product) {
            row[at] = coefficient * scale;
        }
    }
    rows
}

/// A crown that hashes to its root.
pub(crate) struct CrownWires {
    /// Coefficients of the quads of the digests, lowest first.
    coefficients: [Vec<Ext>; 2],
    levels: usize,
}

impl CrownWires {
    /// Asserts that the crown hashes to the root. `log_max` is the number of bits of a query's index.
    ///
    /// # Panics
    /// If the crown has not 2, 4 or 8 digests.
    #[track_caller]
    pub(crate) fn new(b: &mut Builder, log_max: usize, root: Digest, crown: &[Digest]) -> Self {
        assert!(crown.len().is_power_of_two() && (2..=8).contains(&crown.len()), "a level of a tree");
        let mut level = crown.to_vec();
        while level.len() > 1 {
            level =
                level.as_chunks::<2>().0.iter().map(|[l, r]| hash::truncated_compress(b, *l, *r)).collect();
        }
        hash::assert_eq(b, level[0], root);
        let levels = crown.len().ilog2() as usize;
        let generator = F::two_adic_generator(log_max);
        let points: Vec<F> =
            (0..crown.len()).map(|at| generator.exp_u64(reverse(at, levels) as u64)).collect();
        let rows = interpolation(&points);
        let coefficient = |b: &mut Builder, row: &[F], quad: usize| {
            let terms: Vec<Ext> =
                crown.iter().zip(row).map(|(d, factor)| b.scale(d[quad], *factor)).collect();
            b.sum(&terms)
        };
        let of = |b: &mut Builder, quad| rows.iter().map(|row| coefficient(b, row, quad)).collect();
        Self { coefficients: core::array::from_fn(|quad| of(b, quad)), levels }
    }

    /// Levels between the root and the crown: the upper bits of an index that mean one of its digests.
    pub(crate) fn levels(&self) -> usize {
        self.levels
    }

    /// The digest at a point: `generator^(reversed upper bits of the index)`.
    #[track_caller]
    pub(crate) fn at(&self, b: &mut Builder, point: Felt) -> Digest {
        core::array::from_fn(|quad| {
            let (last, rest) = match self.coefficients[quad].split_last() {
                Some((last, rest)) => (*last, rest),
                None => (b.zero().into(), &[][..]),
            };
            rest.iter().rev().fold(last, |acc, coefficient| b.mul_add(acc, point.into(), *coefficient))
        })
    }
}

#[cfg(test)]
mod tests {
    use tsz_plonk::gadgets::hash::input_values;
    use tsz_plonk::{Bit, Program, RunError, Value};
    use tsz_stark::Profile;

    use super::*;
    use crate::query::Points;

    const LOG_MAX: usize = 11;

    #[test]
    fn a_polynomial_has_its_values() {
        let points: Vec<F> = [3u32, 5, 9, 1_000_000_007].map(F::from_u32).to_vec();
        let values = [7u32, 0, 1, 2_000_000_000].map(F::from_u32);
        let rows = interpolation(&points);
        for (point, value) in points.iter().zip(values) {
            let coefficients = rows.iter().map(|row| row.iter().zip(values).map(|(f, v)| *f * v).sum::<F>());
            let powers = point.powers().take(points.len());
            assert_eq!(coefficients.zip(powers).map(|(c, p)| c * p).sum::<F>(), value);
        }
    }

    /// A program that looks a digest up by the bits of an index.
    fn program(levels: usize) -> Program {
        let mut b = Builder::new();
        let root = hash::input(&mut b);
        let crown: Vec<Digest> = (0..1 << levels).map(|_| hash::input(&mut b)).collect();
        let index = b.input();
        let bits: Vec<Bit> = b.bits(index)[..LOG_MAX].to_vec();
        let wires = CrownWires::new(&mut b, LOG_MAX, root, &crown);
        let points = Points::new(&mut b, LOG_MAX, &bits);
        let found = wires.at(&mut b, points.upper(levels));
        hash::expose(&mut b, found);
        Program::fitted(b, Profile::InsecureNode).unwrap()
    }

    fn root(crown: &[[F; 8]]) -> [F; 8] {
        match crown {
            [one] => *one,
            _ => {
                let (l, r) = crown.split_at(crown.len() / 2);
                let mut state = tsz_hash::join(&root(l), &root(r));
                tsz_hash::permute(&mut state);
                core::array::from_fn(|k| state[k])
            }
        }
    }

    fn crown(levels: usize) -> Vec<[F; 8]> {
        let digest = |at: u32| core::array::from_fn(|k| F::from_u32(1 + 100 * at + k as u32));
        (0..1 << levels).map(digest).collect()
    }

    fn run(levels: usize, root: [F; 8], crown: &[[F; 8]], index: u32) -> Result<Vec<F>, RunError> {
        let mut values: Vec<Value> = input_values(&root).to_vec();
        values.extend(crown.iter().flat_map(input_values));
        values.push(Value::from_u32(index));
        program(levels).run(&values).map(|witness| witness.publics)
    }

    #[test]
    fn every_index_finds_the_digest_above_it() {
        for levels in 1..=3 {
            let crown = crown(levels);
            for at in 0..1u32 << levels {
                for low in [0, 1, (1 << (LOG_MAX - levels)) - 1] {
                    let found = run(levels, root(&crown), &crown, at << (LOG_MAX - levels) | low).unwrap();
                    assert_eq!(found, crown[at as usize], "{levels} levels, {at}");
                }
            }
        }
    }

    #[test]
    fn a_crown_that_does_not_hash_to_the_root_is_refused() {
        for levels in 1..=3 {
            let honest = crown(levels);
            for at in 0..honest.len() {
                let mut lie = honest.clone();
                lie[at][7] += F::ONE;
                assert!(run(levels, root(&honest), &lie, 0).is_err());
                let mut lie = honest.clone();
                lie.swap(at, (at + 1) % honest.len());
                assert!(run(levels, root(&honest), &lie, 0).is_err());
            }
            let mut other = root(&honest);
            other[0] += F::ONE;
            assert!(run(levels, other, &honest, 0).is_err());
        }
    }

    #[test]
    fn few_queries_have_a_low_crown() {
        let of = |num_queries, cap_height| {
            levels(&FriParams { num_queries, cap_height, ..Profile::Node.params() })
        };
        assert_eq!([3, 39, 40, 79, 80, 193].map(|queries| of(queries, 0)), [1, 1, 2, 2, 3, 3]);
        assert_eq!(of(100, 1), 0);
        // A node that no query passes below, among those above the crown: less than one proof of a billion.
        for (queries, levels) in LEVELS {
            let nodes = f64::from(1u32 << (levels - 1));
            assert!(nodes * (1.0 - 1.0 / nodes).powi(queries as i32) < 1e-9);
        }
    }
}
