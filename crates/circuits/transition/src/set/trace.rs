//! Rows of the set table.

use tsz_air::{Columns, F, PrimeCharacteristicRing, Requests};
use tsz_hash::{Block, Domain, ZERO, join, step};
use tsz_ledger::{SET_SLOTS, TransitionSet};

use super::columns::SetCols;

fn count_block(count: F) -> Block {
    core::array::from_fn(|k| if k == 0 { count } else { F::ZERO })
}

/// The 128 heap entries.
pub fn rows(set: &TransitionSet) -> Vec<SetCols<F>> {
    let heap = set.heap();
    let entry = |index: usize| {
        let mut row = SetCols { digest: heap[index], ..SetCols::fill(F::ZERO) };
        if (1..SET_SLOTS).contains(&index) {
            (row.a, row.b) = (heap[2 * index], heap[2 * index + 1]);
        } else if let Some(leaf) = index.checked_sub(SET_SLOTS).and_then(|slot| set.leaves().get(slot)) {
            row.used = F::ONE;
            row.count = F::from_u32(leaf.count);
            (row.a, row.b) = (leaf.algorithm, leaf.commitment);
            row.cap1 = step(&row.a, &Domain::SetLeaf.iv(24));
            row.cap2 = step(&row.b, &row.cap1);
        } else {
            row.digest = ZERO;
        }
        row
    };
    (0..2 * SET_SLOTS).map(entry).collect()
}

/// Asks for what the rows look up.
pub fn request(rows: &[SetCols<F>], requests: &mut Requests) {
    for (index, row) in rows.iter().enumerate() {
        if (1..SET_SLOTS).contains(&index) {
            requests.p2(join(&row.a, &row.b));
        } else if row.used == F::ONE {
            requests.p2(join(&row.a, &Domain::SetLeaf.iv(24)));
            requests.p2(join(&row.b, &row.cap1));
            requests.p2(join(&count_block(row.count), &row.cap2));
        }
    }
}
