//! One difference has one encoding; no bytes make the decoder panic.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tsz_diff::{Data, DataError, MAGIC, Roots, VERSION, data_hash};
use tsz_hash::{Digest, F, PrimeCharacteristicRing, PrimeField32, ZERO};
use tsz_ledger::key::{cell, kind};
use tsz_ledger::{
    AcctCell, BalCell, BatchContext, Cell, Key, KeyPolicy, L1InCell, Leaf, MkfCell, MkoCell, MkpCell,
    MksCell, OutRecord, Permissions, PosCell, Realm, Scheme, SubCell, TokCell,
};
use tsz_testkit::damaged;
use tsz_types::{
    AccountId, Balance, Bucket, Collateral, EthAddress, FundingIndex, L1Serial, SubId, TimeMs, TokenId, Units,
};

fn digest() -> impl Strategy<Value = Digest> {
    proptest::array::uniform8((0..F::ORDER_U32).prop_map(F::from_u32))
}

/// Magnitudes at and beside the edges of their encoding, and any.
fn magnitude(bits: u32) -> impl Strategy<Value = u128> {
    let top = (1u128 << bits) - 1;
    prop_oneof![
        Just(0),
        Just(1),
        Just(top),
        (0..top / 1_000_000).prop_map(|units| units * 1_000_000),
        (0..bits).prop_map(move |b| (1u128 << b).min(top)),
        0..=top,
    ]
}

fn signed(bits: u32) -> impl Strategy<Value = i128> {
    (magnitude(bits), any::<bool>()).prop_map(|(m, negative)| if negative { -(m as i128) } else { m as i128 })
}

fn user(cell: impl Strategy<Value = u32>) -> impl Strategy<Value = Key> {
    (0u32..1 << 24, 0u32..32, cell)
        .prop_map(|(account, sub, cell)| Key::user(Realm::Published, account, sub, cell))
}

fn balance() -> impl Strategy<Value = (Key, Leaf)> {
    let money = magnitude(96).prop_map(|m| BalCell { balance: Balance::new(m).unwrap() }.to_leaf());
    (user(prop_oneof![cell::BAL..cell::POS, cell::MBAL..cell::MBAL + 4]), money)
}

fn collateral() -> impl Strategy<Value = (Key, Leaf)> {
    let sub =
        |(c, pos_count, mask)| SubCell { collateral: Collateral::new(c).unwrap(), pos_count, mask }.to_leaf();
    (user(Just(cell::SUB)), (signed(95), 0u8..=32, 0u8..16).prop_map(sub))
}

/// Positions in few markets with few funding indices, so that indices repeat.
fn position() -> impl Strategy<Value = (Key, Leaf)> {
    let funding = prop_oneof![0i64..3, any::<i64>()].prop_map(|f| FundingIndex::new(f).unwrap_or_default());
    let size = prop_oneof![Just(0i64), -(1i64 << 48) + 1..1 << 48];
    let leaf = (size, funding).prop_map(|(size, funding)| PosCell::new(size, funding).unwrap().to_leaf());
    (user(cell::POS..cell::POS + 3), leaf)
}

fn policy() -> impl Strategy<Value = (Key, Leaf)> {
    let leaf = (magnitude(48), 0u32..64).prop_map(|(expiry, bits)| {
        let permissions = Permissions::from_bits(bits).unwrap();
        let expiry = TimeMs::new(expiry as u64).unwrap();
        Some(KeyPolicy { scheme: Scheme::Schnorr, permissions, expiry }).to_leaf()
    });
    (user((0u32..48).prop_map(|slot| cell::KEY_B + 2 * slot)), leaf)
}

fn market() -> impl Strategy<Value = (Key, Leaf)> {
    let funding = (signed(63), any::<u32>()).prop_map(|(f, hour)| {
        MkfCell { funding: FundingIndex::new(f.try_into().unwrap_or(0)).unwrap_or_default(), hour }.to_leaf()
    });
    let interest = (magnitude(56), magnitude(48))
        .prop_map(|(n, moves)| MkoCell { open_interest: n as u64, moves: moves as u64 }.to_leaf());
    prop_oneof![((0u32..256).prop_map(Key::mkf), funding), ((0u32..256).prop_map(Key::mko), interest),]
}

fn raw() -> impl Strategy<Value = (Key, Leaf)> {
    let system =
        (7u32..64, any::<u32>()).prop_map(|(kind, index)| Key::system(Realm::Published, kind, index));
    let key = prop_oneof![
        Just(Key::PARAMS),
        Just(Key::L1CHAIN),
        user((0u32..48).prop_map(|slot| cell::KEY_A + 2 * slot)),
        system,
    ];
    (key, digest())
}

fn record() -> impl Strategy<Value = OutRecord> {
    let who = (0u32..1 << 24, 0u8..32, any::<bool>(), 0u8..128);
    (0u32..256, who, magnitude(60), any::<[u8; 20]>()).prop_map(
        |(op, (account, sub, margin, token), units, to)| OutRecord {
            op,
            account: AccountId::new(account).unwrap(),
            sub: SubId::new(sub).unwrap(),
            bucket: if margin { Bucket::Collateral } else { Bucket::Balance },
            token: TokenId::new(token).unwrap(),
            units: Units::new(units as u64).unwrap(),
            to: EthAddress(to),
        },
    )
}

fn data() -> impl Strategy<Value = Data> {
    let leaf = prop_oneof![balance(), collateral(), position(), policy(), market(), raw()];
    let leaves = prop::collection::btree_map(any::<u64>(), leaf, 0..24).prop_map(|leaves| {
        let sorted: std::collections::BTreeMap<Key, Leaf> = leaves.into_values().collect();
        sorted.into_iter().collect::<Vec<_>>()
    });
    let header = (digest(), 0u64..1 << 48, 0u64..1 << 48, 0u32..=1 << 24, digest());
    let roots = (digest(), digest(), digest());
    (header, roots, leaves, prop::collection::vec(record(), 0..4)).prop_map(|(h, r, leaves, withdrawals)| {
        Data {
            context: BatchContext { system: h.0, batch: h.1, time: h.2, params: h.4 },
            roots: Roots { old: r.0, new: r.1, private: r.2 },
            next_account: h.3,
            leaves,
            withdrawals,
        }
    })
}

/// Whatever decodes is the one encoding of what it decodes to.
fn canonical(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(data) = Data::from_bytes(bytes) {
        prop_assert_eq!(data.to_bytes(), Ok(bytes.to_vec()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, rng_seed: RngSeed::Fixed(3), ..Default::default() })]

    #[test]
    fn data_round_trips(data in data()) {
        let bytes = data.to_bytes().unwrap();
        prop_assert_eq!(Data::from_bytes(&bytes), Ok(data));
    }

    #[test]
    fn truncations_and_extensions_are_refused(data in data(), tail: u8) {
        let mut bytes = data.to_bytes().unwrap();
        for n in 0..bytes.len() {
            prop_assert!(Data::from_bytes(&bytes[..n]).is_err());
        }
        bytes.push(tail);
        prop_assert!(Data::from_bytes(&bytes).is_err());
    }

    #[test]
    fn damaged_bytes_are_canonical_or_refused(data in data(), seed: u64) {
        for (_, copy) in damaged(&data.to_bytes().unwrap(), seed, 40) {
            canonical(&copy)?;
        }
    }

    #[test]
    fn any_body_is_canonical_or_refused(body in prop::collection::vec(any::<u8>(), 0..80)) {
        canonical(&body)?;
        // behind an honest header
        let empty = Data { leaves: vec![], withdrawals: vec![], ..sample() };
        let mut bytes = empty.to_bytes().unwrap();
        bytes.truncate(bytes.len() - 2);
        bytes.extend(body);
        canonical(&bytes)?;
    }
}

fn sample() -> Data {
    let context = BatchContext { system: ZERO, batch: 3, time: 5, params: ZERO };
    let roots = Roots { old: ZERO, new: ZERO, private: ZERO };
    Data { context, roots, next_account: 9, leaves: vec![], withdrawals: vec![] }
}

/// Bytes after the header of [`sample`].
fn body(leaves: &[(Key, Leaf)]) -> Vec<u8> {
    let bytes = Data { leaves: leaves.to_vec(), ..sample() }.to_bytes().unwrap();
    bytes[HEADER..].to_vec()
}

/// Magic and version, system, parameters and three roots, three small numbers.
const HEADER: usize = 5 + 5 * 32 + 3;

fn decode(body: &[u8]) -> Result<Data, DataError> {
    let mut bytes = sample().to_bytes().unwrap();
    bytes.truncate(HEADER);
    bytes.extend_from_slice(body);
    Data::from_bytes(&bytes)
}

fn bal(micros: u128) -> Leaf {
    BalCell { balance: Balance::new(micros).unwrap() }.to_leaf()
}

fn pos(size: i64, funding: i64) -> Leaf {
    PosCell::new(size, FundingIndex::new(funding).unwrap()).unwrap().to_leaf()
}

/// A cell that grows a felt fails here (or does not compile), before a batch of it cannot be published.
#[test]
fn every_published_cell_can_be_written_at_its_largest() {
    let units = Units::MAX;
    let policy = KeyPolicy { scheme: Scheme::Secp256k1, permissions: Permissions::ALL, expiry: TimeMs::MAX };
    let collateral = Collateral::new(1 - (1 << 95)).unwrap();
    let sub = SubCell { collateral, pos_count: 32, mask: 15 };
    let mkp = MkpCell { index: u32::MAX, mark: u32::MAX, price_ts: TimeMs::MAX.get(), settled: true };
    let funding = FundingIndex::new(-i64::MAX).unwrap();
    let mks = MksCell { sum: -i64::from(u32::MAX), minute: 60 };
    let mko = MkoCell { open_interest: (1 << 56) - 1, moves: (1 << 48) - 1 };
    let digest = [-F::ONE; 8];
    let (a, s) = (AccountId::MAX.get(), SubId::MAX.get().into());
    let leaves = [
        (Key::sub(a, s), sub.to_leaf()),
        (Key::acct(a), AcctCell { owner: Some(EthAddress([0xff; 20])) }.to_leaf()),
        (Key::key_a(a, 47), digest),
        (Key::key_b(a, 47), Some(policy).to_leaf()),
        (Key::mbal(a, s, 3), BalCell { balance: Balance::MAX }.to_leaf()),
        (Key::bal(a, s, 127), BalCell { balance: Balance::MAX }.to_leaf()),
        (Key::pos(a, s, 255), PosCell::new(1 - (1 << 48), funding).unwrap().to_leaf()),
        (Key::L1IN, L1InCell { next: L1Serial::MAX }.to_leaf()),
        (Key::L1CHAIN, digest),
        (Key::VKROOT, digest),
        (Key::PARAMS, digest),
        (Key::tok(127), TokCell { listed: true, minimum: units }.to_leaf()),
        (Key::mkp(255), mkp.to_leaf()),
        (Key::mkf(255), MkfCell { funding, hour: u32::MAX }.to_leaf()),
        (Key::mks(255), mks.to_leaf()),
        (Key::mko(255), mko.to_leaf()),
    ];
    for (key, leaf) in leaves {
        let data = Data { leaves: vec![(key, leaf)], ..sample() };
        assert_eq!(Data::from_bytes(&data.to_bytes().unwrap()), Ok(data), "{key:?}");
    }
}

#[test]
fn the_format_is_pinned() {
    assert_eq!(&sample().to_bytes().unwrap()[..5], [&MAGIC[..], &[VERSION]].concat());
    assert_eq!(&sample().to_bytes().unwrap()[HEADER - 3..], [3, 5, 9, 0, 0]);
    // key 128 in two groups; 3 units; then the next key but 4, one millionth
    let leaves = [(Key::bal(0, 0, 0), bal(3_000_000)), (Key::bal(0, 0, 5), bal(1))];
    assert_eq!(body(&leaves), [2, 0x80, 1, 6, 4, 3, 0]);
    // 5 lots short at index 0; 5 long at 7; 1 long at 7 again; closed; 1 short at 7
    let at = |account| Key::pos(account, 0, 1);
    let leaves =
        [(at(0), pos(-5, 0)), (at(1), pos(5, 7)), (at(2), pos(1, 7)), (at(3), ZERO), (at(4), pos(-1, 7))];
    let step = [0xff, 0x7f];
    let expected = [&[5, 0x81, 2, 23][..], &step, &[20, 14], &step, &[5], &step, &[0, 0], &step, &[7, 0]];
    assert_eq!(body(&leaves), expected.concat());
    let hash: String = data_hash(b"abc").iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "FIPS 180-4");
}

#[test]
fn second_encodings_are_refused() {
    assert!(decode(&[1, 0x80, 1, 6, 0]).is_ok());
    for (what, bad) in [
        ("a count of leaves above what is left", &[9, 0x80, 1, 6, 0][..]),
        ("a long form of a key", &[1, 0x80, 0x81, 0, 6, 0]),
        ("three units in millionths", &[1, 0x80, 1, 0x81, 0x9b, 0xee, 0x02, 0]),
        ("a negative zero of collateral", &[1, 0, 1, 0, 0]),
        ("an empty position with a sign", &[1, 0x80, 2, 2, 0, 0]),
        ("an empty position that repeats an index", &[1, 0x80, 2, 1, 0]),
        ("an index that repeats, spelled out", &[2, 0x81, 2, 20, 14, 0xff, 0x7f, 20, 14, 0]),
        ("an index of zero, spelled out", &[1, 0x80, 2, 20, 0, 0]),
        ("bytes at the end", &[0, 0, 0]),
        ("the number of records missing", &[0]),
    ] {
        assert!(decode(bad).is_err(), "{what}");
    }
}

#[test]
fn derived_and_private_keys_are_refused() {
    let varint = |mut n: u64| {
        let mut out = vec![];
        while n >= 128 {
            out.push(n as u8 | 128);
            n >>= 7;
        }
        out.push(n as u8);
        out
    };
    let with = |key: u64| decode(&[&[1][..], &varint(key), &[0; 33]].concat());
    assert_eq!(with(Key::HEAD.raw()), Err(DataError::Derived { index: 0 }));
    assert_eq!(with(Key::OUT.raw()), Err(DataError::Derived { index: 0 }));
    assert!(with(Key::PARAMS.raw()).is_ok());
    let private = Key::ctl(1, 0).raw();
    assert_eq!(with(private), Err(DataError::Key { index: 0, key: private }));
    assert!(matches!(with(1 << 40), Err(DataError::Codec(_))));
    assert!(kind::SYS == 1 && Key::L1CHAIN.raw() < Key::PARAMS.raw());
}

#[test]
fn wrong_beginnings_are_named() {
    assert!(matches!(Data::from_bytes(b"TSZ"), Err(DataError::Codec(_))));
    assert_eq!(Data::from_bytes(b"TSZE\x01"), Err(DataError::Magic));
    assert_eq!(Data::from_bytes(b"TSZD\x02"), Err(DataError::Version { expected: 1, got: 2 }));
}
