//! From trading entries of a file to operations.

use tsz_hash::Digest;
use tsz_ledger::{AcctCell, CtlCell, Key, MkfCell, MkoCell, MkpCell, MksCell, OrdCell, PosCell};
use tsz_risk::funding::premium;
use tsz_stf::{chain, message};
use tsz_trade::ops::*;
use tsz_trade::params::Status;
use tsz_trade::{HOUR_MS, Party, PerpOrder, Side, SpotOrder};
use tsz_types::{EthAddress, KeySlot, L1Serial, Lots, MarketId, Price, Rate, Slot, TimeMs};

use super::Desk;
use super::fund::{choose_signer, next_serial};
use super::orders::{Kind, Pending, kill_epoch, remaining};
use super::sign::{Ready, Want};
use super::state::Moment;
use crate::op::{SignerSpec, blank_signature};
use crate::*;

type Readied<'k> = Result<Ready<'k>, String>;

/// A small number that is in range.
pub(super) fn number<T: TryFrom<i128, Error = tsz_types::NumberError>>(value: i128) -> Result<T, String> {
    T::try_from(value).map_err(|e| e.to_string())
}

/// Size of a position.
pub(super) fn size(at: &Moment<'_>, party: Party, market: MarketId) -> Result<i64, String> {
    at.view.cell(party.pos_key(market)).map(|cell: PosCell| cell.size())
}

/// L1 owner of a party's account.
fn owner(at: &Moment<'_>, party: Party) -> Result<EthAddress, String> {
    let cell: AcctCell = at.view.cell(Key::acct(party.account.get()))?;
    Ok(cell.owner.unwrap_or_default())
}

fn whole(at: &Moment<'_>, party: Party, market: MarketId) -> Result<Lots, String> {
    number(size(at, party, market)?.unsigned_abs().into())
}

impl<'k> Desk<'k> {
    /// The operations of an entry at a moment, without the runner's signatures.
    pub fn trade(&mut self, spec: &TradeSpec, at: &Moment<'_>) -> Result<Vec<Ready<'k>>, String> {
        let one = match spec {
            TradeSpec::Place { kind, order } => {
                match kind {
                    MarketKind::Perp => {
                        self.book.place::<PerpOrder>(order, at, self.keys, None)?;
                    }
                    MarketKind::Spot => {
                        self.book.place::<SpotOrder>(order, at, self.keys, None)?;
                    }
                }
                return Ok(Vec::new());
            }
            TradeSpec::FundingTicks { market } => return self.ticks(*market, at),
            TradeSpec::SettlePositions { market } => return self.settle_positions(*market),
            TradeSpec::PremiumSample(spec) => return self.premium_samples(spec, at),
            TradeSpec::CancelOrder(spec) => self.cancel_order(spec, at)?,
            TradeSpec::CancelAll(spec) => self.cancel_all(spec, at)?,
            TradeSpec::MarginTransfer(spec) => self.margin_transfer(spec, at)?,
            TradeSpec::MarginExit(spec) => Ready::unsigned(MarginExit {
                serial: self.serial(spec.serial, at)?,
                party: spec.party,
                token: spec.token,
                sender: spec.sender.map_or_else(|| owner(at, spec.party), Ok)?,
            }),
            TradeSpec::SpotTrade(spec) => self.spot_trade(spec, at)?,
            TradeSpec::PerpTrade(spec) => self.perp_trade(spec, at)?,
            TradeSpec::ForcedClose(spec) => self.forced_close(spec, at)?,
            TradeSpec::Liquidate(spec) => self.liquidate(spec, at)?,
            TradeSpec::Takeover(spec) => {
                let lots = spec.lots.map_or_else(|| whole(at, spec.target, spec.market), Ok)?;
                Ready::unsigned(Takeover { target: spec.target, market: spec.market, lots })
            }
            TradeSpec::AdlRank(spec) => return self.adl_rank(spec, at),
            TradeSpec::SetToken(spec) => Ready::unsigned(SetToken {
                serial: self.serial(spec.serial, at)?,
                token: spec.token,
                listed: spec.listed.unwrap_or(true),
                minimum: spec.minimum.map_or_else(|| number(1), Ok)?,
            }),
            TradeSpec::SetProvider(spec) => Ready::unsigned(SetProvider {
                serial: self.serial(spec.serial, at)?,
                slot: spec.slot,
                provider: self.keys.social(&spec.key)?.provider.digest(),
            }),
            TradeSpec::ClearProvider(spec) => {
                Ready::unsigned(ClearProvider { serial: self.serial(spec.serial, at)?, slot: spec.slot })
            }
            TradeSpec::SettleMarket(spec) => Ready::unsigned(SettleMarket {
                serial: self.serial(spec.serial, at)?,
                market: spec.market,
                long: spec.long,
                short: spec.short,
            }),
            TradeSpec::Adl(spec) => self.adl(spec, at)?,
            TradeSpec::SeizeToken(spec) => self.seize_token(spec, at)?,
            TradeSpec::AbsorbDebt { target } => Ready::unsigned(AbsorbDebt { target: *target }),
            TradeSpec::FundingTick { market } => Ready::unsigned(FundingTick { market: *market }),
            TradeSpec::FundingSettle { party, market } => {
                Ready::unsigned(FundingSettle { party: *party, market: *market })
            }
            TradeSpec::ForceLiquidate(spec) => self.force_liquidate(spec, at)?,
            TradeSpec::SetParams(spec) => Ready::unsigned(SetParams {
                serial: self.serial(spec.serial, at)?,
                hash: spec.params.params.hash(),
            }),
            TradeSpec::SettlePair(spec) => self.settle_pair(spec, at)?,
            TradeSpec::OracleUpdate(spec) => self.oracle_update(spec, at)?,
        };
        Ok(vec![one])
    }

    pub(super) fn serial(&self, given: Option<L1Serial>, at: &Moment<'_>) -> Result<L1Serial, String> {
        given.map_or_else(|| next_serial(at), Ok)
    }

    fn cancel_order(&mut self, spec: &CancelOrderSpec, at: &Moment<'_>) -> Readied<'k> {
        let (owner, slot, nonce) = match (&spec.order, spec.account) {
            (Some(label), _) => {
                let found = self.book.find(label);
                found.ok_or_else(|| format!("no order labelled {label:?} has been placed"))?
            }
            (None, Some(account)) => {
                let (owner, slot) = (Party { account, sub: spec.sub }, spec.slot.unwrap_or(Slot::MIN));
                let key = Key::ord(account.get(), spec.sub.get().into(), slot.get().into());
                (owner, slot, at.view.cell::<OrdCell>(key)?.next_nonce)
            }
            (None, None) => return Err("a cancel needs an order or an account".to_owned()),
        };
        let mut op = CancelOrder {
            account: owner.account,
            sub: owner.sub,
            slot: spec.slot.unwrap_or(slot),
            nonce: spec.nonce.unwrap_or(nonce),
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        };
        let digest = message(&at.context.system, &op.message());
        let (key_slot, want) = self.signer(&spec.signer, owner, digest, at)?;
        op.key_slot = key_slot;
        op.signature = spec.signer.signature.unwrap_or(op.signature);
        Ok(Ready::signed(op, vec![want]))
    }

    fn cancel_all(&mut self, spec: &CancelAllSpec, at: &Moment<'_>) -> Readied<'k> {
        let owner = Party { account: spec.account, sub: spec.sub };
        let ctl: CtlCell = at.view.cell(Key::ctl(spec.account.get(), spec.sub.get().into()))?;
        let mut op = CancelAll {
            account: spec.account,
            sub: spec.sub,
            kill_epoch: spec.kill_epoch.map_or_else(|| kill_epoch(at, owner), Ok)?,
            not_before: spec.not_before.unwrap_or(TimeMs::MIN),
            nonce: spec.nonce.unwrap_or(ctl.nonce),
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        };
        let digest = message(&at.context.system, &op.message());
        let (key_slot, want) = self.signer(&spec.signer, owner, digest, at)?;
        op.key_slot = key_slot;
        op.signature = spec.signer.signature.unwrap_or(op.signature);
        Ok(Ready::signed(op, vec![want]))
    }

    fn margin_transfer(&mut self, spec: &MarginTransferSpec, at: &Moment<'_>) -> Readied<'k> {
        let owner = Party { account: spec.account, sub: spec.sub };
        let ctl: CtlCell = at.view.cell(Key::ctl(spec.account.get(), spec.sub.get().into()))?;
        let mut op = MarginTransfer {
            account: spec.account,
            sub: spec.sub,
            direction: spec.direction,
            token: spec.token,
            amount: spec.amount.micros(),
            nonce: spec.nonce.unwrap_or(ctl.nonce),
            key_slot: KeySlot::MIN,
            signature: blank_signature(),
        };
        let digest = message(&at.context.system, &op.message());
        let (key_slot, want) = self.signer(&spec.signer, owner, digest, at)?;
        op.key_slot = key_slot;
        op.signature = spec.signer.signature.unwrap_or(op.signature);
        Ok(Ready::signed(op, vec![want]))
    }

    /// Slot and signer of an operation that one account signs.
    pub(super) fn signer(
        &self,
        spec: &SignerSpec,
        owner: Party,
        digest: Digest,
        at: &Moment<'_>,
    ) -> Result<(KeySlot, Option<Want<'k>>), String> {
        let (slot, signer) = choose_signer(at, self.keys, owner.account, spec.key.as_deref(), spec.key_slot)?;
        let signer = signer.filter(|_| spec.signature.is_none());
        Ok((slot, signer.map(|signer| Want { signer, digest })))
    }

    /// Both orders of a fill, and its lots.
    fn pair<O: Kind>(
        &mut self,
        spec: &FillSpec,
        at: &Moment<'_>,
    ) -> Result<(Pending<'k, O>, Pending<'k, O>, Lots), String> {
        let taker = self.book.resolve::<O>(&spec.taker, at, self.keys, None)?;
        let terms = *taker.signed.order.terms();
        let maker = self.book.resolve::<O>(&spec.maker, at, self.keys, Some(&terms))?;
        let lots = match spec.lots {
            Some(lots) => lots,
            None => remaining(at, &terms)?.min(remaining(at, maker.signed.order.terms())?),
        };
        Ok((taker, maker, lots))
    }

    fn spot_trade(&mut self, spec: &FillSpec, at: &Moment<'_>) -> Readied<'k> {
        let (taker, maker, lots) = self.pair::<SpotOrder>(spec, at)?;
        let ioc = taker.signed.order.terms.tif == tsz_trade::Tif::Ioc;
        let op = SpotTrade {
            taker: taker.signed,
            maker: maker.signed,
            lots,
            taker_fee: spec.taker_fee.unwrap_or(Rate::ZERO),
            maker_fee: spec.maker_fee.unwrap_or(Rate::ZERO),
            close_taker: spec.close_taker.unwrap_or(ioc),
        };
        Ok(Ready::signed(op, vec![taker.want, maker.want]))
    }

    fn perp_trade(&mut self, spec: &FillSpec, at: &Moment<'_>) -> Readied<'k> {
        let (taker, maker, lots) = self.pair::<PerpOrder>(spec, at)?;
        let ioc = taker.signed.order.terms.tif == tsz_trade::Tif::Ioc;
        let op = PerpTrade {
            taker: taker.signed,
            maker: maker.signed,
            lots,
            taker_fee: spec.taker_fee.unwrap_or(Rate::ZERO),
            maker_fee: spec.maker_fee.unwrap_or(Rate::ZERO),
            close_taker: spec.close_taker.unwrap_or(ioc),
        };
        Ok(Ready::signed(op, vec![taker.want, maker.want]))
    }

    fn forced_close(&mut self, spec: &ForcedCloseSpec, at: &Moment<'_>) -> Readied<'k> {
        let (party, market) = (spec.party, spec.market);
        let closing = if size(at, party, market)? < 0 { Side::Buy } else { Side::Sell };
        let side = spec.side.unwrap_or(closing);
        let maker = spec.maker.as_ref();
        let maker =
            maker.map(|used| self.book.resolve::<PerpOrder>(used, at, self.keys, None)).transpose()?;
        let wants = maker.iter().map(|m| m.want).collect();
        let fill = maker.map(|maker| ForcedFill {
            maker: maker.signed,
            taker_fee: spec.taker_fee.unwrap_or(Rate::ZERO),
            maker_fee: spec.maker_fee.unwrap_or(Rate::ZERO),
        });
        let op = ForcedClose {
            serial: self.serial(spec.serial, at)?,
            party,
            market,
            side,
            lots: spec.lots.map_or_else(|| whole(at, party, market), Ok)?,
            limit: spec.limit.map_or_else(|| band_limit(at, market, side), Ok)?,
            sender: spec.sender.map_or_else(|| owner(at, party), Ok)?,
            fill,
        };
        Ok(Ready::signed(op, wants))
    }

    fn liquidate(&mut self, spec: &LiquidateSpec, at: &Moment<'_>) -> Readied<'k> {
        let held = size(at, spec.target, spec.market)?;
        let maker = self.book.resolve::<PerpOrder>(&spec.maker, at, self.keys, None)?;
        let lots = match spec.lots {
            Some(lots) => lots,
            None => remaining(at, &maker.signed.order.terms)?.min(number(held.unsigned_abs().into())?),
        };
        let op = Liquidate {
            target: spec.target,
            market: spec.market,
            maker: maker.signed,
            lots,
            maker_fee: spec.maker_fee.unwrap_or(Rate::ZERO),
        };
        Ok(Ready::signed(op, vec![maker.want]))
    }

    /// The ticks that are due. A market without open interest, or that settles, needs one for all hours.
    fn ticks(&self, market: Option<MarketId>, at: &Moment<'_>) -> Result<Vec<Ready<'k>>, String> {
        let mut out = Vec::new();
        for (k, params) in (0i128..).zip(&at.params.perps) {
            let id: MarketId = number(k)?;
            if market.is_some_and(|m| m != id) {
                continue;
            }
            let hour = at.view.cell::<MkfCell>(Key::mkf(id.get().into()))?.hour;
            let interest = at.view.cell::<MkoCell>(Key::mko(id.get().into()))?.open_interest;
            let due = (at.context.time / HOUR_MS).saturating_sub(hour.into());
            let at_once = interest == 0 || params.status == Status::Settling;
            let count = if at_once { due.min(1) } else { due };
            out.extend((0..count).map(|_| Ready::unsigned(FundingTick { market: id })));
        }
        Ok(out)
    }

    /// Pairs of longs and shorts in order until one side is gone.
    fn settle_positions(&self, market: MarketId) -> Result<Vec<Ready<'k>>, String> {
        let mut longs: Vec<_> = self.holders.on_side(market, 1).collect();
        let mut shorts: Vec<_> = self.holders.on_side(market, -1).collect();
        longs.reverse();
        shorts.reverse();
        let mut out = Vec::new();
        while let (Some(long), Some(short)) = (longs.last_mut(), shorts.last_mut()) {
            let lots = long.1.min(-short.1);
            let op = SettlePair { market, long: long.0, short: short.0, lots: number(lots.into())? };
            out.push(Ready::unsigned(op));
            (long.1, short.1) = (long.1 - lots, short.1 + lots);
            let (long_done, short_done) = (long.1 == 0, short.1 == 0);
            if long_done {
                longs.pop();
            }
            if short_done {
                shorts.pop();
            }
        }
        Ok(out)
    }

    fn settle_pair(&self, spec: &SettlePairSpec, at: &Moment<'_>) -> Readied<'k> {
        let market = spec.market;
        let first = |sign: i64, given: Option<Party>| {
            let held = || self.holders.on_side(market, sign).map(|(party, _)| party).next();
            given.or_else(held).ok_or_else(|| format!("nobody has a position in market {market}"))
        };
        let (long, short) = (first(1, spec.long)?, first(-1, spec.short)?);
        let lots = match spec.lots {
            Some(lots) => lots,
            None => whole(at, long, market)?.min(whole(at, short, market)?),
        };
        Ok(Ready::unsigned(SettlePair { market, long, short, lots }))
    }

    /// Place of a signer: its label's, or the number itself.
    fn place_of(&self, signer: &str, at: &Moment<'_>) -> Result<u8, String> {
        if let Ok(place) = signer.parse() {
            return Ok(place);
        }
        let id = self.keys.key_id(signer)?;
        let place = at.params.oracle.signers.iter().position(|s| *s == id);
        let place = place.and_then(|k| u8::try_from(k).ok());
        place.ok_or_else(|| format!("{signer:?} is no signer of the oracle in this batch"))
    }

    /// Who signs a report of a signer at a place, if its secret is known.
    fn report_want(&self, place: u8, digest: Digest, at: &Moment<'_>) -> Option<Want<'k>> {
        let id = at.params.oracle.signers.get(usize::from(place))?;
        self.keys.signer_of(id).map(|signer| Want { signer, digest })
    }

    fn feed(&self, market: MarketId, at: &Moment<'_>) -> Digest {
        at.params.perp(market).map(|m| m.feed).unwrap_or_default()
    }

    fn oracle_update(&self, spec: &OracleUpdateSpec, at: &Moment<'_>) -> Readied<'k> {
        let (feed, now) = (self.feed(spec.market, at), number(at.context.time.into())?);
        let mut reports = Vec::new();
        for given in &spec.reports {
            let report = PriceReport {
                signer: self.place_of(&given.signer, at)?,
                index: given.index,
                mark: given.mark,
                confidence: given.confidence.unwrap_or(0),
                ts: given.ts.unwrap_or(now),
                breaker: given.breaker.unwrap_or(false),
                signature: given.signature.unwrap_or_else(blank_signature),
            };
            let digest = chain(&at.context.system, &report.message(&feed));
            let made = given.signature.is_none();
            let want = self.report_want(report.signer, digest, at).filter(|_| made);
            reports.push((report, want));
        }
        reports.sort_by_key(|(report, _)| report.signer);
        let (reports, wants) = reports.into_iter().unzip();
        Ok(Ready::signed(OracleUpdate { market: spec.market, reports }, wants))
    }

    fn premium_samples(&self, spec: &PremiumSampleSpec, at: &Moment<'_>) -> Result<Vec<Ready<'k>>, String> {
        let feed = self.feed(spec.market, at);
        let first = at.view.cell::<MksCell>(Key::mks(spec.market.get().into()))?.minute;
        let hour = at.context.time / HOUR_MS;
        let MkpCell { index, .. } = at.view.cell(Key::mkp(spec.market.get().into()))?;
        let mut out = Vec::new();
        for k in 0..u64::from(spec.count.unwrap_or(1)) {
            let minute = 60 * hour + u64::from(first) + k;
            let mut reports = Vec::new();
            for given in &spec.reports {
                let report = PremiumReport {
                    signer: self.place_of(&given.signer, at)?,
                    premium: premium(given.bid, given.ask, index).map_err(|e| e.to_string())?,
                    signature: given.signature.unwrap_or_else(blank_signature),
                };
                let digest = chain(&at.context.system, &report.message(&feed, minute));
                let made = given.signature.is_none();
                let want = self.report_want(report.signer, digest, at).filter(|_| made);
                reports.push((report, want));
            }
            reports.sort_by_key(|(report, _)| report.signer);
            let (reports, wants) = reports.into_iter().unzip();
            out.push(Ready::signed(PremiumSample { market: spec.market, reports }, wants));
        }
        Ok(out)
    }
}

/// The limit that concedes exactly the band of a forced close: the first price that the rules accept as such.
fn band_limit(at: &Moment<'_>, market: MarketId, side: Side) -> Result<Price, String> {
    let Some(params) = at.params.perp(market) else { return Ok(Price::MIN) };
    let mark = at.view.cell::<MkpCell>(Key::mkp(market.get().into()))?.mark;
    let band = i128::from(params.forced_band.get());
    let limit = match side {
        Side::Buy => (i128::from(mark) * (10_000 + band) + 9_999) / 10_000,
        Side::Sell => i128::from(mark) * (10_000 - band) / 10_000,
    };
    Ok(number(limit.max(1)).unwrap_or(Price::MAX))
}
