//! Errors of scenarios.

use thiserror::Error;
use tsz_stf::GenesisError;

use crate::Expect;

/// Why a scenario cannot be read or run. Rejected operations are no errors: they are part of the result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScenarioError {
    /// Not JSON.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A field that is missing, unknown, or no value of its type.
    #[error("{path}: {message}")]
    Field {
        /// Where, as in `batches[0].operations[3].units`.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Accounts and tokens that make no first state.
    #[error("genesis: {0}")]
    Genesis(#[from] GenesisError),
    /// The state tree refuses a batch.
    #[error("state tree: {0}")]
    Tree(#[from] tsz_smt::Error),
    /// Another outcome than the scenario expects.
    #[error("{path}: expected {expected}, got {got}{reason}")]
    Unexpected {
        /// Where.
        path: String,
        /// The outcome that the scenario expects.
        expected: Expect,
        /// The outcome.
        got: Expect,
        /// The message of a rejection.
        reason: String,
    },
    /// A batch that cannot be opened.
    #[error("{path}: {reject}")]
    Begin {
        /// Where.
        path: String,
        /// Why.
        reject: Box<tsz_trade::OpReject>,
    },
    /// A signature made by the runner does not verify: a fault of the machine.
    #[error("{path}: the signature made for it does not verify")]
    SelfCheck {
        /// Where.
        path: String,
    },
}

impl ScenarioError {
    /// An error of a field.
    pub(crate) fn field(path: impl Into<String>, message: impl ToString) -> Self {
        Self::Field { path: path.into(), message: message.to_string() }
    }
}
