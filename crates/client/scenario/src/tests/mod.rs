mod examples;
mod trading;

use crate::*;
use serde_json::Value;
use tsz_ledger::Family;
use tsz_stf::AuthOp;
use tsz_trade::{Op, TradeContext, apply_op};

const TOUR: &str = include_str!("../../examples/tour.json");
const PASSKEY: &str = include_str!("../../examples/passkey.json");
const WALLET: &str = include_str!("../../examples/wallet.json");
const SOCIAL_PAYMENTS: &str = include_str!("../../examples/social-payments.json");
const REFUSALS: &str = include_str!("../../examples/refusals.json");

#[test]
#[ignore = "a measurement: run with --ignored --nocapture"]
fn runs_the_benchmark_workload() {
    let start = std::time::Instant::now();
    let params = Params { accounts: 1 << 20, active: 2_000, batches: 2, mix: Mix::TRANSFERS };
    let scenario = generate(8_192, 1, &params).unwrap();
    println!("generated after {:?}", start.elapsed());
    let keys = scenario.keyring().unwrap();
    println!("keys after {:?}", start.elapsed());
    let tree = scenario.genesis.tree(&keys).unwrap();
    println!("genesis after {:?}: {:?}", start.elapsed(), tree.root()[0]);
    let done = run_with(&scenario, Options { verify_own: false }).unwrap();
    println!("run (keys and genesis again) after {:?}: {}", start.elapsed(), done.batches[1].records.len());
}

fn parse(text: &str) -> Scenario {
    Scenario::from_json(text).unwrap_or_else(|e| panic!("{e}"))
}

/// The error that a change of the tour example gives.
fn error_after(from: &str, to: &str) -> String {
    assert!(TOUR.contains(from), "{from}");
    Scenario::from_json(&TOUR.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn examples_run_as_they_expect() {
    let tour = run(&parse(TOUR)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(tour.batches.len(), 2);
    assert!(tour.batches.iter().all(|b| b.rejects.is_empty()));
    assert_eq!(tour.batches[0].after.root(), tour.batches[1].before.root());
    let refusals = run(&parse(REFUSALS)).unwrap_or_else(|e| panic!("{e}"));
    assert!(refusals.batches[0].rejects.len() >= 8);
}

#[test]
fn passkeys_log_in_as_the_example_expects() {
    let done = run(&parse(PASSKEY)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((done.batches[0].records.len(), done.batches[0].rejects.len()), (8, 6));
    let unknown = PASSKEY.replacen("\"key\": \"spare\"", "\"key\": \"session\"", 1);
    let error = Scenario::from_json(&unknown).unwrap_err().to_string();
    assert!(error.contains("no passkey labelled"), "{error}");
}

#[test]
fn wallets_log_in_as_the_example_expects() {
    let done = run(&parse(WALLET)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((done.batches[0].records.len(), done.batches[0].rejects.len()), (8, 5));
    let unknown = WALLET.replacen("\"key\": \"spare\"", "\"key\": \"session\"", 1);
    let error = Scenario::from_json(&unknown).unwrap_err().to_string();
    assert!(error.contains("no wallet labelled"), "{error}");
}

#[test]
fn social_logins_pay_with_keys_of_both_algorithms() {
    let done = run(&parse(SOCIAL_PAYMENTS)).unwrap_or_else(|e| panic!("{e}"));
    let counts = done.batches.iter().map(|b| (b.records.len(), b.rejects.len())).collect::<Vec<_>>();
    // BeginBatch is a record.
    assert_eq!(counts, [(6, 6), (8, 2)]);
    // Each family by the algorithm of the key that the token is under; a payment among each.
    let families = |batch: usize| {
        let ops = done.batches[batch].records.iter().map(|r| &r.op);
        let of = |family| ops.clone().filter(|op| op.family() == family).count();
        [Family::Oidc, Family::OidcEs256, Family::Fund].map(of)
    };
    assert_eq!((families(0), families(1)), ([3, 2, 1], [2, 4, 2]));
    let pays = |op: &Op| matches!(op, Op::Auth(AuthOp::PayByOidc(_)));
    let paid = done.batches.iter().flat_map(|b| &b.records).filter(|r| pays(&r.op)).count();
    assert_eq!(paid, 5);
    // The identity is the same under both keys of its provider, and no key of a provider is of both algorithms.
    let keys = parse(SOCIAL_PAYMENTS).keyring().unwrap();
    let [old, new] = ["google", "google-ec"].map(|label| keys.social(label).unwrap());
    assert_eq!(old.key_id(), new.key_id());
    assert_ne!(old.provider.digest(), new.provider.digest());
    let unknown = SOCIAL_PAYMENTS.replacen("\"key\": \"mallory\"", "\"key\": \"session\"", 1);
    let error = Scenario::from_json(&unknown).unwrap_err().to_string();
    assert!(error.contains("no social login labelled"), "{error}");
}

#[test]
fn a_scenario_survives_its_json_form() {
    for text in [TOUR, REFUSALS, PASSKEY, WALLET] {
        let scenario = parse(text);
        assert_eq!(parse(&scenario.to_json()), scenario);
    }
    let params = Params { accounts: 40, active: 5, ..Params::default() };
    let scenario = generate(100, 3, &params).unwrap();
    assert_eq!(parse(&scenario.to_json()), scenario);
}

#[test]
fn errors_name_line_or_field() {
    let syntax = Scenario::from_json("{\n  \"version\": 1,,\n}").unwrap_err().to_string();
    assert!(syntax.starts_with("line 2, column"), "{syntax}");
    let version = error_after("\"version\": 1", "\"version\": 2");
    assert_eq!(version, "version: expected 1, got 2");
    let units = error_after("\"units\": \"250\"", "\"units\": 250");
    assert!(units.starts_with("batches[0].operations[") && units.contains("].units: "), "{units}");
    let label = error_after("\"key\": \"alice\" }", "\"key\": \"alicia\" }");
    assert!(label.contains("no key labelled \"alicia\""), "{label}");
    let account = error_after("\"to_account\": \"bob\"", "\"to_account\": \"bobby\"");
    assert!(account.ends_with("].to_account: no account named \"bobby\""), "{account}");
    let kind = error_after("\"op\": \"transfer\"", "\"op\": \"transfr\"");
    assert!(kind.contains("].op: expected one of deposit, transfer"), "{kind}");
    let unknown = error_after("\"op\": \"transfer\"", "\"memo\": 1, \"op\": \"transfer\"");
    assert!(unknown.contains("unknown field `memo`"), "{unknown}");
    let both = error_after("\"micros\": \"7500000\"", "\"micros\": \"1\", \"units\": \"1\"");
    assert_eq!(both, "genesis.accounts[0].balances[1]: expected either units or micros");
    let holding = error_after("\"micros\": \"7500000\"", "\"micros\": \"1\", \"unit\": \"1\"");
    assert_eq!(holding, "genesis.accounts[0].balances[1].unit: unknown field");
    let active = error_after("\"active\": 3", "\"active\": 101");
    assert!(active.starts_with("genesis.population.active: 101 active ones"), "{active}");
    let extra = error_after("\"show\":", "\"extra\": 1, \"show\":");
    assert_eq!(extra, "extra: unknown field");
}

#[test]
fn an_unexpected_outcome_is_an_error() {
    let text = REFUSALS.replacen("\"reject:insufficient\"", "\"ok\"", 1);
    let error = run(&parse(&text)).unwrap_err().to_string();
    assert!(error.contains("expected ok, got reject:insufficient: "), "{error}");
}

#[test]
fn generated_workloads_are_valid_and_depend_on_the_seed_only() {
    let mix = Mix { keys: 12, ..Mix::ALL };
    let params = Params { accounts: 300, active: 20, batches: 3, mix };
    let scenario = generate(400, 7, &params).unwrap();
    assert_eq!(scenario, generate(400, 7, &params).unwrap());
    assert_ne!(scenario, generate(400, 8, &params).unwrap());
    let done = run(&scenario).unwrap();
    assert_eq!(done.batches.iter().map(|b| b.records.len() - 1).sum::<usize>(), 400);
    assert!(done.batches.iter().all(|b| b.rejects.is_empty()));
    let kinds: std::collections::BTreeSet<u32> =
        done.batches.iter().flat_map(|b| &b.records).map(|r| r.op.code()).collect();
    assert_eq!(kinds, (1..=9).collect());
    assert!(generate(1, 0, &Params { active: 1, ..params }).is_err());
}

#[test]
fn generated_trades_are_valid_and_verify() {
    let params = Params { accounts: 64, active: 12, batches: 2, mix: Mix::TRADES };
    let scenario = generate(120, 5, &params).unwrap();
    assert_eq!(Scenario::from_json(&scenario.to_json()).unwrap(), scenario);
    let done = run_with(&scenario, Options { verify_own: false }).unwrap();
    assert_eq!(done.batches.iter().map(|b| b.records.len() - 1).sum::<usize>(), 120);
    let kinds: std::collections::BTreeSet<u32> =
        done.batches.iter().flat_map(|b| &b.records).map(|r| r.op.code()).collect();
    assert_eq!(kinds, [1, 30, 40].into());
    verify_all(&done);
}

/// Replays a run with all signatures verified and compares the roots.
fn verify_all(done: &Run) {
    let leaves = done.genesis.leaves().map(|(key, leaf)| (tsz_ledger::Key::new(key).unwrap(), leaf));
    let mut view = tsz_stf::MemView::from_leaves(leaves);
    for batch in &done.batches {
        let ctx = TradeContext { batch: &batch.context, params: &batch.params };
        for (i, record) in (0u32..).zip(&batch.records) {
            let applied = apply_op(&view, &ctx, i, &record.op).unwrap();
            assert_eq!((&applied.receipt, &applied.accesses), (&record.receipt, &record.accesses));
            view.commit(&applied.accesses);
        }
        let leaves: Vec<_> = view.leaves().map(|(key, leaf)| (key.raw(), leaf)).collect();
        assert_eq!(tsz_smt::Tree::from_leaves(&leaves).unwrap().root(), batch.after.root());
    }
}

#[test]
fn replaying_signed_operations_with_verification_gives_the_same_state() {
    let scenario = generate(60, 1, &Params { accounts: 20, active: 10, ..Params::default() }).unwrap();
    let done = run_with(&scenario, Options { verify_own: false }).unwrap();
    verify_all(&done);
}

#[test]
fn touches_take_the_old_root_to_the_new_one() {
    let scenario = generate(50, 2, &Params { accounts: 50, active: 10, ..Params::default() }).unwrap();
    for batch in &run(&scenario).unwrap().batches {
        let proof = batch.before.multiproof(&batch.touches()).unwrap();
        assert_eq!((proof.old_root, proof.new_root), (batch.before.root(), batch.after.root()));
    }
}

#[test]
fn signatures_in_the_file_are_verified() {
    let scenario =
        generate(1, 0, &Params { accounts: 4, active: 2, batches: 1, mix: Mix::TRANSFERS }).unwrap();
    let signed = run(&scenario).unwrap().batches[0].records[1].op.clone();
    let mut given = scenario.clone();
    let op = signed.as_fund().unwrap().clone();
    given.batches[0].operations[0] =
        FundSpec { op, fill_count: false, fill_slot: false, sign: SignWith::Given }.into();
    let text = given.to_json();
    assert_eq!(run(&parse(&text)).unwrap().state.root(), run(&scenario).unwrap().state.root());
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["batches"][0]["operations"][0]["units"] = "1001".into();
    let forged = run(&parse(&value.to_string())).unwrap();
    assert_eq!(forged.batches[0].rejects[0].reject.kind(), "signature");
    assert_eq!(forged.batches[0].records.len(), 1);
}

#[test]
fn the_report_shows_roots_receipts_and_leaves() {
    let scenario = parse(TOUR);
    let report = report(&scenario, &run(&scenario).unwrap()).unwrap();
    assert_eq!(report["final_root"], report["batches"][1]["new_root"]);
    assert_eq!(report["leaves"].as_array().unwrap().len(), scenario.show.len());
    assert_eq!(report["batches"][0]["receipts"][0]["operation"]["op"], "begin_batch");
    assert!(report["leaves"].as_array().unwrap().iter().all(|l| l["value"]["corrupt"].is_null()));
}
