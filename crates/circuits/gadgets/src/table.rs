//! What every op table has in common: its row as expressions, its public values, its AIR's boilerplate.

use rayon::prelude::*;
use tsz_air::{
    AirBuilder, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix, Trace, WindowAccess,
};

use crate::layout::{Columns, from_slice};

/// Public values of a table with signed ops: S (8), T (2).
pub const SIGNED_PUBLICS: usize = 10;

/// The columns of the current row, as expressions.
pub fn current<AB: InteractionBuilder<F = F>, C: Columns<AB::Expr>>(builder: &AB) -> C {
    from_slice(builder.main().current_slice())
}

/// System digest and batch time of a table with signed ops.
pub fn signed_context<AB: AirBuilder>(builder: &AB) -> ([AB::Expr; 8], [AB::Expr; 2]) {
    let publics = builder.public_values();
    (core::array::from_fn(|k| publics[k].into()), core::array::from_fn(|k| publics[8 + k].into()))
}

/// The trace of `rows`, filled up with `padding`; `None` if there are more than `2^log_height`.
pub fn matrix<C: Columns<F> + Sync>(rows: &[C], log_height: usize, padding: &C) -> Option<Trace> {
    let height = 1 << log_height;
    if rows.len() > height {
        return None;
    }
    let mut values = F::zero_vec(height * C::WIDTH);
    values.par_chunks_exact_mut(C::WIDTH).enumerate().for_each(|(k, out)| {
        let mut cells = out.iter_mut();
        rows.get(k).unwrap_or(padding).write(&mut |x| {
            if let Some(cell) = cells.next() {
                *cell = *x;
            }
        });
    });
    Some(RowMajorMatrix::new(values, C::WIDTH))
}

/// Declares the AIR of an op table whose constraints read one row only.
#[macro_export]
macro_rules! op_air {
    ($(#[$m:meta])* $air:ident, $cols:ident, $name:literal, $publics:expr) => {
        $(#[$m])*
        #[derive(Clone, Debug)]
        pub struct $air;

        impl tsz_air::TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                $crate::layout::names::<$cols<()>>()
            }
        }

        impl tsz_air::BaseAir<tsz_air::F> for $air {
            fn width(&self) -> usize {
                <$cols<()> as $crate::layout::Columns<()>>::WIDTH
            }
            fn num_public_values(&self) -> usize {
                $publics
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                Vec::new()
            }
        }
    };
}
