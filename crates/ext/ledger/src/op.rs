//! The operations of the extension layer.

use serde::{Deserialize, Serialize};
use tsz_ledger::AlgorithmId;
use tsz_sig::Signature;

use crate::{ApproveExtension, Extension, RevokeExtension, guard_algorithm};

/// Codes of the operations in messages and records.
#[expect(missing_docs, reason = "one constant for each operation")]
pub mod code {
    pub const APPROVE_EXTENSION: u32 = 80;
    pub const REVOKE_EXTENSION: u32 = 81;
    pub const EXTENSION: u32 = 82;
}

/// An operation of the extension layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the structs are documented")]
pub enum ExtOp {
    ApproveExtension(ApproveExtension),
    RevokeExtension(RevokeExtension),
    Extension(Extension),
}

impl ExtOp {
    /// Its code in messages.
    pub fn code(&self) -> u32 {
        match self {
            Self::ApproveExtension(_) => code::APPROVE_EXTENSION,
            Self::RevokeExtension(_) => code::REVOKE_EXTENSION,
            Self::Extension(_) => code::EXTENSION,
        }
    }

    /// The rule set that it obeys: that of the guard, or the program.
    pub fn algorithm(&self) -> AlgorithmId {
        match self {
            Self::Extension(op) => op.program,
            Self::ApproveExtension(_) | Self::RevokeExtension(_) => guard_algorithm(),
        }
    }

    /// The signature, to be replaced by one of the message; `None` where nobody signs.
    pub fn signature_mut(&mut self) -> Option<&mut Signature> {
        match self {
            Self::ApproveExtension(op) => Some(&mut op.signature),
            Self::RevokeExtension(op) => Some(&mut op.signature),
            Self::Extension(_) => None,
        }
    }
}
