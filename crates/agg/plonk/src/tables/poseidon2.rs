//! Permutations: Poseidon2-16 on four quads, with an optional exchange of the halves.
//!
//! # What is proven
//! `out = P(x || y)`, or `P(y || x)` where the row has a swap bit and it is 1. The columns hold the state after
//! the exchange; the slots that read x and y undo it: `x = in[0..8] + bit * (in[8..16] - in[0..8])`. The bit is
//! boolean, and 0 on rows without one. Every row, padding included, is a permutation.
//!
//! 299 main columns, 19 preprocessed, 9 messages (four of degree 2), no next row. Each S-box has a column for the cube
//! of its input, so that constraints have degree 3: nodes get by with blow-up 4, and commit to 343 columns four times
//! over instead of 202 eight times over. Padding: permutations of zeros with multiplicities 0.

use std::sync::Arc;

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_16_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_16_INTERNAL, GenericPoseidon2LinearLayersBabyBear,
};
use p3_field::PrimeCharacteristicRing;
use p3_poseidon2_air::{Poseidon2Air as Rounds, RoundConstants, generate_trace_rows, num_cols};
use tsz_air::{
    Air, BaseAir, Columns, InteractionBuilder, SubAirBuilder, TableAir, Trace, WindowAccess, columns,
};
use tsz_stark::F;

use super::rows::with_bits;
use super::{embed, preprocess, slot, value};
use crate::ir::Value;
use crate::layout::Layout;
use crate::run::state;

const SBOX_DEGREE: u64 = 7;
/// Columns of an S-box beside its result.
const SBOX_REGISTERS: usize = 1;
const HALF_FULL_ROUNDS: usize = 4;
const PARTIAL_ROUNDS: usize = 13;
/// Columns of the permutation.
const PERM_WIDTH: usize = num_cols::<16, SBOX_DEGREE, SBOX_REGISTERS, HALF_FULL_ROUNDS, PARTIAL_ROUNDS>();
/// First column of the final state.
const OUT: usize = PERM_WIDTH - 16;
/// Column of the swap bit.
pub(crate) const BIT: usize = PERM_WIDTH;
/// Number of columns.
pub(crate) const WIDTH: usize = PERM_WIDTH + 1;

type Permutation = Rounds<
    F,
    GenericPoseidon2LinearLayersBabyBear,
    16,
    SBOX_DEGREE,
    SBOX_REGISTERS,
    HALF_FULL_ROUNDS,
    PARTIAL_ROUNDS,
>;

columns! {
    /// Preprocessed columns.
    struct Poseidon2Program {
        /// Addresses of the quads x0, x1, y0, y1.
        input: [4],
        /// Addresses of the quads of the result.
        output: [4],
        /// Address of the swap bit.
        bit,
        /// Signed multiplicities of the input.
        input_multiplicity: [4],
        /// Signed multiplicities of the result.
        output_multiplicity: [4],
        /// Signed multiplicity of the swap bit.
        bit_multiplicity,
        /// Boolean: the row has a swap bit.
        is_swap,
    }
}

/// Round constants of the permutation of `tsz-hash`.
fn constants() -> RoundConstants<F, 16, HALF_FULL_ROUNDS, PARTIAL_ROUNDS> {
    RoundConstants::new(
        BABYBEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
        BABYBEAR_POSEIDON2_RC_16_INTERNAL,
        BABYBEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    )
}

/// The AIR.
#[derive(Clone)]
pub struct Poseidon2Air {
    permutation: Arc<Permutation>,
    pub(super) program: Arc<Trace>,
}

impl Poseidon2Air {
    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        let extra = |row: usize| [F::from_bool(layout.swaps[row])];
        let program = preprocess(layout, &layout.p2, log_height, extra);
        Self { permutation: Arc::new(Permutation::new(constants())), program }
    }
}

impl TableAir for Poseidon2Air {
    fn name(&self) -> String {
        "poseidon2".into()
    }
    fn column_names(&self) -> Vec<String> {
        let name = |column| match column {
            0..16 => format!("in[{column}]"),
            OUT..BIT => format!("out[{}]", column - OUT),
            BIT => "bit".into(),
            _ => format!("round[{}]", column - 16),
        };
        (0..WIDTH).map(name).collect()
    }
}

impl BaseAir<F> for Poseidon2Air {
    fn width(&self) -> usize {
        WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        self.program.width
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        Some((*self.program).clone())
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Poseidon2Air {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        let program: Poseidon2Program<AB::Var> =
            Poseidon2Program::from_row(builder.preprocessed().current_slice());
        let bit = row[BIT];
        builder.assert_bool(bit);
        // A row without a swap bit does not exchange.
        builder.assert_zero((AB::Expr::ONE - program.is_swap) * bit);
        for q in 0..4 {
            // The quad of the other half.
            let other = 4 * ((q + 2) % 4);
            let read: [AB::Expr; 4] =
                core::array::from_fn(|k| (row[other + k] - row[4 * q + k]) * bit + row[4 * q + k]);
            slot(builder, program.input[q], read, program.input_multiplicity[q]);
        }
        for q in 0..4 {
            let quad = core::array::from_fn(|k| row[OUT + 4 * q + k].into());
            slot(builder, program.output[q], quad, program.output_multiplicity[q]);
        }
        slot(builder, program.bit, embed(bit), program.bit_multiplicity);
        let mut sub = SubAirBuilder::<AB, Permutation, AB::Var>::new(builder, 0..PERM_WIDTH);
        self.permutation.eval(&mut sub);
    }
}

/// The trace.
pub(crate) fn trace(layout: &Layout, values: &[Value], log_height: usize) -> Trace {
    let height = 1 << log_height;
    let mut swapped = vec![false; height];
    let mut inputs = vec![[F::ZERO; 16]; height];
    for row in 0..layout.p2.rows() {
        let wires = layout.p2.row(row);
        let quads: [Value; 4] = core::array::from_fn(|q| value(values, wires[q]));
        swapped[row] = value(values, wires[8]) == Value::ONE;
        inputs[row] = state(&quads, swapped[row]);
    }
    let permutations = generate_trace_rows::<
        F,
        GenericPoseidon2LinearLayersBabyBear,
        16,
        SBOX_DEGREE,
        SBOX_REGISTERS,
        HALF_FULL_ROUNDS,
        PARTIAL_ROUNDS,
    >(inputs, &constants(), 0);
    with_bits(&permutations, &swapped)
}
