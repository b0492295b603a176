//! Trades, prices and time.

use super::*;

impl Pair {
    /// Random terms on top of an order that would mostly do.
    pub(super) fn spoil(&mut self, t: &mut Terms) {
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

    pub(super) fn perp(&mut self) {
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

    pub(super) fn spot(&mut self) {
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

    pub(super) fn prices(&mut self) {
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

    pub(super) fn time(&mut self) {
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
}
