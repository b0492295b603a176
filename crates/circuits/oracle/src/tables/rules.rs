//! Oracle rules and signers: one row for each block of the oracle list (docs/src/trading.md, "Hash of the
//! parameters"), the rules first.
//!
//! Proven: an entry on `rules` is the list's first block, one on `signer` the place and key of a listed signer.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir,
    WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::Link;
use tsz_gadgets::row::Row;
use tsz_trade::params::List;

/// `rules`: the fields of [`Rules`]. Provided by the rules table.
const RULES: LookupBus<'static> = LookupBus::new("rules");
/// `signer`: place, key id\[8\]. Provided by the rules table.
const SIGNER: LookupBus<'static> = LookupBus::new("signer");

columns! {
    /// The rules; a copy, bound by the bus.
    pub struct Rules {
        /// Signers needed (u8).
        quorum: felt,
        /// Largest move of an update in 1e-4: base 2^12 digits (12, 2 bits).
        max_deviation: [2],
        /// How far in ms a price may be from the batch time (24, 16 bits).
        delta: [2],
    }
}

columns! {
    /// One block of the list.
    pub struct Rule {
        /// 1 = the row holds a block; boolean. Such rows come first.
        is_real: felt,
        /// 1 = it is the first: the rules; boolean, 1 on the first row only.
        is_rules: felt,
        /// Number of the block: 0 for the rules, place + 1 for a signer.
        number: felt,
        /// Lookups; 0 on padding. The first row is looked up on `rules`, the others on `signer`.
        uses: felt,
        /// The block; bound by the chain.
        block: [8],
        /// Digits of the largest move on the first row, else 0; range12.
        max_deviation: (U24),
        /// Place in the list.
        link: (Link),
    }
}

/// AIR of [`Rule`]. No public values: the list is that of the table `params`.
#[derive(Clone, Debug)]
pub struct RulesAir;

impl TableAir for RulesAir {
    fn name(&self) -> String {
        "rules".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Rule<()>>()
    }
}

impl BaseAir<F> for RulesAir {
    fn width(&self) -> usize {
        <Rule<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RulesAir {
    fn eval(&self, builder: &mut AB) {
        let r: Rule<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Rule<AB::Expr> = from_slice(builder.main().next_slice());
        let one = AB::Expr::ONE;
        builder.when_first_row().assert_one(r.is_rules.clone());
        builder.when_first_row().assert_one(r.is_real.clone());
        builder.when_first_row().assert_zero(r.number.clone());
        builder.when_transition().assert_zero(next.is_rules.clone());
        builder.when_transition().assert_zero(next.is_real.clone() * (one.clone() - r.is_real.clone()));
        builder.when_transition().assert_eq(next.number.clone(), r.number.clone() + one.clone());

        let mut row = Row::bare(builder, r.is_real.clone());
        let real = row.real.clone();
        let padding = one.clone() - real.clone();
        row.zero(r.uses.clone() * padding);
        row.u24(&r.max_deviation);
        row.zero(r.is_rules.clone() * r.block[4].clone() - r.max_deviation.value());
        row.list(List::Oracle as u32, &List::Oracle.iv(), &r.link, &next.link);
        row.step(&real, r.block.clone(), &r.link.before, &r.link.after);
        // Digits are below 2^12 on the first row by lookup; `uses` of the other kind is multiplied by 0.
        let rules = r.rules();
        RULES.table_entry(row.builder(), fields(&rules), r.uses.clone() * r.is_rules.clone());
        let signer = core::iter::once(r.number.clone() - one.clone()).chain(r.block.clone());
        SIGNER.table_entry(row.builder(), signer, r.uses.clone() * (one - r.is_rules.clone()));
    }
}

impl<E: PrimeCharacteristicRing + Clone> Rule<E> {
    /// The rules, on the first row.
    pub fn rules(&self) -> Rules<E> {
        let [_, quorum, _, _, _, delta0, delta1, _] = self.block.clone();
        let max_deviation = [self.max_deviation.lo.clone(), self.max_deviation.hi.clone()];
        Rules { quorum, max_deviation, delta: [delta0, delta1] }
    }
}

fn fields<E: Clone>(rules: &Rules<E>) -> Vec<E>
where
    Rules<E>: Columns<E>,
{
    let mut out = Vec::new();
    rules.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// These are the rules in force, on real rows.
pub fn lookup_rules<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, rules: &Rules<AB::Expr>) {
    let real = row.real.clone();
    RULES.lookup_key(row.builder(), fields(rules), Count::bounded(real, 1));
}

/// The key is that of the signer at this place, on real rows.
pub fn lookup_signer<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    place: &AB::Expr,
    key_id: &[AB::Expr; 8],
) {
    let real = row.real.clone();
    let fields = core::iter::once(place).chain(key_id).cloned();
    SIGNER.lookup_key(row.builder(), fields, Count::bounded(real, 1));
}
