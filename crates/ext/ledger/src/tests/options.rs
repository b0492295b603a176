//! Options against a model that knows positions, prices and payoffs, and nothing of cells.

use crate::poseidon24::absorb;
use crate::sim::{Sim, approver};
use crate::*;
use alloc::vec::Vec;
use proptest::prelude::*;
use tsz_ext_apps::options::{Leg, SETTLED, Series, Sides, host, program, rule};
use tsz_ext_apps::order::host::Order;
use tsz_ext_apps::order::{self, ORDER_WORDS};
use tsz_ext_sdk::{Fault, Key, Leaf, MICROS, spot};

const BASE: u32 = 5;
const QUOTE: u32 = 0;
const MARKET: u32 = 7;
const VAULT: u32 = 2;
const EXPIRY: u64 = 50_000;
const HOLDERS: [u32; 3] = [3, 4, 5];

pub fn call(strike: u32, short: bool) -> Option<Leg> {
    Some(Leg { put: false, short, strike })
}

pub fn put(strike: u32, short: bool) -> Option<Leg> {
    Some(Leg { put: true, short, strike })
}

pub fn series(legs: [Option<Leg>; 2]) -> Series {
    Series {
        base: BASE,
        quote: QUOTE,
        market: MARKET,
        units: spot::Units { lot_base: 30, tick_quote: 2 },
        legs,
        expiry: EXPIRY,
        samples: 2,
        gap: 10,
        vault: VAULT,
        vault_sub: 1,
        vault_slot: 3,
    }
}

/// A vault and three holders with 100,000 units of both tokens, each with an order to buy and one to sell 1,000 lots
/// at any price.
pub struct World {
    pub sim: Sim,
    series: Series,
    subject: Leaf,
    vault: Approver,
    holders: Vec<Approver>,
    orders: Vec<[[u32; ORDER_WORDS]; 2]>,
}

impl World {
    pub fn new(series: Series) -> Self {
        let mut sim = Sim::new(program);
        let subject = host::subject(absorb, &series);
        let most = (1 << 60) - 1;
        let wide = [(QUOTE, most), (BASE, most)];
        let vault =
            sim.approve(series.vault, series.vault_sub, series.vault_slot, &host::vault(&subject), &wide);
        let mut world = Self { sim, series, subject, vault, holders: Vec::new(), orders: Vec::new() };
        for n in HOLDERS {
            for token in [BASE, QUOTE] {
                world.sim.fund(n, 0, token, 100_000);
            }
            let party = world.sim.approve(n, 0, 0, &host::holder(&subject), &wide);
            world.holders.push(party);
            let words = [false, true].map(|sells| world.order(n, u32::from(sells) + 1, sells, None));
            world.orders.push(words);
        }
        world
    }

    /// Gives an order in a slot: any price, or a limit.
    fn order(&mut self, n: u32, slot: u32, sells: bool, limit: Option<u32>) -> [u32; ORDER_WORDS] {
        let epoch = self.sim.epoch(&approver(n, 0, 0));
        let any = if sells { 0 } else { 1 << 30 };
        let order = Order { epoch, slot: 0, sells, limit: limit.unwrap_or(any), lots: 1_000, max_fee: 2_000 };
        self.sim.approve(n, 0, slot, &order::host::terms(&self.subject, &order), &[]);
        order::host::words(&order)
    }

    fn side(&self, holder: usize, sells: bool, fee: u32) -> host::Side {
        let place = 1 + holder as u32; // the vault is account 2
        (place, 1 + u32::from(sells), fee, self.orders[holder][usize::from(sells)])
    }

    /// Parties of a trade, with the places in order.
    fn trade(&mut self, [b, s]: [usize; 2], price: u32, lots: u64, fees: [u32; 2]) -> Result<(), ExtReject> {
        let mut buyer = self.side(b, false, fees[0]);
        let mut seller = self.side(s, true, fees[1]);
        (buyer.0, seller.0) = if b < s { (1, 2) } else { (2, 1) };
        let args = host::trade(&self.series, 0, [&buyer, &seller], price, lots);
        self.send(&[b, s], &args)
    }

    fn send(&mut self, holders: &[usize], args: &[u32]) -> Result<(), ExtReject> {
        let mut parties: Vec<_> = holders.iter().map(|h| self.holders[*h]).collect();
        parties.push(self.vault);
        self.sim.run(&parties, args).map(|_| ())
    }

    fn observe(&mut self, time: u64, price: u32, price_ts: u64) -> Result<(), ExtReject> {
        self.sim.set_time(time);
        self.sim.set_price(MARKET, price, price_ts);
        self.send(&[], &host::observe(&self.series, 0))
    }

    fn claim(&mut self, holders: &[usize]) -> Result<(), ExtReject> {
        let args = host::claim(&self.series, 0);
        self.send(holders, &args)
    }

    fn balances(&self) -> [[i128; 2]; 5] {
        let micros = |n: u32, s: u32| [BASE, QUOTE].map(|t| self.sim.micros(n, s, t) as i128);
        let [a, b, c] = HOLDERS.map(|n| micros(n, 0));
        [a, b, c, micros(VAULT, 1), micros(0, 0)]
    }
}

fn broken(number: u32) -> Result<(), ExtReject> {
    Err(ExtReject::Program(Fault::Rule(number)))
}

/// What the holder of a bought lot gets of its seller at a price, in millionths of (base, quote); `None` is a price
/// beyond all bounds. Rounded down option by option, or exactly up where `up`.
fn value(series: &Series, price: Option<u32>, up: bool) -> [i128; 2] {
    let lot = i128::from(series.units.lot_base) * MICROS as i128;
    let mut out = [0; 2];
    let mut ratio = (0, 1);
    for leg in series.legs.iter().flatten() {
        let sign = if leg.short { -1 } else { 1 };
        let strike = i128::from(leg.strike);
        match (leg.put, price.map(i128::from)) {
            (true, Some(p)) => {
                let ticks = (strike - p).max(0);
                out[1] += sign * ticks * i128::from(series.units.tick_quote) * MICROS as i128;
            }
            (true, None) => {}
            (false, None) => ratio.0 += sign * lot * ratio.1,
            (false, Some(p)) if up => ratio = (ratio.0 + sign * lot * (p - strike).max(0), p.max(1)),
            (false, Some(p)) => out[0] += sign * (lot * (p - strike).max(0)).div_euclid(p),
        }
    }
    let (top, bottom) = ratio;
    // away from zero
    out[0] += top.signum() * (top.abs() + bottom - 1).div_euclid(bottom);
    out
}

/// The worst cases of buyer and seller, each token for itself, over the prices where a payoff bends.
fn worst(series: &Series) -> [[i128; 2]; 2] {
    let strikes = series.legs.iter().flatten().map(|leg| Some(leg.strike));
    let prices = strikes.chain([Some(0), None]).map(|p| value(series, p, true));
    prices.fold([[0; 2]; 2], |[buyer, seller], v| {
        [[0, 1].map(|k| buyer[k].max(-v[k])), [0, 1].map(|k| seller[k].max(v[k]))]
    })
}

fn flat(sides: &Sides) -> [[i128; 2]; 2] {
    [&sides.long, &sides.short].map(|a| [a.base as i128, a.quote as i128])
}

/// Positions and money as a person would count them.
struct Model {
    series: Series,
    positions: [i128; 3],
    money: [[i128; 2]; 5],
}

impl Model {
    fn collateral(&self, position: i128) -> [i128; 2] {
        let [buyer, seller] = worst(&self.series);
        [0, 1].map(|k| position.max(0) * buyer[k] + (-position).max(0) * seller[k])
    }

    fn move_to_vault(&mut self, who: usize, amounts: [i128; 2]) {
        for (k, amount) in amounts.into_iter().enumerate() {
            self.money[who][k] -= amount;
            self.money[3][k] += amount;
        }
    }

    fn trade(&mut self, [b, s]: [usize; 2], price: u32, lots: u64, fees: [u32; 2]) {
        let premium = i128::from(lots) * i128::from(price) * i128::from(self.series.units.tick_quote);
        for (who, sign, fee) in [(b, 1, fees[0]), (s, -1, fees[1])] {
            let before = self.collateral(self.positions[who]);
            self.positions[who] += sign * i128::from(lots);
            let after = self.collateral(self.positions[who]);
            self.move_to_vault(who, [0, 1].map(|k| after[k] - before[k]));
            self.money[who][1] -= sign * premium * 1_000_000 + premium * i128::from(fee);
            self.money[4][1] += premium * i128::from(fee);
        }
    }

    fn claim(&mut self, who: usize, price: u32) {
        let position = core::mem::take(&mut self.positions[who]);
        let value = value(&self.series, Some(price), false);
        let had = self.collateral(position);
        self.move_to_vault(who, [0, 1].map(|k| -had[k] - position * value[k]));
    }
}

fn legs() -> impl Strategy<Value = [Option<Leg>; 2]> {
    let leg = (any::<bool>(), any::<bool>(), 1u32..60);
    let leg = leg.prop_map(|(put, short, strike)| Leg { put, short, strike });
    (leg.clone(), prop::option::of(leg)).prop_map(|(a, b)| [Some(a), b])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(
        legs in legs(),
        trades in prop::collection::vec((0usize..3, 1usize..3, 0u32..30, 1u64..40, 0u32..3, 0u32..3), 1..8),
        prices in [1u32..90, 1u32..90],
    ) {
        let mut world = World::new(series(legs));
        let mut model = Model { series: series(legs), positions: [0; 3], money: world.balances() };
        for (buyer, step, price, lots, a, b) in trades {
            let (pair, fees) = ([buyer, (buyer + step) % 3], [a * 1_000, b * 700]);
            world.trade(pair, price, lots, fees).unwrap();
            model.trade(pair, price, lots, fees);
            prop_assert_eq!(world.balances(), model.money);
        }
        world.observe(EXPIRY, prices[0], EXPIRY).unwrap();
        world.observe(EXPIRY + 20_000, prices[1], EXPIRY + 10_000).unwrap();
        for who in 0..3 {
            if model.positions[who] == 0 {
                prop_assert_eq!(world.claim(&[who]), broken(rule::POSITION));
                continue;
            }
            world.claim(&[who]).unwrap();
            model.claim(who, (prices[0] + prices[1]) / 2);
            prop_assert_eq!(world.balances(), model.money);
        }
        // nothing is left behind
        prop_assert_eq!(world.balances()[3], [0, 0]);
    }

    #[test]
    fn nobody_owes_more_than_is_there(
        strikes in [1u32..2_000_000_000, 1u32..2_000_000_000],
        shapes in [0u32..4, 0u32..5],
        lot_base in 1u64..1 << 40,
        tick_quote in 1u32..1 << 20,
        price in prop_oneof![1u32..100, any::<u32>().prop_map(|p| p.max(1)), 1u32..2_000_000_000],
    ) {
        let leg = |k: usize| Leg { put: shapes[k] & 1 == 1, short: shapes[k] & 2 == 2, strike: strikes[k] };
        let legs = [Some(leg(0)), (shapes[1] < 4).then(|| leg(1))];
        let contract = Series { units: spot::Units { lot_base, tick_quote }, ..series(legs) };
        let had = flat(&contract.collateral());
        prop_assert_eq!(had, worst(&contract));
        for price in [price, strikes[0], strikes[1]] {
            let got = flat(&contract.payout(price).unwrap());
            let owed = value(&contract, Some(price), false);
            for (k, owed) in owed.into_iter().enumerate() {
                prop_assert_eq!(got[0][k], had[0][k] + owed);
                prop_assert_eq!(got[0][k] + got[1][k], had[0][k] + had[1][k]);
            }
        }
    }

    #[test]
    fn series_read_back(legs in legs(), samples in 2u32..60, gap in 1u32..1 << 16, sub in 0u32..32, slot in 0u32..7) {
        let contract = Series { samples, gap, vault_sub: sub, vault_slot: slot, ..series(legs) };
        prop_assert_eq!(Series::parse(&host::series(&contract)), Ok(contract));
    }
}

/// An operation of a history, allowed or not.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Buyer, seller, price, lots, fee rates.
    Trade([usize; 2], u32, u64, [u32; 2]),
    /// Time that passes, price, how old it is.
    Sample(u64, u32, u64),
    /// Who is paid, one or two.
    Payout(usize, Option<usize>),
}

fn steps() -> impl Strategy<Value = Step> {
    let fees = [0u32..2_100, 0u32..2_100];
    let trade = (0usize..3, 0usize..3, 0u32..90, 0u64..400, fees);
    prop_oneof![
        4 => trade.prop_map(|(b, s, price, lots, fees)| Step::Trade([b, s], price, lots, fees)),
        3 => (0u64..30_000, 1u32..90, 0u64..12_000).prop_map(|(t, p, age)| Step::Sample(t, p, age)),
        1 => (0usize..3, prop::option::of(0usize..3)).prop_map(|(a, b)| Step::Payout(a, b)),
    ]
}

/// The model with everything that a rule asks: time, orders, samples.
struct History {
    model: Model,
    now: u64,
    /// Lots that each holder has bought and sold by its orders.
    used: [[u64; 2]; 3],
    samples: Vec<(u32, u64)>,
}

impl History {
    /// Whether the step is allowed; it has happened then.
    fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Trade([b, s], price, lots, fees) => {
                let left = self.used[b][0] + lots <= 1_000 && self.used[s][1] + lots <= 1_000;
                if b == s || self.now >= EXPIRY || lots == 0 || !left || fees.iter().any(|f| *f > 2_000) {
                    return false;
                }
                let kept = (self.model.positions, self.model.money);
                self.model.trade([b, s], price, lots, fees);
                if self.model.money.iter().flatten().any(|m| *m < 0) {
                    (self.model.positions, self.model.money) = kept;
                    return false;
                }
                self.used[b][0] += lots;
                self.used[s][1] += lots;
                true
            }
            Step::Sample(time, price, age) => {
                self.now += time;
                let of = self.now.saturating_sub(age);
                let due = self.samples.last().map_or(EXPIRY, |(_, last)| last + 10_000);
                let allowed = self.now >= EXPIRY && self.samples.len() < 2 && of >= due;
                if allowed {
                    self.samples.push((price, of));
                }
                allowed
            }
            Step::Payout(a, b) => {
                let whom = [Some(a), b.filter(|b| *b != a)];
                let [first, second] = match self.samples.as_slice() {
                    [(p, _), (q, _)] => [*p, *q],
                    _ => return false,
                };
                if whom.iter().flatten().any(|w| self.model.positions[*w] == 0) {
                    return false;
                }
                whom.iter().flatten().for_each(|w| self.model.claim(*w, (first + second) / 2));
                true
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn histories_agree_with_the_model(legs in legs(), steps in prop::collection::vec(steps(), 1..24)) {
        let mut world = World::new(series(legs));
        let model = Model { series: series(legs), positions: [0; 3], money: world.balances() };
        let mut history = History { model, now: 1, used: [[0; 2]; 3], samples: Vec::new() };
        for step in steps {
            let allowed = history.step(step);
            let got = match step {
                Step::Trade(pair, price, lots, fees) => world.trade(pair, price, lots, fees),
                Step::Sample(_, price, age) => world.observe(history.now, price, history.now.saturating_sub(age)),
                Step::Payout(a, b) => {
                    let mut whom = Vec::from([a]);
                    whom.extend(b.filter(|b| *b != a));
                    world.claim(&whom)
                }
            };
            prop_assert_eq!(got.is_ok(), allowed, "{:?}: {:?}", step, got);
            prop_assert_eq!(world.balances(), history.model.money, "{:?}", step);
        }
    }
}

#[test]
fn a_written_call_is_traded_bought_back_and_paid() {
    let mut world = World::new(series([call(20, false), None]));
    world.trade([0, 1], 3, 10, [0, 0]).unwrap(); // 4 writes to 3
    let units = |micros: [i128; 2]| micros.map(|m| m / 1_000_000);
    assert_eq!(units(world.balances()[3]), [300, 0]);
    world.trade([2, 0], 4, 6, [0, 0]).unwrap(); // 3 passes 6 lots on to 5
    assert_eq!(units(world.balances()[3]), [300, 0]);
    world.trade([1, 0], 5, 4, [0, 0]).unwrap(); // 4 buys 4 lots back
    assert_eq!(units(world.balances()[3]), [180, 0]);
    world.observe(EXPIRY, 24, EXPIRY).unwrap();
    assert_eq!(world.claim(&[1, 2]), broken(rule::NO_PRICE));
    world.observe(EXPIRY + 15_000, 26, EXPIRY + 10_000).unwrap();
    let receipt = world.sim.history().last().unwrap();
    assert_eq!((receipt.events[0].topic, receipt.events[0].felts()), (SETTLED, &[25, 0][..]));
    world.claim(&[1, 2]).unwrap();
    // 6 lots of 30 units at (25 - 20) / 25
    assert_eq!(units(world.balances()[2]), [100_000 + 36, 100_000 - 48]);
    assert_eq!(world.balances()[3], [0, 0]);
    assert_eq!(world.claim(&[2]), broken(rule::POSITION));
    // all of it is one run of the guest
    let run = world.sim.guest_run(&[1; 8]).unwrap();
    let outcome = world.sim.replay(&run).unwrap();
    assert_eq!(outcome.events.len(), 1);
    assert_ne!(outcome.digest, run.digest);
    let mut events = tsz_ext_sdk::Events::default();
    outcome.events.iter().for_each(|event| events.push(absorb, event));
    assert_eq!(outcome.digest, run.digest_with(&events));
}

#[test]
fn a_double_win_pays_on_both_sides() {
    for (price, gain) in [(10, [0, 2 * 5 * 10]), (15, [0, 0]), (30, [10 * 10, 0])] {
        let mut world = World::new(series([put(15, false), call(20, false)]));
        world.trade([0, 1], 0, 10, [0, 0]).unwrap();
        world.observe(EXPIRY, price, EXPIRY).unwrap();
        world.observe(EXPIRY + 10_000, price, EXPIRY + 10_000).unwrap();
        world.claim(&[0, 1]).unwrap();
        let start = 100_000;
        assert_eq!(world.balances()[0].map(|m| m / 1_000_000 - start), gain, "at {price}");
        assert_eq!(world.balances()[1].map(|m| m / 1_000_000 - start), gain.map(|g| -g), "at {price}");
    }
}

#[test]
fn spreads_need_no_more_than_their_width() {
    let held = |legs| flat(&series(legs).collateral()).map(|side| side.map(|m| m / 1_000_000));
    // 30 units a lot, 2 units a tick
    assert_eq!(held([call(20, false), None]), [[0, 0], [30, 0]]);
    assert_eq!(held([put(20, true), None]), [[0, 40], [0, 0]]);
    assert_eq!(held([call(20, false), call(25, true)]), [[0, 0], [6, 0]]);
    assert_eq!(held([call(20, true), call(25, false)]), [[6, 0], [0, 0]]);
    assert_eq!(held([put(25, false), put(20, true)]), [[0, 0], [0, 10]]);
    assert_eq!(held([put(20, false), put(25, true)]), [[0, 10], [0, 0]]);
    assert_eq!(held([call(20, false), call(25, false)]), [[0, 0], [60, 0]]);
    // a risk reversal: the buyer owes the put, the seller the call
    assert_eq!(held([call(25, false), put(20, true)]), [[0, 40], [30, 0]]);
}

#[test]
fn prices_are_sampled_after_expiry_and_apart() {
    let mut world = World::new(series([call(20, false), None]));
    world.trade([0, 1], 3, 10, [0, 0]).unwrap();
    assert_eq!(world.observe(EXPIRY - 1, 25, EXPIRY), broken(rule::NOT_EXPIRED));
    assert_eq!(world.observe(EXPIRY + 5, 25, EXPIRY - 1), broken(rule::EARLY_PRICE));
    world.observe(EXPIRY + 5, 25, EXPIRY + 3).unwrap();
    // the same price again, and one too near
    assert_eq!(world.observe(EXPIRY + 20_000, 25, EXPIRY + 3), broken(rule::EARLY_PRICE));
    assert_eq!(world.observe(EXPIRY + 20_000, 99, EXPIRY + 10_002), broken(rule::EARLY_PRICE));
    world.observe(EXPIRY + 20_000, 27, EXPIRY + 10_003).unwrap();
    assert_eq!(world.observe(EXPIRY + 90_000, 99, EXPIRY + 80_000), broken(rule::HAS_PRICE));
    assert_eq!(world.trade([0, 1], 3, 10, [0, 0]), broken(rule::EXPIRED));
}

#[test]
fn a_settled_market_gives_the_rest_of_the_samples() {
    let mut world = World::new(series([put(20, false), None]));
    world.trade([0, 1], 0, 1, [0, 0]).unwrap();
    world.observe(EXPIRY, 10, EXPIRY).unwrap();
    world.sim.set_prices(MARKET, 15, 17, 5, true);
    let args = host::observe(&world.series, 0);
    world.send(&[], &args).unwrap();
    world.claim(&[0]).unwrap();
    // the mean of 10 and 16
    assert_eq!(world.balances()[0][1], (100_000 + 2 * 7) * 1_000_000);
}

#[test]
fn orders_bind_the_operator() {
    let mut world = World::new(series([call(20, false), None]));
    assert_eq!(world.trade([0, 1], 3, 0, [0, 0]), broken(order::rule::FILLED));
    assert_eq!(world.trade([0, 1], 3, 10, [2_001, 0]), broken(order::rule::FEE));
    assert_eq!(world.trade([0, 1], 3, 10, [0, 2_001]), broken(order::rule::FEE));
    world.orders[0][0] = world.order(3, 1, false, Some(10));
    world.orders[1][1] = world.order(4, 2, true, Some(8));
    assert_eq!(world.trade([0, 1], 11, 10, [0, 0]), broken(order::rule::PRICE));
    assert_eq!(world.trade([0, 1], 7, 10, [0, 0]), broken(order::rule::PRICE));
    world.trade([0, 1], 9, 999, [0, 0]).unwrap();
    assert_eq!(world.trade([0, 1], 9, 2, [0, 0]), broken(order::rule::FILLED));
    world.trade([0, 1], 9, 1, [0, 0]).unwrap();
    assert_eq!(world.trade([0, 1], 9, 1, [0, 0]), broken(order::rule::FILLED));
    // every word of an order is signed
    for word in 0..ORDER_WORDS {
        let kept = world.orders[2][0];
        world.orders[2][0][word] ^= 1;
        let refused = world.trade([2, 1], 9, 1, [0, 0]);
        assert_eq!(refused, Err(ExtReject::Program(Fault::Terms)), "{word}");
        world.orders[2][0] = kept;
    }
    // a revoked order
    world.sim.revoke(&approver(5, 0, 1));
    assert_eq!(world.trade([2, 0], 9, 1, [0, 0]), Err(ExtReject::Program(Fault::NotApproved)));
    // the same words again are a new order, whose lots count anew
    world.orders[0][0] = world.order(3, 1, false, Some(10));
    world.orders[1][1] = world.order(4, 2, true, Some(8));
    world.trade([0, 1], 9, 5, [0, 0]).unwrap();
    // an order of a holding that was replaced
    let terms = host::holder(&world.subject);
    world.sim.approve(3, 0, 0, &terms, &[(QUOTE, 1_000)]);
    assert_eq!(world.trade([0, 1], 9, 1, [0, 0]), broken(order::rule::HOLDING));
}

#[test]
fn malicious_arguments_are_refused() {
    let mut world = World::new(series([call(20, false), None]));
    let (bid, ask) = (world.side(0, false, 0), world.side(1, true, 0));
    let honest = host::trade(&world.series, 0, [&bid, &ask], 3, 10);
    let kept = world.balances();
    let mut refuse = |args: &[u32]| {
        let refused = world.send(&[0, 1], args);
        assert!(refused.is_err(), "{args:?}");
        assert_eq!(world.balances(), kept);
        refused.unwrap_err()
    };
    // sides swapped, one side twice, the vault as a side, another vault
    let [b, s] = [&bid, &ask];
    refuse(&host::trade(&series([call(20, false), None]), 0, [s, b], 3, 10));
    let same = (1, 2, 0, ask.3);
    let refused = refuse(&host::trade(&series([call(20, false), None]), 0, [b, &same], 3, 10));
    assert_eq!(refused, ExtReject::Program(Fault::Rule(rule::PARTIES)));
    refuse(&host::trade(&series([call(20, false), None]), 0, [&(0, 1, 0, bid.3), s], 3, 10));
    for vault in [1, 2, 3, u32::MAX >> 4] {
        refuse(&host::trade(&series([call(20, false), None]), vault, [b, s], 3, 10));
    }
    // every word of the series, of the places and slots, of the orders; price and lots are the operator's
    for word in (0..honest.len()).filter(|w| ![20, 21, 22].contains(w)) {
        for change in [1, 1 << 5, 1 << 24] {
            let mut args = honest.clone();
            args[word] ^= change;
            if args[word] != honest[word] && !(matches!(word, 16 | 19) && change < 2_001) {
                refuse(&args);
            }
        }
    }
    for len in 0..honest.len() {
        refuse(&honest[..len]);
    }
    refuse(&[&honest[..], &[0]].concat());
    // the honest one still works
    world.send(&[0, 1], &honest).unwrap();
}

#[test]
fn limits_bind_the_program() {
    let mut world = World::new(series([call(20, false), None]));
    let terms = host::holder(&world.subject);
    world.sim.approve(4, 0, 0, &terms, &[(BASE, 29)]);
    world.orders[1][1] = world.order(4, 2, true, None);
    let refused = world.trade([0, 1], 3, 1, [0, 0]);
    assert!(matches!(refused, Err(ExtReject::OverLimit { limit: 29_000_000, .. })), "{refused:?}");
}

#[test]
fn another_vault_has_another_series() {
    // a thief makes a series of his own that names the vault of another one
    let mut world = World::new(series([call(20, false), None]));
    world.trade([0, 1], 3, 10, [0, 0]).unwrap();
    world.series = series([call(1, false), None]);
    let args = host::claim(&world.series, 0);
    assert_eq!(world.send(&[0], &args), Err(ExtReject::Program(Fault::Terms)));
    // and the key of the vault's price is written by no other party
    assert!(world.sim.plan(&[], &args).is_err());
    let price = Key::approval(VAULT, 1, 3, 8);
    assert_eq!(price.as_approval(), Some((VAULT, 1, 3, 8)));
}

#[test]
fn fixture_is_what_the_ledger_makes() {
    let mut world = World::new(series([call(20, false), put(15, false)]));
    world.trade([0, 1], 3, 10, [500, 700]).unwrap(); // written
    world.trade([2, 0], 4, 6, [500, 700]).unwrap(); // passed on
    world.trade([1, 0], 5, 4, [500, 700]).unwrap(); // bought back
    world.observe(EXPIRY, 24, EXPIRY).unwrap();
    world.observe(EXPIRY + 15_000, 26, EXPIRY + 10_000).unwrap();
    world.claim(&[1, 2]).unwrap();
    super::check_fixture("options", &world.sim);
}
