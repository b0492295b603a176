//! The arithmetic that programs are written with is the ledger's: what `tsz_ext_sdk` says of a fill is what a trade of
//! two orders does, over the whole range of every number, and one refuses where the other does.

use alloc::vec;
use alloc::vec::Vec;
use tsz_ext::sim::Sim;
use tsz_ext_apps::grid::{self, Intent, Level, Pair, host};
use tsz_ext_sdk::{Fault, Leaf, Leg, Op, Policy, cell, spot};
use tsz_ledger::{BalCell, Cell, Key};
use tsz_risk::trade::Fill;
use tsz_risk::{FILL_NOTIONAL_BITS, MICRO, Position, RiskError};
use tsz_types::*;

use super::extremes::edge;
use super::rng::Rng;
use super::world::*;
use crate::params::SpotMarket;
use crate::*;

/// Largest amount of a fill, units.
const AMOUNT_MAX: u64 = (1 << 60) - 1;
/// More than any fill moves, in millionths.
const PLENTY: u128 = 1 << 90;

/// A fill of a spot market.
#[derive(Clone, Copy, Debug)]
struct Case {
    lots: u64,
    price: u32,
    units: spot::Units,
    /// Fee rates of buyer and seller.
    rates: [u32; 2],
    /// Whether the buyer is the taker.
    buyer_takes: bool,
}

/// What buyer, seller and the fee account gain of base and quote, in millionths.
type Gains = [[i128; 2]; 3];

const BUYER: u32 = 2;
const SELLER: u32 = 3;

impl Case {
    /// By the functions that programs call.
    fn by_sdk(&self) -> Result<Gains, Fault> {
        let fill = spot::fill(&self.units, self.lots, self.price, self.rates[0], self.rates[1])?;
        let [base, quote, buyer_fee, seller_fee] =
            [fill.base, fill.quote, fill.buyer_fee, fill.seller_fee].map(|micros| micros as i128);
        Ok([[base - buyer_fee, -quote], [-base, quote - seller_fee], [buyer_fee, seller_fee]])
    }

    /// By a trade in market 0 of `w`, base token 1 and quote token 0.
    fn by_ledger(&self, w: &mut World) -> Result<Gains, TradeReject> {
        let market = &mut w.params.spots[0];
        (market.lot_base, market.tick_quote) = (self.units.lot_base, self.units.tick_quote);
        (market.taker_cap, market.maker_cap) = (Rate::MAX, Rate::MAX);
        w.params.validate().unwrap();
        let (buyer, seller) = (party(BUYER, 0), party(SELLER, 0));
        let mut trade = w.spot(buyer, seller, 0, self.lots, self.price);
        for signed in [&mut trade.taker, &mut trade.maker] {
            let terms = &mut signed.order.terms;
            (terms.max_taker_fee, terms.max_maker_fee) = (Rate::MAX, Rate::MAX);
        }
        let [buyer_fee, seller_fee] = self.rates.map(|r| rate(r as i32));
        (trade.taker_fee, trade.maker_fee) = (buyer_fee, seller_fee);
        if !self.buyer_takes {
            core::mem::swap(&mut trade.taker, &mut trade.maker);
            core::mem::swap(&mut trade.taker_fee, &mut trade.maker_fee);
        }
        Ok(gains(&w.dry(trade)?, 1, 0))
    }
}

/// What the access log of a trade says of balances.
fn gains(applied: &Applied, base: u32, quote: u32) -> Gains {
    let micros = |leaf| BalCell::from_leaf(leaf).unwrap().balance.get() as i128;
    [BUYER, SELLER, 0].map(|account| {
        [base, quote].map(|token| {
            let key = Key::bal(account, 0, token);
            let of_key = applied.accesses.iter().filter(|a| a.key == key);
            of_key.map(|a| micros(&a.new) - micros(&a.old)).sum()
        })
    })
}

/// Both parties can pay any fill.
fn rich() -> World {
    let mut w = World::new();
    let balance = Balance::new(PLENTY).unwrap();
    for (account, t) in [(BUYER, 0), (SELLER, 1)] {
        w.view.set(Key::bal(account, 0, t), BalCell { balance }.to_leaf());
    }
    w
}

/// Amounts at the edge of 60 bits and of the 64 bits in which the machine multiplies.
fn edges() -> Vec<Case> {
    let mut numbers = vec![
        (1, 1, 1, 1),
        // 2^60 - 1 = (2^30 - 1) (2^30 + 1) units of base, of quote; one lot more
        ((1 << 30) + 1, 1, (1 << 30) - 1, 1),
        ((1 << 30) + 2, 1, (1 << 30) - 1, 1),
        ((1 << 30) + 1, (1 << 30) - 1, 1, 1),
        ((1 << 30) + 2, (1 << 30) - 1, 1, 1),
        // 2^60 exactly
        (1 << 21, 1, 1 << 39, 1),
        (1 << 30, 1 << 30, 1, 1),
        (1 << 20, 1 << 21, 1, 1 << 19),
        // 0 and 1 modulo 2^64: of two factors, of three
        (1 << 40, 1 << 24, 1, 1),
        (1 << 32, 1 << 31, 1, 2),
        (1 << 45, 1 << 10, 1, 1 << 9),
        (0x4_0000_0001, 1 << 31, 1, 1 << 19),
        (1 << 40, 1, 1 << 24, 1),
        ((1 << 40) + 1, 1, (1 << 24) + 1, 1),
        // all at their ends
        ((1 << 48) - 1, u32::MAX, (1 << 40) - 1, (1 << 20) - 1),
        ((1 << 48) - 1, 1, 1, 1),
        (1, u32::MAX, (1 << 40) - 1, (1 << 20) - 1),
    ];
    numbers.extend([(1 << 47, 1 << 12, 1, 1), (1 << 47, 1 << 13, 1, 1), (1, 1, 1, (1 << 20) - 1)]);
    let rates = [[0, 0], [spot::RATE_END - 1, spot::RATE_END - 1], [1, 0], [0, 1]];
    let case = |(lots, price, lot_base, tick_quote), rates, buyer_takes| {
        let units = spot::Units { lot_base, tick_quote };
        Case { lots, price, units, rates, buyer_takes }
    };
    let of = |n| rates.map(|r| [case(n, r, true), case(n, r, false)]);
    numbers.into_iter().flat_map(of).flatten().collect()
}

/// Any numbers that a market and its orders may have; often with an amount next to its end.
fn random(r: &mut Rng) -> Case {
    let mut lots = edge(r, 48).max(1);
    let mut price = edge(r, 32).max(1) as u32;
    let mut units = spot::Units { lot_base: edge(r, 40).max(1), tick_quote: edge(r, 20).max(1) as u32 };
    // a random magnitude first, so that not almost all are refused
    (lots, price) = ((lots >> r.below(40)).max(1), (price >> r.below(24)).max(1));
    let more = r.below(2);
    match r.below(4) {
        0 => lots = (AMOUNT_MAX / units.lot_base + more).clamp(1, (1 << 48) - 1),
        1 => units.tick_quote = quotient(lots, price, more, (1 << 20) - 1),
        2 => price = quotient(lots, units.tick_quote, more, u32::MAX),
        _ => {}
    }
    let rates = [0; 2].map(|_: u32| edge(r, 19) as u32);
    Case { lots, price, units, rates, buyer_takes: r.one_in(2) }
}

/// The factor that makes the largest amount of two others, or one more.
fn quotient(a: u64, b: u32, more: u64, max: u32) -> u32 {
    let quotient = u128::from(AMOUNT_MAX) / (u128::from(a) * u128::from(b)) + u128::from(more);
    quotient.clamp(1, max.into()) as u32
}

#[test]
fn fills_of_programs_are_those_of_a_spot_market() {
    let (mut w, mut r) = (rich(), Rng::new(11));
    let (mut filled, mut refused, mut full) = (0, 0, 0);
    let random: Vec<Case> = (0..4_000).map(|_| random(&mut r)).collect();
    for case in edges().into_iter().chain(random) {
        match (case.by_sdk(), case.by_ledger(&mut w)) {
            (Ok(sdk), Ok(ledger)) => {
                assert_eq!(sdk, ledger, "{case:?}");
                let largest = ledger.iter().flatten().map(|micros| micros.unsigned_abs()).max();
                full += u32::from(largest >= Some(u128::from(AMOUNT_MAX) * 999_999));
                filled += 1;
            }
            (Err(Fault::Width), Err(TradeReject::Risk(RiskError::Width { bits: 60, .. }))) => refused += 1,
            other => panic!("{case:?}: {other:?}"),
        }
    }
    assert!(
        filled > 1_000 && refused > 1_000 && full > 50,
        "{filled} filled, {full} full, {refused} refused"
    );
}

/// What no market and no order can have is no fill of a program either, to the number.
#[test]
fn ranges_of_programs_are_those_of_the_ledger() {
    let fill = |units, lots, rates: [u32; 2]| spot::fill(&units, lots, 1, rates[0], rates[1]).is_ok();
    let one = spot::Units { lot_base: 1, tick_quote: 1 };
    let market = |change: &dyn Fn(&mut SpotMarket)| {
        let mut p = params();
        change(&mut p.spots[0]);
        p.validate().is_ok()
    };
    for lot_base in [1, (1 << 40) - 1, 1 << 40] {
        let units = spot::Units { lot_base, ..one };
        assert_eq!(fill(units, 1, [0, 0]), market(&|m| m.lot_base = lot_base), "{lot_base}");
    }
    for tick_quote in [1, (1 << 20) - 1, 1 << 20] {
        let units = spot::Units { tick_quote, ..one };
        assert_eq!(fill(units, 1, [0, 0]), market(&|m| m.tick_quote = tick_quote), "{tick_quote}");
    }
    for n in [1, (1 << 48) - 1, 1 << 48] {
        assert_eq!(fill(one, n, [0, 0]), Lots::new(n).is_ok(), "{n}");
    }
    for n in [0, spot::RATE_END - 1, spot::RATE_END] {
        let valid = Rate::new(n as i32).is_ok();
        assert_eq!([fill(one, 1, [n, 0]), fill(one, 1, [0, n])], [valid; 2], "{n}");
    }
}

/// The legs of `Op::trade`, as they are in the cells: those of account 2, who buys, and of account 3.
fn legs(trade: &tsz_ext_sdk::Trade) -> Result<[Leg; 2], Fault> {
    let layout = tsz_ext_sdk::Layout::new(8, 2, 2)?;
    let mut words = vec![0; layout.words()];
    let policy = Policy { expiry: 9, epoch: 4, tokens: [0; 4] };
    let approval: [Leaf; 3] = [[1; 8], [2; 8], policy.to_leaf()];
    let leg = |account| tsz_ext_sdk::Key::approval(account, 0, 0, cell::LEG);
    for (k, account) in [BUYER, SELLER].into_iter().enumerate() {
        for (place, leaf) in approval.iter().enumerate() {
            let key = tsz_ext_sdk::Key::approval(account, 0, 0, place as u32);
            layout.put_key(&mut words, 3 * k + place, key, false);
            let at = layout.olds() + 8 * (3 * k + place);
            words[at..at + 8].copy_from_slice(leaf);
        }
        layout.put_key(&mut words, 6 + k, leg(account), true);
    }
    let mut op = Op::new(&mut words, layout, &[], |_, _| ())?;
    let (buyer, seller) = (op.trader(0)?, op.trader(1)?);
    op.trade(&buyer, &seller, trade)?;
    Ok([Leg::from_leaf(&op.get(leg(BUYER))?)?, Leg::from_leaf(&op.get(leg(SELLER))?)?])
}

/// A trade of a program may be worth 60 bits, a fill of orders 56: what the guard makes of a leg is bound by the mark.
#[test]
fn trades_of_programs_are_those_of_a_perpetual() {
    let mut r = Rng::new(13);
    let ends = [
        (1, 1, 1),
        ((1 << 48) - 1, 1, 1),
        ((1 << 28) - 1, (1 << 28) + 1, 1), // 2^56 - 1
        (1 << 28, 1 << 28, 1),
        ((1 << 30) - 1, (1 << 30) + 1, 1), // 2^60 - 1
        (1 << 30, 1 << 30, 1),
        (1 << 40, 1 << 24, 1), // 0 in 64 bits
        (1 << 45, 1 << 10, 1 << 9),
        ((1 << 48) - 1, u32::MAX, (1 << 20) - 1),
    ];
    let random = (0..20_000).map(|_| {
        let (n, p) = (edge(&mut r, 48) >> r.below(40), edge(&mut r, 32) >> r.below(24));
        (n.max(1), p.max(1) as u32, edge(&mut r, 20).max(1) as u32)
    });
    let (mut filled, mut between, mut refused) = (0, 0, 0);
    for (lots, price, qm) in ends.into_iter().chain(random.collect::<Vec<_>>()) {
        let trade = tsz_ext_sdk::Trade { market: 5, lots, price, multiplier: qm };
        let side = |buys| Fill { lots, price, qm, buys, fee: 0 }.apply(&Position::default(), 0);
        match (legs(&trade), side(true), side(false)) {
            (Ok(legs), Ok(buyer), Ok(seller)) => {
                let got = legs.map(|leg| (leg.market, leg.lots, leg.cash));
                let expected = [buyer, seller].map(|e| (5, e.position.size, e.trade));
                assert_eq!(got, expected, "{trade:?}");
                filled += 1;
            }
            (Ok([buyer, _]), Err(_), Err(_)) => {
                assert!(-buyer.cash >= MICRO << FILL_NOTIONAL_BITS, "{trade:?}");
                between += 1;
            }
            (Err(Fault::Width), Err(_), Err(_)) => refused += 1,
            other => panic!("{trade:?}: {other:?}"),
        }
    }
    assert!(filled > 1_000 && between > 100 && refused > 1_000, "{filled}, {between}, {refused}");
}

/// An order of each side: lots, limit price, highest fee; and a fill at the resting one's price.
#[derive(Debug)]
struct Meeting {
    maker: (u64, u32, u32),
    taker: (u64, u32, u32),
    lots: u64,
    /// Fee rates of maker and taker.
    rates: [u32; 2],
    taker_buys: bool,
    /// Units of quote of the buyer, of base of the seller.
    funds: [u64; 2],
}

impl Meeting {
    fn random(r: &mut Rng) -> Self {
        let order = |r: &mut Rng| (3 + r.below(9), 8 + r.below(5) as u32, 100_000 * r.below(5) as u32);
        Self {
            maker: order(r),
            taker: order(r),
            lots: r.below(8),
            rates: [0; 2].map(|_: u32| 100_000 * r.below(3) as u32),
            taker_buys: r.one_in(2),
            funds: [r.below(1_500), r.below(300)],
        }
    }

    /// Account of (maker, taker).
    fn accounts(&self) -> [u32; 2] {
        if self.taker_buys { [SELLER, BUYER] } else { [BUYER, SELLER] }
    }

    /// As two orders in the market.
    fn by_ledger(&self, w: &mut World) -> Option<Gains> {
        let market = &mut w.params.spots[0];
        (market.lot_base, market.tick_quote) = (10, 7);
        (market.taker_cap, market.maker_cap) = (Rate::MAX, Rate::MAX);
        for (account, t, units) in [(BUYER, 0, self.funds[0]), (SELLER, 1, self.funds[1])] {
            let balance = Balance::from(Units::new(units).unwrap());
            w.view.set(Key::bal(account, 0, t), BalCell { balance }.to_leaf());
        }
        let mut trade = w.spot(party(BUYER, 0), party(SELLER, 0), 0, 1, 1);
        if !self.taker_buys {
            core::mem::swap(&mut trade.taker, &mut trade.maker);
        }
        for (signed, (n, limit, fee)) in [(&mut trade.maker, self.maker), (&mut trade.taker, self.taker)] {
            let terms = &mut signed.order.terms;
            (terms.lots, terms.price) = (lots(n), price(limit));
            (terms.max_taker_fee, terms.max_maker_fee) = (rate(fee as i32), rate(fee as i32));
        }
        trade.lots = lots(self.lots);
        [trade.maker_fee, trade.taker_fee] = self.rates.map(|r| rate(r as i32));
        w.dry(trade).ok().map(|applied| gains(&applied, 1, 0))
    }

    /// As a level of a grid and an intent, through the guard.
    fn by_program(&self) -> Option<Gains> {
        let units = spot::Units { lot_base: 10, tick_quote: 7 };
        let pair = Pair { base: 1, quote: 0, units };
        let (n, price, max_fee) = self.maker;
        // one level that holds what the maker gives, with the maker's price on that side
        let (buy, sell, first_seller) = if self.taker_buys { (1, price, 0) } else { (price, 99, 1) };
        let terms = host::terms(&pair, max_fee, first_seller, &[Level { buy, sell, lots: n }]);
        let (n, limit, max_fee) = self.taker;
        let intent = host::intent(&Intent { market: pair, max_fee, buys: self.taker_buys, limit, lots: n });
        let mut sim = Sim::new(grid::program);
        sim.fund(BUYER, 0, 0, self.funds[0]);
        sim.fund(SELLER, 0, 1, self.funds[1]);
        let limits = [(0, AMOUNT_MAX), (1, AMOUNT_MAX)];
        let [maker, taker] = self.accounts();
        let parties = [sim.approve(maker, 0, 0, &terms, &limits), sim.approve(taker, 0, 0, &intent, &limits)];
        let place = u32::from(maker > taker);
        let before = sim.view.clone();
        sim.run(&parties, &host::args(place, self.rates, &[(0, self.lots)], &terms, &intent)).ok()?;
        Some([BUYER, SELLER, 0].map(|account| {
            [1, 0].map(|t| {
                let old = BalCell::from_leaf(&tsz_stf::View::get(&before, Key::bal(account, 0, t))).unwrap();
                sim.micros(account, 0, t) as i128 - old.balance.get() as i128
            })
        }))
    }
}

/// Sides, limits, lots, caps of fees and balances decide alike, and move the same money.
#[test]
fn a_fill_of_a_grid_is_a_trade_of_two_orders() {
    let (mut w, mut r) = (World::new(), Rng::new(17));
    let (mut filled, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let meeting = Meeting::random(&mut r);
        let (ledger, program) = (meeting.by_ledger(&mut w), meeting.by_program());
        assert_eq!(ledger, program, "{meeting:?}");
        *(if ledger.is_some() { &mut filled } else { &mut refused }) += 1;
    }
    assert!(filled > 200 && refused > 200, "{filled} filled, {refused} refused");
}
