//! A small system with accounts that lack margin, makers, and ranges of operations in the making.

use std::sync::OnceLock;

use tsz_air::{Violation, check};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{
    AcctCell, BalCell, BatchContext, Cell, HeadCell, Key, KeyPolicy, L1InCell, MkfCell, MkoCell, MkpCell,
    OrdCell, Permissions, PosCell, Scheme, SubCell, SystemId,
};
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{MemView, Trusted, View};
use tsz_trade::ops::{ForcedClose, ForcedFill, Liquidate, Takeover};
use tsz_trade::order::{Order as _, PerpOrder, SelfTrade, Side, Signed, Terms, Tif, Trigger};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, Party, TradeCode, TradeContext, TradeOp, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::LiquidateRecord;
use crate::witness::Witness;

pub const SMALL: Class = CLASSES[0];
/// Room for some ops: the same tables, of which those of the sponge are lower. What is checked row by row does not depend on
/// heights.
const TINY: Class = Class { tuple: 9, poseidon2: 10, ..SMALL };
pub const TIME: u64 = 480_000 * HOUR_MS + 0x12_3456;
/// Accounts with keys, the account's number being the slot.
pub const ACCOUNTS: u32 = 9;
/// Who owns them.
pub const OWNER: EthAddress = EthAddress([7; 20]);
/// A rich account that makes.
pub const MAKER: u32 = 6;

pub fn secret(k: usize) -> &'static SecretKey {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    &KEYS.get_or_init(|| (0..ACCOUNTS as u8).map(|k| SecretKey::from_seed(&[k; 32])).collect())[k]
}

fn blank() -> Signature {
    static BLANK: OnceLock<Signature> = OnceLock::new();
    *BLANK.get_or_init(|| secret(0).sign(&Digest::default()))
}

pub fn f(x: u32) -> F {
    F::from_u32(x)
}

pub fn party(account: u32) -> Party {
    Party { account: AccountId::new(account).unwrap(), sub: SubId::MIN }
}

pub fn rate(n: i32) -> Rate {
    Rate::new(n).unwrap()
}

pub fn price(n: u32) -> Price {
    Price::new(n).unwrap()
}

pub fn lots(n: u64) -> Lots {
    Lots::new(n).unwrap()
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

/// Market 0: three tiers, 1: reduce-only, 2: large multiplier, 3: settling, 4: settled, 5: closed.
fn params() -> Params {
    let tiers =
        [(1_000_000, 1_000, 500, 300), (5_000_000, 2_000, 1_000, 600), (20_000_000, 5_000, 2_500, 1_500)];
    let four = [
        (9_000, 1_000, 500, 300),
        (90_000, 1_100, 500, 300),
        (900_000, 1_200, 500, 300),
        (1 << 71, 2_000, 900, 300),
    ];
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
            perp(3, Status::Settling, &tiers),
            perp(7, Status::Settling, &tiers),
            perp(1, Status::Closed, &four),
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
        for m in 0..world.params.perps.len() as u8 {
            world.set_price(m, 1_000, TIME - 1_000);
            world.set_funding(m, 0);
        }
        let named = MkpCell { index: 900, mark: 1_100, price_ts: 5, settled: true };
        world.view.set(Key::mkp(4), named.to_leaf());
        world.set_collateral(1, 1 << 70);
        world.set_collateral(MAKER, 1 << 62);
        for k in 0..ACCOUNTS {
            let policy = KeyPolicy {
                scheme: Scheme::Schnorr,
                permissions: Permissions::ALL,
                expiry: TimeMs::new(TIME + 9).unwrap(),
            };
            world.view.set(Key::acct(k), AcctCell { owner: Some(OWNER) }.to_leaf());
            world.view.set(Key::key_a(k, k), secret(k as usize).public_key().key_id());
            world.view.set(Key::key_b(k, k), Some(policy).to_leaf());
        }
        let head = HeadCell { batch: BatchNumber::MIN, time: TimeMs::MIN, next_account: ACCOUNTS };
        world.view.set(Key::HEAD, head.to_leaf());
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

    pub fn op(&self, account: u32, m: u8, n: u64) -> Takeover {
        Takeover { target: party(account), market: MarketId::new(m).unwrap(), lots: lots(n) }
    }

    pub fn ord(&self, account: u32, slot: u8) -> OrdCell {
        OrdCell::from_leaf(&self.view.get(Key::ord(account, 0, slot.into()))).unwrap()
    }

    /// A resting order in slot 1 at the first nonce that no other order has.
    pub fn order(&self, who: u32, m: u8, side: Side, n: u64, p: u32) -> Signed<PerpOrder> {
        let OrdCell { next_nonce, filled, .. } = self.ord(who, 1);
        let terms = Terms {
            account: AccountId::new(who).unwrap(),
            sub: SubId::MIN,
            slot: Slot::new(1).unwrap(),
            nonce: if filled == Lots::MIN { next_nonce } else { next_nonce.next().unwrap() },
            side,
            lots: lots(n),
            price: price(p),
            tif: Tif::Gtt,
            self_trade: SelfTrade::Reject,
            max_taker_fee: rate(2_500),
            max_maker_fee: rate(1_000),
            broker: AccountId::FEES,
            broker_rate: rate(0),
            expiry: TimeMs::new(TIME + 1).unwrap(),
            kill_epoch: KillEpoch::MIN,
        };
        let market = MarketId::new(m).unwrap();
        Signed {
            order: PerpOrder { market, reduce_only: false, trigger: Trigger::None, terms },
            key_slot: KeySlot::new(who as u8).unwrap(),
            signature: blank(),
            prepared: Default::default(),
        }
    }

    pub fn size(&self, account: u32, m: u8) -> i64 {
        PosCell::from_leaf(&self.view.get(Key::pos(account, 0, m.into()))).unwrap().size()
    }

    /// A close of part of a position against the rich maker, without a fee.
    pub fn liquidate(&self, account: u32, m: u8, n: u64, p: u32) -> Liquidate {
        let side = if self.size(account, m) > 0 { Side::Buy } else { Side::Sell };
        Liquidate {
            target: party(account),
            market: MarketId::new(m).unwrap(),
            maker: self.order(MAKER, m, side, n, p),
            lots: lots(n),
            maker_fee: rate(0),
        }
    }

    /// What the owner demands on L1: the closing side, whatever the price.
    pub fn demand(&self, account: u32, m: u8, n: u64) -> ForcedClose {
        let buys = self.size(account, m) < 0;
        let L1InCell { next } = L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap();
        ForcedClose {
            serial: next,
            party: party(account),
            market: MarketId::new(m).unwrap(),
            side: if buys { Side::Buy } else { Side::Sell },
            lots: lots(n),
            limit: price(if buys { u32::MAX - 1 } else { 2 }),
            sender: OWNER,
            fill: None,
        }
    }

    /// The same served by the rich maker at a price.
    pub fn forced(&self, account: u32, m: u8, n: u64, p: u32) -> ForcedClose {
        let op = self.demand(account, m, n);
        let side = if op.side == Side::Buy { Side::Sell } else { Side::Buy };
        let maker = self.order(MAKER, m, side, n, p);
        ForcedClose { fill: Some(ForcedFill { maker, taker_fee: rate(0), maker_fee: rate(0) }), ..op }
    }

    fn sign(&self, signed: &mut Signed<PerpOrder>) {
        signed.prepared = Default::default();
        let digest = signed.order.digest(&self.context.system);
        let account = signed.order.terms.account.get() % ACCOUNTS;
        signed.signature = secret(account as usize).sign(&digest);
    }

    /// Signs the maker's order.
    pub fn signed(&self, mut op: TradeOp) -> TradeOp {
        match &mut op {
            TradeOp::Liquidate(op) => self.sign(&mut op.maker),
            TradeOp::ForcedClose(ForcedClose { fill: Some(fill), .. }) => self.sign(&mut fill.maker),
            _ => {}
        }
        op
    }

    /// Applies, signs, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: impl Into<TradeOp>) -> Result<TradeCode, TradeReject> {
        let op = op.into();
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        let op = self.signed(op);
        self.view.commit(&applied.accesses);
        self.records.push(LiquidateRecord { index, op, accesses: applied.accesses });
        Ok(applied.receipt.code)
    }

    pub fn apply(&mut self, account: u32, m: u8, n: u64) {
        self.try_apply(self.op(account, m, n)).expect("the ledger accepts the takeover");
    }

    /// Applies an op that ends with a code.
    pub fn ends(&mut self, op: impl Into<TradeOp>, code: TradeCode) {
        assert_eq!(self.try_apply(op), Ok(code), "op {}", self.records.len());
    }

    pub fn try_witness(&self) -> Result<Witness, crate::WitnessError> {
        let of = |class: &Class| {
            Witness::new(class, &self.context, &self.params, &self.records, self.context.digest())
        };
        of(&TINY).or_else(|_| of(&SMALL))
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &Witness) -> Result<(), Violation> {
    let publics = public_values(&witness.claim, witness.traces.len());
    check(&SMALL.circuit(Profile::Base).airs, &witness.traces, &publics)
}

/// Where a lie is noticed: `table` of a broken constraint, or `bus:name`.
pub fn verdict(world: &World) -> String {
    world.try_witness().map_or("witness".into(), |witness| told(judge(&witness)))
}

pub fn told(found: Result<(), Violation>) -> String {
    match found {
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
    w.set_margin(1, 1 << 60);
    w.set_collateral(1, 0); // insurance that borrows against a token
    w.hold(4, 1, 4_000, 0);
    w.set_collateral(4, -41_000_000_000_000);
    w.apply(4, 1, 1); // 10,000 quote units in a reduce-only market
    w
}

/// An account with `kept` millionths of TAV and a position of its own in market 0.
pub fn ailing(w: &mut World, account: u32, size: i64, kept: i128) {
    w.hold(account, 0, size, 0);
    w.set_collateral(account, -i128::from(size) * 1_000_000_000 + kept);
}

/// Partial and full closes of longs and shorts, of one lot, of all and in between; fees that are capped by the surplus and
/// by the rate; brokers, slots, other positions, margin tokens, funding, insurance as target; makers that open, that reduce
/// and that lack margin.
pub fn every_liquidation() -> World {
    let mut w = World::new();
    ailing(&mut w, 2, 900, 40_000_000_000);
    w.ends(w.liquidate(2, 0, 1, 1_000), TradeCode::Ok);
    w.ends(w.liquidate(2, 0, 300, 999), TradeCode::Ok);
    w.set_collateral(2, -599_000_000_000 + 28_000_000_000);
    let mut op = w.liquidate(2, 0, 200, 962);
    (op.maker.order.terms.broker, op.maker.order.terms.broker_rate) = (AccountId::new(8).unwrap(), rate(300));
    op.maker_fee = rate(700);
    w.ends(op, TradeCode::Ok);
    w.hold(3, 0, -900, 0);
    w.hold(3, 1, 3, 9);
    w.set_price(2, 1_000, TIME - 60_000);
    w.hold(3, 2, -1, 5);
    w.set_margin(3, 55_555_555);
    w.set_funding(0, -77);
    let margin = tsz_trade::invariants::margin(&w.view, &w.params, TIME, party(3)).unwrap();
    w.set_collateral(3, (margin.mmr + margin.cmr) / 2 - margin.tav);
    w.ends(w.liquidate(3, 0, 100, 1_020), TradeCode::Ok);
    ailing(&mut w, 4, -3_000, -1_000_000_000);
    let mut op = w.liquidate(4, 0, 700, 990); // bankrupt: better than the mark
    op.maker.order.terms.lots = lots(5_000);
    op.maker_fee = rate(1_000);
    w.ends(op.clone(), TradeCode::Ok);
    op.lots = lots(2_300);
    op.maker_fee = rate(0);
    w.ends(op, TradeCode::Ok);
    ailing(&mut w, 5, 1_000, 5_000_000_000);
    ailing(&mut w, 7, -2_000, 90_000_000_000);
    let mut op = w.liquidate(5, 0, 1_000, 996); // all, the surplus is less than the rate
    op.maker = w.order(7, 0, Side::Buy, 1_000, 996);
    w.ends(op, TradeCode::Ok); // by a maker that lacks margin and reduces
    ailing(&mut w, 1, 800, 35_000_000_000);
    w.set_collateral(8, 5);
    w.set_margin(8, 1 << 40);
    let mut op = w.liquidate(1, 0, 20, 1_000);
    op.maker = w.order(8, 0, Side::Buy, 20, 1_000); // by a maker whose margin is tokens
    w.ends(op, TradeCode::Ok);
    w.hold(4, 1, 60, 0);
    w.set_collateral(4, -590_000_000_000);
    w.hold(7, 1, -100, 3);
    w.set_collateral(7, 4_000_000_000_000);
    let mut op = w.liquidate(4, 1, 60, 1_000); // reduce-only
    op.maker = w.order(7, 1, Side::Buy, 60, 1_000);
    op.maker.order.trigger = Trigger::Above(price(1_000));
    w.ends(op, TradeCode::Ok);
    w
}

/// Every reason, every kind of fill.
pub fn every_demand() -> World {
    use TradeCode::*;
    let mut w = World::new();
    ailing(&mut w, 2, 900, 200_000_000_000);
    w.ends(ForcedClose { sender: EthAddress([8; 20]), ..w.demand(2, 0, 5) }, NotOwner);
    w.ends(w.demand(77, 0, 5), NotOwner);
    w.ends(w.demand(2, 6, 5), NoMarket);
    w.ends(w.demand(2, 255, 5), NoMarket);
    w.ends(w.demand(2, 3, 5), Settling);
    w.ends(w.demand(2, 4, 5), NoPosition);
    w.ends(w.demand(2, 1, 5), NoPosition);
    w.ends(ForcedClose { side: Side::Buy, ..w.demand(2, 0, 5) }, WrongSide);
    w.ends(w.demand(2, 0, 0), TooManyLots);
    w.ends(w.demand(2, 0, 901), TooManyLots);
    w.hold(8, 2, 1 << 31, 0);
    w.set_collateral(8, -(1 << 60));
    w.set_collateral(0, -(1 << 60));
    w.ends(w.demand(8, 2, 1 << 27), TooManyLots); // bulky
    w.ends(w.demand(8, 2, 1 << 31), TooManyLots); // huge
    w.ends(ForcedClose { limit: price(951), ..w.demand(2, 0, 5) }, OutsideBand);
    ailing(&mut w, 3, -900, 200_000_000_000);
    w.ends(ForcedClose { limit: price(1_049), ..w.demand(3, 0, 5) }, OutsideBand);
    w.ends(ForcedClose { limit: price(1_050), ..w.forced(3, 0, 5, 1_050) }, Ok);
    w.ends(w.forced(2, 0, 5, 950), Ok);
    w.set_funding(0, 123_456);
    w.hold(2, 1, 7, 9);
    w.set_price(1, 1_000, TIME - 999_999); // an old price of another market
    let mut op = w.forced(2, 0, 100, 1_000);
    let fill = op.fill.as_mut().unwrap();
    (fill.taker_fee, fill.maker_fee) = (rate(2_000), rate(-1_500));
    fill.maker.order.terms.max_maker_fee = rate(-1_000);
    w.ends(op, Ok);
    let mut op = w.forced(2, 0, 100, 1_000);
    let fill = op.fill.as_mut().unwrap();
    (fill.taker_fee, fill.maker_fee) = (rate(5), rate(900));
    fill.maker.order.terms.broker = AccountId::new(8).unwrap();
    fill.maker.order.terms.broker_rate = rate(900);
    w.ends(op, Ok);
    w.ends(w.forced(3, 0, 895, 980), Ok); // all: not judged
    w.set_price(1, 1_000, TIME - 10);
    w.set_margin(2, 1 << 30);
    let collateral = w.sub(2).collateral.get();
    w.set_collateral(2, collateral - 270_000_000_000);
    w.ends(w.demand(2, 0, 1), Liquidatable);
    ailing(&mut w, 4, 10, -1);
    w.ends(w.demand(4, 0, 1), Liquidatable); // with nothing else to read
    w.hold(5, 5, 10, 0);
    w.set_collateral(5, 1_000_000_000);
    w.set_price(5, 1_000, TIME - 999_999);
    w.hold(7, 5, -4, 0);
    w.set_collateral(7, 1_000_000_000_000);
    let mut op = w.forced(5, 5, 4, 1_000); // a closed market, an old price, a maker that ends flat
    op.fill.as_mut().unwrap().maker = w.order(7, 5, Side::Buy, 4, 1_000);
    w.ends(op, Ok);
    w.set_price(5, 1, TIME - 10);
    w.ends(ForcedClose { limit: price(1), ..w.forced(5, 5, 1, 1) }, Ok); // no price concedes 5 % of 1
    w.view.set(Key::acct(9), AcctCell { owner: Some(OWNER) }.to_leaf());
    ailing(&mut w, 9, 30_000, 16_000_000_000_000);
    w.ends(w.demand(9, 0, 20_001), TooManyLots); // above the last tier
    w.ends(w.forced(9, 0, 20_000, 1_000), Ok);
    w.hold(7, 2, -1, 0);
    w.set_collateral(7, 1 << 75);
    w.set_collateral(MAKER, 1 << 75);
    w.set_price(2, u32::MAX, TIME - 10);
    w.ends(ForcedClose { limit: price(u32::MAX), ..w.forced(7, 2, 1, u32::MAX) }, Ok);
    w
}

/// The ops of all three.
pub fn everything() -> World {
    let mut world = every_takeover();
    for more in [every_liquidation(), every_demand()] {
        assert_eq!(world.params, more.params);
        for record in more.records {
            let index = world.records.len() as u32;
            world.records.push(LiquidateRecord { index, ..record });
        }
    }
    world
}
