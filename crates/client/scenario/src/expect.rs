//! Expected outcomes of operations.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tsz_stf::{Code, Receipt, Reject};

/// Outcome of an operation: `"ok"`, a receipt code, or `"reject:"` and the kind of rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Part of the batch, with this code.
    Code(Code),
    /// Refused, with a rejection of this kind.
    Reject(String),
}

impl Expect {
    /// The outcome that has happened.
    pub fn of(outcome: Result<&Receipt, &Reject>) -> Self {
        match outcome {
            Ok(receipt) => Self::Code(receipt.code),
            Err(reject) => Self::Reject(reject_kind(reject)),
        }
    }
}

/// Name of the kind of a rejection, as in its JSON form.
pub fn reject_kind(reject: &Reject) -> String {
    let value = serde_json::to_value(reject).unwrap_or_default();
    value["kind"].as_str().unwrap_or("unknown").to_owned()
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => {
                let name = serde_json::to_value(code).unwrap_or_default();
                f.write_str(name.as_str().unwrap_or("unknown"))
            }
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
        let code = serde_json::from_value(text.into());
        code.map(Self::Code).map_err(|e| format!("{e}, or `reject:` and a kind of rejection"))
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
