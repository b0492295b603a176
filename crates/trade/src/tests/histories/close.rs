//! Liquidations, takeovers, auto-deleveraging and what L1 forces.

use super::*;

impl Pair {
    /// Ill positions first, sometimes any.
    pub(super) fn target(&mut self) -> Option<(Party, u8, u64)> {
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

    pub(super) fn close(&mut self) {
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
    pub(super) fn deleverage(&mut self, target: Party, m: u8, holders: &[Party]) {
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

    pub(super) fn force(&self, target: Party, m: u8, counterparty: Option<Party>) -> ForceLiquidate {
        ForceLiquidate { serial: self.w.serial(), target, market: market(m), sender: OWNER, counterparty }
    }

    /// L1 operations.
    pub(super) fn forced(&mut self) {
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
}
