//! One op row as its AIR sees it: constraints, range checks and the messages of docs/src/tuple.md.
//!
//! Every message has multiplicity `is_real` (or a boolean that is at most `is_real`), so a padding row, whose
//! `is_real` is 0, sends nothing. Constraints are written so that the all-zero row satisfies them.

use tsz_air::{AirBuilder, F, InteractionBuilder, PrimeCharacteristicRing, bus};

/// Realm bit of `hi`: private cells.
pub const PRIVATE: u32 = 1 << 25;
/// `hi` of the system cells of kind 1.
pub const SYS_HI: u32 = 1 << 24 | 1 << 18;
/// `hi` of the token cells.
pub const TOK_HI: u32 = 1 << 24 | 2 << 18;
/// `hi` of the cells of providers.
pub const PROVIDER_HI: u32 = 1 << 24 | 8 << 18;
/// Added to `hi` by a write.
pub const WRITE: u32 = 1 << 26;

/// A constant.
pub fn c<E: PrimeCharacteristicRing>(value: u32) -> E {
    E::from_u32(value)
}

/// Eight felts: the given ones, then zeros.
pub fn pad8<E: PrimeCharacteristicRing + Clone>(felts: &[E]) -> [E; 8] {
    core::array::from_fn(|k| felts.get(k).cloned().unwrap_or(E::ZERO))
}

/// `v_0 + v_1 * 2^12 + ..`
pub fn compose12<E: PrimeCharacteristicRing + Clone>(digits: &[E]) -> E {
    digits.iter().rev().fold(E::ZERO, |acc, d| acc * c::<E>(1 << 12) + d.clone())
}

/// Number of accesses and of absorbed values of an op kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Accesses.
    pub n: u32,
    /// Accesses plus writes.
    pub nv: u32,
}

/// An op row in the making.
pub struct Row<'a, AB: AirBuilder> {
    builder: &'a mut AB,
    /// 1 on a row that holds an op, else 0.
    pub real: AB::Expr,
    /// Sequence number of the op.
    pub index: AB::Expr,
    /// Shape of the op kind.
    pub shape: Shape,
    /// Number of accesses, where the kind has no shape.
    accesses: AB::Expr,
}

impl<'a, AB: InteractionBuilder<F = F>> Row<'a, AB> {
    /// Starts a row: `real` is boolean, and the op is announced on the bus `op`.
    pub fn new(builder: &'a mut AB, real: AB::Expr, index: AB::Expr, shape: Shape) -> Self {
        let mut row = Self { builder, real: real.clone(), index: index.clone(), shape, accesses: c(0) };
        row.boolean(&real);
        bus::op::send(row.builder, [index, c(0), c(shape.n), c(shape.nv)], real);
        row
    }

    /// Starts a row whose op kind has logs of several lengths: `n` accesses, `nv` values. Accesses that not every log has
    /// are given by [`Row::key_if`] and [`Row::value_if`]; the row has no [`Shape`].
    pub fn sized(builder: &'a mut AB, real: AB::Expr, index: AB::Expr, n: AB::Expr, nv: AB::Expr) -> Self {
        let shape = Shape { n: 0, nv: 0 };
        let mut row = Self { builder, real: real.clone(), index: index.clone(), shape, accesses: n.clone() };
        row.boolean(&real);
        bus::op::send(row.builder, [index, c(0), n, nv], real);
        row
    }

    /// Starts a row of a table that holds no ops: `real` is boolean, nothing is sent.
    pub fn bare(builder: &'a mut AB, real: AB::Expr) -> Self {
        let shape = Shape { n: 0, nv: 0 };
        let mut row = Self { builder, real: real.clone(), index: c(0), shape, accesses: c(0) };
        row.boolean(&real);
        row
    }

    /// The builder, for buses of one family.
    pub fn builder(&mut self) -> &mut AB {
        self.builder
    }

    /// If the boolean `flag` (at most `real`): access `j` is of the key (`hi`, `lo`).
    pub fn key_if(&mut self, flag: &AB::Expr, j: AB::Expr, write: bool, [hi, lo]: [AB::Expr; 2]) {
        let hi = hi + c::<AB::Expr>(if write { WRITE } else { 0 });
        bus::key::send(self.builder, [self.index.clone(), j], [hi, lo], flag.clone());
    }

    /// If the boolean `flag` (at most `real`): value `k` of the op, old values first, is `v`.
    pub fn value_if(&mut self, flag: &AB::Expr, k: AB::Expr, v: [AB::Expr; 8]) {
        bus::val::send(self.builder, [self.index.clone(), k], v, flag.clone());
    }

    /// Asserts `e = 0` on every row.
    pub fn zero(&mut self, e: AB::Expr) {
        self.builder.assert_zero(e);
    }

    /// Asserts that `e` is 0 or 1.
    pub fn boolean(&mut self, e: &AB::Expr) {
        self.builder.assert_zero(e.clone() * (e.clone() - AB::Expr::ONE));
    }

    /// Asserts `e < 2^12` on real rows.
    pub fn range(&mut self, e: AB::Expr) {
        bus::range12::lookup(self.builder, [e], self.real.clone());
    }

    /// Asserts `e < 2^bits` for `bits < 12`: both `e` and `e * 2^(12 - bits)` are below 2^12.
    pub fn narrow(&mut self, e: &AB::Expr, bits: u32) {
        self.range(e.clone());
        self.range(e.clone() * c::<AB::Expr>(1 << (12 - bits)));
    }

    /// Access `j` is of the key (`hi`, `lo`).
    pub fn key(&mut self, j: u32, write: bool, hi: AB::Expr, lo: AB::Expr) {
        let hi = hi + c::<AB::Expr>(if write { WRITE } else { 0 });
        bus::key::send(self.builder, [self.index.clone(), c(j)], [hi, lo], self.real.clone());
    }

    /// Access `j` found the value `v`.
    pub fn old(&mut self, j: u32, v: [AB::Expr; 8]) {
        bus::val::send(self.builder, [self.index.clone(), c(j)], v, self.real.clone());
    }

    /// Write number `w` left the value `v`.
    pub fn new_value(&mut self, w: u32, v: [AB::Expr; 8]) {
        if self.shape.n > 0 {
            return self.old(self.shape.n + w, v);
        }
        let (real, place) = (self.real.clone(), self.accesses.clone() + c::<AB::Expr>(w));
        self.value_if(&real, place, v);
    }

    /// `out = step(block, cap)` if `count` is 1; `count` must be boolean and at most `real`.
    pub fn step(&mut self, count: &AB::Expr, block: [AB::Expr; 8], cap: &[AB::Expr; 8], out: &[AB::Expr; 8]) {
        bus::step(self.builder, block, cap.clone(), out.clone(), count.clone());
    }

    /// The key `key_id` signed `message`.
    pub fn signed(&mut self, key_id: &[AB::Expr; 8], message: &[AB::Expr; 8]) {
        bus::sig::lookup(self.builder, key_id.clone(), message.clone(), self.real.clone());
    }

    /// The external key `key_id` of `scheme` approved `message`.
    pub fn approved(&mut self, scheme: u32, key_id: &[AB::Expr; 8], message: &[AB::Expr; 8]) {
        let (scheme, real) = ([c::<AB::Expr>(scheme)], self.real.clone());
        bus::login::lookup(self.builder, scheme, key_id.clone(), message.clone(), real);
    }
}
