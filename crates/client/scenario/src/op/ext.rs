//! Operations of the extension layer as written in a file: the runner makes digests, cells and signatures.

use serde::Serialize;
use tsz_ext::{ApprovalSlot, Approver, Installed, Limit, Touch};
use tsz_ext_apps::grid::{self, host};
use tsz_hash::Digest;
use tsz_stf::forms;
use tsz_types::{AccountId, Nonce, SubId, TimeMs};

use super::parse::Reader;
use super::trade::SignerSpec;
use crate::ScenarioError;
use crate::fields::{Fields, Node};

/// The operations.
pub(super) const KINDS: [&str; 4] = ["approve_extension", "revoke_extension", "extension", "grid_fill"];

/// An operation of the extension layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum ExtSpec {
    /// ApproveExtension.
    ApproveExtension(ApproveSpec),
    /// RevokeExtension.
    RevokeExtension(RevokeSpec),
    /// Extension, in the words that its program takes.
    Extension(ExtensionSpec),
    /// Extension of the program `grid`: levels of a grid against an intent, under what both approved in the file.
    GridFill(GridFillSpec),
}

/// ApproveExtension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApproveSpec {
    /// Account, sub-account and slot.
    #[serde(flatten)]
    pub place: Approver,
    /// Algorithm id of the program.
    #[serde(with = "forms::digest")]
    pub program: Digest,
    /// Words of the terms.
    pub terms: Vec<u32>,
    /// The approval is good before this time.
    pub expiry: TimeMs,
    /// Limits.
    pub limits: Vec<Limit>,
    /// The nonce that the state expects, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// Who signs.
    #[serde(flatten)]
    pub signer: SignerSpec,
}

/// RevokeExtension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevokeSpec {
    /// Account, sub-account and slot.
    #[serde(flatten)]
    pub place: Approver,
    /// The nonce that the state expects, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// Who signs.
    #[serde(flatten)]
    pub signer: SignerSpec,
}

/// Extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExtensionSpec {
    /// Algorithm id of the program.
    #[serde(with = "forms::digest")]
    pub program: Digest,
    /// Parties.
    pub parties: Vec<Approver>,
    /// Cells, in any order.
    pub cells: Vec<Touch>,
    /// Arguments.
    pub args: Vec<u32>,
}

/// A fill of a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GridFillSpec {
    /// Where the grid's approval lies.
    pub grid: Approver,
    /// Where the intent's approval lies.
    pub intent: Approver,
    /// Fees of the grid and of the intent, in millionths of what each gets.
    pub fees: [u32; 2],
    /// Levels and lots.
    pub fills: Vec<host::Fill>,
}

type Parsed<T> = Result<T, ScenarioError>;

impl Reader<'_> {
    /// Reads an entry of a known kind.
    pub(super) fn ext(&mut self, kind: &str, mut fields: Fields) -> Parsed<ExtSpec> {
        let f = &mut fields;
        let spec = match kind {
            "approve_extension" => ExtSpec::ApproveExtension(ApproveSpec {
                place: self.approver(f)?,
                program: program(f)?,
                terms: self.terms(f)?,
                expiry: f.optional("expiry")?.unwrap_or(TimeMs::MAX),
                limits: self.limits(f)?,
                nonce: f.maybe_number("nonce")?,
                signer: self.signer(f)?,
            }),
            "revoke_extension" => ExtSpec::RevokeExtension(RevokeSpec {
                place: self.approver(f)?,
                nonce: f.maybe_number("nonce")?,
                signer: self.signer(f)?,
            }),
            "extension" => ExtSpec::Extension(ExtensionSpec {
                program: program(f)?,
                parties: f
                    .list("parties")?
                    .into_iter()
                    .map(|n| self.approver_in(n))
                    .collect::<Parsed<_>>()?,
                cells: f.optional("cells")?.unwrap_or_default(),
                args: f.optional("args")?.unwrap_or_default(),
            }),
            _ => ExtSpec::GridFill(GridFillSpec {
                grid: self.approver_in(f.node("grid")?)?,
                intent: self.approver_in(f.node("intent")?)?,
                fees: f.optional("fees")?.unwrap_or_default(),
                fills: f.required("fills")?,
            }),
        };
        fields.finish()?;
        Ok(spec)
    }

    /// Account, sub-account (0 if absent) and slot (0 if absent).
    fn approver(&self, f: &mut Fields) -> Parsed<Approver> {
        let account: AccountId = self.names.account_in(f.node("account")?)?;
        let sub = f.maybe_number("sub")?.unwrap_or(SubId::MIN);
        let slot = f.optional("slot")?.unwrap_or(ApprovalSlot::MIN);
        Ok(Approver { account, sub, slot })
    }

    /// The same as an object of its own, or the name of an account.
    fn approver_in(&self, node: Node) -> Parsed<Approver> {
        if !node.value.is_object() {
            let account = self.names.account_in(node)?;
            return Ok(Approver { account, sub: SubId::MIN, slot: ApprovalSlot::MIN });
        }
        let mut fields = node.object()?;
        let place = self.approver(&mut fields)?;
        fields.finish()?;
        Ok(place)
    }

    fn limits(&self, f: &mut Fields) -> Parsed<Vec<Limit>> {
        let limit = |node: Node| {
            let mut fields = node.object()?;
            let token = self.names.token_in(fields.node("token")?)?;
            let limit = Limit { token, units: fields.required("units")? };
            fields.finish()?;
            Ok(limit)
        };
        f.list("limits")?.into_iter().map(limit).collect()
    }

    /// Words, or a grid or an intent in its own terms.
    fn terms(&self, f: &mut Fields) -> Parsed<Vec<u32>> {
        let node = f.node("terms")?;
        if !node.value.is_object() {
            return node.get();
        }
        let mut terms = node.object()?;
        let words = if let Some(grid) = terms.maybe_node("grid") {
            let mut g = grid.object()?;
            let pair = self.pair(&mut g)?;
            let (fee, sellers) = (g.required("max_fee")?, g.required("first_seller")?);
            let level = |node: Node| {
                let mut l = node.object()?;
                let level = grid::Level {
                    buy: l.required("buy")?,
                    sell: l.required("sell")?,
                    lots: l.required("lots")?,
                };
                l.finish()?;
                Ok(level)
            };
            let levels: Vec<_> = g.list("levels")?.into_iter().map(level).collect::<Parsed<_>>()?;
            g.finish()?;
            host::terms(&pair, fee, sellers, &levels)
        } else {
            let mut i = terms.node("intent")?.object()?;
            let intent = grid::Intent {
                market: self.pair(&mut i)?,
                max_fee: i.required("max_fee")?,
                buys: i.required::<tsz_trade::Side>("side")? == tsz_trade::Side::Buy,
                limit: i.required("limit")?,
                lots: i.required("lots")?,
            };
            i.finish()?;
            host::intent(&intent)
        };
        terms.finish()?;
        Ok(words)
    }

    /// Tokens and units of a market.
    fn pair(&self, f: &mut Fields) -> Parsed<grid::Pair> {
        let base = self.names.token_in(f.node("base")?)?.get().into();
        let quote = self.names.token_in(f.node("quote")?)?.get().into();
        let units = tsz_ext_sdk::spot::Units {
            lot_base: f.required("lot_base")?,
            tick_quote: f.required("tick_quote")?,
        };
        Ok(grid::Pair { base, quote, units })
    }
}

/// A program by name or algorithm id.
fn program(f: &mut Fields) -> Parsed<Digest> {
    let at = f.at("program");
    let text: String = f.required("program")?;
    let known = || Installed::all().map(|(name, ..)| name).collect::<Vec<_>>().join(", ");
    Installed::id(&text)
        .or_else(|| forms::parse_digest(&text))
        .ok_or_else(|| ScenarioError::field(at, format!("expected an algorithm id or one of {}", known())))
}
