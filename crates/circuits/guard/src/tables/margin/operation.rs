//! An operation that may move positions: how many accesses its legs have between its cells and its limits.
//!
//! Proven on a real row: what [`mod@crate::tables::operation`] says, with the accesses and writes of one crossing before the
//! limits if there is one, else with none.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use crate::bus::{CROSSED, receive};
use crate::tables::operation::{Operation, operation};

columns! {
    /// One operation.
    pub struct MarginOperation {
        /// The operation.
        op: (Operation),
        /// 1 = it has legs; boolean, at most `is_real`.
        has_legs: felt,
        /// Accesses of the legs; bound by `guard_crossed`, or 0.
        accesses: felt,
        /// Writes among them; bound by `guard_crossed`, or 0.
        writes: felt,
    }
}

op_air! {
    /// AIR of [`MarginOperation`].
    MarginOperationAir, MarginOperation, "margin_operation", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MarginOperationAir {
    fn eval(&self, builder: &mut AB) {
        let o: MarginOperation<AB::Expr> = current(builder);
        operation(builder, &o.op, Some([&o.accesses, &o.writes]));
        let (real, legs) = (o.op.is_real.clone(), o.has_legs.clone());
        builder.assert_bool(legs.clone());
        builder.assert_zero(legs.clone() * (AB::Expr::ONE - real.clone()));
        let none = real - legs.clone();
        builder.assert_zero(none.clone() * o.accesses.clone());
        builder.assert_zero(none * o.writes.clone());
        let all = o.op.accesses.clone() + o.accesses.clone() + o.op.limits.clone();
        let end = o.op.accesses.clone() + o.accesses.clone();
        let message =
            vec![o.op.index.clone(), o.op.accesses.clone(), all + o.op.writes.clone(), end, o.writes.clone()];
        receive(builder, &CROSSED, message, &legs);
    }
}
