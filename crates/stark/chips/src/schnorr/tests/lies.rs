//! One test for each lie.

use tsz_air::{F, Field, PrimeCharacteristicRing, Requests, Violation};
use tsz_sig::curve::{Affine, Curve};
use tsz_sig::{Challenge, PublicKey, Scalar, Septic};

use super::*;
use crate::schnorr::trace::{Job, ladder_tables};

#[test]
fn rejects_a_forged_response() {
    let mut sigs = honest();
    sigs[0].signature.s = sigs[0].signature.s + Scalar::ONE;
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_a_forged_challenge() {
    let mut sigs = honest();
    let mut bytes = sigs[0].signature.e.to_bytes();
    bytes[7] ^= 1;
    sigs[0].signature.e = Challenge::from_bytes(&bytes);
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_another_accounts_key() {
    let mut sigs = honest();
    sigs[0].key = key(9).public_key();
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_the_negated_key() {
    let mut sigs = honest();
    sigs[0].key = PublicKey::from_point(sigs[0].key.point().neg()).unwrap();
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_a_key_id_with_another_ordinate() {
    // The id says -P, the ladder uses P.
    let mut tables = traces(&honest(), LOG);
    edit_sig(&mut tables, 2, |row| row.key_id[7] = -row.key_id[7]);
    assert!(verdict(&tables).is_err());
}

#[test]
fn rejects_a_changed_message() {
    let mut sigs = honest();
    sigs[0].message[7] += F::ONE;
    assert_bus(&traces(&sigs, LOG), "schnorr");
}

#[test]
fn rejects_a_message_that_nobody_signed() {
    let sigs = honest();
    let other = (sigs[0].key.key_id(), message(7));
    let wanted = [other, (sigs[1].key.key_id(), sigs[1].message), (sigs[1].key.key_id(), sigs[1].message)];
    assert_bus(&traces_for(&sigs, &wanted, LOG), "sig");
}

#[test]
fn rejects_more_uses_than_provided() {
    let mut tables = traces(&honest(), LOG);
    edit_sig(&mut tables, 1, |row| row.mult = F::ONE);
    assert_bus(&tables, "sig");
}

#[test]
fn rejects_a_wrong_hash() {
    for lane in 0..8 {
        let mut tables = traces(&honest(), LOG);
        edit_sig(&mut tables, 0, |row| row.h1[lane] += F::ONE);
        assert_bus(&tables, "p2");
    }
}

#[test]
fn rejects_a_non_canonical_limb() {
    // hi one lower makes the limb 2^24 higher: hi stays in range, no 24 bits sum up to the limb.
    let mut tables = traces(&honest(), LOG);
    edit_sig(&mut tables, 0, |row| row.hi[2] -= F::ONE);
    assert!(matches!(verdict(&tables), Err(Violation::Bus { .. })));
    // A lane h as h + p: hi = 120.. and lo = h + 1, which is below 2^24. The ladder agrees; the range does not.
    let high = F::from_u32(tsz_sig::challenge::HIGH_LIMIT);
    assert_eq!(high * F::from_u32(1 << 24) + F::ONE, F::ZERO);
    let mut requests = Requests::new();
    requests.range(tsz_sig::challenge::HIGH_LIMIT + HIGH_SHIFT);
    assert!(requests.range.iter().all(|n| *n == 0), "120 has no entry");
    requests.range(tsz_sig::challenge::HIGH_LIMIT - 1 + HIGH_SHIFT);
    assert_eq!(requests.range[4095], 1);
}

#[test]
fn rejects_a_digit_out_of_the_set() {
    // The same limb with 2 in one bit and the next higher bit one lower.
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 3, |row| {
        let j = (0..7).find(|j| row.bits[*j] == F::ONE && row.bits[j + 1] == F::ZERO).unwrap();
        row.bits[j] = F::ZERO;
        row.bits[j + 1] = F::TWO;
    });
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_flipped_bit() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 5, |row| row.bits[0] = F::ONE - row.bits[0]);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_limbs_that_start_above_zero() {
    let mut tables = traces(&honest(), LOG);
    for row in 0..ROWS {
        edit_ladder(&mut tables, row, |row| row.limbs[1] += F::ONE);
    }
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_skipped_row() {
    let mut tables = traces(&honest(), LOG);
    let width = tables[LADDER].width;
    let len = tables[LADDER].values.len();
    tables[LADDER].values.copy_within(5 * width..len, 4 * width);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_swapped_rows() {
    let mut tables = traces(&honest(), LOG);
    swap_rows(&mut tables[LADDER], 4, 5);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_swapped_blocks() {
    // Each ladder would start at the end of another signature's comb.
    let mut tables = traces(&honest(), LOG);
    (0..ROWS).for_each(|r| swap_rows(&mut tables[LADDER], r, ROWS + r));
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_padding_row_that_provides() {
    let wanted = [(key(0).public_key().key_id(), message(0))];
    let mut tables = traces_for(&[], &wanted, LOG);
    let fake = |row: &mut SigCols<F>| (row.key_id, row.msg, row.mult) = (wanted[0].0, wanted[0].1, F::ONE);
    edit_sig(&mut tables, 9, fake);
    assert_constraint(&tables, "sig");
    // With is_real set it must look its statement up.
    edit_sig(&mut tables, 9, |row| row.is_real = F::ONE);
    assert!(matches!(verdict(&tables), Err(Violation::Bus { .. })));
    edit_sig(&mut tables, 9, |row| row.is_real = F::TWO.inverse());
    assert_constraint(&tables, "sig");
}

#[test]
fn rejects_a_statement_provided_before_the_last_row() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 7, |row| row.uses = F::ONE);
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_padding_block_that_provides_too_much() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, ROWS * COUNT + ROWS - 1, |row| row.uses = F::ONE);
    assert_bus(&tables, "schnorr");
}

/// A signature by a key off the curve with everything else computed honestly: the group formulas never use b, so
/// only the curve equation objects to the ladder.
#[test]
fn rejects_a_key_off_the_curve() {
    let sigs = honest();
    let mut tables = traces(&sigs, LOG);
    let off = Affine { x: Septic::new([1, 2, 3, 4, 5, 6, 7]), y: Septic::new([7, 6, 5, 4, 3, 2, 1]) };
    assert!(!off.is_on_curve());
    let mut jobs: Vec<Job> = sigs.iter().map(Job::new).collect();
    jobs[0].key = off;
    let (ladder, comb, _) = ladder_tables(jobs, LOG);
    (tables[LADDER], tables[COMB]) = (ladder, comb);
    match verdict(&tables) {
        // The curve equation is the first of the table: 7 constraints.
        Err(Violation::Constraint { air, row: 0, constraint: 0..7 }) if air == "schnorr" => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejects_a_key_that_changes_within_a_block() {
    let mut tables = traces(&honest(), LOG);
    let other = *key(5).public_key().point();
    edit_ladder(&mut tables, ROWS - 1, |row| (row.key_x, row.key_y) = (other.x.0, other.y.0));
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_ladder_that_starts_elsewhere() {
    // The forger's favourite: start where the ladder needs to, not where the comb ends.
    let mut tables = traces(&honest(), LOG);
    let start = <Septic as Curve<7>>::G;
    edit_ladder(&mut tables, ROWS, |row| (row.x[0], row.y_first) = (start.x.0, start.y.0));
    assert_constraint(&tables, "schnorr");
}

#[test]
fn rejects_a_comb_entry_of_another_window() {
    let mut tables = traces(&honest(), LOG);
    edit_ladder(&mut tables, 2, |row| row.window += F::TWO);
    assert_constraint(&tables, "schnorr");
    let mut tables = traces(&honest(), LOG);
    tables[COMB].values[0] += F::ONE;
    assert_bus(&tables, "comb");
}
