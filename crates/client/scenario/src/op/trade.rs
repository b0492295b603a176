//! Trading operations as written in a file. What is `None` or absent is filled in by the runner.

use serde::Serialize;
use tsz_sig::Signature;
use tsz_trade::ops::Direction;
use tsz_trade::{Party, Side};
use tsz_types::{
    AccountId, Balance, EthAddress, KeySlot, KillEpoch, L1Serial, Lots, MarketId, Nonce, Price, ProviderSlot,
    Rate, Slot, SubId, TimeMs, TokenId, Units,
};

use super::order::{OrderSpec, OrderUse, is_main};
use crate::names::MarketKind;
use crate::{Amount, ParamsSpec};

/// Names of the entries.
pub(super) const KINDS: [&str; 27] = [
    "place",
    "cancel_order",
    "cancel_all",
    "margin_transfer",
    "margin_exit",
    "spot_trade",
    "perp_trade",
    "forced_close",
    "liquidate",
    "takeover",
    "adl_rank",
    "adl",
    "seize_token",
    "absorb_debt",
    "funding_tick",
    "funding_ticks",
    "funding_settle",
    "force_liquidate",
    "set_params",
    "set_token",
    "set_provider",
    "clear_provider",
    "settle_market",
    "settle_pair",
    "settle_positions",
    "oracle_update",
    "premium_sample",
];

/// A trading entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the operations are those of tsz-trade; the others say what they are")]
pub enum TradeSpec {
    /// An order is signed; no operation.
    Place {
        kind: MarketKind,
        #[serde(flatten)]
        order: Box<OrderSpec>,
    },
    CancelOrder(CancelOrderSpec),
    CancelAll(CancelAllSpec),
    MarginTransfer(MarginTransferSpec),
    MarginExit(MarginExitSpec),
    SpotTrade(FillSpec),
    PerpTrade(FillSpec),
    ForcedClose(Box<ForcedCloseSpec>),
    Liquidate(LiquidateSpec),
    Takeover(TakeoverSpec),
    AdlRank(AdlRankSpec),
    Adl(AdlSpec),
    SeizeToken(SeizeTokenSpec),
    AbsorbDebt {
        target: Party,
    },
    FundingTick {
        market: MarketId,
    },
    /// All ticks that are due, in one market or in all.
    FundingTicks {
        #[serde(skip_serializing_if = "Option::is_none")]
        market: Option<MarketId>,
    },
    FundingSettle {
        party: Party,
        market: MarketId,
    },
    ForceLiquidate(ForceLiquidateSpec),
    SetParams(Box<SetParamsSpec>),
    SetToken(SetTokenSpec),
    SetProvider(SetProviderSpec),
    ClearProvider(ClearProviderSpec),
    SettleMarket(SettleMarketSpec),
    SettlePair(SettlePairSpec),
    /// Pairs until a settling market has no positions.
    SettlePositions {
        market: MarketId,
    },
    OracleUpdate(OracleUpdateSpec),
    /// One sample, or as many as `count` says.
    PremiumSample(PremiumSampleSpec),
}

/// CancelOrder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelOrderSpec {
    /// Label of the order; it then says account, slot and nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Account; that of the order, if a label is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Sub-account.
    #[serde(skip_serializing_if = "is_main")]
    pub sub: SubId,
    /// Order slot; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// The last nonce that ends; the order's or the slot's by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// Who signs.
    #[serde(flatten)]
    pub signer: SignerSpec,
}

/// CancelAll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelAllSpec {
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    #[serde(skip_serializing_if = "is_main")]
    pub sub: SubId,
    /// The cancel is good from this time on; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<TimeMs>,
    /// The epoch that ends; the sub-account's by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_epoch: Option<KillEpoch>,
    /// The sub-account's by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// Who signs.
    #[serde(flatten)]
    pub signer: SignerSpec,
}

/// MarginTransfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarginTransferSpec {
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    #[serde(skip_serializing_if = "is_main")]
    pub sub: SubId,
    /// Which way.
    pub direction: Direction,
    /// The quote token or a collateral token.
    pub token: TokenId,
    /// How much: `units` or `micros`.
    #[serde(flatten)]
    pub amount: Amount<Balance>,
    /// The sub-account's by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// Who signs.
    #[serde(flatten)]
    pub signer: SignerSpec,
}

/// MarginExit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarginExitSpec {
    /// Whose margin.
    pub party: Party,
    /// The token.
    pub token: TokenId,
    /// Who asked; the owner by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<EthAddress>,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// Who signs an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SignerSpec {
    /// Label of the key; by default that of the key in the slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Key slot; by default the first with the label's key, else 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_slot: Option<KeySlot>,
    /// A signature to be taken as it is.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "signature")]
    pub signature: Option<Signature>,
}

fn signature<S: serde::Serializer>(value: &Option<Signature>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(signature) => tsz_stf::forms::signature::serialize(signature, s),
        None => s.serialize_none(),
    }
}

/// SpotTrade and PerpTrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FillSpec {
    /// Order that meets a resting one.
    pub taker: OrderUse,
    /// Resting order.
    pub maker: OrderUse,
    /// Lots; by default as many as both orders have left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lots: Option<Lots>,
    /// Fee of the taker; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taker_fee: Option<Rate>,
    /// Fee of the maker; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker_fee: Option<Rate>,
    /// Whether the slot of the taker is closed; by default if its order is IOC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_taker: Option<bool>,
}

/// ForcedClose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForcedCloseSpec {
    /// Whose position.
    pub party: Party,
    /// Market.
    pub market: MarketId,
    /// Direction; by default the one that closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Lots; the whole position by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lots: Option<Lots>,
    /// Worst price; by default the mark less exactly the market's band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Price>,
    /// Who asked; the owner by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<EthAddress>,
    /// The order that serves it; none for a no-op.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker: Option<OrderUse>,
    /// Fee of the party that closes; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taker_fee: Option<Rate>,
    /// Fee of the maker; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker_fee: Option<Rate>,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// Liquidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiquidateSpec {
    /// Whose position is closed.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Resting order on the other side.
    pub maker: OrderUse,
    /// Lots; by default as many as the position and the order have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lots: Option<Lots>,
    /// Fee of the maker; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maker_fee: Option<Rate>,
}

/// Takeover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakeoverSpec {
    /// Whose position is taken.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Lots; the whole position by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lots: Option<Lots>,
}

/// Adl.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdlSpec {
    /// Whose position is closed.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// By default the first that the rules accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Party>,
}

/// AdlRank of all holders opposite to a target, in as many operations as it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdlRankSpec {
    /// Whose position is to be closed.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Loss class; that of the target by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<u8>,
}

/// SettleMarket: the prices that a settling market closes at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettleMarketSpec {
    /// Market.
    pub market: MarketId,
    /// Price of long positions.
    pub long: Price,
    /// Price of short positions.
    pub short: Price,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// SeizeToken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeizeTokenSpec {
    /// The debtor.
    pub target: Party,
    /// The token.
    pub token: TokenId,
    /// Millionths of a unit; by default as many as the debt needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Balance>,
}

/// ForceLiquidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForceLiquidateSpec {
    /// Whose position.
    pub target: Party,
    /// Market.
    pub market: MarketId,
    /// Who asked; nobody in particular by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<EthAddress>,
    /// By default the first that the rules accept, where insurance cannot take over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<Party>,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// SetParams: in force from the next batch on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetParamsSpec {
    /// All parameters; a file may name only what changes.
    pub params: ParamsSpec,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// SetToken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetTokenSpec {
    /// Token.
    pub token: TokenId,
    /// Whether it can be withdrawn by signed operations; so by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
    /// The least withdrawal; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Units>,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// SetProvider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetProviderSpec {
    /// Cell.
    pub slot: ProviderSlot,
    /// Label of a social login, whose issuer, audience and key are set.
    pub key: String,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// ClearProvider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClearProviderSpec {
    /// Cell.
    pub slot: ProviderSlot,
    /// L1 serial; the next by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<L1Serial>,
}

/// SettlePair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettlePairSpec {
    /// Market.
    pub market: MarketId,
    /// Holder of a long position; the first by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long: Option<Party>,
    /// Holder of a short position; the first by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short: Option<Party>,
    /// Lots; by default as many as both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lots: Option<Lots>,
}

/// OracleUpdate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OracleUpdateSpec {
    /// Market.
    pub market: MarketId,
    /// What the signers say, in any order.
    pub reports: Vec<PriceReportSpec>,
}

/// What one signer says of prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceReportSpec {
    /// Label of the signer, or its place in the list of signers.
    pub signer: String,
    /// Index price, ticks.
    pub index: u32,
    /// Mark price, ticks.
    pub mark: u32,
    /// Confidence; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u32>,
    /// Time of the prices; by default the batch's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<TimeMs>,
    /// Circuit breaker; not set by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<bool>,
    /// A signature to be taken as it is.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "signature")]
    pub signature: Option<Signature>,
}

/// PremiumSample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PremiumSampleSpec {
    /// Market.
    pub market: MarketId,
    /// Samples of this many minutes, one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u8>,
    /// What the signers say, in any order.
    pub reports: Vec<QuoteReportSpec>,
}

/// What one signer says of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuoteReportSpec {
    /// Label of the signer, or its place in the list of signers.
    pub signer: String,
    /// Impact bid, ticks; 0 = none.
    pub bid: u32,
    /// Impact ask, ticks; 2^32 - 1 = none.
    pub ask: u32,
    /// A signature to be taken as it is.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "signature")]
    pub signature: Option<Signature>,
}
