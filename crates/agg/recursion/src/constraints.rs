//! The constraints of a table at the out-of-domain point, from its own `Air::eval`.
//!
//! The AIR and the LogUp gadget are run once on a symbolic builder; the expressions are walked and become gates.
//! Expressions that Rust shares are walked once, equal ones are merged by the optimiser.

use std::collections::HashMap;

use p3_air::symbolic::{
    AirLayout, BaseEntry, BaseLeaf, ConstraintLayout, ExtEntry, ExtLeaf, SymbolicExpr, SymbolicExpression,
    SymbolicExpressionExt,
};
use p3_batch_stark::symbolic::{get_constraint_layout, get_symbolic_constraints};
use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use p3_lookup::logup::LogUpGadget;
use p3_lookup::{Kind, Lookup};
use tsz_plonk::{Builder, Ext};
use tsz_stark::{CircuitAir, ExtField, F, VerifyingKey};

type Base = SymbolicExpression<F>;
type Extension = SymbolicExpressionExt<F, ExtField>;

/// The constraints of one table.
#[derive(Clone, Debug)]
pub(crate) struct TableConstraints {
    base: Vec<Base>,
    extension: Vec<Extension>,
    order: Vec<Which>,
    /// Coefficients of each periodic column as a polynomial over the subgroup of its period.
    periodic: Vec<Vec<F>>,
    /// Number of the bus of each LogUp column.
    buses: Vec<usize>,
}

/// A constraint in the order in which they are folded.
#[derive(Clone, Copy, Debug)]
enum Which {
    Base(usize),
    Extension(usize),
}

/// The constraints of all tables, and the widest bus message.
pub(crate) fn tables<A: CircuitAir>(vk: &VerifyingKey<A>) -> (Vec<TableConstraints>, usize) {
    let mut buses = Buses::default();
    let gadget = LogUpGadget::new();
    let table = |(k, air): (usize, &A)| {
        let (info, lookups) = (&vk.tables()[k], &vk.lookups()[k]);
        let layout = AirLayout {
            preprocessed_width: info.preprocessed_width,
            main_width: info.width,
            num_public_values: info.public_values,
            num_periodic_columns: air.num_periodic_columns(),
            ..Default::default()
        };
        let (base, extension) = get_symbolic_constraints::<F, ExtField, A, _>(air, layout, lookups, &gadget);
        let order = order(&get_constraint_layout::<F, ExtField, A, _>(air, layout, lookups, &gadget));
        let periodic = air.periodic_columns().iter().map(|column| interpolate(column)).collect();
        let buses = lookups.iter().map(|lookup| buses.number(lookup)).collect();
        TableConstraints { base, extension, order, periodic, buses }
    };
    let tables = vk.airs().iter().enumerate().map(table).collect();
    (tables, buses.widest.max(1))
}

/// Numbers of buses, by first occurrence over all tables: Plonky3's.
#[derive(Default)]
struct Buses {
    global: HashMap<String, usize>,
    next: usize,
    widest: usize,
}

impl Buses {
    fn number(&mut self, lookup: &Lookup<F>) -> usize {
        self.widest = lookup.elements.iter().map(Vec::len).fold(self.widest, usize::max);
        let fresh = self.next;
        let number = match &lookup.kind {
            Kind::Global(name) => *self.global.entry(name.clone()).or_insert(fresh),
            Kind::Local => fresh,
        };
        self.next += usize::from(number == fresh);
        number
    }
}

fn order(layout: &ConstraintLayout) -> Vec<Which> {
    let base = layout.base_indices.iter().enumerate().map(|(k, at)| (*at, Which::Base(k)));
    let extension = layout.ext_indices.iter().enumerate().map(|(k, at)| (*at, Which::Extension(k)));
    let mut all: Vec<(usize, Which)> = base.chain(extension).collect();
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, which)| which).collect()
}

/// Coefficients of the polynomial with these values on the subgroup of their number.
fn interpolate(values: &[F]) -> Vec<F> {
    let n = values.len();
    let inverse = F::two_adic_generator(n.trailing_zeros() as usize).inverse();
    let scale = F::from_usize(n).inverse();
    let coefficient = |k: usize| {
        let step = inverse.exp_u64(k as u64);
        let sum: F = values.iter().rev().fold(F::ZERO, |acc, v| acc * step + *v);
        sum * scale
    };
    (0..n).map(coefficient).collect()
}

/// A row and its successor at the out-of-domain point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub(crate) current: Vec<Ext>,
    pub(crate) next: Vec<Ext>,
}

/// Everything a table's constraints read.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) main: Window,
    pub(crate) preprocessed: Window,
    pub(crate) lookup: Window,
    pub(crate) publics: Vec<Ext>,
    pub(crate) terminal: Option<Ext>,
    pub(crate) is_first: Ext,
    pub(crate) is_last: Ext,
    pub(crate) is_transition: Ext,
    /// `zeta^(2^k)` for k up to the log height of the table.
    pub(crate) squares: Vec<Ext>,
    /// Base of each bus and combiner of the lookups.
    pub(crate) challenges: Option<LookupChallenges>,
}

/// The lookup challenges, separated by bus.
#[derive(Clone, Debug)]
pub(crate) struct LookupChallenges {
    base: Ext,
    step: Ext,
    pub(crate) combiner: Ext,
}

impl LookupChallenges {
    /// From the two challenges drawn: the base of bus n is `alpha + (n + 1) beta^widest`.
    #[track_caller]
    pub(crate) fn new(b: &mut Builder, [alpha, beta]: [Ext; 2], widest: usize) -> Self {
        let mut step = beta;
        for _ in 1..widest {
            step = b.mul(step, beta);
        }
        Self { base: alpha, step, combiner: beta }
    }

    #[track_caller]
    fn of(&self, b: &mut Builder, bus: usize) -> Ext {
        let number = F::from_usize(bus + 1);
        b.combine([F::ONE, number, F::ZERO], [self.base, self.step, self.base])
    }
}

impl TableConstraints {
    /// The constraints folded by powers of `alpha`: the first one with the highest.
    #[track_caller]
    pub(crate) fn fold(&self, b: &mut Builder, alpha: Ext, at: &Point) -> Ext {
        let periodic = self.periodic.iter().map(|column| evaluate(b, column, &at.squares)).collect();
        let mut walk = Walk { table: self, at, periodic, base: HashMap::new(), extension: HashMap::new() };
        let mut acc: Ext = b.zero().into();
        for which in &self.order {
            let value = match *which {
                Which::Base(k) => walk.base(b, &self.base[k]),
                Which::Extension(k) => walk.extension(b, &self.extension[k]),
            };
            acc = b.mul_add(acc, alpha, value);
        }
        acc
    }
}

/// A periodic column at zeta: its polynomial at `zeta^(height / period)`.
#[track_caller]
fn evaluate(b: &mut Builder, coefficients: &[F], squares: &[Ext]) -> Ext {
    let folds = squares.len() - 1 - coefficients.len().trailing_zeros() as usize;
    let point = squares[folds];
    let mut acc: Ext = b.zero().into();
    for coefficient in coefficients.iter().rev() {
        let coefficient = b.constant(ExtField::from(*coefficient));
        acc = b.mul_add(acc, point, coefficient);
    }
    acc
}

/// A walk over expressions; shared nodes are known by their address, which lives as long as the table.
struct Walk<'a> {
    table: &'a TableConstraints,
    at: &'a Point,
    periodic: Vec<Ext>,
    base: HashMap<*const Base, Ext>,
    extension: HashMap<*const Extension, Ext>,
}

impl Walk<'_> {
    #[track_caller]
    fn base(&mut self, b: &mut Builder, expression: &Base) -> Ext {
        let key: *const Base = expression;
        if let Some(known) = self.base.get(&key) {
            return *known;
        }
        let value = match expression {
            SymbolicExpr::Leaf(leaf) => self.base_leaf(b, leaf),
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.base(b, x), self.base(b, y));
                b.add(x, y)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.base(b, x), self.base(b, y));
                b.sub(x, y)
            }
            SymbolicExpr::Neg { x, .. } => {
                let x = self.base(b, x);
                b.neg(x)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.base(b, x), self.base(b, y));
                b.mul(x, y)
            }
        };
        self.base.insert(key, value);
        value
    }

    fn base_leaf(&self, b: &mut Builder, leaf: &BaseLeaf<F>) -> Ext {
        let row = |window: &Window, offset: usize, index: usize| {
            if offset == 0 { window.current[index] } else { window.next[index] }
        };
        match leaf {
            BaseLeaf::Variable(v) => match v.entry {
                BaseEntry::Main { offset } => row(&self.at.main, offset, v.index),
                BaseEntry::Preprocessed { offset } => row(&self.at.preprocessed, offset, v.index),
                BaseEntry::Public => self.at.publics[v.index],
                BaseEntry::Periodic => self.periodic[v.index],
            },
            BaseLeaf::IsFirstRow => self.at.is_first,
            BaseLeaf::IsLastRow => self.at.is_last,
            BaseLeaf::IsTransition => self.at.is_transition,
            BaseLeaf::Constant(c) => b.constant(ExtField::from(*c)),
        }
    }

    #[track_caller]
    fn extension(&mut self, b: &mut Builder, expression: &Extension) -> Ext {
        let key: *const Extension = expression;
        if let Some(known) = self.extension.get(&key) {
            return *known;
        }
        let value = match expression {
            SymbolicExpr::Leaf(leaf) => self.extension_leaf(b, leaf),
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.extension(b, x), self.extension(b, y));
                b.add(x, y)
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.extension(b, x), self.extension(b, y));
                b.sub(x, y)
            }
            SymbolicExpr::Neg { x, .. } => {
                let x = self.extension(b, x);
                b.neg(x)
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.extension(b, x), self.extension(b, y));
                b.mul(x, y)
            }
        };
        self.extension.insert(key, value);
        value
    }

    #[track_caller]
    fn extension_leaf(&mut self, b: &mut Builder, leaf: &ExtLeaf<F, ExtField>) -> Ext {
        match leaf {
            ExtLeaf::Base(expression) => self.base(b, expression),
            ExtLeaf::ExtConstant(c) => b.constant(*c),
            ExtLeaf::ExtVariable(v) => match v.entry {
                ExtEntry::Permutation { offset: 0 } => self.at.lookup.current[v.index],
                ExtEntry::Permutation { .. } => self.at.lookup.next[v.index],
                ExtEntry::Challenge => self.challenge(b, v.index),
                // One terminal a table; a table without lookups reads none.
                ExtEntry::PermutationValue => self.at.terminal.unwrap_or_else(|| b.zero().into()),
            },
        }
    }

    /// Two challenges a LogUp column: the base of its bus, the combiner.
    #[track_caller]
    fn challenge(&self, b: &mut Builder, index: usize) -> Ext {
        match &self.at.challenges {
            Some(c) if index.is_multiple_of(2) => c.of(b, self.table.buses[index / 2]),
            Some(c) => c.combiner,
            None => b.zero().into(),
        }
    }
}
