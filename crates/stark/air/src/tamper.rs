//! Finds columns that nothing constrains: changes one cell at a time and looks whether anybody notices.

use std::collections::HashMap;

use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;

use crate::check::{CheckAir, Instance, Message};
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
    /// Equivalent to a full [`check`] for each change: a cell is read by its own row and, where that looks ahead, by the
    /// row before it, and the buses of honest traces balance, so the messages of these two rows decide.
    ///
    /// # Panics
    /// If the traces are not honest.
    pub fn columns(&self) -> Vec<ColumnResult> {
        let honest = check(self.airs, self.traces, self.public_values);
        assert!(honest.is_ok(), "traces are not honest: {honest:?}");
        let mut rng = Rng(self.seed);
        let mut results = Vec::new();
        for (index, (air, trace)) in self.airs.iter().zip(self.traces).enumerate() {
            let real = self.real_rows[index].min(trace.height());
            let mut table = Table::new(Instance::new(air, index, &self.public_values[index]), trace.clone());
            let names = air.column_names();
            for column in 0..trace.width {
                let trials = if real == 0 { 0 } else { self.trials };
                // adding 1 to one cell twice gives one answer
                let mut by_one = HashMap::new();
                let noticed = (0..trials)
                    .filter(|trial| {
                        let row = rng.next() as usize % real;
                        if trial % 2 == 0 {
                            return *by_one.entry(row).or_insert_with(|| table.notices(row, column, F::ONE));
                        }
                        table.notices(row, column, F::from_u64(rng.next() >> 34) + F::ONE)
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

/// One table, with what its honest rows say.
struct Table<'a, A> {
    instance: Instance<'a, A>,
    trace: Trace,
    /// Messages of rows.
    honest: HashMap<usize, Vec<Message>>,
    /// Whether a row says something else where the next one is another.
    looks_ahead: HashMap<usize, bool>,
    rng: Rng,
}

impl<'a, A: CheckAir> Table<'a, A> {
    fn new(instance: Instance<'a, A>, trace: Trace) -> Self {
        Self { instance, trace, honest: HashMap::new(), looks_ahead: HashMap::new(), rng: Rng(0) }
    }

    /// Whether a constraint or the balance of a bus breaks if this is added to a cell.
    fn notices(&mut self, row: usize, column: usize, by: F) -> bool {
        let height = self.trace.height();
        let before = (row + height - 1) % height;
        let rows = if before != row && self.looks_ahead(before) { vec![row, before] } else { vec![row] };
        for row in &rows {
            self.remember(*row);
        }
        let cell = row * self.trace.width + column;
        self.trace.values[cell] += by;
        let noticed = self.differs(&rows);
        self.trace.values[cell] -= by;
        noticed
    }

    fn remember(&mut self, row: usize) {
        let (instance, trace) = (&self.instance, &self.trace);
        self.honest.entry(row).or_insert_with(|| instance.row(trace, row).1);
    }

    /// Whether rows fail, or together say something else than the honest ones.
    fn differs(&self, rows: &[usize]) -> bool {
        let mut change: HashMap<(String, Vec<F>), F> = HashMap::new();
        for row in rows {
            let (failed, messages) = self.instance.row(&self.trace, *row);
            if !failed.is_empty() {
                return true;
            }
            let honest = &self.honest[row];
            // most messages stay as and where they were
            let same = messages.iter().zip(honest).take_while(|(a, b)| a == b).count();
            for message in &honest[same..] {
                *change.entry((message.bus.clone(), message.fields.clone())).or_default() -= message.count;
            }
            for message in messages.into_iter().skip(same) {
                *change.entry((message.bus, message.fields)).or_default() += message.count;
            }
        }
        change.values().any(|sum| !sum.is_zero())
    }

    /// Whether what a row says depends on the next one: a polynomial of the next row that is constant at a random point is
    /// constant, but for a chance of its degree over the size of the field.
    fn looks_ahead(&mut self, row: usize) -> bool {
        if let Some(known) = self.looks_ahead.get(&row) {
            return *known;
        }
        self.remember(row);
        let width = self.trace.width;
        let next = (row + 1) % self.trace.height() * width;
        let kept = self.trace.values[next..next + width].to_vec();
        for cell in &mut self.trace.values[next..next + width] {
            *cell = F::from_u64(self.rng.next() >> 3);
        }
        let (failed, messages) = self.instance.row(&self.trace, row);
        self.trace.values[next..next + width].copy_from_slice(&kept);
        let ahead = !failed.is_empty() || messages != self.honest[&row];
        self.looks_ahead.insert(row, ahead);
        ahead
    }
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
