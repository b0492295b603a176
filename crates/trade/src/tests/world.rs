//! A small system to trade in.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::OnceLock;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{
    BalCell, BatchContext, Cell, CtlCell, Key, KeyPolicy, L1InCell, MkfCell, MkoCell, MkpCell, MksCell,
    OrdCell, Permissions, PosCell, Scheme, SubCell, SystemId,
};
use tsz_risk::Margin;
use tsz_sig::{SecretKey, Signature};
use tsz_stf::{Genesis, GenesisAccount, GenesisKey, MemView, TokenListing, Trusted, View};
use tsz_types::*;

use crate::ops::*;
use crate::params::*;
use crate::*;

pub const TIME: u64 = 1_000 * HOUR_MS + 5 * 60_000;
pub const USERS: u32 = 8;
pub const OWNER: EthAddress = EthAddress([7; 20]);

pub struct World {
    pub view: MemView,
    pub params: Params,
    pub batch: BatchContext,
    pub totals: BTreeMap<TokenId, i128>,
}

pub fn secret(k: u8) -> &'static SecretKey {
    static KEYS: OnceLock<Vec<SecretKey>> = OnceLock::new();
    &KEYS.get_or_init(|| (0..8u8).map(|k| SecretKey::from_seed(&[k; 32])).collect())[usize::from(k)]
}

pub fn blank() -> Signature {
    static BLANK: OnceLock<Signature> = OnceLock::new();
    *BLANK.get_or_init(|| secret(0).sign(&[F::ZERO; 8]))
}

pub fn party(account: u32, sub: u8) -> Party {
    Party { account: AccountId::new(account).unwrap(), sub: SubId::new(sub).unwrap() }
}

pub fn market(m: u8) -> MarketId {
    MarketId::new(m).unwrap()
}

pub fn lots(n: u64) -> Lots {
    Lots::new(n).unwrap()
}

pub fn price(n: u32) -> Price {
    Price::new(n).unwrap()
}

pub fn rate(n: i32) -> Rate {
    Rate::new(n).unwrap()
}

pub fn token(n: u8) -> TokenId {
    TokenId::new(n).unwrap()
}

pub fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
}

pub fn notional(n: u128) -> Notional {
    Notional::new(n).unwrap()
}

pub fn feed(m: u8) -> Digest {
    [F::from_u8(m); 8]
}

fn tier(bound: u128, imf: u16, mmf: u16, cmf: u16) -> TierParams {
    TierParams { bound: notional(bound), imf: fraction(imf), mmf: fraction(mmf), cmf: fraction(cmf) }
}

pub fn perp_market(m: u8, qm: u32) -> PerpMarket {
    PerpMarket {
        status: Status::Open,
        qm: QuoteMultiplier::new(qm).unwrap(),
        tiers: vec![
            tier(1_000_000, 1_000, 500, 300),
            tier(5_000_000, 2_000, 1_000, 600),
            tier(20_000_000, 5_000, 2_500, 1_500),
        ],
        taker_cap: rate(2_000),
        maker_cap: rate(1_000),
        liquidation_fee: rate(10_000),
        oi_cap: notional(30_000_000),
        funding: FundingConfig { rate: rate(100), small: 500, big: 40_000 },
        feed: feed(m),
        forced_band: fraction(500),
    }
}

pub fn params() -> Params {
    let spot = |base, quote, lot_base, tick_quote| SpotMarket {
        status: Status::Open,
        base: token(base),
        quote: token(quote),
        lot_base,
        tick_quote,
        taker_cap: rate(3_000),
        maker_cap: rate(2_000),
    };
    let mut signers: Vec<_> = (0..5).map(|k| secret(k).public_key().key_id()).collect();
    signers.sort_by_key(validate_order);
    Params {
        perps: vec![perp_market(0, 1), perp_market(1, 10), perp_market(2, 3)],
        spots: vec![spot(1, 0, 10, 1), spot(2, 1, 1, 7)],
        oracle: OracleParams {
            signers,
            quorum: 3,
            max_age: 60_000,
            max_deviation: fraction(1_000),
            delta: 5_000,
        },
        collateral: vec![CollateralParams {
            token: token(1),
            haircut: fraction(9_000),
            market: market(0),
            units_per_lot: 10,
        }],
    }
}

pub fn validate_order(id: &Digest) -> [u32; 8] {
    id.map(|f| tsz_hash::PrimeField32::as_canonical_u32(&f))
}

impl World {
    /// Users 2..10, collateral and balances on sub-accounts 0 and 1, insurance with some, prices of 1000 ticks.
    pub fn new() -> Self {
        Self::with(params(), 500_000, 100_000)
    }

    pub fn with(params: Params, user: u64, insurance: u64) -> Self {
        params.validate().unwrap();
        let accounts = (0..USERS).map(|_| user_account(user)).collect();
        let genesis = Genesis {
            tokens: (0..3)
                .map(|t| TokenListing { token: token(t), minimum: Units::new(1).unwrap() })
                .collect(),
            parameters: params.hash(),
            accounts,
            ..Genesis::default()
        };
        let system = SystemId { rollup: 1, chain: 31337, address: [1; 20] };
        let batch = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let view = MemView::from_leaves(genesis.leaves().unwrap());
        let mut world = Self { view, params, batch, totals: BTreeMap::new() };
        world.give(Party::INSURANCE, insurance as i128 * 1_000_000);
        let users = if world.params.collateral.is_empty() { 0 } else { USERS };
        for account in 2..2 + users {
            world.give_margin(party(account, 0), 1_000_000_000);
            world.give_margin(party(account, 1), 200_000_000);
        }
        // insurance trades by a key that its owner registers
        let policy =
            KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::MAX };
        world.view.set(Key::key_a(1, 0), secret(0).public_key().key_id());
        world.view.set(Key::key_b(1, 0), Some(policy).to_leaf());
        for m in 0..world.params.perps.len() as u8 {
            world.set_price(m, 1_000);
            let hour = (TIME / HOUR_MS) as u32;
            world.view.set(Key::mkf(m.into()), MkfCell { hour, ..MkfCell::default() }.to_leaf());
        }
        world.totals = invariants::Totals::of(world.view.leaves(), &world.params).unwrap().tokens;
        world
    }

    /// Adds collateral; the totals follow.
    pub fn give(&mut self, who: Party, micros: i128) {
        let cell = self.sub(who);
        let collateral = Collateral::new(cell.collateral.get() + micros).unwrap();
        self.view.set(who.sub_key(), SubCell { collateral, ..cell }.to_leaf());
        *self.totals.entry(TokenId::QUOTE).or_default() += micros;
    }

    /// Adds to the margin balance of the first collateral token; the totals follow.
    pub fn give_margin(&mut self, who: Party, micros: i128) {
        let balance = Balance::new((self.margin_balance(who) as i128 + micros) as u128).unwrap();
        self.view.set(who.mbal_key(0), BalCell { balance }.to_leaf());
        let cell = self.sub(who).with(0, balance != Balance::MIN);
        self.view.set(who.sub_key(), cell.to_leaf());
        *self.totals.entry(token(1)).or_default() += micros;
    }

    pub fn margin_balance(&self, who: Party) -> u128 {
        BalCell::from_leaf(&self.view.get(who.mbal_key(0))).unwrap().balance.get()
    }

    pub fn set_price(&mut self, m: u8, ticks: u32) {
        let cell = MkpCell { index: ticks, mark: ticks, price_ts: self.batch.time, settled: false };
        self.view.set(Key::mkp(m.into()), cell.to_leaf());
    }

    pub fn view_cell(&self, key: Key) -> tsz_ledger::Leaf {
        self.view.get(key)
    }

    pub fn sub(&self, who: Party) -> SubCell {
        SubCell::from_leaf(&self.view.get(who.sub_key())).unwrap()
    }

    pub fn collateral(&self, who: Party) -> i128 {
        self.sub(who).collateral.get()
    }

    pub fn size(&self, who: Party, m: u8) -> i64 {
        PosCell::from_leaf(&self.view.get(who.pos_key(market(m)))).unwrap().size()
    }

    pub fn balance(&self, who: Party, t: u8) -> u128 {
        BalCell::from_leaf(&self.view.get(who.bal_key(token(t)))).unwrap().balance.get()
    }

    pub fn ord(&self, who: Party, slot: u8) -> OrdCell {
        OrdCell::from_leaf(&self.view.get(Key::ord(who.account.get(), who.sub.get().into(), slot.into())))
            .unwrap()
    }

    pub fn ctl(&self, who: Party) -> CtlCell {
        CtlCell::from_leaf(&self.view.get(Key::ctl(who.account.get(), who.sub.get().into()))).unwrap()
    }

    pub fn mkf(&self, m: u8) -> MkfCell {
        MkfCell::from_leaf(&self.view.get(Key::mkf(m.into()))).unwrap()
    }

    pub fn mks(&self, m: u8) -> MksCell {
        MksCell::from_leaf(&self.view.get(Key::mks(m.into()))).unwrap()
    }

    pub fn mkp(&self, m: u8) -> MkpCell {
        MkpCell::from_leaf(&self.view.get(Key::mkp(m.into()))).unwrap()
    }

    pub fn oi(&self, m: u8) -> u64 {
        MkoCell::from_leaf(&self.view.get(Key::mko(m.into()))).unwrap().open_interest
    }

    /// The market as risk sees it, at the last price.
    pub fn risk(&self, m: u8) -> tsz_risk::Market {
        self.params.perps[usize::from(m)].risk(self.mkp(m).mark, self.mkf(m).funding.get())
    }

    /// The page that ranks all holders opposite to a target, in the class of its close.
    pub fn rank(&self, target: Party, m: u8) -> AdlRank {
        let size = self.size(target, m);
        let position = tsz_risk::Position { size, funding: 0 };
        let class = tsz_risk::adl::loss_class(&position, &self.risk(m), &self.margin(target)).unwrap();
        let side = if size > 0 { Side::Sell } else { Side::Buy };
        let all = (1..2 + USERS).flat_map(|a| [party(a, 0), party(a, 1)]);
        let holders = all.filter(|p| self.size(*p, m).signum() == -size.signum()).collect();
        AdlRank { market: market(m), side, class: class.unwrap_or(15), restart: true, holders }
    }

    pub fn margin(&self, who: Party) -> Margin {
        invariants::margin(&self.view, &self.params, self.batch.time, who).unwrap()
    }

    /// A resting order; the nonce is the slot's next.
    pub fn order(&self, who: Party, m: u8, side: Side, n: u64, p: u32) -> Signed<PerpOrder> {
        let terms = self.terms(who, 0, side, n, p);
        let order = PerpOrder { market: market(m), reduce_only: false, trigger: Trigger::None, terms };
        Signed { order, key_slot: KeySlot::MIN, signature: blank(), prepared: Prepared::default() }
    }

    pub fn spot_order(&self, who: Party, m: u16, side: Side, n: u64, p: u32) -> Signed<SpotOrder> {
        let terms = self.terms(who, 1, side, n, p);
        let order = SpotOrder { market: SpotMarketId::new(m).unwrap(), terms };
        Signed { order, key_slot: KeySlot::MIN, signature: blank(), prepared: Prepared::default() }
    }

    fn terms(&self, who: Party, slot: u8, side: Side, n: u64, p: u32) -> Terms {
        Terms {
            account: who.account,
            sub: who.sub,
            slot: Slot::new(slot).unwrap(),
            nonce: self.ord(who, slot).next_nonce,
            side,
            lots: lots(n),
            price: price(p),
            tif: Tif::Gtt,
            self_trade: SelfTrade::Reject,
            max_taker_fee: rate(2_000),
            max_maker_fee: rate(1_000),
            broker: AccountId::FEES,
            broker_rate: rate(0),
            expiry: TimeMs::MAX,
            kill_epoch: self.ctl(who).kill_epoch,
        }
    }

    /// `buyer` takes `n` lots from `seller` without fees.
    pub fn perp(&self, buyer: Party, seller: Party, m: u8, n: u64, p: u32) -> PerpTrade {
        PerpTrade {
            taker: self.order(buyer, m, Side::Buy, n, p),
            maker: self.order(seller, m, Side::Sell, n, p),
            lots: lots(n),
            taker_fee: rate(0),
            maker_fee: rate(0),
            close_taker: false,
        }
    }

    pub fn margin_transfer(&self, who: Party, direction: Direction, t: u8, micros: u128) -> MarginTransfer {
        MarginTransfer {
            account: who.account,
            sub: who.sub,
            direction,
            token: token(t),
            amount: Balance::new(micros).unwrap(),
            nonce: self.ctl(who).nonce,
            key_slot: KeySlot::MIN,
            signature: blank(),
        }
    }

    /// Serial of the next L1 operation.
    pub fn serial(&self) -> L1Serial {
        L1InCell::from_leaf(&self.view.get(Key::L1IN)).unwrap().next
    }

    pub fn spot(&self, buyer: Party, seller: Party, m: u16, n: u64, p: u32) -> SpotTrade {
        SpotTrade {
            taker: self.spot_order(buyer, m, Side::Buy, n, p),
            maker: self.spot_order(seller, m, Side::Sell, n, p),
            lots: lots(n),
            taker_fee: rate(0),
            maker_fee: rate(0),
            close_taker: false,
        }
    }

    /// The op's outcome; nothing is committed.
    pub fn dry(&self, op: impl Into<TradeOp>) -> Result<Applied, TradeReject> {
        let ctx = TradeContext { batch: &self.batch, params: &self.params };
        apply_with(&self.view, &ctx, 1, &op.into(), &Trusted)
    }

    /// Applies, checks the invariants and commits; on rejection the state stays.
    pub fn apply(&mut self, op: impl Into<TradeOp>) -> Result<TradeReceipt, TradeReject> {
        let op = op.into();
        let applied = self.dry(op.clone())?;
        let moves_funding = matches!(op, TradeOp::FundingTick(_));
        if !moves_funding {
            let funding = |m: u32| self.mkf(m as u8).funding.get();
            let (tokens, sizes) = invariants::deltas(&applied.accesses, &self.params, funding).unwrap();
            assert!(tokens.values().all(|v| *v == 0), "I4 {op:?}: {tokens:?}");
            assert!(sizes.values().all(|v| *v == 0), "I4 {op:?}: {sizes:?}");
        }
        for access in &applied.accesses {
            assert!(access.write || access.old == access.new);
        }
        self.view.commit(&applied.accesses);
        invariants::check(self.view.leaves(), &self.params, &self.totals)
            .unwrap_or_else(|e| panic!("{op:?}: {e}"));
        Ok(applied.receipt)
    }

    /// Moves time; due funding ticks are applied, prices stay as young as they were.
    pub fn advance(&mut self, ms: u64) {
        self.batch.time += ms;
        for m in 0..self.params.perps.len() as u8 {
            while u64::from(self.mkf(m).hour) < self.batch.time / HOUR_MS {
                self.apply(FundingTick { market: market(m) }).unwrap();
            }
            let cell = MkpCell { price_ts: self.batch.time, ..self.mkp(m) };
            self.view.set(Key::mkp(m.into()), cell.to_leaf());
        }
    }
}

fn user_account(units: u64) -> GenesisAccount {
    let policy = KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::MAX };
    let key_id = secret(0).public_key().key_id();
    let sub = |n: u8| SubId::new(n).unwrap();
    let balance = |n: u64| Balance::from(Units::new(n).unwrap());
    GenesisAccount {
        owner: OWNER,
        keys: vec![GenesisKey { slot: KeySlot::MIN, key_id, policy }],
        balances: vec![
            (sub(0), token(0), balance(units)),
            (sub(0), token(1), balance(1_000)),
            (sub(0), token(2), balance(5_000)),
            (sub(1), token(1), balance(200)),
        ],
        collateral: vec![
            (sub(0), Collateral::from(Units::new(units).unwrap())),
            (sub(1), Collateral::from(Units::new(units / 2).unwrap())),
        ],
    }
}
