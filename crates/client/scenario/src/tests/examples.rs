//! Every example runs as it expects, to a pinned root.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{parse, verify_all};
use crate::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn read(name: &str) -> Scenario {
    parse(&std::fs::read_to_string(folder().join(name)).unwrap())
}

/// Names of the examples, sorted.
fn examples() -> Vec<String> {
    let names = std::fs::read_dir(folder()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|n| n.ends_with(".json") && n != "roots.json").collect();
    names.sort();
    names
}

/// `UPDATE_ROOTS=1 cargo test -p tsz-scenario roots` writes the roots anew, after a deliberate change of the rules.
#[test]
fn examples_reach_their_pinned_roots() {
    let mut roots = BTreeMap::new();
    for name in examples() {
        let scenario = read(&name);
        let done = run(&scenario).unwrap_or_else(|e| panic!("{name}: {e}"));
        roots.insert(name, tsz_stf::forms::digest_hex(&done.state.root()));
    }
    let file = folder().join("roots.json");
    if std::env::var_os("UPDATE_ROOTS").is_some() {
        std::fs::write(&file, serde_json::to_string_pretty(&roots).unwrap() + "\n").unwrap();
    }
    let pinned: BTreeMap<String, String> =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(roots, pinned);
}

#[test]
fn examples_survive_their_json_form_and_verify() {
    for name in examples() {
        let scenario = read(&name);
        assert_eq!(parse(&scenario.to_json()), scenario, "{name}");
        verify_all(&run(&scenario).unwrap());
    }
}

#[test]
fn every_entry_of_the_examples_is_explained() {
    let mut kinds = std::collections::BTreeSet::new();
    for name in examples() {
        let scenario = read(&name);
        let done = run(&scenario).unwrap();
        assert!(!report_text(&scenario, &done).unwrap().is_empty());
        for (batch, spec) in (1u64..).zip(&scenario.batches) {
            for entry in 0..spec.operations.len() {
                let found = explain(&scenario, &done, Place { batch: Some(batch), entry }).unwrap();
                for explanation in found {
                    let text = explanation.to_text();
                    assert!(!text.contains("corrupt"), "{name} {batch}:{entry}\n{text}");
                    assert!(explanation.to_json()["tables"].as_array().is_some_and(|t| !t.is_empty()));
                    kinds.insert(explanation.title.split(' ').next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    let all = [
        "absorb_debt",
        "adl",
        "adl_rank",
        "cancel_all",
        "cancel_order",
        "force_liquidate",
        "forced_close",
        "funding_settle",
        "funding_tick",
        "liquidate",
        "margin_exit",
        "margin_transfer",
        "oracle_update",
        "perp_trade",
        "premium_sample",
        "seize_token",
        "set_params",
        "set_token",
        "settle_market",
        "settle_pair",
        "spot_trade",
        "takeover",
    ];
    let missing: Vec<_> = all.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(missing.is_empty(), "no example has {missing:?}");
}

/// The sums that a report prints are those of the cells.
#[test]
fn a_report_shows_who_holds_what() {
    let scenario = read("cascade.json");
    let done = run(&scenario).unwrap();
    let report = report(&scenario, &done).unwrap();
    let market = &report["markets"][0];
    let sizes: Vec<i64> = report["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|a| a["positions"].as_array().unwrap())
        .map(|p| p["size"].as_str().unwrap().parse().unwrap())
        .collect();
    let interest: i64 = market["open interest"].as_str().unwrap().parse().unwrap();
    assert_eq!((sizes.iter().sum::<i64>(), sizes.iter().map(|s| s.abs()).sum::<i64>()), (0, interest));
}
