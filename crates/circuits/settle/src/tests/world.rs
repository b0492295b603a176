//! A small system with settled markets, and a range of ops in the making.

use tsz_air::{Violation, check};
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_ledger::{BalCell, BatchContext, Cell, Key, MkfCell, MkoCell, MkpCell, PosCell, SubCell, SystemId};
use tsz_stark::Profile;
use tsz_stf::{Genesis, MemView, Trusted, View};
use tsz_trade::ops::{AbsorbDebt, SeizeToken, SettlePair};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, Party, TradeContext, TradeOp, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::SettleRecord;
use crate::witness::{Witness, WitnessError};

pub const SMALL: Class = CLASSES[0];
/// The hour of the batch time.
pub const HOUR: u32 = 480_000;
pub const TIME: u64 = HOUR as u64 * HOUR_MS + 59 * 60_000 + 59_999;
/// Markets of [`params`].
pub const MARKETS: u8 = 4;

pub fn f(x: u32) -> F {
    F::from_u32(x)
}
pub fn market(m: u8) -> MarketId {
    MarketId::new(m).unwrap()
}
pub fn lots(n: u64) -> Lots {
    Lots::new(n).unwrap()
}
pub fn party(account: u32, sub: u8) -> Party {
    Party { account: AccountId::new(account).unwrap(), sub: SubId::new(sub).unwrap() }
}
pub fn index(i: i64) -> FundingIndex {
    FundingIndex::new(i).unwrap()
}

pub fn perp(status: Status, qm: u32) -> PerpMarket {
    let fraction = |n| Fraction::new(n).unwrap();
    let bound = Notional::new(1 << 20).unwrap(); // one lot of the largest multiplier
    let tier = TierParams { bound, imf: fraction(1_000), mmf: fraction(500), cmf: fraction(300) };
    PerpMarket {
        status,
        qm: QuoteMultiplier::new(qm).unwrap(),
        tiers: vec![tier],
        taker_cap: Rate::new(2_000).unwrap(),
        maker_cap: Rate::new(1_000).unwrap(),
        liquidation_fee: Rate::new(10_000).unwrap(),
        oi_cap: bound,
        funding: FundingConfig { rate: Rate::new(100).unwrap(), small: 500, big: 40_000 },
        feed: [f(7); 8],
        forced_band: fraction(500),
    }
}

/// Markets 0, 1 and 3 settling with multipliers 1, 2^12 + 5 and 2^20 - 3; market 2 open. Token 5 in place 0 and token 9
/// in place 1 are priced by market 2; token 7 in place 2 counts nothing.
pub fn params() -> Params {
    let perps = [
        (Status::Settling, 1),
        (Status::Settling, (1 << 12) + 5),
        (Status::Open, 3),
        (Status::Settling, (1 << 20) - 3),
    ];
    let mut perps = perps.map(|(status, qm)| perp(status, qm)).to_vec();
    // four tiers
    let tier = perps[1].tiers[0];
    let higher = |k: u128| TierParams { bound: Notional::new(1_000_000 * k).unwrap(), ..tier };
    perps[1].tiers.extend((2..5).map(higher));
    let token = |token, haircut, units_per_lot| CollateralParams {
        token: TokenId::new(token).unwrap(),
        haircut: Fraction::new(haircut).unwrap(),
        market: market(2),
        units_per_lot,
    };
    let collateral = vec![token(5, 9_000, 1_000_000), token(9, 7, 1), token(7, 0, 5)];
    let oracle = OracleParams { max_age: 60_000, ..Params::default().oracle };
    Params { perps, collateral, oracle, ..Params::default() }
}

#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<SettleRecord>,
}

impl World {
    /// Market 0 longs close at 900, shorts at 1,100; the others at other prices.
    pub fn new() -> Self {
        let params = params();
        params.validate().unwrap();
        let genesis = Genesis { parameters: params.hash(), ..Genesis::default() };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let view = MemView::from_leaves(genesis.leaves().unwrap());
        let mut world = Self { view, params, context, records: Vec::new() };
        for m in 0..MARKETS {
            world.name(m, 900, 1_100);
            world.funding(m, 0);
        }
        world.set_price(1_000, TIME - 60_000);
        world
    }

    /// Names the prices of a market.
    pub fn name(&mut self, m: u8, long: u32, short: u32) {
        let cell = MkpCell { index: long, mark: short, price_ts: 77, settled: true };
        self.view.set(Key::mkp(m.into()), cell.to_leaf());
    }

    /// Sets the price of market 2, which is open.
    pub fn set_price(&mut self, ticks: u32, price_ts: u64) {
        let cell = MkpCell { index: ticks, mark: ticks, price_ts, settled: false };
        self.view.set(Key::mkp(2), cell.to_leaf());
    }

    /// Sets a margin balance.
    pub fn deposit(&mut self, who: Party, place: u8, micros: u128) {
        let cell = BalCell { balance: Balance::new(micros).unwrap() };
        self.view.set(who.mbal_key(place), cell.to_leaf());
        let sub = self.sub(who);
        let mask = sub.mask & !(1 << place) | u8::from(micros != 0) << place;
        self.view.set(who.sub_key(), SubCell { mask, ..sub }.to_leaf());
    }

    pub fn mbal(&self, who: Party, place: u8) -> u128 {
        BalCell::from_leaf(&self.view.get(who.mbal_key(place))).unwrap().balance.get()
    }

    /// Account 4 gives token 5, 9 or 7 of its place.
    pub fn seize(place: u8, amount: u128) -> SeizeToken {
        let token = TokenId::new([5, 9, 7][usize::from(place)]).unwrap();
        SeizeToken { target: party(4, 3), token, amount: Balance::new(amount).unwrap() }
    }

    /// Sets the funding index of a market.
    pub fn funding(&mut self, m: u8, funding: i64) {
        let cell = MkfCell { funding: index(funding), hour: HOUR };
        self.view.set(Key::mkf(m.into()), cell.to_leaf());
    }

    pub fn sub(&self, who: Party) -> SubCell {
        SubCell::from_leaf(&self.view.get(who.sub_key())).unwrap()
    }

    pub fn pos(&self, who: Party, m: u8) -> PosCell {
        PosCell::from_leaf(&self.view.get(who.pos_key(market(m)))).unwrap()
    }

    pub fn mko(&self, m: u8) -> MkoCell {
        MkoCell::from_leaf(&self.view.get(Key::mko(m.into()))).unwrap()
    }

    pub fn set_mko(&mut self, m: u8, open_interest: u64, moves: u64) {
        self.view.set(Key::mko(m.into()), MkoCell { open_interest, moves }.to_leaf());
    }

    /// Sets the collateral of a sub-account.
    pub fn give(&mut self, who: Party, micros: i128) {
        let cell = SubCell { collateral: Collateral::new(micros).unwrap(), ..self.sub(who) };
        self.view.set(who.sub_key(), cell.to_leaf());
    }

    /// A position that nobody traded, last settled at `last`.
    pub fn hold(&mut self, who: Party, m: u8, size: i64, last: i64) {
        let (sub, before) = (self.sub(who), self.pos(who, m));
        let pos = PosCell::new(size, index(last)).unwrap();
        let pos_count = sub.pos_count + u8::from(before.is_empty()) - u8::from(size == 0);
        self.view.set(who.pos_key(market(m)), pos.to_leaf());
        self.view.set(who.sub_key(), SubCell { pos_count, ..sub }.to_leaf());
        let MkoCell { open_interest, moves } = self.mko(m);
        let open_interest = open_interest - before.size().unsigned_abs() + size.unsigned_abs();
        self.set_mko(m, open_interest, moves);
    }

    /// The long 2 and the short 3 close lots.
    pub fn pair(m: u8, n: u64) -> SettlePair {
        SettlePair { market: market(m), long: party(2, 0), short: party(3, 0), lots: lots(n) }
    }

    pub fn absorb(account: u32, sub: u8) -> AbsorbDebt {
        AbsorbDebt { target: party(account, sub) }
    }

    /// Applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: impl Into<TradeOp>) -> Result<(), TradeReject> {
        let op = op.into();
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        self.view.commit(&applied.accesses);
        self.records.push(SettleRecord { index, op, accesses: applied.accesses });
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

/// A pair of one market: sizes, lots, collateral of long, short and insurance, funding.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub market: u8,
    pub prices: (u32, u32),
    pub long: u64,
    pub short: u64,
    pub lots: u64,
    pub cash: [i128; 3],
    /// Index at the last settlement of long and short, and now.
    pub funding: [i64; 3],
}

pub const CASE: Case = Case {
    market: 0,
    prices: (900, 1_100),
    long: 7,
    short: 9,
    lots: 7,
    cash: [-5_000_000_000, 20_000_000_000, 0],
    funding: [5, 8, 8],
};

/// The world of a case, before it.
pub fn set(w: &mut World, x: &Case) {
    w.name(x.market, x.prices.0, x.prices.1);
    w.funding(x.market, x.funding[2]);
    w.hold(party(2, 0), x.market, x.long as i64, x.funding[0]);
    w.hold(party(3, 0), x.market, -(x.short as i64), x.funding[1]);
    for (who, micros) in [party(2, 0), party(3, 0), Party::INSURANCE].into_iter().zip(x.cash) {
        w.give(who, micros);
    }
}

/// Pairs that close both, either and neither side, signs that change, carries, large numbers, insurance as a side,
/// funding due or not, sub-accounts, prices that are equal; debts.
pub fn every_op() -> World {
    let mut w = World::new();
    let wide = (1 << 48) - 1;
    for x in [
        CASE,
        Case { lots: 3, ..CASE },
        Case { long: 9, short: 7, ..CASE },
        Case { long: 5, short: 5, lots: 5, funding: [0, 0, 0], cash: [1, -1, -7], ..CASE },
        Case { prices: (1, u32::MAX), cash: [-900, 1 << 60, -1], ..CASE },
        Case { prices: (u32::MAX, u32::MAX), cash: [0, 0, 5], lots: 6, ..CASE },
        Case { market: 1, funding: [-5, 1 << 40, -(1 << 30)], ..CASE },
        Case { market: 1, long: 1 << 24, short: (1 << 24) + 1, lots: 0xff_ffff, ..CASE },
        Case { market: 3, long: 1 << 20, short: 1 << 21, lots: 1 << 19, prices: (1 << 24, 1 << 31), ..CASE },
        Case { long: wide, short: wide, lots: wide, prices: (1, 0xff_ffff), cash: [-(1 << 94); 3], ..CASE },
        Case { long: wide, short: wide, lots: 1, funding: [1 << 30, -(1 << 31), 1 << 29], ..CASE },
    ] {
        set(&mut w, &x);
        w.apply(World::pair(x.market, x.lots));
    }
    // a carry into the high limbs of open interest and moves
    set(&mut w, &CASE);
    w.set_mko(0, (1 << 48) + 3, (1 << 24) - 1);
    w.apply(World::pair(0, 6));
    let (far, insurance) = (party((1 << 24) - 1, 31), Party::INSURANCE);
    w.hold(insurance, 0, 4, 2);
    w.hold(far, 0, -6, 3);
    w.apply(SettlePair { long: insurance, short: far, ..World::pair(0, 4) });
    w.hold(insurance, 1, -4, 2);
    w.hold(far, 1, 4, 0);
    w.apply(SettlePair { short: insurance, long: far, ..World::pair(1, 3) });
    w.hold(insurance, 1, 0, 0);
    w.hold(far, 1, 0, 0);
    w.hold(far, 0, 0, 0);
    w.hold(insurance, 0, 0, 0);
    w.deposit(insurance, 0, 1_000_000);
    w.deposit(insurance, 1, 1);
    for (who, debt, fund) in
        [(party(4, 0), 1, 1), (party(5, 3), 1 << 70, 1 << 71), (far, (1 << 95) - 1, (1 << 95) - 1)]
    {
        w.give(insurance, fund);
        w.give(who, -debt);
        w.apply(AbsorbDebt { target: who });
    }
    // judged: with positions, with tokens that make up for a negative collateral
    w.hold(insurance, 2, 40, -3);
    w.hold(insurance, 1, -2, 8);
    w.give(insurance, 1 << 60);
    w.give(far, -5);
    w.apply(AbsorbDebt { target: far });
    w.hold(insurance, 1, 0, 0);
    w.hold(insurance, 2, 0, 0);
    w.deposit(insurance, 0, 1 << 60);
    w.give(insurance, 0);
    w.give(far, -7_000_000);
    w.apply(AbsorbDebt { target: far });
    every_seizure(&mut w);
    w
}

/// Seizures of some and of all of a token, of tokens worth little and of haircut 0, of large amounts; insurance has the
/// token or not, is judged or not; targets with positions.
fn every_seizure(w: &mut World) {
    let (target, insurance) = (party(4, 3), Party::INSURANCE);
    for (place, amount, more, debt) in [
        (0, 1_000, 7, 3_000_000),
        (0, 1, 0, 1),
        (0, 1 << 80, 5, 1 << 90),
        (1, 1, 1 << 40, 3),
        (1, 1 << 50, 0, 1 << 60),
        // 600 each
        (2, 17, 3, 10_200),
        (2, 17, 0, 10_201),
        (2, 1 << 80, 3, 1 << 91),
    ] {
        for place in 0..3 {
            w.deposit(target, place, 5 - u128::from(place));
            w.deposit(insurance, place, 0);
        }
        w.give(insurance, (1 << 94) + 3);
        w.deposit(target, place, amount + more);
        w.give(target, -debt);
        w.apply(World::seize(place, amount));
    }
    w.deposit(insurance, 0, 1 << 60);
    w.deposit(insurance, 2, 1);
    w.hold(insurance, 2, 4, 0);
    w.deposit(target, 0, 2_000);
    w.give(target, -1_000_000_000);
    w.give(insurance, 5);
    w.apply(World::seize(0, 2_000));
    // a long and a short of an open and a settled market, other tokens or none; insurance with positions too
    for (tokens, positions, debt, amount) in [
        (2, &[(2, 5)][..], 1 << 40, 370),
        (0, &[(1, -7), (2, 3)], 1 << 70, 3_000),
        (0, &[(2, -1 << 20)], 1, 1),
    ] {
        for place in 1..3 {
            w.deposit(target, place, u128::from(place <= tokens) << 8);
        }
        w.deposit(target, 0, 3_000);
        for (m, size) in positions {
            w.hold(target, *m, *size, 7);
        }
        w.give(insurance, 1 << 60);
        w.give(target, -debt);
        w.apply(World::seize(0, amount));
        for (m, _) in positions {
            w.hold(target, *m, 0, 0);
        }
    }
    w.deposit(target, 2, 20);
    w.hold(target, 2, 6, 0);
    w.give(target, -(1 << 50));
    w.apply(World::seize(2, 20));
    w.hold(target, 2, 0, 0);
}
