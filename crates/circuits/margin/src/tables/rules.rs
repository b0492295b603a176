//! The oracle list: its rules, then its signers, one row a block.
//!
//! Proven: an entry on `age` is the largest age of a price.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir,
    WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::params::Link;
use tsz_gadgets::row::Row;
use tsz_trade::params::List;

/// `age`: largest age of a price in ms (24, 16 bits). Provided by the rules table.
const AGE: LookupBus<'static> = LookupBus::new("age");

columns! {
    /// One block of the list.
    pub struct Rules {
        /// 1 = the row holds a block; boolean, 1 on the first row.
        is_real: felt,
        /// 1 = the first row, which holds the rules; boolean.
        is_rules: felt,
        /// Lookups on `age`; 0 but for the rules.
        uses: felt,
        /// The block; bound by the chain.
        block: [8],
        /// Place in the list.
        link: (Link),
    }
}

/// AIR of [`Rules`]. No public values.
#[derive(Clone, Debug)]
pub struct RulesAir;

impl TableAir for RulesAir {
    fn name(&self) -> String {
        "rules".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Rules<()>>()
    }
}

impl BaseAir<F> for RulesAir {
    fn width(&self) -> usize {
        <Rules<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RulesAir {
    fn eval(&self, builder: &mut AB) {
        let r: Rules<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Rules<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, r.is_real.clone());
        let real = row.real.clone();
        row.boolean(&r.is_rules);
        row.zero(r.uses.clone() * (AB::Expr::ONE - r.is_rules.clone()));
        row.step(&real, r.block.clone(), &r.link.before, &r.link.after);
        row.list(List::Oracle as u32, &List::Oracle.iv(), &r.link, &next.link);
        let builder = row.builder();
        builder.when_first_row().assert_one(r.is_real.clone());
        builder.when_first_row().assert_one(r.is_rules.clone());
        builder.when_transition().assert_zero(next.is_rules.clone());
        let [_, _, age0, age1, ..] = r.block.clone();
        AGE.table_entry(row.builder(), [age0, age1], r.uses.clone());
    }
}

/// The largest age of a price, on real rows.
pub(super) fn lookup_age<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, age: &[AB::Expr; 2]) {
    let real = row.real.clone();
    AGE.lookup_key(row.builder(), age.clone(), Count::bounded(real, 1));
}
