//! Keys of providers: what their cells commit to.

use thiserror::Error;
use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix, TableAir, Trace,
    WindowAccess, bus, columns, from_rows,
};
use tsz_auth::LoginProvider;
use tsz_auth::social::{PROVIDER_FELTS, RS256};
use tsz_hash::{Domain, step};

use super::{PROVIDER, pack};
use crate::bigint::mulmod::check_bytes;
use crate::collect::Asked;
use crate::rsa::{LIMBS, RSA_MODULUS};

/// Blocks of a cell's digest.
const BLOCKS: usize = PROVIDER_FELTS / 8;
/// log2 of the rows.
const LOG_HEIGHT: usize = 6;
/// Keys of a table.
pub const MAX_PROVIDERS: usize = 1 << LOG_HEIGHT;

columns! {
    /// One key.
    pub struct ProviderCols {
        /// 1 = the row is a key; boolean.
        is_real,
        /// Digests of issuer, audience, kid; bound by the cell.
        texts: [8; 3],
        /// The modulus, the least significant byte first; bus `bytes`.
        n: [LIMBS],
        /// Capacities after each block, the last one the cell; bus `p2`.
        capacities: [8; BLOCKS],
        /// Lookups on `rsa_modulus`; any value, 0 on padding.
        moduli,
        /// Lookups on `oidc_provider`; any value, 0 on padding.
        uses,
    }
}

/// The AIR: row k is key k + 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProviderTable;

impl TableAir for ProviderTable {
    fn name(&self) -> String {
        "oidc_provider".into()
    }
    fn column_names(&self) -> Vec<String> {
        <ProviderCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for ProviderTable {
    fn width(&self) -> usize {
        ProviderCols::<F>::WIDTH
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
        let mut felts: Vec<AB::Expr> = row.texts.into_iter().flatten().map(Into::into).collect();
        felts.extend(pack(&row.n.map(Into::<AB::Expr>::into)));
        felts.push(AB::Expr::from_u32(RS256));
        felts.resize(PROVIDER_FELTS, AB::Expr::ZERO);
        let mut capacity = Domain::Provider.iv(PROVIDER_FELTS).map(AB::Expr::from);
        for (k, after) in row.capacities.into_iter().enumerate() {
            let block: [AB::Expr; 8] = core::array::from_fn(|i| felts[8 * k + i].clone());
            bus::step(builder, block, capacity, after, row.is_real);
            capacity = after.map(Into::into);
        }
        let modulus: Vec<AB::Expr> =
            core::iter::once(key.clone()).chain(row.n.into_iter().map(Into::into)).collect();
        RSA_MODULUS.table_entry(builder, modulus, row.moduli);
        let texts = row.texts.into_iter().flatten().map(Into::into);
        let entry: Vec<AB::Expr> = core::iter::once(key).chain(capacity).chain(texts).collect();
        PROVIDER.table_entry(builder, entry, row.uses);
    }
}

/// More keys than rows.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{0} keys of providers, at most {MAX_PROVIDERS}")]
pub struct TooManyProviders(pub usize);

impl ProviderTable {
    /// The trace for keys, in the order of their numbers, and what was looked up.
    ///
    /// # Errors
    /// [`TooManyProviders`].
    pub fn trace(providers: &[LoginProvider], asked: &Asked) -> Result<Trace, TooManyProviders> {
        if providers.len() > MAX_PROVIDERS {
            return Err(TooManyProviders(providers.len()));
        }
        let row = |(k, provider): (usize, &LoginProvider)| {
            let key = F::from_usize(k + 1);
            let times = |bus: &str| {
                let messages = asked.messages(bus);
                let of_key = messages.iter().filter(|(m, _)| m.first() == Some(&key));
                F::from_u32(of_key.map(|(_, n)| n).sum())
            };
            let felts = provider.felts();
            let mut row = ProviderCols::fill(F::ZERO);
            row.is_real = F::ONE;
            row.texts = core::array::from_fn(|t| core::array::from_fn(|i| felts[8 * t + i]));
            row.n = core::array::from_fn(|i| F::from_u8(provider.key.modulus[LIMBS - 1 - i]));
            let mut capacity = Domain::Provider.iv(PROVIDER_FELTS);
            for (k, after) in row.capacities.iter_mut().enumerate() {
                capacity = step(&core::array::from_fn(|i| felts[8 * k + i]), &capacity);
                *after = capacity;
            }
            (row.moduli, row.uses) = (times(RSA_MODULUS.name()), times(PROVIDER.name()));
            row
        };
        let rows: Vec<ProviderCols<F>> = providers.iter().enumerate().map(row).collect();
        Ok(from_rows(&rows, LOG_HEIGHT))
    }
}
