//! Broker trading: a house matches its clients with each other, within what each of them signed.
//!
//! Approvals of this program:
//!
//! - the house, with terms `[2, venue digest, `[`House`]`]` and a limit for what it pays; storage cell 0 counts its day.
//! - a client, with terms `[1, venue digest, `[`Mandate`]`]` and limits of what may flow out; storage cell 0 counts its
//!   day. Clients are accounts of their own or sub-accounts of the house's account.
//! - orders of a client, in other slots ([`crate::order`]), and who introduced a client, with any terms.
//!
//! [`program`] settles one match of two clients. The taker pays the house's taker fee, the maker its maker fee, both in
//! quote and within their orders' caps; the maker gets the rebate, the exchange and the introducers their parts, the
//! house the rest, or pays it.
//!
//! **"At or inside the book" is not what is proven.** The book is not in the state: a resting order leaves no cell
//! before it trades, so no program can see a best bid. What is proven is that the price satisfies both signed limits
//! and lies within the band of both mandates around the oracle's index, and that the index is fresh. The operator
//! orders operations, so which of the two came first, and with it who pays as the taker, is its word.

#[cfg(not(target_os = "zkvm"))]
pub mod host;
mod terms;

pub use terms::{HOUSE_WORDS, House, MANDATE_WORDS, Mandate, VENUE_WORDS, Venue};

use tsz_ext_sdk::{Fault, Leaf, MICROS, Market, Op, Party, spot};

use crate::order::{Fill, KIND_HOLDING, KIND_HOUSE, ORDER_WORDS, check_terms, limbs, number, pay};

/// Domain of venue digests.
const SUBJECT: u32 = 2;
/// Account that takes fees.
const FEES: u32 = 0;
/// Length of a day in ms.
const DAY: u64 = 86_400_000;
/// Words of the arguments before the clients.
const HEAD: usize = 6;
/// Words of the arguments for a client.
const CLIENT_WORDS: usize = 3 + MANDATE_WORDS + ORDER_WORDS;

/// Numbers of the rules, in [`Fault::Rule`]; those of orders are in [`crate::order::rule`].
#[expect(missing_docs, reason = "the messages of the program's documentation")]
pub mod rule {
    pub const HOUSE: u32 = 1;
    pub const PARTIES: u32 = 2;
    pub const DAY: u32 = 3;
    pub const DAILY: u32 = 4;
    pub const TRADE: u32 = 5;
    pub const STALE: u32 = 6;
    pub const BAND: u32 = 7;
    pub const INTRODUCER: u32 = 8;
}

/// A client of the match.
struct Client<'a> {
    place: usize,
    slot: u32,
    introducer: u32,
    mandate: &'a [u32; MANDATE_WORDS],
    order: &'a [u32; ORDER_WORDS],
}

impl<'a> Client<'a> {
    /// `[place, slot of the order, place of the introducer] ‖ mandate ‖ order`.
    fn parse(words: &'a [u32; CLIENT_WORDS]) -> Result<Self, Fault> {
        let ([place, slot, introducer], rest) = words.split_first_chunk().ok_or(Fault::Args)?;
        let (mandate, order) = rest.split_first_chunk().ok_or(Fault::Args)?;
        let order = order.first_chunk().ok_or(Fault::Args)?;
        Ok(Self { place: *place as usize, slot: *slot, introducer: *introducer, mandate, order })
    }
}

/// What both sides of a match have in common.
struct Match {
    venue: Venue,
    subject: Leaf,
    house: House,
    price: u32,
    lots: u64,
    /// Quote units.
    notional: u64,
    /// Day of the batch, counted from 1970.
    day: u32,
    time: u64,
    prices: Market,
}

/// The program. Arguments: `[place of the house, who takes (0 = the buyer), price, lots (24, 24), day] ‖ venue ‖ house ‖
/// buyer ‖ seller`.
///
/// # Errors
/// A [`Fault`]; [`Fault::Rule`] with a number of [`rule`] or of [`crate::order::rule`].
pub fn program(op: &mut Op<'_>) -> Result<(), Fault> {
    let ([house, taker, price, lots_lo, lots_hi, day], rest) =
        op.args().split_first_chunk::<HEAD>().ok_or(Fault::Args)?;
    let (venue_words, rest) = rest.split_first_chunk::<VENUE_WORDS>().ok_or(Fault::Args)?;
    let (house_words, rest) = rest.split_first_chunk::<HOUSE_WORDS>().ok_or(Fault::Args)?;
    let ([buyer, seller], []) = rest.as_chunks::<CLIENT_WORDS>() else { return Err(Fault::Args) };
    if *taker > 1 {
        return Err(Fault::Args);
    }
    let venue = Venue::parse(venue_words)?;
    let (subject, broker) = (op.hash(SUBJECT, venue_words), op.party(*house as usize)?);
    if (broker.account, broker.sub, broker.slot) != (venue.house, venue.house_sub, venue.house_slot) {
        return Err(Fault::Rule(rule::HOUSE));
    }
    check_terms(op, &broker, KIND_HOUSE, &subject, house_words)?;
    let (price, lots, day, time) = (*price, number(*lots_lo, *lots_hi)?, *day, op.time()?);
    let notional = spot::notional(&venue.units, lots, price)?;
    let (house, prices) = (House::parse(house_words)?, op.market(venue.market)?);
    let deal = Match { venue, subject, house, price, lots, notional, day, time, prices };
    deal.count_day(op, &broker, deal.house.daily)?;
    let (buyer, seller) = (Client::parse(buyer)?, Client::parse(seller)?);
    // nobody trades with himself: his fees would be the house's to take
    if buyer.place == seller.place {
        return Err(Fault::Rule(rule::PARTIES));
    }
    let earned =
        deal.settle(op, &buyer, false, *taker == 0)? + deal.settle(op, &seller, true, *taker == 1)?;
    let exchange = 2 * spot::times(notional, deal.house.exchange);
    if exchange != 0 {
        op.credit(FEES, 0, deal.venue.quote, exchange)?;
    }
    pay(op, &broker, deal.venue.quote, earned - exchange as i128) // 81 bits
}

impl Match {
    /// One side of the match. Gives what it leaves to the house, before the exchange's part.
    fn settle(&self, op: &mut Op<'_>, client: &Client<'_>, sells: bool, takes: bool) -> Result<i128, Fault> {
        let party = op.party(client.place)?;
        check_terms(op, &party, KIND_HOLDING, &self.subject, client.mandate)?;
        let mandate = Mandate::parse(client.mandate)?;
        let prices = &self.prices;
        if self.lots > mandate.trade {
            return Err(Fault::Rule(rule::TRADE));
        }
        if prices.settled || self.time > prices.price_ts + 1_000 * u64::from(mandate.age) {
            return Err(Fault::Rule(rule::STALE));
        }
        if !mandate.accepts(self.price, prices.index) {
            return Err(Fault::Rule(rule::BAND));
        }
        self.count_day(op, &party, mandate.daily)?;
        let House { taker_fee, maker_fee, rebate, introducer, .. } = self.house;
        let (rate, back) = if takes { (taker_fee, 0) } else { (maker_fee, rebate) };
        let (price, lots) = (self.price, self.lots);
        let fill = Fill { slot: client.slot, order: client.order, sells, price, lots, fee: rate };
        fill.take(op, &party, &self.subject)?;
        let amount = |rate| spot::times(self.notional, rate) as i128; // 80 bits
        let fee = amount(rate) - amount(back);
        let base = self.lots.checked_mul(self.venue.units.lot_base).filter(|b| b >> 60 == 0);
        let base = spot::times(base.ok_or(Fault::Width)?, MICROS as u32) as i128;
        let (base, quote) =
            if sells { (-base, amount(MICROS as u32)) } else { (base, -amount(MICROS as u32)) };
        pay(op, &party, self.venue.base, base)?;
        pay(op, &party, self.venue.quote, quote - fee)?;
        if mandate.introducer.0 == 0 {
            return Ok(fee);
        }
        let introduced = op.party(client.introducer as usize)?;
        if (introduced.account, introduced.sub) != mandate.introducer {
            return Err(Fault::Rule(rule::INTRODUCER));
        }
        pay(op, &introduced, self.venue.quote, amount(introducer))?;
        Ok(fee - amount(introducer))
    }

    /// Counts the lots of a party's day: storage cell 0 is `[day, lots (24, 24)]`.
    fn count_day(&self, op: &mut Op<'_>, party: &Party, limit: u64) -> Result<(), Fault> {
        // the operator names the day: a product is cheaper than a quotient
        let start = DAY * u64::from(self.day);
        if self.time < start || self.time >= start + DAY {
            return Err(Fault::Rule(rule::DAY));
        }
        let [day, lo, hi, ..] = op.load(party, 0)?;
        let before = if day == self.day { number(lo, hi)? } else { 0 };
        let lots = before + self.lots; // 48 and 48 bits
        if lots > limit {
            return Err(Fault::Rule(rule::DAILY));
        }
        let [lo, hi] = limbs(lots);
        op.store(party, 0, &[self.day, lo, hi, 0, 0, 0, 0])
    }
}
