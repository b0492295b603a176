//! Runs of rows: what one op has in a table lies in consecutive rows.

use tsz_air::{AirBuilder, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c};

columns! {
    /// Where a row stands in the run of its op.
    pub struct Run {
        /// 1 = the row holds something; boolean.
        is_real: felt,
        /// 1 = the run starts here; boolean, at most `is_real`.
        is_first: felt,
        /// 1 = the run ends here; boolean, at most `is_real`.
        is_last: felt,
        /// Sequence number of the op; constant over the run; bound by the bus on which the run's end is sent.
        index: felt,
    }
}

impl Run<F> {
    /// Row `k` of a run of `len` rows.
    pub(crate) fn at(index: u32, k: usize, len: usize) -> Self {
        Self {
            is_real: F::ONE,
            is_first: F::from_bool(k == 0),
            is_last: F::from_bool(k + 1 == len),
            index: F::from_u32(index),
        }
    }
}

/// Rows are runs from row 0 on, then padding: a real row that starts no run follows one that ends none. Returns the
/// flag of rows that another row of the same run follows; on the last row of the table it is 0.
pub(crate) fn runs<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    this: &Run<AB::Expr>,
    next: &Run<AB::Expr>,
) -> AB::Expr {
    let absent = c::<AB::Expr>(1) - this.is_real.clone();
    for flag in [&this.is_first, &this.is_last] {
        row.boolean(flag);
        row.zero(flag.clone() * absent.clone());
    }
    let link = this.is_real.clone() - this.is_last.clone();
    let follows = next.is_real.clone() - next.is_first.clone();
    let builder = row.builder();
    builder.when_first_row().assert_eq(this.is_real.clone(), this.is_first.clone());
    builder.when_transition().assert_eq(follows, link.clone());
    builder.when_last_row().assert_zero(link.clone());
    row.zero(link.clone() * (next.index.clone() - this.index.clone()));
    link
}

/// Declares the AIR of a table whose rows are runs.
macro_rules! run_air {
    ($(#[$m:meta])* $air:ident, $cols:ident, $name:literal, $publics:expr) => {
        $(#[$m])*
        #[derive(Clone, Debug)]
        pub struct $air;

        impl tsz_air::TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                tsz_gadgets::layout::names::<$cols<()>>()
            }
        }

        impl tsz_air::BaseAir<tsz_air::F> for $air {
            fn width(&self) -> usize {
                <$cols<()> as tsz_gadgets::layout::Columns<()>>::WIDTH
            }
            fn num_public_values(&self) -> usize {
                $publics
            }
        }
    };
}
pub(crate) use run_air;

/// The columns of this row and of the next, as expressions.
pub(crate) fn window<AB: InteractionBuilder<F = F>, C: tsz_gadgets::layout::Columns<AB::Expr>>(
    builder: &AB,
) -> (C, C) {
    use tsz_air::WindowAccess;
    use tsz_gadgets::layout::from_slice;
    let main = builder.main();
    (from_slice(main.current_slice()), from_slice(main.next_slice()))
}
