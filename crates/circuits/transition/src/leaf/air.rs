//! Constraints of the leaf table. Degree budget: 2.

use tsz_air::{
    Air, BaseAir, Columns, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, WindowAccess, bus,
};

use super::columns::LeafCols;
use crate::merkle::{HI_BITS, LO_BITS};

/// The leaf table's AIR.
#[derive(Clone, Copy, Debug)]
pub struct LeafAir;

impl TableAir for LeafAir {
    fn name(&self) -> String {
        "leaf".into()
    }
    fn column_names(&self) -> Vec<String> {
        <LeafCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for LeafAir {
    fn width(&self) -> usize {
        LeafCols::<F>::WIDTH
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LeafAir {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let c = LeafCols::<AB::Var>::from_row(main.current_slice());
        builder.assert_bool(c.is_real);
        bus::mem::send(builder, [c.hi, c.lo], c.init, [AB::Expr::ZERO], c.is_real);
        bus::mem::receive(builder, [c.hi, c.lo], c.last, [c.ts], c.is_real);
        let [u, w] = [HI_BITS, LO_BITS].map(AB::Expr::from_u32);
        bus::node::send(builder, [u, w, c.hi.into(), c.lo.into()], c.init, c.last, c.is_real);
    }
}
