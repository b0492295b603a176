//! SetToken (L1): one row an op.
//!
//! Proven: the record is absorbed into L1CHAIN with the next serial; TOK of its token becomes what the record says.

use tsz_air::{Air, F, InteractionBuilder};
use tsz_gadgets::chain::L1Queue;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, Shape, TOK_HI, c, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_trade::code::SET_TOKEN;

columns! {
    /// One SetToken.
    pub struct SetToken {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Token; < 128 by two lookups.
        token: felt,
        /// 1 = listed; boolean.
        listed: felt,
        /// Low limbs of the least amount; range12.
        minimum: (U24 * 2),
        /// Its top 12 bits; range12.
        minimum_hi: felt,
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Cell found: overwritten whatever it is; bound by the tuple.
        old: [8],
    }
}

op_air! {
    /// AIR of [`SetToken`].
    SetTokenAir, SetToken, "set_token", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SetTokenAir {
    fn eval(&self, builder: &mut AB) {
        let s: SetToken<AB::Expr> = current(builder);
        let mut row = Row::new(builder, s.is_real.clone(), s.index.clone(), Shape { n: 3, nv: 6 });
        row.narrow(&s.token, 7);
        row.boolean(&s.listed);
        for limb in &s.minimum {
            row.u24(limb);
        }
        row.range(s.minimum_hi.clone());
        let [m0, m1] = s.minimum.each_ref().map(U24::value);
        let m2 = s.minimum_hi.clone();
        let none = || AB::Expr::from(F::default());
        let head = [s.token.clone(), s.listed.clone(), none(), none()];
        let least = [m0.clone(), m1.clone(), m2.clone(), none()];
        row.l1_queue((0, 0), &s.queue, c(SET_TOKEN), [head, least, core::array::from_fn(|_| none())]);
        row.key(2, true, c(TOK_HI), s.token.clone());
        row.old(2, s.old.clone());
        row.new_value(2, pad8(&[s.listed.clone(), m0, m1, m2]));
    }
}
