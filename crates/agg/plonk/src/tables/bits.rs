//! Bit decompositions.
//!
//! # What is proven
//! 31 booleans, least first, with `x = sum bit[k] * 2^k` as an integer below p, so that x has one decomposition:
//! `p = 15 * 2^27 + 1`, so a number below 2^31 is below p exactly if its four high bits are not all 1 or its 27 low
//! bits are all 0 (then it is p - 1). A sum of 27 booleans is 0 only if each is.
//!
//! 33 main columns, 64 preprocessed, 32 messages, degree 3 (5 with LogUp), no next row. Padding: zeros.

use std::ops::Range;
use std::sync::Arc;

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use tsz_air::gadget::compose;
use tsz_air::{Air, Columns, InteractionBuilder, RowMajorMatrix, Trace, WindowAccess, columns};
use tsz_stark::F;

use super::{embed, preprocess, program_table, slot, value};
use crate::ir::{Value, coordinates};
use crate::layout::Layout;

/// Bits of a felt.
const BITS: usize = 31;
/// Low bits, that are 0 where the high ones are all 1.
const LOW: usize = 27;

columns! {
    /// Main columns.
    pub(crate) struct BitsCols {
        /// Booleans, least first; constrained.
        bit: [31],
        /// `bit[27] * bit[28]`; constrained.
        high_pair,
        /// `bit[27] * bit[28] * bit[29] * bit[30]`; constrained.
        high_all,
    }
}

columns! {
    /// Preprocessed columns.
    struct BitsProgram {
        /// Addresses of the felt and of its bits.
        address: [32],
        /// Signed multiplicities.
        multiplicity: [32],
    }
}

/// The AIR.
#[derive(Clone)]
pub struct BitsAir {
    pub(super) program: Arc<Trace>,
}

impl BitsAir {
    const NEXT_ROW: Range<usize> = 0..0;

    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        Self { program: preprocess(layout, &layout.bits, log_height, |_| []) }
    }
}

program_table!(BitsAir, "bits", BitsCols);

impl<AB: InteractionBuilder<F = F>> Air<AB> for BitsAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row: BitsCols<AB::Var> = BitsCols::from_row(main.current_slice());
        let program: BitsProgram<AB::Var> = BitsProgram::from_row(builder.preprocessed().current_slice());
        for bit in row.bit {
            builder.assert_bool(bit);
        }
        builder.assert_eq(row.high_pair, row.bit[27] * row.bit[28]);
        builder.assert_eq(row.high_all, row.high_pair * row.bit[29] * row.bit[30]);
        let low: AB::Expr = row.bit[..LOW].iter().map(|bit| (*bit).into()).sum();
        builder.assert_zero(row.high_all * low);
        let x: AB::Expr = compose(row.bit, 1);
        slot(builder, program.address[0], embed(x), program.multiplicity[0]);
        for (k, bit) in row.bit.into_iter().enumerate() {
            slot(builder, program.address[k + 1], embed(bit), program.multiplicity[k + 1]);
        }
    }
}

/// The trace.
pub(crate) fn trace(layout: &Layout, values: &[Value], log_height: usize) -> Trace {
    let width = BitsCols::<F>::WIDTH;
    let mut cells = F::zero_vec(width << log_height);
    for (row, out) in cells.chunks_exact_mut(width).enumerate().take(layout.bits.rows()) {
        let x = coordinates(value(values, layout.bits.row(row)[0]))[0].as_canonical_u32();
        let bit: [F; BITS] = core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1));
        let high_pair = bit[27] * bit[28];
        BitsCols { bit, high_pair, high_all: high_pair * bit[29] * bit[30] }.to_row(out);
    }
    RowMajorMatrix::new(cells, width)
}
