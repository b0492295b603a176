//! Finds columns that nothing constrains: changes one cell at a time and looks whether anybody notices.

use std::collections::HashMap;

use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;

use crate::check::{CheckAir, Instance};
use crate::{F, Trace, check};

/// What happened to one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnResult {
    /// Name of the table.
    pub table: String,
    /// Name of the column, or its index where the AIR names none.
    pub column: String,
    /// Cells changed.
    pub trials: usize,
    /// Changes that break a constraint or the balance of a bus.
    pub noticed: usize,
}

/// A tamper run over honest traces.
pub struct Tamper<'a, A> {
    /// The AIRs.
    pub airs: &'a [A],
    /// Honest traces.
    pub traces: &'a [Trace],
    /// Honest public values.
    pub public_values: &'a [Vec<F>],
    /// Number of real rows of each table: the first rows, of which some are tampered with.
    pub real_rows: &'a [usize],
    /// Cells to change in each column.
    pub trials: usize,
    /// Seed of the choice of rows.
    pub seed: u64,
}

impl<A: CheckAir> Tamper<'_, A> {
    /// Changes `trials` cells of each column, one at a time, by +1 (every other time by a random amount).
    ///
    /// Equivalent to a full [`check`] for each change: a cell is read by its own row and by the row before it,
    /// and the buses of honest traces balance, so the messages of these two rows decide.
    ///
    /// # Panics
    /// If the traces are not honest.
    pub fn columns(&self) -> Vec<ColumnResult> {
        let honest = check(self.airs, self.traces, self.public_values);
        assert!(honest.is_ok(), "traces are not honest: {honest:?}");
        let mut rng = Rng(self.seed);
        let mut results = Vec::new();
        for (index, (air, trace)) in self.airs.iter().zip(self.traces).enumerate() {
            let instance = Instance::new(air, index, &self.public_values[index]);
            let real = self.real_rows[index].min(trace.height());
            let mut trace = trace.clone();
            let names = air.column_names();
            for column in 0..trace.width {
                let trials = if real == 0 { 0 } else { self.trials };
                let noticed = (0..trials)
                    .filter(|trial| {
                        let row = rng.next() as usize % real;
                        let by = if trial % 2 == 0 { F::ONE } else { F::from_u64(rng.next() >> 34) + F::ONE };
                        notices(&instance, &mut trace, row, column, by)
                    })
                    .count();
                let column = names.get(column).cloned().unwrap_or_else(|| column.to_string());
                results.push(ColumnResult { table: air.name(), column, trials, noticed });
            }
        }
        results
    }

    /// Asserts that each column is noticed at least once, but for the allowed `(table, column)` pairs, each of
    /// which must indeed go unnoticed.
    ///
    /// # Panics
    /// With the list of columns that nothing constrains, or of pairs allowed without need.
    pub fn assert_constrained(&self, allow: &[(&str, &str)]) {
        let results = self.columns();
        let allowed =
            |r: &ColumnResult| allow.iter().any(|(table, column)| *table == r.table && *column == r.column);
        let free: Vec<_> = results.iter().filter(|r| r.trials > 0 && r.noticed == 0).collect();
        let bad: Vec<_> = free.iter().filter(|r| !allowed(r)).collect();
        assert!(bad.is_empty(), "unconstrained columns: {bad:#?}");
        let idle: Vec<_> = results.iter().filter(|r| allowed(r) && r.noticed > 0).collect();
        assert!(idle.is_empty(), "allowed but constrained: {idle:#?}");
    }
}

fn notices<A: CheckAir>(
    instance: &Instance<'_, A>,
    trace: &mut Trace,
    row: usize,
    column: usize,
    by: F,
) -> bool {
    let height = trace.height();
    let mut rows = vec![row, (row + height - 1) % height];
    rows.dedup();
    let before = outcome(instance, trace, &rows).1;
    let cell = row * trace.width + column;
    trace.values[cell] += by;
    let (failed, after) = outcome(instance, trace, &rows);
    trace.values[cell] -= by;
    failed || before != after
}

type Sums = HashMap<(String, Vec<F>), F>;

fn outcome<A: CheckAir>(instance: &Instance<'_, A>, trace: &Trace, rows: &[usize]) -> (bool, Sums) {
    let mut sums = Sums::new();
    let mut any_failed = false;
    for &row in rows {
        let (failed, messages) = instance.row(trace, row);
        any_failed |= !failed.is_empty();
        for message in messages {
            *sums.entry((message.bus, message.fields)).or_insert(F::ZERO) += message.count;
        }
    }
    sums.retain(|_, sum| !sum.is_zero());
    (any_failed, sums)
}

/// SplitMix64: enough to choose rows, and no dependency.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
