//! Governance, settlements, debts and margin.

use super::*;

impl Pair {
    /// Sets the state of a market, as governance does between batches.
    pub(super) fn govern(&mut self, m: u8, status: Status) {
        self.w.params.perps[usize::from(m)].status = status;
        self.w.batch.params = self.w.params.hash();
        self.model.params = self.w.params.clone();
        self.model.markets[usize::from(m)].p.status = status;
    }

    /// The collateral token counts nothing from now on.
    pub(super) fn phase_out(&mut self) {
        self.w.params.collateral[0].haircut = fraction(0);
        self.w.batch.params = self.w.params.hash();
        self.model.params = self.w.params.clone();
    }

    /// Settles a market that governance ends.
    pub(super) fn settle(&mut self) {
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

    pub(super) fn debts(&mut self) {
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
    pub(super) fn margins(&mut self) {
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
}
