//! Constraints of the merkle table. Degree budget: 3 (LogUp columns with two messages); the rest has 2.

use tsz_air::{
    Air, AirBuilder, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir,
    WindowAccess, bus,
};

use super::HI_BITS;
use super::columns::MerkleCols;

/// The merkle table's AIR.
#[derive(Clone, Copy, Debug)]
pub struct MerkleAir;

impl TableAir for MerkleAir {
    fn name(&self) -> String {
        "merkle".into()
    }
    fn column_names(&self) -> Vec<String> {
        <MerkleCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for MerkleAir {
    fn width(&self) -> usize {
        MerkleCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MerkleAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = MerkleCols::<AB::Var>::from_row(main.current_slice());
        eval_position(builder, &row);
        eval_children(builder, &row);
        interact(builder, &row);
    }
}

/// The part of the tree follows from the position.
fn eval_position<AB: AirBuilder<F = F>>(builder: &mut AB, c: &MerkleCols<AB::Var>) {
    builder.assert_bools([c.is_real, c.is_lower]);
    builder.when(c.is_lower).assert_eq(c.u, F::from_u32(HI_BITS));
    builder.when(AB::Expr::ONE - c.is_lower).assert_zeros([c.w, c.lo]);
    // twice hi in the upper part, hi in the lower
    builder.assert_eq(c.child_hi, (AB::Expr::TWO - c.is_lower) * c.hi);
}

/// A child that is not on the bus does not change; padding takes nothing from the bus.
fn eval_children<AB: AirBuilder<F = F>>(builder: &mut AB, c: &MerkleCols<AB::Var>) {
    for (touched, old, new) in [(c.l_touched, c.l_old, c.l_new), (c.r_touched, c.r_old, c.r_new)] {
        builder.assert_bool(touched);
        builder.when(touched).assert_one(c.is_real);
        builder.when(AB::Expr::ONE - touched).assert_eq_arrays(old, new);
    }
}

fn interact<AB: InteractionBuilder<F = F>>(builder: &mut AB, c: &MerkleCols<AB::Var>) {
    let is_upper = || AB::Expr::ONE - c.is_lower;
    // in the upper part lo = 0, so doubling it does no harm
    let (u, w) = (is_upper() + c.u, c.w + c.is_lower);
    let (hi, lo) = (c.child_hi, c.lo + c.lo);
    let left = [u.clone(), w.clone(), hi.into(), lo.clone()];
    let right = [u, w, is_upper() + hi, lo + c.is_lower];
    bus::node::receive(builder, left, c.l_old, c.l_new, c.l_touched);
    bus::node::receive(builder, right, c.r_old, c.r_new, c.r_touched);
    bus::node::send(builder, [c.u, c.w, c.hi, c.lo], c.out_old, c.out_new, c.is_real);
    bus::compress(builder, c.l_old, c.r_old, c.out_old, c.is_real);
    bus::compress(builder, c.l_new, c.r_new, c.out_new, c.is_real);
}
