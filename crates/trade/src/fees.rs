//! Fees of a fill: brokers first, then the fee account.

use tsz_stf::{Log, View};
use tsz_types::{AccountId, Rate, SubId, TokenId};

use crate::TradeReject;
use crate::account::{Party, check_exists};
use crate::order::Terms;

/// The fee of one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fee {
    pub rate: Rate,
    pub broker: AccountId,
    pub broker_rate: Rate,
}

impl Fee {
    /// The fee of an order.
    pub fn of(rate: Rate, terms: &Terms) -> Self {
        Self { rate, broker: terms.broker, broker_rate: terms.broker_rate }
    }

    /// A fee that no broker shares.
    pub fn plain(rate: Rate) -> Self {
        Self { rate, broker: AccountId::FEES, broker_rate: Rate::ZERO }
    }

    fn party(&self) -> Option<Party> {
        (self.broker_rate != Rate::ZERO).then_some(Party { account: self.broker, sub: SubId::MIN })
    }

    /// What the fee account gets of it.
    fn net(&self) -> i32 {
        self.rate.get() - self.broker_rate.get() // 19 bits each
    }
}

/// Checks that the brokers exist. Access: HEAD read if there is a broker.
fn check_brokers<V: View>(log: &mut Log<'_, V>, fees: &[Fee; 2]) -> Result<(), TradeReject> {
    match fees.map(|f| f.party().map(|p| p.account)) {
        [Some(a), Some(b)] => check_exists(log, &[a, b]),
        [Some(a), None] | [None, Some(a)] => check_exists(log, &[a]),
        [None, None] => Ok(()),
    }
}

/// Pays fees on a notional into collateral. Accesses: HEAD read if there is a broker, SUB write for each broker
/// (taker's first), SUB write of the fee account.
pub(crate) fn pay_collateral<V: View>(
    log: &mut Log<'_, V>,
    notional: u128,
    fees: &[Fee; 2],
) -> Result<(), TradeReject> {
    let net = fees[0].net() + fees[1].net();
    if net < 0 {
        return Err(TradeReject::NetFee { net });
    }
    check_brokers(log, fees)?;
    let n = notional as i128; // below 2^56
    for fee in fees {
        if let Some(broker) = fee.party() {
            broker.credit(log, n * i128::from(fee.broker_rate.get()))?;
        }
    }
    Party::FEES.credit(log, n * i128::from(net))
}

/// Pays fees on amounts of two tokens into balances. Accesses: HEAD read if there is a broker, BAL write for each
/// broker, BAL write of the fee account for each side.
pub(crate) fn pay_balances<V: View>(
    log: &mut Log<'_, V>,
    fees: &[Fee; 2],
    amounts: [(TokenId, u64); 2],
) -> Result<(), TradeReject> {
    check_brokers(log, fees)?;
    for (fee, (token, amount)) in fees.iter().zip(amounts) {
        if let Some(broker) = fee.party() {
            broker.move_balance(log, token, i128::from(amount) * i128::from(fee.broker_rate.get()))?;
        }
    }
    for (fee, (token, amount)) in fees.iter().zip(amounts) {
        Party::FEES.move_balance(log, token, i128::from(amount) * i128::from(fee.net()))?;
    }
    Ok(())
}
