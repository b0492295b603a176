//! Which blow-up a base circuit is proven at: the one whose proof and lift cost least together.
//!
//! A proof of a high blow-up costs its prover more for each cell and has fewer queries; its lift, the recursive
//! verifier in the aggregation tree, hashes what the queries open and is padded to a power of two. Both are
//! estimated here from the tables alone, with the queries that [`crate::setup`] would take, so that a circuit whose
//! width puts a list-decoding radius out of reach is seen to need many. Measured costs: docs/src/recursion.md.

use p3_air::symbolic::AirLayout;
use p3_fri::fold_schedule;
use p3_lookup::logup::LogUpGadget;
use p3_lookup::{InteractionSymbolicBuilder, LookupProtocol, Lookups};

use crate::circuit::{Circuit, CircuitAir, TableInfo, lookup_budget};
use crate::config::{EXT_DEGREE, ExtField, F};
use crate::params::{FriParams, MIN_PROVEN_BITS, Profile};
use crate::security::{openings, with_fewest_queries};

#[cfg(test)]
mod tests;

/// Base profiles from the cheapest prover to the dearest.
pub(crate) const BASE: [Profile; 5] =
    [Profile::Base, Profile::Base4, Profile::Base8, Profile::Base8Ground, Profile::Base16];
/// CPU nanoseconds that a committed cell costs its prover at any blow-up, and once more for each unit of it.
const CELL: [u64; 2] = [45, 24];
/// CPU nanoseconds of a row of a lift's shape.
const LIFT_ROW: u64 = 131_000;
/// log2 of the rows of the smallest shape.
const MIN_LIFT: u32 = 14;
/// CPU nanoseconds of an attempt of grinding.
const ATTEMPT: u64 = 240;
/// A dearer prover must save at least one part in so many of the sum.
const WORTH: u64 = 16;

/// A circuit in a base profile, with what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The profile.
    pub profile: Profile,
    /// FRI queries.
    pub queries: usize,
    /// Permutations of the lift, within some percent.
    pub permutations: u64,
    /// CPU milliseconds of the proof, within a factor of two: wide tables with many constraints cost more.
    pub prove: u64,
    /// CPU milliseconds of the lift.
    pub lift: u64,
}

impl Estimate {
    /// The estimate for tables in a profile, or nothing where they cannot be proven to 100 bits.
    pub(crate) fn of(profile: Profile, tables: &[TableInfo]) -> Option<Self> {
        let params = with_fewest_queries(profile.params(), tables, MIN_PROVEN_BITS)?;
        let cells: u64 = tables.iter().map(|t| t.cells() as u64).sum();
        let grinding = ATTEMPT << params.batch_pow_bits.max(params.query_pow_bits);
        let permutations = permutations(&params, tables);
        // Three per cent for what is not counted.
        let rows = (permutations + permutations / 32).max(1 << MIN_LIFT).next_power_of_two();
        Some(Self {
            profile,
            queries: params.num_queries,
            permutations,
            prove: (cells * (CELL[0] + (CELL[1] << params.log_blowup)) + grinding) / 1_000_000,
            lift: rows * LIFT_ROW / 1_000_000,
        })
    }

    fn sum(&self) -> u64 {
        self.prove + self.lift
    }

    /// The least sum; a dearer prover only where it saves enough of it.
    pub(crate) fn cheapest(estimates: impl IntoIterator<Item = Self>) -> Option<Self> {
        estimates.into_iter().reduce(|best, next| {
            let saved = best.sum().saturating_sub(next.sum());
            if saved > best.sum() / WORTH { next } else { best }
        })
    }
}

/// Permutations of the program that verifies a proof: rows and paths of the queries, and the transcript.
fn permutations(params: &FriParams, tables: &[TableInfo]) -> u64 {
    let rate = |felts: usize| felts.div_ceil(8);
    let matrices = |width: &dyn Fn(&TableInfo) -> usize| -> usize {
        let all = || tables.iter().map(|t| (t.log_height, width(t))).filter(|m| m.1 > 0);
        let heights = descending(all().map(|m| m.0));
        let row = |h: &usize| rate(all().filter(|m| m.0 == *h).map(|m| m.1).sum());
        // A level of the path each, and one more where the rows of a lower height join.
        let path = heights.first().map_or(0, |top| top + params.log_blowup + heights.len() - 1);
        heights.iter().map(row).sum::<usize>() + path
    };
    let widths: [&dyn Fn(&TableInfo) -> usize; 4] =
        [&|t| t.width, &|t| t.quotient_chunks * EXT_DEGREE, &|t| t.preprocessed_width, &|t| t.aux_width];
    let opened: usize = widths.into_iter().map(matrices).sum();
    let heights = descending(tables.iter().map(|t| t.log_height + params.log_blowup));
    let mut at = heights.first().copied().unwrap_or(0);
    let schedule =
        fold_schedule(&heights, params.log_blowup + params.log_final_poly_len, params.max_log_arity);
    let folded: usize = schedule
        .into_iter()
        .map(|log_arity| {
            at -= log_arity;
            rate(EXT_DEGREE << log_arity) + at
        })
        .sum();
    let observed: usize = tables.iter().map(openings).sum();
    (params.num_queries * (opened + folded) + rate(observed * EXT_DEGREE)) as u64
}

fn descending(heights: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut heights: Vec<usize> = heights.collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.dedup();
    heights
}

/// A table before there are keys, at each blow-up: what [`crate::setup`] finds, but for a few constraints.
fn tables_of<A: CircuitAir>(air: &A, log_height: usize) -> [TableInfo; BASE.len()] {
    let gadget = LogUpGadget::new();
    let lookups = Lookups::<F>::from_air::<ExtField, A>(air);
    let builder = InteractionSymbolicBuilder::<F, ExtField>::from_air(air, AirLayout::from_air::<F>(air));
    let constraints = builder.base_constraints();
    let degrees = constraints.iter().map(|c| c.degree_multiple()).max();
    let degree = degrees.unwrap_or(0).max(air.max_constraint_degree().unwrap_or(0));
    let chunks = |degree: usize| degree.saturating_sub(1).max(1).next_power_of_two();
    BASE.map(|profile| {
        let budget = lookup_budget(air, &profile.params()).max(chunks(degree) + 1);
        let packed = lookups.clone().pack_same_bus(&gadget, budget);
        let degree = packed.iter().map(|l| gadget.constraint_degree(l)).fold(degree, usize::max);
        let columns = if packed.is_empty() { 0 } else { packed.len() + 1 };
        TableInfo {
            name: air.name(),
            log_height,
            width: air.width(),
            preprocessed_width: air.preprocessed_width(),
            aux_width: columns * EXT_DEGREE,
            public_values: air.num_public_values(),
            // One a column, the first and the last row.
            constraints: constraints.len() + if columns == 0 { 0 } else { columns + 2 },
            degree,
            quotient_chunks: chunks(degree),
            interactions: packed.iter().map(|l| l.elements.len()).sum(),
            max_message_width: packed.iter().flat_map(|l| l.elements.iter().map(Vec::len)).max().unwrap_or(0),
            main_next: !air.main_next_row_columns().is_empty(),
            preprocessed_next: !air.preprocessed_next_row_columns().is_empty(),
        }
    })
}

impl<A: CircuitAir> Circuit<A> {
    /// What the circuit costs in each base profile that proves it to 100 bits, the cheapest prover first.
    pub fn estimates(&self) -> Vec<Estimate> {
        let tables: Vec<_> =
            self.airs.iter().zip(&self.log_heights).map(|(air, log)| tables_of(air, *log)).collect();
        let of = |(k, profile): (usize, &Profile)| {
            let tables: Vec<TableInfo> = tables.iter().map(|t| t[k].clone()).collect();
            Estimate::of(*profile, &tables)
        };
        BASE.iter().enumerate().filter_map(of).collect()
    }

    /// A circuit of the profile [`Profile::Base`] in the base profile whose proof and lift cost least together, any
    /// other as it is.
    pub fn balanced(mut self) -> Self {
        if self.profile == Profile::Base {
            self.profile = Estimate::cheapest(self.estimates()).map_or(Profile::Base, |best| best.profile);
        }
        self
    }
}

impl<A> Circuit<A> {
    /// Proven in this base profile, if it is a base circuit, where the estimate misses what decides.
    pub fn preferring(mut self, profile: Profile) -> Self {
        if self.profile == Profile::Base {
            self.profile = profile;
        }
        self
    }
}
