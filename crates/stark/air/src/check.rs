//! Direct check of traces: every constraint of every row and the balance of every bus, without a proof.

use std::collections::HashMap;
use std::fmt;

use p3_air::{Air, AirBuilder, RowWindow};
use p3_field::{Field, PrimeCharacteristicRing};
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::Matrix;
use rayon::prelude::*;
use tsz_stark::CircuitAir;

use crate::{F, Trace};

/// An AIR that [`check`] can evaluate; blanket-implemented.
pub trait CheckAir: CircuitAir + for<'a> Air<CheckBuilder<'a>> {}
impl<T: CircuitAir + for<'a> Air<CheckBuilder<'a>>> CheckAir for T {}

/// Why traces do not satisfy a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A trace or public value vector of the wrong shape.
    Shape {
        /// Name of the table.
        air: String,
    },
    /// A constraint that does not hold.
    Constraint {
        /// Name of the table.
        air: String,
        /// Row.
        row: usize,
        /// Index of the constraint in the order in which `eval` asserts.
        constraint: usize,
    },
    /// A message whose multiplicities do not cancel.
    Bus {
        /// Name of the bus.
        bus: String,
        /// The message.
        message: Vec<F>,
        /// Lookups or sends minus entries or receives, as a signed number.
        excess: i64,
        /// Name of the first table that uses the message.
        air: String,
        /// Row of the first use.
        row: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { air } => write!(f, "{air}: wrong shape"),
            Self::Constraint { air, row, constraint } => {
                write!(f, "{air}: constraint {constraint} fails at row {row}")
            }
            Self::Bus { bus, message, excess, air, row } => {
                write!(f, "bus {bus}: {message:?} is off by {excess}, first used by {air} at row {row}")
            }
        }
    }
}

impl std::error::Error for Violation {}

/// A message put on a bus by one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Index of the bus in the order of names; local lookups are buses of their own.
    pub(crate) bus: String,
    /// The fields.
    pub(crate) fields: Vec<F>,
    /// The signed multiplicity, not 0.
    pub(crate) count: F,
}

/// Evaluates one row with field elements and records what fails and what goes on buses.
pub struct CheckBuilder<'a> {
    main: RowWindow<'a, F>,
    preprocessed: RowWindow<'a, F>,
    public_values: &'a [F],
    periodic: &'a [F],
    row: usize,
    height: usize,
    constraint: usize,
    failed: Vec<usize>,
    messages: Vec<Message>,
    locals: usize,
    instance: usize,
}

impl CheckBuilder<'_> {
    fn push(&mut self, bus: &str, fields: Vec<F>, count: F) {
        if !count.is_zero() {
            self.messages.push(Message { bus: bus.to_string(), fields, count });
        }
    }
}

impl<'a> AirBuilder for CheckBuilder<'a> {
    type F = F;
    type Expr = F;
    type Var = F;
    type PreprocessedWindow = RowWindow<'a, F>;
    type MainWindow = RowWindow<'a, F>;
    type PublicVar = F;
    type PeriodicVar = F;

    fn main(&self) -> Self::MainWindow {
        self.main
    }
    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        &self.preprocessed
    }
    fn is_first_row(&self) -> F {
        F::from_bool(self.row == 0)
    }
    fn is_last_row(&self) -> F {
        F::from_bool(self.row + 1 == self.height)
    }
    fn is_transition(&self) -> F {
        F::from_bool(self.row + 1 != self.height)
    }
    fn assert_zero<I: Into<F>>(&mut self, x: I) {
        if !x.into().is_zero() {
            self.failed.push(self.constraint);
        }
        self.constraint += 1;
    }
    fn public_values(&self) -> &[F] {
        self.public_values
    }
    fn periodic_values(&self) -> &[F] {
        self.periodic
    }
}

impl InteractionBuilder for CheckBuilder<'_> {
    fn push_interaction<E: Into<F>>(
        &mut self,
        bus_name: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<F>>,
    ) {
        let count = count.into().into_parts().0;
        self.push(bus_name, fields.into_iter().map(Into::into).collect(), count);
    }

    fn push_local_interaction(&mut self, tuples: impl IntoIterator<Item = (Vec<F>, Count<F>)>) {
        let bus = format!("local {} of table {}", self.locals, self.instance);
        self.locals += 1;
        for (fields, count) in tuples {
            self.push(&bus, fields, count.into_parts().0);
        }
    }

    fn push_exclusive_interaction(
        &mut self,
        bus_name: &str,
        branches: impl IntoIterator<Item = (F, Count<F>, Vec<F>)>,
    ) {
        for (flag, count, fields) in branches {
            self.push(bus_name, fields, flag * count.into_parts().0);
        }
    }
}

/// One table ready for evaluation row by row.
pub(crate) struct Instance<'a, A> {
    pub(crate) air: &'a A,
    pub(crate) index: usize,
    preprocessed: Option<Trace>,
    periodic: Vec<Vec<F>>,
    publics: &'a [F],
}

impl<'a, A: CheckAir> Instance<'a, A> {
    pub(crate) fn new(air: &'a A, index: usize, publics: &'a [F]) -> Self {
        let periodic = air.periodic_columns().into_owned();
        Self { air, index, preprocessed: air.preprocessed_trace(), periodic, publics }
    }

    fn shape_is_right(&self, trace: &Trace) -> bool {
        let height = trace.height();
        let preprocessed = self.preprocessed.as_ref().map_or((height, 0), |p| (p.height(), p.width));
        height.is_power_of_two()
            && trace.width == self.air.width()
            && preprocessed == (height, self.air.preprocessed_width())
            && self.publics.len() == self.air.num_public_values()
            && self.periodic.iter().all(|c| !c.is_empty() && height.is_multiple_of(c.len()))
    }

    /// Constraints that fail at a row and the messages it puts on buses.
    pub(crate) fn row(&self, trace: &Trace, row: usize) -> (Vec<usize>, Vec<Message>) {
        let height = trace.height();
        let next = (row + 1) % height;
        let slice = |t: &'_ Trace, r: usize| r * t.width..(r + 1) * t.width;
        let periodic: Vec<F> = self.periodic.iter().map(|c| c[row % c.len()]).collect();
        let preprocessed = match &self.preprocessed {
            Some(p) => RowWindow::from_two_rows(&p.values[slice(p, row)], &p.values[slice(p, next)]),
            None => RowWindow::from_two_rows(&[], &[]),
        };
        let mut builder = CheckBuilder {
            main: RowWindow::from_two_rows(
                &trace.values[slice(trace, row)],
                &trace.values[slice(trace, next)],
            ),
            preprocessed,
            public_values: self.publics,
            periodic: &periodic,
            row,
            height,
            constraint: 0,
            failed: Vec::new(),
            messages: Vec::new(),
            locals: 0,
            instance: self.index,
        };
        self.air.eval(&mut builder);
        (builder.failed, builder.messages)
    }
}

/// Sums of multiplicities with the first (table, row) that uses each message.
type Balance = HashMap<(String, Vec<F>), (F, usize, usize)>;

/// Checks traces against AIRs: shapes, every constraint of every row, the balance of every bus.
///
/// Accepts exactly what a proof would prove (up to LogUp's error) in a fraction of the time.
///
/// # Errors
/// The first [`Violation`], constraints before buses.
pub fn check<A: CheckAir>(airs: &[A], traces: &[Trace], public_values: &[Vec<F>]) -> Result<(), Violation> {
    assert!(airs.len() == traces.len() && airs.len() == public_values.len(), "one trace and vector per AIR");
    let mut balance = Balance::new();
    for (index, (air, trace)) in airs.iter().zip(traces).enumerate() {
        let instance = Instance::new(air, index, &public_values[index]);
        if !instance.shape_is_right(trace) {
            return Err(Violation::Shape { air: air.name() });
        }
        let rows: Vec<_> = (0..trace.height()).into_par_iter().map(|row| instance.row(trace, row)).collect();
        for (row, (failed, messages)) in rows.into_iter().enumerate() {
            if let Some(&constraint) = failed.first() {
                return Err(Violation::Constraint { air: air.name(), row, constraint });
            }
            for message in messages {
                let entry = balance.entry((message.bus, message.fields)).or_insert((F::ZERO, index, row));
                entry.0 += message.count;
            }
        }
    }
    let worst = balance.into_iter().filter(|(_, (sum, ..))| !sum.is_zero());
    match worst.min_by_key(|((bus, _), (_, table, row))| (bus.clone(), *table, *row)) {
        None => Ok(()),
        Some(((bus, message), (sum, table, row))) => {
            Err(Violation::Bus { bus, message, excess: signed(sum), air: airs[table].name(), row })
        }
    }
}

fn signed(x: F) -> i64 {
    use p3_field::PrimeField32;
    let v = i64::from(x.as_canonical_u32());
    let p = i64::from(F::ORDER_U32);
    if v > p / 2 { v - p } else { v }
}
