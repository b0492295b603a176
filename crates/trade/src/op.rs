//! The trading operations.

use serde::{Deserialize, Serialize};
use tsz_ledger::Family;
use tsz_stf::{Log, SigVerifier, View};

use crate::ops::{
    AbsorbDebt, Adl, AdlRank, CancelAll, CancelOrder, ClearProvider, ForceLiquidate, ForcedClose,
    FundingSettle, FundingTick, Liquidate, MarginExit, MarginTransfer, OracleUpdate, PerpTrade,
    PremiumSample, SeizeToken, SetParams, SetProvider, SetToken, SettleMarket, SettlePair, SpotTrade,
    Takeover,
};
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Codes of the operations in messages and records.
#[expect(missing_docs, reason = "one constant for each operation")]
pub mod code {
    pub const CANCEL_ORDER: u32 = 10;
    pub const CANCEL_ALL: u32 = 11;
    pub const MARGIN_TRANSFER: u32 = 12;
    pub const SPOT_TRADE: u32 = 30;
    pub const PERP_TRADE: u32 = 40;
    pub const FORCED_CLOSE: u32 = 41;
    pub const MARGIN_EXIT: u32 = 42;
    pub const LIQUIDATE: u32 = 50;
    pub const TAKEOVER: u32 = 51;
    pub const ADL: u32 = 52;
    pub const SEIZE_TOKEN: u32 = 53;
    pub const ABSORB_DEBT: u32 = 54;
    pub const FUNDING_TICK: u32 = 55;
    pub const FUNDING_SETTLE: u32 = 56;
    pub const FORCE_LIQUIDATE: u32 = 57;
    pub const SET_PARAMS: u32 = 58;
    pub const SETTLE_PAIR: u32 = 59;
    pub const ORACLE_UPDATE: u32 = 60;
    pub const PREMIUM_SAMPLE: u32 = 61;
    pub const ADL_RANK: u32 = 62;
    pub const SETTLE_MARKET: u32 = 63;
    pub const SET_TOKEN: u32 = 64;
    pub const SET_PROVIDER: u32 = 65;
    pub const CLEAR_PROVIDER: u32 = 66;
}

macro_rules! operations {
    ($($name:ident: $code:ident, $family:ident, $l1:literal;)*) => {
        /// A trading operation.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "op", rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the structs are documented")]
        pub enum TradeOp {
            $($name($name),)*
        }

        impl TradeOp {
            /// Its code in messages and records.
            pub fn code(&self) -> u32 {
                match self { $(Self::$name(_) => code::$code,)* }
            }

            /// Its name, as in docs/src/trading.md.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }

            /// The family that proves it.
            pub fn family(&self) -> Family {
                match self { $(Self::$name(_) => Family::$family,)* }
            }

            /// Whether L1 orders it.
            pub fn is_l1(&self) -> bool {
                match self { $(Self::$name(_) => $l1,)* }
            }
        }

        impl Rule for TradeOp {
            fn run<V: View, S: SigVerifier>(
                &self,
                env: &Env<'_, S>,
                log: &mut Log<'_, V>,
            ) -> Result<TradeReceipt, TradeReject> {
                match self { $(Self::$name(op) => op.run(env, log),)* }
            }
        }

        $(impl From<$name> for TradeOp {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        })*
    };
}

operations! {
    CancelOrder: CANCEL_ORDER, Fund, false;
    CancelAll: CANCEL_ALL, Fund, false;
    MarginTransfer: MARGIN_TRANSFER, Perp, false;
    SpotTrade: SPOT_TRADE, Spot, false;
    PerpTrade: PERP_TRADE, Perp, false;
    ForcedClose: FORCED_CLOSE, Liquidate, true;
    MarginExit: MARGIN_EXIT, Perp, true;
    Liquidate: LIQUIDATE, Liquidate, false;
    Takeover: TAKEOVER, Liquidate, false;
    Adl: ADL, Deleverage, false;
    SeizeToken: SEIZE_TOKEN, Settle, false;
    AbsorbDebt: ABSORB_DEBT, Settle, false;
    FundingTick: FUNDING_TICK, Manage, false;
    FundingSettle: FUNDING_SETTLE, Manage, false;
    ForceLiquidate: FORCE_LIQUIDATE, Deleverage, true;
    SetParams: SET_PARAMS, Manage, true;
    SettlePair: SETTLE_PAIR, Settle, false;
    AdlRank: ADL_RANK, Deleverage, false;
    SettleMarket: SETTLE_MARKET, Manage, true;
    SetToken: SET_TOKEN, Manage, true;
    SetProvider: SET_PROVIDER, Oidc, true;
    ClearProvider: CLEAR_PROVIDER, Oidc, true;
    OracleUpdate: ORACLE_UPDATE, Oracle, false;
    PremiumSample: PREMIUM_SAMPLE, Oracle, false;
}
