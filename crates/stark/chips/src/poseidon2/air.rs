//! Columns and constraints.
//!
//! | columns | meaning |
//! |---|---|
//! | 0..16 | input |
//! | 16..144 | 4 full rounds: 16 cubes of S-box inputs, 16 outputs of the round |
//! | 144..170 | 13 partial rounds: cube and output of the one S-box |
//! | 170..298 | 4 full rounds; the last 16 columns are the final state |
//! | 298 | `mult`: number of lookups of the row, any value |
//!
//! Degree budget: the cube `c = x^3` is degree 3, the S-box output `c^2 x` is degree 3.

use p3_baby_bear::{
    BABYBEAR_POSEIDON2_RC_16_EXTERNAL_FINAL, BABYBEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
    BABYBEAR_POSEIDON2_RC_16_INTERNAL, GenericPoseidon2LinearLayersBabyBear,
};
use p3_poseidon2_air::{Poseidon2Air, RoundConstants, num_cols};
use tsz_air::{Air, BaseAir, F, InteractionBuilder, SubAirBuilder, TableAir, WindowAccess, bus};

/// Degree of the S-box.
pub(super) const SBOX_DEGREE: u64 = 7;
/// Committed intermediate values of an S-box.
pub(super) const SBOX_REGISTERS: usize = 1;
/// Half of the full rounds.
pub(super) const HALF_FULL_ROUNDS: usize = 4;
/// Partial rounds.
pub(super) const PARTIAL_ROUNDS: usize = 13;
/// Columns of the permutation.
pub(super) const PERM_WIDTH: usize =
    num_cols::<16, SBOX_DEGREE, SBOX_REGISTERS, HALF_FULL_ROUNDS, PARTIAL_ROUNDS>();
/// Column of the multiplicity.
pub const MULT: usize = PERM_WIDTH;
/// Number of columns.
pub const WIDTH: usize = PERM_WIDTH + 1;
/// First of the 8 columns of the high lanes of the final state.
const OUT_HI: usize = PERM_WIDTH - 8;

type Permutation = Poseidon2Air<
    F,
    GenericPoseidon2LinearLayersBabyBear,
    16,
    SBOX_DEGREE,
    SBOX_REGISTERS,
    HALF_FULL_ROUNDS,
    PARTIAL_ROUNDS,
>;

/// Round constants of the permutation of `tsz-hash`.
pub(super) fn constants() -> RoundConstants<F, 16, HALF_FULL_ROUNDS, PARTIAL_ROUNDS> {
    RoundConstants::new(
        BABYBEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
        BABYBEAR_POSEIDON2_RC_16_INTERNAL,
        BABYBEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    )
}

/// The AIR.
#[derive(Clone)]
pub struct Poseidon2Table {
    permutation: Permutation,
}

impl Poseidon2Table {
    /// The table with the constants of `tsz-hash`.
    pub fn new() -> Self {
        Self { permutation: Permutation::new(constants()) }
    }
}

impl Default for Poseidon2Table {
    fn default() -> Self {
        Self::new()
    }
}

impl TableAir for Poseidon2Table {
    fn name(&self) -> String {
        "poseidon2".into()
    }
    fn column_names(&self) -> Vec<String> {
        let name = |column| match column {
            0..16 => format!("in[{column}]"),
            OUT_HI..MULT => format!("out_hi[{}]", column - OUT_HI),
            MULT => "mult".into(),
            _ => format!("round[{}]", column - 16),
        };
        (0..WIDTH).map(name).collect()
    }
}

impl BaseAir<F> for Poseidon2Table {
    fn width(&self) -> usize {
        WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Poseidon2Table {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = main.current_slice();
        let input: [AB::Var; 16] = core::array::from_fn(|k| row[k]);
        let out_hi: [AB::Var; 8] = core::array::from_fn(|k| row[OUT_HI + k]);
        bus::p2::provide(builder, input, out_hi, row[MULT]);
        let mut sub = SubAirBuilder::<AB, Permutation, AB::Var>::new(builder, 0..PERM_WIDTH);
        self.permutation.eval(&mut sub);
    }
}
