//! Section 7 of the model: liquidation, takeover, ADL, debts.

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
        ensure(o.market == u16::from(id) && of(&o.t) != t && of(&o.t).0 != 0, "parties")?;
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
        let within = Self::concedes(&m, &p, size < z(0)) <= z(m.p.forced_band.get());
        ensure(f.health() > 2 || within, "band")?;
        if f.health() == 2 && b > z(1) {
            let (notional, _, fee) = terms(&(&b - 1));
            let mut fewer = self.clone();
            fewer.accs.insert(t, before.clone());
            fewer.shift(t, id, &(-&s * (&b - 1)), &(&s * notional * 1_000_000 - fee));
            let figures = fewer.figures(&fewer.get(t))?;
            ensure(figures.tav < figures.imr, "too much")?;
        }
        self.shift(t, id, &(-&s * &b), &(&s * &notional * 1_000_000 - &fee));
        let (before, after, grew) = self.side(&o, &b, &p, &fm)?;
        self.acc((1, 0)).coll += fee;
        self.pay_brokers(&notional, &[(&o.t, fm)])?;
        self.judge(&before, &after, grew)?;
        self.markets[usize::from(id)].moves += 1;
        Ok(())
    }

    /// How far a price is from the mark against the one who buys or sells at it, in 1e-4 of the mark, rounded up.
    pub fn concedes(m: &Market, p: &Z, buys: bool) -> Z {
        let against = if buys { p - &m.mark } else { &m.mark - p };
        -floor(&(-against * 10_000), &m.mark)
    }

    /// Target and counterparty meet at the zero quote.
    fn exchange(&mut self, t: Who, c: Who, id: u8, b: &Z, f: &Figures) {
        let size = self.size(t, id);
        let s = if size > z(0) { z(1) } else { z(-1) };
        let cash = &s * self.zero_quote(&size, id, b, f) * 1_000_000;
        self.shift(t, id, &(-&s * b), &cash);
        self.shift(c, id, &(&s * b), &-cash);
    }

    /// Whether insurance can take over b, at the last prices.
    fn insurance_can(&self, t: Who, id: u8, b: &Z, f: &Figures) -> Result<bool, Rej> {
        let old = self.size((1, 0), id);
        let mut next = self.clone();
        next.exchange(t, (1, 0), id, b, f);
        let new = next.size((1, 0), id);
        let after = next.figures_at(&next.get((1, 0)), true)?;
        let m = &self.markets[usize::from(id)];
        let notional = abs(&m.worth(&new));
        let bound = z(m.p.tiers.last().unwrap().bound.get());
        if abs(&new) > abs(&old) && (notional > bound || notional >= z(1u128 << 56)) {
            return Ok(false);
        }
        Ok(after.tav >= after.imr)
    }

    pub fn takeover(&mut self, op: &Takeover) -> Result<(), Rej> {
        let (t, id, b) = (who(op.target), op.market.get(), z(op.lots.get()));
        ensure(t.0 > 1, "reserved")?;
        let (_, f) = self.target(op.target, id, &b, 3)?;
        let m = &self.markets[usize::from(id)];
        ensure(b == abs(&self.size(t, id)) || abs(&m.worth(&b)) >= z(1_000), "small close")?;
        ensure(self.insurance_can(t, id, &b, &f)?, "insurance")?;
        self.exchange(t, (1, 0), id, &b, &f);
        self.markets[usize::from(id)].moves += 1;
        Ok(())
    }

    /// The class of the loss that a close costs its counterparties: 0, or the first power of two of 1/2048 of the
    /// notional that covers mmf * |TAV| / MMR.
    fn class(&self, t: Who, id: u8, f: &Figures) -> Option<u8> {
        let m = &self.markets[usize::from(id)];
        let mmf = m.tier(&abs(&m.worth(&self.size(t, id)))).1;
        let lost = if f.tav < z(0) { -&f.tav * mmf * 2_048 } else { z(0) };
        (0..16u8).find(|j| lost <= if *j == 0 { z(0) } else { &f.mmr * 10_000 * (1u32 << j) })
    }

    /// Rank of a holder: it must be healthy, and closing all it has at the largest loss of the class must leave it
    /// the initial margin of its other positions, each with one unit to spare.
    fn rank_of(&self, h: Who, id: u8, class: u8) -> Result<u64, Rej> {
        let a = self.get(h);
        let f = self.figures_at(&a, true)?;
        let mut others = a.clone();
        others.pos.remove(&id);
        let rest = self.figures_at(&others, true)?.imr;
        let size = self.size(h, id);
        let exposure: Z = abs(&self.markets[usize::from(id)].worth(&size)) * 1_000_000;
        let loss = if class == 0 { z(0) } else { &exposure * (1u32 << class) };
        let spare = &f.tav - 1_000_000;
        if h.0 < 2 || spare < f.imr || &spare * 2_048 < loss + rest * 2_048 {
            return Ok(0);
        }
        let score = (exposure.bits() as i64 - f.tav.bits() as i64 + 8).clamp(0, 15) as u64;
        Ok(64 * score + abs(&size).bits())
    }

    pub fn rank(&mut self, op: &AdlRank) -> Result<(), Rej> {
        let id = op.market.get();
        ensure(op.class < 16, "class")?;
        let m = self.markets[usize::from(id)].clone();
        ensure(matches!(m.p.status, Status::Open | Status::ReduceOnly), "market status")?;
        m.due(self.now)?;
        ensure(m.mark > z(0), "no price")?;
        let (side, sign) = if op.side == Side::Buy { (0, z(1)) } else { (1, z(-1)) };
        let key = (id, side, op.class);
        let new = Ranking { moves: m.moves, ts: m.ts.clone(), left: &m.oi / 2, last: (0, 0), best: 0 };
        let mut r = if op.restart { new } else { self.rankings.get(&key).cloned().ok_or("no ranking")? };
        ensure(r.moves == m.moves && r.ts == m.ts, "other ranking")?;
        for h in op.holders.iter().map(|p| who(*p)) {
            let lots = self.size(h, id) * &sign;
            ensure(h > r.last && lots > z(0) && lots <= r.left, "holder")?;
            r.left -= lots;
            r.last = h;
            r.best = r.best.max(self.rank_of(h, id, op.class)?);
        }
        self.rankings.insert(key, r);
        Ok(())
    }

    /// The best rank of the complete ranking opposite to a target.
    fn best(&self, t: Who, id: u8, class: u8) -> Result<u64, Rej> {
        let m = &self.markets[usize::from(id)];
        let side = if self.size(t, id) > z(0) { 1 } else { 0 };
        let r = self.rankings.get(&(id, side, class)).ok_or("no ranking")?;
        ensure(r.moves == m.moves && r.ts == m.ts && r.left == z(0), "other ranking")?;
        Ok(r.best)
    }

    /// Lots that a counterparty and the target close; it is able and not behind the best.
    fn deleverage(&self, t: Who, c: Who, id: u8, class: u8) -> Result<Z, Rej> {
        let (size, other) = (self.size(t, id), self.size(c, id));
        ensure(&size * &other < z(0), "not opposite")?;
        let (best, got) = (self.best(t, id, class)?, self.rank_of(c, id, class)?);
        ensure(best > 0 && got > 0 && got >= best, "rank")?;
        Ok(abs(&size).min(abs(&other)))
    }

    pub fn adl(&mut self, op: &Adl) -> Result<(), Rej> {
        let (t, c, id) = (who(op.target), who(op.counterparty), op.market.get());
        let (_, f) = self.target(op.target, id, &z(1), 3)?;
        let class = self.class(t, id, &f).ok_or("no class")?;
        let b = self.deleverage(t, c, id, class)?;
        ensure(t == (1, 0) || !self.insurance_can(t, id, &b, &f)?, "takeover possible")?;
        self.exchange(t, c, id, &b, &f);
        Ok(())
    }

    pub fn force_liquidate(&mut self, op: &ForceLiquidate) -> Result<u32, Rej> {
        let (t, id) = (who(op.target), op.market.get());
        let Some(m) = self.markets.get(usize::from(id)) else { return Ok(14) };
        match () {
            () if m.p.status == Status::Settling => return Ok(12),
            () if t.0 < 2 => return Ok(15),
            () => m.due(self.now)?,
        }
        if self.size(t, id) == z(0) {
            return Ok(6);
        }
        let f = self.figures_at(&self.get(t), true)?;
        if f.health() < 3 {
            return Ok(11);
        }
        let size = abs(&self.size(t, id));
        if self.insurance_can(t, id, &size, &f)? {
            self.exchange(t, (1, 0), id, &size, &f);
            self.markets[usize::from(id)].moves += 1;
            return Ok(0);
        }
        let Some(class) = self.class(t, id, &f) else { return Ok(13) };
        if self.best(t, id, class)? == 0 {
            return Ok(13);
        }
        let c = who(op.counterparty.ok_or("no counterparty")?);
        let b = self.deleverage(t, c, id, class)?;
        self.exchange(t, c, id, &b, &f);
        Ok(0)
    }

    pub fn forced_close(&mut self, op: &ForcedClose) -> Result<u32, Rej> {
        let (w, id, b) = (who(op.party), op.market.get(), z(op.lots.get()));
        ensure(w.0 < 2 + super::world::USERS, "unknown account in the test")?;
        if op.sender != super::world::OWNER || w.0 < 2 {
            return Ok(2);
        }
        let Some(m) = self.markets.get(usize::from(id)).cloned() else { return Ok(14) };
        m.due(self.now)?;
        if m.p.status == Status::Settling && m.settled.is_none() {
            return Ok(12);
        }
        if m.settled.is_some() {
            ensure(self.size(w, id) == z(0), "to be paired first")?;
            return Ok(6);
        }
        let (size, limit, buys) = (self.size(w, id), z(op.limit.get()), op.side == Side::Buy);
        let band = z(m.p.forced_band.get());
        let share = if buys { &band + 10_000 } else { z(10_000) - &band };
        let (left, right) = (&limit * 10_000, &m.mark * share);
        let end = limit == z(if buys { u32::MAX } else { 1 });
        let (worth, bound) = (abs(&m.worth(&b)), z(m.p.tiers.last().unwrap().bound.get()));
        match () {
            () if size == z(0) => return Ok(6),
            () if (size < z(0)) != buys => return Ok(7),
            () if b == z(0) || b > abs(&size) || worth >= z(1u128 << 56) || worth > bound => return Ok(8),
            () if !end && if buys { left < right } else { left > right } => return Ok(9),
            () => {}
        }
        if self.figures_at(&self.get(w), true)?.health() >= 2 {
            return Ok(10);
        }
        let fill = op.fill.as_ref().ok_or("no fill")?;
        let o = perp_order(&fill.maker.order);
        ensure(o.market == u16::from(id) && of(&o.t) != w && of(&o.t).0 != 0, "parties")?;
        ensure((o.t.side == Side::Buy) != buys, "same side")?;
        let p = z(o.t.price.get());
        ensure(if buys { p <= limit } else { p >= limit }, "limit")?;
        ensure(Self::concedes(&m, &p, buys) <= band, "band")?;
        let (ft, fm) = (n(fill.taker_fee), n(fill.maker_fee));
        ensure(ft >= z(0) && ft <= n(m.p.taker_cap), "fee")?;
        self.admit(&o, None, &b, &fm, &n(m.p.maker_cap))?;
        let notional = &b * &p * m.qm();
        ensure(notional < z(1u128 << 56), "notional")?;
        let before = self.get(w);
        let s = if buys { z(1) } else { z(-1) };
        self.shift(w, id, &(&s * &b), &(-&s * &notional * 1_000_000 - &notional * &ft));
        let after = self.get(w);
        let maker = self.side_of(&o, &b, &p, &fm, false)?;
        let plain = Terms { broker_rate: tsz_types::Rate::ZERO, ..o.t };
        self.pay_brokers(&notional, &[(&plain, ft), (&o.t, fm)])?;
        self.judge_at(&before, &after, false, true)?;
        self.judge(&maker.0, &maker.1, maker.2)?;
        self.markets[usize::from(id)].moves += 1;
        Ok(0)
    }

    pub fn settle_market(&mut self, op: &SettleMarket) -> Result<u32, Rej> {
        ensure(op.long <= op.short, "prices")?;
        let Some(m) = self.markets.get_mut(usize::from(op.market.get())) else { return Ok(14) };
        match () {
            () if m.p.status != Status::Settling => return Ok(17),
            () if m.settled.is_some() => return Ok(18),
            () => {}
        }
        (m.index, m.mark) = (z(op.long.get()), z(op.short.get()));
        m.settled = Some((m.index.clone(), m.mark.clone()));
        Ok(0)
    }

    pub fn settle_pair(&mut self, op: &SettlePair) -> Result<(), Rej> {
        let (id, b) = (op.market.get(), z(op.lots.get()));
        let m = self.markets[usize::from(id)].clone();
        m.due(self.now)?;
        let (long, short) = m.settled.clone().ok_or("not settled")?;
        let (l, s) = (who(op.long), who(op.short));
        ensure(b >= z(1) && b <= self.size(l, id) && b <= -self.size(s, id), "lots")?;
        let (paid, owed) = (&b * &long * m.qm() * 1_000_000, &b * &short * m.qm() * 1_000_000);
        self.shift(l, id, &-&b, &paid);
        self.shift(s, id, &b, &-&owed);
        self.acc((1, 0)).coll += owed - paid;
        self.markets[usize::from(id)].moves += 1;
        Ok(())
    }

    pub fn seize(&mut self, op: &SeizeToken) -> Result<(), Rej> {
        let (t, amount) = (who(op.target), z(op.amount.get()));
        let a = self.get(t);
        ensure(t.0 > 1 && a.coll < z(0), "no debt")?;
        ensure(a.pos.is_empty() || self.figures(&a)?.health() >= 2, "healthy")?;
        let c = self.params.collateral.iter().find(|c| c.token == op.token).ok_or("no collateral")?;
        let m = &self.markets[usize::from(c.market.get())];
        ensure(c.haircut.get() == 0 || m.fresh(self).is_ok(), "stale")?;
        let haircut = if c.haircut.get() == 0 { 10_000 } else { c.haircut.get() };
        let ceil = |x: Z| {
            let num = x * &m.index * m.qm() * haircut;
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
        let f = self.figures_at(&a, true)?;
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
        self.take_nonce(w, op.nonce)?;
        let a = self.acc(w);
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
