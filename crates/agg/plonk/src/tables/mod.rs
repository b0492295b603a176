//! The tables of the machine and the witness bus that joins them.

pub(crate) mod alu;
mod beside;
pub(crate) mod bits;
pub(crate) mod horner;
pub(crate) mod pack;
pub(crate) mod poseidon2;
pub(crate) mod poseidon24;
pub(crate) mod public;
mod rows;

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;
use tsz_air::{Count, InteractionBuilder, LookupBus, RowMajorMatrix, Trace, air_enum};
use tsz_stark::F;

pub use beside::PlonkAir;
pub(crate) use rows::beside;

use crate::ir::{NONE, Value, Wire};
use crate::layout::{Layout, Slots};

/// Bus `wit`: address, value\[4\].
const WIT: LookupBus<'static> = LookupBus::new("wit");

/// Puts a slot on the witness bus with its preprocessed signed multiplicity.
///
/// The declared weight of 1 is the bound of a reading slot; a defining slot has a negative multiplicity, which
/// only cancels reads.
pub(crate) fn slot<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    address: AB::Var,
    value: [AB::Expr; 4],
    multiplicity: AB::Var,
) {
    let fields = std::iter::once(address.into()).chain(value);
    WIT.lookup_key(builder, fields, Count::bounded(multiplicity.into(), 1));
}

/// A base field value as a quad.
pub(crate) fn embed<E: PrimeCharacteristicRing>(x: impl Into<E>) -> [E; 4] {
    [x.into(), E::ZERO, E::ZERO, E::ZERO]
}

/// Product in `F[X]/(X^4 - 11)`.
pub(crate) fn ext_mul<E: PrimeCharacteristicRing>(a: &[E; 4], b: &[E; 4]) -> [E; 4] {
    let w = E::from_u8(11);
    core::array::from_fn(|k| {
        let low: E = (0..=k).map(|i| a[i].clone() * b[k - i].clone()).sum();
        let high: E = (k + 1..4).map(|i| a[i].clone() * b[k + 4 - i].clone()).sum();
        low + high * w.clone()
    })
}

/// Preprocessed trace of a table: addresses, multiplicities, then `extra(row)`; rows above the program are 0.
pub(crate) fn preprocess<const N: usize>(
    layout: &Layout,
    table: &Slots,
    log_height: usize,
    extra: impl Fn(usize) -> [F; N],
) -> Arc<Trace> {
    let width = 2 * table.width + N;
    let mut values = F::zero_vec(width << log_height);
    for (row, out) in values.chunks_exact_mut(width).enumerate().take(table.rows()) {
        for (cell, &wire) in out.iter_mut().zip(table.row(row)).filter(|(_, w)| **w != NONE) {
            *cell = F::from_u32(wire);
        }
        for (cell, m) in out[table.width..].iter_mut().zip(layout.multiplicities(table, row)) {
            *cell = F::from_i64(m);
        }
        out[2 * table.width..].copy_from_slice(&extra(row));
    }
    Arc::new(RowMajorMatrix::new(values, width))
}

/// The value of a slot; 0 where it is unused.
pub(crate) fn value(values: &[Value], wire: Wire) -> Value {
    if wire == NONE { Value::ZERO } else { values[wire as usize] }
}

air_enum! {
    /// The tables of the machine.
    pub enum Table {
        /// Base and extension arithmetic.
        Alu(alu::AluAir),
        /// Permutations.
        Poseidon2(poseidon2::Poseidon2Air),
        /// Quads and their coordinates.
        Pack(pack::PackAir),
        /// Bit decompositions.
        Bits(bits::BitsAir),
        /// Batch reductions.
        Horner(horner::HornerAir),
        /// Public values.
        Public(public::PublicAir),
        /// Permutations of width 24.
        Poseidon24(poseidon24::Poseidon24Air),
    }
}

#[cfg(test)]
impl PlonkAir {
    /// The same table with another program, for lies about a table that stands alone.
    pub(crate) fn with_program(&self, program: Trace) -> Self {
        let mut air = self.clone();
        let [part] = air.parts_mut() else { panic!("one table") };
        let slot = match part {
            Table::Alu(air) => &mut air.program,
            Table::Poseidon2(air) => &mut air.program,
            Table::Pack(air) => &mut air.program,
            Table::Bits(air) => &mut air.program,
            Table::Horner(air) => &mut air.program,
            Table::Public(air) => &mut air.program,
            Table::Poseidon24(air) => &mut air.program,
        };
        *slot = Arc::new(program);
        air
    }
}

/// The parts of `BaseAir` and `TableAir` that all tables share: a preprocessed program, no next row.
macro_rules! program_table {
    ($air:ident, $name:literal, $cols:ident) => {
        impl tsz_air::TableAir for $air {
            fn name(&self) -> String {
                $name.into()
            }
            fn column_names(&self) -> Vec<String> {
                <$cols<tsz_stark::F> as tsz_air::Columns<tsz_stark::F>>::names()
            }
        }

        impl tsz_air::BaseAir<tsz_stark::F> for $air {
            fn width(&self) -> usize {
                $cols::<tsz_stark::F>::WIDTH
            }
            fn preprocessed_width(&self) -> usize {
                self.program.width
            }
            fn preprocessed_trace(&self) -> Option<tsz_air::Trace> {
                Some((*self.program).clone())
            }
            fn main_next_row_columns(&self) -> Vec<usize> {
                Self::NEXT_ROW.collect()
            }
            fn preprocessed_next_row_columns(&self) -> Vec<usize> {
                vec![]
            }
        }
    };
}
pub(crate) use program_table;
