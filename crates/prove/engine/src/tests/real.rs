//! The real circuits.

use tsz_ledger::{Access, AlgorithmId};
use tsz_transition::Witness;

use super::pipeline::batches;
use crate::circuits::transition_counts;

#[test]
fn rows_of_a_transition_are_counted_without_a_witness() {
    for batch in batches() {
        let ops: Vec<(AlgorithmId, Vec<Access>)> =
            batch.records.iter().map(|r| (r.algorithm, r.accesses.clone())).collect();
        let witness = Witness::new(&batch.header.context, &ops, &batch.before).unwrap();
        assert_eq!(witness.counts(), transition_counts(&batch));
        assert_eq!(*witness.claim(), batch.header.transition());
    }
}
