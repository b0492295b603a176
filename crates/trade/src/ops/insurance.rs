//! SeizeToken and AbsorbDebt: insurance pays debts.

use serde::{Deserialize, Serialize};
use tsz_ledger::{BalCell, Key, MkpCell, SubCell};
use tsz_risk::{CollateralToken, Health};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Balance, TokenId};

use crate::account::{Party, Table, check_funds};
use crate::market::{check_fresh, params};
use crate::params::CollateralParams;
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Insurance buys a collateral token from a debtor at its haircut value, rounded up.
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

impl SeizeToken {
    fn collateral<'a, S>(&self, env: &Env<'a, S>) -> Result<&'a CollateralParams, TradeReject> {
        let listed = env.ctx.params.collateral.iter().find(|c| c.token == self.token);
        listed.ok_or(TradeReject::NotCollateral { token: self.token })
    }
}

impl Rule for SeizeToken {
    /// Accesses: table of the target if it has positions; MKP read of the pricing market; BAL write, SUB write of
    /// the target; BAL write, SUB write of insurance; SUB read and, where something is at stake, table of insurance.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let (ctx, insurance) = (&env.ctx, Party::INSURANCE);
        let cell = debtor(log, self.target)?;
        if cell.pos_count != 0 {
            let table = Table::read(log, ctx, self.target, None, &[])?;
            let got = table.margin_with(cell.collateral.get(), &Default::default(), &[])?.health();
            let needed = Health::PartialLiquidation;
            if got < needed {
                return Err(TradeReject::Health { account: self.target.account, needed, got });
            }
        }
        let listed = self.collateral(env)?;
        let prices: MkpCell = log.read_cell(Key::mkp(listed.market.get().into()))?;
        check_fresh(ctx, listed.market, &prices)?;
        let worth = |amount: u128| CollateralToken {
            balance: amount,
            index: prices.index,
            qm: params(ctx, listed.market).map_or(0, |m| m.qm.get()),
            haircut: listed.haircut.get(),
            units_per_lot: listed.units_per_lot,
        };
        let amount = self.amount.get();
        let fewer = amount.checked_sub(1).ok_or(TradeReject::NoLots)?;
        if cell.collateral.get() + worth(fewer).value_ceil()? >= 0 {
            return Err(TradeReject::SeizesTooMuch { amount });
        }
        let price = worth(amount).value_ceil()?;
        let SubCell { collateral: before, .. } = log.peek_cell(insurance.sub_key())?;
        self.target.move_balance(log, self.token, -(amount as i128))?; // u96
        self.target.credit(log, price)?;
        let held = insurance.move_balance(log, self.token, amount as i128)?;
        insurance.credit(log, -price)?;
        check_funds(log, ctx, insurance, before.get(), &[(self.token, held)])?;
        Ok(TradeReceipt { quote: price, ..TradeReceipt::default() })
    }
}

impl Rule for AbsorbDebt {
    /// Accesses: BAL read of each collateral token of the target; SUB write of the target; SUB write of insurance;
    /// SUB read and, where something is at stake, table of insurance.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let (account, insurance) = (self.target.account, Party::INSURANCE);
        let cell = debtor(log, self.target)?;
        if cell.pos_count != 0 {
            return Err(TradeReject::OpenPositions { account, pos_count: cell.pos_count });
        }
        for c in &env.ctx.params.collateral {
            let BalCell { balance } = log.read_cell(self.target.bal_key(c.token))?;
            if balance != Balance::MIN {
                return Err(TradeReject::HoldsToken { account, token: c.token, held: balance.get() });
            }
        }
        let debt = -cell.collateral.get();
        let SubCell { collateral: before, .. } = log.peek_cell(insurance.sub_key())?;
        self.target.credit(log, debt)?;
        insurance.credit(log, -debt)?;
        check_funds(log, &env.ctx, insurance, before.get(), &[])?;
        Ok(TradeReceipt { quote: debt, ..TradeReceipt::default() })
    }
}
