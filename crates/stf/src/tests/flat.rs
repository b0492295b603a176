//! The state in hash maps is the one in a sorted map.

use alloc::vec::Vec;
use proptest::prelude::*;
use tsz_hash::{F, PrimeCharacteristicRing, ZERO};
use tsz_ledger::{Access, Key, Leaf, Realm};

use crate::{FlatView, MemView, View};

/// Keys that meet often: of few accounts and markets, near the bounds of every part.
fn key() -> impl Strategy<Value = Key> {
    let cells =
        prop_oneof![Just(0u32), 1..9u32, 95..102u32, 128..131u32, 254..260u32, 318..322u32, 510..512u32];
    let realm = prop_oneof![Just(Realm::Published), Just(Realm::Private)];
    let accounts = prop_oneof![Just(0u32), Just(1), Just(0xff_ffff)];
    let user = (realm.clone(), accounts, prop_oneof![Just(0u32), Just(1), Just(31)], cells);
    let user = user.prop_map(|(realm, account, sub, cell)| Key::user(realm, account, sub, cell));
    let index = prop_oneof![0..6u32, Just(u32::MAX)];
    let system = (realm, 0..8u32, index).prop_map(|(realm, kind, index)| Key::system(realm, kind, index));
    prop_oneof![4 => user, 1 => system]
}

fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![Just(ZERO), (1..9u32).prop_map(|n| [F::from_u32(n); 8])]
}

proptest! {
    #[test]
    fn views_agree(writes in prop::collection::vec((key(), leaf(), any::<bool>()), 1..120)) {
        let (mut flat, mut sorted) = (FlatView::with_capacity(2, 2), MemView::default());
        for (key, leaf, write) in writes {
            let access = Access { key, write, old: sorted.get(key), new: leaf };
            flat.commit(&[access]);
            sorted.commit(&[access]);
            prop_assert_eq!(flat.get(key), sorted.get(key));
            let (account, sub) = (key.hi() & 0xff_ffff, key.lo() / 512);
            prop_assert_eq!(flat.markets(account, sub), sorted.markets(account, sub));
        }
        let mut leaves: Vec<_> = flat.leaves().collect();
        leaves.sort_by_key(|(key, _)| *key);
        prop_assert_eq!(&leaves, &sorted.leaves().collect::<Vec<_>>());
        let again = FlatView::from_leaves(leaves.iter().copied());
        prop_assert!(leaves.iter().all(|(key, leaf)| again.get(*key) == *leaf));
        prop_assert_eq!(again.leaves().count(), leaves.len());
    }
}
