//! An exchange in memory whose accounts all have positions, and operations for it: for benchmarks and for the test that
//! counts allocations.

use std::cell::RefCell;

use tsz_hash::{Digest, F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{
    AcctCell, BalCell, BatchContext, Cell, HeadCell, Key, KeyPolicy, Leaf, MkfCell, MkoCell, MkpCell,
    Permissions, PosCell, Scheme, SubCell, SystemId,
};
use tsz_sig::{Claim, PublicKey, SecretKey, Signature, verify_batch};
use tsz_stf::{FlatView, SigVerifier};
use tsz_trade::ops::*;
use tsz_trade::params::*;
use tsz_trade::*;
use tsz_types::*;

/// Distance between the numbers of accounts: the active ones lie apart, as among the accounts of an exchange.
const STRIDE: u32 = 8;
pub const TIME: u64 = 1_000 * HOUR_MS;
/// Lots of every position and of every order.
const SIZE: u64 = 10;
pub const PRICE: u32 = 1_000;

pub fn fraction(n: u16) -> Fraction {
    Fraction::new(n).unwrap()
}

pub fn rate(n: i32) -> Rate {
    Rate::new(n).unwrap()
}

pub fn params() -> Params {
    let tier = |bound, imf, mmf, cmf| TierParams {
        bound: Notional::new(bound).unwrap(),
        imf: fraction(imf),
        mmf: fraction(mmf),
        cmf: fraction(cmf),
    };
    let perp = PerpMarket {
        status: Status::Open,
        qm: QuoteMultiplier::new(1).unwrap(),
        tiers: vec![tier(1 << 40, 500, 300, 200), tier(1 << 50, 1_000, 600, 400)],
        taker_cap: rate(1_000),
        maker_cap: rate(1_000),
        liquidation_fee: rate(10_000),
        oi_cap: Notional::MAX,
        funding: FundingConfig { rate: rate(100), small: 500, big: 40_000 },
        feed: ZERO,
        forced_band: fraction(500),
    };
    let spot = SpotMarket {
        status: Status::Open,
        base: TokenId::new(1).unwrap(),
        quote: TokenId::QUOTE,
        lot_base: 1,
        tick_quote: 1,
        taker_cap: rate(1_000),
        maker_cap: rate(1_000),
    };
    let signers = (0..5).map(|k| [F::from_u8(k); 8]).collect();
    let max_deviation = fraction(1_000);
    let oracle = OracleParams { signers, quorum: 3, max_age: 60_000, max_deviation, delta: 5_000 };
    Params { perps: vec![perp; 256], spots: vec![spot], oracle, collateral: vec![] }
}

pub struct Exchange {
    pub executor: MemExecutor,
    pub params: Params,
    pub batch: BatchContext,
    pub users: u32,
    markets: [u8; 3],
    key: SecretKey,
    pub blank: Signature,
}

/// Leaves of user `k`: those of even number are long in the three markets, the others short.
fn user(k: u32, key: &Digest, markets: [u8; 3]) -> impl Iterator<Item = (Key, Leaf)> {
    let a = account(k);
    let amount = Units::new(1 << 50).unwrap();
    let policy = KeyPolicy { scheme: Scheme::Schnorr, permissions: Permissions::ALL, expiry: TimeMs::MAX };
    let sub = SubCell { collateral: amount.into(), pos_count: 3, mask: 0 };
    let size = if k.is_multiple_of(2) { SIZE as i64 } else { -(SIZE as i64) };
    let position = PosCell::new(size, FundingIndex::ZERO).unwrap().to_leaf();
    let leaves = [
        (Key::acct(a), AcctCell { owner: Some(EthAddress::default()) }.to_leaf()),
        (Key::key_a(a, 0), *key),
        (Key::key_b(a, 0), Some(policy).to_leaf()),
        (Key::sub(a, 0), sub.to_leaf()),
        (Key::bal(a, 0, 0), BalCell { balance: amount.into() }.to_leaf()),
        (Key::bal(a, 0, 1), BalCell { balance: amount.into() }.to_leaf()),
    ];
    leaves.into_iter().chain(markets.map(|m| (Key::pos(a, 0, m.into()), position)))
}

impl Exchange {
    /// `users` accounts, an even number of them, each with positions in three markets.
    pub fn new(users: u32, markets: [u8; 3]) -> Self {
        let key = SecretKey::from_seed(&[1; 32]);
        let id = key.public_key().key_id();
        let mut view = FlatView::with_capacity(users as usize, 4 * users as usize);
        let time = TimeMs::new(TIME).unwrap();
        view.set(
            Key::HEAD,
            HeadCell { batch: BatchNumber::MIN, time, next_account: account(users) }.to_leaf(),
        );
        (0..users).flat_map(|k| user(k, &id, markets)).for_each(|(key, leaf)| view.set(key, leaf));
        for m in 0..=255 {
            let mkf = MkfCell { hour: (TIME / HOUR_MS) as u32, ..MkfCell::default() };
            view.set(Key::mkf(m), mkf.to_leaf());
            let mkp = MkpCell { index: PRICE, mark: PRICE, price_ts: TIME, settled: false };
            view.set(Key::mkp(m), mkp.to_leaf());
            let held = if markets.iter().any(|k| u32::from(*k) == m) { users } else { 0 };
            view.set(Key::mko(m), MkoCell { open_interest: SIZE * u64::from(held), moves: 0 }.to_leaf());
        }
        let system = SystemId { rollup: 1, chain: 1, address: [1; 20] };
        let params = params();
        let batch = BatchContext { system: system.digest(), batch: 1, time: TIME, params: params.hash() };
        let blank = key.sign(&[F::ZERO; 8]);
        Self { executor: MemExecutor::new(view), params, batch, users, markets, key, blank }
    }

    /// As the sequencer keeps it from intake on, or as it comes in.
    fn signed<O: Order + Copy + PartialEq>(&self, order: O, sign: bool, prepare: bool) -> Signed<O> {
        let signature = if sign { self.key.sign(&order.digest(&self.batch.system)) } else { self.blank };
        let mut signed = Signed { order, key_slot: KeySlot::MIN, signature, prepared: Prepared::default() };
        if prepare {
            signed.prepare(&self.batch.system);
        }
        signed
    }

    fn terms(&self, account: u32, slot: u8, nonce: u32, side: Side) -> Terms {
        Terms {
            account: AccountId::new(account).unwrap(),
            sub: SubId::MIN,
            slot: Slot::new(slot).unwrap(),
            nonce: Nonce::new(nonce).unwrap(),
            side,
            lots: Lots::new(SIZE).unwrap(),
            price: Price::new(PRICE).unwrap(),
            tif: Tif::Gtt,
            self_trade: SelfTrade::Reject,
            max_taker_fee: rate(1_000),
            max_maker_fee: rate(1_000),
            broker: AccountId::FEES,
            broker_rate: rate(0),
            expiry: TimeMs::MAX,
            kill_epoch: KillEpoch::MIN,
        }
    }

    /// Two different accounts, spread over all.
    fn pair(&self, k: u32) -> [u32; 2] {
        let a = k.wrapping_mul(2_654_435_761) % self.users;
        [account(a), account((a + 1 + k % (self.users - 1)) % self.users)]
    }

    /// Trade `k`, in one of the markets of all.
    pub fn perp(&self, k: u32, sign: bool, prepare: bool) -> PerpTrade {
        let market = MarketId::new(self.markets[k as usize % 3]).unwrap();
        let [taker, maker] = self.pair(k);
        let side = |account, side| {
            let terms = self.terms(account, 0, k, side);
            let order = PerpOrder { market, reduce_only: false, trigger: Trigger::None, terms };
            self.signed(order, sign, prepare)
        };
        PerpTrade {
            taker: side(taker, Side::Buy),
            maker: side(maker, Side::Sell),
            lots: Lots::new(SIZE).unwrap(),
            taker_fee: rate(500),
            maker_fee: rate(-100),
            close_taker: false,
        }
    }

    pub fn spot(&self, k: u32) -> SpotTrade {
        let [taker, maker] = self.pair(k);
        let side = |account, side| {
            let order = SpotOrder { market: SpotMarketId::MIN, terms: self.terms(account, 1, k, side) };
            self.signed(order, false, true)
        };
        SpotTrade {
            taker: side(taker, Side::Buy),
            maker: side(maker, Side::Sell),
            lots: Lots::new(SIZE).unwrap(),
            taker_fee: rate(500),
            maker_fee: rate(100),
            close_taker: false,
        }
    }

    /// Applies operations and commits them; every one is accepted.
    pub fn run<S: SigVerifier>(&mut self, ops: &[Op], verifier: &S) {
        let ctx = TradeContext { batch: &self.batch, params: &self.params };
        for op in ops {
            std::hint::black_box(self.executor.apply(&ctx, 1, op, verifier).unwrap());
        }
    }

    /// Runs with signatures collected, then verifies them together: what an executor does on one core.
    pub fn run_collected(&mut self, ops: &[Op]) {
        let collect = Collect { key: self.key.public_key(), claims: RefCell::default() };
        self.run(ops, &collect);
        assert!(verify_batch(&collect.claims.into_inner()).into_iter().all(|valid| valid));
    }

    /// Holders of a market's long (1) or short (-1) positions.
    pub fn holders(&self, sign: i64) -> Vec<Party> {
        let party = |k| Party { account: AccountId::new(account(k)).unwrap(), sub: SubId::MIN };
        (0..self.users).filter(|k| (k % 2 == 0) == (sign > 0)).map(party).collect()
    }
}

/// Takes signatures, all by one key, for valid and remembers them.
struct Collect {
    key: PublicKey,
    claims: RefCell<Vec<Claim>>,
}

impl SigVerifier for Collect {
    fn verify(&self, _: &Digest, message: &Digest, signature: &Signature) -> bool {
        let claim = Claim { key: self.key, message: *message, signature: *signature };
        self.claims.borrow_mut().push(claim);
        true
    }
}

/// Number of user `k`.
pub fn account(k: u32) -> u32 {
    2 + STRIDE * k
}
