//! A small system to trade perpetuals in, and a range of trades in the making.

use std::sync::OnceLock;

use tsz_air::{Violation, check};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{
    BalCell, BatchContext, Cell, CtlCell, Key, KeyPolicy, L1InCell, MkfCell, MkoCell, MkpCell, OrdCell,
    Permissions, PosCell, Scheme, SubCell, SystemId,
};
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey, MemView, TokenListing, Trusted, View, chain};
use tsz_trade::ops::{Direction, MarginExit, MarginTransfer, PerpTrade};
use tsz_trade::order::{Order as _, PerpOrder, SelfTrade, Side, Signed, Terms, Tif, Trigger};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, Party, TradeContext, TradeOp, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::PerpRecord;
use crate::witness::Witness;

pub const SMALL: Class = CLASSES[0];
pub const TIME: u64 = 480_000 * HOUR_MS + 0x12_3456;
/// Markets of [`params`].
pub const MARKETS: u8 = 6;

pub fn secret(k: usize) -> &'static SecretKey {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    &KEYS.get_or_init(|| (0..8u8).map(|k| SecretKey::from_seed(&[k; 32])).collect())[k]
}

pub fn f(x: u32) -> F {
    F::from_u32(x)
}
pub fn account(n: u32) -> AccountId {
    AccountId::new(n).unwrap()
}
pub fn rate(n: i32) -> Rate {
    Rate::new(n).unwrap()
}
pub fn lots(n: u64) -> Lots {
    Lots::new(n).unwrap()
}
pub fn price(n: u32) -> Price {
    Price::new(n).unwrap()
}
pub fn market(n: u8) -> MarketId {
    MarketId::new(n).unwrap()
}

fn perp(qm: u32, status: Status, tiers: &[(u128, u16, u16, u16)]) -> PerpMarket {
    let fraction = |n| Fraction::new(n).unwrap();
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

/// Market 0: three tiers, 1: qm 10, 2: reduce-only, 3: closed, 4: settling, 5: large multiplier, four tiers.
pub fn params() -> Params {
    let four = [
        (1_000, 900, 400, 200),
        (2_000, 1_000, 500, 300),
        (4_000, 1_100, 600, 300),
        (1 << 71, 1_200, 700, 300),
    ];
    let tiers =
        [(1_000_000, 1_000, 500, 300), (5_000_000, 2_000, 1_000, 600), (20_000_000, 5_000, 2_500, 1_500)];
    let signers = (0..3).map(|k| secret(k).public_key().key_id()).collect::<Vec<_>>();
    let mut signers = signers;
    signers.sort_by_key(|id| id.map(|felt| tsz_hash::PrimeField32::as_canonical_u32(&felt)));
    Params {
        perps: vec![
            perp(1, Status::Open, &tiers),
            perp(10, Status::Open, &tiers[..2]),
            perp(3, Status::ReduceOnly, &tiers),
            perp(3, Status::Closed, &tiers),
            perp(7, Status::Settling, &tiers),
            perp((1 << 20) - 3, Status::Open, &four),
        ],
        spots: Vec::new(),
        oracle: OracleParams {
            signers,
            quorum: 2,
            max_age: 60_000,
            max_deviation: Fraction::new(1_000).unwrap(),
            delta: 5_000,
        },
        collateral: vec![
            token(5, 9_000, 0, 1_000_000),
            token(100, 7_777, 1, 3),
            token(9, 0, 4, 1),
            token(127, 10_000, 5, u64::MAX),
        ],
    }
}

/// Place 2 counts nothing.
fn token(id: u8, haircut: u16, m: u8, units_per_lot: u64) -> CollateralParams {
    let (token, haircut) = (TokenId::new(id).unwrap(), Fraction::new(haircut).unwrap());
    CollateralParams { token, haircut, market: market(m), units_per_lot }
}

/// Users 2..6 and insurance, party k with secret k in key slot k.
#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<PerpRecord>,
}

fn user(k: usize) -> GenesisAccount {
    let slot = KeySlot::new(k as u8).unwrap();
    let sub = |n: u8| SubId::new(n).unwrap();
    GenesisAccount {
        owner: EthAddress([7; 20]),
        keys: vec![GenesisKey { slot, key_id: secret(k).public_key().key_id(), policy: policy() }],
        balances: Vec::new(),
        collateral: [0, 1].map(|n| (sub(n), Collateral::new(500_000_000_000).unwrap())).to_vec(),
    }
}

pub fn policy() -> KeyPolicy {
    let expiry = TimeMs::new(TIME + 1).unwrap();
    KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry }
}

impl World {
    pub fn new() -> Self {
        Self::with(params())
    }

    pub fn with(params: Params) -> Self {
        params.validate().unwrap();
        let genesis = Genesis {
            tokens: vec![TokenListing { token: TokenId::QUOTE, minimum: Units::new(1).unwrap() }],
            parameters: params.hash(),
            accounts: (2..6).map(user).collect(),
            ..Genesis::default()
        };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let view = MemView::from_leaves(genesis.leaves().unwrap());
        let mut world = Self { view, params, context, records: Vec::new() };
        world.view.set(Key::key_a(1, 1), secret(1).public_key().key_id());
        world.view.set(Key::key_b(1, 1), Some(policy()).to_leaf());
        for m in 0..MARKETS {
            world.set_price(m, 1_000);
            world.set_funding(m, 0);
        }
        world
    }

    pub fn set_price(&mut self, m: u8, ticks: u32) {
        self.set_price_at(m, ticks, TIME - 1_000);
    }

    pub fn set_price_at(&mut self, m: u8, ticks: u32, price_ts: u64) {
        let cell = MkpCell { index: ticks, mark: ticks, price_ts, settled: false };
        self.view.set(Key::mkp(m.into()), cell.to_leaf());
    }

    pub fn set_funding(&mut self, m: u8, funding: i64) {
        let hour = (TIME / HOUR_MS) as u32;
        let cell = MkfCell { funding: FundingIndex::new(funding).unwrap(), hour };
        self.view.set(Key::mkf(m.into()), cell.to_leaf());
    }

    pub fn sub(&self, account: u32, sub: u8) -> SubCell {
        SubCell::from_leaf(&self.view.get(Key::sub(account, sub.into()))).unwrap()
    }

    pub fn set_collateral(&mut self, account: u32, micros: i128) {
        let cell = SubCell { collateral: Collateral::new(micros).unwrap(), ..self.sub(account, 0) };
        self.view.set(Key::sub(account, 0), cell.to_leaf());
    }

    /// A position that nobody traded: cells as if the other side were with an account far away.
    pub fn hold(&mut self, account: u32, m: u8, size: i64, funding: i64) {
        let pos = PosCell::new(size, FundingIndex::new(funding).unwrap()).unwrap();
        self.view.set(Key::pos(account, 0, m.into()), pos.to_leaf());
        let cell = self.sub(account, 0);
        self.view.set(Key::sub(account, 0), SubCell { pos_count: cell.pos_count + 1, ..cell }.to_leaf());
        let cell = MkoCell::from_leaf(&self.view.get(Key::mko(m.into()))).unwrap();
        let open_interest = cell.open_interest + 2 * size.unsigned_abs();
        let cell = MkoCell { open_interest, ..cell };
        self.view.set(Key::mko(m.into()), cell.to_leaf());
    }

    pub fn set_balance(&mut self, account: u32, token: u8, micros: u128) {
        let cell = BalCell { balance: Balance::new(micros).unwrap() };
        self.view.set(Key::bal(account, 0, token.into()), cell.to_leaf());
    }

    /// Margin that nobody transferred.
    pub fn set_margin(&mut self, account: u32, place: u8, micros: u128) {
        let cell = BalCell { balance: Balance::new(micros).unwrap() };
        self.view.set(Key::mbal(account, 0, place.into()), cell.to_leaf());
        let cell = self.sub(account, 0).with(place, micros != 0);
        self.view.set(Key::sub(account, 0), cell.to_leaf());
    }

    /// A transfer of sub-account 0 by the owner's key.
    pub fn transfer(&self, account: u32, direction: Direction, token: u8, micros: u128) -> MarginTransfer {
        let ctl = CtlCell::from_leaf(&self.view.get(Key::ctl(account, 0))).unwrap();
        MarginTransfer {
            account: self::account(account),
            sub: SubId::MIN,
            direction,
            token: TokenId::new(token).unwrap(),
            amount: Balance::new(micros).unwrap(),
            nonce: ctl.nonce,
            key_slot: KeySlot::new(account as u8).unwrap(),
            signature: Self::blank(),
        }
    }

    /// What the owner of an account demands on L1.
    pub fn exit(&self, account: u32, token: u8) -> MarginExit {
        let L1InCell { next } = L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap();
        MarginExit {
            serial: next,
            party: Party { account: self::account(account), sub: SubId::MIN },
            token: TokenId::new(token).unwrap(),
            sender: EthAddress([7; 20]),
        }
    }

    pub fn blank() -> Signature {
        static BLANK: OnceLock<Signature> = OnceLock::new();
        *BLANK.get_or_init(|| secret(0).sign(&Digest::default()))
    }

    pub fn ord(&self, account: u32, sub: u8, slot: u8) -> OrdCell {
        OrdCell::from_leaf(&self.view.get(Key::ord(account, sub.into(), slot.into()))).unwrap()
    }

    /// An order in slot 1 of sub 0 at the slot's nonce.
    pub fn order(&self, who: u32, m: u8, side: Side, n: u64, p: u32) -> Signed<PerpOrder> {
        let terms = Terms {
            account: account(who),
            sub: SubId::MIN,
            slot: Slot::new(1).unwrap(),
            nonce: self.ord(who, 0, 1).next_nonce,
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
        Signed {
            order: PerpOrder { market: market(m), reduce_only: false, trigger: Trigger::None, terms },
            key_slot: KeySlot::new(who as u8).unwrap(),
            signature: Self::blank(),
            prepared: Default::default(),
        }
    }

    /// Account 2 buys `n` lots from 3 at `p` with fees.
    pub fn trade(&self, m: u8, n: u64, p: u32) -> PerpTrade {
        PerpTrade {
            taker: self.order(2, m, Side::Buy, n, p),
            maker: self.order(3, m, Side::Sell, n, p),
            lots: lots(n),
            taker_fee: rate(2_000),
            maker_fee: rate(700),
            close_taker: false,
        }
    }

    /// The same with the taker selling.
    pub fn sale(&self, m: u8, n: u64, p: u32) -> PerpTrade {
        let mut op = self.trade(m, n, p);
        op.taker.order.terms.side = Side::Sell;
        op.maker.order.terms.side = Side::Buy;
        op
    }

    pub fn sign(&self, mut op: PerpTrade) -> PerpTrade {
        for signed in [&mut op.taker, &mut op.maker] {
            let digest = signed.order.digest(&self.context.system);
            signed.signature = secret(signed.order.terms.account.get() as usize % 8).sign(&digest);
        }
        op
    }

    /// Signs, applies, commits and records; on rejection nothing changes.
    pub fn try_op(&mut self, op: TradeOp) -> Result<(), TradeReject> {
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op, &Trusted)?;
        let op = match op {
            TradeOp::PerpTrade(op) => self.sign(op).into(),
            TradeOp::MarginTransfer(op) => self.sign_transfer(op).into(),
            other => other,
        };
        self.view.commit(&applied.accesses);
        self.records.push(PerpRecord { index, op, accesses: applied.accesses });
        Ok(())
    }

    pub fn sign_transfer(&self, mut op: MarginTransfer) -> MarginTransfer {
        let digest = chain(&self.context.system, &op.message());
        op.signature = secret(op.account.get() as usize % 8).sign(&digest);
        op
    }

    pub fn try_apply(&mut self, op: PerpTrade) -> Result<(), TradeReject> {
        self.try_op(op.into())
    }

    pub fn apply(&mut self, op: PerpTrade) {
        self.try_apply(op).expect("the ledger accepts the trade");
    }

    pub fn apply_op(&mut self, op: impl Into<TradeOp>) {
        self.try_op(op.into()).expect("the ledger accepts the op");
    }

    /// The trade of a record.
    pub fn fill(&self, k: usize) -> &PerpTrade {
        let TradeOp::PerpTrade(op) = &self.records[k].op else { panic!("no trade") };
        op
    }

    pub fn fill_mut(&mut self, k: usize) -> &mut PerpTrade {
        let TradeOp::PerpTrade(op) = &mut self.records[k].op else { panic!("no trade") };
        op
    }

    pub fn set_fill(&mut self, k: usize, op: PerpTrade) {
        self.records[k].op = op.into();
    }

    pub fn witness(&self) -> Witness {
        self.try_witness().unwrap()
    }

    pub fn try_witness(&self) -> Result<Witness, crate::WitnessError> {
        Witness::new(&SMALL, &self.context, &self.params, &self.records, self.context.digest())
    }
}

/// Every constraint of every row and the balance of every bus.
pub fn judge(witness: &Witness) -> Result<(), Violation> {
    check(
        &SMALL.circuit(Profile::Base).airs,
        &witness.traces,
        &public_values(&witness.claim, witness.traces.len()),
    )
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

/// Puts the orders of a trade into slots, at their next nonces.
pub fn place(w: &World, mut op: PerpTrade, taker: u8, maker: u8) -> PerpTrade {
    for (signed, slot) in [(&mut op.taker, taker), (&mut op.maker, maker)] {
        let terms = &mut signed.order.terms;
        terms.slot = Slot::new(slot).unwrap();
        terms.nonce = w.ord(terms.account.get(), terms.sub.get(), slot).next_nonce;
    }
    op
}

/// Opens, adds, reduces, closes, flips; partial fills, brokers, rebates, triggers, reduce-only, IOC, FOK, post-only,
/// self-trades, insurance; funding due; a settling market; an unhealthy party that reduces.
pub fn every_trade() -> World {
    let mut w = World::new();
    w.hold(2, 4, -20, 77);
    w.set_collateral(0, -(1 << 60));
    w.set_collateral(5, -(1 << 60));
    w.set_funding(4, -1_000_000_001);
    let named = MkpCell { index: 900, mark: 1_100, price_ts: 5, settled: true };
    w.view.set(Key::mkp(4), named.to_leaf());
    let busy = MkoCell { open_interest: 0, moves: (1 << 24) - 2 };
    w.view.set(Key::mko(0), busy.to_leaf());
    w.hold(3, 4, 6, 5);
    for n in [3, 4, 5] {
        let mut op = PerpTrade { lots: lots(n), ..w.trade(0, 12, 1_001) };
        op.maker.order.terms.lots = lots(1 << 30);
        w.apply(op);
    }
    w.set_funding(0, 123_456_789);
    w.apply(place(&w, w.sale(0, 7, 990), 1, 2)); // reduce
    w.apply(place(&w, w.trade(1, 30, 1_000), 2, 3)); // another market
    w.set_funding(1, -(1 << 28));
    w.set_price(1, 1_050);
    w.apply(place(&w, w.sale(0, 9, 1_010), 2, 4)); // flip
    let mut op = place(&w, w.trade(0, 4, 1_010), 2, 5); // close
    (op.maker.order.terms.broker, op.maker.order.terms.broker_rate) = (account(5), rate(1));
    w.apply(op);
    let mut op = place(&w, w.trade(1, 10, 1_040), 3, 6);
    (op.taker.order.terms.broker, op.taker.order.terms.broker_rate) = (account(5), rate(500));
    op.maker.order.terms.broker = account(3);
    op.maker.order.terms.broker_rate = rate(700);
    w.apply(op);
    let mut op = place(&w, w.sale(0, 10, 1_000), 4, 7);
    (op.maker_fee, op.maker.order.terms.max_maker_fee) = (rate(-1_900), rate(-1_000));
    op.maker.order.terms.tif = Tif::PostOnly;
    op.taker.order.terms.tif = Tif::Ioc;
    op.taker.order.terms.lots = lots(50);
    op.close_taker = true;
    w.apply(op);
    let mut op = place(&w, w.trade(0, 6, 1_000), 5, 8);
    op.taker.order.trigger = Trigger::Above(price(1_000));
    op.taker.order.terms.tif = Tif::Fok;
    op.taker.order.reduce_only = true;
    op.maker.order.trigger = Trigger::Below(price(1_001));
    w.apply(op);
    let mut op = w.trade(0, 21, 50);
    op.maker = w.order(2, 0, Side::Sell, 40, 50);
    op.taker.order.terms.self_trade = SelfTrade::Decrement;
    w.apply(place(&w, op, 7, 8));
    w.hold(1, 0, -9, 4);
    w.set_collateral(1, 100_000_000_000);
    let mut op = w.trade(0, 5, 1_003);
    op.taker.order.terms.account = account(1);
    op.taker.key_slot = KeySlot::new(1).unwrap();
    w.apply(place(&w, op, 1, 9)); // insurance reduces
    w.hold(4, 2, 500, -(1 << 50));
    w.hold(5, 2, -500, (1 << 50) + 3);
    let mut op = w.sale(2, 100, 1_000);
    (op.taker, op.maker) = (w.order(4, 2, Side::Sell, 100, 1_000), w.order(5, 2, Side::Buy, 100, 1_000));
    w.set_funding(2, 5);
    w.set_collateral(4, 1 << 92);
    w.set_collateral(5, 1 << 92);
    w.apply(op); // large funding
    ill(&mut w);
    w.set_price(5, 4_000_000_000);
    w.set_collateral(2, 1 << 90);
    w.set_collateral(3, 1 << 90);
    w.apply(place(&w, w.trade(5, 3, 4_000_000_000), 11, 11)); // large numbers
    margins(&mut w);
    w
}

/// Transfers in and out of every kind, exits that succeed and that are refused, trades of parties with margin tokens.
pub fn margins(w: &mut World) {
    use Direction::{In, Out};
    w.view.set(Key::bal(2, 0, 0), BalCell { balance: Balance::new((1 << 25) + 5).unwrap() }.to_leaf());
    w.apply_op(w.transfer(2, In, 0, 1 << 25));
    w.apply_op(w.transfer(2, Out, 0, 77));
    w.set_balance(4, 0, 9);
    w.set_collateral(4, -3);
    w.apply_op(w.transfer(4, In, 0, 2)); // a debt that stays, and one that ends
    w.apply_op(w.transfer(4, In, 0, 7));
    for (k, token) in [5, 100, 9, 127].into_iter().enumerate() {
        w.set_balance(3, token, 1 << (30 + 15 * k));
        w.apply_op(w.transfer(3, In, token, 1 << (29 + 15 * k)));
    }
    w.apply_op(w.transfer(3, Out, 100, 1 << 40));
    w.apply_op(w.transfer(3, Out, 9, 1 << 59)); // the mask loses a bit
    w.apply(place(w, w.trade(0, 1, 1_000), 13, 13)); // a judged party with tokens
    w.set_margin(5, 2, 12);
    w.set_margin(1, 0, (1 << 96) - 1);
    w.apply_op(w.transfer(1, Out, 5, (1 << 96) - 1)); // insurance
    w.apply_op(w.exit(3, 5)); // open positions
    w.apply_op(w.exit(3, 6)); // not listed
    w.apply_op(MarginExit { sender: EthAddress([8; 20]), ..w.exit(3, 5) });
    w.apply_op(w.exit(99, 5)); // no account
    let sub = SubCell { collateral: Collateral::new(-5).unwrap(), ..SubCell::default() }.with(0, true);
    w.view.set(Key::sub(5, 1), sub.to_leaf());
    let party = Party { account: account(5), sub: SubId::new(1).unwrap() };
    w.apply_op(MarginExit { party, ..w.exit(5, 5) }); // debt
    w.view.set(Key::sub(5, 1), SubCell { collateral: Collateral::new(5).unwrap(), ..sub }.to_leaf());
    w.view.set(Key::mbal(5, 1, 0), BalCell { balance: Balance::new(1 << 70).unwrap() }.to_leaf());
    w.apply_op(MarginExit { party, ..w.exit(5, 5) });
    w.apply_op(MarginExit { party, ..w.exit(5, 9) }); // of nothing
}

/// Account 4 is between MMR and IMR with positions in two markets, and reduces.
pub fn ill(w: &mut World) {
    w.hold(4, 0, 2_000, 123_456_789);
    w.set_collateral(4, -2_750_000_000_000);
    let mut op = w.trade(0, 400, 1_000);
    op.maker = w.order(4, 0, Side::Sell, 400, 1_000);
    op.maker_fee = rate(0);
    w.apply(place(w, op, 12, 12));
}
