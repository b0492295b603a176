//! Expected outcomes of operations.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tsz_trade::{OpReceipt, OpReject, TradeCode};

/// Outcome of an operation: `"ok"`, a receipt code, or `"reject:"` and the kind of rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Part of the batch, with the code of this name.
    Code(String),
    /// Refused, with a rejection of this kind.
    Reject(String),
}

impl Expect {
    /// The outcome that has happened.
    pub fn of(outcome: Result<&OpReceipt, &OpReject>) -> Self {
        match outcome {
            Ok(receipt) => Self::Code(code_name(receipt)),
            Err(reject) => Self::Reject(reject_kind(reject)),
        }
    }

    /// A code of the fund family.
    pub fn code(code: tsz_stf::Code) -> Self {
        Self::Code(name(&code))
    }
}

/// Name of a receipt's code.
pub fn code_name(receipt: &OpReceipt) -> String {
    match receipt {
        OpReceipt::Fund(receipt) => name(&receipt.code),
        OpReceipt::Trade(receipt) => name(&receipt.code),
    }
}

/// The name that serde gives a value.
fn name(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or("unknown").to_owned()
}

/// Name of the kind of a rejection, as in its JSON form.
pub fn reject_kind(reject: &OpReject) -> String {
    let value = serde_json::to_value(reject).unwrap_or_default();
    value["kind"].as_str().unwrap_or("unknown").to_owned()
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => f.write_str(code),
            Self::Reject(kind) => write!(f, "reject:{kind}"),
        }
    }
}

impl FromStr for Expect {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(kind) = text.strip_prefix("reject:") {
            return Ok(Self::Reject(kind.to_owned()));
        }
        let fund = serde_json::from_value::<tsz_stf::Code>(text.into()).map(|_| ());
        let trade = serde_json::from_value::<TradeCode>(text.into()).map(|_| ());
        match (fund, trade) {
            (Err(fund), Err(trade)) => Err(format!("{fund}; {trade}; or `reject:` and a kind of rejection")),
            _ => Ok(Self::Code(text.to_owned())),
        }
    }
}

impl Serialize for Expect {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
