//! Columns and constraints.
//!
//! | columns | meaning |
//! |---|---|
//! | 0..24 | input |
//! | 24..216 | 4 full rounds: 24 cubes of S-box inputs, 24 outputs of the round |
//! | 216..258 | 21 partial rounds: cube and output of the one S-box |
//! | 258..450 | 4 full rounds; the last 24 columns are the final state |
//! | 450 | `mult`: number of lookups of the row, any value |
//!
//! Degree budget: the cube `c = x^3` is degree 3, the S-box output `c^2 x` is degree 3.

use core::array::from_fn;

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_24_INTERNAL,
};
use p3_poseidon2_air::{Poseidon2Air, RoundConstants, num_cols};
use tsz_air::{Air, BaseAir, F, InteractionBuilder, SubAirBuilder, TableAir, WindowAccess};

use super::{Layers, P2_24, STATE};

/// Degree of the S-box.
pub(super) const SBOX_DEGREE: u64 = 7;
/// Committed intermediate values of an S-box.
pub(super) const SBOX_REGISTERS: usize = 1;
/// Half of the full rounds.
pub(super) const HALF_FULL_ROUNDS: usize = 4;
/// Partial rounds.
pub(super) const PARTIAL_ROUNDS: usize = 21;
/// Columns of the permutation.
pub(super) const PERM_WIDTH: usize =
    num_cols::<STATE, SBOX_DEGREE, SBOX_REGISTERS, HALF_FULL_ROUNDS, PARTIAL_ROUNDS>();
/// Column of the multiplicity.
pub const MULT: usize = PERM_WIDTH;
/// Number of columns.
pub const WIDTH: usize = PERM_WIDTH + 1;
/// First of the 8 columns of the capacity in the final state.
const OUT_HI: usize = PERM_WIDTH - 8;

type Permutation =
    Poseidon2Air<F, Layers, STATE, SBOX_DEGREE, SBOX_REGISTERS, HALF_FULL_ROUNDS, PARTIAL_ROUNDS>;

/// Round constants of the permutation.
pub(super) fn constants() -> RoundConstants<F, STATE, HALF_FULL_ROUNDS, PARTIAL_ROUNDS> {
    RoundConstants::new(
        BABYBEAR_POSEIDON2_RC_24_EXTERNAL_INITIAL,
        BABYBEAR_POSEIDON2_RC_24_INTERNAL,
        BABYBEAR_POSEIDON2_RC_24_EXTERNAL_FINAL,
    )
}

/// The AIR.
#[derive(Clone)]
pub struct Poseidon24Table {
    permutation: Permutation,
}

impl Poseidon24Table {
    /// The table.
    pub fn new() -> Self {
        Self { permutation: Permutation::new(constants()) }
    }
}

impl Default for Poseidon24Table {
    fn default() -> Self {
        Self::new()
    }
}

impl TableAir for Poseidon24Table {
    fn name(&self) -> String {
        "poseidon24".into()
    }
    fn column_names(&self) -> Vec<String> {
        let name = |column| match column {
            0..STATE => format!("in[{column}]"),
            OUT_HI..MULT => format!("out_hi[{}]", column - OUT_HI),
            MULT => "mult".into(),
            _ => format!("round[{}]", column - STATE),
        };
        (0..WIDTH).map(name).collect()
    }
}

impl BaseAir<F> for Poseidon24Table {
    fn width(&self) -> usize {
        WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Poseidon24Table {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        let input: [AB::Var; STATE] = from_fn(|k| row[k]);
        let out_hi: [AB::Var; 8] = from_fn(|k| row[OUT_HI + k]);
        let message: Vec<AB::Expr> = input.into_iter().chain(out_hi).map(Into::into).collect();
        P2_24.table_entry(builder, message, row[MULT]);
        let mut sub = SubAirBuilder::<AB, Permutation, AB::Var>::new(builder, 0..PERM_WIDTH);
        self.permutation.eval(&mut sub);
    }
}
