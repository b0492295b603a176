//! Range table: provides `v` on bus `range12` for every `v < 2^12`.
//!
//! # What is proven
//! The values are a preprocessed column, fixed by the vk: nothing but `0..2^12` can be looked up. The one main
//! column `mult` counts lookups and may hold anything: a wrong count unbalances the bus.
//!
//! Height 2^12, 1 preprocessed, 1 main and 8 LogUp columns, no next row.

use tsz_air::{
    Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, RANGE_BITS, RANGE_SIZE, RowMajorMatrix,
    TableAir, Trace, WindowAccess, bus,
};

/// log2 of the number of rows.
pub const LOG_HEIGHT: usize = RANGE_BITS;

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct RangeTable;

impl TableAir for RangeTable {
    fn name(&self) -> String {
        "range".into()
    }
    fn column_names(&self) -> Vec<String> {
        vec!["mult".into()]
    }
}

impl BaseAir<F> for RangeTable {
    fn width(&self) -> usize {
        1
    }
    fn preprocessed_width(&self) -> usize {
        1
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        Some(RowMajorMatrix::new((0..RANGE_SIZE).map(F::from_usize).collect(), 1))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RangeTable {
    fn eval(&self, builder: &mut AB) {
        let value = builder.preprocessed().current_slice()[0];
        let mult = builder.main().current_slice()[0];
        bus::range12::provide(builder, [value], mult);
    }
}

/// The trace for the counts of [`tsz_air::Requests::range`].
pub fn trace(counts: &[u32]) -> Trace {
    let mut values: Vec<F> = counts.iter().map(|n| F::from_u32(*n)).collect();
    values.resize(RANGE_SIZE, F::ZERO);
    RowMajorMatrix::new(values, 1)
}
