//! Why a trading operation is refused.

use core::fmt;
use thiserror::Error;
use tsz_risk::{Health, RiskError};
use tsz_stf::Reject;
use tsz_types::{
    AccountId, KillEpoch, Lots, MarketId, Nonce, NumberError, Price, Rate, Slot, SpotMarketId, SubId, TimeMs,
    TokenId,
};

use crate::order::Trigger;
use crate::params::{ParamsError, Status};

/// Millionths as a decimal number of units.
struct Micros(i128);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, n) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, mut rest, mut digits) = (n / 1_000_000, n % 1_000_000, 6);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        while rest % 10 == 0 {
            (rest, digits) = (rest / 10, digits - 1);
        }
        write!(f, "{sign}{whole}.{rest:0digits$}")
    }
}

/// A health in words.
fn health(health: &Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::PreLiquidation => "pre-liquidation",
        Health::PartialLiquidation => "partial liquidation",
        Health::FullLiquidation => "full liquidation",
        Health::Bankrupt => "bankrupt",
    }
}

/// Why an operation cannot be part of the batch here. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum TradeReject {
    /// Keys, nonces, signatures, serials, corrupt cells: the reasons of the fund family.
    #[error(transparent)]
    Base(Reject),
    /// A width or a zero divisor in a risk rule.
    #[error(transparent)]
    Risk(RiskError),
    #[error("perpetual market {market} does not exist")]
    NoMarket { market: MarketId },
    #[error("spot market {market} does not exist")]
    NoSpotMarket { market: SpotMarketId },
    #[error("perpetual market {market} is {status:?}")]
    MarketStatus { market: MarketId, status: Status },
    #[error("spot market {market} is {status:?}")]
    SpotStatus { market: SpotMarketId, status: Status },
    #[error("the orders are for markets {taker} and {maker}")]
    OtherMarket { taker: u16, maker: u16 },
    #[error("both orders are on the same side")]
    SameSide,
    #[error("the taker's limit {taker} does not accept the maker's price {maker}")]
    NoCross { taker: Price, maker: Price },
    #[error("a fill has at least one lot")]
    NoLots,
    #[error("account {account} would be left with a debt of {debt} millionths and without positions")]
    Debt { account: AccountId, debt: i128 },
    #[error("the order in slot {slot} of account {account} has the last nonce, which is never used")]
    LastNonce { account: AccountId, slot: Slot },
    #[error("{what} of the order in slot {slot} of account {account} is {rate}")]
    NegativeRate { account: AccountId, slot: Slot, what: &'static str, rate: Rate },
    #[error("nonce {got} in slot {slot} of account {account}, the slot is at {next}")]
    DeadNonce { account: AccountId, slot: Slot, next: Nonce, got: Nonce },
    #[error("another order with nonce {nonce} has {filled} lots filled in slot {slot} of account {account}")]
    OtherOrder { account: AccountId, slot: Slot, nonce: Nonce, filled: Lots },
    #[error("the order of account {account} expired at {expiry}, the batch time is {time}")]
    OrderExpired { account: AccountId, expiry: TimeMs, time: u64 },
    #[error("the order of account {account} has kill epoch {got}, the sub-account is at {expected}")]
    Killed { account: AccountId, expected: KillEpoch, got: KillEpoch },
    #[error("a fill of {lots} lots after {filled} exceeds the {max} lots of the order of account {account}")]
    Overfill { account: AccountId, filled: Lots, lots: Lots, max: Lots },
    #[error("a post-only order cannot take")]
    PostOnlyTaker,
    #[error("an immediate order cannot make")]
    ImmediateMaker,
    #[error("a fill-or-kill order of {max} lots cannot fill {lots}")]
    PartialFok { lots: Lots, max: Lots },
    #[error("only an immediate-or-cancel order is closed after a fill")]
    CloseNotIoc,
    #[error("the trigger {trigger} is not met by the mark {mark}")]
    Trigger { trigger: Trigger, mark: u32 },
    #[error("fee {got} is outside {min}..={max}")]
    Fee { min: i32, max: i32, got: Rate },
    #[error("the broker's {broker} exceeds the fee {fee}")]
    BrokerRate { broker: Rate, fee: Rate },
    #[error("fees less rebates and brokers come to {net} millionths per unit")]
    NetFee { net: i32 },
    #[error("both orders are of sub-account {sub} of account {account}, the taker refuses that")]
    SelfTrade { account: AccountId, sub: SubId },
    #[error("both orders are in slot {slot} of one sub-account")]
    SameSlot { slot: Slot },
    #[error("account {account} does not trade here")]
    ReservedParty { account: AccountId },
    #[error("closing {lots} lots of a position of {size} does not reduce it")]
    NotReducing { size: i64, lots: Lots },
    #[error("account {account} would hold more than {max} positions")]
    TooManyPositions { account: AccountId, max: u8 },
    #[error("the state has {found} of {expected} positions of account {account} in listed markets")]
    PositionCount { account: AccountId, expected: u8, found: u8 },
    #[error("a position of {notional} quote units may not grow, the last tier ends at {bound}")]
    TierBound { notional: u128, bound: u128 },
    #[error("open interest of {notional} quote units may not grow, the cap is {cap}")]
    OpenInterestCap { notional: u128, cap: u128 },
    #[error("open interest would be {value} lots")]
    OpenInterest { value: i128 },
    #[error("market {market}: the price of {price_ts} is too old at {time}")]
    Stale { market: MarketId, price_ts: u64, time: u64 },
    #[error("market {market}: funding is at hour {hour}, the batch is in hour {due}")]
    FundingDue { market: MarketId, hour: u32, due: u64 },
    #[error(
        "account {account} would go from TAV {} at MMR {} to {} at MMR {}, IMR {}",
        Micros(*.tav_before), Micros(*.mmr_before), Micros(*.tav), Micros(*.mmr), Micros(*.imr)
    )]
    Illegal { account: AccountId, tav_before: i128, mmr_before: i128, tav: i128, mmr: i128, imr: i128 },
    #[error("account {account} would be left with TAV {} below IMR {}", Micros(*.tav), Micros(*.imr))]
    Uncovered { account: AccountId, tav: i128, imr: i128 },
    #[error("account {account} would owe funding: collateral and unsettled funding come to {}", Micros(*.settled))]
    Unsettled { account: AccountId, settled: i128 },
    #[error("account {account} has a margin token in place {place}, which the parameters do not name")]
    NoPlace { account: AccountId, place: u8 },
    #[error("{} of token {token} is needed, account {account} holds {}", Micros(*.needed), Micros(*.held))]
    Balance { account: AccountId, token: TokenId, held: i128, needed: i128 },
    #[error("account {account} has no position in market {market}")]
    NoPosition { account: AccountId, market: MarketId },
    #[error("{got} lots of a position of {size}")]
    Lots { got: Lots, size: i64 },
    #[error("account {account} has health {}, {} is needed", health(.got), health(.needed))]
    Health { account: AccountId, needed: Health, got: Health },
    #[error("{notional} quote units are worse for account {account} than the zero quote {quote}")]
    WorseThanZeroQuote { account: AccountId, notional: u128, quote: i128 },
    #[error("{lots} lots close more than health needs: one less leaves TAV {} at IMR {}", Micros(*.tav), Micros(*.imr))]
    TooMuch { lots: Lots, tav: i128, imr: i128 },
    #[error("price {price} concedes more than the band from the mark {mark}")]
    OutsideBand { price: Price, mark: u32 },
    #[error("insurance would be left with TAV {} below IMR {}", Micros(*.tav), Micros(*.imr))]
    InsuranceMargin { tav: i128, imr: i128 },
    #[error("insurance can take over {lots} lots")]
    TakeoverPossible { lots: Lots },
    #[error("the ranking of market {market} is not the one of the present positions and prices")]
    OtherRanking { market: MarketId },
    #[error("the ranking of market {market} lacks {remaining} lots")]
    RankingIncomplete { market: MarketId, remaining: u64 },
    #[error("loss class {class} of at most 15")]
    LossClass { class: u8 },
    #[error("the close costs more than any loss class allows")]
    NoLossClass,
    #[error("the holders are not strictly increasing at place {place}")]
    Holders { place: usize },
    #[error("the holder at place {place} has {lots} lots, {remaining} are left")]
    TooManyHolders { place: usize, lots: u64, remaining: u64 },
    #[error("account {account} has no position on that side")]
    NotOpposite { account: AccountId },
    #[error("account {account} cannot bear loss class {class}")]
    CannotBear { account: AccountId, class: u8 },
    #[error("the counterparty has rank {got}, the best is {best}")]
    Rank { best: u16, got: u16 },
    #[error("the market has moved 2^48 times")]
    Moves,
    #[error("a close of {notional} quote units that leaves a position, at least {min}")]
    SmallClose { notional: u128, min: u128 },
    #[error("an operation of {got} accesses, at most {max}")]
    TooManyAccesses { max: usize, got: usize },
    #[error("{reports} reports, the quorum is {quorum}")]
    Quorum { quorum: u8, reports: usize },
    #[error("report {place}: signer {signer} is out of order or unknown")]
    Signer { place: usize, signer: u8 },
    #[error("report {place}: a premium of {premium} millionths")]
    Premium { place: usize, premium: i32 },
    #[error("report {place}: the price is zero")]
    ZeroPrice { place: usize },
    #[error("report {place} is not signed by signer {signer}")]
    ReportSignature { place: usize, signer: u8 },
    #[error("price time {got} does not follow {previous} or is not within reach of {time}")]
    PriceTime { previous: u64, got: u64, time: u64 },
    #[error("a move from {old} to {new} exceeds {max} of 10000")]
    Deviation { old: u32, new: u32, max: u16 },
    #[error("market {market} has no price yet")]
    NoPrice { market: MarketId },
    #[error("minute {minute} of the hour is not due at minute {now}")]
    Minute { minute: u8, now: u64 },
    #[error("hour {next} ends after {time}")]
    HourOpen { next: u64, time: u64 },
    #[error("kill epoch {got}, the sub-account is at {expected}")]
    KillEpoch { expected: KillEpoch, got: KillEpoch },
    #[error("the cancel is good from {not_before}, the batch time is {time}")]
    NotYet { not_before: TimeMs, time: u64 },
    #[error("token {token} is no collateral")]
    NotCollateral { token: TokenId },
    #[error("account {account} has no debt: its collateral is {}", Micros(*.collateral))]
    NoDebt { account: AccountId, collateral: i128 },
    #[error("account {account} still has {pos_count} positions")]
    OpenPositions { account: AccountId, pos_count: u8 },
    #[error("account {account} still holds margin tokens (mask {mask:#b})")]
    HoldsTokens { account: AccountId, mask: u8 },
    #[error("seizing {} pays more than the debt needs", Micros(*.amount as i128))]
    SeizesTooMuch { amount: u128 },
    #[error(
        "settlement prices of {long} for longs and {short} for shorts: longs would get more than shorts pay"
    )]
    SettlePrices { long: Price, short: Price },
    #[error("market {market} is not settled: it has no named prices")]
    NotSettled { market: MarketId },
    #[error("account {account} has {size} lots in settled market {market}, which are to be paired first")]
    Unpaired { account: AccountId, market: MarketId, size: i64 },
    #[error("limit {limit} is not met by {price}")]
    ForcedLimit { limit: Price, price: Price },
    #[error("the operation needs a counterparty")]
    NoFill,
    #[error(transparent)]
    Params(ParamsError),
    #[error("the parameters in force have another hash")]
    OtherParams,
}

impl From<Reject> for TradeReject {
    fn from(reject: Reject) -> Self {
        Self::Base(reject)
    }
}

impl From<RiskError> for TradeReject {
    fn from(error: RiskError) -> Self {
        Self::Risk(error)
    }
}

impl From<NumberError> for TradeReject {
    fn from(error: NumberError) -> Self {
        Self::Base(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn millionths_read_as_units() {
        let cases =
            [(0, "0"), (-1, "-0.000001"), (1_500_000, "1.5"), (-20_000_000, "-20"), (1_000_010, "1.00001")];
        for (micros, text) in cases {
            assert_eq!(Micros(micros).to_string(), text);
        }
    }
}
