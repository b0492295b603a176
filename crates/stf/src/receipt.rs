//! What an operation reports.

use serde::{Deserialize, Serialize};
use tsz_ledger::OutRecord;
use tsz_types::AccountId;

/// Outcome of an operation; all but `Ok` are no-ops of L1 operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Code {
    /// Done.
    #[default]
    Ok = 0,
    /// The receiver does not exist; the deposit goes back to the depositor.
    NoAccount = 1,
    /// The sender does not own the account.
    NotOwner = 2,
    /// The account is reserved.
    Reserved = 3,
    /// Positions or margin tokens stand beside the collateral.
    OpenPositions = 4,
    /// The collateral is negative.
    Negative = 5,
}

impl Code {
    /// The number of the code in circuits.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// What is reported to the sender of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Outcome.
    pub code: Code,
    /// The withdrawal record it made, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<OutRecord>,
    /// The account it created, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<AccountId>,
}

impl Receipt {
    /// Done, nothing to say.
    pub const OK: Self = Self { code: Code::Ok, out: None, created: None };

    pub(crate) fn noop(code: Code) -> Self {
        Self { code, ..Self::OK }
    }

    pub(crate) fn out(code: Code, record: OutRecord) -> Self {
        Self { code, out: Some(record), created: None }
    }
}
