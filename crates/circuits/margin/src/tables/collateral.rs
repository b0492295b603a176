//! The collateral list: one row a token, opened from the parameter hash (docs/src/trading.md, "Hash of the parameters").
//!
//! Proven: an entry on `haircut` or `place` is what the list says of a token; the entry on `tokens` names all of them.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir,
    WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::params::Link;
use tsz_gadgets::row::{Row, c};
use tsz_trade::params::List;

/// `haircut`: place, weight, haircut, market, units per lot (24, 24, 16 bits). Provided by the collateral table.
const HAIRCUT: LookupBus<'static> = LookupBus::new("haircut");
/// `place`: token, then 1 at its place and 0 at the others. Provided by the collateral table.
const PLACE: LookupBus<'static> = LookupBus::new("place");
/// `tokens`: for each place its token plus 1, 0 where there is none. Provided by the end of the collateral table.
const TOKENS: LookupBus<'static> = LookupBus::new("tokens");
/// Collateral tokens at most.
pub const PLACES: usize = 4;

columns! {
    /// One token.
    pub struct Collateral {
        /// 1 = the row holds a token; boolean.
        is_real: felt,
        /// Lookups on `haircut`; 0 on padding.
        haircut_uses: felt,
        /// Lookups on `place`; 0 on padding.
        place_uses: felt,
        /// Lookups on `tokens`; 0 but at the end of the list.
        tokens_uses: felt,
        /// `[place, token, haircut, market, units per lot 3, 0]`; bound by the chain.
        block: [8],
        /// 1 at the place; boolean, bound to it.
        at: [PLACES],
        /// Token plus 1 of each place up to this row, else 0.
        tokens: [PLACES],
        /// Place in the list.
        link: (Link),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Collateral<E> {
    /// What a price needs: place, its weight in a mask, haircut, market, units per lot.
    fn haircut(&self) -> [E; 7] {
        let [place, _, haircut, market, u0, u1, u2, _] = self.block.clone();
        [place, weight(&self.at), haircut, market, u0, u1, u2]
    }
}

/// Weight of a place in a mask.
pub fn weight<E: PrimeCharacteristicRing + Clone>(at: &[E; PLACES]) -> E {
    at.iter().rev().fold(E::ZERO, |acc, bit| acc.double() + bit.clone())
}

/// Number of a place.
pub fn number<E: PrimeCharacteristicRing + Clone>(at: &[E; PLACES]) -> E {
    (0..).zip(at).map(|(k, bit)| bit.clone() * c::<E>(k)).sum()
}

/// AIR of [`Collateral`]. No public values.
#[derive(Clone, Debug)]
pub struct CollateralAir;

impl TableAir for CollateralAir {
    fn name(&self) -> String {
        "collateral".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Collateral<()>>()
    }
}

impl BaseAir<F> for CollateralAir {
    fn width(&self) -> usize {
        <Collateral<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CollateralAir {
    fn eval(&self, builder: &mut AB) {
        let t: Collateral<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Collateral<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, t.is_real.clone());
        let real = row.real.clone();
        let padding = AB::Expr::ONE - real.clone();
        row.zero(t.haircut_uses.clone() * padding.clone());
        row.zero(t.place_uses.clone() * padding);
        row.zero(t.tokens_uses.clone() * (AB::Expr::ONE - t.link.is_end.clone()));
        for bit in &t.at {
            row.boolean(bit);
        }
        row.zero(t.at.iter().cloned().sum::<AB::Expr>() - real.clone());
        row.zero(real.clone() * t.block[0].clone() - number(&t.at));
        row.step(&real, t.block.clone(), &t.link.before, &t.link.after);
        row.list(List::Collateral as u32, &List::Collateral.iv(), &t.link, &next.link);
        let named =
            |t: &Collateral<AB::Expr>, k: usize| t.at[k].clone() * (t.block[1].clone() + AB::Expr::ONE);
        let builder = row.builder();
        for k in 0..PLACES {
            builder.when_first_row().assert_eq(t.tokens[k].clone(), named(&t, k));
            let after = t.tokens[k].clone() + named(&next, k);
            builder.when_transition().assert_eq(next.tokens[k].clone(), after);
        }
        HAIRCUT.table_entry(row.builder(), t.haircut(), t.haircut_uses.clone());
        let at = core::iter::once(t.block[1].clone()).chain(t.at.clone());
        PLACE.table_entry(row.builder(), at, t.place_uses.clone());
        TOKENS.table_entry(row.builder(), t.tokens.clone(), t.tokens_uses.clone());
    }
}

/// The list says this of the token at a place, on real rows.
pub(super) fn lookup_haircut<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, fields: [AB::Expr; 7]) {
    let real = row.real.clone();
    HAIRCUT.lookup_key(row.builder(), fields, Count::bounded(real, 1));
}

/// The token is listed at the place where `at` is 1, if the boolean `flag` (at most `real`).
pub fn lookup_place<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    token: &AB::Expr,
    at: &[AB::Expr; PLACES],
) {
    let fields = core::iter::once(token.clone()).chain(at.clone());
    PLACE.lookup_key(row.builder(), fields, Count::bounded(flag.clone(), 1));
}

/// All tokens of the list, each plus 1, if the boolean `flag` (at most `real`).
pub fn lookup_tokens<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    tokens: &[AB::Expr; PLACES],
) {
    TOKENS.lookup_key(row.builder(), tokens.clone(), Count::bounded(flag.clone(), 1));
}
