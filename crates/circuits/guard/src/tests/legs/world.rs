//! A system with approvals, collateral and markets, and operations with legs: honest ones, and ones that no guard saw.

use tsz_air::{Violation, check};
use tsz_ext::{Crossing, ExtContext, ExtOp, ExtReject, Extension, LimitCell, Margin, Native, key};
use tsz_ext_sdk::{Fault, Leg, Op, cell};
use tsz_hash::PrimeField32;
use tsz_ledger::{BalCell, Cell, Key, Leaf, MkfCell, MkoCell, MkpCell, PosCell, Realm, SubCell};
use tsz_margin::Heights;
use tsz_stark::Profile;
use tsz_stf::{Log, MemView, Trusted, View};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, MarginRules, Params};
use tsz_types::*;

use super::super::world::{
    self as plain, World as Plain, account, f, limit, place, program, secret, slot, sub,
};
use crate::class::Class;
use crate::margin::{MarginClass, MarginWitness, margin_public_values};
use crate::record::ExtensionRecord;
use crate::trace::MarginRows;
use crate::witness::WitnessError;

pub use super::super::world::{MICROS, TIME};

/// Enough for a few operations.
pub const TINY: MarginClass = MarginClass {
    plain: Class {
        name: "tiny",
        operations: 6,
        parties: 6,
        cells: 7,
        limits: 6,
        money: 7,
        journal: 9,
        tuple: 10,
    },
    legs: 6,
    crossings: 6,
    margin: Heights {
        markets: 6,
        rules: 6,
        collateral: 6,
        prices: 6,
        settles: 6,
        positions: 6,
        judges: 6,
        ratios: 6,
        worths: 6,
        tokens: 6,
    },
    poseidon2: &[10, 7],
};

fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
}
fn rate(n: i32) -> Rate {
    Rate::new(n).unwrap()
}

fn perp(qm: u32, status: Status, tiers: &[(u128, u16, u16, u16)]) -> PerpMarket {
    let tier = |(bound, imf, mmf, cmf): &(u128, u16, u16, u16)| TierParams {
        bound: Notional::new(*bound).unwrap(),
        imf: fraction(*imf),
        mmf: fraction(*mmf),
        cmf: fraction(*cmf),
    };
    PerpMarket {
        status,
        qm: QuoteMultiplier::new(qm).unwrap(),
        tiers: tiers.iter().map(tier).collect(),
        taker_cap: rate(2_000),
        maker_cap: rate(1_000),
        liquidation_fee: rate(10_000),
        oi_cap: Notional::new(1 << 71).unwrap(),
        funding: FundingConfig { rate: rate(-100), small: 500, big: 40_000 },
        feed: [f(qm); 8],
        forced_band: fraction(500),
    }
}

/// Market 0: three tiers, 1: multiplier 10, 2: reduce-only, 3: closed, 4: settling, 5: a large multiplier.
pub fn params() -> Params {
    let tiers =
        [(1_000_000, 1_000, 500, 300), (5_000_000, 2_000, 1_000, 600), (20_000_000, 5_000, 2_500, 1_500)];
    let one = [(1 << 71, 1_200, 700, 300)];
    let mut signers: Vec<_> = (0..3).map(|k| secret(k).public_key().key_id()).collect();
    signers.sort_by_key(|id| id.map(|felt| felt.as_canonical_u32()));
    Params {
        perps: vec![
            perp(1, Status::Open, &tiers),
            perp(10, Status::Open, &tiers[..2]),
            perp(3, Status::ReduceOnly, &tiers),
            perp(3, Status::Closed, &tiers),
            perp(7, Status::Settling, &tiers),
            perp((1 << 20) - 3, Status::Open, &one),
        ],
        spots: Vec::new(),
        oracle: OracleParams {
            signers,
            quorum: 2,
            max_age: 60_000,
            max_deviation: fraction(1_000),
            delta: 5_000,
        },
        collateral: vec![CollateralParams {
            token: TokenId::new(plain::BASE).unwrap(),
            haircut: fraction(9_000),
            market: MarketId::new(0).unwrap(),
            units_per_lot: 10,
        }],
    }
}

/// Accounts 2, 3 and 4 with slots 0, 1 and 6 and limits of 90,000 quote units for positions, in places 1, 2 and 0. The
/// first two may let go 100 units of the balance too.
#[derive(Clone)]
pub struct World {
    pub w: Plain,
    /// Parameters that are proven.
    pub params: Params,
}

/// Positions, as a POLICY names them.
pub const POSITIONS: u32 = plain::POSITIONS as u32 + 1;

pub const BOTH: [(u32, u8); 2] = [(2, 0), (3, 1)];
pub const ALL: [(u32, u8); 3] = [(2, 0), (3, 1), (4, 6)];

/// What a party is asked: lots and millionths of cash.
pub type Asked = (i64, i128);

/// Sets what its arguments say: key and value, ten words each.
fn scripted(op: &mut Op<'_>) -> Result<(), Fault> {
    for word in op.args().chunks_exact(10) {
        let leaf = core::array::from_fn(|k| word[2 + k]);
        op.set(tsz_ext_sdk::Key { hi: word[0], lo: word[1] }, &leaf)?;
    }
    Ok(())
}

/// The cell of a leg.
pub fn leg_cell(n: u32, place: u8, market: u32, (lots, cash): Asked) -> (Key, Leaf) {
    let leaf = Leg { market, lots, cash }.to_leaf().unwrap().map(f);
    (leg_key(n, place), leaf)
}

pub fn leg_key(n: u32, place: u8) -> Key {
    let number = cell::APPROVAL + cell::SLOT_CELLS * u32::from(place) + cell::LEG;
    Key::user(Realm::Private, n, 0, number)
}

impl World {
    pub fn new() -> Self {
        let params = params();
        params.validate().unwrap();
        let mut w = Plain::new();
        w.context.params = params.hash();
        let positions = limit(plain::POSITIONS, 90_000);
        w.approve(2, 0, &[limit(plain::QUOTE, 100), positions]);
        w.approve(3, 1, &[limit(plain::QUOTE, 100), limit(plain::BASE, 100), positions]);
        w.approve(4, 6, &[positions]);
        let mut world = Self { w, params };
        for n in 2..6 {
            world.set_collateral(n, 50_000 * MICROS);
        }
        for m in 0..6 {
            world.set_price(m, 1_000, TIME - 1_000);
            world.set_funding(m, 0);
        }
        world
    }

    pub fn view(&self) -> &MemView {
        &self.w.view
    }

    pub fn set_price(&mut self, m: u32, ticks: u32, price_ts: u64) {
        let cell = MkpCell { index: ticks, mark: ticks, price_ts, settled: false };
        self.w.view.set(Key::mkp(m), cell.to_leaf());
    }

    pub fn set_funding(&mut self, m: u32, funding: i64) {
        let hour = (TIME / HOUR_MS) as u32;
        let cell = MkfCell { funding: FundingIndex::new(funding).unwrap(), hour };
        self.w.view.set(Key::mkf(m), cell.to_leaf());
    }

    pub fn sub(&self, n: u32) -> SubCell {
        SubCell::from_leaf(&self.w.view.get(Key::sub(n, 0))).unwrap()
    }

    pub fn set_collateral(&mut self, n: u32, micros: i128) {
        let cell = SubCell { collateral: Collateral::new(micros).unwrap(), ..self.sub(n) };
        self.w.view.set(Key::sub(n, 0), cell.to_leaf());
    }

    /// A position against somebody far away.
    pub fn hold(&mut self, n: u32, m: u32, size: i64, funding: i64) {
        let pos = PosCell::new(size, FundingIndex::new(funding).unwrap()).unwrap();
        self.w.view.set(Key::pos(n, 0, m), pos.to_leaf());
        let cell = self.sub(n);
        self.w.view.set(Key::sub(n, 0), SubCell { pos_count: cell.pos_count + 1, ..cell }.to_leaf());
        let cell = MkoCell::from_leaf(&self.w.view.get(Key::mko(m))).unwrap();
        let open_interest = cell.open_interest + 2 * size.unsigned_abs();
        self.w.view.set(Key::mko(m), MkoCell { open_interest, ..cell }.to_leaf());
    }

    /// Where the limit of positions of 2 or 3 lies.
    pub fn positions_limit(n: u32) -> Key {
        key::limit(account(n), sub(0), slot(n as u8 - 2), n - 1)
    }

    /// That limit holds anything.
    pub fn unlimited(&mut self, n: u32) {
        let index = Self::positions_limit(n);
        let all = LimitCell { limit: Balance::new((1 << 96) - 1).unwrap(), used: Balance::MIN };
        self.w.view.set(index, all.to_leaf());
    }

    pub fn set_margin(&mut self, n: u32, micros: u128) {
        let cell = BalCell { balance: Balance::new(micros).unwrap() };
        self.w.view.set(Key::mbal(n, 0, 0), cell.to_leaf());
        let cell = self.sub(n).with(0, micros != 0);
        self.w.view.set(Key::sub(n, 0), cell.to_leaf());
    }

    pub fn operation(
        &self,
        parties: &[(u32, u8)],
        market: u32,
        legs: &[Asked],
        others: &[(Key, Leaf)],
        reads: &[Key],
    ) -> Extension {
        let legs = parties.iter().zip(legs).filter(|(_, leg)| leg.0 != 0);
        let legs = legs.map(|((n, place), leg)| leg_cell(*n, *place, market, *leg));
        let sets: Vec<_> = legs.chain(others.iter().copied()).collect();
        self.w.operation(parties, &sets, reads)
    }

    /// Applies an operation by the native guard and records it.
    pub fn try_apply(&mut self, op: Extension) -> Result<(), ExtReject> {
        let programs = [(op.program, scripted as tsz_ext_sdk::Program)];
        let margin = &MarginRules { params: &self.params };
        let ctx =
            ExtContext { batch: &self.w.context, programs: &Native(&programs), verifier: &Trusted, margin };
        let accesses = tsz_ext::apply(&self.w.view, &ctx, &ExtOp::Extension(op.clone()))?;
        self.w.view.commit(&accesses);
        self.w.index += 1;
        self.w.records.push(ExtensionRecord { index: self.w.index, op, accesses });
        Ok(())
    }

    pub fn apply(&mut self, parties: &[(u32, u8)], market: u32, legs: &[Asked]) {
        let op = self.operation(parties, market, legs, &[], &[]);
        self.try_apply(op).expect("the guard accepts the operation");
    }

    /// Records an operation as if the guard had accepted it under `rules`: legs are carried out as those say, balances
    /// and positions charged to their limits, nothing else is judged. `None` where those rules refuse.
    pub fn forge(
        &mut self,
        op: Extension,
        market: u32,
        legs: &[(usize, Asked)],
        rules: &Params,
    ) -> Option<()> {
        self.forge_into(op, market, legs, rules, POSITIONS)
    }

    /// [`World::forge`] with legs charged to the limit of token `pot` - 1.
    pub fn forge_into(
        &mut self,
        op: Extension,
        market: u32,
        legs: &[(usize, Asked)],
        rules: &Params,
        pot: u32,
    ) -> Option<()> {
        let mut log = Log::new(&self.w.view);
        for party in &op.parties {
            let (a, s, k) = (party.account, party.sub, party.slot);
            for key in [key::program(a, s, k), key::terms(a, s, k), key::policy(a, s, k)] {
                let _ = log.read(key);
            }
        }
        let words: Vec<u32> = op.args.clone();
        for touch in &op.cells {
            let key = Key::new(touch.key).unwrap();
            let set = words.chunks_exact(10).find(|x| (x[0], x[1]) == (key.hi(), key.lo()));
            match set {
                Some(word) if touch.write => log.write(key, core::array::from_fn(|k| f(word[2 + k]))),
                _ => drop(log.read(key)),
            }
        }
        let crossing = |(party, (lots, cash)): &(usize, Asked)| {
            let who = op.parties[*party];
            Crossing { account: who.account, sub: who.sub, lots: *lots, cash: *cash }
        };
        let crossings: Vec<_> = legs.iter().map(crossing).collect();
        let id = MarketId::new(market as u8).unwrap();
        let rules = MarginRules { params: rules };
        let changes = match crossings.as_slice() {
            [] => Vec::new(),
            crossings => rules.cross(&mut log, self.w.context.time, id, crossings).ok()?,
        };
        for (number, who) in op.parties.iter().enumerate() {
            let (a, s, k) = (who.account, who.sub, who.slot);
            let policy = self.w.view.get(key::policy(a, s, k));
            let moved = legs.iter().zip(&changes).find(|((party, _), _)| *party == number);
            for (index, token) in policy[3..7].iter().map(PrimeField32::as_canonical_u32).enumerate() {
                let bal = token.checked_sub(1).map(|token| Key::bal(a.get(), s.get().into(), token));
                let written = |key| log.accesses().iter().find(|x| x.key == key && x.write).copied();
                let paid = bal.filter(|_| token < POSITIONS).and_then(written).map(|x| {
                    let [old, new] = [x.old, x.new].map(|leaf| tsz_gadgets::magnitude(&leaf) as i128);
                    new - old
                });
                let risked = moved.filter(|_| token == pot).map(|(_, change)| *change);
                if paid.is_none() && risked.is_none() {
                    continue;
                }
                let change = paid.unwrap_or(0) + risked.unwrap_or(0);
                let key = key::limit(a, s, k, index as u32);
                let cell = LimitCell::from_leaf(&log.peek(key)).unwrap();
                let used = Balance::new((cell.used.get() as i128 - change).max(0) as u128).unwrap();
                log.write(key, LimitCell { used, ..cell }.to_leaf());
            }
        }
        let accesses = log.into_accesses();
        self.w.index += 1;
        self.w.records.push(ExtensionRecord { index: self.w.index, op, accesses });
        Some(())
    }

    pub fn witness(&self) -> Result<MarginWitness, WitnessError> {
        let start = self.w.context.digest();
        let context = &self.w.context;
        MarginWitness::new(&TINY, context, &self.params, program(), &self.w.records, [start, start])
    }

    /// Where a lie is noticed: `table` of a broken constraint, or `bus:name`.
    pub fn verdict(&self) -> String {
        self.witness().map_or("witness".into(), |witness| place(judge(&witness)))
    }

    /// [`World::verdict`] after rows were changed, with all lookups made anew.
    pub fn verdict_with(&self, change: impl Fn(&mut MarginRows<'_>)) -> String {
        let context = &self.w.context;
        let mut rows = MarginRows::of(context, &self.params, &self.w.records).unwrap();
        change(&mut rows);
        let starts = [context.digest(); 2];
        let records = &self.w.records;
        let witness =
            MarginWitness::assemble(&TINY, (context, &self.params), program(), records, starts, rows);
        place(judge(&witness.unwrap()))
    }

    /// [`World::verdict`] under other parameters, which the context names.
    pub fn under(&self, change: impl Fn(&mut Params)) -> String {
        let mut world = self.clone();
        change(&mut world.params);
        world.w.context.params = world.params.hash();
        world.verdict()
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &MarginWitness) -> Result<(), Violation> {
    let publics = margin_public_values(&witness.claim, witness.traces.len());
    check(&TINY.circuit(Profile::Base).airs, &witness.traces, &publics)
}

/// Opens, adds, reduces, closes, flips, by two and three parties; funding due; margin tokens; positions elsewhere; an
/// unhealthy party; large numbers; balances, storage and fees beside legs; operations without legs.
pub fn every_operation() -> World {
    let mut w = World::new();
    let price = |n: i64| (n, -i128::from(n) * 1_000 * MICROS);
    w.apply(&BOTH, 0, &[price(10), price(-10)]);
    w.set_funding(0, 123_456_789);
    w.hold(3, 2, -20, 77);
    w.set_collateral(3, 120_000 * MICROS);
    w.set_margin(4, 5_000_000_007);
    w.apply(&ALL, 0, &[price(5), price(-12), price(7)]);
    w.apply(&BOTH, 0, &[(-4, 4_100 * MICROS), (4, -4_100 * MICROS)]); // reduce
    w.set_funding(0, -(1 << 28));
    w.apply(&BOTH, 0, &[price(-20), price(20)]); // flip both
    w.apply(&[(3, 1), (4, 6)], 1, &[(1, -10_123_456_789), (-1, 10_123_456_789)]);
    w.set_funding(1, -5);
    let op = w.operation(
        &ALL,
        1,
        &[(0, 0), (-1, 10_000 * MICROS), (1, -10_000 * MICROS)],
        &[w.w.moved(2, 0, plain::QUOTE, -7), w.w.moved(0, 0, plain::QUOTE, 7), plain::stored(4, 6, 3, 9, 1)],
        &[Key::HEAD, Key::mkp(3), Key::pos(4, 0, 1)],
    );
    w.try_apply(op).unwrap(); // close, beside a fee of another party
    let moved = [w.w.moved(2, 0, plain::QUOTE, -9), w.w.moved(3, 0, plain::QUOTE, 9)];
    let op = w.operation(&BOTH, 0, &[], &moved, &[]);
    w.try_apply(op).unwrap(); // no legs
    // 3 is between the requirements, and reduces
    w.set_collateral(3, 62_000 * MICROS);
    w.apply(&BOTH, 0, &[price(2), price(-2)]);
    // large numbers, and limits that hold them
    w.set_price(5, 3_000_000, TIME);
    w.set_funding(5, 5);
    for n in [2, 3] {
        w.set_collateral(n, 1 << 92);
        w.unlimited(n);
    }
    w.apply(&BOTH, 5, &[(9_000, -(1 << 90) - 5), (-9_000, (1 << 90) + 5)]);
    w
}
