//! Tables of one height side by side as one AIR.
//!
//! Every AIR pays for columns of its own beside its trace: four for the accumulator of its messages, LogUp columns that
//! its few messages fill badly, and the chunks of its quotient. Side by side, tables share them: a row is a row of each,
//! every part keeps its constraints on its own columns, and nothing ties the parts but the witness bus.

use std::ops::Range;

use tsz_air::{Air, AirBuilder, BaseAir, Count, InteractionBuilder, TableAir, Trace, WindowAccess};
use tsz_stark::F;

use super::Table;
use super::rows::beside;

/// One or more tables of one height. At most one has public values, none has periodic columns.
#[derive(Clone)]
pub struct PlonkAir {
    parts: Vec<Table>,
}

impl PlonkAir {
    /// The tables, from left to right.
    ///
    /// # Panics
    /// If several have public values: all would read those of the first.
    pub(crate) fn new(parts: Vec<Table>) -> Self {
        let with_publics = parts.iter().filter(|part| part.num_public_values() > 0).count();
        assert!(with_publics <= 1, "public values of several tables side by side");
        Self { parts }
    }

    /// The tables with the first column of each, in main and preprocessed trace.
    fn places(&self) -> impl Iterator<Item = (&Table, [usize; 2])> {
        self.parts.iter().scan([0; 2], |next, part| {
            let at = *next;
            *next = [at[0] + part.width(), at[1] + part.preprocessed_width()];
            Some((part, at))
        })
    }

    fn moved(&self, which: usize, columns: impl Fn(&Table) -> Vec<usize>) -> Vec<usize> {
        self.places().flat_map(|(part, at)| columns(part).into_iter().map(move |k| at[which] + k)).collect()
    }

    #[cfg(test)]
    pub(crate) fn parts_mut(&mut self) -> &mut [Table] {
        &mut self.parts
    }
}

impl TableAir for PlonkAir {
    fn name(&self) -> String {
        self.parts.iter().map(TableAir::name).collect::<Vec<_>>().join("+")
    }
    fn column_names(&self) -> Vec<String> {
        let [part] = &self.parts[..] else {
            let names = |part: &Table| {
                let table = part.name();
                part.column_names().into_iter().map(move |column| format!("{table}.{column}"))
            };
            return self.parts.iter().flat_map(names).collect();
        };
        part.column_names()
    }
}

impl BaseAir<F> for PlonkAir {
    fn width(&self) -> usize {
        self.parts.iter().map(BaseAir::width).sum()
    }
    fn preprocessed_width(&self) -> usize {
        self.parts.iter().map(BaseAir::preprocessed_width).sum()
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        Some(beside(self.parts.iter().filter_map(BaseAir::preprocessed_trace).collect()))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        self.moved(0, BaseAir::main_next_row_columns)
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        self.moved(1, BaseAir::preprocessed_next_row_columns)
    }
    fn num_public_values(&self) -> usize {
        self.parts.iter().map(BaseAir::num_public_values).sum()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PlonkAir {
    fn eval(&self, builder: &mut AB) {
        for (part, [main, preprocessed]) in self.places() {
            let program = Window {
                inner: builder.preprocessed().clone(),
                columns: preprocessed..preprocessed + part.preprocessed_width(),
            };
            let columns = main..main + part.width();
            part.eval(&mut PartBuilder { inner: builder, columns, program });
        }
    }
}

/// Some columns of a window.
#[derive(Clone)]
struct Window<W> {
    inner: W,
    columns: Range<usize>,
}

impl<T, W: WindowAccess<T>> WindowAccess<T> for Window<W> {
    fn current_slice(&self) -> &[T] {
        &self.inner.current_slice()[self.columns.clone()]
    }
    fn next_slice(&self) -> &[T] {
        &self.inner.next_slice()[self.columns.clone()]
    }
}

/// What one part sees of a builder: its own columns.
struct PartBuilder<'a, AB: AirBuilder> {
    inner: &'a mut AB,
    columns: Range<usize>,
    program: Window<AB::PreprocessedWindow>,
}

impl<AB: AirBuilder> AirBuilder for PartBuilder<'_, AB> {
    type F = AB::F;
    type Expr = AB::Expr;
    type Var = AB::Var;
    type PreprocessedWindow = Window<AB::PreprocessedWindow>;
    type MainWindow = Window<AB::MainWindow>;
    type PublicVar = AB::PublicVar;
    type PeriodicVar = AB::PeriodicVar;

    fn main(&self) -> Self::MainWindow {
        Window { inner: self.inner.main(), columns: self.columns.clone() }
    }
    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        &self.program
    }
    fn is_first_row(&self) -> Self::Expr {
        self.inner.is_first_row()
    }
    fn is_last_row(&self) -> Self::Expr {
        self.inner.is_last_row()
    }
    fn is_transition(&self) -> Self::Expr {
        self.inner.is_transition()
    }
    fn assert_zero<I: Into<Self::Expr>>(&mut self, x: I) {
        self.inner.assert_zero(x);
    }
    fn public_values(&self) -> &[Self::PublicVar] {
        self.inner.public_values()
    }
    fn periodic_values(&self) -> &[Self::PeriodicVar] {
        self.inner.periodic_values()
    }
}

impl<AB: InteractionBuilder> InteractionBuilder for PartBuilder<'_, AB> {
    fn push_interaction<E: Into<Self::Expr>>(
        &mut self,
        bus_name: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<Self::Expr>>,
    ) {
        self.inner.push_interaction(bus_name, fields, count);
    }
    fn push_local_interaction(
        &mut self,
        tuples: impl IntoIterator<Item = (Vec<Self::Expr>, Count<Self::Expr>)>,
    ) {
        self.inner.push_local_interaction(tuples);
    }
    fn push_exclusive_interaction(
        &mut self,
        bus_name: &str,
        branches: impl IntoIterator<Item = (Self::Expr, Count<Self::Expr>, Vec<Self::Expr>)>,
    ) {
        self.inner.push_exclusive_interaction(bus_name, branches);
    }
    fn num_global_interactions(&self) -> usize {
        self.inner.num_global_interactions()
    }
    fn num_local_interactions(&self) -> usize {
        self.inner.num_local_interactions()
    }
    fn num_exclusive_interactions(&self) -> usize {
        self.inner.num_exclusive_interactions()
    }
}
