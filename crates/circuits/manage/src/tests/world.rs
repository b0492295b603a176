//! A small system with markets, and a range of ops in the making.

use tsz_air::{Violation, check};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{BatchContext, Cell, Key, MkfCell, MkoCell, MkpCell, MksCell, PosCell, SubCell, SystemId};
use tsz_stark::Profile;
use tsz_stf::{Genesis, MemView, Trusted, View};
use tsz_trade::ops::{FundingSettle, FundingTick, SetParams, SetToken, SettleMarket};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, Party, TradeContext, TradeOp, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::ManageRecord;
use crate::witness::{Witness, WitnessError};

pub const SMALL: Class = CLASSES[0];
/// The hour of the batch time.
pub const HOUR: u32 = 0x100_0003;
pub const TIME: u64 = HOUR as u64 * HOUR_MS + 59 * 60_000 + 59_999;

/// Who holds positions.
pub const PARTY: Party = Party { account: AccountId::INSURANCE, sub: SubId::MAX };

pub fn f(x: u32) -> F {
    F::from_u32(x)
}
pub fn market(m: u8) -> MarketId {
    MarketId::new(m).unwrap()
}
fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
}

pub fn perp(status: Status, rate: i32, small: u32, big: u32) -> PerpMarket {
    let bound = Notional::new(1_000_000).unwrap();
    let tier = TierParams { bound, imf: fraction(1_000), mmf: fraction(500), cmf: fraction(300) };
    PerpMarket {
        status,
        qm: QuoteMultiplier::new(1).unwrap(),
        tiers: vec![tier],
        taker_cap: Rate::new(2_000).unwrap(),
        maker_cap: Rate::new(1_000).unwrap(),
        liquidation_fee: Rate::new(10_000).unwrap(),
        oi_cap: bound,
        funding: FundingConfig { rate: Rate::new(rate).unwrap(), small, big },
        feed: [f(7); 8],
        forced_band: fraction(500),
    }
}

/// Markets 0 to 2 with different funding rules, 3 closed, 4 settling.
pub fn params() -> Params {
    let max = (1 << 19) - 1;
    Params {
        perps: vec![
            perp(Status::Open, 100, 500, 40_000),
            PerpMarket {
                qm: QuoteMultiplier::new((1 << 12) + 5).unwrap(),
                ..perp(Status::ReduceOnly, -max, 40_000, 39_999)
            },
            perp(Status::Open, max, 0, 40_000),
            perp(Status::Closed, 0, 0, 0),
            perp(Status::Settling, 100, 500, 40_000),
        ],
        ..Params::default()
    }
}

/// Cells of a market before a tick.
#[derive(Clone, Copy, Debug)]
pub struct Cells {
    pub index: u32,
    pub interest: u64,
    pub sum: i64,
    pub funding: i64,
    pub hour: u32,
    /// Samples taken.
    pub minute: u8,
}

pub const CELLS: Cells = Cells { index: 1_000, interest: 10, sum: 0, funding: 0, hour: HOUR - 1, minute: 60 };

#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<ManageRecord>,
}

impl World {
    pub fn new() -> Self {
        let params = params();
        params.validate().unwrap();
        let genesis = Genesis { parameters: params.hash(), ..Genesis::default() };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let view = MemView::from_leaves(genesis.leaves().unwrap());
        let mut world = Self { view, params, context, records: Vec::new() };
        for m in 0..5 {
            world.set(m, CELLS);
        }
        world
    }

    pub fn set(&mut self, m: u32, cells: Cells) {
        let Cells { index, interest, sum, funding, hour, minute } = cells;
        let funding = FundingIndex::new(funding).unwrap();
        let price_ts = if index == 0 { 0 } else { 77 };
        self.view.set(Key::mkp(m), MkpCell { index, mark: index, price_ts, settled: m == 4 }.to_leaf());
        self.view.set(Key::mko(m), MkoCell { open_interest: interest, moves: 1 << 30 }.to_leaf());
        self.view.set(Key::mks(m), MksCell { sum, minute }.to_leaf());
        self.view.set(Key::mkf(m), MkfCell { funding, hour }.to_leaf());
    }

    pub fn mkf(&self, m: u32) -> MkfCell {
        MkfCell::from_leaf(&self.view.get(Key::mkf(m))).unwrap()
    }

    pub fn tick(m: u8) -> FundingTick {
        FundingTick { market: market(m) }
    }

    /// A position of [`PARTY`] in market 1, with collateral, settled at `last` where the index is `now`.
    pub fn hold(&mut self, size: i64, collateral: i128, last: i64, now: i64) {
        let index = |i| FundingIndex::new(i).unwrap();
        let sub = SubCell { collateral: Collateral::new(collateral).unwrap(), pos_count: 3, mask: 5 };
        self.view.set(PARTY.sub_key(), sub.to_leaf());
        let pos = PosCell::new(size, index(last)).unwrap();
        self.view.set(PARTY.pos_key(market(1)), pos.to_leaf());
        let mkf = MkfCell { funding: index(now), hour: HOUR };
        self.view.set(Key::mkf(1), mkf.to_leaf());
    }

    pub fn settle() -> FundingSettle {
        FundingSettle { party: PARTY, market: market(1) }
    }

    pub fn sub(&self) -> SubCell {
        SubCell::from_leaf(&self.view.get(PARTY.sub_key())).unwrap()
    }

    pub fn set_params(&self, hash: Digest) -> SetParams {
        let serial = tsz_ledger::L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap().next;
        SetParams { serial, hash }
    }

    pub fn set_token(&self, token: u8, listed: bool, minimum: u64) -> SetToken {
        let serial = self.set_params(Digest::default()).serial;
        let (token, minimum) = (TokenId::new(token).unwrap(), Units::new(minimum).unwrap());
        SetToken { serial, token, listed, minimum }
    }

    /// Names the prices of a market.
    pub fn name(&self, m: u8, long: u32, short: u32) -> SettleMarket {
        let serial = self.set_params(Digest::default()).serial;
        let price = |ticks| Price::new(ticks).unwrap();
        SettleMarket { serial, market: market(m), long: price(long), short: price(short) }
    }

    /// The cells of the prices of a settling market that are not named yet.
    pub fn freeze(&mut self, m: u32, index: u32, mark: u32) {
        let cell = MkpCell { index, mark, price_ts: (1 << 48) - 1, settled: false };
        self.view.set(Key::mkp(m), if index == 0 { Digest::default() } else { cell.to_leaf() });
    }

    pub fn mkp(&self, m: u32) -> MkpCell {
        MkpCell::from_leaf(&self.view.get(Key::mkp(m))).unwrap()
    }

    /// Applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: impl Into<TradeOp>) -> Result<(), TradeReject> {
        let op = op.into();
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        self.view.commit(&applied.accesses);
        self.records.push(ManageRecord { index, op, accesses: applied.accesses });
        Ok(())
    }

    pub fn apply(&mut self, op: impl Into<TradeOp>) {
        self.try_apply(op).expect("the ledger accepts the op");
    }

    pub fn try_witness(&self) -> Result<Witness, WitnessError> {
        Witness::new(&SMALL, &self.context, &self.params, &self.records, self.context.digest())
    }

    pub fn witness(&self) -> Witness {
        self.try_witness().unwrap()
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

/// Ticks with both clamps on either side, truncation of both divisions, sums that cross zero, carries, an empty, a
/// settling and a priceless market, an hour with a sample missing, several due hours; parameter updates; markets that
/// get their last prices, or not.
pub fn every_op() -> World {
    let mut w = World::new();
    let far = i64::MAX - 22_000_000_000_000;
    let cells = [
        (0, Cells { sum: 60 * 601 + 59, ..CELLS }),
        (0, Cells { sum: -60 * 401 - 59, funding: 5, ..CELLS }),
        (0, Cells { sum: 60_000_000, funding: -1, index: u32::MAX, ..CELLS }),
        (0, Cells { sum: -60_000_000, funding: 1 << 40, index: u32::MAX, ..CELLS }),
        (0, Cells { sum: u32::MAX.into(), funding: -(1 << 24), ..CELLS }),
        (0, Cells { sum: 59, funding: (1 << 48) - 1, ..CELLS }),
        (0, Cells { sum: 60_000_000, minute: 59, ..CELLS }),
        (2, Cells { sum: -60_000_000, minute: 0, ..CELLS }),
        (1, Cells { sum: -59, funding: far, index: u32::MAX, ..CELLS }),
        (1, Cells { sum: 0, funding: -far, index: u32::MAX - 0xff, ..CELLS }),
        (2, Cells { sum: -7_000, funding: (1 << 24) - 1, index: 1 << 24, ..CELLS }),
        (2, Cells { sum: 60 * 7, funding: 0, index: 3, ..CELLS }),
        (2, Cells { sum: 60 * 8, funding: -3, index: 3, ..CELLS }),
        (3, Cells { sum: 60_000, hour: HOUR - 3, ..CELLS }),
        (0, Cells { interest: 0, sum: 60_000, funding: -77, hour: 0, ..CELLS }),
        (4, Cells { sum: 60_000, funding: 77, hour: HOUR - 5, ..CELLS }),
        (0, Cells { index: 0, sum: 60_000, ..CELLS }),
        (0, Cells { interest: (1 << 56) - (1 << 48), hour: 0xff_ffff, ..CELLS }),
    ];
    for (m, cells) in cells {
        w.set(m.into(), cells);
        w.apply(World::tick(m));
        if cells.hour != HOUR - 1 && w.mkf(m.into()).hour != HOUR {
            w.apply(World::tick(m));
        }
    }
    for (size, collateral, last, now) in [
        (1, 0, 1, 0),
        (-1, 0, 1, 0),
        (7, 5, -3, 4),
        (-7, -5, -3, 4),
        (-7, 0, 4, 4),
        ((1 << 48) - 1, 1 << 94, -(1 << 33), 1 << 24),
        (-(1 << 48) + 1, (1 << 95) - (1 << 61), 1 << 24, (1 << 24) + 1),
        (1 << 24, -(1 << 48), i64::MAX, i64::MAX - (1 << 47)),
        (3, 100, -i64::MAX, -i64::MAX + (1 << 25)),
        (1 << 10, 1 << 93, i64::MAX, -i64::MAX),
    ] {
        w.hold(size, collateral, last, now);
        w.apply(World::settle());
    }
    w.apply(w.set_params([f(5); 8]));
    w.apply(w.set_token(127, true, (1 << 60) - 1));
    w.apply(w.set_token(127, false, 1 << 24));
    w.apply(w.set_token(5, true, 0));
    w.apply(w.set_params(core::array::from_fn(|k| F::ZERO - f(k as u32 + 1))));
    for (m, index, long, short) in
        [(4, 1_000, 900, 1_100), (4, 0, 1, u32::MAX), (4, u32::MAX, 0xff_ffff, 0x100_0000), (0, 5, 7, 7)]
    {
        w.freeze(m.into(), index, index);
        w.apply(w.name(m, long, short));
    }
    w.apply(w.name(4, 1, 1)); // settled already
    for m in [3, 5, 6, 255] {
        w.apply(w.name(m, 1_000, 1_001));
    }
    w
}
