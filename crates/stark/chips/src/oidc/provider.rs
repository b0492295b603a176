//! Keys of providers: what their cells commit to.

use thiserror::Error;
use tsz_air::{
    Air, BaseAir, Columns, F, Field, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix, TableAir,
    Trace, WindowAccess, bus, columns, from_rows,
};
use tsz_auth::LoginProvider;
use tsz_auth::oidc::{Algorithm, ProviderKey};
use tsz_auth::social::{ES256_FELTS, RS256_FELTS};
use tsz_hash::{Domain, hash_bytes, step};

use super::{PROVIDER, pack};
use crate::bigint::LIMBS as POINT_LIMBS;
use crate::bigint::mulmod::check_bytes;
use crate::collect::Asked;
use crate::es256::{ES256_POINT, limbs};
use crate::rsa::{LIMBS, RSA_MODULUS};

/// log2 of the rows.
const LOG_HEIGHT: usize = 6;
/// Keys of a table.
pub const MAX_PROVIDERS: usize = 1 << LOG_HEIGHT;

/// Blocks of a cell's digest.
pub const fn blocks(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Rs256 => RS256_FELTS / 8,
        Algorithm::Es256 => ES256_FELTS / 8,
    }
}

const RS256_BLOCKS: usize = blocks(Algorithm::Rs256);
const ES256_BLOCKS: usize = blocks(Algorithm::Es256);

columns! {
    /// One key of RS256.
    pub struct ProviderCols {
        /// 1 = the row is a key; boolean.
        is_real,
        /// Digests of issuer, audience, kid; bound by the cell.
        texts: [8; 3],
        /// The modulus, the least significant byte first: odd, of 2,048 bits; bus `bytes`.
        n: [LIMBS],
        /// Capacities after each block, the last one the cell; bus `p2`.
        capacities: [8; RS256_BLOCKS],
        /// Lookups on `rsa_modulus`; any value, 0 on padding.
        moduli,
        /// Lookups on `oidc_provider`; any value, 0 on padding.
        uses,
    }
}

columns! {
    /// One key of ES256.
    pub struct EcProviderCols {
        /// 1 = the row is a key; boolean.
        is_real,
        /// Digests of issuer, audience, kid; bound by the cell.
        texts: [8; 3],
        /// x of the point, raw bytes, the least significant first; bus `bytes`.
        x: [POINT_LIMBS],
        /// y of the point; the same.
        y: [POINT_LIMBS],
        /// Capacities after each block, the last one the cell; bus `p2`.
        capacities: [8; ES256_BLOCKS],
        /// Lookups on `es256_point`; any value, 0 on padding.
        points,
        /// Lookups on `oidc_provider`; any value, 0 on padding.
        uses,
    }
}

/// The AIR of keys of RS256: row k is key k + 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProviderTable;

/// The AIR of keys of ES256: row k is key k + 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct EcProviderTable;

macro_rules! numbered {
    ($air:ident, $cols:ident, $name:literal) => {
        impl TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                <$cols<F> as Columns<F>>::names()
            }
        }

        impl BaseAir<F> for $air {
            fn width(&self) -> usize {
                $cols::<F>::WIDTH
            }
            fn preprocessed_width(&self) -> usize {
                1
            }
            fn preprocessed_trace(&self) -> Option<Trace> {
                Some(RowMajorMatrix::new((1..=MAX_PROVIDERS).map(F::from_usize).collect(), 1))
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
            fn preprocessed_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
        }
    };
}

numbered!(ProviderTable, ProviderCols, "oidc_provider");
numbered!(EcProviderTable, EcProviderCols, "oidc_ec_provider");

/// What both kinds of rows say: the cell is the hash of texts, numbers and algorithm, and goes with the texts by number.
fn eval_cell<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    algorithm: Algorithm,
    texts: [[AB::Var; 8]; 3],
    numbers: Vec<AB::Expr>,
    capacities: &[[AB::Var; 8]],
    [is_real, uses]: [AB::Var; 2],
) {
    let key: AB::Expr = builder.preprocessed().current_slice()[0].into();
    let length = 8 * blocks(algorithm);
    let mut felts: Vec<AB::Expr> = texts.into_iter().flatten().map(Into::into).collect();
    felts.extend(numbers);
    felts.push(AB::Expr::from_u32(algorithm.code()));
    felts.resize(length, AB::Expr::ZERO);
    let mut capacity = Domain::Provider.iv(length).map(AB::Expr::from);
    for (k, after) in capacities.iter().enumerate() {
        let block: [AB::Expr; 8] = core::array::from_fn(|i| felts[8 * k + i].clone());
        bus::step(builder, block, capacity, *after, is_real);
        capacity = after.map(Into::into);
    }
    let texts = texts.into_iter().flatten().map(Into::into);
    let entry: Vec<AB::Expr> = core::iter::once(key).chain(capacity).chain(texts).collect();
    PROVIDER.table_entry(builder, entry, uses);
}

/// A modulus of bytes is odd and has 2,048 bits: where (lowest - 1) / 2 and highest - 128 are bytes u and v, the lowest
/// byte is 2 u + 1 and the highest 128 + v, as integers, since both are far below p.
fn check_modulus<AB: InteractionBuilder<F = F>>(builder: &mut AB, n: &[AB::Var; LIMBS], is_real: AB::Var) {
    let (lowest, highest): (AB::Expr, AB::Expr) = (n[0].into(), n[LIMBS - 1].into());
    let half = (lowest - AB::Expr::ONE) * AB::Expr::from(F::TWO.inverse());
    bus::bytes::lookup(builder, [half, highest - AB::Expr::from_u32(128)], is_real);
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ProviderTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = ProviderCols::<AB::Var>::from_row(main.current_slice());
        let key: AB::Expr = builder.preprocessed().current_slice()[0].into();
        builder.assert_bool(row.is_real);
        for uses in [row.moduli, row.uses] {
            builder.assert_zero((AB::Expr::ONE - row.is_real) * uses);
        }
        check_bytes(builder, &row.n, row.is_real.into());
        check_modulus(builder, &row.n, row.is_real);
        let modulus: Vec<AB::Expr> = core::iter::once(key).chain(row.n.into_iter().map(Into::into)).collect();
        RSA_MODULUS.table_entry(builder, modulus, row.moduli);
        let numbers = pack(&row.n.map(Into::<AB::Expr>::into));
        eval_cell(builder, Algorithm::Rs256, row.texts, numbers, &row.capacities, [row.is_real, row.uses]);
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for EcProviderTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = EcProviderCols::<AB::Var>::from_row(main.current_slice());
        let key: AB::Expr = builder.preprocessed().current_slice()[0].into();
        builder.assert_bool(row.is_real);
        for uses in [row.points, row.uses] {
            builder.assert_zero((AB::Expr::ONE - row.is_real) * uses);
        }
        check_bytes(builder, &row.x, row.is_real.into());
        check_bytes(builder, &row.y, row.is_real.into());
        let point = row.x.into_iter().chain(row.y).map(Into::into);
        let point: Vec<AB::Expr> = core::iter::once(key).chain(point).collect();
        ES256_POINT.table_entry(builder, point, row.points);
        let mut numbers = pack(&row.x.map(Into::<AB::Expr>::into));
        numbers.extend(pack(&row.y.map(Into::<AB::Expr>::into)));
        eval_cell(builder, Algorithm::Es256, row.texts, numbers, &row.capacities, [row.is_real, row.uses]);
    }
}

/// More keys than rows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{0} keys of providers, at most {MAX_PROVIDERS}")]
pub struct TooManyProviders(pub usize);

/// Lookups of key number `key` on a bus.
fn times(asked: &Asked, bus: &str, key: usize) -> F {
    let key = F::from_usize(key);
    let messages = asked.messages(bus);
    let of_key = messages.iter().filter(|(m, _)| m.first() == Some(&key));
    F::from_u32(of_key.map(|(_, n)| n).sum())
}

fn texts(provider: &LoginProvider) -> [[F; 8]; 3] {
    [&provider.issuer, &provider.audience, &provider.kid].map(|text| hash_bytes(text.as_bytes()))
}

/// Capacities of the hash of texts, numbers and algorithm.
fn capacities<const N: usize>(algorithm: Algorithm, texts: &[[F; 8]; 3], numbers: Vec<F>) -> [[F; 8]; N] {
    let mut felts = texts.as_flattened().to_vec();
    felts.extend(numbers);
    felts.push(F::from_u32(algorithm.code()));
    felts.resize(8 * N, F::ZERO);
    let mut capacity = Domain::Provider.iv(8 * N);
    core::array::from_fn(|k| {
        capacity = step(&core::array::from_fn(|i| felts[8 * k + i]), &capacity);
        capacity
    })
}

fn rows<C: Columns<F> + Sync>(
    providers: &[LoginProvider],
    row: impl Fn((usize, &LoginProvider)) -> C,
) -> Result<Trace, TooManyProviders> {
    if providers.len() > MAX_PROVIDERS {
        return Err(TooManyProviders(providers.len()));
    }
    let rows: Vec<C> = providers.iter().enumerate().map(row).collect();
    Ok(from_rows(&rows, LOG_HEIGHT))
}

impl ProviderTable {
    /// The trace for keys, in the order of their numbers, and what was looked up. A key of ES256 has modulus 0 here,
    /// which no proof accepts.
    ///
    /// # Errors
    /// [`TooManyProviders`].
    pub fn trace(providers: &[LoginProvider], asked: &Asked) -> Result<Trace, TooManyProviders> {
        rows(providers, |(k, provider)| {
            let mut row = ProviderCols::fill(F::ZERO);
            row.is_real = F::ONE;
            row.texts = texts(provider);
            if let ProviderKey::Rs256(key) = &provider.key {
                row.n = core::array::from_fn(|i| F::from_u8(key.modulus[LIMBS - 1 - i]));
            }
            row.capacities = capacities(Algorithm::Rs256, &row.texts, pack(&row.n));
            row.moduli = times(asked, RSA_MODULUS.name(), k + 1);
            row.uses = times(asked, PROVIDER.name(), k + 1);
            row
        })
    }
}

impl EcProviderTable {
    /// The trace for keys, in the order of their numbers, and what was looked up. A key of RS256 has the point 0 here.
    ///
    /// # Errors
    /// [`TooManyProviders`].
    pub fn trace(providers: &[LoginProvider], asked: &Asked) -> Result<Trace, TooManyProviders> {
        rows(providers, |(k, provider)| {
            let mut row = EcProviderCols::fill(F::ZERO);
            row.is_real = F::ONE;
            row.texts = texts(provider);
            if let ProviderKey::Es256(key) = &provider.key {
                (row.x, row.y) = (limbs(&key.x), limbs(&key.y));
            }
            let numbers = [pack(&row.x), pack(&row.y)].concat();
            row.capacities = capacities(Algorithm::Es256, &row.texts, numbers);
            row.points = times(asked, ES256_POINT.name(), k + 1);
            row.uses = times(asked, PROVIDER.name(), k + 1);
            row
        })
    }
}
