//! Trading entries: what is filled in, and what errors name.

use crate::*;

const DAY: &str = include_str!("../../examples/trading-day.json");

/// The error that a change of the example gives.
fn error_after(from: &str, to: &str) -> String {
    assert!(DAY.contains(from), "{from}");
    match Scenario::from_json(&DAY.replacen(from, to, 1)) {
        Err(error) => error.to_string(),
        Ok(scenario) => run(&scenario).unwrap_err().to_string(),
    }
}

#[test]
fn errors_name_the_field() {
    let market = error_after(
        "\"market\": \"BTC-PERP\", \"side\": \"sell\"",
        "\"market\": \"BTC\", \"side\": \"sell\"",
    );
    assert_eq!(market, "batches[0].operations[0].market: expected the name of a market");
    let lots = error_after("\"lots\": 300", "\"lots\": -1");
    assert!(lots.starts_with("batches[0].operations[0].lots: "), "{lots}");
    let order = error_after("\"maker\": \"ask\"", "\"maker\": \"asks\"");
    assert_eq!(order, "batches[0].operations[2].maker: no order labelled \"asks\" before");
    let side = error_after(
        "\"account\": \"alice\", \"market\": \"BTC-PERP\", \"side\": \"buy\"",
        "\"account\": \"alice\", \"market\": \"BTC-PERP\"",
    );
    assert_eq!(side, "batches[0].operations[2].taker.side: missing");
    let tier = error_after("\"mmf\": 500", "\"mmf\": 50000");
    assert!(tier.starts_with("genesis.params: ") || tier.contains(".mmf: "), "{tier}");
    let signer = error_after("\"signer\": \"o1\"", "\"signer\": \"alice\"");
    assert!(signer.ends_with(".signer: \"alice\" is no signer of the oracle"), "{signer}");
    let time = error_after("\"+4h\"", "\"+4x\"");
    assert!(time.starts_with("batches[1].time: expected milliseconds"), "{time}");
    let twice = error_after("\"order\": \"bid\"", "\"order\": \"ask\"");
    assert!(twice.ends_with(".order: a second order labelled \"ask\""), "{twice}");
    let unknown = error_after("\"taker_fee\": 500", "\"taker_fees\": 500");
    assert!(unknown.ends_with(".taker_fees: unknown field"), "{unknown}");
    let expect = error_after("\"expect\": \"ok\"", "\"expect\": \"okay\"");
    assert!(expect.contains(".expect: "), "{expect}");
    let outcome = error_after("\"reject:trigger\"", "\"ok\"");
    assert!(
        outcome.starts_with("batches[1].operations[3]: expected ok, got reject:trigger: the trigger"),
        "{outcome}"
    );
}

#[test]
fn orders_take_free_slots_and_the_market_caps() {
    let scenario = Scenario::from_json(DAY).unwrap();
    let done = run(&scenario).unwrap();
    let trades = done.batches[0].records.iter().filter_map(|r| r.op.as_trade());
    let makers: Vec<_> = trades
        .filter_map(|op| match op {
            tsz_trade::TradeOp::PerpTrade(op) => Some(op.maker.order.terms),
            _ => None,
        })
        .collect();
    assert_eq!(makers.iter().map(|t| t.slot.get()).collect::<Vec<_>>(), [0, 1]);
    assert!(makers.iter().all(|t| t.max_maker_fee.get() == 1_000 && t.nonce.get() == 0));
}

#[test]
fn a_forged_order_is_refused() {
    let scenario = Scenario::from_json(DAY).unwrap();
    let done = run(&scenario).unwrap();
    let Some(tsz_trade::TradeOp::PerpTrade(op)) = done.batches[0].records[1].op.as_trade() else {
        panic!("not a trade")
    };
    let hex = tsz_stf::forms::to_hex(&op.taker.signature.to_bytes());
    let lots = |n: u32| {
        let text = format!("\"side\": \"buy\", \"lots\": {n}, \"price\": 1010, \"signature\": \"{hex}\" }}");
        DAY.replacen("\"side\": \"buy\", \"lots\": 100, \"price\": 1010 }", &text, 1)
    };
    let same = run(&Scenario::from_json(&lots(100)).unwrap()).unwrap();
    assert_eq!(same.state.root(), done.state.root());
    let forged = run(&Scenario::from_json(&lots(99)).unwrap()).unwrap_err().to_string();
    assert!(forged.contains("expected ok, got reject:signature"), "{forged}");
}

#[test]
fn a_place_is_n_or_batch_and_n() {
    assert_eq!("7".parse::<Place>().unwrap(), Place { batch: None, entry: 7 });
    assert_eq!("2:0".parse::<Place>().unwrap(), Place { batch: Some(2), entry: 0 });
    assert!("2:".parse::<Place>().is_err() && "x".parse::<Place>().is_err());
    let scenario = Scenario::from_json(DAY).unwrap();
    let done = run(&scenario).unwrap();
    let by_batch = explain(&scenario, &done, "2:3".parse().unwrap()).unwrap();
    let by_file = explain(&scenario, &done, "8".parse().unwrap()).unwrap();
    assert_eq!(by_batch, by_file);
    assert!(by_batch[0].to_text().contains("refused"), "{}", by_batch[0].to_text());
    for wrong in ["0:0", "4:0", "3:99", "1000"] {
        assert!(explain(&scenario, &done, wrong.parse().unwrap()).is_err(), "{wrong}");
    }
}

/// What an explanation says of collateral is what the cells say.
#[test]
fn explained_effects_add_up() {
    let scenario = Scenario::from_json(DAY).unwrap();
    let done = run(&scenario).unwrap();
    let explanation = &explain(&scenario, &done, "2:4".parse().unwrap()).unwrap()[0];
    let table = |title: &str| explanation.tables.iter().find(|t| t.title == title).unwrap();
    for effect in &table("effects").rows {
        let who = effect[0].split(' ').next_back().unwrap();
        let cell = table("money").rows.iter().find(|row| row[0] == format!("SUB {who}")).unwrap();
        assert_eq!(effect[6], cell[3], "{}", explanation.to_text());
    }
}
