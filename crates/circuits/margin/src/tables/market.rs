//! Perpetual markets: one row a market of the list in force, opened from its digest (docs/src/trading.md).
//!
//! Proven: entries on `scale`, `listed` and `tier` are what the list says of a market. Widths are those of valid
//! parameters, as P is the hash of such.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir,
    WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::params::{Felts8, Link};
use tsz_gadgets::row::{Row, c};
use tsz_trade::params::{List, PERP_BLOCKS};

use super::held::{Tier, provide_tier};

/// `scale`: market, status, qm.
const SCALE: LookupBus<'static> = LookupBus::new("scale");
/// `listed`: the fields of [`Listed`].
const LISTED: LookupBus<'static> = LookupBus::new("listed");
/// Stands for a status where the number of markets is said.
pub const UNLISTED: u32 = 4;
/// Largest limb of 24 bits.
const LIMB: u32 = (1 << 24) - 1;
/// Tiers of a market.
const TIERS: usize = 4;
/// Place of what is beyond the last tier.
pub const BEYOND: usize = TIERS;

columns! {
    /// What a fill needs to know of a market; a copy, bound by the bus.
    pub struct Listed {
        /// Market (u8); with status [`UNLISTED`] the number of markets.
        market: felt,
        /// Status, 0..=3; 4 where the number of markets is said, and then nothing else is.
        status: felt,
        /// Largest taker fee (19 bits).
        taker_cap: felt,
        /// Largest maker fee, signed (19 bits).
        maker_cap: felt,
        /// Cap of the open interest at the mark (24, 24, 24 bits).
        oi_cap: [3],
        /// Liquidation fee (19 bits).
        liquidation_fee: felt,
        /// Band of forced closes and partial liquidations (14 bits, 1e-4).
        band: felt,
    }
}

columns! {
    /// A tier as the list has it.
    pub struct Slot {
        /// Bound (24, 24, 24 bits).
        bound: [3],
        /// Initial, maintenance, close-out fraction (14 bits); zero if the slot is not used.
        fractions: [3],
    }
}

columns! {
    /// One market.
    pub struct Market {
        /// 1 = the row holds a market; boolean.
        is_real: felt,
        /// Lookups on `scale`; 0 on padding.
        scale_uses: felt,
        /// Lookups on `listed`; 0 on padding but the last row.
        listed_uses: felt,
        /// Lookups of the tiers, and of what is beyond the last; 0 for slots that are not used.
        tier_uses: [5],
        /// Markets in the rows before.
        number: felt,
        /// `[id, status, qm, taker cap, maker cap, its sign, liquidation fee, band]`; bound by the chain.
        general: [8],
        /// `[oi cap 3, funding rate, its sign, small, big, 0]`; bound by the chain.
        funding: [8],
        /// Tiers; bound by the chain.
        tiers: (Slot * 4),
        /// Feed; bound by the chain.
        feed: [8],
        /// 1 = tier 1, 2, 3 is used; boolean, owned by the zero test of its imf; non-increasing.
        used: [3],
        /// Inverse of that imf, or 0.
        imf_inv: [3],
        /// Capacities between the blocks; `p2`.
        mids: (Felts8 * 5),
        /// Place in the list.
        link: (Link),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Market<E> {
    /// The blocks that are absorbed.
    pub fn blocks(&self) -> [[E; 8]; PERP_BLOCKS] {
        let mut felts = Vec::with_capacity(24);
        for tier in &self.tiers {
            tier.write_to(&mut felts);
        }
        let block = |b: usize| core::array::from_fn(|k| felts[8 * b + k].clone());
        [self.general.clone(), self.funding.clone(), block(0), block(1), block(2), self.feed.clone()]
    }

    /// What fills look up.
    pub fn listed(&self) -> Listed<E> {
        let [id, status, _, taker_cap, maker, sign, liquidation_fee, band] = self.general.clone();
        let [o0, o1, o2, ..] = self.funding.clone();
        let maker_cap = (E::ONE - sign.double()) * maker;
        let (real, padding) = (self.is_real.clone(), E::ONE - self.is_real.clone());
        Listed {
            market: real.clone() * id + padding.clone() * self.number.clone(),
            status: real * status + padding * c::<E>(UNLISTED),
            taker_cap,
            maker_cap,
            oi_cap: [o0, o1, o2],
            liquidation_fee,
            band,
        }
    }

    /// 1 = tier `k` is used.
    fn used(&self, k: usize) -> E {
        match k {
            0 => self.is_real.clone(),
            _ => self.used.get(k - 1).cloned().unwrap_or(E::ZERO),
        }
    }

    /// Tier `k`, or for `k = 4` what is beyond the last one.
    pub fn tier(&self, k: usize) -> Tier<E> {
        let last = |at: &dyn Fn(&Slot<E>) -> E| -> E {
            (0..TIERS).map(|k| (self.used(k) - self.used(k + 1)) * at(&self.tiers[k])).sum()
        };
        let Some(slot) = self.tiers.get(k) else {
            return Tier {
                prev: core::array::from_fn(|i| last(&|slot: &Slot<E>| slot.bound[i].clone())),
                bound: core::array::from_fn(|_| c(LIMB)),
                fractions: core::array::from_fn(|i| last(&|slot: &Slot<E>| slot.fractions[i].clone())),
                is_beyond: E::ONE,
            };
        };
        let prev = match k.checked_sub(1).and_then(|k| self.tiers.get(k)) {
            Some(slot) => slot.bound.clone(),
            None => [E::ZERO - E::ONE, E::ZERO, E::ZERO],
        };
        Tier { prev, bound: slot.bound.clone(), fractions: slot.fractions.clone(), is_beyond: E::ZERO }
    }
}

impl<E: Clone> Slot<E> {
    fn write_to(&self, out: &mut Vec<E>) {
        out.extend(self.bound.iter().chain(&self.fractions).cloned());
    }
}

/// AIR of [`Market`]. No public values.
#[derive(Clone, Debug)]
pub struct MarketAir;

impl TableAir for MarketAir {
    fn name(&self) -> String {
        "market".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Market<()>>()
    }
}

impl BaseAir<F> for MarketAir {
    fn width(&self) -> usize {
        <Market<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MarketAir {
    fn eval(&self, builder: &mut AB) {
        let m: Market<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Market<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, m.is_real.clone());
        let real = row.real.clone();
        let padding = AB::Expr::ONE - real.clone();
        for uses in [&m.scale_uses, &m.tier_uses[4]] {
            row.zero(uses.clone() * padding.clone());
        }
        number(&mut row, &m, &next);
        for (k, uses) in m.tier_uses.iter().take(TIERS).enumerate() {
            row.zero(uses.clone() * (AB::Expr::ONE - m.used(k)));
        }
        used_tiers(&mut row, &m);
        let mut before = &m.link.before;
        let mids = m.mids.iter().map(|mid| &mid.felts).chain([&m.link.after]);
        for (block, after) in m.blocks().into_iter().zip(mids) {
            row.step(&real, block, before, after);
            before = after;
        }
        row.list(List::Perps as u32, &List::Perps.iv(), &m.link, &next.link);
        let [id, status, qm, ..] = m.general.clone();
        SCALE.table_entry(row.builder(), [id.clone(), status, qm], m.scale_uses.clone());
        LISTED.table_entry(row.builder(), listed_fields(&m.listed()), m.listed_uses.clone());
        for (k, uses) in m.tier_uses.iter().enumerate() {
            provide_tier(&mut row, &id, &m.tier(k), uses.clone());
        }
    }
}

/// Real rows are counted: the last row, if it is padding, knows the number of all markets.
fn number<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    m: &Market<AB::Expr>,
    next: &Market<AB::Expr>,
) {
    let real = row.real.clone();
    let builder = row.builder();
    builder.when_first_row().assert_zero(m.number.clone());
    builder.when_transition().assert_eq(next.number.clone(), m.number.clone() + real.clone());
    builder.when_transition().assert_zero(m.listed_uses.clone() * (AB::Expr::ONE - real));
}

/// Tiers 1 to 3 are used iff their imf is not zero, and none after one that is not.
fn used_tiers<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, m: &Market<AB::Expr>) {
    for k in 1..TIERS {
        let (used, imf) = (m.used(k), m.tiers[k].fractions[0].clone());
        row.boolean(&used);
        row.zero(used.clone() * (AB::Expr::ONE - m.used(k - 1)));
        row.zero(imf.clone() * m.imf_inv[k - 1].clone() - used.clone());
        row.zero(imf * (AB::Expr::ONE - used));
    }
}

fn listed_fields<E: Clone>(listed: &Listed<E>) -> Vec<E>
where
    Listed<E>: Columns<E>,
{
    let mut out = Vec::new();
    listed.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The market is listed with this status and scale, on real rows.
pub(super) fn lookup_scale<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    [market, status, qm]: [AB::Expr; 3],
) {
    let real = row.real.clone();
    SCALE.lookup_key(row.builder(), [market, status, qm], Count::bounded(real, 1));
}

/// The market is listed with these fields, on real rows.
pub fn lookup_listed<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, listed: &Listed<AB::Expr>) {
    let real = row.real.clone();
    lookup_listed_if(row, &real, listed);
}

/// The market is listed with these fields, or so many markets are listed, if the boolean `flag` (at most `real`).
pub fn lookup_listed_if<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    listed: &Listed<AB::Expr>,
) {
    LISTED.lookup_key(row.builder(), listed_fields(listed), Count::bounded(flag.clone(), 1));
}
