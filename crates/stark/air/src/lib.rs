//! What AIR crates are written with: buses, column structs, gadgets, trace builders, and the kit that tests them.
//!
//! An AIR is four files (columns, air, trace, tests) and three impls:
//!
//! ```ignore
//! columns! { /// One row.
//!     pub struct FooCols { /// Boolean: the row is real.
//!         is_real, /// Four 12-bit limbs.
//!         limbs: [4], } }
//! #[derive(Clone)] pub struct FooAir;
//! impl TableAir for FooAir { fn name(&self) -> String { "foo".into() } .. }
//! impl BaseAir<F> for FooAir { fn width(&self) -> usize { FooCols::<F>::WIDTH } .. }
//! impl<AB: InteractionBuilder<F = F>> Air<AB> for FooAir { fn eval(&self, builder: &mut AB) { .. } }
//! ```
//!
//! # Cost of bus messages
//! Plonky3 folds messages of the **same bus** into one LogUp column (4 base columns) while the constraint degree
//! stays at most 3: two messages of degree-1 fields a column. A field of degree 2 (for example `flag * x`) costs
//! its message a column of its own. One more column a table holds the accumulator. Fields and flags are
//! re-evaluated as expression trees at every row, so keep them short: no deep shared sub-expressions.
//!
//! Messages cannot read periodic columns (constraints can); use a preprocessed column there.
//!
//! A table whose constraints never read the next row returns an empty `main_next_row_columns()`: half as many
//! opened values.

pub mod bus;
mod check;
mod columns;
pub mod gadget;
mod report;
mod requests;
mod table;
mod tamper;
#[cfg(test)]
mod tests;
mod trace;

pub use check::{CheckAir, CheckBuilder, Violation, check};
pub use columns::Columns;
pub use report::{assert_degrees, report};
pub use requests::{RANGE_BITS, RANGE_SIZE, Requests};
pub use tamper::{ColumnResult, Tamper};
pub use trace::{from_rows, from_rows_padded, log_height};

pub use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
pub use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
pub use p3_lookup::{Count, InteractionBuilder, LookupBus, PermutationCheckBus};
pub use p3_matrix::Matrix;
pub use p3_matrix::dense::RowMajorMatrix;
pub use p3_uni_stark::SubAirBuilder;
pub use tsz_stark::{CircuitAir, F, MIN_LOG_HEIGHT, TableAir, Trace};
