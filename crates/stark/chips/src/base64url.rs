//! Base64url table: provides every character with its value on bus `base64`.
//!
//! # What is proven
//! Characters and values are preprocessed: row v holds character v of the alphabet of RFC 4648, section 5. The main
//! column `mult` counts lookups and may hold anything. 64 rows.

use tsz_air::{
    Air, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, PrimeField32,
    RowMajorMatrix, TableAir, Trace, WindowAccess,
};
use tsz_auth::base64url::ALPHABET;

use crate::collect::Asked;

/// log2 of the rows.
pub const LOG_HEIGHT: usize = 6;
/// `base64`: character, value.
const BASE64: LookupBus<'static> = LookupBus::new("base64");

/// The AIR.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base64Table;

impl TableAir for Base64Table {
    fn name(&self) -> String {
        "base64".into()
    }
    fn column_names(&self) -> Vec<String> {
        vec!["mult".into()]
    }
}

impl BaseAir<F> for Base64Table {
    fn width(&self) -> usize {
        1
    }
    fn preprocessed_width(&self) -> usize {
        2
    }
    fn preprocessed_trace(&self) -> Option<Trace> {
        let cells = ALPHABET.iter().enumerate().flat_map(|(v, c)| [F::from_u8(*c), F::from_usize(v)]);
        Some(RowMajorMatrix::new(cells.collect(), 2))
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Base64Table {
    fn eval(&self, builder: &mut AB) {
        let entry: [_; 2] = core::array::from_fn(|k| builder.preprocessed().current_slice()[k]);
        let mult = builder.main().current_slice()[0];
        BASE64.table_entry(builder, entry, mult);
    }
}

/// Looks up that `character` has `value` if `flag`.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    character: impl Into<AB::Expr>,
    value: impl Into<AB::Expr>,
    flag: AB::Expr,
) {
    BASE64.lookup_key(builder, [character.into(), value.into()], Count::bounded(flag, 1));
}

/// The trace for what was looked up.
pub fn trace(asked: &Asked) -> Trace {
    let mut counts = vec![F::ZERO; 1 << LOG_HEIGHT];
    for (message, n) in asked.messages(BASE64.name()) {
        let value = message.get(1).map_or(usize::MAX, |v| v.as_canonical_u32() as usize);
        counts.get_mut(value).into_iter().for_each(|c| *c += F::from_u32(n));
    }
    RowMajorMatrix::new(counts, 1)
}
