//! An operation in one line.

use tsz_ext::{ApprovalSlot, ExtOp, Installed};
use tsz_hash::Digest;
use tsz_stf::forms::digest_hex;
use tsz_stf::{AuthOp, FundOp, Payee, Payment};
use tsz_trade::{Op, Order, Party, PerpOrder, Side, SpotOrder, Terms, TradeOp};
use tsz_types::{AccountId, MarketId, SubId};

use crate::Names;
use crate::table::units;

/// Name of an operation's kind.
pub(crate) fn kind(op: &Op) -> String {
    let value = serde_json::to_value(op).unwrap_or_default();
    value["op"].as_str().unwrap_or("unknown").to_owned()
}

/// The party of an order.
pub(crate) fn party_of(terms: &Terms) -> Party {
    Party { account: terms.account, sub: terms.sub }
}

fn verb(side: Side) -> &'static str {
    match side {
        Side::Buy => "buys",
        Side::Sell => "sells",
    }
}

/// What an operation does, without its name.
pub(crate) fn line(op: &Op, names: &Names) -> String {
    match op {
        Op::Fund(op) => fund(op, names),
        Op::Trade(op) => trade(op, names),
        Op::Auth(op) => auth(op, names),
        Op::Ext(op) => ext(op, names),
    }
}

fn auth(op: &AuthOp, names: &Names) -> String {
    match op {
        AuthOp::RegisterKeyByPasskey(r) => format!("{} slot {}", names.account(r.account), r.slot),
        AuthOp::RevokeKeyByPasskey(r) => format!("{} slot {}", names.account(r.account), r.slot),
        AuthOp::RegisterKeyByWallet(r) => format!("{} slot {}", names.account(r.account), r.slot),
        AuthOp::RegisterKeyByOidc(r) => format!("{} slot {}", names.account(r.account), r.slot),
        AuthOp::RevokeKeyByOidc(r) => format!("{} slot {}", names.account(r.account), r.slot),
        AuthOp::RevokeKeyByWallet(r) => format!("{} slot {}", names.account(r.account), r.slot),
        AuthOp::PayByPasskey(p) => payment(&p.payment, names),
        AuthOp::PayByWallet(p) => payment(&p.payment, names),
        AuthOp::PayByOidc(p) => payment(&p.payment, names),
    }
}

fn payment(p: &Payment, names: &Names) -> String {
    let who = |account: AccountId, sub: SubId| names.party(Party { account, sub });
    let to = match p.to {
        Payee::Bucket { account, sub, .. } => who(account, sub),
        Payee::Address(to) => to.to_string(),
    };
    format!("{} {} from {} to {to}", p.units, names.token(p.token), who(p.account, p.sub))
}

fn ext(op: &ExtOp, names: &Names) -> String {
    let program = |id: &Digest| Installed::name(id).map_or_else(|| digest_hex(id), str::to_owned);
    let place = |account, sub, slot: ApprovalSlot| {
        format!("{} slot {}", names.party(Party { account, sub }), slot.get())
    };
    match op {
        ExtOp::ApproveExtension(a) => {
            format!("{} for {}", place(a.account, a.sub, a.slot), program(&a.program))
        }
        ExtOp::RevokeExtension(r) => place(r.account, r.sub, r.slot),
        ExtOp::Extension(e) => {
            let parties: Vec<String> = e.parties.iter().map(|p| place(p.account, p.sub, p.slot)).collect();
            format!("{} with {}", program(&e.program), parties.join(", "))
        }
    }
}

fn fund(op: &FundOp, names: &Names) -> String {
    let who = |account: AccountId, sub: SubId| names.party(Party { account, sub });
    match op {
        FundOp::BeginBatch(_) => String::new(),
        FundOp::Deposit(d) => {
            format!("{} {} to {}", d.units, names.token(d.token), who(d.account, d.sub))
        }
        FundOp::Transfer(t) => {
            let (from, to) = (who(t.account, t.sub), who(t.to_account, t.to_sub));
            format!("{} {} from {from} to {to}", t.units, names.token(t.token))
        }
        FundOp::Withdraw(w) => {
            format!("{} {} from {} to {}", w.units, names.token(w.token), who(w.account, w.sub), w.to)
        }
        FundOp::RegisterKey(r) => format!("{} slot {}", names.account(r.account), r.slot),
        FundOp::RevokeKey(r) => format!("{} slot {}", names.account(r.account), r.slot),
        FundOp::FullExit(e) => format!("{} of {}", names.token(e.token), who(e.account, e.sub)),
        FundOp::L1RegisterKey(r) => format!("{} slot {}", names.account(r.account), r.slot),
        FundOp::L1RevokeKey(r) => format!("{} slot {}", names.account(r.account), r.slot),
    }
}

fn fill(
    taker: &impl Order,
    maker: &impl Order,
    lots: impl ToString,
    market: String,
    names: &Names,
) -> String {
    let (taker, maker) = (taker.terms(), maker.terms());
    let (who, with) = (names.party(party_of(taker)), names.party(party_of(maker)));
    let word = if taker.side == Side::Buy { "from" } else { "to" };
    let (verb, lots) = (verb(taker.side), lots.to_string());
    format!("{who} {verb} {lots} {market} at {} {word} {with}", maker.price)
}

fn trade(op: &TradeOp, names: &Names) -> String {
    let perp = |m: MarketId| names.perp(m);
    match op {
        TradeOp::CancelOrder(c) => {
            let who = names.party(Party { account: c.account, sub: c.sub });
            format!("{who} slot {} up to nonce {}", c.slot, c.nonce)
        }
        TradeOp::CancelAll(c) => names.party(Party { account: c.account, sub: c.sub }),
        TradeOp::MarginTransfer(t) => {
            let who = names.party(Party { account: t.account, sub: t.sub });
            let amount = units(t.amount.get() as i128); // u96
            format!("{who} {amount} {} {}", names.token(t.token), format!("{:?}", t.direction).to_lowercase())
        }
        TradeOp::MarginExit(e) => format!("{} {}", names.party(e.party), names.token(e.token)),
        TradeOp::SpotTrade(t) => {
            let (taker, maker): (&SpotOrder, &SpotOrder) = (&t.taker.order, &t.maker.order);
            fill(taker, maker, t.lots, names.spot(taker.market), names)
        }
        TradeOp::PerpTrade(t) => {
            let (taker, maker): (&PerpOrder, &PerpOrder) = (&t.taker.order, &t.maker.order);
            fill(taker, maker, t.lots, perp(taker.market), names)
        }
        TradeOp::ForcedClose(c) => {
            let who = names.party(c.party);
            format!("{who} {} {} {} at {} or better", verb(c.side), c.lots, perp(c.market), c.limit)
        }
        TradeOp::Liquidate(l) => {
            let (target, with) = (names.party(l.target), names.party(party_of(&l.maker.order.terms)));
            let price = l.maker.order.terms.price;
            format!("{} {} of {target} at {price} with {with}", l.lots, perp(l.market))
        }
        TradeOp::Takeover(t) => format!("{} {} of {}", t.lots, perp(t.market), names.party(t.target)),
        TradeOp::FundingTick(t) => perp(t.market),
        TradeOp::FundingSettle(s) => format!("{} {}", names.party(s.party), perp(s.market)),
        TradeOp::SettlePair(p) => {
            let (long, short) = (names.party(p.long), names.party(p.short));
            format!("{} {} of {long} and {short}", p.lots, perp(p.market))
        }
        TradeOp::OracleUpdate(u) => {
            let prices: Vec<String> = u.reports.iter().map(|r| format!("{}/{}", r.index, r.mark)).collect();
            format!("{} {}", perp(u.market), prices.join(" "))
        }
        TradeOp::PremiumSample(s) => format!("{} ({} reports)", perp(s.market), s.reports.len()),
        TradeOp::AdlRank(r) => {
            let side = if r.side == Side::Buy { "longs" } else { "shorts" };
            format!("{} {side}, loss class {}, holders listed: {}", perp(r.market), r.class, r.holders.len())
        }
        TradeOp::Adl(a) => {
            let (target, with) = (names.party(a.target), names.party(a.counterparty));
            format!("{} of {target} against {with}", perp(a.market))
        }
        TradeOp::ForceLiquidate(l) => {
            let with = l.counterparty.map(|c| format!(" against {}", names.party(c))).unwrap_or_default();
            format!("{} of {}{with}", perp(l.market), names.party(l.target))
        }
        TradeOp::SeizeToken(s) => {
            let amount = units(s.amount.get() as i128); // u96
            format!("{amount} {} of {}", names.token(s.token), names.party(s.target))
        }
        TradeOp::AbsorbDebt(a) => format!("of {}", names.party(a.target)),
        TradeOp::SetParams(s) => format!("hash {}..", &tsz_stf::forms::digest_hex(&s.hash)[..16]),
        TradeOp::SetToken(s) if s.listed => format!("{}, at least {}", names.token(s.token), s.minimum),
        TradeOp::SetToken(s) => format!("{} off the list", names.token(s.token)),
        TradeOp::SetProvider(s) => {
            format!("cell {}: {}..", s.slot, &tsz_stf::forms::digest_hex(&s.provider)[..16])
        }
        TradeOp::ClearProvider(s) => format!("cell {}", s.slot),
        TradeOp::SettleMarket(s) => {
            format!("{} at {} for longs, {} for shorts", perp(s.market), s.long, s.short)
        }
    }
}
