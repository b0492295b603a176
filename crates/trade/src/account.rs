//! Sub-accounts: movements of collateral, balances and positions, and their risk.

use serde::{Deserialize, Serialize};
use tsz_ledger::cells::{MAX_MARGIN_TOKENS, MAX_POSITIONS, is_empty};
use tsz_ledger::{BalCell, HeadCell, Key, PosCell, SubCell};
use tsz_risk::trade::{Shift, open_interest_delta, shift};
use tsz_risk::{Account, Margin, Position, Transition};
use tsz_stf::{Log, Reject, View};
use tsz_types::{AccountId, Balance, Collateral, FundingIndex, MarketId, SubId, TokenId};

use crate::market::MarketRow;
use crate::{Context, TradeReject};

/// A sub-account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    pub sub: SubId,
}

/// A party in one market at the start of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub collateral: i128,
    pub position: Position,
}

/// What a movement of one position did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub before: Before,
    /// What the movement left; a broker's share that the party gets in the same operation comes later.
    pub after: Before,
    pub shift: Shift,
    /// Change of the open interest.
    pub interest: i128,
}

/// A position of the risk rules.
pub(crate) fn position(cell: &PosCell) -> Position {
    Position { size: cell.size(), funding: cell.funding().get() }
}

impl Party {
    /// Collects trading fees.
    pub const FEES: Self = Self { account: AccountId::FEES, sub: SubId::MIN };
    /// Takes over and pays for others.
    pub const INSURANCE: Self = Self { account: AccountId::INSURANCE, sub: SubId::MIN };

    /// Its collateral cell.
    pub fn sub_key(&self) -> Key {
        Key::sub(self.account.get(), self.sub.get().into())
    }

    /// Its position cell.
    pub fn pos_key(&self, market: MarketId) -> Key {
        Key::pos(self.account.get(), self.sub.get().into(), market.get().into())
    }

    /// Its balance cell.
    pub fn bal_key(&self, token: TokenId) -> Key {
        Key::bal(self.account.get(), self.sub.get().into(), token.get().into())
    }

    /// Its margin balance of the collateral token in a place.
    pub fn mbal_key(&self, place: u8) -> Key {
        Key::mbal(self.account.get(), self.sub.get().into(), place.into())
    }

    pub(crate) fn peek<V: View>(&self, log: &Log<'_, V>, market: MarketId) -> Result<Before, TradeReject> {
        let SubCell { collateral, .. } = log.peek_cell(self.sub_key())?;
        let pos: PosCell = log.peek_cell(self.pos_key(market))?;
        Ok(Before { collateral: collateral.get(), position: position(&pos) })
    }

    /// Accesses: SUB read, POS read.
    pub(crate) fn read<V: View>(
        &self,
        log: &mut Log<'_, V>,
        market: MarketId,
    ) -> Result<Before, TradeReject> {
        let SubCell { collateral, .. } = log.read_cell(self.sub_key())?;
        let pos: PosCell = log.read_cell(self.pos_key(market))?;
        Ok(Before { collateral: collateral.get(), position: position(&pos) })
    }

    /// Adds to the collateral. Access: SUB write.
    pub(crate) fn credit<V: View>(&self, log: &mut Log<'_, V>, value: i128) -> Result<(), TradeReject> {
        let cell: SubCell = log.peek_cell(self.sub_key())?;
        let collateral = Collateral::try_from(cell.collateral.get() + value)?; // 95 bits and below 2^120
        log.write_cell(self.sub_key(), &SubCell { collateral, ..cell });
        Ok(())
    }

    /// Adds to a balance. Access: BAL write.
    pub(crate) fn move_balance<V: View>(
        &self,
        log: &mut Log<'_, V>,
        token: TokenId,
        change: i128,
    ) -> Result<(), TradeReject> {
        self.move_cell(log, self.bal_key(token), token, change).map(|_| ())
    }

    /// Adds to a margin balance, and `cash` to the collateral. Accesses: MBAL write, SUB write.
    pub(crate) fn move_margin<V: View>(
        &self,
        log: &mut Log<'_, V>,
        (place, token): (u8, TokenId),
        change: i128,
        cash: i128,
    ) -> Result<(), TradeReject> {
        let left = self.move_cell(log, self.mbal_key(place), token, change)?;
        let cell: SubCell = log.peek_cell(self.sub_key())?;
        let collateral = Collateral::try_from(cell.collateral.get() + cash)?; // 95 and 98 bits
        log.write_cell(self.sub_key(), &SubCell { collateral, ..cell }.with(place, left != Balance::MIN));
        Ok(())
    }

    /// Adds to a balance of either kind and gives the one after.
    fn move_cell<V: View>(
        &self,
        log: &mut Log<'_, V>,
        key: Key,
        token: TokenId,
        change: i128,
    ) -> Result<Balance, TradeReject> {
        let BalCell { balance } = log.peek_cell(key)?;
        let held = balance.get() as i128; // u96
        let after = held + change; // the change is below 2^100
        if after < 0 {
            return Err(TradeReject::Balance { account: self.account, token, held, needed: -change });
        }
        let balance = Balance::try_from(after)?;
        log.write_cell(key, &BalCell { balance });
        Ok(balance)
    }

    /// Settles the position, adds `lots` (signed) to it and `cash` to the collateral.
    /// Accesses: SUB write, POS write.
    pub(crate) fn trade<V: View>(
        &self,
        log: &mut Log<'_, V>,
        row: &MarketRow<'_>,
        lots: i128,
        cash: i128,
    ) -> Result<Moved, TradeReject> {
        let sub: SubCell = log.peek_cell(self.sub_key())?;
        let pos: PosCell = log.peek_cell(self.pos_key(row.id))?;
        let before = Before { collateral: sub.collateral.get(), position: position(&pos) };
        let (settled, old) = before.position.settle(&row.risk)?;
        let shift = shift(&old, lots, row.risk.funding)?;
        let pos_count = sub.pos_count.checked_add_signed(shift.count).filter(|n| *n <= MAX_POSITIONS);
        let too_many = TradeReject::TooManyPositions { account: self.account, max: MAX_POSITIONS };
        // 95 bits, 94 bits and a cash flow below 2^112
        let collateral = Collateral::try_from(before.collateral + settled + cash)?;
        log.write_cell(self.sub_key(), &SubCell { collateral, pos_count: pos_count.ok_or(too_many)?, ..sub });
        let cell = PosCell::new(shift.position.size, FundingIndex::new(shift.position.funding)?)?;
        log.write_cell(self.pos_key(row.id), &cell);
        let after = Before { collateral: collateral.get(), position: shift.position };
        let interest = open_interest_delta(&before.position, &shift.position);
        Ok(Moved { before, after, shift, interest })
    }
}

/// Checks that an account exists. Access: HEAD read.
pub(crate) fn check_exists<V: View>(log: &mut Log<'_, V>, accounts: &[AccountId]) -> Result<(), TradeReject> {
    let HeadCell { next_account, .. } = log.read_cell(Key::HEAD)?;
    match accounts.iter().find(|a| a.get() >= next_account) {
        Some(account) => Err(Reject::NoAccount { account: *account, next_account }.into()),
        None => Ok(()),
    }
}

/// Everything that the risk of a sub-account depends on, but its collateral and its position in one market.
#[derive(Clone, Debug)]
pub(crate) struct Table<'m> {
    rows: Account,
    market: Option<&'m MarketRow<'m>>,
}

impl<'m> Table<'m> {
    /// Reads the table as the state is now.
    /// Accesses: for each set bit `k` of the mask MBAL(k) read, MKP read; for each position but that in `market` by
    /// increasing market id POS read, MKP read, MKF read.
    pub fn read<V: View>(
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        party: Party,
        market: Option<&'m MarketRow<'m>>,
    ) -> Result<Self, TradeReject> {
        let mut table = Self { rows: Account::new(0), market };
        if let Some(row) = market {
            row.check_fresh(ctx)?;
        }
        let sub: SubCell = log.peek_cell(party.sub_key())?;
        for place in (0..MAX_MARGIN_TOKENS).filter(|k| sub.has(*k)) {
            let BalCell { balance } = log.read_cell(party.mbal_key(place))?;
            let listed = ctx.params.collateral.get(usize::from(place));
            let listed = listed.ok_or(TradeReject::NoPlace { account: party.account, place })?;
            let prices = listed.prices(log, ctx)?;
            table.rows.token(&listed.worth(ctx, &prices, balance.get())?)?;
        }
        table.read_rows(log, ctx, party, sub.pos_count)?;
        Ok(table)
    }

    fn read_rows<V: View>(
        &mut self,
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        party: Party,
        pos_count: u8,
    ) -> Result<(), TradeReject> {
        let mut found = 0;
        for market in log.markets(party.account.get(), party.sub.get().into()) {
            if found == pos_count {
                break;
            }
            let market = MarketId::new(market as u8)?; // below 256
            let key = party.pos_key(market);
            if is_empty(&log.peek(key)) {
                continue;
            }
            found += 1;
            if self.market.is_some_and(|row| row.id == market) {
                continue;
            }
            let cell: PosCell = log.read_cell(key)?;
            let row = MarketRow::read(log, ctx, market)?;
            row.check_fresh(ctx)?;
            let position = position(&cell);
            self.rows.position(&position, &row.risk_of(&position))?;
        }
        if found != pos_count {
            return Err(TradeReject::PositionCount { account: party.account, expected: pos_count, found });
        }
        Ok(())
    }

    fn account(&self, at: &Before) -> Result<Account, TradeReject> {
        let mut account = self.rows;
        account.collateral(at.collateral)?;
        if let Some(row) = self.market
            && at.position.size != 0
        {
            account.position(&at.position, &row.risk_of(&at.position))?;
        }
        Ok(account)
    }

    /// The figures without collateral and position in the market.
    pub fn rest(&self) -> Result<Margin, TradeReject> {
        Ok(self.rows.margin()?)
    }

    /// The figures with a collateral and a position in the market.
    pub fn margin(&self, at: &Before) -> Result<Margin, TradeReject> {
        Ok(self.account(at)?.margin()?)
    }
}

/// Checks that a party's change in a market was legal, judged by what its own leg left. Without positions and debt
/// nothing is read.
pub(crate) fn check_legal<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    party: Party,
    moved: &Moved,
) -> Result<(), TradeReject> {
    let SubCell { pos_count, .. } = log.peek_cell(party.sub_key())?;
    if pos_count == 0 && moved.after.collateral >= 0 {
        return Ok(());
    }
    let table = Table::read(log, ctx, party, Some(row))?;
    let (before, after) = (table.margin(&moved.before)?, table.margin(&moved.after)?);
    let grew_or_flipped = moved.shift.grew || moved.shift.flipped;
    let transition = Transition { before, after, grew_or_flipped };
    if transition.is_legal() {
        return Ok(());
    }
    let (Margin { tav: tav_before, mmr: mmr_before, .. }, Margin { tav, mmr, imr, .. }) = (before, after);
    Err(TradeReject::Illegal { account: party.account, tav_before, mmr_before, tav, mmr, imr })
}

/// Checks that a sub-account which paid something out keeps TAV >= IMR; where it paid collateral, that this and the
/// funding that its positions have not settled are not negative together. Without positions and debt nothing is read.
/// Accesses: the table.
pub(crate) fn check_covered<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    party: Party,
    paid_collateral: bool,
) -> Result<(), TradeReject> {
    let SubCell { collateral, pos_count, .. } = log.peek_cell(party.sub_key())?;
    if pos_count == 0 && !collateral.is_negative() {
        return Ok(());
    }
    let table = Table::read(log, ctx, party, None)?;
    let at = Before { collateral: collateral.get(), position: Position::default() };
    let account = table.account(&at)?;
    let Margin { tav, imr, .. } = account.margin()?;
    if tav < imr {
        return Err(TradeReject::Uncovered { account: party.account, tav, imr });
    }
    let settled = at.collateral + account.unsettled(); // 95 bits and a sum of 94 bits each
    if paid_collateral && settled < 0 {
        return Err(TradeReject::Unsettled { account: party.account, settled });
    }
    Ok(())
}
