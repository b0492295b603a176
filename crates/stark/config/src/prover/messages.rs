//! The constraints of LogUp columns, compiled.
//!
//! Fields, multiplicities and flags of messages are expressions of columns. Here they are straight-line code over one
//! list of base field values that starts with the columns of the row: each subexpression is computed once, and a plain
//! column is no code at all. A message is then reduced by constant powers of the challenge, base field coordinate by
//! coordinate, and the fractions of a LogUp column are added up pairwise.

use std::collections::HashMap;
use std::sync::Arc;

use p3_air::SymbolicExpression;
use p3_air::symbolic::{BaseEntry, BaseLeaf, SymbolicExpr};
use p3_field::{Algebra, BasedVectorSpace, ExtensionField, PrimeCharacteristicRing, PrimeField32};
use p3_lookup::Lookup;

use super::folder::Packed;
use crate::config::{EXT_DEGREE, ExtField, F};

/// Lanes of extension field values.
pub(super) type PackedExt = <ExtField as ExtensionField<F>>::ExtensionPacking;

/// Where the values of a row stand in the list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub(super) main: usize,
    pub(super) preprocessed: usize,
    pub(super) periodic: usize,
}

impl Places {
    /// Columns of this row, of the next one, those of preprocessed columns likewise, periodic columns, selectors.
    fn main(self, next: bool) -> usize {
        if next { self.main } else { 0 }
    }
    pub(super) fn preprocessed(self, next: bool) -> usize {
        2 * self.main + if next { self.preprocessed } else { 0 }
    }
    pub(super) fn periodic(self) -> usize {
        2 * (self.main + self.preprocessed)
    }
    pub(super) fn selectors(self) -> usize {
        self.periodic() + self.periodic
    }
    fn end(self) -> usize {
        self.selectors() + 3
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Op {
    Add(u32, u32),
    Sub(u32, u32),
    Mul(u32, u32),
    Neg(u32),
}

/// One message.
struct Message {
    fields: Vec<u32>,
    multiplicity: u32,
    flag: Option<u32>,
}

/// The messages of one LogUp column, with what reduces them.
struct Column {
    messages: Vec<Message>,
    /// The challenge that denominators are differences to.
    alpha: PackedExt,
    /// Coordinates of the powers of the other challenge, the highest first, for the most fields that a message has.
    powers: [Vec<F>; EXT_DEGREE],
}

/// The messages of a table, compiled.
pub(super) struct Messages {
    constants: Vec<F>,
    ops: Vec<Op>,
    columns: Vec<Column>,
    places: Places,
}

struct Compiler<'a> {
    places: Places,
    publics: &'a [F],
    constants: Vec<F>,
    constant_at: HashMap<u32, u32>,
    ops: Vec<Op>,
    made: HashMap<Op, u32>,
    /// Values of shared nodes, by address; the expressions outlive the compiler.
    seen: HashMap<*const SymbolicExpression<F>, u32>,
}

/// Numbers of results of operations start here while it is not known how many constants there are.
const RESULT: u32 = 1 << 31;

impl Compiler<'_> {
    fn constant(&mut self, value: F) -> u32 {
        let (end, constants) = (self.places.end(), &mut self.constants);
        *self.constant_at.entry(value.as_canonical_u32()).or_insert_with(|| {
            constants.push(value);
            (end + constants.len() - 1) as u32
        })
    }

    fn op(&mut self, op: Op) -> u32 {
        let ops = &mut self.ops;
        *self.made.entry(op).or_insert_with(|| {
            ops.push(op);
            RESULT + (ops.len() - 1) as u32
        })
    }

    fn shared(&mut self, node: &Arc<SymbolicExpression<F>>) -> u32 {
        let address = Arc::as_ptr(node);
        if let Some(value) = self.seen.get(&address) {
            return *value;
        }
        let value = self.value(node);
        self.seen.insert(address, value);
        value
    }

    fn value(&mut self, of: &SymbolicExpression<F>) -> u32 {
        match of {
            SymbolicExpr::Leaf(leaf) => self.leaf(leaf),
            SymbolicExpr::Add { x, y, .. } => {
                let (x, y) = (self.shared(x), self.shared(y));
                self.op(Op::Add(x.min(y), x.max(y)))
            }
            SymbolicExpr::Sub { x, y, .. } => {
                let (x, y) = (self.shared(x), self.shared(y));
                self.op(Op::Sub(x, y))
            }
            SymbolicExpr::Mul { x, y, .. } => {
                let (x, y) = (self.shared(x), self.shared(y));
                self.op(Op::Mul(x.min(y), x.max(y)))
            }
            SymbolicExpr::Neg { x, .. } => {
                let x = self.shared(x);
                self.op(Op::Neg(x))
            }
        }
    }

    fn leaf(&mut self, leaf: &BaseLeaf<F>) -> u32 {
        let at = match leaf {
            BaseLeaf::Constant(value) => return self.constant(*value),
            BaseLeaf::Variable(v) => match v.entry {
                BaseEntry::Public => return self.constant(self.publics[v.index]),
                BaseEntry::Main { offset } => self.places.main(offset == 1) + v.index,
                BaseEntry::Preprocessed { offset } => self.places.preprocessed(offset == 1) + v.index,
                BaseEntry::Periodic => self.places.periodic() + v.index,
            },
            BaseLeaf::IsFirstRow => self.places.selectors(),
            BaseLeaf::IsLastRow => self.places.selectors() + 1,
            BaseLeaf::IsTransition => self.places.selectors() + 2,
        };
        at as u32
    }
}

impl Column {
    fn new(compiler: &mut Compiler<'_>, lookup: &Lookup<F>, alpha: ExtField, beta: ExtField) -> Self {
        let flags = lookup.flags.as_deref();
        let messages: Vec<Message> = lookup
            .elements
            .iter()
            .zip(&lookup.multiplicities)
            .enumerate()
            .map(|(k, (fields, multiplicity))| Message {
                fields: fields.iter().map(|field| compiler.value(field)).collect(),
                multiplicity: compiler.value(multiplicity),
                flag: flags.map(|flags| compiler.value(&flags[k])),
            })
            .collect();
        let most = messages.iter().map(|m| m.fields.len()).max().unwrap_or(0);
        Self { messages, alpha: alpha.into(), powers: powers(beta, most) }
    }

    /// `alpha - sum of fields by powers of beta`.
    fn denominator(&self, message: &Message, values: &[Packed], fields: &mut Vec<Packed>) -> PackedExt {
        fields.clear();
        fields.extend(message.fields.iter().map(|at| values[*at as usize]));
        let sum = PackedExt::from_basis_coefficients_fn(|k| {
            let powers = &self.powers[k];
            Packed::batched_linear_combination(fields, &powers[powers.len() - fields.len()..])
        });
        self.alpha - sum
    }

    /// Numerator and denominator of the column's fraction: the sum of those of its messages, or that of the one whose
    /// flag is set.
    fn fraction(&self, values: &[Packed], fields: &mut Vec<Packed>) -> (PackedExt, PackedExt) {
        let value = |at: u32| values[at as usize];
        let mut all = self.messages.iter();
        let Some(first) = all.next() else { return (PackedExt::ZERO, PackedExt::ONE) };
        if first.flag.is_some() {
            let (mut numerator, mut denominator, mut none) = (Packed::ZERO, PackedExt::ZERO, Packed::ONE);
            for message in &self.messages {
                let flag = message.flag.map_or(Packed::ZERO, value);
                numerator += flag * value(message.multiplicity);
                denominator += self.denominator(message, values, fields) * flag;
                none -= flag;
            }
            return (numerator.into(), denominator + none);
        }
        let mut denominator = self.denominator(first, values, fields);
        let Some(second) = all.next() else { return (value(first.multiplicity).into(), denominator) };
        let next = self.denominator(second, values, fields);
        let mut numerator = next * value(first.multiplicity) + denominator * value(second.multiplicity);
        denominator *= next;
        for message in all {
            let next = self.denominator(message, values, fields);
            numerator = numerator * next + denominator * value(message.multiplicity);
            denominator *= next;
        }
        (numerator, denominator)
    }
}

/// Coordinates of beta^(count - 1) .. beta^0.
fn powers(beta: ExtField, count: usize) -> [Vec<F>; EXT_DEGREE] {
    let mut powers: Vec<ExtField> = beta.powers().take(count).collect();
    powers.reverse();
    let coordinate = |power: &ExtField, k: usize| -> F {
        let all: &[F] = power.as_basis_coefficients_slice();
        all[k]
    };
    core::array::from_fn(|k| powers.iter().map(|power| coordinate(power, k)).collect())
}

impl Messages {
    /// Compiles the messages of a table for the two challenges of each LogUp column.
    pub(super) fn new(places: Places, publics: &[F], lookups: &[Lookup<F>], challenges: &[ExtField]) -> Self {
        let mut compiler = Compiler {
            places,
            publics,
            constants: Vec::new(),
            constant_at: HashMap::new(),
            ops: Vec::new(),
            made: HashMap::new(),
            seen: HashMap::new(),
        };
        let columns: Vec<Column> = lookups
            .iter()
            .map(|lookup| {
                let own = &challenges[2 * lookup.column..];
                Column::new(&mut compiler, lookup, own[0], own[1])
            })
            .collect();
        let mut all = Self { constants: compiler.constants, ops: compiler.ops, columns, places };
        all.number();
        all
    }

    /// Gives results of operations their places after the constants.
    fn number(&mut self) {
        let first = (self.places.end() + self.constants.len()) as u32;
        let place = |at: &mut u32| {
            if *at >= RESULT {
                *at = *at - RESULT + first;
            }
        };
        for op in &mut self.ops {
            match op {
                Op::Add(x, y) | Op::Sub(x, y) | Op::Mul(x, y) => [x, y].into_iter().for_each(place),
                Op::Neg(x) => place(x),
            }
        }
        for message in self.columns.iter_mut().flat_map(|c| &mut c.messages) {
            message.fields.iter_mut().for_each(place);
            place(&mut message.multiplicity);
            message.flag.iter_mut().for_each(place);
        }
    }

    /// A list with the constants in their places.
    pub(super) fn list(&self) -> Vec<Packed> {
        let mut values = vec![Packed::ZERO; self.places.end()];
        values.extend(self.constants.iter().map(|c| Packed::from(*c)));
        values.resize(values.len() + self.ops.len(), Packed::ZERO);
        values
    }

    /// Computes what the messages of a row take.
    fn run(&self, values: &mut [Packed]) {
        let first = self.places.end() + self.constants.len();
        for (k, op) in self.ops.iter().enumerate() {
            let at = |x: u32| values[x as usize];
            values[first + k] = match *op {
                Op::Add(x, y) => at(x) + at(y),
                Op::Sub(x, y) => at(x) - at(y),
                Op::Mul(x, y) => at(x) * at(y),
                Op::Neg(x) => -at(x),
            };
        }
    }

    /// The constraints of the LogUp columns of a row: one for each, then first row, step and last row of the
    /// accumulator. `aux` has this row of the columns, accumulator first; `next` is the next row of the accumulator.
    pub(super) fn constraints(
        &self,
        values: &mut [Packed],
        aux: &[PackedExt],
        next: PackedExt,
        terminal: PackedExt,
        fields: &mut Vec<Packed>,
        out: &mut Vec<PackedExt>,
    ) {
        self.run(values);
        let [accumulator, fractions @ ..] = aux else { return };
        let mut row = PackedExt::ZERO;
        for (column, fraction) in self.columns.iter().zip(fractions) {
            let (numerator, denominator) = column.fraction(values, fields);
            out.push(denominator * *fraction - numerator);
            row += *fraction;
        }
        let at = self.places.selectors();
        let [first, last, transition] = [values[at], values[at + 1], values[at + 2]];
        let after = *accumulator + row;
        out.push(*accumulator * first);
        out.push((next - after) * transition);
        out.push((terminal - after) * last);
    }
}
