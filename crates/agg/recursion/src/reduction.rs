//! Batch reduction: all claimed evaluations and opened rows of one height become one value per query,
//! `sum alpha^i (f_i(z) - f_i(x)) / (z - x)`, with the exponents i in Plonky3's order.
//!
//! Rows are hashed as one string of felts for all matrices of a height, so matrices start anywhere in a quad. A
//! stretch of felts is reduced by quads with masks at both ends; the power that belongs to its first felt is a
//! wire that all queries share.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use tsz_plonk::gadgets::fri::reduce;
use tsz_plonk::{Builder, Ext, Felt};
use tsz_stark::{ExtField, F};

use crate::layout::Layout;
use crate::opening::Opened;

/// A stretch of the felts of one height of one commitment, and its exponents at the two points.
#[derive(Clone, Debug)]
struct Stretch {
    start: usize,
    len: usize,
    exponents: Vec<usize>,
}

/// A stretch with, by point, minus the power of alpha that it starts at.
type Scaled = (Stretch, Vec<Ext>);

/// Everything about the reduction that does not depend on the query.
#[derive(Clone, Debug)]
pub(crate) struct Reduction {
    heights: Vec<Height>,
    /// By commitment and height of the commitment: the stretches with, by point, minus the power of alpha.
    stretches: Vec<Vec<(usize, Vec<Scaled>)>>,
}

#[derive(Clone, Debug)]
struct Height {
    log_height: usize,
    /// zeta, and the next row's point.
    points: [Ext; 2],
    /// Sums over the claimed evaluations at the points; `None` where nothing of the height is opened.
    claimed: [Option<Ext>; 2],
}

/// The sums of one query at one height: claimed evaluations minus opened rows, by point.
#[derive(Clone, Debug)]
pub(crate) struct HeightSums {
    pub(crate) log_height: usize,
    sums: [Option<Ext>; 2],
}

/// The stretches of each commitment and height, in Plonky3's order of exponents.
fn stretches(layout: &Layout) -> Vec<Vec<(usize, Vec<Stretch>)>> {
    let mut exponent: BTreeMap<usize, usize> = BTreeMap::new();
    layout
        .rounds
        .iter()
        .map(|round| {
            let mut groups: Vec<(usize, Vec<Stretch>)> =
                round.heights().into_iter().map(|h| (h, Vec::new())).collect();
            for matrix in &round.matrices {
                let next = exponent.entry(matrix.log_height).or_insert(0);
                let points = 1 + usize::from(matrix.next);
                let exponents: Vec<usize> = (0..points).map(|p| *next + p * matrix.width).collect();
                *next += points * matrix.width;
                let Some((_, group)) = groups.iter_mut().find(|(h, _)| *h == matrix.log_height) else {
                    continue;
                };
                let start = group.last().map_or(0, |s: &Stretch| s.start + s.len);
                match group.last_mut() {
                    // Both are opened at one point, one behind the other.
                    Some(last)
                        if points == 1
                            && last.exponents.len() == 1
                            && last.exponents[0] + last.len == exponents[0] =>
                    {
                        last.len += matrix.width;
                    }
                    _ => group.push(Stretch { start, len: matrix.width, exponents }),
                }
            }
            groups
        })
        .collect()
}

/// Powers of a wire, each computed once.
struct Powers {
    known: BTreeMap<usize, Ext>,
}

impl Powers {
    #[track_caller]
    fn get(&mut self, b: &mut Builder, exponent: usize) -> Ext {
        if let Some(known) = self.known.get(&exponent) {
            return *known;
        }
        let half = self.get(b, exponent / 2);
        let mut power = b.square(half);
        if exponent % 2 == 1 {
            let one = self.known[&1];
            power = b.mul(power, one);
        }
        self.known.insert(exponent, power);
        power
    }
}

/// Asserts that `zeta` is not in the domain of `2^log_max` points, and so in none of the lower ones, which are
/// part of it. Nor is a next row's point then, that is zeta times an element of the subgroup. The native verifier
/// refuses a query at an opening point.
#[track_caller]
fn assert_outside(b: &mut Builder, log_max: usize, zeta: Ext) {
    let mut power = b.scale(zeta, F::GENERATOR.inverse());
    for _ in 0..log_max {
        power = b.square(power);
    }
    let vanishing = b.add_constant(power, -ExtField::ONE);
    b.inverse(vanishing);
}

impl Reduction {
    /// Reduces the claimed evaluations.
    #[track_caller]
    pub(crate) fn new(b: &mut Builder, layout: &Layout, alpha: Ext, zeta: Ext, opened: &Opened<Ext>) -> Self {
        assert_outside(b, layout.log_max(), zeta);
        let one = b.one().into();
        let mut powers = Powers { known: BTreeMap::from([(0, one), (1, alpha)]) };
        let mut heights: Vec<Height> = layout
            .heights
            .iter()
            .map(|&log_height| {
                let generator = F::two_adic_generator(log_height - layout.params.log_blowup);
                let next = b.scale(zeta, generator);
                Height { log_height, points: [zeta, next], claimed: [None; 2] }
            })
            .collect();
        let plan = stretches(layout);
        // Sums over the claimed evaluations, with the exponents of each matrix.
        let mut exponent: BTreeMap<usize, usize> = BTreeMap::new();
        for (round, values) in layout.rounds.iter().zip(opened) {
            for (matrix, points) in round.matrices.iter().zip(values) {
                let next = exponent.entry(matrix.log_height).or_insert(0);
                let Some(height) = heights.iter_mut().find(|h| h.log_height == matrix.log_height) else {
                    continue;
                };
                for (claimed, point) in height.claimed.iter_mut().zip(points) {
                    let own = reduce(b, alpha, point);
                    let power = powers.get(b, *next);
                    *claimed = Some(match *claimed {
                        None => b.mul(own, power),
                        Some(sum) => b.mul_add(own, power, sum),
                    });
                    *next += point.len();
                }
            }
        }
        let stretches = plan
            .into_iter()
            .map(|groups| {
                let with = |b: &mut Builder, powers: &mut Powers, s: Stretch| {
                    // The reduction of a stretch carries the power of its place in its first quad already.
                    let place = s.start % 4;
                    let negative = s.exponents.iter().map(|e| {
                        let power = powers.get(b, e - place);
                        b.neg(power)
                    });
                    let negative: Vec<Ext> = negative.collect();
                    (s, negative)
                };
                groups
                    .into_iter()
                    .map(|(h, group)| (h, group.into_iter().map(|s| with(b, &mut powers, s)).collect()))
                    .collect()
            })
            .collect();
        Self { heights, stretches }
    }

    /// The sums before any row.
    pub(crate) fn start(&self) -> Vec<HeightSums> {
        self.heights.iter().map(|h| HeightSums { log_height: h.log_height, sums: h.claimed }).collect()
    }

    /// Subtracts the rows of commitment `round`, given as quads by height.
    #[track_caller]
    pub(crate) fn absorb(
        &self,
        b: &mut Builder,
        alpha: Ext,
        round: usize,
        rows: &[Vec<Ext>],
        sums: &mut [HeightSums],
    ) {
        for ((log_height, stretches), quads) in self.stretches[round].iter().zip(rows) {
            let Some(sums) = sums.iter_mut().find(|s| s.log_height == *log_height) else { continue };
            for (stretch, powers) in stretches {
                let reduced = b.horner_masked(alpha, &stretch.quads(quads));
                for (sum, power) in sums.sums.iter_mut().zip(powers) {
                    *sum = sum.map(|sum| b.mul_add(reduced, *power, sum));
                }
            }
        }
    }

    /// The value of a query at a height, at the point `x` of the subgroup: that of its domain is the generator
    /// times `x`.
    #[track_caller]
    pub(crate) fn finish(&self, b: &mut Builder, sums: &HeightSums, x: Felt) -> Ext {
        let mut total: Option<Ext> = None;
        let Some(height) = self.heights.iter().find(|h| h.log_height == sums.log_height) else {
            return b.zero().into();
        };
        for (sum, point) in sums.sums.iter().zip(height.points) {
            let Some(sum) = sum else { continue };
            // No point lies in a domain: `Reduction::new` refuses that.
            let quotient = b.quotient(*sum, point, x.into(), F::GENERATOR);
            total = Some(total.map_or(quotient, |total| b.add(total, quotient)));
        }
        total.unwrap_or_else(|| b.zero().into())
    }
}

impl Stretch {
    /// The quads that hold the stretch, the last one first, and which of their felts belong to it.
    fn quads(&self, quads: &[Ext]) -> Vec<(Ext, u8)> {
        let end = self.start + self.len;
        (self.start / 4..end.div_ceil(4))
            .rev()
            .map(|q| {
                let inside = |k: &usize| (self.start..end).contains(&(4 * q + k));
                let mask = (0..4).filter(inside).fold(0, |mask, k| mask | 1 << k);
                (quads[q], mask)
            })
            .collect()
    }
}
