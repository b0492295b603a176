//! Reading trading entries.

use std::collections::BTreeMap;

use tsz_trade::Side;
use tsz_types::{MarketId, SubId};

use super::order::{Around, OrderSpec, OrderUse, signature_in};
use super::terms::Instruments;
use super::trade::*;
use crate::fields::{Fields, Node};
use crate::names::{MarketKind, Names};
use crate::params::index_and_mark;
use crate::{Keyring, ParamsSpec, ScenarioError};

/// What a file has said so far.
pub(crate) struct Reader<'a> {
    pub keys: &'a Keyring,
    pub names: Names,
    /// The parameters that the last entry set.
    pub params: ParamsSpec,
    /// Labelled orders.
    pub orders: BTreeMap<String, (MarketKind, OrderSpec)>,
    /// Named series and venues.
    pub instruments: Instruments,
}

type Parsed<T> = Result<T, ScenarioError>;

fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

impl Reader<'_> {
    /// Reads a trading entry of a known kind.
    pub fn trade(&mut self, kind: &str, mut fields: Fields) -> Parsed<TradeSpec> {
        let f = &mut fields;
        let spec = match kind {
            "place" => self.place(f)?,
            "cancel_order" => TradeSpec::CancelOrder(self.cancel_order(f)?),
            "cancel_all" => TradeSpec::CancelAll(self.cancel_all(f)?),
            "margin_transfer" => TradeSpec::MarginTransfer(MarginTransferSpec {
                account: self.names.account_in(f.node("account")?)?,
                sub: f.maybe_number("sub")?.unwrap_or(SubId::MIN),
                direction: f.required("direction")?,
                token: self.names.token_in(f.node("token")?)?,
                amount: crate::parse::parse_amount(f)?,
                nonce: f.maybe_number("nonce")?,
                signer: self.signer(f)?,
            }),
            "margin_exit" => TradeSpec::MarginExit(MarginExitSpec {
                party: self.party(f, "party")?,
                token: self.names.token_in(f.node("token")?)?,
                sender: f.optional("sender")?,
                serial: f.maybe_number("serial")?,
            }),
            "spot_trade" => TradeSpec::SpotTrade(self.fill(f, MarketKind::Spot)?),
            "perp_trade" => TradeSpec::PerpTrade(self.fill(f, MarketKind::Perp)?),
            "forced_close" => TradeSpec::ForcedClose(Box::new(self.forced_close(f)?)),
            "liquidate" => TradeSpec::Liquidate(self.liquidate(f)?),
            "takeover" => TradeSpec::Takeover(TakeoverSpec {
                target: self.party(f, "target")?,
                market: self.perp(f)?,
                lots: f.maybe_number("lots")?,
            }),
            "adl" => TradeSpec::Adl(AdlSpec {
                target: self.party(f, "target")?,
                market: self.perp(f)?,
                counterparty: self.maybe_party(f, "counterparty")?,
            }),
            "adl_rank" => TradeSpec::AdlRank(AdlRankSpec {
                target: self.party(f, "target")?,
                market: self.perp(f)?,
                class: f.optional("class")?,
            }),
            "seize_token" => TradeSpec::SeizeToken(SeizeTokenSpec {
                target: self.party(f, "target")?,
                token: self.names.token_in(f.node("token")?)?,
                amount: f.maybe_number("amount")?,
            }),
            "absorb_debt" => TradeSpec::AbsorbDebt { target: self.party(f, "target")? },
            "funding_tick" => TradeSpec::FundingTick { market: self.perp(f)? },
            "funding_ticks" => TradeSpec::FundingTicks { market: self.maybe_perp(f)? },
            "funding_settle" => {
                TradeSpec::FundingSettle { party: self.party(f, "party")?, market: self.perp(f)? }
            }
            "force_liquidate" => TradeSpec::ForceLiquidate(ForceLiquidateSpec {
                target: self.party(f, "target")?,
                market: self.perp(f)?,
                sender: f.optional("sender")?,
                counterparty: self.maybe_party(f, "counterparty")?,
                serial: f.maybe_number("serial")?,
            }),
            "set_params" => self.set_params(f)?,
            "set_token" => TradeSpec::SetToken(SetTokenSpec {
                token: self.names.token_in(f.node("token")?)?,
                listed: f.optional("listed")?,
                minimum: f.maybe_number("minimum")?,
                serial: f.maybe_number("serial")?,
            }),
            "set_provider" => {
                let key: String = f.required("key")?;
                let known = self.keys.social(&key).map(|_| ());
                known.map_err(|m| ScenarioError::field(f.at("key"), m))?;
                let (slot, serial) = (f.required("slot")?, f.maybe_number("serial")?);
                TradeSpec::SetProvider(SetProviderSpec { slot, key, serial })
            }
            "clear_provider" => TradeSpec::ClearProvider(ClearProviderSpec {
                slot: f.required("slot")?,
                serial: f.maybe_number("serial")?,
            }),
            "settle_market" => TradeSpec::SettleMarket(self.settle_market(f)?),
            "settle_pair" => TradeSpec::SettlePair(SettlePairSpec {
                market: self.perp(f)?,
                long: self.maybe_party(f, "long")?,
                short: self.maybe_party(f, "short")?,
                lots: f.maybe_number("lots")?,
            }),
            "settle_positions" => TradeSpec::SettlePositions { market: self.perp(f)? },
            "oracle_update" => TradeSpec::OracleUpdate(self.oracle_update(f)?),
            "premium_sample" => TradeSpec::PremiumSample(self.premium_sample(f)?),
            _ => return Err(ScenarioError::field(f.at("op"), "no trading operation")),
        };
        fields.finish()?;
        Ok(spec)
    }

    fn perp(&self, fields: &mut Fields) -> Parsed<MarketId> {
        self.names.perp_in(fields.node("market")?)
    }

    fn maybe_perp(&self, fields: &mut Fields) -> Parsed<Option<MarketId>> {
        fields.maybe_node("market").map(|node| self.names.perp_in(node)).transpose()
    }

    fn party(&self, fields: &mut Fields, name: &str) -> Parsed<tsz_trade::Party> {
        self.names.party_in(fields.node(name)?)
    }

    fn maybe_party(&self, fields: &mut Fields, name: &str) -> Parsed<Option<tsz_trade::Party>> {
        fields.maybe_node(name).map(|node| self.names.party_in(node)).transpose()
    }

    /// One price for both sides, or one for each.
    fn settle_market(&self, fields: &mut Fields) -> Parsed<SettleMarketSpec> {
        let price = fields.maybe_number("price")?;
        let mut side = |name: &str| match price {
            Some(price) => Ok(price),
            None => fields.number(name),
        };
        let (long, short) = (side("long")?, side("short")?);
        let market = self.perp(fields)?;
        Ok(SettleMarketSpec { market, long, short, serial: fields.maybe_number("serial")? })
    }

    pub(super) fn signer(&self, fields: &mut Fields) -> Parsed<SignerSpec> {
        let signer = SignerSpec {
            key: self.key_label(fields)?,
            key_slot: fields.maybe_number("key_slot")?,
            signature: signature_in(fields)?,
        };
        if signer.key.is_some() && signer.signature.is_some() {
            return fields.wrong("both a signature and a key");
        }
        Ok(signer)
    }

    /// An order by itself; its market says which kind it is of, if it is named.
    fn place(&mut self, fields: &mut Fields) -> Parsed<TradeSpec> {
        let given: Option<MarketKind> = fields.optional("kind")?;
        let by_name =
            fields.map.get("market").and_then(|m| m.as_str()).and_then(|name| self.names.kind_of(name));
        let Some(kind) = given.or(by_name) else {
            return Err(ScenarioError::field(fields.at("market"), "expected the name of a market"));
        };
        let order = self.order(fields, kind, &Around::default())?;
        if order.order.is_none() {
            return Err(ScenarioError::field(fields.at("order"), "missing"));
        }
        Ok(TradeSpec::Place { kind, order: Box::new(order) })
    }

    fn cancel_order(&mut self, fields: &mut Fields) -> Parsed<CancelOrderSpec> {
        let order: Option<String> = fields.optional("order")?;
        if let Some(label) = order.as_ref().filter(|label| !self.orders.contains_key(*label)) {
            let message = format!("no order labelled {label:?} before");
            return Err(ScenarioError::field(fields.at("order"), message));
        }
        let account = match &order {
            Some(_) => None,
            None => Some(self.names.account_in(fields.node("account")?)?),
        };
        Ok(CancelOrderSpec {
            order,
            account,
            sub: fields.maybe_number("sub")?.unwrap_or(SubId::MIN),
            slot: fields.maybe_number("slot")?,
            nonce: fields.maybe_number("nonce")?,
            signer: self.signer(fields)?,
        })
    }

    fn cancel_all(&mut self, fields: &mut Fields) -> Parsed<CancelAllSpec> {
        Ok(CancelAllSpec {
            account: self.names.account_in(fields.node("account")?)?,
            sub: fields.maybe_number("sub")?.unwrap_or(SubId::MIN),
            not_before: fields.maybe_number("not_before")?,
            kill_epoch: fields.maybe_number("kill_epoch")?,
            nonce: fields.maybe_number("nonce")?,
            signer: self.signer(fields)?,
        })
    }

    /// Market, price and lots of the operation are those of its orders where they say nothing else; the maker is on
    /// the other side.
    fn fill(&mut self, fields: &mut Fields, kind: MarketKind) -> Parsed<FillSpec> {
        let market = fields.maybe_node("market").map(|node| self.names.market_in(kind, node)).transpose()?;
        let lots = fields.maybe_number("lots")?;
        let around = Around { market, side: None, lots, price: fields.maybe_number("price")? };
        let taker = self.order_use(fields.node("taker")?, kind, &around)?;
        let other = self.terms_of(&taker).map(|t| (t.market, t.side, t.lots, t.price));
        let around = match other {
            Some((m, s, l, p)) => Around {
                market: around.market.or(Some(m)),
                side: Some(opposite(s)),
                lots: around.lots.or(Some(l)),
                price: around.price.or(Some(p)),
            },
            None => around,
        };
        let maker = self.order_use(fields.node("maker")?, kind, &around)?;
        Ok(FillSpec {
            taker,
            maker,
            lots,
            taker_fee: fields.maybe_number("taker_fee")?,
            maker_fee: fields.maybe_number("maker_fee")?,
            close_taker: fields.optional("close_taker")?,
        })
    }

    fn terms_of<'a>(&'a self, used: &'a OrderUse) -> Option<&'a OrderSpec> {
        match used {
            OrderUse::Label(label) => self.orders.get(label).map(|(_, order)| order),
            OrderUse::New(order) => Some(order),
        }
    }

    fn forced_close(&mut self, fields: &mut Fields) -> Parsed<ForcedCloseSpec> {
        let (party, market) = (self.party(fields, "party")?, self.perp(fields)?);
        let (side, lots) = (fields.optional("side")?, fields.maybe_number("lots")?);
        let around = Around {
            market: Some(market.get().into()),
            side: side.map(opposite),
            lots,
            price: fields.maybe_number("price")?,
        };
        let maker = fields.maybe_node("maker");
        Ok(ForcedCloseSpec {
            party,
            market,
            side,
            lots,
            limit: fields.maybe_number("limit")?,
            sender: fields.optional("sender")?,
            maker: maker.map(|node| self.order_use(node, MarketKind::Perp, &around)).transpose()?,
            taker_fee: fields.maybe_number("taker_fee")?,
            maker_fee: fields.maybe_number("maker_fee")?,
            serial: fields.maybe_number("serial")?,
        })
    }

    fn liquidate(&mut self, fields: &mut Fields) -> Parsed<LiquidateSpec> {
        let (target, market) = (self.party(fields, "target")?, self.perp(fields)?);
        let lots = fields.maybe_number("lots")?;
        let price = fields.maybe_number("price")?;
        let around = Around { market: Some(market.get().into()), side: None, lots, price };
        Ok(LiquidateSpec {
            target,
            market,
            maker: self.order_use(fields.node("maker")?, MarketKind::Perp, &around)?,
            lots,
            maker_fee: fields.maybe_number("maker_fee")?,
        })
    }

    fn set_params(&mut self, fields: &mut Fields) -> Parsed<TradeSpec> {
        let params = self.params.next(fields.node("params")?, &self.names, self.keys)?;
        self.params = params.clone();
        self.names.set_markets(&params);
        Ok(TradeSpec::SetParams(Box::new(SetParamsSpec { params, serial: fields.maybe_number("serial")? })))
    }

    /// A signer by label or place.
    fn oracle_signer(&self, node: Node) -> Parsed<String> {
        if let serde_json::Value::Number(place) = &node.value {
            return Ok(place.to_string());
        }
        let path = node.path.clone();
        let label: String = node.get()?;
        if label.parse::<u8>().is_ok() {
            return Ok(label);
        }
        let id = self.keys.key_id(&label).map_err(|m| ScenarioError::field(path.as_str(), m))?;
        if !self.params.params.oracle.signers.contains(&id) {
            return Err(ScenarioError::field(path, format!("{label:?} is no signer of the oracle")));
        }
        Ok(label)
    }

    /// The signers that an entry lists, or all.
    fn oracle_signers(&self, fields: &mut Fields) -> Parsed<Vec<String>> {
        match fields.maybe_node("signers") {
            Some(node) => node.list()?.into_iter().map(|n| self.oracle_signer(n)).collect(),
            None => Ok((0..self.params.params.oracle.signers.len()).map(|k| k.to_string()).collect()),
        }
    }

    fn oracle_update(&mut self, fields: &mut Fields) -> Parsed<OracleUpdateSpec> {
        let market = self.perp(fields)?;
        if fields.has("reports") {
            let reports = fields.list("reports")?;
            let reports = reports.into_iter().map(|n| self.price_report(n)).collect::<Parsed<_>>()?;
            return Ok(OracleUpdateSpec { market, reports });
        }
        let (index, mark) = index_and_mark(fields)?;
        let (ts, breaker) = (fields.maybe_number("ts")?, fields.optional("breaker")?);
        let confidence = fields.optional("confidence")?;
        let report = |signer| PriceReportSpec {
            signer,
            index: index.get(),
            mark: mark.get(),
            confidence,
            ts,
            breaker,
            signature: None,
        };
        Ok(OracleUpdateSpec {
            market,
            reports: self.oracle_signers(fields)?.into_iter().map(report).collect(),
        })
    }

    fn price_report(&self, node: Node) -> Parsed<PriceReportSpec> {
        let mut fields = node.object()?;
        // a price of zero is refused by the rules, not by the format
        let (index, mark) = match fields.optional::<u32>("price")? {
            Some(price) => (price, price),
            None => (fields.required("index")?, fields.required("mark")?),
        };
        let report = PriceReportSpec {
            signer: self.oracle_signer(fields.node("signer")?)?,
            index,
            mark,
            confidence: fields.optional("confidence")?,
            ts: fields.maybe_number("ts")?,
            breaker: fields.optional("breaker")?,
            signature: signature_in(&mut fields)?,
        };
        fields.finish()?;
        Ok(report)
    }

    fn premium_sample(&mut self, fields: &mut Fields) -> Parsed<PremiumSampleSpec> {
        let (market, count) = (self.perp(fields)?, fields.optional("count")?);
        if fields.has("reports") {
            let reports = fields.list("reports")?;
            let reports = reports.into_iter().map(|n| self.quote_report(n)).collect::<Parsed<_>>()?;
            return Ok(PremiumSampleSpec { market, count, reports });
        }
        let (bid, ask) = (fields.required("bid")?, fields.required("ask")?);
        let report = |signer| QuoteReportSpec { signer, bid, ask, signature: None };
        let reports = self.oracle_signers(fields)?.into_iter().map(report).collect();
        Ok(PremiumSampleSpec { market, count, reports })
    }

    fn quote_report(&self, node: Node) -> Parsed<QuoteReportSpec> {
        let mut fields = node.object()?;
        let report = QuoteReportSpec {
            signer: self.oracle_signer(fields.node("signer")?)?,
            bid: fields.required("bid")?,
            ask: fields.required("ask")?,
            signature: signature_in(&mut fields)?,
        };
        fields.finish()?;
        Ok(report)
    }
}
