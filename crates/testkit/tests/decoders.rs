//! Decoders at trust boundaries: damaged input is refused, or is the one encoding of what is read from it, and never
//! makes them panic. Decoders that need a proof to start from are tested where proofs are made, with the same damage:
//!
//! | bytes | tests |
//! |---|---|
//! | proofs | `tsz-stark`, each circuit's `tests/proofs.rs` |
//! | bundles, seals of runs, replies and files of run provers | `tsz-aggregator`, `tsz-engine` (real, programs) |
//! | node proofs under their keys | `tsz-engine` (aggregate) |
//! | files of proving keys | `tsz-stark` (committed columns), `tsz-engine` (aggregate/keys) |
//! | pinned keys, manifests, roots in text | `tsz-engine` (decoders) |
//! | requests to a run prover | `crates/ext/prover`, which is no member of the workspace |
//! | the durable store | `tsz-store`; published data also against the state, in `tsz-diff` |
//! | leaves of cells | `tsz-ledger` |

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use tsz_auth::authenticator::Authenticator;
use tsz_auth::issuer::Issuer;
use tsz_auth::oidc::Identity;
use tsz_auth::softwallet::SoftWallet;
use tsz_auth::wallet::SigningDomain;
use tsz_auth::{Assertion, LoginProvider, Passkey, SocialLogin, Wallet, WalletApproval};
use tsz_auth::{base64url, es256::Es256Signature, json::Object};
use tsz_codec::{Decode, Encode, decode_all};
use tsz_diff::Data;
use tsz_ext::{
    ApprovalPolicy, ExtOp, LimitCell, Limited, image_root, list_guests, parse_guests, pinned_guests,
};
use tsz_ext_apps::broker::{self, House, Mandate, Venue};
use tsz_ext_apps::grid::{self, Intent, Level, Pair};
use tsz_ext_apps::options::{self, Leg, Series};
use tsz_ext_sdk::spot;
use tsz_hash::{Digest, F, PrimeCharacteristicRing};
use tsz_ledger::{Cell, TransitionClaim};
use tsz_scenario::{Params, Run, Scenario, generate, published, run};
use tsz_sig::{PublicKey, SecretKey, Signature};
use tsz_smt::Tree;
use tsz_stf::{FundOp, forms};
use tsz_store::{MemoryStore, Store, read_snapshot};
use tsz_testkit::{damaged, damaged_text};
use tsz_trade::Op;
use tsz_tree::{AggregationProof, Batches, Claim, ExecRange, NodeProof, PartialSet};
use tsz_types::{AccountId, Balance, Collateral, EthAddress, Units};
use tsz_vktree::{VK_TREE_DEPTH, VkMembership};

const TOUR: &str = include_str!("../../client/scenario/examples/tour.json");
const REFUSALS: &str = include_str!("../../client/scenario/examples/refusals.json");
const TRADING_DAY: &str = include_str!("../../client/scenario/examples/trading-day.json");

/// All examples of scenarios, by name.
fn examples() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/scenario/examples");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| name.ends_with(".json") && name != "roots.json")
        .map(|(name, path)| (name, std::fs::read_to_string(path).unwrap()))
        .collect();
    found.sort();
    found
}

/// The first operation of each kind in the examples.
fn kinds_of_operations() -> Vec<Op> {
    let mut kinds = std::collections::BTreeSet::new();
    let runs = examples().into_iter().map(|(_, text)| run(&Scenario::from_json(&text).unwrap()).unwrap());
    let ops = runs.flat_map(|run| run.batches).flat_map(|batch| batch.records).map(|record| record.op);
    ops.filter(|op| kinds.insert(op.code())).collect()
}

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

/// Damages JSON and asks that what is read, if anything, survives its own form; says how many were read.
fn json<T>(value: &T, count: usize) -> usize
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let honest = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&honest).unwrap(), value);
    let read = damaged_text(&honest, 21, count).filter_map(|copy| serde_json::from_str::<T>(&copy).ok());
    let same = |read: &T| {
        let again = serde_json::to_string(read).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&again).unwrap(), read, "{again}");
    };
    read.inspect(same).count()
}

#[test]
fn operations_in_json_and_of_extensions() {
    let (mut read, mut kinds) = (0, 0);
    for op in kinds_of_operations() {
        kinds += 1;
        read += match &op {
            Op::Fund(op) => json(op, 150),
            Op::Trade(op) => json(op, 150),
            Op::Auth(op) => json(op, 150),
            Op::Ext(op) => codec::<ExtOp>(op, 400),
        };
    }
    assert!(kinds > 30 && read > 200, "{kinds}, {read}");
    let params = tsz_trade::Params::default();
    json(&params, 500);
    let day = run(&Scenario::from_json(TRADING_DAY).unwrap()).unwrap();
    assert!(json(&day.batches[0].params, 1_000) > 20);
}

/// Damages words that a party has signed and asks that what is read has exactly these words; says how many were read.
fn words<T>(honest: &[u32], read: impl Fn(&[u32]) -> Option<T>, write: impl Fn(&T) -> Vec<u32>) -> usize {
    let bytes = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let read = |bytes: &[u8]| {
        let (chunks, []) = bytes.as_chunks::<4>() else { return None };
        read(&chunks.iter().map(|w| u32::from_le_bytes(*w)).collect::<Vec<_>>())
    };
    canonical(&bytes(honest), 2_000, read, |value| bytes(&write(value)))
}

#[test]
fn terms_of_programs() {
    let units = spot::Units { lot_base: 7 << 30, tick_quote: 3 };
    let leg = |strike, put| Some(Leg { put, short: put, strike });
    let contract = Series {
        base: 3,
        quote: 0,
        market: 255,
        units,
        legs: [leg(90, false), leg(110, true)],
        expiry: 1_700_000_000_000,
        samples: 60,
        gap: 30,
        vault: 2,
        vault_sub: 31,
        vault_slot: 6,
    };
    let read = |w: &[u32]| Series::parse(w.try_into().ok()?).ok();
    assert!(words(&options::host::series(&contract), read, |s| options::host::series(s).to_vec()) > 50);
    let place = Venue { base: 3, quote: 0, market: 1, units, house: 9, house_sub: 2, house_slot: 1 };
    let read = |w: &[u32]| Venue::parse(w.try_into().ok()?).ok();
    assert!(words(&broker::host::venue(&place), read, |v| broker::host::venue(v).to_vec()) > 50);
    let terms =
        House { taker_fee: 500, maker_fee: 200, rebate: 100, exchange: 50, introducer: 20, daily: 1 << 40 };
    let read = |w: &[u32]| House::parse(w.try_into().ok()?).ok();
    assert!(words(&broker::host::house_words(&terms), read, |h| broker::host::house_words(h).to_vec()) > 50);
    let mandate = Mandate { band: 500, age: 60, trade: 1 << 30, daily: 1 << 40, introducer: (7, 3) };
    let read = |w: &[u32]| Mandate::parse(w.try_into().ok()?).ok();
    assert!(
        words(&broker::host::mandate_words(&mandate), read, |m| broker::host::mandate_words(m).to_vec()) > 50
    );
    let market = Pair { base: 3, quote: 0, units };
    let intent = Intent { market, max_fee: 500, buys: true, limit: 1_000, lots: 1 << 40 };
    assert!(words(&grid::host::intent(&intent), |w| Intent::parse(w).ok(), grid::host::intent) > 50);
    // A grid is read level by level: levels that make no sense are none.
    let levels = [Level { buy: 10, sell: 11, lots: 1 << 40 }, Level { buy: 12, sell: 14, lots: 9 }];
    let honest = grid::host::terms(&market, 500, 1, &levels);
    let read = |w: &[u32]| {
        let terms = grid::Terms::parse(w).ok()?;
        let count = (w.len() - grid::TERMS_HEAD) / grid::LEVEL_WORDS;
        let levels = (0..count as u32).map(|k| terms.level(k)).collect::<Option<Vec<_>>>()?;
        Some((terms.market, terms.max_fee, terms.first_seller, levels))
    };
    let write = |(market, max_fee, first, levels): &(Pair, u32, u32, Vec<Level>)| {
        grid::host::terms(market, *max_fee, *first, levels)
    };
    assert!(words(&honest, read, write) > 50);
}

/// The leaf of eight damaged words that are felts.
fn leaf(bytes: &[u8]) -> Option<Digest> {
    let words: &[[u8; 4]; 8] = bytes.as_chunks::<4>().0.try_into().ok()?;
    let felts = words.map(u32::from_le_bytes);
    (bytes.len() == 32 && felts.iter().all(|w| *w < tsz_ext_sdk::P)).then(|| felts.map(F::from_u32))
}

#[test]
fn cells_of_approvals() {
    fn cell<C: Cell>(honest: &C) -> usize {
        let bytes = |cell: &C| -> Vec<u8> {
            cell.to_leaf()
                .iter()
                .flat_map(|f| tsz_hash::PrimeField32::as_canonical_u32(f).to_le_bytes())
                .collect()
        };
        canonical(&bytes(honest), 3_000, |b| C::from_leaf(&leaf(b)?).ok(), bytes)
    }
    let token = |t| tsz_types::TokenId::new(t).ok().map(Limited::Token);
    let limits = [token(0), token(127), None, Some(Limited::Positions)];
    assert!(cell(&ApprovalPolicy { expiry: 1_700_000_000_000, epoch: 3, limits }) > 50);
    let balance = |n| Balance::new(n).unwrap();
    assert!(cell(&LimitCell { limit: balance(1 << 90), used: balance(77) }) > 50);
}

#[test]
fn guests() {
    let list = list_guests(&pinned_guests().unwrap());
    let mut read = 0;
    for copy in damaged_text(&list, 31, 1_500) {
        let Ok(guests) = parse_guests(&copy) else { continue };
        read += 1;
        assert_eq!(parse_guests(&list_guests(&guests)), Ok(guests));
    }
    assert!(read > 20, "{read}");
    // An executable of two segments: one of a word in the file, one of zeros.
    let elf = elf([4, 64]);
    let root = image_root(&elf).unwrap();
    let mut others = 0;
    for (_, copy) in damaged(&elf, 32, 1_500) {
        others += usize::from(image_root(&copy).is_ok_and(|other| other != root));
    }
    assert!(others > 20, "{others}");
}

/// An executable of two segments that take so many bytes of memory.
fn elf(in_memory: [u32; 2]) -> Vec<u8> {
    let half = |x: u16| x.to_le_bytes().to_vec();
    let word = |x: u32| x.to_le_bytes().to_vec();
    let segment =
        |address, in_file, in_memory| [1, 116, address, address, in_file, in_memory, 7, 4].map(word).concat();
    let head = [b"\x7fELF\x01\x01\x01".to_vec(), vec![0; 9], half(2), half(243)].concat();
    let rest = [word(1), word(0x1_0000), word(52), word(0), word(0), half(52), half(32), half(2)].concat();
    let segments = [segment(0x1_0000, 4, in_memory[0]), segment(0x2000_0000, 0, in_memory[1])].concat();
    [head, rest, vec![0; 6], segments, word(0x73)].concat()
}

/// A file of some bytes may ask for all the memory that the machine has.
#[test]
fn guests_take_no_more_memory_than_all_segments_may() {
    assert!(image_root(&elf([1 << 12, 1 << 12])).is_ok());
    for sizes in [[4, 1 << 24], [1 << 24, 4], [1 << 23, (1 << 23) + 4], [4, u32::MAX - 3]] {
        assert!(image_root(&elf(sizes)).is_err(), "{sizes:?}");
    }
}

#[test]
fn aggregation_proofs() {
    let digest = |n: u32| -> Digest { std::array::from_fn(|k| F::from_u32(100 * n + k as u32)) };
    let d = [1, 2, 3, 4, 5].map(digest);
    let claims = [
        Claim::Exec(ExecRange {
            algorithm: d[0],
            context: d[1],
            count: 3,
            begins: 1,
            start: d[2],
            end: d[3],
        }),
        Claim::Set(PartialSet { ops: 9, begins: 1, leaves: 2, last: d[0], context: d[1], root: d[2] }),
        Claim::Transition(TransitionClaim { s0: d[0], sn: d[1], ops: 9, context: d[2], set_root: d[3] }),
        Claim::Batches(Batches {
            count: 2,
            system: d[0],
            first: 1,
            last: 2,
            first_time: 10,
            last_time: 20,
            headers: d[1],
            s0: d[2],
            sn: d[3],
        }),
    ];
    for claim in claims {
        let node = NodeProof { log: 17, program: d[4], root: d[0], claim, proof: vec![7; 60] };
        let write = NodeProof::to_bytes;
        assert!(canonical(&write(&node), 2_000, |b| NodeProof::from_bytes(b).ok(), write) > 50);
        let siblings = std::array::from_fn::<_, VK_TREE_DEPTH, _>(|k| digest(10 + k as u32));
        let proof = AggregationProof { node, membership: VkMembership { index: 5, siblings } };
        let write = AggregationProof::to_bytes;
        assert!(canonical(&write(&proof), 1_000, |b| AggregationProof::from_bytes(b).ok(), write) > 50);
        // The claim of a part of a batch is none of the system's.
        assert_eq!(proof.claim().is_ok(), matches!(claim, Claim::Batches(_)));
    }
}

#[test]
fn scenarios_of_every_kind() {
    let (mut read, mut ran) = (0, 0);
    for (k, (name, honest)) in examples().into_iter().enumerate() {
        for copy in damaged_text(&honest, 40 + k as u64, 160) {
            let Ok(scenario) = Scenario::from_json(&copy) else { continue };
            read += 1;
            assert_eq!(Scenario::from_json(&scenario.to_json()).as_ref(), Ok(&scenario), "{name}");
            let small = scenario.genesis.population.as_ref().is_none_or(|p| p.count < 1_000);
            // A few each: a run signs and checks everything.
            if small && read % 3 == 0 {
                let _ = run(&scenario);
                ran += 1;
            }
        }
    }
    assert!(read > 100 && ran > 20, "{read}, {ran}");
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
fn tokens() {
    let (message, now) = ([F::ONE; 8], 1_700_000_000_000);
    let issuer = Issuer::from_seed(b"issuer");
    let text = |t: &str| t.to_owned();
    let provider = LoginProvider {
        issuer: text("https://a"),
        audience: text("b"),
        kid: text("k"),
        key: issuer.key().into(),
    };
    let identity = Identity { issuer: "https://a", audience: "b", subject: "c", salt: [9; 32] };
    let token = issuer.token("k", &identity, &message, now / 1000);
    let login = |token| SocialLogin { token, salt: [9; 32] };
    let verify = |login: &SocialLogin| login.verify(&provider, &identity.key_id(), &message, now);
    verify(&login(token.clone())).unwrap();
    let mut parsed = 0;
    for (kind, copy) in damaged(&token, 15, 1_500) {
        let login = login(copy);
        parsed += usize::from(login.parse().is_ok());
        assert!(verify(&login).is_err(), "{kind:?}");
    }
    assert!(parsed > 50, "{parsed}");
    json(&provider, 1_000);
    json(&login(token), 300);
}

#[test]
fn wallets_and_passkeys() {
    let message = [F::ONE; 8];
    let domain = SigningDomain { chain: 31337, contract: [1; 20] };
    let soft = SoftWallet::from_seed(b"wallet");
    let wallet: Wallet = soft.wallet(domain);
    let signed = soft.sign(&domain, &message);
    let approval: WalletApproval = wallet.recover(&message, &signed).unwrap();
    for (kind, copy) in damaged(&signed, 16, 300) {
        let Ok(rsv) = <[u8; 65]>::try_from(copy) else { continue };
        assert!(wallet.recover(&message, &rsv).is_err(), "{kind:?}");
    }
    json(&wallet, 500);
    json(&approval, 500);
    let authenticator = Authenticator::from_seed(b"passkey");
    let passkey: Passkey = authenticator.passkey("example.com", "https://app.example.com", true).unwrap();
    let assertion: Assertion = authenticator.assert(&passkey, &message);
    passkey.verify(&message, &assertion).unwrap();
    for (kind, client_data) in damaged(&assertion.client_data, 17, 1_000) {
        let assertion = Assertion { client_data, ..assertion.clone() };
        assert!(passkey.verify(&message, &assertion).is_err(), "{kind:?}");
    }
    json(&passkey, 500);
    json(&assertion, 500);
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
        let _ = Es256Signature::from_jws(&copy);
    }
}
