//! Columns and constraints.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing,
    RowMajorMatrix, TableAir, Trace, WindowAccess, columns,
};
use tsz_auth::rs256;

use super::{CARRIES, CARRY_SHIFT, LIMBS, ROWS};
use crate::bigint::Ring;
use crate::bigint::mulmod::{check_bytes, check_carries};
use crate::collect::{Asked, collect_by};

/// `rsa`: key, digest\[16\].
pub const RSA: LookupBus<'static> = LookupBus::new("rsa");
/// `rsa_modulus`: key, N\[256\].
pub const RSA_MODULUS: LookupBus<'static> = LookupBus::new("rsa_modulus");

columns! {
    /// One product. Limbs are bytes, the least significant first.
    pub struct RsaCols {
        /// 1 = the block is a signature; boolean, constant in a block.
        is_real,
        /// Number of the modulus; constant in a block, bus `rsa_modulus`.
        key,
        /// What is multiplied; bus `bytes`.
        x: [LIMBS],
        /// The signature: the first x; constant in a block.
        s: [LIMBS],
        /// The residue: the next x, on the last row the encoded digest; its first 32 limbs on bus `bytes`.
        z: [LIMBS],
        /// The quotient; bus `bytes`.
        q: [LIMBS],
        /// The modulus; bus `rsa_modulus`.
        n: [LIMBS],
        /// Stored carries; bus `range15`.
        carries: [CARRIES],
        /// Lookups of the block on `rsa`; any value on the last row of a real block, else 0.
        uses,
    }
}

columns! {
    /// Fixed columns.
    struct RsaFixed {
        /// 1 on the first row of a block.
        is_first,
        /// 1 on the rows of a block but the last.
        is_inner,
        /// 1 on the last row of a block.
        is_last,
    }
}

/// The AIR; its fixed columns depend on the height.
#[derive(Clone, Copy, Debug)]
pub struct RsaTable {
    log_height: usize,
}

impl RsaTable {
    /// A table of 2^log_height rows.
    pub fn new(log_height: usize) -> Self {
        Self { log_height }
    }

    /// Signatures that the table holds.
    pub fn blocks(&self) -> usize {
        (1 << self.log_height) / ROWS
    }

    /// log2 of the rows.
    pub fn log_height(&self) -> usize {
        self.log_height
    }
}

impl TableAir for RsaTable {
    fn name(&self) -> String {
        "rsa".into()
    }
    fn column_names(&self) -> Vec<String> {
        <RsaCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for RsaTable {
    fn width(&self) -> usize {
        RsaCols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        RsaFixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let cells = (0..1 << self.log_height).flat_map(|row| {
            let (inside, at) = (row / ROWS < self.blocks(), row % ROWS);
            [inside && at == 0, inside && at + 1 < ROWS, inside && at + 1 == ROWS].map(F::from_bool)
        });
        Some(RowMajorMatrix::new(cells.collect(), RsaFixed::<F>::WIDTH))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        // is_real, key, x, s.
        (0..2 + 2 * LIMBS).collect()
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RsaTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = RsaCols::from_row(main.current_slice());
        let next = RsaCols::from_row(main.next_slice());
        let fixed = RsaFixed::<AB::Var>::from_row(builder.preprocessed().current_slice());
        builder.assert_bool(row.is_real);
        eval_chain(builder, &row, &next, &fixed);
        eval_product(builder, &row, &fixed);
        eval_digest(builder, &row, &fixed);

        eval_lookups(builder, &row);
    }
}

/// Bytes, carries and the modulus.
fn eval_lookups<AB: InteractionBuilder<F = F>>(builder: &mut AB, row: &RsaCols<AB::Var>) {
    let one = || AB::Expr::ONE;
    check_bytes(builder, &row.x, one());
    check_bytes(builder, &row.q, one());
    check_bytes(builder, &row.z[..32], one());
    check_carries(builder, &row.carries);
    let modulus = core::iter::once(row.key).chain(row.n).map(Into::<AB::Expr>::into);
    RSA_MODULUS.lookup_key(builder, modulus, Count::bounded(row.is_real.into(), 1));
}

impl RsaTable {
    /// What the rows of the table look up.
    pub fn asked(&self, trace: &Trace) -> Asked {
        collect_by(self, trace, &[], |builder| {
            let row = RsaCols::from_row(builder.main().current_slice());
            eval_lookups(builder, &row);
        })
    }
}

/// Key, signature and residues go on from row to row.
fn eval_chain<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &RsaCols<AB::Var>,
    next: &RsaCols<AB::Var>,
    fixed: &RsaFixed<AB::Var>,
) {
    builder.assert_zero(fixed.is_inner * (next.is_real - row.is_real));
    builder.assert_zero(fixed.is_inner * (next.key - row.key));
    for k in 0..LIMBS {
        builder.assert_zero(fixed.is_first * (row.x[k] - row.s[k]));
        builder.assert_zero(fixed.is_inner * (next.s[k] - row.s[k]));
        builder.assert_zero(fixed.is_inner * (next.x[k] - row.z[k]));
    }
}

/// `x w - z = q N`.
fn eval_product<AB: AirBuilder<F = F>>(builder: &mut AB, row: &RsaCols<AB::Var>, fixed: &RsaFixed<AB::Var>) {
    let felts = |limbs: &[AB::Var]| -> Vec<AB::Expr> { limbs.iter().map(|x| (*x).into()).collect() };
    let factor = |k: usize| row.x[k] + fixed.is_last * (row.s[k] - row.x[k]);
    let w: Vec<AB::Expr> = (0..LIMBS).map(factor).collect();
    let product = convolve(&felts(&row.x), &w);
    let multiple = convolve(&felts(&row.q), &felts(&row.n));
    let shift = AB::Expr::from_u32(CARRY_SHIFT as u32);
    let mut carry_in = AB::Expr::ZERO;
    for (k, (product, multiple)) in product.into_iter().zip(multiple).enumerate() {
        let mut sum = product - multiple + carry_in;
        if let Some(z) = row.z.get(k) {
            sum -= (*z).into();
        }
        carry_in = row.carries.get(k).map_or(AB::Expr::ZERO, |c| (*c).into() - shift.clone());
        builder.assert_eq(sum, carry_in.clone() * AB::Expr::from_u32(256));
    }
}

/// The last residue is the encoded digest, and what is provided.
fn eval_digest<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    row: &RsaCols<AB::Var>,
    fixed: &RsaFixed<AB::Var>,
) {
    let signed = fixed.is_last * row.is_real;
    let encoded = rs256::encode(&[0; 32]);
    for (k, z) in row.z.iter().enumerate().skip(32) {
        builder.assert_zero(signed.clone() * (*z - AB::Expr::from_u8(encoded[LIMBS - 1 - k])));
    }
    builder.assert_zero((AB::Expr::ONE - signed) * row.uses);
    let half = |k: usize| row.z[31 - 2 * k] * F::from_u32(256) + row.z[30 - 2 * k];
    let message = core::iter::once(row.key.into()).chain((0..16).map(half));
    RSA.table_entry(builder, message.collect::<Vec<AB::Expr>>(), row.uses);
}

/// Looks up that the key signed the digest (halves in the order of bytes) if `flag`.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    key: AB::Expr,
    digest: [AB::Expr; 16],
    flag: AB::Expr,
) {
    let message: Vec<AB::Expr> = core::iter::once(key).chain(digest).collect();
    RSA.lookup_key(builder, message, Count::bounded(flag, 1));
}

/// Limbs below which the plain convolution is used.
const PLAIN: usize = 32;

/// The coefficients of the product of two polynomials of one length, a power of two, by Karatsuba's identity: the same
/// polynomial as the plain convolution, in fewer products.
pub fn convolve<E: Ring>(a: &[E], b: &[E]) -> Vec<E> {
    let n = a.len();
    let mut out = vec![E::zero(); 2 * n - 1];
    if n <= PLAIN {
        for (k, out) in out.iter_mut().enumerate() {
            let terms = (k.saturating_sub(n - 1)..=k.min(n - 1)).map(|i| a[i].clone() * b[k - i].clone());
            *out = terms.reduce(|x, y| x + y).unwrap_or_else(E::zero);
        }
        return out;
    }
    let half = n / 2;
    let ((a0, a1), (b0, b1)) = (a.split_at(half), b.split_at(half));
    let sum = |x: &[E], y: &[E]| -> Vec<E> { x.iter().zip(y).map(|(x, y)| x.clone() + y.clone()).collect() };
    let (low, high) = (convolve(a0, b0), convolve(a1, b1));
    let cross = convolve(&sum(a0, a1), &sum(b0, b1));
    for (k, cross) in cross.into_iter().enumerate() {
        let middle = cross - low[k].clone() - high[k].clone();
        out[half + k] = middle;
    }
    for (k, (low, high)) in low.into_iter().zip(high).enumerate() {
        // The middle reaches from half to 3 half - 2.
        out[k] = if k < half { low } else { out[k].clone() + low };
        let at = n + k;
        out[at] = if k + 1 < half { out[at].clone() + high } else { high };
    }
    out
}
