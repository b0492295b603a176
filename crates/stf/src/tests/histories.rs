//! Random histories of valid and invalid operations: implementation and model agree on state and rejections, and
//! the invariants hold after every operation.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{
    AcctCell, BalCell, Cell, CtlCell, HeadCell, Key, KeyPolicy, L1InCell, Leaf, SubCell, TokCell,
};
use tsz_types::TokenId;

use super::model::{Auth, Model, Op, Place};
use super::translate::{auth, person, translate};
use super::world::*;
use crate::*;

/// Raw material of an operation; most histories would die early if nonces and serials were random, too.
#[derive(Clone, Debug)]
struct Draw {
    kind: u8,
    from: (u8, u8, bool),
    to: (u8, u8, bool),
    token: u8,
    units: u64,
    slot: u8,
    key_slot: u8,
    key: u8,
    permissions: u8,
    expiry: u64,
    skew: u8,
    person: u8,
}

fn draw() -> impl Strategy<Value = Draw> {
    let user = prop_oneof![5 => 2..4u8, 2 => 0..6u8];
    let place = (user, prop_oneof![4 => Just(0u8), 1 => Just(1)], prop::bool::weighted(0.3));
    let kind = prop_oneof![5 => Just(0u8), 1 => Just(1), 4 => Just(2), 4 => 3..7u8];
    let amount = prop_oneof![4 => 1..50u64, 1 => Just(0), 1 => 90..1_200u64];
    let token = prop_oneof![4 => Just(0u8), 3 => Just(5), 1 => Just(6)];
    let slot = prop_oneof![1 => Just(0u8), 4 => 1..3u8];
    let first = (kind, place.clone(), place, token, amount, slot);
    let second = (
        prop_oneof![6 => Just(0u8), 3 => 0..3u8],
        prop_oneof![5 => Just(9u8), 3 => 0..5u8],
        prop_oneof![2 => Just(63u8), 1 => 0..64u8],
        prop_oneof![3 => Just(5_000u64), 1 => 900..1_100u64],
        prop_oneof![12 => Just(0u8), 1 => 1..3u8],
        prop_oneof![2 => Just(9u8), 2 => 0..4u8],
    );
    (first, second).prop_map(|((kind, from, to, token, units, slot), second)| {
        let (key_slot, key, permissions, expiry, skew, person) = second;
        Draw { kind, from, to, token, units, slot, key_slot, key, permissions, expiry, skew, person }
    })
}

struct Pair {
    world: World,
    model: Model,
    opening: BTreeMap<TokenId, i128>,
}

impl Pair {
    /// Accounts 2..4 of persons 2..4 (the operator is person 0) with some of everything, and a debt.
    fn new() -> Self {
        let keys: Vec<_> = (0u8..5).map(|k| tsz_sig::SecretKey::from_seed(&[k; 32])).collect();
        let ids: Vec<Digest> = keys.iter().map(|k| k.public_key().key_id()).collect();
        let mut model = Model { time: TIME.into(), next_account: 4, ..Model::default() };
        model.tokens = [(0, 10), (5, 1)].into();
        model.owners = [(0, person(0).1), (1, person(0).1), (2, person(2).1), (3, person(3).1)].into();
        for user in [2u128, 3] {
            model.keys.insert((user, 0), (ids[user as usize - 2], 1, 63, 5_000));
            model.money.insert((user, 0, 0, 0), 1_000_000_000 + user as i128);
            model.money.insert((user, 0, 0, 5), 300_500_000);
            model.money.insert((user, 0, 1, 0), 60_000_000);
        }
        model.money.insert((3, 1, 1, 0), -15_500_000);
        let leaves = model.leaves().into_iter().map(|(key, leaf)| (Key::new(key).unwrap(), leaf));
        let view = MemView::from_leaves(leaves);
        let opening = totals(view.leaves()).unwrap();
        let world = World { view, keys, ..World::new() };
        Self { world, model, opening }
    }

    /// The model's operation of a draw.
    fn op(&self, d: &Draw) -> Op {
        let place = |(a, s, b): (u8, u8, bool)| (u128::from(a), u128::from(s), u128::from(b));
        // collateral of another token is a rule of its own; do not let it stop most operations
        let plain = |p: Place| if d.token != 0 && d.skew == 0 { (p.0, p.1, 0) } else { p };
        let (from, to) = (plain(place(d.from)), plain(place(d.to)));
        let (token, units) = (u128::from(d.token), u128::from(d.units));
        let serial = self.model.serial + u128::from(d.skew);
        let owner = |account: u128| self.model.owners.get(&account).copied().unwrap_or(person(1).1);
        let sender = if d.person == 9 { owner(from.0) } else { person(d.person).1 };
        let nonce_sub = if d.kind < 3 { from.1 } else { 0 };
        let nonce = self.model.nonces.get(&(from.0, nonce_sub)).copied().unwrap_or(0) + u128::from(d.skew);
        let slot = u128::from(d.key_slot);
        let in_slot = self.model.keys.get(&(from.0, slot)).map(|k| k.0);
        let id = |k: u8| self.world.keys[usize::from(k) % 5].public_key().key_id();
        let signed = if d.key == 9 { in_slot } else { Some(id(d.key)) };
        let auth = Auth { nonce, slot, signed };
        let key = (
            id(d.slot + d.person),
            1 + u128::from(d.kind == 3 && d.skew == 1),
            d.permissions.into(),
            d.expiry.into(),
        );
        let (account, slot) = (from.0, u128::from(d.slot));
        match d.kind {
            0 => Op::Transfer { from, to, token, units, auth },
            1 => Op::Deposit { serial, to: from, token, units, owner: person(d.person % 4).1 },
            2 => Op::Withdraw { from, token, units, to: person(d.person % 4).1, auth },
            3 => Op::RegisterKey { account, slot, key, auth },
            4 => Op::RevokeKey { account, slot, auth },
            5 => Op::FullExit { serial, from, token, sender },
            _ => Op::L1Key { serial, account, slot, key: d.units.is_multiple_of(2).then_some(key), sender },
        }
    }

    /// The implementation's operation, signed by the key that the model says.
    fn real(&self, op: &Op) -> FundOp {
        let mut real = translate(op, self.world.blank());
        let signed = auth(op).and_then(|auth| auth.signed);
        let signer = self.world.keys.iter().find(|k| Some(k.public_key().key_id()) == signed);
        if let (Some(key), Some(blocks), Some(signature)) = (signer, real.message(), real.signature_mut()) {
            *signature = key.sign(&message(&self.world.batch.system, &blocks));
        }
        real
    }

    fn play(&mut self, draw: &Draw) -> Result<bool, TestCaseError> {
        let op = self.op(draw);
        let real = self.real(&op);
        let before = self.world.view.clone();
        let expected = self.model.apply(&op);
        let got = self.world.apply(real.clone());
        match (&expected, &got) {
            (Ok(code), Ok(receipt)) => {
                let name = serde_json::to_value(receipt.code).unwrap();
                prop_assert_eq!(name.as_str(), Some(*code), "{:?}", op);
            }
            (Err(broken), Err(reject)) => {
                let value = serde_json::to_value(reject).unwrap();
                let kind: String = value["kind"].as_str().unwrap().to_string();
                prop_assert!(broken.contains(kind.as_str()), "{kind} is not among {broken:?} of {op:?}");
                prop_assert_eq!(&before, &self.world.view);
            }
            _ => {
                return Err(TestCaseError::fail(alloc::format!(
                    "model {expected:?}, got {got:?}, op {op:?}"
                )));
            }
        }
        self.check_state()?;
        Ok(got.is_ok())
    }

    fn check_state(&self) -> Result<(), TestCaseError> {
        let got: BTreeMap<u64, Leaf> = self.world.view.leaves().map(|(k, v)| (k.raw(), v)).collect();
        prop_assert_eq!(got, self.model.leaves());
        // I1: what is held is what was there at first and came in since
        let held = totals(self.world.view.leaves()).unwrap();
        for t in [0u8, 5, 6] {
            let t = TokenId::new(t).unwrap();
            let net = self.model.net.get(&t.get().into()).copied().unwrap_or(0) * 1_000_000;
            let opening = self.opening.get(&t).copied().unwrap_or(0);
            prop_assert_eq!(held.get(&t).copied().unwrap_or(0), opening + net, "token {}", t);
        }
        self.world.view.leaves().try_for_each(|(key, leaf)| canonical(key, &leaf))
    }
}

fn again<C: Cell>(leaf: &Leaf) -> Leaf {
    C::from_leaf(leaf).unwrap().to_leaf()
}

/// I9: each leaf is the one leaf of a cell of its kind. I3: nobody has positions.
fn canonical(key: Key, leaf: &Leaf) -> Result<(), TestCaseError> {
    prop_assert_ne!(*leaf, ZERO, "an empty leaf is stored");
    let raw = key.raw();
    let encoded = match (raw >> 39, raw >> 38 & 1, raw & 511) {
        (0, 1, _) if raw >> 32 & 63 == 2 => again::<TokCell>(leaf),
        (0, 1, _) if key == Key::HEAD => again::<HeadCell>(leaf),
        (0, 1, _) if key == Key::L1IN => again::<L1InCell>(leaf),
        (0, 1, _) => *leaf,
        (1, 0, 0) => again::<CtlCell>(leaf),
        (0, 0, 0) => {
            prop_assert_eq!(SubCell::from_leaf(leaf).unwrap().holdings(), 0);
            again::<SubCell>(leaf)
        }
        (0, 0, 1) => again::<AcctCell>(leaf),
        (0, 0, cell) if cell < 98 && cell % 2 == 0 => *leaf,
        (0, 0, cell) if cell < 98 => again::<Option<KeyPolicy>>(leaf),
        (0, 0, cell) if (128..256).contains(&cell) => again::<BalCell>(leaf),
        other => return Err(TestCaseError::fail(alloc::format!("no cell has key {other:?}"))),
    };
    prop_assert_eq!(encoded, *leaf);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn implementation_and_model_agree_and_invariants_hold(draws in prop::collection::vec(draw(), 1..60)) {
        let mut pair = Pair::new();
        pair.check_state()?;
        for draw in &draws {
            pair.play(draw)?;
        }
    }
}

/// The histories are worth something only if operations of each kind succeed in them and each rule bites.
#[test]
fn histories_reach_every_operation_and_most_rules() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut accepted, mut rules) = (BTreeMap::<u8, u32>::new(), BTreeMap::<&str, u32>::new());
    for _ in 0..40 {
        let mut pair = Pair::new();
        for draw in prop::collection::vec(draw(), 60).new_tree(&mut runner).unwrap().current() {
            let op = pair.op(&draw);
            let code = match pair.model.clone().apply(&op) {
                Ok(code) => code,
                Err(broken) if broken.len() == 1 => broken.into_iter().next().unwrap(),
                Err(_) => "several",
            };
            *rules.entry(code).or_default() += 1;
            *accepted.entry(draw.kind).or_default() += u32::from(pair.play(&draw).unwrap());
        }
    }
    assert!((0..7).all(|kind| accepted[&kind] >= 10), "{accepted:?}");
    let expected = [
        "ok",
        "no_account",
        "not_owner",
        "reserved",
        "negative",
        "serial",
        "zero_units",
        "same_bucket",
        "insufficient",
        "not_listed",
        "below_minimum",
        "nonce",
        "no_key",
        "permission",
        "expired",
        "signature",
    ];
    let missing: Vec<_> = expected.iter().filter(|rule| !rules.contains_key(*rule)).collect();
    assert!(missing.is_empty(), "{missing:?} never decided alone: {rules:?}");
}
