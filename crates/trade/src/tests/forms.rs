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
        AdlRank { market: market(1), side: Side::Sell, class: 3, restart: false, holders: vec![a, b] }.into(),
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

#[test]
fn a_misspelled_field_of_an_order_is_an_error() {
    let w = World::new();
    let signed = w.order(party(2, 0), 0, Side::Buy, 1, 1_000);
    let good = serde_json::to_string(&signed).unwrap();
    assert!(serde_json::from_str::<Signed<PerpOrder>>(&good).is_ok());
    for (from, to) in [("reduce_only", "reduceOnly"), ("trigger", "triger"), ("tif", "time_in_force")] {
        let bad = good.replace(&std::format!("\"{from}\""), &std::format!("\"{to}\""));
        assert_ne!(bad, good);
        assert!(serde_json::from_str::<Signed<PerpOrder>>(&bad).is_err(), "{to}");
    }
    let spot = serde_json::to_string(&w.spot_order(party(2, 0), 0, Side::Buy, 1, 1_000)).unwrap();
    let bad = spot.replace("{\"market\"", "{\"reduce_only\":true,\"market\"");
    assert!(serde_json::from_str::<Signed<SpotOrder>>(&bad).is_err());
    assert!(serde_json::from_str::<Signed<SpotOrder>>(&spot.replace("\"key_slot\"", "\"slot\"")).is_err());
}
