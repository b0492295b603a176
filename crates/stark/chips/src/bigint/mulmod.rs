//! Products modulo primes: one row a statement `X Y = Z mod m`.
//!
//! # What is proven
//! A row provides `(id, X[32], Y[32], Z[32])` on bus `mulmod` with multiplicity `mult`: the integers of the limbs
//! satisfy `X Y = Z` modulo the modulus of number `id`. Limbs are felts that the **user** bounds, as field elements
//! near zero: products of a limb of X and one of Y at most [`PRODUCT_BOUND`], limbs of Z at most [`LINEAR_BOUND`].
//! Sums and differences of numbers can thus be operands without columns. Beyond these bounds a row says nothing.
//!
//! # Why
//! 1. `selectors` are boolean with sum 1, so the limbs of the modulus are those of one of the table's moduli.
//! 2. The identity is one of integers by the bounds (module [`super`]; `products_are_integers` for every modulus).
//! 3. A row is a true statement whatever `mult` is. Padding rows state 0 * 0 = 0.
//!
//! Degree 2 (modulus times quotient); no next row.

use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing,
    PrimeField32, TableAir, Trace, WindowAccess, columns, from_rows_padded,
};
use tsz_air::{Count, bus};

use crate::collect::{Asked, collect_by};

use super::identity::zeros;
use super::{CARRIES, Identity, Int, LIMBS, Modulus, Number, QUOTIENT, Ring, Solved, assert_identity};

/// Moduli of a table at most.
pub const MODULI: usize = 4;
/// Largest product of a limb of X and a limb of Y.
pub const PRODUCT_BOUND: i64 = 255 * 320;
/// Largest limb of Z.
pub const LINEAR_BOUND: i64 = 1 << 12;

/// `mulmod`: id, X\[32\], Y\[32\], Z\[32\].
pub const MULMOD: LookupBus<'static> = LookupBus::new("mulmod");

columns! {
    /// One product.
    pub struct MulmodCols {
        /// Limbs of X; bounded by the user.
        x: [LIMBS],
        /// Limbs of Y; bounded by the user.
        y: [LIMBS],
        /// Limbs of Z; bounded by the user.
        z: [LIMBS],
        /// Which modulus, one-hot; boolean, sum 1.
        selectors: [MODULI],
        /// Stored quotient bytes; bus `bytes`.
        quotient: [QUOTIENT],
        /// Stored carries; bus `range15`.
        carries: [CARRIES],
        /// Lookups of the row on `mulmod`; any value.
        mult,
    }
}

/// The AIR, with its moduli in the order of their numbers.
#[derive(Clone, Debug)]
pub struct MulmodTable {
    moduli: Vec<Modulus>,
}

impl MulmodTable {
    /// A table for at most [`MODULI`] moduli.
    pub fn new(moduli: impl IntoIterator<Item = Modulus>) -> Self {
        Self { moduli: moduli.into_iter().take(MODULI).collect() }
    }

    /// The moduli.
    pub fn moduli(&self) -> &[Modulus] {
        &self.moduli
    }
}

impl TableAir for MulmodTable {
    fn name(&self) -> String {
        "mulmod".into()
    }
    fn column_names(&self) -> Vec<String> {
        <MulmodCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for MulmodTable {
    fn width(&self) -> usize {
        MulmodCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MulmodTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = MulmodCols::from_row(main.current_slice());
        let (mut sum, mut id) = (AB::Expr::ZERO, AB::Expr::ZERO);
        let mut modulus: [AB::Expr; QUOTIENT] = core::array::from_fn(|_| AB::Expr::ZERO);
        for (k, selector) in row.selectors.into_iter().enumerate() {
            builder.assert_bool(selector);
            sum += selector.into();
            id += selector.into() * AB::Expr::from_usize(k);
            let Some(m) = self.moduli.get(k) else {
                builder.assert_zero(selector);
                continue;
            };
            for (limb, m) in modulus.iter_mut().zip(m.limbs).filter(|(_, m)| *m != 0) {
                *limb += selector.into() * <AB::Expr as Ring>::int(m);
            }
        }
        builder.assert_one(sum);
        let number = |v: [AB::Var; LIMBS]| Number(v.map(Into::into));
        let f = Identity::new().product(&number(row.x), &number(row.y)).minus(&number(row.z));
        let zero = zeros(&self.moduli);
        assert_identity(builder, f, (&modulus, &zero), &row.quotient, &row.carries);
        eval_checks(builder, &row);
        let limbs = row.x.into_iter().chain(row.y).chain(row.z).map(Into::into);
        MULMOD.table_entry(builder, core::iter::once(id).chain(limbs), row.mult);
    }
}

/// What the row looks up.
fn eval_checks<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &MulmodCols<AB::Var>) {
    check_bytes(builder, &row.quotient, AB::Expr::ONE);
    check_carries(builder, &row.carries);
}

/// What the rows of the table look up.
pub fn asked(table: &MulmodTable, trace: &Trace) -> Asked {
    collect_by(table, trace, &[], |builder| {
        let row = MulmodCols::from_row(builder.main().current_slice());
        eval_checks(builder, &row);
    })
}

/// Looks bytes up, two a message, if `flag`.
pub fn check_bytes<AB: InteractionBuilder<F = F>>(builder: &mut AB, bytes: &[AB::Var], flag: AB::Expr) {
    for pair in bytes.chunks(2) {
        let at = |k: usize| pair.get(k).map_or(AB::Expr::ZERO, |b| (*b).into());
        bus::bytes::lookup(builder, [at(0), at(1)], flag.clone());
    }
}

/// Looks carries up.
pub fn check_carries<AB: InteractionBuilder<F = F>>(builder: &mut AB, carries: &[AB::Var]) {
    for carry in carries {
        bus::range15::lookup(builder, [*carry], AB::Expr::ONE);
    }
}

/// Looks `X Y = Z` modulo number `id` up if `flag`.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    id: u32,
    [x, y, z]: [Number<AB::Expr>; 3],
    flag: AB::Expr,
) {
    let limbs = x.0.into_iter().chain(y.0).chain(z.0);
    let fields = core::iter::once(AB::Expr::from_u32(id)).chain(limbs);
    MULMOD.lookup_key(builder, fields, Count::bounded(flag, 1));
}

/// More products than rows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} products do not fit in {rows} rows")]
pub struct TooManyProducts {
    /// Distinct products asked for.
    pub needed: usize,
    /// Rows of the table.
    pub rows: usize,
}

/// The felt as an integer near zero.
fn signed(x: &F) -> Int {
    let v = i64::from(x.as_canonical_u32());
    Int(if v > i64::from(F::ORDER_U32 / 2) { v - i64::from(F::ORDER_U32) } else { v })
}

/// The trace for messages on `mulmod` with their numbers.
///
/// A product that does not hold gives a row that fails its constraints.
///
/// # Errors
/// [`TooManyProducts`].
pub fn trace(
    table: &MulmodTable,
    messages: &[(Vec<F>, u32)],
    log_height: usize,
) -> Result<Trace, TooManyProducts> {
    let rows = 1 << log_height;
    if messages.len() > rows {
        return Err(TooManyProducts { needed: messages.len(), rows });
    }
    let rows: Vec<MulmodCols<F>> = messages.par_iter().map(|(m, n)| row(table, m, *n)).collect();
    let mut padding = MulmodCols::fill(F::ZERO);
    padding.selectors[0] = F::ONE;
    fill(&mut padding, &Solved::ZERO);
    Ok(from_rows_padded(&rows, log_height, |_| padding))
}

fn fill(row: &mut MulmodCols<F>, solved: &Solved) {
    row.quotient = solved.quotient.map(F::from_u8);
    row.carries = solved.carries.map(F::from_u16);
}

fn row(table: &MulmodTable, message: &[F], times: u32) -> MulmodCols<F> {
    let mut row = MulmodCols::fill(F::ZERO);
    let part =
        |k: usize| core::array::from_fn(|i| message.get(1 + LIMBS * k + i).copied().unwrap_or_default());
    (row.x, row.y, row.z) = (part(0), part(1), part(2));
    let id = message.first().map_or(0, |id| id.as_canonical_u32() as usize);
    let number = |v: &[F; LIMBS]| Number(core::array::from_fn(|k| signed(&v[k])));
    let f = Identity::new().product(&number(&row.x), &number(&row.y)).minus(&number(&row.z));
    if let (Some(selector), Some(modulus)) = (row.selectors.get_mut(id), table.moduli.get(id)) {
        *selector = F::ONE;
        fill(&mut row, &f.solve(modulus));
    }
    row.mult = F::from_u32(times);
    row
}
