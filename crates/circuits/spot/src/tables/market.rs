//! Spot markets: the parameters of the batch, one row a market, hashed to a public digest.
//!
//! Proven: the digest is [`crate::market_digest`] of the listed markets; an entry on `market` is one of them, open.

use tsz_air::{
    Air, AirBuilder, BaseAir, Count, F, InteractionBuilder, LookupBus, PrimeCharacteristicRing, TableAir,
    WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_hash::Domain;

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
        /// 1 = the base is a collateral token; boolean.
        base_collateral: felt,
        /// 1 = the quote is one; boolean.
        quote_collateral: felt,
    }
}

columns! {
    /// One market.
    pub struct Market {
        /// 1 = the row holds a market; boolean.
        is_real: felt,
        /// 1 = open; boolean.
        is_open: felt,
        /// Trades that look the market up; 0 unless open.
        uses: felt,
        /// Id; bound by the digest.
        id: felt,
        /// Parameters.
        spot: (Spot),
        /// Capacity before the row; the first row's is the constant iv.
        before: [8],
        /// Capacity after the row; `p2`, or as before on padding. The last row's is public.
        after: [8],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Market<E> {
    /// The block that is absorbed.
    pub fn block(&self) -> [E; 8] {
        let s = &self.spot;
        let flags =
            self.is_open.clone() + s.base_collateral.double() + s.quote_collateral.clone() * c::<E>(4);
        [
            self.id.clone(),
            s.base.clone() + s.quote.clone() * c::<E>(128),
            compose12(&s.lot[..2]),
            compose12(&s.lot[2..]),
            compose12(&s.tick),
            s.taker_cap.clone(),
            s.maker_cap.clone(),
            flags,
        ]
    }
}

/// AIR of [`Market`]. Public values: digest (8).
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
    fn num_public_values(&self) -> usize {
        8
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
        let digest: [AB::Expr; 8] = core::array::from_fn(|k| builder.public_values()[k].into());
        let iv = Domain::Parameters.iv(0);
        for k in 0..8 {
            builder.when_first_row().assert_eq(m.before[k].clone(), AB::Expr::from(iv[k]));
            builder.when_transition().assert_eq(next.before[k].clone(), m.after[k].clone());
            builder.when_last_row().assert_eq(m.after[k].clone(), digest[k].clone());
        }
        let mut row = Row::bare(builder, m.is_real.clone());
        let real = row.real.clone();
        let one = AB::Expr::ONE;
        for bit in [&m.is_open, &m.spot.base_collateral, &m.spot.quote_collateral] {
            row.boolean(bit);
        }
        row.zero(m.is_open.clone() * (one.clone() - real.clone()));
        row.zero(m.uses.clone() * (one.clone() - m.is_open.clone()));
        for token in [&m.spot.base, &m.spot.quote] {
            row.narrow(token, 7);
        }
        for digit in m.spot.lot.iter().chain(&m.spot.tick) {
            row.range(digit.clone());
        }
        row.step(&real, m.block(), &m.before, &m.after);
        for k in 0..8 {
            row.zero((one.clone() - real.clone()) * (m.after[k].clone() - m.before[k].clone()));
        }
        MARKET.table_entry(row.builder(), fields(&m.id, &m.spot), m.uses.clone());
    }
}
