use std::cell::RefCell;
use std::path::Path;

use tsz_aggregator::{AggregationError, BatchError, Bundle, Expectation, ProofError};
use tsz_hash::{Digest, hash_bytes};
use tsz_ledger::SystemId;
use tsz_smt::Tree;
use tsz_stf::{Code, Deposit, FundOp, Genesis, GenesisAccount, TokenListing};
use tsz_trade::{Op, OpReceipt};
use tsz_types::{AccountId, Bucket, EthAddress, L1Serial, SubId, TokenId, Units};

use super::circuits::small_registry;
use crate::folder::{BUNDLE, MANIFEST};
use crate::prove::choose;
use crate::registry::Registry;
use crate::*;

fn system() -> Digest {
    SystemId { rollup: 1, chain: 1, address: [7; 20] }.digest()
}

fn executor() -> Executor {
    let genesis = Genesis {
        tokens: vec![TokenListing { token: TokenId::QUOTE, minimum: Units::new(1).unwrap() }],
        accounts: vec![GenesisAccount { owner: EthAddress([1; 20]), ..Default::default() }],
        ..Default::default()
    };
    let leaves: Vec<_> = genesis.leaves().unwrap().into_iter().map(|(key, leaf)| (key.raw(), leaf)).collect();
    Executor::new(system(), Tree::from_leaves(&leaves).unwrap())
}

fn deposit(serial: u64, account: u32) -> Op {
    let op = FundOp::Deposit(Deposit {
        serial: L1Serial::new(serial).unwrap(),
        account: AccountId::new(account).unwrap(),
        sub: SubId::new(0).unwrap(),
        bucket: Bucket::Balance,
        token: TokenId::QUOTE,
        units: Units::new(5).unwrap(),
        owner: EthAddress([1; 20]),
    });
    op.into()
}

/// Two batches: 23 deposits (24 ops), then 3 (4 ops).
pub(super) fn batches() -> Vec<ExecutedBatch> {
    let mut executor = executor();
    let first: Vec<Op> = (0..23).map(|k| deposit(k, 2)).collect();
    let second: Vec<Op> = (23..26).map(|k| deposit(k, 2)).collect();
    vec![executor.execute(1_000, &first).unwrap(), executor.execute(2_000, &second).unwrap()]
}

fn pins(registry: &Registry) -> Pins {
    Pins::new(registry.derive().unwrap()).unwrap()
}

/// Proves the two batches into a folder.
fn proven(dir: &Path) -> (Registry, Pins, Manifest, Report) {
    let registry = small_registry();
    let pins = pins(&registry);
    let (manifest, report) = prove_run(batches(), &registry, &pins, &|_| {}, dir).unwrap();
    (registry, pins, manifest, report)
}

#[test]
fn execution_chains_batches_and_leaves_refused_ops_out() {
    let mut executor = executor();
    let first = executor.execute(1_000, &[deposit(0, 2), deposit(7, 2), deposit(1, 9)]).unwrap();
    assert_eq!(first.records.len(), 3);
    let OpReceipt::Fund(receipt) = first.records[2].receipt else { panic!("not a fund op") };
    assert_eq!(receipt.code, Code::NoAccount);
    assert_eq!(first.rejected.iter().map(|r| r.position).collect::<Vec<_>>(), [1]);
    assert_eq!(first.header.context.batch, 1);
    let second = executor.execute(1_000, &[]).unwrap();
    assert_eq!((second.header.s0, second.header.context.batch), (first.header.sn, 2));
    let root = executor.tree().root();
    assert!(matches!(executor.execute(999, &[]), Err(EngineError::Begin(_))));
    assert_eq!(executor.tree().root(), root);
}

#[test]
fn classes_are_chosen_by_content_and_long_vectors_are_cut() {
    let fits = |max: &usize, ops: &[u8]| ops.len() <= *max;
    assert_eq!(choose(&[4, 10], &[0; 3], fits), Some((0, 3)));
    assert_eq!(choose(&[4, 10], &[0; 4], fits), Some((0, 4)));
    assert_eq!(choose(&[4, 10], &[0; 5], fits), Some((1, 5)));
    assert_eq!(choose(&[4, 10], &[0; 24], fits), Some((1, 10)));
    assert_eq!(choose(&[0], &[0; 24], fits), None);
    assert_eq!(choose(&[], &[0; 24], fits), None);
}

#[test]
fn a_folder_verifies_from_its_files_and_the_pins() {
    let dir = tempfile::tempdir().unwrap();
    let (registry, pins, manifest, report) = proven(dir.path());
    let proofs: Vec<_> = report.proofs.iter().map(|p| (p.circuit.as_str(), p.ops)).collect();
    let want = [
        ("fund/large", 10),
        ("fund/large", 10),
        ("fund/small", 4),
        ("transition/large", 24),
        ("fund/small", 4),
        ("transition/small", 4),
    ];
    assert_eq!(proofs, want);
    assert_eq!(report.ops, 28);
    let verified = verify_dir(dir.path(), &registry, &pins, None).unwrap();
    assert_eq!(verified.headers.len(), 2);
    assert_eq!(verified.manifest, manifest);
    // A fresh registry, as in another process.
    verify_dir(dir.path(), &small_registry(), &Pins::parse(&pins.to_toml().unwrap()).unwrap(), None).unwrap();
}

#[test]
fn refuses_other_roots_than_expected() {
    let dir = tempfile::tempdir().unwrap();
    let (registry, pins, manifest, _) = proven(dir.path());
    let expect =
        |first, last| Expectation { first_root: Some(first), last_root: Some(last), ..Default::default() };
    let (first, last) = (manifest.first_root.0, manifest.last_root.0);
    let verify = |e: Expectation| verify_dir(dir.path(), &registry, &pins, Some(&e));
    verify(expect(first, last)).unwrap();
    let error = verify(expect(last, last)).unwrap_err();
    assert!(matches!(error, EngineError::Aggregation(AggregationError::FirstRoot)), "{error}");
    let error = verify(expect(first, first)).unwrap_err();
    assert!(matches!(error, EngineError::Aggregation(AggregationError::LastRoot)), "{error}");
}

#[test]
fn refuses_a_manifest_that_says_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let (registry, pins, manifest, _) = proven(dir.path());
    let path = dir.path().join(MANIFEST);
    let text = std::fs::read_to_string(&path).unwrap();
    let other = Hex(hash_bytes(b"other")).to_string();
    let lie = |from: &str, to: &str| {
        std::fs::write(&path, text.replace(from, to)).unwrap();
        verify_dir(dir.path(), &registry, &pins, None).unwrap_err()
    };
    let error = lie(&manifest.last_root.to_string(), &other);
    assert!(matches!(error, EngineError::ManifestMismatch("last_root")), "{error}");
    let error = lie("\"ops\": 24", "\"ops\": 25");
    assert!(matches!(error, EngineError::ManifestMismatch("batches")), "{error}");
    assert!(matches!(lie("\"version\": 2", "\"version\": 3"), EngineError::ManifestVersion { .. }));
    assert!(matches!(lie("\"version\"", "\"verison\""), EngineError::Manifest(_)));
}

#[test]
fn refuses_a_damaged_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let (registry, pins, ..) = proven(dir.path());
    let path = dir.path().join(BUNDLE);
    let bytes = std::fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 50) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        std::fs::write(&path, &damaged).unwrap();
        verify_dir(dir.path(), &registry, &pins, None).unwrap_err();
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(verify_dir(dir.path(), &registry, &pins, None), Err(EngineError::Io { .. })));
}

#[test]
fn refuses_a_key_that_drifted_from_its_pin() {
    let dir = tempfile::tempdir().unwrap();
    let (registry, pins, ..) = proven(dir.path());
    // The same names pinned with the digests of two other keys: the verifier derives its own.
    let mut vks = pins.vks().to_vec();
    let digests: Vec<_> = vks.iter().map(|p| p.digest).collect();
    let swap = |name: &str| pins.vks().iter().position(|p| p.name == name).unwrap();
    vks[swap("fund/small")].digest = digests[swap("fund/large")];
    vks[swap("fund/large")].digest = digests[swap("fund/small")];
    let drifted = Pins::new(vks).unwrap();
    assert!(matches!(drifted.check(&registry.derive().unwrap()), Err(PinError::Drift(d)) if d.len() == 2));
    let bundle = Bundle::from_bytes(&std::fs::read(dir.path().join(BUNDLE)).unwrap()).unwrap();
    let error = tsz_aggregator::check(&bundle.to_bytes(), &registry.verifiers(&drifted), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("derived"), "{error}");
}

#[test]
fn refuses_to_prove_with_keys_that_are_not_pinned() {
    let registry = small_registry();
    let few = Pins::new(registry.derive().unwrap()[..1].to_vec()).unwrap();
    let error = prove_batch(&batches()[1], &registry, &few, &|_| {}).unwrap_err();
    assert!(matches!(error, EngineError::NotPinned(name) if name == "transition/small"));
    let none = prove_batch(&batches()[1], &Registry::new(), &few, &|_| {}).unwrap_err();
    assert!(matches!(none, EngineError::NoClass { batch: 2, first: 0, ops: 4, .. }));
}

#[test]
fn a_proof_of_a_listed_key_without_a_circuit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_, pins, ..) = proven(dir.path());
    let error = verify_dir(dir.path(), &Registry::new(), &pins, None).unwrap_err();
    let EngineError::Aggregation(AggregationError::Batch { error, .. }) = error else { panic!("{error}") };
    assert!(matches!(error, BatchError::Transition(ProofError::UnknownVk)));
}

#[test]
fn progress_names_stages_and_counts_ops() {
    let registry = small_registry();
    let pins = pins(&registry);
    let seen = RefCell::new(Vec::new());
    let note = |event: Event<'_>| seen.borrow_mut().push(format!("{event:?}"));
    let dir = tempfile::tempdir().unwrap();
    let (_, report) = prove_run(batches(), &registry, &pins, &note, dir.path()).unwrap();
    let seen = seen.into_inner();
    assert!(seen.iter().any(|e| e.contains("transition")));
    assert_eq!(seen.last().unwrap(), "Done { ops: 28, of: 28 }");
    assert!(report.peak_rss_bytes > 0 && report.proof_bytes() > 0);
    let cells = report.cells();
    assert_eq!(cells["fund.fund_large"], 2 * 38 * 64);
}
