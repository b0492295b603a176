//! Spot markets: the parameters of the batch, one row a market, chained to a digest that the table `params` opens P into.
//!
//! Proven: the real rows are the spot markets of the parameters in force, in order; an entry on `market` is one of
//! them, open.

use tsz_air::{
    Air, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir, WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::params::Link;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_trade::params::List;

/// `market`: id and the fields of [`Spot`]. Provided by the market table: the market is listed and open.
const MARKET: LookupBus<'static> = LookupBus::new("market");

columns! {
    /// What a trade needs to know of a market. The market table owns every width.
    pub struct Spot {
        /// Token bought and sold (< 128).
        base: felt,
        /// Token paid (< 128).
        quote: felt,
        /// Units of the base in a lot: digits of 12, 12, 12 and 12 bits.
        lot: [4],
        /// Units of the quote for a lot and tick: digits of 12 bits.
        tick: [2],
        /// Largest taker fee.
        taker_cap: felt,
        /// Largest maker fee.
        maker_cap: felt,
    }
}

columns! {
    /// One market.
    pub struct Market {
        /// 1 = the row holds a market; boolean.
        is_real: felt,
        /// 1 = open, 0 = closed; boolean, bound by the digest.
        is_open: felt,
        /// Trades that look the market up; 0 unless open.
        uses: felt,
        /// Id; bound by the digest.
        id: felt,
        /// Parameters; bound by the digest.
        spot: (Spot),
        /// The chain of the list; `after` is owned by `p2` on real rows.
        link: (Link),
    }
}

impl<E: PrimeCharacteristicRing + Clone> Market<E> {
    /// The block that is absorbed: [`tsz_trade::params::SpotMarket::block`].
    pub fn block(&self) -> [E; 8] {
        let s = &self.spot;
        [
            self.id.clone(),
            s.base.clone() + s.quote.clone() * c::<E>(128),
            compose12(&s.lot[..2]),
            compose12(&s.lot[2..]),
            compose12(&s.tick),
            s.taker_cap.clone(),
            s.maker_cap.clone(),
            self.is_open.clone(),
        ]
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

/// The trade is in a market that is listed and open, on real rows.
pub fn lookup<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, id: &AB::Expr, spot: &Spot<AB::Expr>) {
    let real = row.real.clone();
    MARKET.lookup_key(row.builder(), fields(id, spot), Count::bounded(real, 1));
}

fn fields<E: Clone>(id: &E, spot: &Spot<E>) -> Vec<E>
where
    Spot<E>: Columns<E>,
{
    let mut out = vec![id.clone()];
    spot.write(&mut |x: &E| out.push(x.clone()));
    out
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MarketAir {
    fn eval(&self, builder: &mut AB) {
        let m: Market<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Market<AB::Expr> = from_slice(builder.main().next_slice());
        let mut row = Row::bare(builder, m.is_real.clone());
        let real = row.real.clone();
        let one = AB::Expr::ONE;
        row.boolean(&m.is_open);
        row.zero(m.is_open.clone() * (one.clone() - real.clone()));
        row.zero(m.uses.clone() * (one - m.is_open.clone()));
        for token in [&m.spot.base, &m.spot.quote] {
            row.narrow(token, 7);
        }
        for digit in m.spot.lot.iter().chain(&m.spot.tick) {
            row.range(digit.clone());
        }
        row.step(&real, m.block(), &m.link.before, &m.link.after);
        row.list(List::Spots as u32, &List::Spots.iv(), &m.link, &next.link);
        MARKET.table_entry(row.builder(), fields(&m.id, &m.spot), m.uses.clone());
    }
}
