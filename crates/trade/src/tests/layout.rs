//! Golden: messages and the order of accesses of docs/src/trading.md.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use std::format;

use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_ledger::{Access, Key, Realm};
use tsz_types::*;

fn block(felts: [u32; 8]) -> [F; 8] {
    felts.map(F::from_u32)
}

#[test]
fn messages_are_pinned() {
    let w = World::new();
    let terms = Terms {
        account: party(2, 3).account,
        sub: party(2, 3).sub,
        slot: Slot::new(4).unwrap(),
        nonce: Nonce::new(1 | 2 << 24).unwrap(),
        side: Side::Sell,
        lots: lots(3 | 4 << 24),
        price: price(5 | 6 << 24),
        tif: Tif::PostOnly,
        self_trade: SelfTrade::Decrement,
        max_taker_fee: rate(7),
        max_maker_fee: rate(-8),
        broker: party(9, 0).account,
        broker_rate: rate(10),
        expiry: TimeMs::new(11 | 12 << 24).unwrap(),
        kill_epoch: KillEpoch::new(13 | 14 << 24).unwrap(),
    };
    let trigger = Trigger::Below(price(15 | 16 << 24));
    let perp = PerpOrder { market: market(17), reduce_only: true, trigger, terms };
    let first = block([21, 2, 3 + 32 * 4, 17, 5, 6, 3, 4]);
    let flags = 1 + 2 * 3 + 8 + 16 + 32 * 2;
    let rest = [block([1, 2, flags, 11, 12, 13, 14, 7]), block([8, 1, 9, 10, 15, 16, 0, 0])];
    assert_eq!(perp.message(), [first, rest[0], rest[1]]);
    let spot = SpotOrder { market: SpotMarketId::new(300).unwrap(), terms };
    let first = block([20, 2, 3 + 32 * 4, 300, 5, 6, 3, 4]);
    let rest = [block([1, 2, 1 + 2 * 3 + 16, 11, 12, 13, 14, 7]), block([8, 1, 9, 10, 0, 0, 0, 0])];
    assert_eq!(spot.message(), [first, rest[0], rest[1]]);
    let key_slot = KeySlot::MIN;
    let Terms { account, sub, slot, nonce, kill_epoch, .. } = terms;
    let cancel = CancelOrder { account, sub, slot, nonce, key_slot, signature: blank() };
    assert_eq!(cancel.message(), [block([10, 2, 131, 0, 0, 0, 1, 2]), block([0; 8])]);
    let not_before = terms.expiry;
    let all = CancelAll { account, sub, kill_epoch, not_before, nonce, key_slot, signature: blank() };
    assert_eq!(all.message(), [block([11, 2, 3, 13, 14, 0, 1, 2]), block([11, 12, 0, 0, 0, 0, 0, 0])]);
    let report = PriceReport {
        signer: 0,
        index: 1 | 2 << 24,
        mark: 3 | 4 << 24,
        confidence: 5 | 6 << 24,
        ts: not_before,
        breaker: true,
        signature: blank(),
    };
    let blocks = [block([60, 1, 2, 3, 4, 5, 6, 1]), block([11, 12, 0, 0, 0, 0, 0, 0]), feed(7)];
    assert_eq!(report.message(&feed(7)), blocks);
    let report = |premium| PremiumReport { signer: 0, premium, signature: blank() };
    assert_eq!(report(-7).message(&feed(7), 5 | 6 << 24), [block([61, 7, 1, 5, 6, 0, 0, 0]), feed(7)]);
    assert_eq!(report(7).message(&feed(7), 5), [block([61, 7, 0, 5, 0, 0, 0, 0]), feed(7)]);
    let _ = w;
}

/// Short name of an access: cell, who, `w` for writes.
fn name(access: &Access) -> String {
    let key = access.key;
    let write = if access.write { "w" } else { "" };
    let system =
        [(Key::HEAD, "HEAD"), (Key::L1IN, "L1IN"), (Key::L1CHAIN, "L1CHAIN"), (Key::PARAMS, "PARAMS")];
    if let Some((_, name)) = system.iter().find(|(k, _)| *k == key) {
        return format!("{name}{write}");
    }
    if key.hi() >> 24 & 1 == 1 {
        let kind =
            ["", "", "TOK", "MKP", "MKF", "MKS", "MKO", "MKR", "PROVIDER"][(key.raw() >> 32 & 63) as usize];
        return format!("{kind}{write}.{}", key.raw() as u32);
    }
    let (account, number) = (key.hi() & 0xff_ffff, key.lo() % 512);
    let cell = match (key.realm(), number) {
        (Realm::Private, 0) => "CTL",
        (Realm::Private, _) => "ORD",
        (_, 0) => "SUB",
        (_, 1) => "ACCT",
        (_, n) if n < 98 => ["KEYA", "KEYB"][n as usize % 2],
        (_, n) if n < 128 => "MBAL",
        (_, n) if n < 256 => "BAL",
        _ => "POS",
    };
    format!("{cell}{write}.{account}")
}

fn log(w: &World, op: impl Into<TradeOp>) -> String {
    let names: Vec<_> = w.dry(op).unwrap().accesses.iter().map(name).collect();
    names.join(" ")
}

#[test]
fn accesses_of_trades_are_pinned() {
    let mut w = World::new();
    let (a, b) = (party(2, 0), party(3, 0));
    let admit = "KEYA.2 KEYB.2 CTL.2 ORDw.2 KEYA.3 KEYB.3 CTL.3 ORDw.3";
    let spot = w.spot(a, b, 0, 1, 1_000); // the buyer of token 1 pays in the quote token
    assert_eq!(log(&w, spot), format!("{admit} BALw.2 BALw.2 BALw.3 BALw.3 BALw.0 BALw.0"));
    w.apply(w.perp(a, party(4, 0), 2, 1, 1_000)).unwrap();
    let mut op = w.perp(a, b, 0, 1, 1_000);
    op.taker.order.terms.nonce = w.ord(a, 0).next_nonce;
    let fill = "SUBw.2 POSw.2 SUBw.3 POSw.3";
    let risk = "MBAL.2 MKP.0 POS.2 MKP.2 MKF.2 MBAL.3 MKP.0";
    assert_eq!(log(&w, op.clone()), format!("MKP.0 MKF.0 {admit} {fill} SUBw.0 MKOw.0 {risk}"));
    (op.taker_fee, op.taker.order.terms.broker_rate) = (rate(10), rate(10));
    op.taker.order.terms.broker = party(5, 0).account;
    assert_eq!(log(&w, op), format!("MKP.0 MKF.0 {admit} {fill} HEAD SUBw.5 SUBw.0 MKOw.0 {risk}"));
}

#[test]
fn accesses_of_margin_are_pinned() {
    let mut w = World::new();
    let a = party(2, 0);
    let sign = "KEYA.2 KEYB.2 CTLw.2";
    let op = w.margin_transfer(a, Direction::In, 0, 1);
    assert_eq!(op.message(), [block([12, 2, 0, 0, 1, 0, 0, 0]), block([0; 8])]);
    assert_eq!(log(&w, op), format!("{sign} BALw.2 SUBw.2"));
    w.apply(w.perp(a, party(3, 0), 2, 1, 1_000)).unwrap();
    let table = "MBAL.2 MKP.0 POS.2 MKP.2 MKF.2";
    let op = w.margin_transfer(a, Direction::Out, 1, 1 | 2 << 24);
    assert_eq!(op.message()[0], block([12, 2, 32, 1, 1, 2, 0, 0]));
    assert_eq!(log(&w, op), format!("{sign} BALw.2 MBALw.2 SUBw.2 {table}"));
    let exit = |who| MarginExit { serial: L1Serial::MIN, party: who, token: token(1), sender: OWNER };
    let record = [
        block([42, 0, 0, 0, 2, 64, 0, 0]),
        block([0, 0x070707, 0x070707, 0x070707, 0x070707, 0x070707, 0x070707, 0x0707]),
    ];
    assert_eq!(exit(a).record(), record);
    assert_eq!(log(&w, exit(a)), "L1INw L1CHAINw ACCT.2 SUBw.2");
    assert_eq!(log(&w, exit(party(5, 0))), "L1INw L1CHAINw ACCT.5 SUBw.5 MBALw.5 BALw.5");
    let nobody = MarginExit { sender: EthAddress([1; 20]), ..exit(a) };
    assert_eq!(log(&w, nobody), "L1INw L1CHAINw ACCT.2");
    let d = party(5, 0);
    w.give(d, -w.collateral(d) - 1_000_000_000);
    let op = SeizeToken { target: d, token: token(1), amount: Balance::new(1).unwrap() };
    assert_eq!(log(&w, op.clone()), "MKP.0 MBALw.5 SUBw.5 MBALw.1 SUBw.1");
    w.give(Party::INSURANCE, -w.collateral(Party::INSURANCE));
    w.give_margin(Party::INSURANCE, 1_000_000_000);
    assert_eq!(log(&w, op), "MKP.0 MBALw.5 SUBw.5 MBALw.1 SUBw.1 MBAL.1 MKP.0");
    w.give_margin(d, -1_000_000_000);
    assert_eq!(log(&w, AbsorbDebt { target: d }), "SUBw.5 SUBw.1 MBAL.1 MKP.0");
}

#[test]
fn accesses_of_management_are_pinned() {
    let mut p = params();
    p.collateral = vec![];
    let mut w = World::with(p, 500_000, 100_000);
    let (t, c) = (party(2, 0), party(3, 0));
    w.apply(w.perp(t, c, 0, 1_000, 1_000)).unwrap();
    let tav = w.margin(t).tav;
    w.give(t, 100_000_000_000 - tav);
    w.set_price(0, 850);
    let maker = w.order(party(5, 0), 0, Side::Buy, 10, 900);
    let op = Liquidate { target: t, market: market(0), maker, lots: lots(10), maker_fee: rate(0) };
    let admit = "KEYA.5 KEYB.5 CTL.5 ORDw.5";
    let expected = format!("MKP.0 MKF.0 {admit} SUBw.2 POSw.2 SUBw.5 POSw.5 SUBw.1 SUBw.0 MKOw.0");
    assert_eq!(log(&w, op), expected);
    let op = Takeover { target: t, market: market(0), lots: lots(10) };
    assert_eq!(log(&w, op), "MKP.0 MKF.0 SUB.1 POS.1 SUBw.2 POSw.2 SUBw.1 POSw.1 MKOw.0");
    let op = w.rank(t, 0);
    assert_eq!((op.side, op.class, &op.holders), (Side::Sell, 7, &vec![c]));
    assert_eq!(log(&w, op.clone()), "MKP.0 MKF.0 MKO.0 SUB.3 POS.3 MKRw.23");
    w.apply(op).unwrap();
    let op = Adl { target: t, market: market(0), counterparty: c };
    let expected = "MKP.0 MKF.0 MKO.0 MKR.23 SUB.3 POS.3 SUB.1 POS.1 SUBw.2 POSw.2 SUBw.3 POSw.3 MKOw.0";
    assert_eq!(log(&w, op), expected);
    let op = FundingSettle { party: t, market: market(0) };
    assert_eq!(log(&w, op), "MKP.0 MKF.0 SUBw.2 POSw.2");
    let op = SetParams { serial: L1Serial::MIN, hash: tsz_hash::ZERO };
    assert_eq!(log(&w, op), "L1INw L1CHAINw PARAMSw");
    let minimum = Units::new(1 | 2 << 24 | 3 << 48).unwrap();
    let op = SetToken { serial: L1Serial::MIN, token: token(9), listed: true, minimum };
    assert_eq!(op.record(), [block([64, 0, 0, 0, 9, 1, 0, 0]), block([1, 2, 3, 0, 0, 0, 0, 0])]);
    assert_eq!(log(&w, op), "L1INw L1CHAINw TOKw.9");
    let slot = tsz_types::ProviderSlot::new(9).unwrap();
    let op = SetProvider { serial: L1Serial::MIN, slot, provider: block([1, 2, 3, 4, 5, 6, 7, 8]) };
    assert_eq!(op.record(), [block([65, 0, 0, 0, 9, 0, 0, 0]), op.provider]);
    assert_eq!(log(&w, op), "L1INw L1CHAINw PROVIDERw.9");
    let op = ClearProvider { serial: L1Serial::MIN, slot };
    assert_eq!(op.record(), [block([66, 0, 0, 0, 9, 0, 0, 0]), block([0; 8])]);
    assert_eq!(log(&w, op), "L1INw L1CHAINw PROVIDERw.9");
    let (long, short) = (price(1 | 2 << 24), price(3 | 4 << 24));
    let op = SettleMarket { serial: L1Serial::MIN, market: market(2), long, short };
    assert_eq!(op.record(), [block([63, 0, 0, 0, 2, 0, 0, 0]), block([1, 2, 3, 4, 0, 0, 0, 0])]);
    assert_eq!(log(&w, op), "L1INw L1CHAINw");
    let op = ForceLiquidate {
        serial: L1Serial::MIN,
        target: t,
        market: market(0),
        sender: OWNER,
        counterparty: Some(c),
    };
    let expected = "L1INw L1CHAINw MKP.0 MKF.0 SUB.2 POS.2 SUB.1 POS.1 MKO.0 MKR.23 SUB.3 POS.3 SUBw.2 POSw.2 SUBw.3 POSw.3 MKOw.0";
    assert_eq!(log(&w, op), expected);
    w.batch.time += HOUR_MS;
    let op = FundingTick { market: market(0) };
    assert_eq!(log(&w, op), "MKP.0 MKO.0 MKSw.0 MKFw.0");
}
