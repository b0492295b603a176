//! Constraints.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, RowMajorMatrix,
    TableAir, Trace, WindowAccess,
};

use super::columns::{KeccakCols, KeccakFixed};
use super::{BITS, BLOCK, CONSTANT_BITS, HASH, IN, LANES, LIMBS, OUT, RATE, RC, ROWS, source};

/// The AIR; its fixed columns depend on the height.
#[derive(Clone, Copy, Debug)]
pub struct KeccakTable {
    log_height: usize,
    first: usize,
}

impl KeccakTable {
    /// A table of 2^log_height rows.
    pub fn new(log_height: usize) -> Self {
        Self { log_height, first: 0 }
    }

    /// The table whose blocks are counted from after those of another one, which has `first`.
    pub fn after(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Hashes that the table holds.
    pub fn blocks(&self) -> usize {
        (1 << self.log_height) / ROWS
    }

    /// log2 of the rows.
    pub fn log_height(&self) -> usize {
        self.log_height
    }

    pub(super) fn fixed(&self, row: usize) -> KeccakFixed<F> {
        let mut fixed = KeccakFixed::fill(F::ZERO);
        let (block, at) = (row / ROWS, row % ROWS);
        if block >= self.blocks() {
            return fixed;
        }
        fixed.id = F::from_usize(self.first + block + 1);
        fixed.is_first = F::from_bool(at == 0);
        fixed.is_last = F::from_bool(at == ROWS - 1);
        fixed.is_inner = F::from_bool(at != ROWS - 1);
        fixed.constant = CONSTANT_BITS.map(|z| F::from_bool(RC[at] >> z & 1 == 1));
        fixed
    }
}

impl TableAir for KeccakTable {
    fn name(&self) -> String {
        if self.first == 0 { "keccak".into() } else { "keccak_more".into() }
    }
    fn column_names(&self) -> Vec<String> {
        <KeccakCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for KeccakTable {
    fn width(&self) -> usize {
        KeccakCols::<F>::WIDTH
    }
    fn preprocessed_width(&self) -> usize {
        KeccakFixed::<F>::WIDTH
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let width = KeccakFixed::<F>::WIDTH;
        let mut cells = F::zero_vec(width << self.log_height);
        cells.chunks_exact_mut(width).enumerate().for_each(|(r, out)| self.fixed(r).to_row(out));
        Some(RowMajorMatrix::new(cells, width))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        // `before` is the first group.
        (0..LIMBS * LANES).collect()
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for KeccakTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = KeccakCols::from_row(main.current_slice());
        let next: Vec<AB::Var> = main.next_slice().iter().take(LIMBS * LANES).copied().collect();
        let fixed = KeccakFixed::<AB::Var>::from_row(builder.preprocessed().current_slice());
        for bit in row.parity.into_iter().chain(row.theta).flatten() {
            builder.assert_bool(bit);
        }
        eval_theta(builder, &row);
        eval_round(builder, &row, &fixed);
        for (next, after) in next.into_iter().zip(row.after.into_iter().flatten()) {
            builder.assert_zero(fixed.is_inner * (next - after));
        }
        for limb in row.before.into_iter().skip(RATE).flatten() {
            builder.assert_zero(fixed.is_first * limb);
        }
        builder.assert_zero((AB::Expr::ONE - fixed.is_first - fixed.is_last) * row.uses);
        let block = row.before.into_iter().flatten().take(BLOCK).map(Into::into);
        IN.table_entry(
            builder,
            core::iter::once(fixed.id.into()).chain(block).collect::<Vec<AB::Expr>>(),
            fixed.is_first * row.uses,
        );
        let hash = row.after.into_iter().flatten().take(HASH).map(Into::into);
        OUT.table_entry(
            builder,
            core::iter::once(fixed.id.into()).chain(hash).collect::<Vec<AB::Expr>>(),
            fixed.is_last * row.uses,
        );
    }
}

fn xor<E: PrimeCharacteristicRing>(a: E, b: E) -> E {
    a.clone() + b.clone() - (a * b).double()
}

/// The limbs of a lane of bits.
fn limbs<E: PrimeCharacteristicRing>(bit: impl Fn(usize) -> E) -> [E; LIMBS] {
    core::array::from_fn(|l| {
        let bits = (0..BITS / LIMBS).rev();
        bits.fold(E::ZERO, |acc, i| acc.double() + bit(l * BITS / LIMBS + i))
    })
}

/// Numbers 1 and 2 of the module's argument.
fn eval_theta<AB: AirBuilder<F = F>>(builder: &mut AB, row: &KeccakCols<AB::Var>) {
    // C[x-1, z] ^ C[x+1, z-1].
    let flip = |x: usize, z: usize| -> AB::Expr {
        let (a, b) = (row.parity[(x + 4) % 5][z], row.parity[(x + 1) % 5][(z + BITS - 1) % BITS]);
        xor(a.into(), b.into())
    };
    for x in 0..5 {
        for z in 0..BITS {
            builder.assert_eq(row.parity_after[x][z], xor(row.parity[x][z].into(), flip(x, z)));
            let sum: AB::Expr = (0..5).map(|y| row.theta[x + 5 * y][z].into()).sum();
            let rest = sum - row.parity_after[x][z];
            let (two, four) = (AB::Expr::TWO, AB::Expr::from_u32(4));
            builder.assert_zero(rest.clone() * (rest.clone() - two) * (rest - four));
        }
    }
    for lane in 0..LANES {
        let bit = |z: usize| xor(row.theta[lane][z].into(), flip(lane % 5, z));
        for (limb, sum) in row.before[lane].into_iter().zip(limbs::<AB::Expr>(bit)) {
            builder.assert_eq(limb, sum);
        }
    }
}

/// Number 3.
fn eval_round<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    row: &KeccakCols<AB::Var>,
    fixed: &KeccakFixed<AB::Var>,
) {
    let rotated = |lane: usize, z: usize| -> AB::Expr {
        let (from, rotation) = source(lane);
        row.theta[from][(z + BITS - rotation) % BITS].into()
    };
    let chi = |lane: usize, z: usize| {
        let (x, y) = (lane % 5, lane / 5);
        let [b, c] = [1, 2].map(|k| rotated((x + k) % 5 + 5 * y, z));
        xor(rotated(lane, z), (AB::Expr::ONE - b) * c)
    };
    for (column, z) in row.chi.into_iter().zip(CONSTANT_BITS) {
        builder.assert_eq(column, chi(0, z));
    }
    for lane in 0..LANES {
        let bit = |z: usize| match CONSTANT_BITS.iter().position(|place| *place == z) {
            Some(k) if lane == 0 => xor(row.chi[k].into(), fixed.constant[k].into()),
            _ => chi(lane, z),
        };
        for (limb, sum) in row.after[lane].into_iter().zip(limbs::<AB::Expr>(bit)) {
            builder.assert_eq(limb, sum);
        }
    }
}

/// Looks up that block number `id` absorbs `block` and gives `hash`, if `flag`.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    id: AB::Expr,
    block: [AB::Expr; BLOCK],
    hash: [AB::Expr; HASH],
    flag: AB::Expr,
) {
    let fields = core::iter::once(id.clone()).chain(block);
    IN.lookup_key(builder, fields, Count::bounded(flag.clone(), 1));
    OUT.lookup_key(builder, core::iter::once(id).chain(hash), Count::bounded(flag, 1));
}
