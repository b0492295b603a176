//! The intermediate representation: nodes in topological order over numbered wires.
//!
//! A wire is written by exactly one node, before any node that reads it: nodes are appended with fresh output
//! wires, and the optimiser only removes nodes or points readers at an earlier wire of the same value.

use std::ops::Range;
use std::panic::Location;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use tsz_stark::{ExtField, F};

/// The value of a wire: four base field elements, read as an element of the extension `F[X]/(X^4 - 11)` or as
/// four lanes of a hash state. A base field value has the last three equal to 0.
pub type Value = ExtField;

/// Number of a wire.
pub(crate) type Wire = u32;
/// An operand that is absent.
pub(crate) const NONE: Wire = Wire::MAX;
/// Bits of a canonical base field element.
pub const FELT_BITS: usize = 31;

/// Where in the program's source a gate was placed.
pub type Source = &'static Location<'static>;

/// The four coordinates of a value.
pub fn coordinates(value: Value) -> [F; 4] {
    let slice: &[F] = value.as_basis_coefficients_slice();
    core::array::from_fn(|k| slice[k])
}

/// The value with the given coordinates.
pub fn from_coordinates(coordinates: [F; 4]) -> Value {
    Value::from_basis_coefficients_fn(|k| coordinates[k])
}

/// True if the value lies in the base field.
pub(crate) fn is_base(value: Value) -> bool {
    coordinates(value)[1..].iter().all(|x| *x == F::ZERO)
}

/// `ab * a * b + ac * a * c + qa * a + qb * b + qc * c + k`: what one row of the arithmetic table computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    pub(crate) ab: F,
    pub(crate) ac: F,
    pub(crate) a: F,
    pub(crate) b: F,
    pub(crate) c: F,
    pub(crate) k: Value,
}

impl Form {
    pub(crate) const ZERO: Self =
        Self { ab: F::ZERO, ac: F::ZERO, a: F::ZERO, b: F::ZERO, c: F::ZERO, k: Value::ZERO };

    pub(crate) fn eval(&self, a: Value, b: Value, c: Value) -> Value {
        a * (b * self.ab + c * self.ac) + a * self.a + b * self.b + c * self.c + self.k
    }

    /// True if no product of operands occurs.
    pub(crate) fn is_linear(&self) -> bool {
        self.ab == F::ZERO && self.ac == F::ZERO
    }
}

/// What a node does; operands and results in the order of [`Node::args`] and [`Node::outs`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// () -> value.
    Const(Value),
    /// () -> value number `index` of the witness, in the base field if `base`.
    Input { index: u32, base: bool },
    /// (a, b, c), each possibly [`NONE`] -> form(a, b, c).
    Alu(Form),
    /// (a, b, c, d): asserts form(a, b, c) = d.
    Check(Form),
    /// (x, one) -> 1 / x; asserts x != 0.
    Inverse,
    /// (n, z, x) -> v with `v (z - scale x) = n`; the program says why the factor is not 0.
    Quotient { scale: F },
    /// (x0, x1, x2, x3) base -> value with these coordinates.
    Pack,
    /// (x) -> its four coordinates.
    Unpack,
    /// (x) base -> the 31 bits of its canonical representative, least first.
    Bits,
    /// (x0, x1, x2, x3) -> Poseidon2-16. With `swap` a fifth operand, a bit, exchanges (x0, x1) and (x2, x3) first.
    Permute { swap: bool },
    /// (x0, x1, y0, y1, c0, c1) -> Poseidon2-24 of risc0. With `swap` a seventh operand, a bit, exchanges (x0, x1)
    /// and (y0, y1) first.
    Permute24 { swap: bool },
    /// (alpha, q_1, .., q_n) -> acc_n, acc_0 = 0, acc_i = acc_{i-1} alpha^4 + sum_k q_i[k] alpha^k over the bits k
    /// of the mask of q_i.
    Horner { masks: Box<[u8]> },
    /// (x, v_1, .., v_n) -> `v_1 x^(n-1) + .. + v_n`. Made by the optimiser from chains of sums of products.
    Polynomial,
    /// (x) base: the next public value is x.
    Expose,
}

impl Kind {
    /// Number of result wires.
    pub(crate) fn outputs(&self) -> u32 {
        match self {
            Self::Check(_) | Self::Expose => 0,
            Self::Const(_)
            | Self::Input { .. }
            | Self::Alu(_)
            | Self::Inverse
            | Self::Quotient { .. }
            | Self::Pack
            | Self::Horner { .. }
            | Self::Polynomial => 1,
            Self::Unpack | Self::Permute { .. } => 4,
            Self::Permute24 { .. } => 6,
            Self::Bits => FELT_BITS as u32,
        }
    }

    /// True if the node says nothing but that its first and last operand are equal.
    pub(crate) fn is_equality(&self) -> bool {
        *self == Self::Check(Form { a: F::ONE, ..Form::ZERO })
    }

    /// True if the node says something even when nobody reads its results.
    pub(crate) fn asserts(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Inverse | Self::Expose)
    }

    /// Name for messages.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Const(_) => "constant",
            Self::Input { .. } => "input",
            Self::Alu(_) => "arithmetic",
            Self::Check(_) => "assertion",
            Self::Inverse => "inverse",
            Self::Quotient { .. } => "quotient",
            Self::Pack => "pack",
            Self::Unpack => "unpack",
            Self::Bits => "bits",
            Self::Permute { .. } => "permutation",
            Self::Permute24 { .. } => "permutation of width 24",
            Self::Horner { .. } => "horner",
            Self::Polynomial => "polynomial",
            Self::Expose => "public value",
        }
    }
}

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) args: Box<[Wire]>,
    /// First result wire.
    pub(crate) out: Wire,
    pub(crate) at: Source,
}

impl Node {
    pub(crate) fn outs(&self) -> Range<Wire> {
        self.out..self.out + self.kind.outputs()
    }
    /// Operands that are present.
    pub(crate) fn reads(&self) -> impl Iterator<Item = Wire> + '_ {
        self.args.iter().copied().filter(|w| *w != NONE)
    }
}

/// A circuit as a list of nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ir {
    pub(crate) nodes: Vec<Node>,
    /// Number of wires ever made.
    pub(crate) wires: u32,
    /// Number of witness values.
    pub(crate) inputs: u32,
    /// Number of public values.
    pub(crate) publics: usize,
}
