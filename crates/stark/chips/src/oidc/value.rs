//! Values of fields: their bytes, 24 a row, and the digest.

use tsz_air::{
    Air, BaseAir, Columns, Count, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, WindowAccess,
    bus, columns,
};
use tsz_hash::Domain;

use super::{CHAR, VALUE, VALUE_BYTES, pack};

columns! {
    /// 24 bytes of a value.
    pub struct ValueCols {
        /// 1 = the row is of a value; boolean.
        is_real,
        /// 1 on the first row of a value; constrained.
        is_first,
        /// 1 on the last row of a value; boolean, at most `is_real`.
        is_last,
        /// The token; constant in a value, bus `oidc_char`.
        token,
        /// The field; constant in a value, bus `oidc_char`.
        field,
        /// Bytes of the value before this row; constrained.
        at,
        /// Bytes of the value; constant in a value, constrained on its last row.
        length,
        /// 1 where there is a byte; boolean, falls once at most, first one `is_real`.
        live: [VALUE_BYTES],
        /// The bytes, 0 where there is none; bus `oidc_char`.
        bytes: [VALUE_BYTES],
        /// Capacity before the row; the constant with the length, or that after the row before.
        before: [8],
        /// Capacity after the row; bus `p2`.
        after: [8],
    }
}

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueTable;

impl TableAir for ValueTable {
    fn name(&self) -> String {
        "oidc_value".into()
    }
    fn column_names(&self) -> Vec<String> {
        <ValueCols<F> as Columns<F>>::names()
    }
}

impl BaseAir<F> for ValueTable {
    fn width(&self) -> usize {
        ValueCols::<F>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ValueTable {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = ValueCols::<AB::Var>::from_row(main.current_slice());
        let next = ValueCols::<AB::Var>::from_row(main.next_slice());
        let one = AB::Expr::ONE;
        builder.assert_bool(row.is_real);
        builder.assert_bool(row.is_last);
        builder.assert_zero(row.is_last * (one.clone() - row.is_real));
        builder.assert_eq(next.is_first, next.is_real * (one.clone() - row.is_real + row.is_last));
        // 1 where the value goes on in the next row.
        let more: AB::Expr = row.is_real - row.is_last;
        builder.assert_zero(more.clone() * (one.clone() - next.is_real));

        builder.assert_eq(row.live[0], row.is_real);
        let mut count = AB::Expr::ZERO;
        for k in 0..VALUE_BYTES {
            builder.assert_bool(row.live[k]);
            builder.assert_zero(row.bytes[k] * (one.clone() - row.live[k]));
            if k > 0 {
                builder.assert_zero(row.live[k] * (one.clone() - row.live[k - 1]));
            }
            count += row.live[k].into();
        }
        builder.assert_zero(more.clone() * (one - row.live[VALUE_BYTES - 1]));
        builder.assert_zero(row.is_last * (row.at + count - row.length));
        builder.assert_zero(row.is_first * row.at);
        let iv = Domain::Bytes.iv(0);
        for (k, iv) in iv.into_iter().enumerate() {
            let expected = if k == 1 { row.length.into() } else { AB::Expr::from(iv) };
            builder.assert_zero(row.is_first * (row.before[k] - expected));
            builder.assert_zero(more.clone() * (next.before[k] - row.after[k]));
        }
        builder.assert_zero(more.clone() * (next.token - row.token));
        builder.assert_zero(more.clone() * (next.field - row.field));
        builder.assert_zero(more.clone() * (next.length - row.length));
        builder.assert_zero(more * (next.at - row.at - AB::Expr::from_usize(VALUE_BYTES)));

        for k in 0..VALUE_BYTES {
            let index = row.at + AB::Expr::from_usize(k);
            let message: [AB::Expr; 4] = [row.token.into(), row.field.into(), index, row.bytes[k].into()];
            CHAR.receive(builder, message, Count::bounded(row.live[k].into(), 1));
        }
        let felts = pack(&row.bytes.map(Into::<AB::Expr>::into));
        bus::step(builder, core::array::from_fn(|k| felts[k].clone()), row.before, row.after, row.is_real);
        let message = [row.token, row.field].into_iter().chain(row.after);
        VALUE.send(builder, message, Count::bounded(row.is_last.into(), 1));
    }
}
