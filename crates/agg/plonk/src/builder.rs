//! The circuit builder: typed wires and the operations on them.

use std::panic::Location;

use p3_field::PrimeCharacteristicRing;
use tsz_stark::F;

use crate::ir::{FELT_BITS, Form, Ir, Kind, NONE, Node, Source, Value, Wire};

/// A wire that holds a base field element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Felt(pub(crate) Wire);

/// A wire that holds an extension field element, or four lanes of a hash state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ext(pub(crate) Wire);

/// A wire that holds 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bit(pub(crate) Wire);

impl From<Felt> for Ext {
    fn from(x: Felt) -> Self {
        Self(x.0)
    }
}
impl From<Bit> for Felt {
    fn from(x: Bit) -> Self {
        Self(x.0)
    }
}
impl From<Bit> for Ext {
    fn from(x: Bit) -> Self {
        Self(x.0)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Felt {}
    impl Sealed for super::Ext {}
}

/// A wire that arithmetic applies to: [`Felt`] or [`Ext`]. Mix them by `felt.into()`.
pub trait Num: Copy + sealed::Sealed {
    /// Constants of the type.
    type Constant: Into<Value> + Copy;
    #[doc(hidden)]
    fn wire(self) -> u32;
    #[doc(hidden)]
    fn of(wire: u32) -> Self;
}

impl Num for Felt {
    type Constant = F;
    fn wire(self) -> u32 {
        self.0
    }
    fn of(wire: u32) -> Self {
        Self(wire)
    }
}

impl Num for Ext {
    type Constant = Value;
    fn wire(self) -> u32 {
        self.0
    }
    fn of(wire: u32) -> Self {
        Self(wire)
    }
}

/// Builds a circuit.
///
/// Wires belong to the builder that made them: a wire of another builder names something else or makes the
/// compiler panic. Every method records its caller's source location for messages.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    pub(crate) ir: Ir,
}

impl Builder {
    /// An empty circuit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a node; the first of its result wires.
    pub(crate) fn node(&mut self, kind: Kind, args: impl Into<Box<[Wire]>>, at: Source) -> Wire {
        let out = self.ir.wires;
        self.ir.wires += kind.outputs();
        self.ir.nodes.push(Node { kind, args: args.into(), out, at });
        out
    }

    fn alu<T: Num>(&mut self, form: Form, args: [Wire; 3], at: Source) -> T {
        T::of(self.node(Kind::Alu(form), args, at))
    }

    /// The constant `value`.
    #[track_caller]
    pub fn constant<T: Num>(&mut self, value: T::Constant) -> T {
        T::of(self.node(Kind::Const(value.into()), [], Location::caller()))
    }

    /// The constant 0.
    #[track_caller]
    pub fn zero(&mut self) -> Felt {
        self.constant(F::ZERO)
    }

    /// The constant 1.
    #[track_caller]
    pub fn one(&mut self) -> Felt {
        self.constant(F::ONE)
    }

    /// The next witness value, any base field element. The program may not trust it.
    #[track_caller]
    pub fn input(&mut self) -> Felt {
        self.any_input(true, Location::caller())
    }

    /// The next witness value, any extension element.
    #[track_caller]
    pub fn input_ext(&mut self) -> Ext {
        self.any_input(false, Location::caller())
    }

    fn any_input<T: Num>(&mut self, base: bool, at: Source) -> T {
        let index = self.ir.inputs;
        self.ir.inputs += 1;
        T::of(self.node(Kind::Input { index, base }, [], at))
    }

    /// A new witness value that is also the next public value.
    #[track_caller]
    pub fn public(&mut self) -> Felt {
        let x = self.input();
        self.expose(x);
        x
    }

    /// Makes `x` the next public value.
    #[track_caller]
    pub fn expose(&mut self, x: Felt) {
        self.ir.publics += 1;
        self.node(Kind::Expose, [x.0], Location::caller());
    }

    /// Makes the four coordinates of `x` the next public values.
    #[track_caller]
    pub fn expose_ext(&mut self, x: Ext) {
        for felt in self.unpack(x) {
            self.expose(felt);
        }
    }

    /// `a + b`.
    #[track_caller]
    pub fn add<T: Num>(&mut self, a: T, b: T) -> T {
        let form = Form { a: F::ONE, b: F::ONE, ..Form::ZERO };
        self.alu(form, [a.wire(), b.wire(), NONE], Location::caller())
    }

    /// `a - b`.
    #[track_caller]
    pub fn sub<T: Num>(&mut self, a: T, b: T) -> T {
        let form = Form { a: F::ONE, b: -F::ONE, ..Form::ZERO };
        self.alu(form, [a.wire(), b.wire(), NONE], Location::caller())
    }

    /// `a * b`.
    #[track_caller]
    pub fn mul<T: Num>(&mut self, a: T, b: T) -> T {
        self.alu(Form { ab: F::ONE, ..Form::ZERO }, [a.wire(), b.wire(), NONE], Location::caller())
    }

    /// `a * b + c`.
    #[track_caller]
    pub fn mul_add<T: Num>(&mut self, a: T, b: T, c: T) -> T {
        let form = Form { ab: F::ONE, c: F::ONE, ..Form::ZERO };
        self.alu(form, [a.wire(), b.wire(), c.wire()], Location::caller())
    }

    /// `a * b - c`.
    #[track_caller]
    pub fn mul_sub<T: Num>(&mut self, a: T, b: T, c: T) -> T {
        let form = Form { ab: F::ONE, c: -F::ONE, ..Form::ZERO };
        self.alu(form, [a.wire(), b.wire(), c.wire()], Location::caller())
    }

    /// `x + k`.
    #[track_caller]
    pub fn add_constant<T: Num>(&mut self, x: T, k: T::Constant) -> T {
        let form = Form { a: F::ONE, k: k.into(), ..Form::ZERO };
        self.alu(form, [x.wire(), NONE, NONE], Location::caller())
    }

    /// `q * x` for a constant of the base field.
    #[track_caller]
    pub fn scale<T: Num>(&mut self, x: T, q: F) -> T {
        self.alu(Form { a: q, ..Form::ZERO }, [x.wire(), NONE, NONE], Location::caller())
    }

    /// `-x`.
    #[track_caller]
    pub fn neg<T: Num>(&mut self, x: T) -> T {
        self.scale(x, -F::ONE)
    }

    /// `x * x`.
    #[track_caller]
    pub fn square<T: Num>(&mut self, x: T) -> T {
        self.mul(x, x)
    }

    /// `q0 * x0 + q1 * x1 + q2 * x2`: one row.
    #[track_caller]
    pub fn combine<T: Num>(&mut self, q: [F; 3], x: [T; 3]) -> T {
        let form = Form { a: q[0], b: q[1], c: q[2], ..Form::ZERO };
        self.alu(form, x.map(Num::wire), Location::caller())
    }

    /// `q * (a - b) * scale + (a + b) / 2`: the even-odd fold, one row.
    #[track_caller]
    pub(crate) fn fold_pair(&mut self, scale: Ext, q: F, lo: Ext, hi: Ext) -> Ext {
        let half = F::ONE.halve();
        let form = Form { ab: q, ac: -q, b: half, c: half, ..Form::ZERO };
        self.alu(form, [scale.0, lo.0, hi.0], Location::caller())
    }

    /// `acc * (bit ? q : 1)`: one row.
    #[track_caller]
    pub fn mul_if(&mut self, acc: Felt, bit: Bit, q: F) -> Felt {
        let form = Form { ab: q - F::ONE, a: F::ONE, ..Form::ZERO };
        self.alu(form, [acc.0, bit.0, NONE], Location::caller())
    }

    /// Sum of all values; two terms a row.
    #[track_caller]
    pub fn sum<T: Num>(&mut self, terms: &[T]) -> T {
        let at = Location::caller();
        let Some((first, rest)) = terms.split_first() else { return T::of(self.zero().0) };
        rest.chunks(2).fold(*first, |acc, pair| {
            let third = pair.get(1).map_or(NONE, |x| x.wire());
            let c = if third == NONE { F::ZERO } else { F::ONE };
            let form = Form { a: F::ONE, b: F::ONE, c, ..Form::ZERO };
            self.alu(form, [acc.wire(), pair[0].wire(), third], at)
        })
    }

    /// `sum a_k * b_k`: one row a term.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn dot<T: Num>(&mut self, a: &[T], b: &[T]) -> T {
        assert_eq!(a.len(), b.len(), "dot product of different lengths");
        let zero = T::of(self.zero().0);
        let mut acc = zero;
        for (a, b) in a.iter().zip(b) {
            acc = self.mul_add(*a, *b, acc);
        }
        acc
    }

    /// `1 / x`. Asserts that `x` is not 0, even where the result is unused.
    #[track_caller]
    pub fn inverse<T: Num>(&mut self, x: T) -> T {
        let one = self.one();
        T::of(self.node(Kind::Inverse, [x.wire(), one.0], Location::caller()))
    }

    /// `a / b`. Asserts that `b` is not 0.
    #[track_caller]
    pub fn div<T: Num>(&mut self, a: T, b: T) -> T {
        let inverse = self.inverse(b);
        self.mul(a, inverse)
    }

    /// `n / (z - scale * x)`: one row. A divisor of 0 is not excluded: there any value will do if `n` is 0, and
    /// none if it is not. The caller must know that it is not 0.
    #[track_caller]
    pub fn quotient(&mut self, n: Ext, z: Ext, x: Ext, scale: F) -> Ext {
        Ext(self.node(Kind::Quotient { scale }, [n.0, z.0, x.0], Location::caller()))
    }

    /// `bit ? a : b`: one row.
    #[track_caller]
    pub fn select<T: Num>(&mut self, bit: Bit, a: T, b: T) -> T {
        let form = Form { ab: F::ONE, ac: -F::ONE, c: F::ONE, ..Form::ZERO };
        self.alu(form, [bit.0, a.wire(), b.wire()], Location::caller())
    }

    /// `1 - bit`.
    #[track_caller]
    pub fn not(&mut self, bit: Bit) -> Bit {
        let form = Form { a: -F::ONE, k: Value::ONE, ..Form::ZERO };
        Bit(self.alu::<Felt>(form, [bit.0, NONE, NONE], Location::caller()).0)
    }

    /// Both bits.
    #[track_caller]
    pub fn and(&mut self, a: Bit, b: Bit) -> Bit {
        let product: Felt = self.mul(a.into(), b.into());
        Bit(product.0)
    }

    /// Asserts `a = b`.
    #[track_caller]
    pub fn assert_eq<T: Num>(&mut self, a: T, b: T) {
        let form = Form { a: F::ONE, ..Form::ZERO };
        self.node(Kind::Check(form), [a.wire(), NONE, NONE, b.wire()], Location::caller());
    }

    /// Asserts `flag * (a - b) = 0`: one row.
    #[track_caller]
    pub fn assert_eq_if<T: Num>(&mut self, flag: Bit, a: T, b: T) {
        let zero = self.zero();
        let form = Form { ab: F::ONE, ac: -F::ONE, ..Form::ZERO };
        self.node(Kind::Check(form), [flag.0, a.wire(), b.wire(), zero.0], Location::caller());
    }

    /// Asserts `x = 0`.
    #[track_caller]
    pub fn assert_zero<T: Num>(&mut self, x: T) {
        let zero = self.zero();
        self.assert_eq(x, T::of(zero.0));
    }

    /// Asserts that `x` is 0 or 1.
    #[track_caller]
    pub fn assert_bool(&mut self, x: Felt) -> Bit {
        let form = Form { ab: F::ONE, ..Form::ZERO };
        self.node(Kind::Check(form), [x.0, x.0, NONE, x.0], Location::caller());
        Bit(x.0)
    }

    /// The 31 bits of the canonical representative of `x`, least first. Every `x` has exactly one decomposition.
    #[track_caller]
    pub fn bits(&mut self, x: Felt) -> [Bit; FELT_BITS] {
        let first = self.node(Kind::Bits, [x.0], Location::caller());
        core::array::from_fn(|k| Bit(first + k as Wire))
    }

    /// The value with these coordinates.
    #[track_caller]
    pub fn pack(&mut self, x: [Felt; 4]) -> Ext {
        Ext(self.node(Kind::Pack, x.map(|f| f.0), Location::caller()))
    }

    /// The coordinates of `x`.
    #[track_caller]
    pub fn unpack(&mut self, x: Ext) -> [Felt; 4] {
        let first = self.node(Kind::Unpack, [x.0], Location::caller());
        core::array::from_fn(|k| Felt(first + k as Wire))
    }

    /// The Poseidon2-16 permutation of a state of four quads.
    #[track_caller]
    pub fn permute(&mut self, state: [Ext; 4]) -> [Ext; 4] {
        let first = self.node(Kind::Permute { swap: false }, state.map(|q| q.0), Location::caller());
        core::array::from_fn(|k| Ext(first + k as Wire))
    }

    /// The permutation of `x || y`, or of `y || x` if `swap` is 1. No extra row.
    #[track_caller]
    pub fn permute_pair(&mut self, swap: Bit, x: [Ext; 2], y: [Ext; 2]) -> [Ext; 4] {
        let args = [x[0].0, x[1].0, y[0].0, y[1].0, swap.0];
        let first = self.node(Kind::Permute { swap: true }, args, Location::caller());
        core::array::from_fn(|k| Ext(first + k as Wire))
    }

    /// risc0's Poseidon2-24 of a state of six quads. Programs that use it have the table `poseidon24`.
    #[track_caller]
    pub fn permute24(&mut self, state: [Ext; 6]) -> [Ext; 6] {
        let first = self.node(Kind::Permute24 { swap: false }, state.map(|q| q.0), Location::caller());
        core::array::from_fn(|k| Ext(first + k as Wire))
    }

    /// risc0's permutation of `x || y || 0`, or of `y || x || 0` if `swap` is 1. No extra row.
    #[track_caller]
    pub fn permute24_pair(&mut self, swap: Bit, x: [Ext; 2], y: [Ext; 2]) -> [Ext; 6] {
        let zero = self.zero().0;
        let args = [x[0].0, x[1].0, y[0].0, y[1].0, zero, zero, swap.0];
        let first = self.node(Kind::Permute24 { swap: true }, args, Location::caller());
        core::array::from_fn(|k| Ext(first + k as Wire))
    }

    /// Batch reduction: `acc_0 = 0`, `acc_i = acc_{i-1} * alpha^4 + sum_k quads[i][k] * alpha^k`; the last one.
    /// With the quads in reverse order this is `sum_i alpha^i * x_i` of the coordinates. Two quads a row.
    #[track_caller]
    pub fn horner(&mut self, alpha: Ext, quads: &[Ext]) -> Ext {
        let all: Vec<(Ext, u8)> = quads.iter().map(|q| (*q, ALL)).collect();
        self.horner_masked(alpha, &all)
    }

    /// [`Builder::horner`] of the coordinates k of each quad whose bit k of the mask is set; the others count as 0.
    #[track_caller]
    pub fn horner_masked(&mut self, alpha: Ext, quads: &[(Ext, u8)]) -> Ext {
        if quads.is_empty() {
            return self.zero().into();
        }
        let args: Vec<Wire> = std::iter::once(alpha.0).chain(quads.iter().map(|q| q.0.0)).collect();
        let masks = quads.iter().map(|q| q.1 & ALL).collect();
        Ext(self.node(Kind::Horner { masks }, args, Location::caller()))
    }
}

/// Mask of a quad of which every coordinate counts.
const ALL: u8 = 0b1111;
