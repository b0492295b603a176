//! A small system with accounts that lack margin, and a range of ops in the making.

use tsz_air::{Violation, check};
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_ledger::{
    BalCell, BatchContext, Cell, Key, L1InCell, MkfCell, MkoCell, MkpCell, MkrCell, PosCell, SubCell,
    SystemId,
};
use tsz_risk::{Margin, Position, adl};
use tsz_stark::Profile;
use tsz_stf::{MemView, Trusted, View};
use tsz_trade::ops::{Adl, AdlRank, ForceLiquidate};
use tsz_trade::params::*;
use tsz_trade::{
    HOUR_MS, Party, Side, TradeCode, TradeContext, TradeOp, TradeReceipt, TradeReject, apply_with, invariants,
};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::DeleverageRecord;
use crate::witness::{Witness, WitnessError};

pub const SMALL: Class = CLASSES[0];
/// Room for some ops: the same tables, of which those of the sponge are lower. What is checked row by row does not depend on
/// heights.
const TINY: Class = Class { tuple: 9, poseidon2: 10, ..SMALL };
pub const TIME: u64 = 480_000 * HOUR_MS + 0x12_3456;
pub const MARKETS: u8 = 3;
/// One quote unit.
pub const UNIT: i128 = 1_000_000;
/// Accounts that may hold something, with two sub-accounts each.
const ACCOUNTS: u32 = 40;
/// The holder of whatever the others do not hold: an able counterparty of the worst rank.
pub const WHALE: Party = Party { account: AccountId::MAX, sub: SubId::MAX };

pub fn f(x: u32) -> F {
    F::from_u32(x)
}

pub fn party(account: u32, sub: u8) -> Party {
    Party { account: AccountId::new(account).unwrap(), sub: SubId::new(sub).unwrap() }
}

pub fn market(m: u8) -> MarketId {
    MarketId::new(m).unwrap()
}

fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
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
        taker_cap: Rate::new(2_000).unwrap(),
        maker_cap: Rate::new(1_000).unwrap(),
        liquidation_fee: Rate::new(10_000).unwrap(),
        oi_cap: Notional::new(1 << 71).unwrap(),
        funding: FundingConfig { rate: Rate::new(-100).unwrap(), small: 500, big: 40_000 },
        feed: [f(qm); 8],
        forced_band: fraction(500),
    }
}

fn params() -> Params {
    let tiers =
        [(1_000_000, 1_000, 500, 300), (5_000_000, 2_000, 1_000, 600), (20_000_000, 5_000, 2_500, 1_500)];
    let collateral = CollateralParams {
        token: TokenId::new(5).unwrap(),
        haircut: fraction(9_000),
        market: market(1),
        units_per_lot: 1_000,
    };
    Params {
        perps: vec![
            perp(1, Status::Open, &tiers),
            perp(10, Status::ReduceOnly, &tiers[..2]),
            perp((1 << 20) - 3, Status::Open, &[(1 << 71, 900, 700, 600)]),
            perp(7, Status::Settling, &tiers[..1]),
        ],
        oracle: OracleParams { max_age: 60_000, ..Params::default().oracle },
        collateral: vec![collateral],
        ..Params::default()
    }
}

#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<DeleverageRecord>,
}

impl World {
    /// Prices of 1,000 ticks; insurance has nothing.
    pub fn new() -> Self {
        let params = params();
        params.validate().unwrap();
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let mut world = Self { view: MemView::from_leaves([]), params, context, records: Vec::new() };
        for m in 0..MARKETS {
            world.set_price(m, 1_000, TIME - 1_000);
            world.set_funding(m, 0);
        }
        world
    }

    pub fn set_price(&mut self, m: u8, ticks: u32, price_ts: u64) {
        let cell = MkpCell { index: ticks, mark: ticks, price_ts, settled: false };
        self.view.set(Key::mkp(m.into()), cell.to_leaf());
    }

    pub fn set_funding(&mut self, m: u8, funding: i64) {
        let hour = (TIME / HOUR_MS) as u32;
        let cell = MkfCell { funding: FundingIndex::new(funding).unwrap(), hour };
        self.view.set(Key::mkf(m.into()), cell.to_leaf());
    }

    pub fn sub(&self, who: Party) -> SubCell {
        SubCell::from_leaf(&self.view.get(who.sub_key())).unwrap()
    }

    pub fn size(&self, who: Party, m: u8) -> i64 {
        PosCell::from_leaf(&self.view.get(who.pos_key(market(m)))).unwrap().size()
    }

    pub fn mko(&self, m: u8) -> MkoCell {
        MkoCell::from_leaf(&self.view.get(Key::mko(m.into()))).unwrap()
    }

    pub fn set_mko(&mut self, m: u8, cell: MkoCell) {
        self.view.set(Key::mko(m.into()), cell.to_leaf());
    }

    pub fn mkr(&self, m: u8, side: Side, class: u8) -> MkrCell {
        MkrCell::from_leaf(&self.view.get(Key::mkr(m.into(), side as u32, class.into()))).unwrap()
    }

    pub fn give(&mut self, who: Party, micros: i128) {
        let cell = SubCell { collateral: Collateral::new(micros).unwrap(), ..self.sub(who) };
        self.view.set(who.sub_key(), cell.to_leaf());
    }

    pub fn give_margin(&mut self, who: Party, micros: u128) {
        let cell = BalCell { balance: Balance::new(micros).unwrap() };
        self.view.set(who.mbal_key(0), cell.to_leaf());
        self.view.set(who.sub_key(), self.sub(who).with(0, micros != 0).to_leaf());
    }

    /// Gives collateral so that TAV is this.
    pub fn set_tav(&mut self, who: Party, tav: i128) {
        let (now, collateral) = (self.margin(who).tav, self.sub(who).collateral.get());
        self.give(who, collateral + tav - now);
    }

    /// Sets a position that nobody traded, last settled at an index; open interest follows, one move is counted.
    pub fn hold(&mut self, who: Party, m: u8, size: i64, funding: i64) {
        let (before, cell) = (self.size(who, m), self.sub(who));
        let pos = PosCell::new(size, FundingIndex::new(funding).unwrap()).unwrap();
        self.view.set(who.pos_key(market(m)), pos.to_leaf());
        let pos_count = cell.pos_count + u8::from(before == 0) - u8::from(size == 0);
        self.view.set(who.sub_key(), SubCell { pos_count, ..cell }.to_leaf());
        let MkoCell { open_interest, moves } = self.mko(m);
        let open_interest = open_interest + size.unsigned_abs() - before.unsigned_abs();
        self.set_mko(m, MkoCell { open_interest, moves: moves + 1 });
    }

    /// Everybody who may hold something.
    pub fn everybody() -> Vec<Party> {
        (1..ACCOUNTS).flat_map(|a| [party(a, 0), party(a, 1)]).chain([WHALE]).collect()
    }

    /// The whale takes the other side of what the others hold.
    pub fn balance(&mut self, m: u8) {
        let sum: i64 = Self::everybody().iter().filter(|p| **p != WHALE).map(|p| self.size(*p, m)).sum();
        if self.size(WHALE, m) != -sum {
            self.hold(WHALE, m, -sum, 0);
        }
        self.give(WHALE, 1 << 80);
    }

    pub fn margin(&self, who: Party) -> Margin {
        invariants::margin(&self.view, &self.params, TIME, who).unwrap()
    }

    /// Loss class of closing the target.
    pub fn class(&self, target: Party, m: u8) -> Option<u8> {
        let mark = MkpCell::from_leaf(&self.view.get(Key::mkp(m.into()))).unwrap().mark;
        let risk = self.params.perps[usize::from(m)].risk(mark, 0);
        let position = Position { size: self.size(target, m), funding: 0 };
        adl::loss_class(&position, &risk, &self.margin(target)).unwrap()
    }

    /// All holders of the other side.
    pub fn holders(&self, target: Party, m: u8) -> Vec<Party> {
        let sign = self.size(target, m).signum();
        Self::everybody().into_iter().filter(|p| self.size(*p, m).signum() == -sign).collect()
    }

    /// A complete ranking of the other side in one page.
    pub fn rank(&self, target: Party, m: u8) -> AdlRank {
        let side = if self.size(target, m) > 0 { Side::Sell } else { Side::Buy };
        let (class, holders) = (self.class(target, m).unwrap_or(15), self.holders(target, m));
        AdlRank { market: market(m), side, class, restart: true, holders }
    }

    /// The counterparty that the ledger accepts, by the ranking that there is.
    pub fn adl(&self, target: Party, m: u8) -> Adl {
        let op = |counterparty| Adl { target, market: market(m), counterparty };
        let works = |op: &Adl| self.dry(op.clone()).is_ok();
        self.holders(target, m).into_iter().map(op).find(works).expect("somebody can be the counterparty")
    }

    pub fn force(&self, target: Party, m: u8, counterparty: Option<Party>) -> ForceLiquidate {
        let serial = L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap().next;
        let sender = EthAddress(core::array::from_fn(|k| 255 - k as u8));
        ForceLiquidate { serial, target, market: market(m), sender, counterparty }
    }

    pub fn dry(&self, op: impl Into<TradeOp>) -> Result<TradeReceipt, TradeReject> {
        self.clone().try_apply(op)
    }

    /// Applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: impl Into<TradeOp>) -> Result<TradeReceipt, TradeReject> {
        let op = op.into();
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        self.view.commit(&applied.accesses);
        self.records.push(DeleverageRecord { index, op, accesses: applied.accesses });
        Ok(applied.receipt)
    }

    pub fn apply(&mut self, op: impl Into<TradeOp>) -> TradeReceipt {
        self.try_apply(op).expect("the ledger accepts the op")
    }

    /// Ranks the other side and closes against the best.
    pub fn deleverage(&mut self, target: Party, m: u8) -> Party {
        self.apply(self.rank(target, m));
        let op = self.adl(target, m);
        self.apply(op.clone());
        op.counterparty
    }

    pub fn try_witness(&self) -> Result<Witness, WitnessError> {
        let of = |class: &Class| {
            Witness::new(class, &self.context, &self.params, &self.records, self.context.digest())
        };
        of(&TINY).or_else(|_| of(&SMALL))
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &Witness) -> Result<(), Violation> {
    check(&SMALL.circuit(Profile::Base).airs, &witness.traces, &public_values(&witness.claim))
}

/// Where a lie is noticed: `table` of a broken constraint, or `bus:name`.
pub fn verdict(world: &World) -> String {
    let Ok(witness) = world.try_witness() else { return "witness".into() };
    match judge(&witness) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

/// Account 2 is long 1,000 lots of market 0 and lacks 50,000; shorts are 3 with 400, 4 with 600, 4/1 with 5 and the whale.
pub fn bankrupt() -> World {
    let mut w = World::new();
    w.hold(party(2, 0), 0, 1_000, 70);
    w.hold(party(2, 0), 1, -3, 5);
    w.hold(party(3, 0), 0, -400, 9);
    w.hold(party(4, 0), 0, -600, 0);
    w.hold(party(4, 0), 1, 7, 9);
    w.hold(party(4, 1), 0, -5, 0);
    w.set_funding(0, 123);
    w.set_funding(1, -4_000);
    for m in 0..2 {
        w.balance(m);
    }
    w.set_tav(party(3, 0), 300_000 * UNIT);
    w.set_tav(party(4, 0), 200_000 * UNIT);
    w.set_tav(party(4, 1), 1);
    w.set_tav(party(2, 0), -50_000 * UNIT);
    w
}

/// Longs and shorts of every loss class, in several pages; holders that can and cannot bear it, of every score, with
/// tokens and other positions; insurance that lacks margin, is full, would outgrow its bounds, or is the target.
pub fn every_op() -> World {
    let mut w = bankrupt();
    w.give_margin(party(3, 0), 777_777_777);
    let target = party(2, 0);
    let all = w.rank(target, 0);
    for (k, page) in all.holders.chunks(2).enumerate() {
        w.apply(AdlRank { restart: k == 0, holders: page.to_vec(), ..all.clone() });
    }
    w.apply(AdlRank { restart: false, holders: vec![], ..all.clone() });
    let op = w.adl(target, 0);
    w.apply(op); // all that account 4 has
    w.deleverage(target, 0);
    // a target above zero: class 0
    w.hold(party(2, 1), 0, 300, 0);
    w.balance(0);
    w.set_tav(party(2, 1), UNIT);
    w.deleverage(party(2, 1), 0);
    // shorts, every class; insurance has a position that would grow, or shrink
    for (k, lack) in [0, 1, 40, 150, 600, 2_000, 9_000, 40_000, 600_000, 3_000_000].into_iter().enumerate() {
        let short = party(5, 0);
        w.hold(short, 0, -200, 123);
        w.hold(Party::INSURANCE, 0, [3, -3][k % 2], 5);
        w.balance(0);
        w.hold(party(6, 1), 0, 30, 0);
        w.balance(0);
        w.set_tav(party(6, 1), 10i128.pow(k as u32 + 4));
        w.set_tav(short, -lack * UNIT);
        w.set_tav(Party::INSURANCE, -1);
        w.deleverage(short, 0);
        w.hold(short, 0, 0, 0);
    }
    w.hold(Party::INSURANCE, 0, 0, 0);
    w.give_margin(Party::INSURANCE, 5);
    large_counterparty(&mut w);
    w.deleverage(party(5, 1), 0);
    w
}

/// Account 5/1 is short 5 lots and lacks something, 6/0 is long 500 and owes most of what they are worth, insurance has
/// nothing.
fn large_counterparty(w: &mut World) {
    w.hold(party(5, 1), 0, -5, 0);
    w.hold(party(6, 0), 0, 500, 0);
    w.balance(0);
    w.set_tav(party(6, 0), 100_000 * UNIT);
    w.set_tav(party(5, 1), -1);
    w.set_tav(Party::INSURANCE, 0);
}

/// Forced liquidations, one for each end.
pub fn every_force() -> World {
    let target = party(2, 0);
    let mut w = bankrupt();
    assert_eq!(w.forced(target, 4), TradeCode::NoMarket);
    assert_eq!(w.forced(party(0, 0), 255), TradeCode::NoMarket);
    assert_eq!(w.forced(target, 3), TradeCode::Settling);
    assert_eq!(w.forced(Party::INSURANCE, 0), TradeCode::Reserved);
    assert_eq!(w.forced(party(0, 7), 1), TradeCode::Reserved);
    assert_eq!(w.forced(target, 2), TradeCode::NoPosition);
    assert_eq!(w.forced(party(9, 3), 1), TradeCode::NoPosition);
    w.set_price(0, 1_000, TIME - 10_000_000);
    w.give_margin(party(4, 0), 8);
    assert_eq!(w.forced(party(4, 0), 1), TradeCode::NotBankrupt);
    // deleveraged in part
    w.hold(Party::INSURANCE, 1, 2, 5);
    w.apply(w.rank(target, 0));
    w.apply(w.adl_of_force(target, 0));
    large_counterparty(&mut w);
    w.apply(w.rank(party(5, 1), 0));
    w.apply(w.adl_of_force(party(5, 1), 0));
    // nobody is able
    w.give_margin(party(3, 0), 3);
    for p in w.holders(target, 0) {
        w.give(p, 0);
    }
    w.apply(w.rank(target, 0));
    assert_eq!(w.forced(target, 0), TradeCode::NoCounterparty);
    // insurance takes a short, adds a long and closes
    w.give(Party::INSURANCE, 1 << 70);
    w.hold(party(7, 0), 0, -50, 0);
    w.balance(0);
    w.set_tav(party(7, 0), -5);
    w.set_mko(0, MkoCell { moves: (1 << 24) - 1, ..w.mko(0) });
    assert_eq!(w.forced(party(7, 0), 0), TradeCode::Ok);
    w.hold(party(7, 1), 1, 5, 77);
    w.give_margin(party(7, 1), 1);
    w.balance(1);
    w.set_tav(party(7, 1), -5 * UNIT);
    assert_eq!(w.forced(party(7, 1), 1), TradeCode::Ok);
    // beyond all classes
    w.hold(party(8, 0), 0, 50, 0);
    w.balance(0);
    w.set_tav(party(8, 0), -100_000_000 * UNIT);
    w.set_tav(Party::INSURANCE, 0);
    assert_eq!(w.forced(party(8, 0), 0), TradeCode::NoCounterparty);
    w
}

impl World {
    /// Demands a liquidation for which no counterparty is named.
    pub fn forced(&mut self, target: Party, m: u8) -> TradeCode {
        self.apply(self.force(target, m, None)).code
    }

    /// The forced liquidation whose counterparty the ledger accepts.
    pub fn adl_of_force(&self, target: Party, m: u8) -> ForceLiquidate {
        let op = |counterparty| self.force(target, m, Some(counterparty));
        let works = |op: &ForceLiquidate| self.dry(op.clone()).is_ok();
        self.holders(target, m).into_iter().map(op).find(works).expect("somebody can be the counterparty")
    }
}

/// The ops of both, whose states have nothing in common.
pub fn everything() -> World {
    let mut w = every_op();
    for record in every_force().records {
        let index = w.records.len() as u32;
        w.records.push(DeleverageRecord { index, ..record });
    }
    w
}
