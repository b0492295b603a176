//! Digests that a provider's point has signed: joins keys by number with the tables of [`crate::ecdsa`].
//!
//! # What is proven
//! For every message `(key, h)` provided on bus `es256` the point that number `key` has on bus `es256_point` signed the
//! digest h (ECDSA over P-256): what [`tsz_auth::es256::Es256Key::verify`] accepts, up to what the docs of
//! [`crate::ecdsa`] say about the bytes of r and s.
//!
//! # Soundness
//! 1. A real row looks its point up by its number, which is preprocessed where it is provided, and the point with the
//!    digest on `ecdsa_p256`. So coordinates and digest are raw bytes, the coordinates below p, and the point signed it.
//! 2. The message has the halves of these bytes. Rows that are not real provide nothing.

use thiserror::Error;
use tsz_air::{
    Air, BaseAir, Columns, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir, Trace,
    WindowAccess, columns, from_rows,
};
use tsz_auth::Es256Key;

use crate::bigint::LIMBS;
use crate::ecdsa::P256;

/// `es256`: key, digest\[16\].
pub const ES256: LookupBus<'static> = LookupBus::new("es256");
/// `es256_point`: key, x\[32\], y\[32\], raw bytes, little-endian.
pub const ES256_POINT: LookupBus<'static> = LookupBus::new("es256_point");

columns! {
    /// One signed digest. Numbers are raw bytes, the least significant first.
    pub struct Es256Cols {
        /// 1 = the row is a signature; boolean.
        is_real,
        /// Number of the key; bus `es256_point`.
        key,
        /// x of the key; buses `es256_point`, `ecdsa_p256`.
        x: [LIMBS],
        /// y of the key; the same.
        y: [LIMBS],
        /// The digest; bus `ecdsa_p256`.
        digest: [LIMBS],
        /// Lookups of the row on `es256`; any value, 0 on padding.
        uses,
    }
}

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct Es256Table;

impl TableAir for Es256Table {
    fn name(&self) -> String {
        "es256".into()
    }
    fn column_names(&self) -> Vec<String> {
        <Es256Cols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for Es256Table {
    fn width(&self) -> usize {
        Es256Cols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Es256Table {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = Es256Cols::<AB::Var>::from_row(main.current_slice());
        builder.assert_bool(row.is_real);
        builder.assert_zero((AB::Expr::ONE - row.is_real) * row.uses);
        let once = || Count::<AB::Expr>::bounded(row.is_real.into(), 1);
        let point = row.x.into_iter().chain(row.y);
        ES256_POINT.lookup_key(builder, core::iter::once(row.key).chain(point.clone()), once());
        P256.buses.verified.lookup_key(builder, point.chain(row.digest), once());
        let half = |k: usize| row.digest[31 - 2 * k] * F::from_u32(256) + row.digest[30 - 2 * k];
        let message = core::iter::once(row.key.into()).chain((0..16).map(half));
        ES256.table_entry(builder, message.collect::<Vec<AB::Expr>>(), row.uses);
    }
}

/// Looks up that the key signed the digest (halves in the order of bytes) if `flag`.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    key: AB::Expr,
    digest: [AB::Expr; 16],
    flag: AB::Expr,
) {
    let message: Vec<AB::Expr> = core::iter::once(key).chain(digest).collect();
    ES256.lookup_key(builder, message, Count::bounded(flag, 1));
}

/// A signed digest to prove.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Number of the key.
    pub key: u32,
    /// The key.
    pub point: Es256Key,
    /// The digest.
    pub digest: [u8; 32],
    /// Lookups of the statement.
    pub uses: u32,
}

/// More signatures than rows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} signatures do not fit in {rows} rows")]
pub struct TooManyRows {
    /// Signatures given.
    pub needed: usize,
    /// Rows of the table.
    pub rows: usize,
}

/// The bytes of a big-endian number, the least significant first.
pub(crate) fn limbs(bytes: &[u8; LIMBS]) -> [F; LIMBS] {
    core::array::from_fn(|k| F::from_u8(bytes[LIMBS - 1 - k]))
}

/// The trace.
///
/// # Errors
/// [`TooManyRows`].
pub fn trace(signatures: &[Signature], log_height: usize) -> Result<Trace, TooManyRows> {
    let (needed, rows) = (signatures.len(), 1 << log_height);
    if needed > rows {
        return Err(TooManyRows { needed, rows });
    }
    let row = |s: &Signature| Es256Cols {
        is_real: F::ONE,
        key: F::from_u32(s.key),
        x: limbs(&s.point.x),
        y: limbs(&s.point.y),
        digest: limbs(&s.digest),
        uses: F::from_u32(s.uses),
    };
    Ok(from_rows(&signatures.iter().map(row).collect::<Vec<_>>(), log_height))
}
