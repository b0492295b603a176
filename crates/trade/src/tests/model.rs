//! A second ledger, slow and with big integers, written from docs/src/domain.md alone: every rule in its own words,
//! on a copy of the whole state that is thrown away if the operation breaks one.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use num_bigint::BigInt;

use crate::ops::*;
use crate::params::Status;
use crate::*;

pub type Z = BigInt;
pub type Rej = &'static str;
pub type Who = (u32, u8);

pub fn z(n: impl Into<Z>) -> Z {
    n.into()
}

pub fn ensure(holds: bool, what: Rej) -> Result<(), Rej> {
    if holds { Ok(()) } else { Err(what) }
}

/// Division toward minus infinity.
pub fn floor(a: &Z, b: &Z) -> Z {
    let q = a / b;
    if &q * b != *a && (a < &z(0)) != (b < &z(0)) { q - 1 } else { q }
}

/// An order in plain numbers; `spot` and market make it one of a market.
#[derive(Clone, Debug, PartialEq)]
pub struct MOrder {
    pub spot: bool,
    pub market: u16,
    pub t: Terms,
    pub reduce: bool,
    pub trigger: Trigger,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acc {
    pub coll: Z,
    /// (size, F_last) by market.
    pub pos: BTreeMap<u8, (Z, Z)>,
    pub bal: BTreeMap<u8, Z>,
    /// Collateral tokens set apart as margin.
    pub margin: BTreeMap<u8, Z>,
    /// Nonce of the next signed operation.
    pub nonce: u64,
    /// (next nonce, filled, the order that is filled).
    pub slots: BTreeMap<u8, (u64, Z, Option<MOrder>)>,
    pub epoch: u32,
}

#[derive(Clone, Debug)]
pub struct Market {
    pub p: crate::params::PerpMarket,
    pub index: Z,
    pub mark: Z,
    pub ts: Z,
    pub f: Z,
    pub hour: u64,
    pub sum: Z,
    pub minute: u64,
    pub oi: Z,
    /// Operations that moved a size, but ADL.
    pub moves: u64,
    /// Prices of longs and shorts, once governance named them.
    pub settled: Option<(Z, Z)>,
}

/// A ranking in the making: of which state, what is left to list, who came last, the best rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    pub moves: u64,
    pub ts: Z,
    pub left: Z,
    pub last: Who,
    pub best: u64,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub params: Params,
    pub accs: BTreeMap<Who, Acc>,
    pub markets: Vec<Market>,
    pub now: u64,
    /// Next L1 serial.
    pub serial: u64,
    /// By market, side (1 = short) and loss class.
    pub rankings: BTreeMap<(u8, u8, u8), Ranking>,
    /// (listed, minimum) of the tokens that governance changed.
    pub tokens: BTreeMap<u8, (bool, u64)>,
}

pub struct Figures {
    pub tav: Z,
    pub imr: Z,
    pub mmr: Z,
    pub cmr: Z,
}

impl Figures {
    pub fn health(&self) -> u8 {
        match () {
            () if self.tav < z(0) => 4,
            () if self.tav < self.cmr => 3,
            () if self.tav < self.mmr => 2,
            () if self.tav < self.imr => 1,
            () => 0,
        }
    }
}

pub fn who(p: Party) -> Who {
    (p.account.get(), p.sub.get())
}

pub fn of(t: &Terms) -> Who {
    (t.account.get(), t.sub.get())
}

pub fn n(r: tsz_types::Rate) -> Z {
    z(r.get())
}

impl Market {
    pub fn qm(&self) -> Z {
        z(self.p.qm.get())
    }

    pub fn worth(&self, size: &Z) -> Z {
        let price = match &self.settled {
            Some((long, short)) => {
                if *size > z(0) {
                    long
                } else {
                    short
                }
            }
            None => &self.mark,
        };
        size * price * self.qm()
    }

    pub fn fresh(&self, model: &Model) -> Result<(), Rej> {
        if self.p.status == Status::Settling && self.mark > z(0) {
            return Ok(());
        }
        ensure(self.mark > z(0) && z(model.now) <= &self.ts + model.params.oracle.max_age, "stale")
    }

    pub fn due(&self, now: u64) -> Result<(), Rej> {
        ensure(self.hour == now / 3_600_000, "funding due")
    }

    /// (imf, mmf, cmf) of a notional.
    pub fn tier(&self, notional: &Z) -> (Z, Z, Z) {
        let within = |t: &&crate::params::TierParams| *notional <= z(t.bound.get());
        let t = self.p.tiers.iter().find(within).or(self.p.tiers.last()).unwrap();
        (z(t.imf.get()), z(t.mmf.get()), z(t.cmf.get()))
    }
}

pub fn abs(x: &Z) -> Z {
    if x < &z(0) { -x } else { x.clone() }
}

pub fn legal(b: &Figures, a: &Figures, grew_or_flipped: bool) -> Result<(), Rej> {
    let ratio = &b.tav * &a.mmr <= &a.tav * &b.mmr;
    let ok = a.tav >= a.imr || !grew_or_flipped && ratio && (b.mmr != z(0) || a.tav >= b.tav);
    ensure(ok, "illegal transition")
}

impl Model {
    pub fn acc(&mut self, w: Who) -> &mut Acc {
        self.accs.entry(w).or_default()
    }

    pub fn get(&self, w: Who) -> Acc {
        self.accs.get(&w).cloned().unwrap_or_default()
    }

    pub fn figures(&self, a: &Acc) -> Result<Figures, Rej> {
        self.figures_at(a, false)
    }

    /// The figures at prices that are fresh, or at the last ones whatever their age.
    pub fn figures_at(&self, a: &Acc, any_age: bool) -> Result<Figures, Rej> {
        let mut f = Figures { tav: a.coll.clone(), imr: z(0), mmr: z(0), cmr: z(0) };
        for (m, (size, last)) in &a.pos {
            let m = &self.markets[usize::from(*m)];
            m.due(self.now)?;
            ensure(any_age && m.mark > z(0) || m.fresh(self).is_ok(), "stale")?;
            let notional = abs(&m.worth(size));
            let (i, mm, c) = m.tier(&notional);
            f.tav += m.worth(size) * 1_000_000 + size * m.qm() * (last - &m.f);
            f.imr += &notional * i * 100;
            f.mmr += &notional * mm * 100;
            f.cmr += &notional * c * 100;
        }
        for c in &self.params.collateral {
            let held = a.margin.get(&c.token.get()).cloned().unwrap_or_default();
            if held > z(0) {
                let m = &self.markets[usize::from(c.market.get())];
                ensure(any_age || c.haircut.get() == 0 || m.fresh(self).is_ok(), "stale")?;
                f.tav += floor(&(held * &m.index * m.qm() * c.haircut.get()), &(z(c.units_per_lot) * 10_000));
            }
        }
        Ok(f)
    }

    /// The rule of legal transitions for one sub-account.
    pub fn judge(&self, before: &Acc, after: &Acc, grew_or_flipped: bool) -> Result<(), Rej> {
        self.judge_at(before, after, grew_or_flipped, false)
    }

    pub fn judge_at(
        &self,
        before: &Acc,
        after: &Acc,
        grew_or_flipped: bool,
        any_age: bool,
    ) -> Result<(), Rej> {
        if after.pos.is_empty() && after.coll >= z(0) {
            return Ok(());
        }
        legal(&self.figures_at(before, any_age)?, &self.figures_at(after, any_age)?, grew_or_flipped)
    }

    pub fn settle(&mut self, w: Who, m: u8) {
        let (f, qm) = (self.markets[usize::from(m)].f.clone(), self.markets[usize::from(m)].qm());
        let a = self.acc(w);
        if let Some((size, last)) = a.pos.get_mut(&m) {
            a.coll += &*size * qm * (&*last - &f);
            *last = f;
        }
    }

    /// Settles, adds lots and cash, keeps the open interest.
    pub fn shift(&mut self, w: Who, m: u8, lots: &Z, cash: &Z) {
        self.settle(w, m);
        let f = self.markets[usize::from(m)].f.clone();
        let a = self.acc(w);
        a.coll += cash;
        let old = a.pos.get(&m).map_or(z(0), |p| p.0.clone());
        let new = &old + lots;
        if new == z(0) {
            a.pos.remove(&m);
        } else {
            a.pos.insert(m, (new.clone(), f));
        }
        self.markets[usize::from(m)].oi += abs(&new) - abs(&old);
    }

    pub fn size(&self, w: Who, m: u8) -> Z {
        self.accs.get(&w).and_then(|a| a.pos.get(&m)).map_or(z(0), |p| p.0.clone())
    }

    /// Section 4: usable, fee within caps, slot moved. `taker` is the close flag of a taker.
    pub fn admit(&mut self, o: &MOrder, taker: Option<bool>, b: &Z, fee: &Z, cap: &Z) -> Result<(), Rej> {
        let t = &o.t;
        let is_taker = taker.is_some();
        ensure(!(is_taker && t.tif == Tif::PostOnly), "post-only takes")?;
        ensure(is_taker || !matches!(t.tif, Tif::Ioc | Tif::Fok), "immediate makes")?;
        ensure(t.tif != Tif::Fok || *b == z(t.lots.get()), "partial FOK")?;
        ensure(taker != Some(true) || t.tif == Tif::Ioc, "close of no IOC")?;
        ensure(*b >= z(1), "no lots")?;
        ensure(t.nonce.get() != u32::MAX, "last nonce")?;
        ensure(n(t.max_taker_fee) >= z(0) && n(t.broker_rate) >= z(0), "negative caps")?;
        let own = if is_taker { n(t.max_taker_fee) } else { n(t.max_maker_fee) };
        ensure(*fee <= own && fee <= cap, "fee above cap")?;
        ensure(!is_taker || *fee >= z(0), "negative taker fee")?;
        let most = if *fee > z(0) { fee.clone() } else { z(0) };
        ensure(n(t.broker_rate) <= most, "broker above fee")?;
        ensure(t.expiry.get() > self.now, "expired")?;
        let a = self.accs.entry(of(t)).or_default();
        ensure(t.kill_epoch.get() == a.epoch, "killed")?;
        let (next, filled, tag) = a.slots.get(&t.slot.get()).cloned().unwrap_or_default();
        let nonce = u64::from(t.nonce.get());
        ensure(nonce >= next, "dead nonce")?;
        let filled0 = if nonce == next { filled } else { z(0) };
        let first = filled0 == z(0);
        ensure(first || tag.as_ref() == Some(o), "other order")?;
        ensure(&filled0 + b <= z(t.lots.get()), "overfill")?;
        let full = &filled0 + b == z(t.lots.get()) || taker == Some(true);
        let after = if full { (nonce + 1, z(0), None) } else { (nonce, filled0 + b, Some(o.clone())) };
        a.slots.insert(t.slot.get(), after);
        if !o.spot && first && o.trigger != Trigger::None {
            let m = &self.markets[usize::from(o.market)];
            m.fresh(self)?;
            let met = match o.trigger {
                Trigger::Above(p) => m.mark >= z(p.get()),
                Trigger::Below(p) => m.mark <= z(p.get()),
                Trigger::None => true,
            };
            ensure(met, "trigger")?;
        }
        Ok(())
    }

    /// Both orders fit each other; whether it is a self-trade that decrements.
    fn matched(t: &MOrder, m: &MOrder) -> Result<bool, Rej> {
        ensure(t.market == m.market, "other market")?;
        ensure(t.t.side != m.t.side, "same side")?;
        let cross = if t.t.side == Side::Buy { t.t.price >= m.t.price } else { t.t.price <= m.t.price };
        ensure(cross, "no cross")?;
        let own = of(&t.t) == of(&m.t);
        ensure(!own || t.t.self_trade == SelfTrade::Decrement, "self-trade")?;
        ensure(!own || t.t.slot != m.t.slot, "same slot")?;
        Ok(own)
    }

    pub fn pay_brokers(&mut self, notional: &Z, sides: &[(&Terms, Z)]) -> Result<(), Rej> {
        let mut rest = z(0);
        for (t, fee) in sides {
            rest += fee - n(t.broker_rate);
            if n(t.broker_rate) > z(0) {
                ensure(self.accs.contains_key(&(t.broker.get(), 0)), "no broker")?;
                self.acc((t.broker.get(), 0)).coll += notional * n(t.broker_rate);
            }
        }
        ensure(rest >= z(0), "negative net fee")?;
        self.acc((0, 0)).coll += notional * rest;
        Ok(())
    }

    /// One side of a fill in section 6: effects, then its own bounds. Gives (before, after, grew or flipped).
    pub fn side(&mut self, o: &MOrder, b: &Z, p: &Z, fee: &Z) -> Result<(Acc, Acc, bool), Rej> {
        let reduces = self.markets[usize::from(o.market)].p.status == Status::ReduceOnly;
        self.side_of(o, b, p, fee, reduces)
    }

    pub fn side_of(
        &mut self,
        o: &MOrder,
        b: &Z,
        p: &Z,
        fee: &Z,
        reduces: bool,
    ) -> Result<(Acc, Acc, bool), Rej> {
        let (w, id) = (of(&o.t), o.market as u8);
        let before = self.get(w);
        let m = self.markets[usize::from(id)].clone();
        let notional = b * p * m.qm();
        ensure(notional < z(1u128 << 56), "notional")?;
        let s = if o.t.side == Side::Buy { z(1) } else { z(-1) };
        let old = self.size(w, id);
        self.shift(w, id, &(&s * b), &(-&s * &notional * 1_000_000 - &notional * fee));
        let new = self.size(w, id);
        let reduce = o.reduce || w.0 == 1 || reduces;
        ensure(!reduce || &old * &s < z(0) && *b <= abs(&old), "not reducing")?;
        let grew = abs(&new) > abs(&old) || &old * &new < z(0);
        if grew {
            m.fresh(self)?;
            let worst = if *p > m.mark { p } else { &m.mark };
            ensure(abs(&new) * worst * m.qm() < z(1u128 << 56), "position notional")?;
            ensure(abs(&m.worth(&new)) <= z(m.p.tiers.last().unwrap().bound.get()), "tier bound")?;
        }
        Ok((before, self.get(w), grew))
    }

    fn perp(&mut self, op: &PerpTrade) -> Result<(), Rej> {
        let (t, k) = (perp_order(&op.taker.order), perp_order(&op.maker.order));
        let own = Self::matched(&t, &k)?;
        let id = usize::from(t.market);
        ensure(id < self.markets.len(), "no market")?;
        let m = self.markets[id].clone();
        ensure(matches!(m.p.status, Status::Open | Status::ReduceOnly), "market status")?;
        m.due(self.now)?;
        ensure(of(&t.t).0 != 0 && of(&k.t).0 != 0, "fee account")?;
        let (b, p) = (z(op.lots.get()), z(k.t.price.get()));
        let (ft, fm) = (n(op.taker_fee), n(op.maker_fee));
        self.admit(&t, Some(op.close_taker), &b, &ft, &n(m.p.taker_cap))?;
        self.admit(&k, None, &b, &fm, &n(m.p.maker_cap))?;
        if own {
            return Ok(());
        }
        let taker = self.side(&t, &b, &p, &ft)?;
        let maker = self.side(&k, &b, &p, &fm)?;
        self.pay_brokers(&(&b * &p * m.qm()), &[(&t.t, ft), (&k.t, fm)])?;
        let oi = self.markets[id].oi.clone();
        ensure(oi <= m.oi || m.worth(&oi) <= z(m.p.oi_cap.get()), "open interest")?;
        self.judge(&taker.0, &taker.1, taker.2)?;
        self.judge(&maker.0, &maker.1, maker.2)?;
        self.markets[id].moves += 1;
        Ok(())
    }

    fn spot(&mut self, op: &SpotTrade) -> Result<(), Rej> {
        let (t, k) = (spot_order(&op.taker.order), spot_order(&op.maker.order));
        let own = Self::matched(&t, &k)?;
        let m = *self.params.spots.get(usize::from(t.market)).ok_or("no market")?;
        ensure(m.status == Status::Open, "market status")?;
        for o in [&t, &k] {
            let sells_for_quote = o.t.side == Side::Sell && m.quote.get() == 0;
            ensure(of(&o.t).0 != 0 && (of(&o.t).0 != 1 || sells_for_quote), "reserved")?;
        }
        let (b, p) = (z(op.lots.get()), z(k.t.price.get()));
        let (ft, fm) = (n(op.taker_fee), n(op.maker_fee));
        ensure(fm >= z(0), "rebate")?;
        self.admit(&t, Some(op.close_taker), &b, &ft, &n(m.taker_cap))?;
        self.admit(&k, None, &b, &fm, &n(m.maker_cap))?;
        let (db, dq) = (&b * m.lot_base, &b * &p * m.tick_quote);
        ensure(db < z(1u64 << 60) && dq < z(1u64 << 60), "amounts")?;
        if own {
            return Ok(());
        }
        let mut paid = Vec::new();
        for (o, fee) in [(&t, &ft), (&k, &fm)] {
            let buys = o.t.side == Side::Buy;
            let (pays, gets) =
                if buys { ((m.quote, &dq), (m.base, &db)) } else { ((m.base, &db), (m.quote, &dq)) };
            *self.acc(of(&o.t)).bal.entry(pays.0.get()).or_default() -= pays.1 * 1_000_000;
            ensure(self.acc(of(&o.t)).bal[&pays.0.get()] >= z(0), "balance")?;
            *self.acc(of(&o.t)).bal.entry(gets.0.get()).or_default() += gets.1 * (1_000_000 - fee);
            paid.push((o, fee, gets));
        }
        for (o, fee, gets) in &paid {
            let broker = n(o.t.broker_rate);
            if broker > z(0) {
                ensure(self.accs.contains_key(&(o.t.broker.get(), 0)), "no broker")?;
                *self.acc((o.t.broker.get(), 0)).bal.entry(gets.0.get()).or_default() += gets.1 * &broker;
            }
            *self.acc((0, 0)).bal.entry(gets.0.get()).or_default() += gets.1 * (*fee - broker);
        }
        Ok(())
    }

    fn oracle(&mut self, op: &OracleUpdate) -> Result<(), Rej> {
        let median = |mut v: Vec<u32>| {
            v.sort_unstable();
            z(v[(v.len() - 1) / 2])
        };
        let r = &op.reports;
        ensure(r.len() >= usize::from(self.params.oracle.quorum), "quorum")?;
        ensure(r.windows(2).all(|w| w[0].signer < w[1].signer), "signers")?;
        let index = median(r.iter().map(|r| r.index).collect());
        let mark = median(r.iter().map(|r| r.mark).collect());
        let ts = z(r.iter().map(|r| r.ts.get()).min().unwrap());
        let (now, o) = (z(self.now), &self.params.oracle);
        let m = &mut self.markets[usize::from(op.market.get())];
        ensure(m.p.status != Status::Settling && m.settled.is_none(), "settling")?;
        ensure(m.ts < ts && ts <= &now + o.delta && now <= &ts + o.delta, "time")?;
        let breaker = r.iter().all(|r| r.breaker);
        for (old, new) in [(&m.index, &index), (&m.mark, &mark)] {
            let within = abs(&(new - old)) * 10_000 <= old * o.max_deviation.get();
            ensure(breaker || *old == z(0) || within, "deviation")?;
        }
        (m.index, m.mark, m.ts) = (index, mark, ts);
        Ok(())
    }

    fn tick(&mut self, id: u8) -> Result<(), Rej> {
        let now = self.now;
        let m = &mut self.markets[usize::from(id)];
        ensure((m.hour + 1) * 3_600_000 <= now, "hour open")?;
        if m.oi == z(0) || m.p.status == Status::Settling {
            m.hour = now / 3_600_000; // trading.md: nobody pays in an idle market
        } else {
            let clamp = |x: Z, by: &Z| {
                if x > *by {
                    by.clone()
                } else if x < -by {
                    -by
                } else {
                    x
                }
            };
            let full = if m.minute == 60 { m.sum.clone() } else { z(0) };
            let avg = full / 60; // big integers divide toward zero
            let c = &m.p.funding;
            let f8 = clamp(&avg + clamp(n(c.rate) - &avg, &z(c.small)), &z(c.big));
            m.f += f8 / 8 * &m.index;
            m.hour += 1;
        }
        (m.sum, m.minute) = (z(0), 0);
        Ok(())
    }

    fn premium(&mut self, op: &PremiumSample) -> Result<(), Rej> {
        let id = usize::from(op.market.get());
        self.markets[id].due(self.now)?;
        ensure(op.reports.len() >= usize::from(self.params.oracle.quorum), "quorum")?;
        let minute = self.now / 60_000 % 60;
        let m = &mut self.markets[id];
        ensure(minute >= m.minute, "minute")?;
        ensure(op.reports.iter().all(|r| r.premium.unsigned_abs() <= 1_000_000), "premium")?;
        let mut v: Vec<i32> = op.reports.iter().map(|r| r.premium).collect();
        v.sort_unstable();
        m.sum += z(v[(v.len() - 1) / 2]);
        m.minute += 1;
        Ok(())
    }

    /// Takes an L1 operation in its turn: it is served, or its code says why nothing but the queue moves.
    fn turn(
        &mut self,
        serial: tsz_types::L1Serial,
        serve: impl FnOnce(&mut Self) -> Result<u32, Rej>,
    ) -> Result<u32, Rej> {
        ensure(serial.get() == self.serial, "serial")?;
        let mut next = self.clone();
        let code = serve(&mut next)?;
        if code == 0 {
            *self = next;
        }
        self.serial += 1;
        Ok(code)
    }

    /// A signed operation takes the nonce of its sub-account.
    pub fn take_nonce(&mut self, w: Who, nonce: tsz_types::Nonce) -> Result<(), Rej> {
        ensure(w.0 > 0, "no key")?; // the fee account of the tests has none
        let a = self.acc(w);
        ensure(u64::from(nonce.get()) == a.nonce && nonce.get() != u32::MAX, "nonce")?;
        a.nonce += 1;
        Ok(())
    }

    fn cancel_all(&mut self, op: &CancelAll) -> Result<(), Rej> {
        let w = (op.account.get(), op.sub.get());
        ensure(op.not_before.get() <= self.now, "too early")?;
        self.take_nonce(w, op.nonce)?;
        let a = self.acc(w);
        ensure(op.kill_epoch.get() == a.epoch && a.epoch != u32::MAX, "epoch")?;
        a.epoch += 1;
        Ok(())
    }

    /// Applies an operation and gives its code; on rejection the state stays.
    pub fn apply(&mut self, op: &TradeOp) -> Result<u32, Rej> {
        let mut next = self.clone();
        match op {
            TradeOp::PerpTrade(op) => next.perp(op)?,
            TradeOp::SpotTrade(op) => next.spot(op)?,
            TradeOp::OracleUpdate(op) => next.oracle(op)?,
            TradeOp::PremiumSample(op) => next.premium(op)?,
            TradeOp::FundingTick(op) => next.tick(op.market.get())?,
            TradeOp::FundingSettle(op) => {
                let m = op.market.get();
                next.markets[usize::from(m)].due(next.now)?;
                ensure(next.size(who(op.party), m) != z(0), "no position")?;
                next.settle(who(op.party), m);
            }
            TradeOp::CancelOrder(op) => {
                let slot = next.acc((op.account.get(), op.sub.get())).slots.entry(op.slot.get()).or_default();
                ensure(u64::from(op.nonce.get()) >= slot.0 && op.nonce.get() != u32::MAX, "dead nonce")?;
                *slot = (u64::from(op.nonce.get()) + 1, z(0), None);
            }
            TradeOp::Liquidate(op) => next.liquidate(op)?,
            TradeOp::Takeover(op) => next.takeover(op)?,
            TradeOp::Adl(op) => next.adl(op)?,
            TradeOp::SeizeToken(op) => next.seize(op)?,
            TradeOp::AbsorbDebt(op) => next.absorb(op)?,
            TradeOp::MarginTransfer(op) => next.margin_transfer(op)?,
            TradeOp::AdlRank(op) => next.rank(op)?,
            TradeOp::SettlePair(op) => next.settle_pair(op)?,
            TradeOp::CancelAll(op) => next.cancel_all(op)?,
            TradeOp::MarginExit(op) => return self.turn(op.serial, |next| Ok(next.margin_exit(op))),
            TradeOp::ForcedClose(op) => return self.turn(op.serial, |next| next.forced_close(op)),
            TradeOp::ForceLiquidate(op) => return self.turn(op.serial, |next| next.force_liquidate(op)),
            TradeOp::SetParams(op) => return self.turn(op.serial, |_| Ok(0)),
            TradeOp::SetProvider(op) => return self.turn(op.serial, |_| Ok(0)),
            TradeOp::ClearProvider(op) => return self.turn(op.serial, |_| Ok(0)),
            TradeOp::SetToken(op) => {
                return self.turn(op.serial, |next| {
                    next.tokens.insert(op.token.get(), (op.listed, op.minimum.get()));
                    Ok(0)
                });
            }
            TradeOp::SettleMarket(op) => return self.turn(op.serial, |next| next.settle_market(op)),
        }
        *self = next;
        Ok(0)
    }
}

pub fn perp_order(o: &PerpOrder) -> MOrder {
    MOrder {
        spot: false,
        market: o.market.get().into(),
        t: o.terms,
        reduce: o.reduce_only,
        trigger: o.trigger,
    }
}

pub fn spot_order(o: &SpotOrder) -> MOrder {
    MOrder { spot: true, market: o.market.get(), t: o.terms, reduce: false, trigger: Trigger::None }
}
