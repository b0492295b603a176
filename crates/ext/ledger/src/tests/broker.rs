//! Broker trading against a model that knows nothing of cells.

use crate::poseidon24::absorb;
use crate::sim::{Sim, approver};
use crate::*;
use alloc::vec::Vec;
use proptest::prelude::*;
use tsz_ext_apps::broker::{House, Mandate, Venue, host, program, rule};
use tsz_ext_apps::order::host::Order;
use tsz_ext_apps::order::{self, ORDER_WORDS};
use tsz_ext_sdk::{Fault, Leaf, spot};

const BASE: u32 = 5;
const QUOTE: u32 = 0;
const MARKET: u32 = 7;
/// Some hours into a day.
const TIME: u64 = 20_000 * 86_400_000 + 5_000_000;
/// House, its own client, another client, who introduced that one.
const HOUSE: (u32, u32) = (2, 0);
const INSIDE: (u32, u32) = (2, 4);
const OUTSIDE: (u32, u32) = (3, 0);
const FRIEND: (u32, u32) = (4, 1);
const PLACES: [(u32, u32); 5] = [HOUSE, INSIDE, OUTSIDE, FRIEND, (0, 0)];

fn venue() -> Venue {
    let units = spot::Units { lot_base: 3, tick_quote: 2 };
    Venue { base: BASE, quote: QUOTE, market: MARKET, units, house: 2, house_sub: 0, house_slot: 1 }
}

fn house() -> House {
    House { taker_fee: 900, maker_fee: 100, rebate: 250, exchange: 120, introducer: 300, daily: 5_000 }
}

fn mandate(introducer: (u32, u32)) -> Mandate {
    Mandate { band: 500, age: 60, trade: 400, daily: 1_000, introducer }
}

/// Everyone with 400,000 units of both tokens; each client with an order to buy and one to sell at any price.
pub struct World {
    pub sim: Sim,
    house: House,
    subject: Leaf,
    parties: Vec<Approver>,
    mandates: [Mandate; 2],
    orders: [[[u32; ORDER_WORDS]; 2]; 2],
}

impl World {
    pub fn new(house: House) -> Self {
        let mut sim = Sim::new(program);
        sim.set_time(TIME);
        sim.set_price(MARKET, 100, TIME - 1_000);
        let subject = host::subject(absorb, &venue());
        let most = [(QUOTE, 300_000), (BASE, 300_000)];
        let mandates = [mandate((0, 0)), mandate(FRIEND)];
        let mut parties = Vec::from([sim.approve(2, 0, 1, &host::house(&subject, &house), &[(QUOTE, 50)])]);
        for ((n, s), mandate) in [INSIDE, OUTSIDE].into_iter().zip(&mandates) {
            parties.push(sim.approve(n, s, 0, &host::client(&subject, mandate), &most));
        }
        parties.push(sim.approve(FRIEND.0, FRIEND.1, 0, &[], &[]));
        for (n, s) in &PLACES[..4] {
            for token in [BASE, QUOTE] {
                sim.fund(*n, *s, token, 400_000);
            }
        }
        let mut world = Self { sim, house, subject, parties, mandates, orders: [[[0; ORDER_WORDS]; 2]; 2] };
        for client in 0..2 {
            for sells in [false, true] {
                world.order(client, sells, if sells { 0 } else { 1 << 30 }, 3_000);
            }
        }
        world
    }

    fn place(client: usize) -> (u32, u32) {
        [INSIDE, OUTSIDE][client]
    }

    fn order(&mut self, client: usize, sells: bool, limit: u32, lots: u64) {
        let (n, s) = Self::place(client);
        let epoch = self.sim.epoch(&approver(n, s, 0));
        let order = Order { epoch, slot: 0, sells, limit, lots, max_fee: 1_000 };
        let slot = 1 + u32::from(sells);
        self.sim.approve(n, s, slot, &order::host::terms(&self.subject, &order), &[]);
        self.orders[client][usize::from(sells)] = order::host::words(&order);
    }

    fn side(&self, client: usize, sells: bool) -> host::Side {
        let order = self.orders[client][usize::from(sells)];
        let (party, slot) = (1 + client as u32, 1 + u32::from(sells));
        host::Side { party, slot, introducer: 3, mandate: self.mandates[client], order }
    }

    fn args(&self, buyer: usize, deal: &host::Match) -> Vec<u32> {
        let sides = [self.side(buyer, false), self.side(1 - buyer, true)];
        host::args(0, &venue(), &self.house, [&sides[0], &sides[1]], deal)
    }

    fn send(&mut self, args: &[u32]) -> Result<(), ExtReject> {
        let parties = self.parties.clone();
        self.sim.run(&parties, args).map(|_| ())
    }

    fn trade(&mut self, buyer: usize, price: u32, lots: u64, seller_takes: bool) -> Result<(), ExtReject> {
        let args = self.args(buyer, &host::Match { price, lots, seller_takes, time: TIME });
        self.send(&args)
    }

    fn balances(&self) -> [[i128; 2]; 5] {
        PLACES.map(|(n, s)| [BASE, QUOTE].map(|t| self.sim.micros(n, s, t) as i128))
    }
}

fn broken(number: u32) -> Result<(), ExtReject> {
    Err(ExtReject::Program(Fault::Rule(number)))
}

/// Money and lots as a person would count them.
struct Model {
    house: House,
    money: [[i128; 2]; 5],
    day: [u64; 2],
    orders: [[u64; 2]; 2],
}

impl Model {
    /// `None` if a rule forbids it.
    fn trade(&mut self, buyer: usize, price: u32, lots: u64, seller_takes: bool) -> Option<()> {
        let seller = 1 - buyer;
        let near = (95..=105).contains(&price);
        let day_fits = self.day.iter().all(|d| d + lots <= 1_000);
        let order_fits = self.orders[buyer][0] + lots <= 3_000 && self.orders[seller][1] + lots <= 3_000;
        if lots == 0 || lots > 400 || !near || !day_fits || !order_fits {
            return None;
        }
        self.day = self.day.map(|d| d + lots);
        self.orders[buyer][0] += lots;
        self.orders[seller][1] += lots;
        let quote = i128::from(lots) * i128::from(price) * 2;
        let base = i128::from(lots) * 3 * 1_000_000;
        let house = self.house;
        let [taker, maker] = if seller_takes { [seller, buyer] } else { [buyer, seller] };
        self.money[1 + buyer][0] += base;
        self.money[1 + seller][0] -= base;
        self.money[1 + buyer][1] -= quote * 1_000_000;
        self.money[1 + seller][1] += quote * 1_000_000;
        let pay = |money: &mut [[i128; 2]; 5], from: usize, to: usize, rate: u32| {
            money[from][1] -= quote * i128::from(rate);
            money[to][1] += quote * i128::from(rate);
        };
        pay(&mut self.money, 1 + taker, 0, house.taker_fee);
        pay(&mut self.money, 1 + maker, 0, house.maker_fee);
        pay(&mut self.money, 0, 1 + maker, house.rebate);
        pay(&mut self.money, 0, 4, 2 * house.exchange);
        pay(&mut self.money, 0, 3, house.introducer); // of the client outside
        Some(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(
        trades in prop::collection::vec((0usize..2, 93u32..108, 0u64..450, any::<bool>()), 1..10),
        rates in [0u32..1_000, 0u32..1_000, 0u32..300, 0u32..100, 0u32..100],
    ) {
        let [taker_fee, maker_fee, rebate, exchange, introducer] = rates;
        // what the house pays of its own is bounded by its limit: here it never does
        let taker_fee = taker_fee.max(rebate + 2 * exchange + introducer);
        let house = House { taker_fee, maker_fee, rebate, exchange, introducer, daily: 5_000 };
        let mut world = World::new(house);
        let mut model = Model { house, money: world.balances(), day: [0; 2], orders: [[0; 2]; 2] };
        for (buyer, price, lots, seller_takes) in trades {
            let expected = model.trade(buyer, price, lots, seller_takes);
            let got = world.trade(buyer, price, lots, seller_takes);
            prop_assert_eq!(expected.is_some(), got.is_ok(), "{:?}", got);
            prop_assert_eq!(world.balances(), model.money);
        }
    }
}

#[test]
fn splits_the_fees() {
    let mut world = World::new(house());
    let before = world.balances();
    world.trade(1, 104, 10, true).unwrap();
    let after = world.balances();
    let moved: Vec<_> = after.iter().zip(before).map(|(a, b)| [0, 1].map(|k| a[k] - b[k])).collect();
    // 10 lots: 30 base, 2,080 quote; the client inside sells and takes
    assert_eq!(moved[1], [-30_000_000, 2_080_000_000 - 2_080 * 900]);
    assert_eq!(moved[2], [30_000_000, -2_080_000_000 - 2_080 * 100 + 2_080 * 250]);
    assert_eq!(moved[3], [0, 2_080 * 300]);
    assert_eq!(moved[4], [0, 2_080 * 240]);
    assert_eq!(moved[0], [0, 2_080 * (900 + 100 - 250 - 300 - 240)]);
}

#[test]
fn a_house_pays_within_its_limit_only() {
    let generous = House { taker_fee: 0, maker_fee: 0, rebate: 200, ..house() };
    let mut world = World::new(generous);
    // 740 millionths of 40,000 units
    world.trade(0, 100, 200, false).unwrap();
    let refused = world.trade(0, 100, 200, false);
    assert!(matches!(refused, Err(ExtReject::OverLimit { limit: 50_000_000, .. })), "{refused:?}");
}

#[test]
fn prices_stay_near_a_fresh_index() {
    let mut world = World::new(house());
    assert_eq!(world.trade(0, 106, 1, false), broken(rule::BAND));
    assert_eq!(world.trade(0, 94, 1, false), broken(rule::BAND));
    world.trade(0, 105, 1, false).unwrap();
    world.trade(0, 95, 1, false).unwrap();
    world.sim.set_price(MARKET, 100, TIME - 60_001);
    assert_eq!(world.trade(0, 100, 1, false), broken(rule::STALE));
    world.sim.set_price(MARKET, 100, TIME - 60_000);
    world.trade(0, 100, 1, false).unwrap();
    world.sim.set_prices(MARKET, 100, 100, TIME, true);
    assert_eq!(world.trade(0, 100, 1, false), broken(rule::STALE));
}

#[test]
fn limits_of_orders_trades_and_days() {
    let mut world = World::new(house());
    assert_eq!(world.trade(0, 100, 401, false), broken(rule::TRADE));
    world.trade(0, 100, 400, false).unwrap();
    world.trade(1, 100, 400, false).unwrap();
    assert_eq!(world.trade(0, 100, 201, false), broken(rule::DAILY));
    world.trade(0, 100, 200, false).unwrap();
    assert_eq!(world.trade(0, 100, 1, false), broken(rule::DAILY));
    // the next day counts anew; no other day will do
    let tomorrow = TIME + 86_400_000;
    let deal = |time| host::Match { price: 100, lots: 1, seller_takes: false, time };
    for day in [tomorrow, TIME - 86_400_000] {
        let args = world.args(0, &deal(day));
        assert_eq!(world.send(&args), broken(rule::DAY));
    }
    world.sim.set_time(tomorrow);
    world.sim.set_price(MARKET, 100, tomorrow);
    let args = world.args(0, &deal(tomorrow));
    world.send(&args).unwrap();
    // orders
    world.order(0, false, 99, 10);
    assert_eq!(world.send(&world.args(0, &deal(tomorrow))), broken(order::rule::PRICE));
    world.order(0, false, 100, 2);
    for _ in 0..2 {
        let args = world.args(0, &deal(tomorrow));
        world.send(&args).unwrap();
    }
    let args = world.args(0, &deal(tomorrow));
    assert_eq!(world.send(&args), broken(order::rule::FILLED));
}

#[test]
fn fees_stay_within_the_orders_caps() {
    let mut world = World::new(House { taker_fee: 1_001, ..house() });
    assert_eq!(world.trade(0, 100, 1, false), broken(order::rule::FEE));
    let mut world = World::new(House { maker_fee: 1_001, ..house() });
    assert_eq!(world.trade(0, 100, 1, false), broken(order::rule::FEE));
}

#[test]
fn malicious_arguments_are_refused() {
    let mut world = World::new(house());
    let kept = world.balances();
    let deal = host::Match { price: 100, lots: 10, seller_takes: false, time: TIME };
    let honest = world.args(0, &deal);
    let refuse = |world: &mut World, args: &[u32]| {
        let refused = world.send(args);
        assert!(refused.is_err(), "{args:?}");
        assert_eq!(world.balances(), kept);
    };
    // one client on both sides; the introducer of nobody
    let (buyer, seller) = (world.side(0, false), world.side(0, true));
    let args = host::args(0, &venue(), &world.house, [&buyer, &seller], &deal);
    assert_eq!(world.send(&args), broken(rule::PARTIES));
    let [buyer, mut seller] = [world.side(0, false), world.side(1, true)];
    seller.introducer = 1;
    let args = host::args(0, &venue(), &world.house, [&buyer, &seller], &deal);
    assert_eq!(world.send(&args), broken(rule::INTRODUCER));
    // every word but price, lots, who takes, and the introducer of who has none
    let free = |word: usize| [1, 2, 3, 4, 21].contains(&word);
    for word in (0..honest.len()).filter(|w| !free(*w)) {
        for change in [1, 1 << 5, 1 << 24] {
            let mut args = honest.clone();
            args[word] ^= change;
            refuse(&mut world, &args);
        }
    }
    for len in 0..honest.len() {
        refuse(&mut world, &honest[..len]);
    }
    refuse(&mut world, &[&honest[..], &[0]].concat());
    // without the house, without the introducer
    for party in [0, 3] {
        let mut parties = world.parties.clone();
        parties.remove(party);
        assert!(world.sim.run(&parties, &honest).is_err());
    }
    world.send(&honest).unwrap();
    // a client that leaves
    world.sim.revoke(&approver(OUTSIDE.0, OUTSIDE.1, 0));
    assert!(matches!(world.send(&honest), Err(ExtReject::NotApproved { .. })));
}

#[test]
fn fixture_is_what_the_ledger_makes() {
    let mut world = World::new(house());
    world.trade(0, 101, 40, false).unwrap();
    world.trade(1, 99, 15, true).unwrap();
    super::check_fixture("broker", &world.sim);
}
