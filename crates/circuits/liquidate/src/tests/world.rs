//! A small system with accounts that lack margin, and a range of takeovers in the making.

use tsz_air::{Violation, check};
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_ledger::{BalCell, BatchContext, Cell, Key, MkfCell, MkoCell, MkpCell, PosCell, SubCell, SystemId};
use tsz_stark::Profile;
use tsz_stf::{MemView, Trusted, View};
use tsz_trade::ops::Takeover;
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, Party, TradeContext, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::LiquidateRecord;
use crate::witness::Witness;

pub const SMALL: Class = CLASSES[0];
pub const TIME: u64 = 480_000 * HOUR_MS + 0x12_3456;
const MARKETS: u8 = 3;

pub fn f(x: u32) -> F {
    F::from_u32(x)
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
        market: MarketId::new(1).unwrap(),
        units_per_lot: 1_000,
    };
    Params {
        perps: vec![
            perp(1, Status::Open, &tiers),
            perp(10, Status::ReduceOnly, &tiers[..2]),
            perp((1 << 20) - 3, Status::Open, &[(1 << 71, 900, 700, 600)]),
        ],
        oracle: OracleParams { max_age: 60_000, ..OracleParams::default() },
        collateral: vec![collateral],
        ..Params::default()
    }
}

#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<LiquidateRecord>,
}

impl World {
    pub fn new() -> Self {
        let params = params();
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let mut world = Self { view: MemView::from_leaves([]), params, context, records: Vec::new() };
        for m in 0..MARKETS {
            world.set_price(m, 1_000, TIME - 1_000);
            world.set_funding(m, 0);
        }
        world.set_collateral(1, 1 << 70);
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

    pub fn sub(&self, account: u32) -> SubCell {
        SubCell::from_leaf(&self.view.get(Key::sub(account, 0))).unwrap()
    }

    pub fn set_collateral(&mut self, account: u32, micros: i128) {
        let cell = SubCell { collateral: Collateral::new(micros).unwrap(), ..self.sub(account) };
        self.view.set(Key::sub(account, 0), cell.to_leaf());
    }

    pub fn set_margin(&mut self, account: u32, micros: u128) {
        let cell = BalCell { balance: Balance::new(micros).unwrap() };
        self.view.set(Key::mbal(account, 0, 0), cell.to_leaf());
        self.view.set(Key::sub(account, 0), self.sub(account).with(0, micros != 0).to_leaf());
    }

    /// A position that nobody traded: cells as if the other side were with an account far away.
    pub fn hold(&mut self, account: u32, m: u8, size: i64, funding: i64) {
        let pos = PosCell::new(size, FundingIndex::new(funding).unwrap()).unwrap();
        self.view.set(Key::pos(account, 0, m.into()), pos.to_leaf());
        let cell = self.sub(account);
        self.view.set(Key::sub(account, 0), SubCell { pos_count: cell.pos_count + 1, ..cell }.to_leaf());
        let cell = MkoCell::from_leaf(&self.view.get(Key::mko(m.into()))).unwrap();
        let open_interest = cell.open_interest + 2 * size.unsigned_abs();
        self.view.set(Key::mko(m.into()), MkoCell { open_interest, ..cell }.to_leaf());
    }

    pub fn op(&self, account: u32, m: u8, lots: u64) -> Takeover {
        let target = Party { account: AccountId::new(account).unwrap(), sub: SubId::MIN };
        Takeover { target, market: MarketId::new(m).unwrap(), lots: Lots::new(lots).unwrap() }
    }

    /// Applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: Takeover) -> Result<(), TradeReject> {
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op.clone().into(), &Trusted)?;
        self.view.commit(&applied.accesses);
        self.records.push(LiquidateRecord { index, op: op.into(), accesses: applied.accesses });
        Ok(())
    }

    pub fn apply(&mut self, account: u32, m: u8, lots: u64) {
        self.try_apply(self.op(account, m, lots)).expect("the ledger accepts the takeover");
    }

    pub fn try_witness(&self) -> Result<Witness, crate::WitnessError> {
        Witness::new(&SMALL, &self.context, &self.params, &self.records, self.context.digest())
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &Witness) -> Result<(), Violation> {
    let publics = public_values(&witness.claim, witness.traces.len());
    check(&SMALL.circuit(Profile::Base).airs, &witness.traces, &publics)
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

/// Longs and shorts, bankrupt or nearly, in parts and whole, with funding, other positions and margin tokens; insurance
/// that opens, adds, reduces, closes and flips, and whose own feed is old.
pub fn every_takeover() -> World {
    let mut w = World::new();
    w.set_price(2, 1_000, TIME - 10_000_000);
    w.hold(1, 2, 1, 5);
    w.hold(2, 0, 2_000, 70);
    w.set_collateral(2, -1_990_000_000_000);
    w.apply(2, 0, 300); // below CMR: insurance opens
    w.set_funding(0, 123_456_789);
    w.apply(2, 0, 1); // the least, adds
    w.apply(2, 0, 999);
    w.hold(3, 0, -4_000, 70);
    w.hold(3, 1, 7, 9);
    w.set_margin(3, 777_777_777);
    w.set_collateral(3, 3_000_000_000_000);
    w.apply(2, 0, 700); // the last lots
    w.apply(3, 0, 100); // a bankrupt short: insurance reduces
    w.apply(3, 0, 1_900); // closes
    w.apply(3, 0, 2_000); // opens short
    w.hold(5, 0, 5_000, 123_456_789);
    w.set_collateral(5, -5_100_000_000_000);
    w.apply(5, 0, 5_000); // flips
    w.set_margin(1, 5);
    w.hold(4, 1, 4_000, 0);
    w.set_collateral(4, -41_000_000_000_000);
    w.apply(4, 1, 1); // 10,000 quote units in a reduce-only market
    w
}
