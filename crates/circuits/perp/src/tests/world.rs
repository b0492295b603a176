//! A small system to trade perpetuals in, and a range of trades in the making.

use std::sync::OnceLock;

use tsz_air::{Violation, check};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{
    BatchContext, Cell, Key, KeyPolicy, MkfCell, MkoCell, MkpCell, OrdCell, Permissions, PosCell, Scheme,
    SubCell, SystemId,
};
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey, MemView, TokenListing, Trusted, View};
use tsz_trade::ops::PerpTrade;
use tsz_trade::order::{Order as _, PerpOrder, SelfTrade, Side, Signed, Terms, Tif, Trigger};
use tsz_trade::params::*;
use tsz_trade::{HOUR_MS, TradeContext, TradeReject, apply_with};
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
        collateral: Vec::new(),
    }
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
    pub fn try_apply(&mut self, op: PerpTrade) -> Result<(), TradeReject> {
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op.clone().into(), &Trusted)?;
        let op = self.sign(op);
        self.view.commit(&applied.accesses);
        self.records.push(PerpRecord { index, op, accesses: applied.accesses });
        Ok(())
    }

    pub fn apply(&mut self, op: PerpTrade) {
        self.try_apply(op).expect("the ledger accepts the trade");
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
    w
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
