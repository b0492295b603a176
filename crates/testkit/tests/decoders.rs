//! Decoders at trust boundaries: damaged input is refused, or is the one encoding of what is read from it, and never
//! makes them panic. Decoders that need a proof to start from are tested where proofs are made, with the same damage:
//! proof bytes in `tsz-stark` and in each circuit's `tests/proofs.rs`, bundles in `tsz-aggregator` and `tsz-engine`,
//! pinned keys, manifests and roots in text in `tsz-engine`, the durable store in `tsz-store`; published data also against the state, in `tsz-diff`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use tsz_auth::{base64url, es256::Es256Signature, json::Object};
use tsz_codec::{Decode, Encode, decode_all};
use tsz_diff::Data;
use tsz_hash::{F, PrimeCharacteristicRing};
use tsz_scenario::{Params, Run, Scenario, generate, published, run};
use tsz_sig::{PublicKey, SecretKey, Signature};
use tsz_smt::Tree;
use tsz_stf::{FundOp, forms};
use tsz_store::{MemoryStore, Store, read_snapshot};
use tsz_testkit::{damaged, damaged_text};
use tsz_types::{AccountId, Balance, Collateral, EthAddress, Units};

const TOUR: &str = include_str!("../../client/scenario/examples/tour.json");
const REFUSALS: &str = include_str!("../../client/scenario/examples/refusals.json");
const TRADING_DAY: &str = include_str!("../../client/scenario/examples/trading-day.json");

/// Damages bytes and asks that what is read, if anything, has exactly the damaged bytes; says how many were read.
fn canonical<T>(
    bytes: &[u8],
    count: usize,
    read: impl Fn(&[u8]) -> Option<T>,
    write: impl Fn(&T) -> Vec<u8>,
) -> usize {
    assert_eq!(write(&read(bytes).unwrap()), bytes, "honest");
    let copies = damaged(bytes, 1, count).map(|(_, copy)| copy);
    // and pure noise of the same length
    let zeros = vec![0; bytes.len()];
    let noise = damaged(&zeros, 2, count / 4).map(|(_, copy)| copy);
    let read_back = |copy: &Vec<u8>| {
        let value = read(copy);
        value.iter().for_each(|value| assert_eq!(write(value), *copy));
        value.is_some()
    };
    copies.chain(noise).filter(read_back).count()
}

fn codec<T: Encode + Decode>(value: &T, count: usize) -> usize {
    canonical(&value.to_bytes(), count, |bytes| decode_all::<T>(bytes).ok(), T::to_bytes)
}

fn workload() -> Run {
    run(&generate(200, 3, &Params { accounts: 60, active: 12, ..Params::default() }).unwrap()).unwrap()
}

#[test]
fn operations() {
    let workload = workload();
    let ops: Vec<FundOp> =
        workload.batches.iter().flat_map(|b| &b.records).filter_map(|r| r.op.as_fund().cloned()).collect();
    let mut kinds = std::collections::BTreeSet::new();
    let read: usize = ops.iter().filter(|op| kinds.insert(op.code())).map(|op| codec(op, 400)).sum();
    assert!(kinds.len() >= 6 && read > 100, "{kinds:?}, {read}");
    codec(&ops, 1_000);
}

#[test]
fn signatures_and_keys() {
    let key = SecretKey::from_seed(b"a");
    let signature = key.sign(&[F::ONE; 8]);
    let read = canonical(
        &signature.to_bytes(),
        2_000,
        |bytes| Signature::from_bytes(bytes).ok(),
        |signature| signature.to_bytes().to_vec(),
    );
    assert!(read > 100);
    let public = |bytes: &[u8]| PublicKey::from_bytes(bytes.try_into().ok()?).ok();
    canonical(&key.public_key().to_bytes(), 2_000, public, |key| key.to_bytes().to_vec());
    let secret = |bytes: &[u8]| SecretKey::from_bytes(bytes.try_into().ok()?).ok();
    canonical(&*key.to_bytes(), 500, secret, |key| key.to_bytes().to_vec());
}

#[test]
fn published_data() {
    for data in published(&workload()).unwrap() {
        let write = |data: &Data| data.to_bytes().unwrap();
        canonical(&write(&data), 1_500, |bytes| Data::from_bytes(bytes).ok(), write);
    }
}

#[test]
fn snapshots() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshot");
    let leaves: Vec<_> = workload().state.leaves().take(60).collect();
    MemoryStore::new(&leaves, 1).unwrap().export(&path).unwrap();
    let honest = std::fs::read(&path).unwrap();
    assert_eq!(read_snapshot(&path).unwrap().tree.root(), Tree::from_leaves(&leaves).unwrap().root());
    for (kind, copy) in damaged(&honest, 3, 1_000) {
        std::fs::write(&path, &copy).unwrap();
        assert!(read_snapshot(&path).is_err(), "{kind:?}");
    }
}

/// Damages a text and asks that what is read, if anything, prints as the damaged text.
fn text<T: std::str::FromStr + ToString>(honest: &str) {
    assert_eq!(honest.parse::<T>().ok().map(|value| value.to_string()).as_deref(), Some(honest));
    for copy in damaged_text(honest, 5, 1_500) {
        if let Ok(value) = copy.parse::<T>() {
            assert_eq!(value.to_string(), copy);
        }
    }
}

#[test]
fn addresses_digests_and_numbers() {
    text::<EthAddress>("0x00112233445566778899aabbccddeeff00112233");
    text::<AccountId>("16777215");
    text::<Units>("1152921504606846975");
    text::<Balance>("79228162514264337593543950335");
    text::<Collateral>("-39614081257132168796771975167");
    for copy in damaged_text("00112233aabb", 6, 500) {
        if let Some(bytes) = forms::from_hex(&copy) {
            assert_eq!(forms::to_hex(&bytes), copy);
        }
        let _ = forms::parse_digest(&copy);
    }
}

#[test]
fn scenarios() {
    let mut ran = 0;
    for (k, honest) in [TOUR, REFUSALS, TRADING_DAY].into_iter().enumerate() {
        Scenario::from_json(honest).unwrap();
        for copy in damaged_text(honest, 9 + k as u64, 400) {
            let Ok(scenario) = Scenario::from_json(&copy) else { continue };
            assert_eq!(Scenario::from_json(&scenario.to_json()).as_ref(), Ok(&scenario));
            let small = scenario.genesis.population.as_ref().is_none_or(|p| p.count < 1_000);
            if k < 2 && small {
                let _ = run(&scenario);
                ran += 1;
            }
        }
    }
    assert!(ran > 20, "{ran}");
}

#[test]
fn logins() {
    let object = r#"{"iss":"https://a","aud":"b","iat":1700000000,"nonce":"abc","x":{"y":[1,2,true,null]}}"#;
    for copy in damaged_text(object, 12, 3_000) {
        if let Ok(object) = Object::parse(copy.as_bytes()) {
            let _ = (object.string("iss"), object.number("iat"), object.string("nonce"), object.has("x"));
        }
    }
    for (_, copy) in damaged(object.as_bytes(), 13, 1_000) {
        let _ = Object::parse(&copy);
    }
    let encoded = base64url::encode(object.as_bytes());
    canonical(&encoded, 2_000, |bytes| base64url::decode(bytes).ok(), |bytes| base64url::encode(bytes));
    let der = [&[0x30, 0x44, 2, 0x20][..], &[0x11; 32], &[2, 0x20], &[0x22; 32]].concat();
    for (_, copy) in damaged(&der, 14, 3_000) {
        let _ = Es256Signature::from_der(&copy);
    }
}
