//! Byte and 15-bit tables.
//!
//! # What is proven
//! [`BytesTable`] provides every pair of bytes on bus `bytes`, [`Range15Table`] every `v < 2^15` on bus `range15`. The
//! values are preprocessed, so fixed by the vk; the one main column `mult` counts lookups and may hold anything: a
//! wrong count unbalances the bus.
//!
//! Two bytes a message halve the LogUp columns of what is checked. Heights 2^16 and 2^15; 2 and 1 preprocessed, 1
//! main and 8 LogUp columns each, no next row.

use tsz_air::{
    Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix, TableAir, Trace,
    WindowAccess, bus,
};

/// log2 of the rows of [`BytesTable`].
pub const BYTES_LOG_HEIGHT: usize = 16;
/// log2 of the rows of [`Range15Table`].
pub const RANGE15_LOG_HEIGHT: usize = 15;

/// All pairs of bytes: row `a + 256 b`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BytesTable;

/// All numbers below 2^15.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range15Table;

macro_rules! counted {
    ($air:ident, $name:literal, $width:literal, $log:expr, $row:expr, $bus:ident) => {
        impl TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                vec!["mult".into()]
            }
        }

        impl BaseAir<F> for $air {
            fn width(&self) -> usize {
                1
            }
            fn preprocessed_width(&self) -> usize {
                $width
            }
            fn preprocessed_trace(&self) -> Option<Trace> {
                let row: fn(u32) -> [u32; $width] = $row;
                let cells = (0..1 << $log).flat_map(|v| row(v).map(F::from_u32)).collect();
                Some(RowMajorMatrix::new(cells, $width))
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
            fn preprocessed_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
        }

        impl<AB: InteractionBuilder<F = F>> Air<AB> for $air {
            fn eval(&self, builder: &mut AB) {
                let value: [_; $width] = core::array::from_fn(|k| builder.preprocessed().current_slice()[k]);
                let mult = builder.main().current_slice()[0];
                bus::$bus::provide(builder, value, mult);
            }
        }
    };
}

counted!(BytesTable, "bytes", 2, BYTES_LOG_HEIGHT, |v| [v & 255, v >> 8], bytes);
counted!(Range15Table, "range15", 1, RANGE15_LOG_HEIGHT, |v| [v], range15);

/// The trace of a table for counts of its rows.
pub fn trace(counts: &[u32]) -> Trace {
    RowMajorMatrix::new(counts.iter().map(|n| F::from_u32(*n)).collect(), 1)
}
