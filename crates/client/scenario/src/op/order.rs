//! Orders as written in a file.

use serde::Serialize;
use tsz_sig::Signature;
use tsz_trade::{SelfTrade, Side, Tif, Trigger};
use tsz_types::{AccountId, KeySlot, KillEpoch, Lots, Nonce, Price, Rate, Slot, SubId, TimeMs};

use super::parse::Reader;
use crate::ScenarioError;
use crate::fields::{Fields, Node};
use crate::names::MarketKind;

/// An order; the runner fills in what is absent when the order is first used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderSpec {
    /// Label by which later operations may use the order again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Account.
    pub account: AccountId,
    /// Sub-account.
    #[serde(skip_serializing_if = "is_main")]
    pub sub: SubId,
    /// Number of the market in its list.
    pub market: u16,
    /// Direction.
    pub side: Side,
    /// Lots in all.
    pub lots: Lots,
    /// Limit.
    pub price: Price,
    /// Time in force; by default until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tif: Option<Tif>,
    /// Never grows or flips the position; perpetual orders only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduce_only: Option<bool>,
    /// Condition of the first fill; perpetual orders only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// Self-trade mode; by default the fill is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_trade: Option<SelfTrade>,
    /// Largest fee as a taker; by default the market's cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_taker_fee: Option<Rate>,
    /// Largest fee as a maker; by default the market's cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_maker_fee: Option<Rate>,
    /// Broker, if one has a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<AccountId>,
    /// The broker's share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker_rate: Option<Rate>,
    /// By default never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<TimeMs>,
    /// Order slot; by default the first without a live order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// By default the slot's next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// By default the sub-account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_epoch: Option<KillEpoch>,
    /// Label of the key that signs; by default that of the key in the slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Key slot; by default the first with the label's key, else 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_slot: Option<KeySlot>,
    /// A signature to be taken as it is.
    #[serde(skip_serializing_if = "Option::is_none", with = "given")]
    pub signature: Option<Signature>,
}

impl OrderSpec {
    /// An order in market 0 of which the runner fills in all else.
    pub fn new(account: AccountId, side: Side, lots: Lots, price: Price) -> Self {
        Self {
            order: None,
            account,
            sub: SubId::MIN,
            market: 0,
            side,
            lots,
            price,
            tif: None,
            reduce_only: None,
            trigger: None,
            self_trade: None,
            max_taker_fee: None,
            max_maker_fee: None,
            broker: None,
            broker_rate: None,
            expiry: None,
            slot: None,
            nonce: None,
            kill_epoch: None,
            key: None,
            key_slot: None,
            signature: None,
        }
    }
}

/// An order where an operation needs one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OrderUse {
    /// The one with this label.
    Label(String),
    /// A new one.
    New(Box<OrderSpec>),
}

/// What an order takes over from the operation around it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    pub market: Option<u16>,
    pub side: Option<Side>,
    pub lots: Option<Lots>,
    pub price: Option<Price>,
}

pub(super) fn is_main(sub: &SubId) -> bool {
    *sub == SubId::MIN
}

mod given {
    use serde::Serializer;
    use tsz_sig::Signature;

    pub fn serialize<S: Serializer>(value: &Option<Signature>, s: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(signature) => tsz_stf::forms::signature::serialize(signature, s),
            None => s.serialize_none(),
        }
    }
}

/// A signature in hex.
pub(super) fn signature_in(fields: &mut Fields) -> Result<Option<Signature>, ScenarioError> {
    let Some(node) = fields.maybe_node("signature") else { return Ok(None) };
    tsz_stf::forms::signature::deserialize(node.value)
        .map(Some)
        .map_err(|e| ScenarioError::field(node.path, e))
}

impl Reader<'_> {
    /// Reads a label or an order.
    pub(super) fn order_use(
        &mut self,
        node: Node,
        kind: MarketKind,
        around: &Around,
    ) -> Result<OrderUse, ScenarioError> {
        if let serde_json::Value::String(label) = &node.value {
            return match self.orders.get(label) {
                Some(known) if known.0 == kind => Ok(OrderUse::Label(label.clone())),
                Some(_) => Err(ScenarioError::field(
                    node.path,
                    format!("order {label:?} is for a market of the other kind"),
                )),
                None => Err(ScenarioError::field(node.path, format!("no order labelled {label:?} before"))),
            };
        }
        let mut fields = node.object()?;
        let order = self.order(&mut fields, kind, around)?;
        fields.finish()?;
        Ok(OrderUse::New(Box::new(order)))
    }

    /// Reads the fields of an order.
    pub(super) fn order(
        &mut self,
        fields: &mut Fields,
        kind: MarketKind,
        around: &Around,
    ) -> Result<OrderSpec, ScenarioError> {
        let market = fields.maybe_node("market").map(|node| self.names.market_in(kind, node)).transpose()?;
        let needed = |what: &str| ScenarioError::field(format!("{}.{what}", fields.path), "missing");
        let (no_market, no_side, no_lots, no_price) =
            (needed("market"), needed("side"), needed("lots"), needed("price"));
        let broker = fields.maybe_node("broker").map(|node| self.names.account_in(node)).transpose()?;
        let perp = kind == MarketKind::Perp;
        let order = OrderSpec {
            order: fields.optional("order")?,
            account: self.names.account_in(fields.node("account")?)?,
            sub: fields.maybe_number("sub")?.unwrap_or(SubId::MIN),
            market: market.or(around.market).ok_or(no_market)?,
            side: fields.optional("side")?.or(around.side).ok_or(no_side)?,
            lots: fields.maybe_number("lots")?.or(around.lots).ok_or(no_lots)?,
            price: fields.maybe_number("price")?.or(around.price).ok_or(no_price)?,
            tif: fields.optional("tif")?,
            reduce_only: if perp { fields.optional("reduce_only")? } else { None },
            trigger: if perp { trigger_in(fields)? } else { None },
            self_trade: fields.optional("self_trade")?,
            max_taker_fee: fields.maybe_number("max_taker_fee")?,
            max_maker_fee: fields.maybe_number("max_maker_fee")?,
            broker,
            broker_rate: fields.maybe_number("broker_rate")?,
            expiry: fields.maybe_number("expiry")?,
            slot: fields.maybe_number("slot")?,
            nonce: fields.maybe_number("nonce")?,
            kill_epoch: fields.maybe_number("kill_epoch")?,
            key: self.key_label(fields)?,
            key_slot: fields.maybe_number("key_slot")?,
            signature: signature_in(fields)?,
        };
        if order.key.is_some() && order.signature.is_some() {
            return fields.wrong("both a signature and a key");
        }
        if let Some(label) = &order.order
            && self.orders.insert(label.clone(), (kind, order.clone())).is_some()
        {
            let message = format!("a second order labelled {label:?}");
            return Err(ScenarioError::field(fields.at("order"), message));
        }
        Ok(order)
    }

    /// The label of a key with a secret.
    pub(super) fn key_label(&self, fields: &mut Fields) -> Result<Option<String>, ScenarioError> {
        let Some(node) = fields.maybe_node("key") else { return Ok(None) };
        let path = node.path.clone();
        let label: String = node.get()?;
        self.keys.secret(&label).map_err(|m| ScenarioError::field(path, m))?;
        Ok(Some(label))
    }
}

/// `{"above": price}` or `{"below": price}`.
fn trigger_in(fields: &mut Fields) -> Result<Option<Trigger>, ScenarioError> {
    let Some(node) = fields.maybe_node("trigger") else { return Ok(None) };
    let mut inner = node.object()?;
    let trigger = match (inner.maybe_number("above")?, inner.maybe_number("below")?) {
        (Some(price), None) => Trigger::Above(price),
        (None, Some(price)) => Trigger::Below(price),
        _ => return inner.wrong("expected {\"above\": price} or {\"below\": price}"),
    };
    inner.finish()?;
    Ok(Some(trigger))
}
