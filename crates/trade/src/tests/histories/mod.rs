//! Long random histories with crashes: ledger and model agree on every state and every rejection, the invariants
//! hold after every operation.

mod close;
mod govern;
mod trade;

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use std::string::String;
use std::{format, println};

use super::model::{Acc, MOrder, Market, Model, Who, perp_order, spot_order, z};
use super::rng::Rng;
use super::world::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;
use tsz_hash::Digest;
use tsz_ledger::{BatchContext, Cell, CtlCell, Key, MkoCell, MkrCell, TokCell};
use tsz_risk::adl::loss_class;
use tsz_risk::{Health, Position};
use tsz_stf::{FlatView, Trusted, View};
use tsz_types::*;

const SUBS: [u8; 2] = [0, 1];

fn parties() -> Vec<Party> {
    let users = (2..2 + USERS).flat_map(|a| SUBS.map(|s| party(a, s)));
    [Party::FEES, Party::INSURANCE].into_iter().chain(users).collect()
}

fn model_of(w: &World) -> Model {
    let acc = |p: Party| {
        let bal = (0..3u8).map(|t| (t, z(w.balance(p, t)))).collect();
        let margin = [(1, z(w.margin_balance(p)))].into();
        ((p.account.get(), p.sub.get()), Acc { coll: z(w.collateral(p)), bal, margin, ..Acc::default() })
    };
    let market = |m: u8| Market {
        p: w.params.perps[usize::from(m)].clone(),
        index: z(w.mkp(m).index),
        mark: z(w.mkp(m).mark),
        ts: z(w.mkp(m).price_ts),
        f: z(w.mkf(m).funding.get()),
        hour: w.mkf(m).hour.into(),
        sum: z(0),
        minute: 0,
        oi: z(0),
        moves: 0,
        settled: None,
    };
    Model {
        params: w.params.clone(),
        accs: parties().into_iter().map(acc).collect::<BTreeMap<Who, Acc>>(),
        markets: (0..w.params.perps.len() as u8).map(market).collect(),
        now: w.batch.time,
        serial: 0,
        rankings: BTreeMap::new(),
        tokens: BTreeMap::new(),
    }
}

fn order_party(t: &Terms) -> Party {
    Party { account: t.account, sub: t.sub }
}

/// The sub-accounts that an operation of their own moves.
fn actors(op: &TradeOp) -> Vec<Party> {
    match op {
        TradeOp::PerpTrade(t) => vec![order_party(&t.taker.order.terms), order_party(&t.maker.order.terms)],
        TradeOp::SpotTrade(t) => vec![order_party(&t.taker.order.terms), order_party(&t.maker.order.terms)],
        TradeOp::Liquidate(t) => vec![order_party(&t.maker.order.terms)],
        TradeOp::ForcedClose(t) => {
            let maker = t.fill.iter().map(|f| order_party(&f.maker.order.terms));
            maker.chain([t.party]).collect()
        }
        TradeOp::MarginTransfer(t) => vec![Party { account: t.account, sub: t.sub }],
        TradeOp::MarginExit(t) => vec![t.party],
        _ => Vec::new(),
    }
}

struct Pair {
    w: World,
    model: Model,
    rng: Rng,
    counts: BTreeMap<u32, (u32, u32)>,
    /// By operation and receipt, or the name of the rejection.
    outcomes: BTreeMap<(u32, String), u32>,
    /// Lots filled of every signed order, by account, sub-account, slot and digest.
    filled: BTreeMap<(Who, u8, [u32; 8]), u64>,
    /// What was tried, in which context, and what came of it.
    tape: Vec<(BatchContext, Params, TradeOp, Result<TradeReceipt, TradeReject>)>,
    /// Whether to keep it.
    taped: bool,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut p = params();
        p.collateral[0].haircut = fraction(1_000); // or tokens would save everyone
        // positions outgrow the last tier by their price
        p.perps[1].tiers.truncate(1);
        p.perps[1].tiers[0].bound = notional(120_000);
        let w = World::with(p, 15_000, 40_000);
        Self {
            model: model_of(&w),
            w,
            rng: Rng::new(seed),
            counts: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            filled: BTreeMap::new(),
            tape: Vec::new(),
            taped: false,
        }
    }

    fn user(&mut self) -> Party {
        match self.rng.below(60) {
            0 => Party::INSURANCE,
            1 => Party::FEES,
            _ => party(2 + self.rng.below(USERS.into()) as u32, SUBS[self.rng.below(8) as usize / 6]),
        }
    }

    fn market(&mut self) -> u8 {
        self.rng.below(3) as u8
    }

    /// Applies to both and compares; says whether it was accepted.
    fn apply(&mut self, op: impl Into<TradeOp>) -> bool {
        let op = op.into();
        self.model.now = self.w.batch.time;
        let actors = actors(&op);
        let figures = |w: &World| -> Vec<_> {
            let margin = |p: &Party| invariants::margin(&w.view, &w.params, w.batch.time, *p).ok();
            actors.iter().map(margin).collect()
        };
        let before = figures(&self.w);
        let (serial, chain) = (self.w.serial(), self.w.view.get(Key::L1CHAIN));
        let got = self.w.apply(op.clone());
        self.check_queue(&op, got.is_ok(), serial, chain);
        if self.taped {
            self.tape.push((self.w.batch, self.w.params.clone(), op.clone(), got));
        }
        let want = self.model.apply(&op);
        let codes = (got.as_ref().ok().map(|r| r.code as u32), want.as_ref().ok().copied());
        assert_eq!(codes.0, codes.1, "{op:?}: ledger {got:?}, model {want:?}");
        for (b, a) in before.into_iter().zip(figures(&self.w)) {
            if let (Some(b), Some(a)) = (b, a) {
                assert!(got.is_err() || invariants::keeps_maintenance(&b, &a), "I5 {op:?}: {b:?} {a:?}");
            }
        }
        let beyond = |op: &ForcedClose| {
            op.lots > Lots::MIN && op.lots.get() <= self.w.size(op.party, op.market.get()).unsigned_abs()
        };
        let outcome = match (&got, &op) {
            (Ok(TradeReceipt { code: TradeCode::TooManyLots, .. }), TradeOp::ForcedClose(op))
                if beyond(op) =>
            {
                "Beyond".into()
            }
            (Ok(receipt), _) => format!("{:?}", receipt.code),
            (Err(reject), _) => format!("{reject:?}").split([' ', '(']).next().unwrap_or_default().into(),
        };
        *self.outcomes.entry((op.code(), outcome)).or_default() += 1;
        let count = self.counts.entry(op.code()).or_default();
        if got.is_ok() {
            count.0 += 1
        } else {
            count.1 += 1
        }
        if let Ok(receipt) = &got {
            self.check_orders(&op, receipt.code);
            self.compare(&op);
        }
        got.is_ok()
    }

    /// I6: what L1 ordered is served in turn and chained, nothing else moves the queue.
    fn check_queue(&self, op: &TradeOp, accepted: bool, serial: L1Serial, chain: Digest) {
        let record = match op {
            TradeOp::ForcedClose(op) => op.record().to_vec(),
            TradeOp::MarginExit(op) => op.record().to_vec(),
            TradeOp::ForceLiquidate(op) => op.record().to_vec(),
            TradeOp::SetParams(op) => op.record().to_vec(),
            TradeOp::SettleMarket(op) => op.record().to_vec(),
            TradeOp::SetToken(op) => op.record().to_vec(),
            TradeOp::SetProvider(op) => op.record().to_vec(),
            TradeOp::ClearProvider(op) => op.record().to_vec(),
            _ => Vec::new(),
        };
        assert_eq!(record.is_empty(), !op.is_l1());
        let (next, link) = if accepted && op.is_l1() {
            (serial.next().unwrap(), tsz_stf::chain(&chain, &record))
        } else {
            (serial, chain)
        };
        assert_eq!((self.w.serial(), self.w.view.get(Key::L1CHAIN)), (next, link), "I6 {op:?}");
    }

    /// I7 and I8: all fills of an order together stay within what is signed, the price within the limits.
    fn check_orders(&mut self, op: &TradeOp, code: TradeCode) {
        let system = self.w.batch.system;
        let of = |o: &PerpOrder| (o.terms, o.digest(&system));
        let (orders, n) = match op {
            TradeOp::PerpTrade(t) => (vec![of(&t.taker.order), of(&t.maker.order)], t.lots),
            TradeOp::SpotTrade(t) => {
                let of = |o: &SpotOrder| (o.terms, o.digest(&system));
                (vec![of(&t.taker.order), of(&t.maker.order)], t.lots)
            }
            TradeOp::Liquidate(t) => (vec![of(&t.maker.order)], t.lots),
            TradeOp::ForcedClose(t) if code == TradeCode::Ok => {
                let maker = &t.fill.as_ref().unwrap().maker.order;
                let (p, limit) = (maker.terms.price, t.limit);
                assert!(if t.side == Side::Buy { p <= limit } else { p >= limit }, "I8 {op:?}");
                (vec![of(maker)], t.lots)
            }
            _ => return,
        };
        if let [(taker, _), (maker, _)] = orders[..] {
            assert!(taker.accepts(maker.price) && maker.accepts(maker.price), "I8 {op:?}");
        }
        for (t, digest) in orders {
            let who = order_party(&t);
            let key = ((who.account.get(), who.sub.get()), t.slot.get(), validate_order(&digest));
            let filled = self.filled.entry(key).or_default();
            *filled += n.get();
            assert!(*filled <= t.lots.get(), "I7 {op:?}: {filled} lots");
            let cell = self.w.ord(who, t.slot.get());
            let done = cell.next_nonce > t.nonce && cell.filled == Lots::MIN;
            assert!(done || cell.next_nonce == t.nonce && cell.filled < t.lots, "I7 {op:?}");
        }
    }

    fn compare(&self, op: &TradeOp) {
        let w = &self.w;
        for p in parties() {
            let a = self.model.get((p.account.get(), p.sub.get()));
            assert_eq!(z(w.collateral(p)), a.coll, "{p:?} {op:?}");
            assert_eq!(usize::from(w.sub(p).pos_count), a.pos.len(), "{p:?} {op:?}");
            for m in 0..3 {
                let (size, _) = a.pos.get(&m).cloned().unwrap_or_default();
                assert_eq!(z(w.size(p, m)), size, "{p:?} {op:?}");
                let margin = a.margin.get(&1).cloned().unwrap_or_default();
                assert_eq!(z(w.margin_balance(p)), margin, "{p:?} {op:?}");
                assert_eq!(w.sub(p).mask, u8::from(margin != z(0)), "{p:?} {op:?}");
                let token = a.bal.get(&m).cloned().unwrap_or_default();
                assert_eq!(z(w.balance(p, m)), token, "{p:?} {op:?}");
            }
            for slot in 0..4 {
                let (next, filled, tag): (u64, _, Option<MOrder>) =
                    a.slots.get(&slot).cloned().unwrap_or_default();
                let cell = w.ord(p, slot);
                assert_eq!(
                    (u64::from(cell.next_nonce.get()), z(cell.filled.get())),
                    (next, filled),
                    "{op:?}"
                );
                assert_eq!(tag.is_none(), cell.tag == <[tsz_hash::F; 4]>::default());
            }
            let ctl = w.ctl(p);
            assert_eq!((u64::from(ctl.nonce.get()), ctl.kill_epoch.get()), (a.nonce, a.epoch), "{op:?}");
        }
        for (m, model) in (0..).zip(&self.model.markets) {
            let (p, f, s) = (w.mkp(m), w.mkf(m), w.mks(m));
            let got =
                [z(p.index), z(p.mark), z(p.price_ts), z(f.funding.get()), z(f.hour), z(s.sum), z(w.oi(m))];
            let want =
                [&model.index, &model.mark, &model.ts, &model.f, &z(model.hour), &model.sum, &model.oi];
            assert_eq!(got.each_ref(), want, "{op:?}");
            let moves = MkoCell::from_leaf(&w.view.get(Key::mko(m.into()))).unwrap().moves;
            assert_eq!((p.settled, moves), (model.settled.is_some(), model.moves), "{op:?}");
        }
        assert_eq!(w.serial().get(), self.model.serial, "{op:?}");
        for ((m, side, class), r) in &self.model.rankings {
            let key = Key::mkr((*m).into(), (*side).into(), (*class).into());
            let cell = MkrCell::from_leaf(&w.view.get(key)).unwrap();
            let last = (cell.account, cell.sub);
            assert_eq!(
                (cell.moves, z(cell.price_ts), z(cell.remaining)),
                (r.moves, r.ts.clone(), r.left.clone())
            );
            assert_eq!((last, u64::from(cell.rank)), (r.last, r.best), "{op:?}");
        }
        for (t, (listed, minimum)) in &self.model.tokens {
            let cell = TokCell::from_leaf(&w.view.get(Key::tok((*t).into()))).unwrap();
            assert_eq!((cell.listed, cell.minimum.get()), (*listed, *minimum));
        }
    }

    fn step(&mut self) {
        match self.rng.below(24) {
            20..22 => self.margins(),
            22.. => self.forced(),
            0..10 => self.perp(),
            10..12 => self.spot(),
            12..15 => self.time(),
            15..19 => self.close(),
            19 => self.debts(),
        }
    }
}

fn history(seed: u64, steps: u32) -> Pair {
    run(Pair::new(seed), steps)
}

fn run(mut pair: Pair, steps: u32) -> Pair {
    for k in 0..steps {
        // one market lives through all states, the others stay open
        match k {
            _ if k == steps / 2 => pair.govern(2, Status::ReduceOnly),
            _ if k == steps / 2 + steps / 8 => pair.govern(2, Status::Open),
            _ if k == steps / 4 * 3 => pair.govern(2, Status::Settling),
            _ if k == steps / 8 * 7 => pair.phase_out(),
            _ => {}
        }
        if k >= steps / 4 * 3 && pair.rng.one_in(4) {
            pair.settle();
        }
        pair.step();
    }
    pair
}

/// The executor that keeps its state in hash maps says the same of every operation and ends in the same state.
#[test]
fn the_executor_in_memory_agrees() {
    let start = Pair::new(77);
    let mut executor = MemExecutor::new(FlatView::from_leaves(start.w.view.leaves()));
    let done = run(Pair { taped: true, ..start }, 600);
    for (batch, params, op, want) in &done.tape {
        let ctx = TradeContext { batch, params };
        let got = executor.apply(&ctx, 1, &Op::Trade(op.clone()), &Trusted);
        assert_eq!(got, want.map(OpReceipt::Trade).map_err(OpReject::Trade));
        assert_eq!(executor.accesses().is_empty(), want.is_err());
    }
    let leaves: BTreeMap<_, _> = executor.view().leaves().collect();
    assert_eq!(leaves, done.w.view.leaves().collect());
}

#[test]
fn ledger_and_model_agree_on_random_histories() {
    let steps = std::env::var("TSZ_HISTORY_STEPS").ok().and_then(|s| s.parse().ok()).unwrap_or(2_000);
    let mut counts: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    let mut outcomes: BTreeMap<(u32, String), u32> = BTreeMap::new();
    for seed in 0..12 {
        let pair = history(seed, steps);
        for (key, n) in pair.outcomes {
            *outcomes.entry(key).or_default() += n;
        }
        for (code, (ok, bad)) in pair.counts {
            let total = counts.entry(code).or_default();
            (total.0, total.1) = (total.0 + ok, total.1 + bad);
        }
    }
    println!("accepted and rejected by code: {counts:?}");
    println!("outcomes: {outcomes:?}");
    let total: u32 = counts.values().map(|(ok, bad)| ok + bad).sum();
    println!("{total} operations agreed");
    // what L1 demands is served and refused, each way
    for (code, outcome) in [
        (41, "Ok"),
        (41, "Liquidatable"),
        (41, "Beyond"),
        (41, "OutsideBand"),
        (41, "Settling"),
        (41, "Unpaired"),
        (42, "Ok"),
        (57, "Ok"),
        (57, "NotBankrupt"),
        (63, "Ok"),
    ] {
        assert!(outcomes.contains_key(&(code, outcome.into())), "operation {code} never is {outcome}");
    }
    for code in [10, 11, 12, 30, 40, 41, 50, 51, 52, 53, 54, 55, 56, 57, 59, 60, 61, 62, 63] {
        let (ok, bad) = counts.get(&code).copied().unwrap_or_default();
        assert!(ok > 0 && bad > 0, "operation {code} is not exercised: {ok} accepted, {bad} rejected");
    }
}
