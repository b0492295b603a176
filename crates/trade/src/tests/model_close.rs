//! Section 7 of the model: liquidation, takeover, ADL, debts.

use alloc::vec::Vec;

use super::model::*;
use crate::ops::*;
use crate::params::Status;
use crate::*;

impl Model {
    /// The target before, with its figures, if it is ill enough and holds the lots.
    fn target(&self, target: Party, id: u8, b: &Z, health: u8) -> Result<(Acc, Figures), Rej> {
        let m = &self.markets[usize::from(id)];
        ensure(matches!(m.p.status, Status::Open | Status::ReduceOnly), "market status")?;
        m.due(self.now)?;
        let size = abs(&self.size(who(target), id));
        ensure(size != z(0), "no position")?;
        let before = self.get(who(target));
        let figures = self.figures(&before)?;
        ensure(figures.health() >= health, "healthy")?;
        ensure(*b >= z(1) && *b <= size, "lots")?;
        Ok((before, figures))
    }

    /// Q0 of closing b: long rounded up, short down.
    fn zero_quote(&self, size: &Z, id: u8, b: &Z, f: &Figures) -> Z {
        let m = &self.markets[usize::from(id)];
        let s = if *size > z(0) { z(1) } else { z(-1) };
        let n = b * &m.mark * m.qm();
        let mmf = m.tier(&abs(&m.worth(size))).1;
        let num: Z = &n * &f.mmr * 10_000 - &s * &n * mmf * &f.tav;
        let den: Z = &f.mmr * 10_000;
        if s > z(0) { -floor(&-num, &den) } else { floor(&num, &den) }
    }

    pub fn liquidate(&mut self, op: &Liquidate) -> Result<(), Rej> {
        let (id, b) = (op.market.get(), z(op.lots.get()));
        let t = who(op.target);
        let o = perp_order(&op.maker.order);
        ensure(o.market == u16::from(id) && t.0 > 1 && of(&o.t) != t && of(&o.t).0 != 0, "parties")?;
        let (before, f) = self.target(op.target, id, &b, 2)?;
        let size = self.size(t, id);
        let s = if size > z(0) { z(1) } else { z(-1) };
        ensure((o.t.side == Side::Buy) == (size > z(0)), "same side")?;
        let m = self.markets[usize::from(id)].clone();
        let (p, fm) = (z(o.t.price.get()), n(op.maker_fee));
        self.admit(&o, None, &b, &fm, &n(m.p.maker_cap))?;
        let terms = |b: &Z| {
            let notional = b * &p * m.qm();
            let surplus = &s * (&notional - self.zero_quote(&size, id, b, &f));
            let fee = (&notional * n(m.p.liquidation_fee)).min(&surplus * 1_000_000).max(z(0));
            (notional, surplus, fee)
        };
        let (notional, surplus, fee) = terms(&b);
        ensure(surplus >= z(0), "worse than the zero quote")?;
        ensure(notional < z(1u128 << 56), "notional")?;
        if f.health() == 2 && b > z(1) {
            let (notional, _, fee) = terms(&(&b - 1));
            let mut fewer = self.clone();
            fewer.accs.insert(t, before.clone());
            fewer.shift(t, id, &(-&s * (&b - 1)), &(&s * notional * 1_000_000 - fee));
            let figures = fewer.figures(&fewer.get(t))?;
            ensure(figures.tav < figures.imr, "too much")?;
        }
        self.shift(t, id, &(-&s * &b), &(&s * &notional * 1_000_000 - &fee));
        let (maker, grew) = self.side(&o, &b, &p, &fm)?;
        self.acc((1, 0)).coll += fee;
        self.pay_brokers(&notional, &[(&o.t, fm)])?;
        self.judge(&maker, &self.get(of(&o.t)), grew)
    }

    /// Target and counterparty meet at the zero quote.
    fn exchange(&mut self, t: Who, c: Who, id: u8, b: &Z, f: &Figures) {
        let size = self.size(t, id);
        let s = if size > z(0) { z(1) } else { z(-1) };
        let cash = &s * self.zero_quote(&size, id, b, f) * 1_000_000;
        self.shift(t, id, &(-&s * b), &cash);
        self.shift(c, id, &(&s * b), &-cash);
    }

    /// Whether insurance can take over b.
    fn insurance_can(&self, t: Who, id: u8, b: &Z, f: &Figures) -> Result<bool, Rej> {
        self.figures(&self.get((1, 0)))?;
        let old = self.size((1, 0), id);
        let mut next = self.clone();
        next.exchange(t, (1, 0), id, b, f);
        let new = next.size((1, 0), id);
        let m = &self.markets[usize::from(id)];
        let notional = abs(&m.worth(&new));
        let bound = z(m.p.tiers.last().unwrap().bound.get());
        if abs(&new) > abs(&old) && (notional > bound || notional >= z(1u128 << 56)) {
            return Ok(false);
        }
        let after = next.figures(&next.get((1, 0)))?;
        Ok(after.tav >= after.imr)
    }

    pub fn takeover(&mut self, op: &Takeover) -> Result<(), Rej> {
        let (t, id, b) = (who(op.target), op.market.get(), z(op.lots.get()));
        ensure(t.0 > 1, "reserved")?;
        let (_, f) = self.target(op.target, id, &b, 3)?;
        ensure(self.insurance_can(t, id, &b, &f)?, "insurance")?;
        self.exchange(t, (1, 0), id, &b, &f);
        Ok(())
    }

    /// The score of a holder that could take `min(b, |size|)`.
    fn score(&self, t: Who, h: Who, id: u8, b: &Z, f: &Figures) -> Result<Option<i64>, Rej> {
        let before = self.figures(&self.get(h))?;
        if h.0 < 2 || before.health() > 1 {
            return Ok(None);
        }
        let size = abs(&self.size(h, id));
        let b = if *b < size { b.clone() } else { size.clone() };
        let mut next = self.clone();
        next.exchange(t, h, id, &b, f);
        if legal(&before, &next.figures(&next.get(h))?, false).is_err() {
            return Ok(None);
        }
        let exposure: Z = self.markets[usize::from(id)].worth(&size) * 1_000_000;
        let score = exposure.bits() as i64 - before.tav.bits() as i64 + 8;
        Ok(Some(score.clamp(0, 15)))
    }

    pub fn adl(&mut self, op: &Adl) -> Result<(), Rej> {
        let (t, id, b) = (who(op.target), op.market.get(), z(op.lots.get()));
        let (_, f) = self.target(op.target, id, &b, 3)?;
        ensure(t == (1, 0) || !self.insurance_can(t, id, &b, &f)?, "takeover possible")?;
        let size = self.size(t, id);
        let opposite = |w: &Who| self.size(*w, id) * &size < z(0);
        let all: Vec<Who> = self.accs.keys().copied().filter(opposite).collect();
        let listed: Vec<Who> = op.holders.iter().map(|p| who(*p)).collect();
        ensure(all == listed, "holders")?;
        let mut scores = Vec::new();
        for h in &all {
            scores.push((*h, self.score(t, *h, id, &b, &f)?));
        }
        let best = scores.iter().filter_map(|s| s.1).max();
        let c = who(op.counterparty);
        let got = scores.iter().find(|s| s.0 == c).and_then(|s| s.1);
        ensure(got.is_some() && got == best, "score")?;
        ensure(abs(&self.size(c, id)) >= b, "counterparty too small")?;
        self.exchange(t, c, id, &b, &f);
        Ok(())
    }

    pub fn seize(&mut self, op: &SeizeToken) -> Result<(), Rej> {
        let (t, amount) = (who(op.target), z(op.amount.get()));
        let a = self.get(t);
        ensure(t.0 > 1 && a.coll < z(0), "no debt")?;
        ensure(a.pos.is_empty() || self.figures(&a)?.health() >= 2, "healthy")?;
        let c = self.params.collateral.iter().find(|c| c.token == op.token).ok_or("no collateral")?;
        let m = &self.markets[usize::from(c.market.get())];
        m.fresh(self)?;
        let ceil = |x: Z| {
            let num = x * &m.index * m.qm() * c.haircut.get();
            -floor(&-num, &(z(c.units_per_lot) * 10_000))
        };
        ensure(amount >= z(1) && &a.coll + ceil(&amount - 1) < z(0), "too much")?;
        let (pay, token) = (ceil(amount.clone()), op.token.get());
        *self.acc(t).margin.entry(token).or_default() -= &amount;
        ensure(self.acc(t).margin[&token] >= z(0), "balance")?;
        self.acc(t).coll += &pay;
        self.acc((1, 0)).coll -= pay;
        *self.acc((1, 0)).margin.entry(token).or_default() += amount;
        self.insurance_covers()
    }

    /// What insurance paid leaves it TAV >= IMR.
    fn insurance_covers(&self) -> Result<(), Rej> {
        let a = self.get((1, 0));
        if a.pos.is_empty() && a.coll >= z(0) {
            return Ok(());
        }
        let f = self.figures(&a)?;
        ensure(f.tav >= f.imr, "insurance is not covered")
    }

    pub fn absorb(&mut self, op: &AbsorbDebt) -> Result<(), Rej> {
        let t = who(op.target);
        let a = self.get(t);
        ensure(t.0 > 1 && a.coll < z(0) && a.pos.is_empty(), "no debt")?;
        ensure(a.margin.values().all(|b| *b == z(0)), "holds tokens")?;
        self.acc((1, 0)).coll += &a.coll;
        self.acc(t).coll = z(0);
        self.insurance_covers()
    }

    /// Between balance and margin of one sub-account; out only as far as margin and realised collateral allow.
    pub fn margin_transfer(&mut self, op: &MarginTransfer) -> Result<(), Rej> {
        let w = (op.account.get(), op.sub.get());
        let out = op.direction == Direction::Out;
        let (token, amount) = (op.token.get(), z(op.amount.get()));
        ensure(amount > z(0), "zero")?;
        ensure(token == 0 || self.params.collateral.iter().any(|c| c.token == op.token), "no collateral")?;
        ensure(!(out && token == 0 && w.0 == 1), "reserved")?;
        ensure(w.0 > 0, "no key")?; // the fee account of the tests has none
        ensure(u64::from(op.nonce.get()) == self.get(w).nonce && op.nonce.get() != u32::MAX, "nonce")?;
        let a = self.acc(w);
        a.nonce += 1;
        let into = if out { -&amount } else { amount };
        *a.bal.entry(token).or_default() -= &into;
        if token == 0 {
            a.coll += into;
        } else {
            *a.margin.entry(token).or_default() += into;
        }
        ensure(a.bal[&token] >= z(0) && a.margin.values().all(|b| *b >= z(0)), "balance")?;
        let a = self.get(w);
        if !out || a.pos.is_empty() && a.coll >= z(0) {
            return Ok(());
        }
        let f = self.figures(&a)?;
        ensure(f.tav >= f.imr, "not covered")?;
        let funding = |(m, (size, last)): (&u8, &(Z, Z))| {
            let m = &self.markets[usize::from(*m)];
            size * m.qm() * (last - &m.f)
        };
        let realised = &a.coll + a.pos.iter().map(funding).sum::<Z>();
        ensure(token != 0 || realised >= z(0), "unrealised")
    }

    /// The whole margin balance goes back, or a code says why not.
    pub fn margin_exit(&mut self, op: &MarginExit) -> u32 {
        let w = who(op.party);
        let a = self.get(w);
        match () {
            () if op.sender != super::world::OWNER || w.0 < 2 => return 2,
            () if !self.params.collateral.iter().any(|c| c.token == op.token) => return 16,
            () if !a.pos.is_empty() => return 4,
            () if a.coll < z(0) => return 5,
            () => {}
        }
        let a = self.acc(w);
        let held = a.margin.remove(&op.token.get()).unwrap_or_default();
        *a.bal.entry(op.token.get()).or_default() += held;
        0
    }
}
