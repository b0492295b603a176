//! SetProvider and ClearProvider (L1): one row an op.
//!
//! Proven: the record is absorbed into L1CHAIN with the next serial; the cell becomes what the record says, empty for
//! ClearProvider.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::chain::L1Queue;
use tsz_gadgets::row::{PROVIDER_HI, Row, Shape, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_trade::code::SET_PROVIDER;

columns! {
    /// One SetProvider or ClearProvider.
    pub struct SetProvider {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Cell; < 2^12 by a lookup.
        slot: felt,
        /// 1 = ClearProvider; boolean, at most `is_real`.
        is_clear: felt,
        /// What the cell holds afterwards; 0 if it is cleared.
        provider: [8],
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Cell found: overwritten whatever it is; bound by the tuple.
        old: [8],
    }
}

op_air! {
    /// AIR of [`SetProvider`].
    SetProviderAir, SetProvider, "set_provider", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for SetProviderAir {
    fn eval(&self, builder: &mut AB) {
        let s: SetProvider<AB::Expr> = current(builder);
        let mut row = Row::new(builder, s.is_real.clone(), s.index.clone(), Shape { n: 3, nv: 6 });
        row.range(s.slot.clone());
        row.boolean(&s.is_clear);
        row.zero(s.is_clear.clone() * (AB::Expr::ONE - s.is_real.clone()));
        for felt in &s.provider {
            row.zero(s.is_clear.clone() * felt.clone());
        }
        let none = || AB::Expr::ZERO;
        let head = [s.slot.clone(), none(), none(), none()];
        let half = |at: usize| core::array::from_fn(|k| s.provider[at + k].clone());
        let code = c::<AB::Expr>(SET_PROVIDER) + s.is_clear.clone();
        row.l1_queue((0, 0), &s.queue, code, [head, half(0), half(4)]);
        row.key(2, true, c(PROVIDER_HI), s.slot.clone());
        row.old(2, s.old.clone());
        row.new_value(2, s.provider.clone());
    }
}
