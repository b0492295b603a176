//! Long random histories with crashes: ledger and model agree on every state and every rejection, the invariants
//! hold after every operation.

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
        let outcome = match &got {
            Ok(receipt) => format!("{:?}", receipt.code),
            Err(reject) => format!("{reject:?}").split([' ', '(']).next().unwrap_or_default().into(),
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

    /// Random terms on top of an order that would mostly do.
    fn spoil(&mut self, t: &mut Terms) {
        let r = &mut self.rng;
        t.slot = Slot::new(r.below(4) as u8).unwrap();
        t.nonce = Nonce::new(0).unwrap();
        if r.one_in(4) {
            t.lots = lots(t.lots.get() + r.below(5));
        }
        match r.below(160) {
            0 => t.tif = Tif::Ioc,
            1 => t.tif = Tif::Fok,
            2 => t.tif = Tif::PostOnly,
            3 => t.self_trade = SelfTrade::Decrement,
            4 => t.expiry = TimeMs::new(self.w.batch.time + r.below(2)).unwrap(),
            5 => t.kill_epoch = KillEpoch::new(1).unwrap(),
            6 => t.max_taker_fee = rate(r.range(-5, 200) as i32),
            7 => t.max_maker_fee = rate(r.range(-200, 200) as i32),
            8..12 => {
                t.broker = party(r.below(12) as u32, 0).account;
                t.broker_rate = rate(r.range(-1, 90) as i32);
            }
            12 => t.price = price((i64::from(t.price.get()) + r.range(-5, 5)).max(1) as u32),
            _ => {}
        }
        let next = self.w.ord(Party { account: t.account, sub: t.sub }, t.slot.get());
        // an order in progress goes on as it is only by chance, so mostly the next nonce
        let skip = if next.filled == Lots::MIN { self.rng.below(20) / 19 } else { self.rng.below(6).min(1) };
        t.nonce = Nonce::new(next.next_nonce.get().saturating_add(skip as u32)).unwrap();
        if self.rng.one_in(60) {
            t.nonce = Nonce::new(t.nonce.get().saturating_sub(1)).unwrap();
        }
    }

    fn perp(&mut self) {
        let (mut buyer, mut seller, m) = (self.user(), self.user(), self.market());
        if self.rng.one_in(2) {
            // someone who holds a position goes the other way
            let all = parties();
            let held = all.iter().find(|p| self.w.size(**p, m) > 0 && self.rng.one_in(3));
            seller = held.copied().unwrap_or(seller);
            let held = all.iter().find(|p| self.w.size(**p, m) < 0 && self.rng.one_in(3));
            buyer = held.copied().unwrap_or(buyer);
        }
        let mark = i64::from(self.w.mkp(m).mark);
        let p = (mark + mark * self.rng.range(-30, 30) / 1_000).max(1) as u32;
        let qm = i64::from(self.w.params.perps[usize::from(m)].qm.get());
        let most = (200_000 / (mark * qm)).max(2);
        let mut size = self.rng.range(1, most) as u64;
        if self.rng.one_in(3) {
            let exact = [buyer, seller].map(|p| self.w.size(p, m).unsigned_abs());
            size = exact[self.rng.below(2) as usize].max(1);
        }
        let mut op = self.w.perp(buyer, seller, m, size, p);
        if self.rng.one_in(2) {
            core::mem::swap(&mut op.taker, &mut op.maker);
        }
        op.taker_fee = rate(self.rng.range(100, 400) as i32);
        op.maker_fee = rate(self.rng.range(-110, 200) as i32);
        for side in [0, 1] {
            let mut order = if side == 0 { op.taker.order } else { op.maker.order };
            self.spoil(&mut order.terms);
            match self.rng.below(90) {
                0..3 => order.reduce_only = true,
                3 => order.trigger = Trigger::Above(price(p)),
                4 => order.trigger = Trigger::Below(price(p)),
                _ => {}
            }
            if side == 0 { op.taker.order = order } else { op.maker.order = order }
        }
        op.close_taker = self.rng.one_in(200) || op.taker.order.terms.tif == Tif::Ioc && self.rng.one_in(2);
        // several fills of the same orders
        for _ in 0..=self.rng.below(3) {
            op.lots = lots(if self.rng.one_in(2) { size } else { 1 + self.rng.below(size) });
            let _ = perp_order(&op.taker.order);
            self.apply(op.clone());
        }
    }

    fn spot(&mut self) {
        let (buyer, seller) = (self.user(), self.user());
        let m = self.rng.below(2) as u16;
        let size = 1 + self.rng.below(12);
        let p = if m == 0 { 900 + self.rng.below(200) as u32 } else { 1 + self.rng.below(3) as u32 };
        let mut op = self.w.spot(buyer, seller, m, size, p);
        if self.rng.one_in(2) {
            core::mem::swap(&mut op.taker, &mut op.maker);
        }
        op.taker_fee = rate(self.rng.range(0, 400) as i32);
        op.maker_fee = rate(self.rng.range(-10, 200) as i32);
        let (mut t, mut k) = (op.taker.order.terms, op.maker.order.terms);
        self.spoil(&mut t);
        self.spoil(&mut k);
        (op.taker.order.terms, op.maker.order.terms) = (t, k);
        let _ = spot_order(&op.taker.order);
        op.lots = lots(1 + self.rng.below(size));
        self.apply(op);
    }

    fn prices(&mut self) {
        let crash = self.rng.one_in(9);
        let ts = TimeMs::new(self.w.batch.time + self.rng.below(2_000)).unwrap();
        for m in 0..3u8 {
            let (a, b) = if crash { (-250, 220) } else { (-15, 15) };
            let by = self.rng.range(a, b);
            let old = self.w.mkp(m);
            let reports = (0..3 + self.rng.below(3) as u8)
                .map(|signer| {
                    let mut near = |p: u32| {
                        let p = i64::from(p);
                        (p + p * by / 1_000 + self.rng.range(-2, 2)).clamp(300, 3_000) as u32
                    };
                    let (index, mark) = (near(old.index), near(old.mark));
                    PriceReport { signer, index, mark, confidence: 0, ts, breaker: crash, signature: blank() }
                })
                .collect();
            self.apply(OracleUpdate { market: market(m), reports });
        }
    }

    fn time(&mut self) {
        self.w.batch.time +=
            if self.rng.one_in(20) { self.rng.below(HOUR_MS) } else { self.rng.below(20_000) };
        for m in 0..3 {
            while self.apply(FundingTick { market: market(m) }) {}
            let mut premium = || self.rng.range(-20_000, 20_000) as i32;
            let mut reports: Vec<_> = (0..3)
                .map(|signer| PremiumReport { signer, premium: premium(), signature: blank() })
                .collect();
            if self.rng.one_in(50) {
                reports[0].premium = 1_000_001;
            }
            self.apply(PremiumSample { market: market(m), reports });
        }
        if !self.rng.one_in(10) {
            self.prices();
        }
    }

    /// Ill positions first, sometimes any.
    fn target(&mut self) -> Option<(Party, u8, u64)> {
        let all: Vec<_> = parties().into_iter().flat_map(|p| (0..3).map(move |m| (p, m))).collect();
        let held: Vec<_> = all.into_iter().filter(|(p, m)| self.w.size(*p, *m) != 0).collect();
        let ill = |p: &Party| {
            invariants::margin(&self.w.view, &self.w.params, self.w.batch.time, *p)
                .is_ok_and(|m| m.health() >= Health::PartialLiquidation)
        };
        let sick: Vec<_> = held.iter().filter(|(p, _)| ill(p)).copied().collect();
        let from = if self.rng.one_in(15) { held } else { sick };
        if from.is_empty() {
            return None;
        }
        let (p, m) = from[self.rng.below(from.len() as u64) as usize];
        let size = self.w.size(p, m).unsigned_abs();
        let beyond = self.rng.below(2);
        let n = if self.rng.one_in(2) { size } else { 1 + self.rng.below(size + beyond) };
        Some((p, m, n))
    }

    fn close(&mut self) {
        let Some((target, m, n)) = self.target() else { return };
        let size = self.w.size(target, m);
        let mut parties = parties();
        parties.retain(|p| self.w.size(*p, m).signum() == -size.signum());
        match self.rng.below(3) {
            0 => {
                let mark = i64::from(self.w.mkp(m).mark);
                let p = (mark + mark * self.rng.range(-80, 80) / 1_000).max(1) as u32;
                let side = if size > 0 { Side::Buy } else { Side::Sell };
                let user = self.user();
                let mut maker = self.w.order(user, m, side, n, p);
                let mut terms = maker.order.terms;
                self.spoil(&mut terms);
                maker.order.terms = terms;
                let maker_fee = rate(self.rng.range(-5, 100) as i32);
                self.apply(Liquidate { target, market: market(m), maker, lots: lots(n), maker_fee });
            }
            1 => {
                self.apply(Takeover { target, market: market(m), lots: lots(n) });
            }
            _ => self.deleverage(target, m, &parties),
        }
    }

    /// Ranks the holders of the other side, mostly in full, and closes the target against some of them.
    fn deleverage(&mut self, target: Party, m: u8, holders: &[Party]) {
        let size = self.w.size(target, m);
        let side = if size > 0 { Side::Sell } else { Side::Buy };
        let (row, margin) = (self.w.risk(m), self.w.margin(target));
        let class = loss_class(&Position { size, funding: 0 }, &row, &margin).unwrap().unwrap_or(15);
        let class = if self.rng.one_in(25) { self.rng.below(17) as u8 } else { class };
        let cut = if self.rng.one_in(2) { self.rng.below(holders.len() as u64 + 1) as usize } else { 0 };
        let lost = usize::from(self.rng.one_in(20));
        let pages =
            [(true, &holders[..cut]), (cut == 0, &holders[cut..holders.len().saturating_sub(lost).max(cut)])];
        for (restart, page) in pages.into_iter().skip(usize::from(cut == 0)) {
            let restart = restart != self.rng.one_in(30);
            self.apply(AdlRank { market: market(m), side, class, restart, holders: page.to_vec() });
        }
        if self.rng.one_in(10) {
            self.perp();
        }
        for c in holders.iter().copied() {
            if self.rng.one_in(4) {
                let op = self.force(target, m, Some(c));
                self.apply(op);
            }
            let op = Adl { target, market: market(m), counterparty: c };
            if self.apply(op) {
                let at = self.w.margin(c);
                assert!(at.tav >= at.imr, "{c:?} cannot bear it: {at:?}");
                if self.rng.one_in(2) {
                    break;
                }
            }
        }
    }

    fn force(&self, target: Party, m: u8, counterparty: Option<Party>) -> ForceLiquidate {
        ForceLiquidate { serial: self.w.serial(), target, market: market(m), sender: OWNER, counterparty }
    }

    /// L1 operations.
    fn forced(&mut self) {
        let all: Vec<_> = parties().into_iter().flat_map(|p| (0..3).map(move |m| (p, m))).collect();
        let held: Vec<_> = all.iter().copied().filter(|(p, m)| self.w.size(*p, *m) != 0).collect();
        let from = if self.rng.one_in(8) || held.is_empty() { all } else { held };
        let (p, m) = from[self.rng.below(from.len() as u64) as usize];
        let (size, mark) = (self.w.size(p, m), i64::from(self.w.mkp(m).mark));
        let n =
            if self.rng.one_in(2) { size.unsigned_abs() } else { self.rng.below(size.unsigned_abs() + 2) };
        let sells = (size > 0) != self.rng.one_in(15);
        let side = if sells { Side::Sell } else { Side::Buy };
        let near = |by: i64| price((mark + mark * by / 1_000).max(1) as u32);
        let limit = if self.rng.one_in(6) {
            self.rng.range(-60, 60)
        } else if sells {
            -60
        } else {
            60
        };
        let at = if self.rng.one_in(4) { self.rng.range(-60, 60) } else { self.rng.range(-5, 5) };
        let user = self.user();
        let mut maker =
            self.w.order(user, m, if sells { Side::Buy } else { Side::Sell }, n.max(1), near(at).get());
        let mut terms = maker.order.terms;
        self.spoil(&mut terms);
        maker.order.terms = terms;
        let (taker_fee, maker_fee) =
            (rate(self.rng.range(-1, 300) as i32), rate(self.rng.range(-5, 100) as i32));
        let fill = (!self.rng.one_in(10)).then_some(ForcedFill { maker, taker_fee, maker_fee });
        let sender = if self.rng.one_in(20) { EthAddress([9; 20]) } else { OWNER };
        let at = market(if self.rng.one_in(30) { 9 } else { m });
        let late = u64::from(self.rng.one_in(30));
        let serial = L1Serial::new(self.w.serial().get() + late).unwrap();
        let op = ForcedClose {
            serial,
            party: p,
            market: at,
            side,
            lots: lots(n),
            limit: near(limit),
            sender,
            fill,
        };
        self.apply(op);
        let op = self.force(p, at.get(), None);
        self.apply(op);
        let (token, listed) = (token(self.rng.below(4) as u8), self.rng.one_in(2));
        let minimum = Units::new(self.rng.below(9)).unwrap();
        self.apply(SetToken { serial: self.w.serial(), token, listed, minimum });
        self.apply(SetParams { serial: self.w.serial(), hash: self.w.params.hash() });
        let Party { account, sub } = user;
        let CtlCell { nonce, kill_epoch } = self.w.ctl(user);
        let not_before = TimeMs::new(self.w.batch.time + self.rng.below(2)).unwrap();
        let kill_epoch = KillEpoch::new(kill_epoch.get() + u32::from(self.rng.one_in(5))).unwrap();
        let key_slot = KeySlot::MIN;
        if account >= AccountId::INSURANCE && self.rng.one_in(4) {
            self.apply(CancelAll {
                account,
                sub,
                kill_epoch,
                not_before,
                nonce,
                key_slot,
                signature: blank(),
            });
        }
    }

    /// Sets the state of a market, as governance does between batches.
    fn govern(&mut self, m: u8, status: Status) {
        self.w.params.perps[usize::from(m)].status = status;
        self.w.batch.params = self.w.params.hash();
        self.model.params = self.w.params.clone();
        self.model.markets[usize::from(m)].p.status = status;
    }

    /// Settles a market that governance ends.
    fn settle(&mut self) {
        let m = 2;
        let mark = self.w.mkp(m).mark;
        let spread = mark * self.rng.below(40) as u32 / 1_000;
        let (long, short) = (price(mark - spread), price(mark + spread));
        let op = SettleMarket { serial: self.w.serial(), market: market(m), long, short };
        if self.rng.one_in(4) {
            let other = market(self.rng.below(4) as u8 * 3);
            self.apply(SettleMarket { market: other, ..op.clone() });
            self.apply(SettleMarket { serial: self.w.serial(), long: short, short: long, ..op.clone() });
        }
        let op = SettleMarket { serial: self.w.serial(), ..op };
        if self.rng.one_in(3) {
            self.apply(op);
        }
        for _ in 0..3 {
            let all = parties();
            let long = all.iter().copied().find(|p| self.w.size(*p, m) > 0 && self.rng.one_in(2));
            let short = all.iter().copied().find(|p| self.w.size(*p, m) < 0 && self.rng.one_in(2));
            let (long, short) = (long.unwrap_or(party(2, 0)), short.unwrap_or(party(3, 0)));
            let most = self.w.size(long, m).unsigned_abs().min(self.w.size(short, m).unsigned_abs());
            let n = if self.rng.one_in(2) { most } else { self.rng.below(most + 2) };
            self.apply(SettlePair { market: market(m), long, short, lots: lots(n) });
        }
    }

    fn debts(&mut self) {
        let all = parties();
        let debtor = all.into_iter().find(|p| self.w.collateral(*p) < 0 && self.rng.one_in(2));
        let target = debtor.unwrap_or(party(2, 0));
        let held = self.w.margin_balance(target);
        let amount = if self.rng.one_in(3) { held } else { u128::from(self.rng.below(1_000_000)) };
        self.apply(SeizeToken { target, token: token(1), amount: Balance::new(amount).unwrap() });
        self.apply(AbsorbDebt { target });
        let (account, m) = (self.user(), self.market());
        self.apply(FundingSettle { party: account, market: market(m) });
        let slot = Slot::new(self.rng.below(4) as u8).unwrap();
        let next = self.w.ord(account, slot.get()).next_nonce.get();
        let nonce = Nonce::new((next + self.rng.below(3) as u32).saturating_sub(1)).unwrap();
        let Party { account, sub } = account;
        if account >= AccountId::INSURANCE {
            self.apply(CancelOrder { account, sub, slot, nonce, key_slot: KeySlot::MIN, signature: blank() });
        }
    }

    /// Balances become margin and margin balances, mostly within what is there.
    fn margins(&mut self) {
        let who = self.user();
        let direction = if self.rng.one_in(2) { Direction::In } else { Direction::Out };
        let tokens = if self.rng.one_in(8) { 3 } else { 2 };
        let t = self.rng.below(tokens) as u8;
        let held = match (direction, t) {
            (Direction::In, t) => self.w.balance(who, t),
            (Direction::Out, 0) => self.w.collateral(who).max(0) as u128,
            (Direction::Out, _) => self.w.margin_balance(who),
        };
        let part = |r: &mut Rng| held * u128::from(r.below(1_000)) / 900;
        let amount = if self.rng.one_in(4) { held } else { part(&mut self.rng) };
        let mut op = self.w.margin_transfer(who, direction, t, amount);
        if self.rng.one_in(30) {
            op.nonce = Nonce::new(op.nonce.get() + 1).unwrap();
        }
        self.apply(op);
        if self.rng.one_in(3) {
            let sender = if self.rng.one_in(8) { EthAddress([9; 20]) } else { OWNER };
            let t = if self.rng.one_in(8) { 2 } else { 1 };
            let (serial, party) = (self.w.serial(), self.user());
            self.apply(MarginExit { serial, party, token: token(t), sender });
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
