//! Hashes of wallets in two tables, numbered through, as the large class has them.

use tsz_chips::keccak::TooManyHashes;
use tsz_chips::wallet::HASHES;
use tsz_stark::Profile;

use super::wallet::honest;
use super::world::place_in;
use crate::Witness;
use crate::class::{Class, WALLET_CLASSES};
use crate::prove::public_values;
use crate::witness::WitnessError;

/// Five hashes in each table.
const SPLIT: Class = Class { hashes: &[7, 7], ..WALLET_CLASSES[0] };
/// Places of the tables in the circuit.
const TABLES: [usize; 2] = [7, 8];

/// Three approvals: the second one has hashes in both tables.
fn witness() -> Witness {
    honest().witness_in(&SPLIT).unwrap()
}

/// Where a change of the two traces is noticed.
fn changed(change: impl FnOnce(&mut Witness)) -> String {
    let mut witness = witness();
    change(&mut witness);
    place_in(&SPLIT, &witness)
}

#[test]
fn hashes_in_two_tables_are_counted_through() {
    assert_eq!(SPLIT.keccaks().iter().map(|table| table.blocks()).collect::<Vec<_>>(), [5, 5]);
    assert_eq!(3 * HASHES, 9);
    assert_eq!(changed(|_| {}), "nowhere");
    // Nothing is in the second table, or in the first.
    let idle = tsz_chips::keccak::trace(&SPLIT.keccaks()[1], &[]).unwrap();
    for at in TABLES {
        assert_eq!(changed(|w| w.traces[at] = idle.clone()), "bus:keccak_in");
    }
    // The second table begins where the first ends: its hashes have no other numbers.
    assert_eq!(changed(|w| w.traces.swap(TABLES[0], TABLES[1])), "bus:keccak_in");
    assert_eq!(changed(|w| w.traces[TABLES[1]] = w.traces[TABLES[0]].clone()), "bus:keccak_in");
}

#[test]
fn rejects_more_hashes_than_both_tables_hold() {
    let class = Class { hashes: &[7, 6], ..SPLIT };
    let needed = WitnessError::Keccak(TooManyHashes { needed: 4, blocks: 2 });
    assert_eq!(honest().witness_in(&class).unwrap_err(), needed);
}

#[test]
fn proves_hashes_in_two_tables() {
    let key = SPLIT.setup(Profile::InsecureTest).unwrap();
    let witness = witness();
    let publics = public_values(&SPLIT, &witness.claim);
    let bytes = tsz_stark::prove(&key, &witness.traces, &publics).unwrap().to_bytes().unwrap();
    tsz_stark::verify(key.vk(), &bytes, &publics).unwrap();
}
