//! SetParams (L1): one row an op.
//!
//! Proven: the record is absorbed into L1CHAIN with the next serial; PARAMS becomes the hash that it names.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::chain::{L1Queue, sys};
use tsz_gadgets::row::{Row, Shape, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_trade::code::SET_PARAMS;

columns! {
    /// One SetParams.
    pub struct SetParams {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Hash found: overwritten whatever it is; bound by the tuple.
        old: [8],
        /// Hash left; owned by `p2`, as the record has it.
        hash: [8],
    }
}

op_air! {
    /// AIR of [`SetParams`].
    SetParamsAir, SetParams, "set_params", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SetParamsAir {
    fn eval(&self, builder: &mut AB) {
        let s: SetParams<AB::Expr> = current(builder);
        let mut row = Row::new(builder, s.is_real.clone(), s.index.clone(), Shape { n: 3, nv: 6 });
        let half = |at: usize| core::array::from_fn(|k| s.hash[at + k].clone());
        let none = core::array::from_fn(|_| AB::Expr::ZERO);
        row.l1_queue((0, 0), &s.queue, c(SET_PARAMS), [none, half(0), half(4)]);
        row.sys_key(2, true, sys::PARAMS);
        row.old(2, s.old.clone());
        row.new_value(2, s.hash.clone());
    }
}
