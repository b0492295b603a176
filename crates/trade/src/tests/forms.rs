//! JSON forms.

use alloc::vec;
use std::string::String;

use super::world::*;
use crate::ops::*;
use crate::*;
use tsz_types::*;

fn round_trip(op: TradeOp) -> String {
    let text = serde_json::to_string(&op).unwrap();
    assert_eq!(serde_json::from_str::<TradeOp>(&text).unwrap(), op, "{text}");
    text
}

#[test]
fn operations_round_trip_through_json() {
    let w = World::new();
    let (a, b) = (party(2, 0), party(3, 1));
    let mut perp = w.perp(a, b, 0, 10, 1_000);
    perp.taker.order.trigger = Trigger::Above(price(7));
    perp.taker.prepare(&w.batch.system);
    let text = round_trip(perp.clone().into());
    assert!(
        text.starts_with(r#"{"op":"perp_trade","taker":{"order":{"market":0,"reduce_only":false"#),
        "{text}"
    );
    round_trip(w.spot(a, b, 1, 10, 1_000).into());
    round_trip(
        Liquidate { target: a, market: market(1), maker: perp.maker, lots: lots(1), maker_fee: rate(-1) }
            .into(),
    );
    round_trip(
        Adl { target: a, market: market(1), lots: lots(1), counterparty: b, holders: vec![a, b] }.into(),
    );
    round_trip(SetParams { serial: L1Serial::MAX, hash: feed(3) }.into());
    let ts = TimeMs::new(TIME).unwrap();
    let report =
        PriceReport { signer: 0, index: 1, mark: 2, confidence: 3, ts, breaker: true, signature: blank() };
    round_trip(OracleUpdate { market: market(1), reports: vec![report] }.into());
}

#[test]
fn parameters_round_trip_through_json() {
    let text = serde_json::to_string(&params()).unwrap();
    assert_eq!(serde_json::from_str::<Params>(&text).unwrap(), params());
}
