//! A small system to trade in, and a range of trades in the making.

use std::sync::OnceLock;

use tsz_air::{Violation, check};
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{BalCell, BatchContext, Cell, Key, KeyPolicy, OrdCell, Permissions, Scheme, SystemId};
use tsz_sig::{SecretKey, Signature};
use tsz_stark::Profile;
use tsz_stf::{Genesis, GenesisAccount, GenesisKey, MemView, TokenListing, Trusted, View};
use tsz_trade::ops::SpotTrade;
use tsz_trade::order::{Order as _, SelfTrade, Side, Signed, SpotOrder, Terms, Tif};
use tsz_trade::params::*;
use tsz_trade::{TradeContext, TradeReject, apply_with};
use tsz_types::*;

use crate::class::{CLASSES, Class};
use crate::prove::public_values;
use crate::record::SpotRecord;
use crate::witness::Witness;

pub const SMALL: Class = CLASSES[0];
pub const TIME: u64 = 0x2_ffff_fff0;

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
pub fn token(n: u8) -> TokenId {
    TokenId::new(n).unwrap()
}

fn spot(base: u8, quote: u8, lot_base: u64, tick_quote: u32, status: Status) -> SpotMarket {
    let (base, quote) = (token(base), token(quote));
    SpotMarket { status, base, quote, lot_base, tick_quote, taker_cap: rate(3_000), maker_cap: rate(2_000) }
}

/// Market 0: 1/0; 1: 2/1; 2: closed; 3: 2/0 with a large lot and tick.
pub fn params() -> Params {
    let fraction = |n| Fraction::new(n).unwrap();
    let bound = Notional::new(1_000_000).unwrap();
    let tier = TierParams { bound, imf: fraction(1_000), mmf: fraction(500), cmf: fraction(300) };
    let perp = PerpMarket {
        status: Status::Open,
        qm: QuoteMultiplier::new(1).unwrap(),
        tiers: vec![tier],
        taker_cap: rate(2_000),
        maker_cap: rate(1_000),
        liquidation_fee: rate(10_000),
        oi_cap: bound,
        funding: FundingConfig::default(),
        feed: [f(1); 8],
        forced_band: fraction(500),
    };
    Params {
        perps: vec![perp],
        spots: vec![
            spot(3, 0, 10, 1, Status::Open),
            spot(2, 1, 1, 7, Status::Open),
            spot(2, 0, 1, 1, Status::Closed),
            spot(2, 0, (1 << 40) - 3, (1 << 20) - 7, Status::Open),
        ],
        oracle: OracleParams::default(),
        collateral: Vec::new(),
    }
}

/// Users 2..6 and insurance, party k with secret k in key slot k; insurance has token 3 and token 2.
#[derive(Clone)]
pub struct World {
    pub view: MemView,
    pub params: Params,
    pub context: BatchContext,
    pub records: Vec<SpotRecord>,
}

fn policy() -> KeyPolicy {
    let expiry = TimeMs::new(TIME + 1).unwrap();
    KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry }
}

fn user(k: usize) -> GenesisAccount {
    let slot = KeySlot::new(k as u8).unwrap();
    let balance = |n: u64| Balance::from(Units::new(n).unwrap());
    let sub = |n: u8| SubId::new(n).unwrap();
    GenesisAccount {
        owner: EthAddress([7; 20]),
        keys: vec![GenesisKey { slot, key_id: secret(k).public_key().key_id(), policy: policy() }],
        balances: (0..4)
            .flat_map(|t| [(sub(0), token(t), balance(1 << 54)), (sub(1), token(t), balance(1 << 30))])
            .collect(),
        collateral: vec![(sub(0), Collateral::new(5_000_000).unwrap())],
    }
}

impl World {
    pub fn new() -> Self {
        let params = params();
        params.validate().unwrap();
        let genesis = Genesis {
            tokens: (0..4)
                .map(|t| TokenListing { token: token(t), minimum: Units::new(1).unwrap() })
                .collect(),
            parameters: params.hash(),
            accounts: (2..6).map(user).collect(),
            ..Genesis::default()
        };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let context = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let mut view = MemView::from_leaves(genesis.leaves().unwrap());
        view.set(Key::key_a(1, 1), secret(1).public_key().key_id());
        view.set(Key::key_b(1, 1), Some(policy()).to_leaf());
        for t in [2, 3] {
            view.set(Key::bal(1, 0, t), BalCell { balance: Balance::new(1 << 50).unwrap() }.to_leaf());
        }
        Self { view, params, context, records: Vec::new() }
    }

    /// Changes the parameters, the hash of the batch with them.
    pub fn set_params(&mut self, change: impl Fn(&mut Params)) {
        change(&mut self.params);
        self.context.params = self.params.hash();
    }

    pub fn blank() -> Signature {
        static BLANK: OnceLock<Signature> = OnceLock::new();
        *BLANK.get_or_init(|| secret(0).sign(&Digest::default()))
    }

    pub fn ord(&self, account: u32, sub: u8, slot: u8) -> OrdCell {
        OrdCell::from_leaf(&self.view.get(Key::ord(account, sub.into(), slot.into()))).unwrap()
    }

    /// An order in slot 1 of sub 0 at the slot's nonce.
    pub fn order(&self, who: u32, market: u16, side: Side, n: u64, p: u32) -> Signed<SpotOrder> {
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
        let order = SpotOrder { market: SpotMarketId::new(market).unwrap(), terms };
        Signed {
            order,
            key_slot: KeySlot::new(who as u8).unwrap(),
            signature: Self::blank(),
            prepared: Default::default(),
        }
    }

    /// Account 2 takes `n` lots from 3 at `p` with fees.
    pub fn trade(&self, market: u16, n: u64, p: u32) -> SpotTrade {
        SpotTrade {
            taker: self.order(2, market, Side::Buy, n, p),
            maker: self.order(3, market, Side::Sell, n, p),
            lots: lots(n),
            taker_fee: rate(2_000),
            maker_fee: rate(700),
            close_taker: false,
        }
    }

    /// The same with the taker selling.
    pub fn sale(&self, market: u16, n: u64, p: u32) -> SpotTrade {
        let mut op = self.trade(market, n, p);
        op.taker.order.terms.side = Side::Sell;
        op.maker.order.terms.side = Side::Buy;
        op
    }

    pub fn sign(&self, mut op: SpotTrade) -> SpotTrade {
        for signed in [&mut op.taker, &mut op.maker] {
            let digest = signed.order.digest(&self.context.system);
            signed.signature = secret(signed.order.terms.account.get() as usize).sign(&digest);
        }
        op
    }

    /// Signs, applies, commits and records; on rejection nothing changes.
    pub fn try_apply(&mut self, op: SpotTrade) -> Result<(), TradeReject> {
        let ctx = TradeContext { batch: &self.context, params: &self.params };
        let index = self.records.len() as u32;
        let applied = apply_with(&self.view, &ctx, index, &op.clone().into(), &Trusted)?;
        let op = self.sign(op);
        self.view.commit(&applied.accesses);
        self.records.push(SpotRecord { index, op, accesses: applied.accesses });
        Ok(())
    }

    pub fn apply(&mut self, op: SpotTrade) {
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

/// Puts the orders of a trade into slots, at their next nonces.
fn place(w: &World, mut op: SpotTrade, taker: u8, maker: u8) -> SpotTrade {
    for (signed, slot) in [(&mut op.taker, taker), (&mut op.maker, maker)] {
        let terms = &mut signed.order.terms;
        terms.slot = Slot::new(slot).unwrap();
        terms.nonce = w.ord(terms.account.get(), terms.sub.get(), slot).next_nonce;
    }
    op
}

/// Partial fills, both directions, brokers, IOC with close, FOK, post-only, self-trades, nonce gaps, large products,
/// insurance that sells.
pub fn every_trade() -> World {
    let mut w = World::new();
    for n in [3, 4, 5] {
        let mut op = SpotTrade { lots: lots(n), ..w.trade(0, 12, 1_000) };
        op.maker.order.terms.lots = lots(1 << 30);
        w.apply(op);
    }
    w.apply(place(&w, w.sale(0, 7, 0x0100_0003), 1, 2));
    let mut op = place(&w, w.trade(0, 5, 999), 1, 255);
    op.taker.order.terms.price = price(u32::MAX);
    op.taker.order.terms.nonce = Nonce::new(0x00ff_ffff).unwrap();
    op.maker.order.terms.nonce = Nonce::new(u32::MAX - 1).unwrap();
    w.apply(op);
    for (k, (a, b)) in (0u8..).zip([(500, 0), (0, 700), (2_000, 1)]) {
        let mut op = place(&w, w.sale(0, 9, 77), 2, 10 + k);
        op.taker.order.terms.broker = account(5);
        op.taker.order.terms.broker_rate = rate(a);
        op.maker.order.terms.broker_rate = rate(b);
        w.apply(op);
    }
    let mut op = place(&w, w.trade(0, 100, 10), 3, 3);
    op.taker.order.terms.tif = Tif::Ioc;
    op.maker.order.terms.tif = Tif::PostOnly;
    op.maker.order.terms.max_maker_fee = rate(1_999);
    op.taker.order.terms.max_maker_fee = rate(-7);
    op.lots = lots(60);
    op.close_taker = true;
    w.apply(op);
    let mut op = place(&w, w.sale(0, 11, 10), 4, 4);
    op.taker.order.terms.tif = Tif::Fok;
    w.apply(op);
    let mut op = w.trade(0, 21, 50);
    op.maker = w.order(2, 0, Side::Sell, 40, 50);
    op.taker.order.terms.self_trade = SelfTrade::Decrement;
    w.apply(place(&w, op, 7, 8));
    w.apply(place(&w, w.trade(1, 8, 30), 5, 6));
    w.apply(place(&w, w.sale(1, 8, 30), 5, 7));
    w.apply(place(&w, w.trade(3, 4, 4097), 9, 9));
    // insurance sells, as maker and as taker
    let mut op = place(&w, w.trade(0, 6, 500), 9, 10);
    op.maker = w.order(1, 0, Side::Sell, 30, 500);
    w.apply(op);
    let mut op = place(&w, w.sale(0, 6, 500), 9, 10);
    op.taker = w.order(1, 0, Side::Sell, 6, 400);
    op.taker.order.terms.slot = Slot::new(2).unwrap();
    w.apply(op);
    w
}
