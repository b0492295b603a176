//! What the order table says of an order, and the bus on which trades look it up.

use tsz_air::{Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::{Row, c};

/// `order`: the fields of [`Terms`]; in spot `is_insurance` too, in a family of perpetuals those of [`PerpTerms`]. Provided by the order table:
/// such an order is signed by that key, and order and key are good at the batch time.
const ORDER: LookupBus<'static> = LookupBus::new("order");

columns! {
    /// A usable order. The order table owns every width; a fill holds copies, bound by the bus.
    pub struct Terms {
        /// Account (u24), not the fee account.
        account: felt,
        /// Sub-account (< 32).
        sub: felt,
        /// Order slot (u8).
        slot: felt,
        /// Market (u16).
        market: felt,
        /// Limit price, at least 1: digits of 12, 12 and 8 bits.
        price: [3],
        /// Lots in all (24, 24 bits).
        lots: [2],
        /// Nonce in the slot (24, 8 bits).
        nonce: [2],
        /// Nonce + 1 (24, 8 bits).
        after: [2],
        /// 1 = sells base; boolean.
        is_sell: felt,
        /// 1 = immediate or cancel; boolean.
        is_ioc: felt,
        /// 1 = fill or kill; boolean.
        is_fok: felt,
        /// 1 = post-only; boolean.
        is_post_only: felt,
        /// 1 = an own counterparty shrinks both orders, 0 = is refused; boolean.
        decrements: felt,
        /// Kill epoch (24, 8 bits in the cell, to which a trade binds it).
        kill_epoch: [2],
        /// Largest taker fee (19 bits).
        max_taker: felt,
        /// Magnitude of the largest maker fee (19 bits).
        max_maker: felt,
        /// 1 = it is negative; boolean.
        maker_negative: felt,
        /// Broker (u24).
        broker: felt,
        /// Its rate: digits of 12 and 7 bits.
        broker_rate: [2],
        /// 1 = the rate is not zero; boolean.
        has_broker: felt,
        /// First four felts of the digest.
        tag: [4],
        /// Key that signed.
        key_id: [8],
        /// Permissions of the key, among them trade.
        permissions: felt,
        /// Expiry of the key, after the batch time.
        key_expiry: [2],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Terms<E> {
    /// Account and sub-account as one number below 2^29.
    pub fn party(&self) -> E {
        self.account.clone() * c::<E>(32) + self.sub.clone()
    }
}

columns! {
    /// What only a perpetual order says.
    pub struct PerpTerms {
        /// 1 = may only reduce a position: by its own word, or as insurance; boolean.
        reduces: felt,
        /// 1 = the first fill needs a mark at the trigger price or above; boolean.
        is_above: felt,
        /// 1 = at the trigger price or below; boolean, not together with `is_above`.
        is_below: felt,
        /// Trigger price (24, 8 bits), at least 1 with a trigger and 0 without.
        trigger: [2],
    }
}

fn fields<E: Clone, T: Columns<E>>(terms: &T) -> Vec<E> {
    let mut out = Vec::new();
    terms.write(&mut |x: &E| out.push(x.clone()));
    out
}

fn both<E: Clone>(terms: &Terms<E>, perp: &PerpTerms<E>) -> Vec<E>
where
    Terms<E>: Columns<E>,
    PerpTerms<E>: Columns<E>,
{
    let mut out = fields(terms);
    out.extend(fields(perp));
    out
}

fn spot<E: Clone>(terms: &Terms<E>, is_insurance: &E) -> Vec<E>
where
    Terms<E>: Columns<E>,
{
    let mut out = fields(terms);
    out.push(is_insurance.clone());
    out
}

/// The spot order is usable, on real rows, and of insurance iff `is_insurance` is 1; then it is a sale.
pub fn lookup<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    terms: &Terms<AB::Expr>,
    is_insurance: &AB::Expr,
) {
    let real = row.real.clone();
    ORDER.lookup_key(row.builder(), spot(terms, is_insurance), Count::bounded(real, 1));
}

/// The perpetual order is usable, if the boolean `flag` (at most `real`).
pub fn lookup_perp<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    terms: &Terms<AB::Expr>,
    perp: &PerpTerms<AB::Expr>,
) {
    ORDER.lookup_key(row.builder(), both(terms, perp), Count::bounded(flag.clone(), 1));
}

/// Provides the spot order `uses` times.
pub(crate) fn provide<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    terms: &Terms<AB::Expr>,
    is_insurance: &AB::Expr,
    uses: AB::Expr,
) {
    ORDER.table_entry(row.builder(), spot(terms, is_insurance), uses);
}

/// Provides the perpetual order `uses` times.
pub(crate) fn provide_perp<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    terms: &Terms<AB::Expr>,
    perp: &PerpTerms<AB::Expr>,
    uses: AB::Expr,
) {
    ORDER.table_entry(row.builder(), both(terms, perp), uses);
}
