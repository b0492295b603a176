//! Operations of the extension layer as written in a file: the runner makes digests, cells and signatures.

use serde::{Deserialize, Serialize};
use tsz_ext::{ApprovalSlot, Approver, Installed, Limit, Limited, Touch};
use tsz_ext_apps::grid::host;
use tsz_hash::Digest;
use tsz_stf::forms;
use tsz_types::{AccountId, Nonce, SubId, TimeMs};

use super::parse::Reader;
use super::terms::{SeriesSpec, TermsSpec, VenueSpec};
use super::trade::SignerSpec;
use crate::ScenarioError;
use crate::fields::{Fields, Node};

/// The operations.
pub(super) const KINDS: [&str; 10] = [
    "approve_extension",
    "revoke_extension",
    "extension",
    "grid_fill",
    "option_trade",
    "option_sample",
    "option_payout",
    "broker_match",
    "block_trade",
    "vesting_pay",
];

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
    /// Extension of the program `options`: two holders trade a contract.
    OptionTrade(OptionTradeSpec),
    /// Extension of the program `options`: the vault takes a sample of the price.
    OptionSample {
        /// The series.
        series: SeriesSpec,
    },
    /// Extension of the program `options`: holders get what their positions are worth.
    OptionPayout {
        /// The series.
        series: SeriesSpec,
        /// Where their holding approvals lie.
        holders: Vec<Approver>,
    },
    /// Extension of the program `broker`: a house matches two clients.
    BrokerMatch(BrokerMatchSpec),
    /// Extension of the program `block`: lots of a deal that both approved in the file.
    BlockTrade {
        /// Where the buyer's approval lies.
        buyer: Approver,
        /// Where the seller's approval lies.
        seller: Approver,
        /// Lots.
        lots: u64,
    },
    /// Extension of the program `vesting`: a payer pays what is due.
    VestingPay {
        /// Where the payer's approval lies.
        payer: Approver,
        /// Where the receiver's approval lies.
        receiver: Approver,
    },
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
    /// What the program is asked to do.
    pub terms: TermsSpec,
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

/// A side of a trade between two who have signed orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trader {
    /// Where the approval lies that the order belongs to.
    #[serde(flatten)]
    pub place: Approver,
    /// Slot of the order; the first one of this side, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<ApprovalSlot>,
}

/// A trade of options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionTradeSpec {
    /// The series.
    pub series: SeriesSpec,
    /// Who buys the contract.
    pub buyer: Trader,
    /// Who sells it.
    pub seller: Trader,
    /// Premium of a lot in ticks.
    pub price: u32,
    /// Lots.
    pub lots: u64,
    /// Fee rates (1e-6) of buyer and seller, of the premium.
    pub fees: [u32; 2],
}

/// A match of two clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokerMatchSpec {
    /// The venue.
    pub venue: VenueSpec,
    /// Who buys.
    pub buyer: Trader,
    /// Who sells.
    pub seller: Trader,
    /// Who pays as the taker.
    pub taker: Taker,
    /// Price in ticks.
    pub price: u32,
    /// Lots.
    pub lots: u64,
}

/// Which side of a match takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taker {
    /// The buyer.
    #[default]
    Buyer,
    /// The seller.
    Seller,
}

type Parsed<T> = Result<T, ScenarioError>;

impl Reader<'_> {
    /// Reads an entry of a known kind.
    pub(super) fn ext(&mut self, kind: &str, mut fields: Fields) -> Parsed<ExtSpec> {
        let f = &mut fields;
        let spec = match kind {
            "approve_extension" => {
                let place = self.approver(f)?;
                ExtSpec::ApproveExtension(ApproveSpec {
                    place,
                    program: program(f)?,
                    terms: self.terms(f, place)?,
                    expiry: f.optional("expiry")?.unwrap_or(TimeMs::MAX),
                    limits: self.limits(f)?,
                    nonce: f.maybe_number("nonce")?,
                    signer: self.signer(f)?,
                })
            }
            "revoke_extension" => ExtSpec::RevokeExtension(RevokeSpec {
                place: self.approver(f)?,
                nonce: f.maybe_number("nonce")?,
                signer: self.signer(f)?,
            }),
            "extension" => ExtSpec::Extension(ExtensionSpec {
                program: program(f)?,
                parties: self.approvers(f, "parties")?,
                cells: f.optional("cells")?.unwrap_or_default(),
                args: f.optional("args")?.unwrap_or_default(),
            }),
            _ => self.program_op(kind, f)?,
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
            let node = fields.node("token")?;
            let of = match node.value.as_str() {
                Some("positions") => Limited::Positions,
                _ => Limited::Token(self.names.token_in(node)?),
            };
            let limit = Limit { of, units: fields.required("units")? };
            fields.finish()?;
            Ok(limit)
        };
        f.list("limits")?.into_iter().map(limit).collect()
    }

    fn trader(&self, node: Node) -> Parsed<Trader> {
        if !node.value.is_object() {
            return Ok(Trader { place: self.approver_in(node)?, order: None });
        }
        let mut fields = node.object()?;
        let trader = Trader { place: self.approver(&mut fields)?, order: fields.optional("order")? };
        fields.finish()?;
        Ok(trader)
    }

    fn approvers(&self, f: &mut Fields, name: &str) -> Parsed<Vec<Approver>> {
        f.list(name)?.into_iter().map(|node| self.approver_in(node)).collect()
    }

    /// An operation of a program in the terms of its users.
    fn program_op(&self, kind: &str, f: &mut Fields) -> Parsed<ExtSpec> {
        Ok(match kind {
            "option_trade" => ExtSpec::OptionTrade(OptionTradeSpec {
                series: self.series(f)?,
                buyer: self.trader(f.node("buyer")?)?,
                seller: self.trader(f.node("seller")?)?,
                price: f.required("price")?,
                lots: f.required("lots")?,
                fees: f.optional("fees")?.unwrap_or_default(),
            }),
            "option_sample" => ExtSpec::OptionSample { series: self.series(f)? },
            "option_payout" => {
                ExtSpec::OptionPayout { series: self.series(f)?, holders: self.approvers(f, "holders")? }
            }
            "broker_match" => ExtSpec::BrokerMatch(BrokerMatchSpec {
                venue: self.venue(f)?,
                buyer: self.trader(f.node("buyer")?)?,
                seller: self.trader(f.node("seller")?)?,
                taker: f.optional("taker")?.unwrap_or_default(),
                price: f.required("price")?,
                lots: f.required("lots")?,
            }),
            "block_trade" => ExtSpec::BlockTrade {
                buyer: self.approver_in(f.node("buyer")?)?,
                seller: self.approver_in(f.node("seller")?)?,
                lots: f.required("lots")?,
            },
            "vesting_pay" => ExtSpec::VestingPay {
                payer: self.approver_in(f.node("payer")?)?,
                receiver: self.approver_in(f.node("receiver")?)?,
            },
            _ => ExtSpec::GridFill(GridFillSpec {
                grid: self.approver_in(f.node("grid")?)?,
                intent: self.approver_in(f.node("intent")?)?,
                fees: f.optional("fees")?.unwrap_or_default(),
                fills: f.required("fills")?,
            }),
        })
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
