//! SeizeToken and AbsorbDebt: insurance pays debts.

use serde::{Deserialize, Serialize};
use tsz_ledger::SubCell;
use tsz_risk::{Health, Position};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Balance, TokenId};

use crate::account::{Before, Party, Table, check_covered};
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Insurance buys a collateral token from a debtor at its haircut value, rounded up; one of haircut 0 at its whole value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeizeToken {
    /// The debtor.
    pub target: Party,
    /// The token.
    pub token: TokenId,
    /// Millionths of a unit, no more than the debt needs.
    pub amount: Balance,
}

/// Insurance pays the debt of a sub-account that has nothing left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsorbDebt {
    /// The debtor.
    pub target: Party,
}

/// The debtor's cell, if it is one.
fn debtor<V: View>(log: &Log<'_, V>, target: Party) -> Result<SubCell, TradeReject> {
    let account = target.account;
    if account < AccountId::FIRST_USER {
        return Err(TradeReject::ReservedParty { account });
    }
    let cell: SubCell = log.peek_cell(target.sub_key())?;
    if !cell.collateral.is_negative() {
        return Err(TradeReject::NoDebt { account, collateral: cell.collateral.get() });
    }
    Ok(cell)
}

impl Rule for SeizeToken {
    /// Accesses: table of the target if it has positions; MKP read of the pricing market; MBAL write, SUB write of
    /// the target; MBAL write, SUB write of insurance; where something is at stake, table of insurance.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let (ctx, token) = (&env.ctx, self.token);
        let cell = debtor(log, self.target)?;
        if cell.pos_count != 0 {
            let table = Table::read(log, ctx, self.target, None)?;
            let at = Before { collateral: cell.collateral.get(), position: Position::default() };
            let (got, needed) = (table.margin(&at)?.health(), Health::PartialLiquidation);
            if got < needed {
                return Err(TradeReject::Health { account: self.target.account, needed, got });
            }
        }
        let (place, listed) = ctx.params.collateral(token).ok_or(TradeReject::NotCollateral { token })?;
        let prices = listed.prices(log, ctx)?;
        let price = |amount: u128| listed.seizure_price(ctx, &prices, amount);
        let amount = self.amount.get();
        let fewer = amount.checked_sub(1).ok_or(TradeReject::NoLots)?;
        if cell.collateral.get() + price(fewer)? >= 0 {
            return Err(TradeReject::SeizesTooMuch { amount });
        }
        let (price, moved) = (price(amount)?, amount as i128); // u96
        self.target.move_margin(log, (place, token), -moved, price)?;
        Party::INSURANCE.move_margin(log, (place, token), moved, -price)?;
        check_covered(log, &env.forced(), Party::INSURANCE, false)?;
        Ok(TradeReceipt { quote: price, ..TradeReceipt::default() })
    }
}

impl Rule for AbsorbDebt {
    /// Accesses: SUB write of the target; SUB write of insurance; where something is at stake, table of insurance.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let account = self.target.account;
        let SubCell { collateral, pos_count, mask } = debtor(log, self.target)?;
        if pos_count != 0 {
            return Err(TradeReject::OpenPositions { account, pos_count });
        }
        if mask != 0 {
            return Err(TradeReject::HoldsTokens { account, mask });
        }
        let debt = -collateral.get();
        self.target.credit(log, debt)?;
        Party::INSURANCE.credit(log, -debt)?;
        check_covered(log, &env.forced(), Party::INSURANCE, false)?;
        Ok(TradeReceipt { quote: debt, ..TradeReceipt::default() })
    }
}
