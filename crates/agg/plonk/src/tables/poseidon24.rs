//! Permutations of width 24 with risc0's matrices, with an optional exchange of the first two pairs of quads.
//!
//! # What is proven
//! `out = P(x || y || c)`, or `P(y || x || c)` where the row has a swap bit and it is 1. The columns hold the state
//! after the exchange; the slots that read x and y undo it: `x = in[0..8] + bit * (in[8..16] - in[0..8])`. The bit is
//! boolean, and 0 on rows without one. Every row, padding included, is a permutation.
//!
//! 451 main columns, 27 preprocessed, 13 messages (four of degree 2), no next row. Each S-box has a column for the cube
//! of its input: degree 3. Padding: permutations of zeros with multiplicities 0. Only programs that verify risc0's
//! proofs have the table.

use std::sync::Arc;

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_24_INTERNAL,
};
use p3_field::PrimeCharacteristicRing;
use p3_poseidon2::GenericPoseidon2LinearLayers;
use p3_poseidon2_air::{Poseidon2Air as Rounds, RoundConstants, generate_trace_rows, num_cols};
use tsz_air::{
    Air, BaseAir, Columns, InteractionBuilder, SubAirBuilder, TableAir, Trace, WindowAccess, columns,
};
use tsz_stark::F;

use super::rows::with_bits;
use super::{embed, preprocess, slot, value};
use crate::ir::Value;
use crate::layout::{Layout, P24_SLOTS};
use crate::run::state24;

const STATE: usize = tsz_poseidon24::WIDTH;
const SBOX_DEGREE: u64 = 7;
/// Columns of an S-box beside its result.
const SBOX_REGISTERS: usize = 1;
const HALF_FULL_ROUNDS: usize = 4;
const PARTIAL_ROUNDS: usize = 21;
/// Columns of the permutation.
const PERM_WIDTH: usize = num_cols::<STATE, SBOX_DEGREE, SBOX_REGISTERS, HALF_FULL_ROUNDS, PARTIAL_ROUNDS>();
/// First column of the final state.
const OUT: usize = PERM_WIDTH - STATE;
/// Column of the swap bit.
pub(crate) const BIT: usize = PERM_WIDTH;
/// Number of columns.
pub(crate) const WIDTH: usize = PERM_WIDTH + 1;

type Permutation = Rounds<F, Layers, STATE, SBOX_DEGREE, SBOX_REGISTERS, HALF_FULL_ROUNDS, PARTIAL_ROUNDS>;

/// risc0's matrices.
#[derive(Clone, Debug)]
struct Layers;

impl GenericPoseidon2LinearLayers<STATE> for Layers {
    fn internal_linear_layer<R: PrimeCharacteristicRing>(state: &mut [R; STATE]) {
        tsz_poseidon24::internal(state);
    }
    fn external_linear_layer<R: PrimeCharacteristicRing>(state: &mut [R; STATE]) {
        tsz_poseidon24::external(state);
    }
}

columns! {
    /// Preprocessed columns.
    struct Poseidon24Program {
        /// Addresses of the quads x0, x1, y0, y1, c0, c1.
        input: [6],
        /// Addresses of the quads of the result.
        output: [6],
        /// Address of the swap bit.
        bit,
        /// Signed multiplicities of the input.
        input_multiplicity: [6],
        /// Signed multiplicities of the result.
        output_multiplicity: [6],
        /// Signed multiplicity of the swap bit.
        bit_multiplicity,
        /// Boolean: the row has a swap bit.
        is_swap,
    }
}

fn constants() -> RoundConstants<F, STATE, HALF_FULL_ROUNDS, PARTIAL_ROUNDS> {
    RoundConstants::new(
        BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
        BABYBEAR_POSEIDON2_RC_24_INTERNAL,
        BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL,
    )
}

/// The AIR.
#[derive(Clone)]
pub struct Poseidon24Air {
    permutation: Arc<Permutation>,
    pub(super) program: Arc<Trace>,
}

impl Poseidon24Air {
    pub(crate) fn new(layout: &Layout, log_height: usize) -> Self {
        let extra = |row: usize| [F::from_bool(layout.swaps24[row])];
        let program = preprocess(layout, &layout.p24, log_height, extra);
        Self { permutation: Arc::new(Permutation::new(constants())), program }
    }
}

impl TableAir for Poseidon24Air {
    fn name(&self) -> String {
        "poseidon24".into()
    }
    fn column_names(&self) -> Vec<String> {
        let name = |column| match column {
            0..STATE => format!("in[{column}]"),
            OUT..BIT => format!("out[{}]", column - OUT),
            BIT => "bit".into(),
            _ => format!("round[{}]", column - STATE),
        };
        (0..WIDTH).map(name).collect()
    }
}

impl BaseAir<F> for Poseidon24Air {
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

impl<AB: InteractionBuilder<F = F>> Air<AB> for Poseidon24Air {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        let program: Poseidon24Program<AB::Var> =
            Poseidon24Program::from_row(builder.preprocessed().current_slice());
        let bit = row[BIT];
        builder.assert_bool(bit);
        // A row without a swap bit does not exchange.
        builder.assert_zero((AB::Expr::ONE - program.is_swap) * bit);
        for q in 0..6 {
            // The quad of the other pair; the capacity stays.
            let other = if q < 4 { 4 * (q ^ 2) } else { 4 * q };
            let read: [AB::Expr; 4] = core::array::from_fn(|k| {
                let own: AB::Expr = row[4 * q + k].into();
                if q < 4 { (row[other + k] - row[4 * q + k]) * bit + own } else { own }
            });
            slot(builder, program.input[q], read, program.input_multiplicity[q]);
        }
        for q in 0..6 {
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
    let mut inputs = vec![[F::ZERO; STATE]; height];
    for row in 0..layout.p24.rows() {
        let wires = layout.p24.row(row);
        let quads: [Value; 6] = core::array::from_fn(|q| value(values, wires[q]));
        swapped[row] = value(values, wires[P24_SLOTS - 1]) == Value::ONE;
        inputs[row] = state24(&quads, swapped[row]);
    }
    let permutations = generate_trace_rows::<
        F,
        Layers,
        STATE,
        SBOX_DEGREE,
        SBOX_REGISTERS,
        HALF_FULL_ROUNDS,
        PARTIAL_ROUNDS,
    >(inputs, &constants(), 0);
    with_bits(&permutations, &swapped)
}
