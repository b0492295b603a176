//! The list of perpetual markets: one row a market, chained to the list's digest (docs/src/trading.md, "Hash of the
//! parameters").
//!
//! Proven: an entry on a bus is what the list says of a market. Each bus has the fields that some ops need, so that a
//! lookup is no wider than its use. Widths are those of valid parameters, as P is the hash of such.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing,
    RowMajorMatrix, TableAir, Trace, WindowAccess,
};
use tsz_hash::{Block, Digest, step};

use crate::columns;
use crate::layout::{Columns, from_slice, names};
use crate::params::{Felts8, Link};
use crate::row::Row;

/// Blocks of a market.
pub const BLOCKS: usize = 6;
/// Number of the list.
pub const LIST: u32 = 0;
/// The status of a market whose price is frozen.
pub const SETTLING: u32 = 3;

/// `feed`: market, status, feed\[8\]. Provided by the perps table.
const FEED: LookupBus<'static> = LookupBus::new("feed");
/// `funding`: market, status, multiplier, rate, its sign, small clamp, big clamp. Provided by the perps table.
const FUNDING: LookupBus<'static> = LookupBus::new("funding");
/// `status`: market, status; or number of markets, [`UNLISTED`]. Provided by the perps table.
const STATUS: LookupBus<'static> = LookupBus::new("status");
/// Stands for a status where the number of markets is said.
pub const UNLISTED: u32 = 4;

columns! {
    /// One market.
    pub struct Perp {
        /// 1 = the row holds a market; boolean.
        is_real: felt,
        /// Lookups on `feed`; free, 0 on padding: an entry is a true statement.
        feed_uses: felt,
        /// Lookups on `funding`; free, 0 on padding.
        funding_uses: felt,
        /// Lookups on `status`; free, 0 on padding but the last row: an entry is a true statement.
        status_uses: felt,
        /// Markets in the rows before; owned by the chain of rows.
        number: felt,
        /// Place in the list.
        link: (Link),
        /// General block, open interest and funding, three blocks of tiers, feed; bound by the chain.
        blocks: (Felts8 * 6),
        /// Capacities between the blocks; `p2`.
        mids: (Felts8 * 5),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Perp<E> {
    /// Message on `feed`.
    fn feed(&self) -> Vec<E> {
        let [id, status, ..] = self.blocks[0].felts.clone();
        [id, status].into_iter().chain(self.blocks[5].felts.clone()).collect()
    }

    /// Message on `funding`.
    fn funding(&self) -> Vec<E> {
        let [id, status, multiplier, ..] = self.blocks[0].felts.clone();
        let [_, _, _, rate, sign, small, big, _] = self.blocks[1].felts.clone();
        vec![id, status, multiplier, rate, sign, small, big]
    }

    /// Message on `status`; a padding row has no id.
    fn status(&self) -> [E; 2] {
        let [id, status, ..] = self.blocks[0].felts.clone();
        let (real, padding) = (self.is_real.clone(), E::ONE - self.is_real.clone());
        let unlisted = padding.clone() * E::from_u32(UNLISTED);
        [real.clone() * id + padding * self.number.clone(), real * status + unlisted]
    }
}

/// AIR of [`Perp`]. No public values: the list is that of the table `params`.
#[derive(Clone, Debug)]
pub struct PerpsAir;

impl TableAir for PerpsAir {
    fn name(&self) -> String {
        "perps".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Perp<()>>()
    }
}

impl BaseAir<F> for PerpsAir {
    fn width(&self) -> usize {
        <Perp<()> as Columns<()>>::WIDTH
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PerpsAir {
    fn eval(&self, builder: &mut AB) {
        let p: Perp<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Perp<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, p.is_real.clone());
        row.list(LIST, &iv(), &p.link, &next.link);
        let real = row.real.clone();
        let padding = AB::Expr::ONE - real.clone();
        row.zero(p.feed_uses.clone() * padding.clone());
        row.zero(p.funding_uses.clone() * padding);
        let [a, b, c, d, e] = p.mids.each_ref().map(|mid| &mid.felts);
        let capacities = [&p.link.before, a, b, c, d, e, &p.link.after];
        for (block, ends) in p.blocks.iter().zip(capacities.windows(2)) {
            row.step(&real, block.felts.clone(), ends[0], ends[1]);
        }
        FEED.table_entry(row.builder(), p.feed(), p.feed_uses.clone());
        FUNDING.table_entry(row.builder(), p.funding(), p.funding_uses.clone());
        number(&mut row, &p, &next);
        STATUS.table_entry(row.builder(), p.status(), p.status_uses.clone());
    }
}

/// Real rows are counted: the last row, if it is padding, knows the number of all markets.
fn number<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Perp<AB::Expr>, next: &Perp<AB::Expr>) {
    let real = row.real.clone();
    let builder = row.builder();
    builder.when_first_row().assert_zero(p.number.clone());
    builder.when_transition().assert_eq(next.number.clone(), p.number.clone() + real.clone());
    builder.when_transition().assert_zero(p.status_uses.clone() * (AB::Expr::ONE - real));
}

columns! {
    /// What funding needs to know of a market; a copy, bound by the bus.
    pub struct Funding {
        /// Market (u8).
        market: felt,
        /// Status, 0..=3.
        status: felt,
        /// Quote units per lot and tick (u20).
        multiplier: felt,
        /// Magnitude of the interest rate (19 bits).
        rate: felt,
        /// Its sign; boolean.
        rate_negative: felt,
        /// Clamp of (rate - premium), at most 40,000.
        small: felt,
        /// Clamp of the result, at most 40,000.
        big: felt,
    }
}

impl Funding<F> {
    /// The fields of a market's blocks.
    pub fn of(blocks: &[Block; BLOCKS]) -> Self {
        let perp = Perp { blocks: blocks.map(|felts| Felts8 { felts }), ..Perp::default() };
        let mut fields = perp.funding().into_iter();
        Self::read(&mut || fields.next().unwrap_or_default())
    }
}

/// The market is listed with this status and feed, on real rows.
pub fn lookup_feed<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    market: &AB::Expr,
    status: &AB::Expr,
    feed: &[AB::Expr; 8],
) {
    let real = row.real.clone();
    let fields = [market, status].into_iter().chain(feed).cloned();
    FEED.lookup_key(row.builder(), fields, Count::bounded(real, 1));
}

/// The market is listed with these fields, on real rows.
pub fn lookup_funding<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, funding: &Funding<AB::Expr>) {
    let real = row.real.clone();
    let mut fields = Vec::new();
    funding.write(&mut |x: &AB::Expr| fields.push(x.clone()));
    FUNDING.lookup_key(row.builder(), fields, Count::bounded(real, 1));
}

/// On real rows `market` is listed with `status`; or `status` is [`UNLISTED`] and there are
/// as many markets as `market` says.
pub fn lookup_status<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    market: AB::Expr,
    status: &AB::Expr,
) {
    let real = row.real.clone();
    STATUS.lookup_key(row.builder(), [market, status.clone()], Count::bounded(real, 1));
}

/// The capacity that the list starts from.
fn iv() -> Digest {
    tsz_hash::Domain::ParameterList.iv(LIST as usize)
}

/// How often a market is looked up on each bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// On `feed`.
    pub feed: usize,
    /// On `funding`.
    pub funding: usize,
    /// On `status`.
    pub status: usize,
}

/// The table of the markets with these blocks, in `2^log_height` rows; their number is looked up `counted` times.
/// `None` if they do not fit, with the row that says the number if that is needed.
pub fn trace(markets: &[([Block; BLOCKS], Uses)], counted: usize, log_height: usize) -> Option<Trace> {
    let height: usize = 1 << log_height;
    if markets.len() + usize::from(counted > 0) > height {
        return None;
    }
    let blocks: Vec<[Block; BLOCKS]> = markets.iter().map(|(blocks, _)| *blocks).collect();
    let width = <Perp<()> as Columns<()>>::WIDTH;
    let mut values = Vec::with_capacity(width * height);
    for (k, link) in Link::chain(&iv(), &blocks, height).into_iter().enumerate() {
        let mut row = Perp { number: F::from_usize(k.min(markets.len())), ..Perp::default() };
        if k + 1 == height {
            row.status_uses = F::from_usize(counted);
        }
        if let Some((blocks, uses)) = markets.get(k) {
            row.is_real = F::ONE;
            row.status_uses = F::from_usize(uses.status);
            row.feed_uses = F::from_usize(uses.feed);
            row.funding_uses = F::from_usize(uses.funding);
            row.blocks = blocks.map(|felts| Felts8 { felts });
            let mut after = link.before;
            row.mids = core::array::from_fn(|b| {
                after = step(&blocks[b], &after);
                Felts8 { felts: after }
            });
        }
        row.link = link;
        row.write(&mut |x: &F| values.push(*x));
    }
    Some(RowMajorMatrix::new(values, width))
}
