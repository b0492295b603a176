//! Digests of signing inputs: the states of their compressions.

use tsz_air::{
    Air, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, WindowAccess,
    columns,
};

use super::{DIGEST, END};
use crate::sha256::{IV, lookup_state};

columns! {
    /// A compression of a signing input. States are halves in the order of bytes.
    pub struct DigestCols {
        /// 1 = the row is of a token; boolean.
        is_real,
        /// 1 on the first row of a token; constrained.
        is_first,
        /// 1 on the last row of a token; boolean, at most `is_real`.
        is_last,
        /// The token: the block of its first row; constant in a token.
        token,
        /// The block of `sha256`; constrained.
        block,
        /// State before: the IV, or that of the row before.
        before: [16],
        /// State after; bus `sha_state`.
        after: [16],
    }
}

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestTable;

impl TableAir for DigestTable {
    fn name(&self) -> String {
        "oidc_digest".into()
    }
    fn column_names(&self) -> Vec<String> {
        <DigestCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for DigestTable {
    fn width(&self) -> usize {
        DigestCols::<F>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for DigestTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = DigestCols::<AB::Var>::from_row(main.current_slice());
        let next = DigestCols::<AB::Var>::from_row(main.next_slice());
        let one = AB::Expr::ONE;
        builder.assert_bool(row.is_real);
        builder.assert_bool(row.is_last);
        builder.assert_zero(row.is_last * (one.clone() - row.is_real));
        builder.assert_eq(next.is_first, next.is_real * (one.clone() - row.is_real + row.is_last));
        let more: AB::Expr = row.is_real - row.is_last;
        builder.assert_zero(more.clone() * (one.clone() - next.is_real));
        builder.assert_zero(row.is_first * (row.token - row.block));
        builder.assert_zero(more.clone() * (next.token - row.token));
        builder.assert_zero(more.clone() * (next.block - row.block - one));
        for k in 0..16 {
            let word = IV[k / 2];
            let iv = AB::Expr::from_u32(if k % 2 == 0 { word >> 16 } else { word & 0xffff });
            builder.assert_zero(row.is_first * (row.before[k] - iv));
            builder.assert_zero(more.clone() * (next.before[k] - row.after[k]));
        }
        let halves = |state: [AB::Var; 16]| state.map(Into::<AB::Expr>::into);
        lookup_state(builder, row.block.into(), halves(row.before), halves(row.after), row.is_real.into());
        let count = || Count::<AB::Expr>::bounded(row.is_last.into(), 1);
        END.receive(builder, [row.token, row.block], count());
        DIGEST.send(builder, core::iter::once(row.token).chain(row.after), count());
    }
}
