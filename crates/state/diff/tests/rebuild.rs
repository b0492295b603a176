//! Realm 0 rebuilt from published bytes alone has the proven roots, and nothing else does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{collateral, tour, trades, workload};
use tsz_diff::{ApplyError, Data, ExitError, Realm, WriteError, genesis_data};
use tsz_hash::{F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::key::cell;
use tsz_ledger::{BalCell, Cell, Key, OutRecord, SubCell};
use tsz_scenario::{Run, published};
use tsz_testkit::damaged;
use tsz_types::{AccountId, Balance, MarketId, Units};

/// From bytes to the realm after the last batch, checking every root against the executed run.
fn rebuild(run: &Run) -> Realm {
    let bytes: Vec<Vec<u8>> = published(run).unwrap().iter().map(|data| data.to_bytes().unwrap()).collect();
    let mut realm = Realm::genesis(&Data::from_bytes(&bytes[0]).unwrap()).unwrap();
    assert_eq!(realm.root(), run.genesis.root());
    for (batch, bytes) in run.batches.iter().zip(&bytes[1..]) {
        realm.apply(&Data::from_bytes(bytes).unwrap()).unwrap();
        assert_eq!(realm.root(), batch.after.root());
        assert_eq!(realm.batch(), batch.context.batch);
    }
    realm
}

#[test]
fn published_bytes_rebuild_the_realm_and_every_proof() {
    for run in [tour(), workload(300, 7), workload(90, 8), trades(120, 9)] {
        let realm = rebuild(&run);
        let half = run.state.leaves().take_while(|(key, _)| *key < 1 << 39);
        assert!(realm.leaves().map(|(key, leaf)| (key.raw(), leaf)).eq(half));
        for (key, leaf) in realm.leaves().step_by(7) {
            assert_eq!(realm.proof(key), run.state.proof(key.raw()));
            assert!(realm.proof(key).verify(&run.state.root(), key.raw(), &leaf));
        }
        let absent = Key::bal(9, 31, 127);
        assert!(realm.proof(absent).verify(&run.state.root(), absent.raw(), &ZERO));
    }
}

#[test]
fn accounts_exit_with_what_they_hold() {
    let run = tour();
    let (realm, root) = (rebuild(&run), run.state.root());
    let account = AccountId::new(2).unwrap();
    let exit = realm.exit(account, &[]).unwrap();
    assert_eq!(exit.verify(&root), Ok(()));
    assert_eq!((exit.root, exit.batch), (root, 2));
    assert!(exit.leaves.iter().any(|leaf| leaf.key == Key::bal(2, 0, 0)));
    let held = |key: Key| key.raw() >> 14 == 2 && !(2..98).contains(&(key.raw() & 511));
    let all = realm.leaves().filter(|(key, _)| held(*key)).count();
    assert_eq!(exit.leaves.len(), all);
    // nobody exits with more, as somebody else, or from another state
    let mut more = exit.clone();
    let at = more.leaves.iter().position(|leaf| leaf.key == Key::bal(2, 0, 0)).unwrap();
    more.leaves[at].value = BalCell { balance: Balance::MAX }.to_leaf();
    assert_eq!(more.verify(&root), Err(ExitError::Leaf { key: Key::bal(2, 0, 0).raw() }));
    let mut other = exit.clone();
    other.owner.0[0] ^= 1;
    assert_eq!(other.verify(&root), Err(ExitError::Account(account)));
    let mut moved = exit.clone();
    moved.leaves[at].key = Key::bal(3, 0, 0);
    assert_eq!(moved.verify(&root), Err(ExitError::Leaf { key: Key::bal(3, 0, 0).raw() }));
    assert!(exit.verify(&run.genesis.root()).is_err());
    let nobody = AccountId::new(1 << 20).unwrap();
    assert_eq!(realm.exit(nobody, &[]), Err(ExitError::NoAccount(nobody)));
}

#[test]
fn accounts_exit_with_positions_and_the_prices_of_their_markets() {
    let run = trades(60, 4);
    let realm = rebuild(&run);
    let held = |key: Key| key.hi() >> 24 == 0 && key.lo() % cell::COUNT >= cell::POS;
    let (position, _) = realm.leaves().find(|(key, _)| held(*key)).unwrap();
    let exit = realm.exit(AccountId::new(position.hi()).unwrap(), &[]).unwrap();
    assert_eq!(exit.verify(&run.state.root()), Ok(()));
    let market = position.lo() % cell::COUNT - cell::POS;
    for key in [position, Key::mkp(market), Key::mkf(market), Key::PARAMS] {
        assert!(exit.leaves.iter().any(|leaf| leaf.key == key));
    }
    let pages = exit.leaves.iter().filter(|leaf| leaf.key.lo() == 0 && leaf.key.hi() >> 24 == 0);
    let counts: u32 = pages.map(|leaf| u32::from(SubCell::from_leaf(&leaf.value).unwrap().pos_count)).sum();
    assert_eq!(counts as usize, exit.leaves.iter().filter(|leaf| held(leaf.key)).count());
}

#[test]
fn accounts_exit_with_margin_tokens_and_the_prices_of_these() {
    // the first batch of the example leaves a margin balance
    let mut run = collateral();
    run.batches.truncate(1);
    let batch = &run.batches[0];
    run.state = batch.after.clone();
    let pricing: Vec<MarketId> = batch.params.collateral.iter().map(|token| token.market).collect();
    let realm = rebuild(&run);
    let (margin, _) =
        realm.leaves().find(|(key, _)| key.hi() >> 24 == 0 && key.lo() % 512 == cell::MBAL).unwrap();
    let account = AccountId::new(margin.hi()).unwrap();
    let exit = realm.exit(account, &pricing).unwrap();
    assert_eq!(exit.verify(&run.state.root()), Ok(()));
    let priced = u32::from(pricing[0].get());
    for key in [margin, Key::mkp(priced), Key::PARAMS] {
        assert!(exit.leaves.iter().any(|leaf| leaf.key == key && leaf.value != ZERO));
    }
    assert_eq!(realm.exit(account, &[]), Err(ExitError::Pricing { place: 0 }));
}

/// The realm before the last batch of a workload, and the data of that batch.
fn before_last() -> (Realm, Data) {
    let run = workload(120, 3);
    let all = published(&run).unwrap();
    let mut realm = Realm::genesis(&all[0]).unwrap();
    all[1..3].iter().for_each(|data| realm.apply(data).unwrap());
    assert!(!all[3].withdrawals.is_empty() && all[3].leaves.len() > 20);
    (realm, all[3].clone())
}

#[test]
fn every_lie_about_a_batch_is_refused() {
    let (realm, honest) = before_last();
    let refused = |what: &str, lie: &dyn Fn(&mut Data)| {
        let mut data = honest.clone();
        lie(&mut data);
        assert_ne!(data, honest, "{what}");
        let (mut changed, root) = (realm.clone(), realm.root());
        let error = changed.apply(&data).expect_err(what);
        assert_eq!(changed.root(), root, "{what}: the realm stays");
        error
    };
    let new_root = |error| assert!(matches!(error, ApplyError::NewRoot { batch: 3, .. }), "{error}");
    new_root(refused("a leaf with another value", &|d| d.leaves[5].1[0] += F::ONE));
    new_root(refused("a missing leaf", &|d| _ = d.leaves.remove(5)));
    new_root(refused("a removed leaf", &|d| d.leaves[5].1 = ZERO));
    new_root(refused("a missing withdrawal", &|d| _ = d.withdrawals.pop()));
    new_root(refused("a doubled withdrawal", &|d| d.withdrawals.push(d.withdrawals[0])));
    new_root(refused("a larger withdrawal", &|d| d.withdrawals[0].units = Units::MAX));
    new_root(refused("another receiver", &|d| d.withdrawals[0].to.0[19] ^= 1));
    new_root(refused("another private realm", &|d| d.roots.private[7] += F::ONE));
    new_root(refused("another new root", &|d| d.roots.new[0] += F::ONE));
    new_root(refused("another time", &|d| d.context.time += 1));
    new_root(refused("another number of accounts", &|d| d.next_account += 1));
    let unchanged = honest.leaves[0].0.raw() + 1;
    let free = Key::new(unchanged).filter(|key| honest.leaves[1].0 != *key).unwrap();
    let value = realm.get(free);
    let error = refused("a leaf that does not change", &|d| d.leaves.insert(1, (free, value)));
    assert_eq!(error, ApplyError::Unchanged { key: unchanged });
    let error = refused("another old root", &|d| d.roots.old[0] += F::ONE);
    assert!(matches!(error, ApplyError::OldRoot { batch: 3, .. }));
    let error = refused("another system", &|d| d.context.system[0] += F::ONE);
    assert_eq!(error, ApplyError::System);
    let error = refused("other parameters", &|d| d.context.params[0] += F::ONE);
    assert_eq!(error, ApplyError::Params(3));
    let error = refused("a batch that is not the next", &|d| d.context.batch = 4);
    assert_eq!(error, ApplyError::Batch { expected: 3, got: 4 });
    let error = refused("a time out of range", &|d| d.context.time = 1 << 48);
    assert_eq!(error, ApplyError::Head);
}

#[test]
fn batches_apply_once_and_in_order() {
    let all = published(&workload(60, 5)).unwrap();
    let mut realm = Realm::genesis(&all[0]).unwrap();
    assert!(matches!(Realm::genesis(&all[1]), Err(ApplyError::Batch { expected: 0, got: 1 })));
    assert!(matches!(realm.apply(&all[2]), Err(ApplyError::Batch { expected: 1, got: 2 })));
    realm.apply(&all[1]).unwrap();
    assert!(matches!(realm.apply(&all[1]), Err(ApplyError::Batch { expected: 2, got: 1 })));
    assert!(matches!(realm.apply(&all[0]), Err(ApplyError::Batch { expected: 2, got: 0 })));
    let mut paid = all[0].clone();
    paid.withdrawals = all.iter().flat_map(|d| &d.withdrawals).copied().take(1).collect();
    assert!(matches!(Realm::genesis(&paid), Err(ApplyError::Withdrawals)));
}

#[test]
fn damaged_bytes_never_lead_to_a_state() {
    let (realm, honest) = before_last();
    let bytes = honest.to_bytes().unwrap();
    assert_eq!(Data::from_bytes(&bytes), Ok(honest));
    let mut decoded = 0;
    for (kind, copy) in damaged(&bytes, 11, 3_000) {
        let Ok(data) = Data::from_bytes(&copy) else { continue };
        decoded += 1;
        assert_eq!(data.to_bytes().unwrap(), copy, "{kind:?}: one encoding");
        assert!(realm.clone().apply(&data).is_err(), "{kind:?}");
    }
    assert!(decoded > 300, "damage reaches the state check: {decoded}");
}

#[test]
fn the_writer_refuses_what_no_batch_did() {
    let run = workload(60, 2);
    let honest = published(&run).unwrap().into_iter().find(|data| !data.withdrawals.is_empty()).unwrap();
    let batch = &run.batches[honest.context.batch as usize - 1];
    let accesses = || batch.records.iter().flat_map(|r| &r.accesses);
    let write = |context, out: &[OutRecord]| {
        Data::from_accesses(context, honest.roots, accesses(), out.to_vec()).map(|_| ())
    };
    assert_eq!(write(batch.context, &honest.withdrawals), Ok(()));
    let other = write(batch.context, &honest.withdrawals[1..]);
    assert!(matches!(other, Err(WriteError::Withdrawals { .. })));
    let mut context = batch.context;
    context.time += 1;
    assert!(matches!(write(context, &honest.withdrawals), Err(WriteError::Context { .. })));
    let mut data = honest.clone();
    data.leaves.swap(0, 1);
    assert_eq!(data.to_bytes(), Err(WriteError::Order(data.leaves[1].0)));
    for key in [Key::HEAD, Key::OUT, Key::ctl(2, 0)] {
        data.leaves = vec![(key, [F::ONE; 8])];
        assert_eq!(data.to_bytes(), Err(WriteError::Order(key)));
    }
    let key = Key::bal(2, 0, 0);
    data.leaves = vec![(key, [F::ONE; 8])];
    assert_eq!(data.to_bytes(), Err(WriteError::Leaf { key: key.raw() }));
    data.leaves.clear();
    data.withdrawals[0].op = 256;
    assert_eq!(data.to_bytes(), Err(WriteError::Code(256)));
    // a state after batches is no genesis
    assert!(genesis_data(run.system.digest(), &run.state).is_err());
}
