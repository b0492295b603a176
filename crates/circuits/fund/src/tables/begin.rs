//! BeginBatch: op 0 of a batch.
//!
//! Proven: HEAD moves from (batch - 1, T', next) to (batch, T, next) with T' <= T and i = 0, and PARAMS holds P.
//! There is exactly one such row if the public `has_begin` is 1, and none if it is 0.

use tsz_air::{
    Air, AirBuilder, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, WindowAccess,
};

use crate::tables::current;
use tsz_gadgets::chain::sys;
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, names};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, Shape, c, pad8};

columns! {
    /// One BeginBatch.
    pub struct Begin {
        /// 1 = the row holds the op; boolean, the public `has_begin` on row 0, else 0.
        is_real: felt,
        /// Low 24 bits of the batch number before the increment are all ones; boolean.
        batch_carry: felt,
        /// Time found (24, 24 bits); bound by the bus.
        time: [2],
        /// T - time found; range12.
        elapsed: (U24 * 2),
        /// Borrow of that difference; boolean.
        borrow: felt,
        /// Next account, kept; bound by the bus.
        next_account: felt,
    }
}

/// AIR of [`Begin`]. Public values: batch (2), T (2), has_begin, P (8).
#[derive(Clone, Debug)]
pub struct BeginAir;

impl TableAir for BeginAir {
    fn name(&self) -> String {
        "begin".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Begin<()>>()
    }
}

impl BaseAir<F> for BeginAir {
    fn width(&self) -> usize {
        <Begin<()> as Columns<()>>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        13
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        // Only `is_real`, the first column.
        vec![0]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for BeginAir {
    fn eval(&self, builder: &mut AB) {
        let cols: Begin<AB::Expr> = current(builder);
        let next_real = builder.main().next_slice()[0];
        let [b0, b1, t0, t1, has_begin] = core::array::from_fn(|k| builder.public_values()[k].into());
        let params: [AB::Expr; 8] = core::array::from_fn(|k| builder.public_values()[5 + k].into());
        let real = cols.is_real.clone();
        builder.when_first_row().assert_eq(real.clone(), has_begin);
        builder.when_transition().assert_zero(next_real);

        let mut row = Row::new(builder, real.clone(), AB::Expr::ZERO, Shape { n: 2, nv: 3 });
        row.boolean(&cols.batch_carry);
        row.boolean(&cols.borrow);
        for limb in &cols.elapsed {
            row.u24(limb);
        }
        let radix = c::<AB::Expr>(1 << 24);
        let gap = |k: usize, t: &AB::Expr| {
            cols.elapsed[k].value() + cols.time[k].clone() - t.clone() * real.clone()
        };
        row.zero(gap(0, &t0) - cols.borrow.clone() * radix.clone());
        row.zero(gap(1, &t1) + cols.borrow.clone());

        // The old limbs have 24 bits, so a wrong carry would make the low one -1 or 2^24.
        let carry = cols.batch_carry.clone();
        let old_batch = [b0.clone() - AB::Expr::ONE + carry.clone() * radix, b1.clone() - carry];
        let [o0, o1] = old_batch;
        let [p0, p1] = cols.time.clone();
        let next = cols.next_account.clone();
        row.sys_key(0, true, sys::HEAD);
        row.old(0, pad8(&[o0, o1, p0, p1, next.clone()]));
        row.new_value(0, pad8(&[b0, b1, t0, t1, next]));
        row.sys_key(1, false, sys::PARAMS);
        row.old(1, params);
    }
}
