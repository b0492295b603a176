//! Operations as written in a file: what the runner fills in may be left out.

mod auth;
mod ext;
mod fund;
mod order;
mod parse;
mod terms;
mod trade;

use serde::Serialize;
use tsz_stf::FundOp;

use crate::fields::Node;
use crate::{Expect, ScenarioError};

pub(crate) use auth::Approver;
pub use auth::{Approved, AuthKind, AuthSpec, NewKey, Source};
pub use ext::{
    ApproveSpec, BrokerMatchSpec, ExtSpec, ExtensionSpec, GridFillSpec, OptionTradeSpec, RevokeSpec, Taker,
    Trader,
};
pub use fund::{FundSpec, SignWith};
pub use order::{OrderSpec, OrderUse};
pub use terms::{OrderTerms, SeriesSpec, Subject, TermsSpec, VenueSpec};
pub use trade::*;

pub(crate) use fund::blank_signature;
pub(crate) use parse::Reader;
pub(crate) use terms::Instruments;

/// What an entry of a batch does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Action {
    /// A fund operation.
    Fund(Box<FundSpec>),
    /// Trading: one operation, several, or none.
    Trade(TradeSpec),
    /// A key change by passkey or wallet.
    Auth(Box<AuthSpec>),
    /// An extension program, or an approval of one.
    Ext(Box<ExtSpec>),
}

/// An entry of a batch and the outcome that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpSpec {
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// The outcome of each operation; any, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
}

impl From<FundSpec> for OpSpec {
    fn from(spec: FundSpec) -> Self {
        Self { action: Action::Fund(Box::new(spec)), expect: None }
    }
}

impl From<TradeSpec> for OpSpec {
    fn from(spec: TradeSpec) -> Self {
        Self { action: Action::Trade(spec), expect: None }
    }
}

impl OpSpec {
    /// A fund operation with everything filled in by the runner.
    pub fn filled(op: impl Into<FundOp>) -> Self {
        FundSpec::filled(op).into()
    }

    /// The same, signed with a label's secret.
    pub fn signed_by(op: impl Into<FundOp>, label: impl Into<String>) -> Self {
        FundSpec { sign: SignWith::Label(label.into()), ..FundSpec::filled(op) }.into()
    }

    /// Parses one entry.
    pub(crate) fn parse(node: Node, reader: &mut Reader) -> Result<Self, ScenarioError> {
        let mut fields = node.object()?;
        let expect = fields.optional("expect")?;
        let kind = fields.map.get("op").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let action = if fund::KINDS.contains(&kind.as_str()) {
            Action::Fund(Box::new(FundSpec::parse(fields, &reader.names, reader.keys)?))
        } else if auth::KINDS.contains(&kind.as_str()) {
            Action::Auth(Box::new(AuthSpec::parse(fields, &reader.names, reader.keys)?))
        } else if ext::KINDS.contains(&kind.as_str()) {
            fields.map.remove("op");
            Action::Ext(Box::new(reader.ext(&kind, fields)?))
        } else if trade::KINDS.contains(&kind.as_str()) {
            fields.map.remove("op");
            Action::Trade(reader.trade(&kind, fields)?)
        } else {
            let known = fund::KINDS
                .iter()
                .chain(&auth::KINDS)
                .chain(&ext::KINDS)
                .chain(&trade::KINDS)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            return Err(ScenarioError::field(fields.at("op"), format!("expected one of {known}")));
        };
        Ok(Self { action, expect })
    }
}
