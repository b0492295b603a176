//! Trace generation.

use num_bigint::BigUint;
use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{Columns, F, PrimeCharacteristicRing, Trace, from_rows_padded};
use tsz_auth::rs256;

use super::{CARRIES, CARRY_SHIFT, COEFFICIENTS, LIMBS, ROWS, RsaCols, RsaTable};
use crate::bigint::{Int, Ring};

/// A signature to prove. One that does not hold gives a trace that no proof accepts.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Number of the modulus on `rsa_modulus`.
    pub key: u32,
    /// The modulus, not 0.
    pub modulus: BigUint,
    /// The number s.
    pub signature: BigUint,
    /// The digest that is signed.
    pub digest: [u8; 32],
    /// Lookups of the statement.
    pub uses: u32,
}

/// More signatures than blocks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{needed} signatures do not fit in {blocks} blocks")]
pub struct TooManySignatures {
    /// Signatures given.
    pub needed: usize,
    /// Blocks of the table.
    pub blocks: usize,
}

type Limbs = [u8; LIMBS];

/// The lowest 256 bytes.
fn limbs(x: &BigUint) -> Limbs {
    let bytes = x.to_bytes_le();
    core::array::from_fn(|k| bytes.get(k).copied().unwrap_or(0))
}

fn felts(x: &Limbs) -> [F; LIMBS] {
    x.map(F::from_u8)
}

/// The carries of `x w - z - q n`, as stored.
fn carries([x, w, z, q, n]: [&Limbs; 5]) -> [F; CARRIES] {
    let ints = |x: &Limbs| x.map(|b| Int(b.into()));
    // Vectorised, the plain convolution is faster than the one with fewer products.
    let convolve = |a: &Limbs, b: &Limbs| {
        let mut sums = [Int(0); COEFFICIENTS];
        Int::convolve(&mut sums, &ints(a), &ints(b));
        sums
    };
    let (product, multiple) = (convolve(x, w), convolve(q, n));
    let mut carry = 0;
    core::array::from_fn(|k| {
        let z = z.get(k).map_or(0, |z| i64::from(*z));
        carry = (product[k].0 - multiple[k].0 - z + carry) >> 8;
        // One outside of its range has no entry on the bus.
        F::from_i64(carry + CARRY_SHIFT)
    })
}

fn rows(signature: &Signature) -> Vec<RsaCols<F>> {
    // The last residue is what it has to be: of another one the carries do not close.
    let mut encoded = rs256::encode(&signature.digest);
    encoded.reverse();
    rows_to(signature, &encoded)
}

/// The rows of a signature that end with `encoded`.
pub(super) fn rows_to(signature: &Signature, encoded: &Limbs) -> Vec<RsaCols<F>> {
    let Signature { key, modulus, signature, uses, .. } = signature;
    let (s, n) = (limbs(signature), limbs(modulus));
    let mut x = signature.clone();
    let mut rows = Vec::with_capacity(ROWS);
    for at in 0..ROWS {
        let last = at + 1 == ROWS;
        let w = if last { signature } else { &x };
        let product = &x * w;
        let residue = &product % modulus;
        let z = if last { *encoded } else { limbs(&residue) };
        let q = limbs(&(&product / modulus));
        let (xs, ws) = (limbs(&x), limbs(w));
        let mut row = RsaCols::fill(F::ZERO);
        (row.is_real, row.key) = (F::ONE, F::from_u32(*key));
        (row.x, row.s, row.z, row.q, row.n) = (felts(&xs), felts(&s), felts(&z), felts(&q), felts(&n));
        row.carries = carries([&xs, &ws, &z, &q, &n]);
        row.uses = if last { F::from_u32(*uses) } else { F::ZERO };
        rows.push(row);
        x = residue;
    }
    rows
}

/// The trace; idle blocks state 0 * 0 = 0.
///
/// # Errors
/// [`TooManySignatures`].
pub fn trace(table: &RsaTable, signatures: &[Signature]) -> Result<Trace, TooManySignatures> {
    let (needed, blocks) = (signatures.len(), table.blocks());
    if needed > blocks {
        return Err(TooManySignatures { needed, blocks });
    }
    let rows: Vec<RsaCols<F>> = signatures.par_iter().flat_map_iter(rows).collect();
    Ok(padded(table, &rows))
}

/// The trace of rows.
pub(super) fn padded(table: &RsaTable, rows: &[RsaCols<F>]) -> Trace {
    let mut padding = RsaCols::fill(F::ZERO);
    padding.carries = [F::from_u32(CARRY_SHIFT as u32); CARRIES];
    from_rows_padded(rows, table.log_height(), |_| padding)
}
