//! Sub-accounts: movements of collateral, balances and positions, and their risk.

use serde::{Deserialize, Serialize};
use tsz_ledger::cells::{MAX_POSITIONS, is_empty};
use tsz_ledger::{BalCell, HeadCell, Key, MkpCell, PosCell, SubCell};
use tsz_risk::trade::{Shift, open_interest_delta, shift};
use tsz_risk::{Account, CollateralToken, Margin, Position, Transition};
use tsz_stf::{Log, Reject, View};
use tsz_types::{AccountId, Balance, Collateral, FundingIndex, MarketId, SubId, TokenId};

use crate::market::{MarketRow, check_fresh, params};
use crate::params::MAX_COLLATERAL;
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

    /// Adds to a balance and gives the one before. Access: BAL write.
    pub(crate) fn move_balance<V: View>(
        &self,
        log: &mut Log<'_, V>,
        token: TokenId,
        change: i128,
    ) -> Result<u128, TradeReject> {
        let BalCell { balance } = log.peek_cell(self.bal_key(token))?;
        let held = balance.get() as i128; // u96
        let after = held + change; // the change is below 2^100
        if after < 0 {
            return Err(TradeReject::Balance { account: self.account, token, held, needed: -change });
        }
        log.write_cell(self.bal_key(token), &BalCell { balance: Balance::try_from(after)? });
        Ok(balance.get())
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
        log.write_cell(self.sub_key(), &SubCell { collateral, pos_count: pos_count.ok_or(too_many)? });
        let after = PosCell::new(shift.position.size, FundingIndex::new(shift.position.funding)?)?;
        log.write_cell(self.pos_key(row.id), &after);
        Ok(Moved { before, shift, interest: open_interest_delta(&before.position, &shift.position) })
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
    tokens: [Option<(TokenId, CollateralToken)>; MAX_COLLATERAL],
    market: Option<&'m MarketRow<'m>>,
}

impl<'m> Table<'m> {
    /// Reads the table as the state is now. `earlier` are balances that the operation has changed before.
    /// Accesses: for each collateral token BAL read, MKP read; for each position but that in `market` by increasing
    /// market id POS read, MKP read, MKF read.
    pub fn read<V: View>(
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        party: Party,
        market: Option<&'m MarketRow<'m>>,
        earlier: &[(TokenId, u128)],
    ) -> Result<Self, TradeReject> {
        let mut table = Self { rows: Account::new(0), tokens: [None; MAX_COLLATERAL], market };
        if let Some(row) = market {
            row.check_fresh(ctx)?;
        }
        for (to, c) in table.tokens.iter_mut().zip(&ctx.params.collateral) {
            let BalCell { balance } = log.read_cell(party.bal_key(c.token))?;
            let prices: MkpCell = log.read_cell(Key::mkp(c.market.get().into()))?;
            let had = earlier.iter().any(|(token, held)| *token == c.token && *held != 0);
            if balance != Balance::MIN || had {
                check_fresh(ctx, c.market, &prices)?;
            }
            let token = CollateralToken {
                balance: balance.get(),
                index: prices.index,
                qm: params(ctx, c.market)?.qm.get(),
                haircut: c.haircut.get(),
                units_per_lot: c.units_per_lot,
            };
            *to = Some((c.token, token));
        }
        table.read_rows(log, ctx, party)?;
        Ok(table)
    }

    fn read_rows<V: View>(
        &mut self,
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        party: Party,
    ) -> Result<(), TradeReject> {
        let SubCell { pos_count, .. } = log.peek_cell(party.sub_key())?;
        let mut found = 0;
        for (market, _) in (0u8..=u8::MAX).zip(&ctx.params.perps) {
            if found == pos_count {
                break;
            }
            let market = MarketId::new(market)?;
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
            self.rows.position(&position(&cell), &row.risk)?;
        }
        if found != pos_count {
            return Err(TradeReject::PositionCount { account: party.account, expected: pos_count, found });
        }
        Ok(())
    }

    /// The figures with a collateral and a position in the market; balances as they are but for `earlier`.
    pub fn margin_with(
        &self,
        collateral: i128,
        position: &Position,
        earlier: &[(TokenId, u128)],
    ) -> Result<Margin, TradeReject> {
        let mut account = self.rows;
        account.collateral(collateral)?;
        for (id, token) in self.tokens.iter().flatten() {
            let held = earlier.iter().find(|(token, _)| token == id);
            account.token(&CollateralToken { balance: held.map_or(token.balance, |h| h.1), ..*token })?;
        }
        if let Some(row) = self.market
            && position.size != 0
        {
            account.position(position, &row.risk)?;
        }
        Ok(account.margin()?)
    }

    /// The figures with a collateral and a position in the market.
    pub fn margin(&self, at: &Before) -> Result<Margin, TradeReject> {
        self.margin_with(at.collateral, &at.position, &[])
    }
}

/// Checks that a party's change in a market was legal. Without positions and debt nothing is read.
pub(crate) fn check_legal<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    party: Party,
    moved: &Moved,
) -> Result<(), TradeReject> {
    let SubCell { collateral, pos_count } = log.peek_cell(party.sub_key())?;
    if pos_count == 0 && !collateral.is_negative() {
        return Ok(());
    }
    let table = Table::read(log, ctx, party, Some(row), &[])?;
    let (before, after) = (table.margin(&moved.before)?, table.margin(&party.peek(log, row.id)?)?);
    let grew_or_flipped = moved.shift.grew || moved.shift.flipped;
    judge(party, Transition { before, after, grew_or_flipped })
}

/// Checks the change of a sub-account outside of any market: `before` is its collateral, `earlier` its balances
/// before the operation where they differ. Accesses: SUB read, and the table unless nothing is at stake.
pub(crate) fn check_funds<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    party: Party,
    before: i128,
    earlier: &[(TokenId, u128)],
) -> Result<(), TradeReject> {
    let SubCell { collateral, pos_count } = log.read_cell(party.sub_key())?;
    if pos_count == 0 && !collateral.is_negative() {
        return Ok(());
    }
    let table = Table::read(log, ctx, party, None, earlier)?;
    let none = Position::default();
    let before = table.margin_with(before, &none, earlier)?;
    let after = table.margin_with(collateral.get(), &none, &[])?;
    judge(party, Transition { before, after, grew_or_flipped: false })
}

fn judge(party: Party, transition: Transition) -> Result<(), TradeReject> {
    if transition.is_legal() {
        return Ok(());
    }
    let Transition { before, after, .. } = transition;
    let (Margin { tav: tav_before, mmr: mmr_before, .. }, Margin { tav, mmr, imr, .. }) = (before, after);
    Err(TradeReject::Illegal { account: party.account, tav_before, mmr_before, tav, mmr, imr })
}
