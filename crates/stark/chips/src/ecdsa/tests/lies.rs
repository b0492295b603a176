//! One test for each lie. A liar fills every table as if the lie were true: only the lie itself may fail.

use tsz_air::Tamper;

use super::*;

fn place(traces: &[Trace]) -> String {
    match verdict(&P256, traces) {
        Ok(()) => "nowhere".into(),
        Err(Violation::Shape { air }) => format!("shape {air}"),
        Err(Violation::Constraint { air, .. }) => air,
        Err(Violation::Bus { bus, .. }) => format!("bus:{bus}"),
    }
}

fn edit<C: Columns<F>>(trace: &mut Trace, row: usize, f: impl FnOnce(&mut C)) {
    let out = &mut trace.values[row * C::WIDTH..][..C::WIDTH];
    let mut cols = C::from_row(out);
    f(&mut cols);
    cols.to_row(out);
}

fn swap_rows(trace: &mut Trace, a: usize, b: usize) {
    (0..trace.width).for_each(|c| trace.values.swap(a * trace.width + c, b * trace.width + c));
}

fn lie(change: impl FnOnce(&mut SignedDigest)) -> String {
    let mut signature = signed(1);
    change(&mut signature);
    place(&traces(&P256, &[signature]))
}

#[test]
fn rejects_a_signature_of_another_digest_r_or_s() {
    assert_eq!(lie(|s| s.digest += 1u8), "mulmod");
    assert_eq!(lie(|s| s.s += 1u8), "mulmod");
    assert_eq!(lie(|s| s.r += 1u8), "mulmod");
    // -s and -r instead of -s alone.
    assert_eq!(lie(|s| s.r = &P256.order.value - &s.r), "mulmod");
}

#[test]
fn rejects_r_or_s_of_zero() {
    let (zero, n) = (BigUint::default(), P256.order.value.clone());
    for value in [&zero, &n, &(&n + 1u8)] {
        for signature in
            [SignedDigest { s: value.clone(), ..signed(1) }, SignedDigest { r: value.clone(), ..signed(1) }]
        {
            assert_eq!(generate(&P256, &[signature], &HEIGHTS).map(|_| ()), Err(Failed::Range(0)));
        }
    }
    // s = 0 has no inverse, so a liar has no R; with r = 0 there is one.
    let signature = SignedDigest { s: zero.clone(), ..signed(1) };
    assert_eq!(assemble(&P256, &[signature], &HEIGHTS).map(|_| ()), Err(Failed::NoLadder(0)));
    assert_eq!(lie(|s| s.r = zero.clone()), "mulmod");
    // r = 0 and r = n as the abscissa of R.
    for x in [zero, n] {
        let mut tables = traces(&P256, &[signed(1)]);
        edit::<VerifyCols<F>>(&mut tables[VERIFY], 0, |row| row.nonce_x = raw_bytes(&x).map(F::from_u8));
        assert_eq!(place(&tables), "p256_verify");
    }
}

#[test]
fn rejects_a_nonce_that_is_the_key() {
    // k = d: r = x(Q), s = (e + r d) / d = e / d + r; here d = 2.
    let key = P256.double(&P256.generator);
    let (n, digest) = (&P256.order.value, BigUint::from(12u8));
    let r = &key.x % n;
    let s = (BigUint::from(6u8) + &r) % n;
    let signature = SignedDigest { key, digest, r, s, uses: 1 };
    assert_eq!(generate(&P256, &[signature], &HEIGHTS).unwrap_err(), Failed::NoLadder(0));
}

#[test]
fn rejects_a_key_that_is_no_point() {
    assert_eq!(lie(|s| s.key.y += 1u8), "mulmod");
    assert_eq!(lie(|s| s.key = Affine { x: BigUint::default(), y: BigUint::default() }), "mulmod");
}

/// Puts other bytes into a row.
type Change = fn(&mut VerifyCols<F>, [F; LIMBS]);

#[test]
fn rejects_coordinates_that_are_not_below_p() {
    for (k, value) in [P256.field.value.clone(), &P256.field.value + 5u8].into_iter().enumerate() {
        let bytes = raw_bytes(&value).map(F::from_u8);
        let changes: [Change; 3] = [|r, b| r.key_x = b, |r, b| r.key_y = b, |r, b| r.nonce_x = b];
        for change in changes {
            let mut tables = traces(&P256, &[signed(1)]);
            edit::<VerifyCols<F>>(&mut tables[VERIFY], 0, |row| change(row, bytes));
            assert_eq!(place(&tables), "p256_verify", "{k}");
        }
    }
}

#[test]
fn rejects_a_multiplier_of_zero_for_r() {
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<VerifyCols<F>>(&mut tables[VERIFY], 0, |row| {
        row.multiplier_b = super::super::verify::half().map(F::from_u8);
    });
    assert_eq!(place(&tables), "p256_verify");
}

/// A = T with a slope of the liar's choice: the identities hold, and only the inverse is missing.
#[test]
fn rejects_an_addition_of_equal_points() {
    let table = LadderTable::new(&P256, HEIGHTS.ladders()[0]);
    let tables = traces(&P256, &[signed(1)]);
    let rows: Vec<LadderCols<F>> = (0..1 << HEIGHTS.ladders[0])
        .map(|r| LadderCols::from_row(&tables[LADDER].values[r * LadderCols::<F>::WIDTH..]))
        .collect();
    // x_A is x_T, or another representative of it: 5 and 5 + p as stored bytes.
    let stored = |x: BigUint| raw_bytes(&x).map(F::from_u8);
    let pairs = [
        (rows[1].term_x, rows[1].term_x),
        (stored(&P256.field.value + 5u8), stored(BigUint::from(5u8))),
        (stored(BigUint::from(5u8)), stored(&P256.field.value + 5u8)),
    ];
    for pair in pairs {
        let mut rows = rows.clone();
        (rows[1].x, rows[1].term_x) = pair;
        let lie = super::super::ladder::finish(&table, rows);
        let row = LadderCols::<F>::from_row(&lie.values[LadderCols::<F>::WIDTH..]);
        assert_eq!((row.apart, row.apart_inv), (F::ZERO, F::ZERO));
        let mut tables = tables.clone();
        tables[LADDER] = lie;
        assert_eq!(place(&tables), "p256_ladder");
    }
}

/// The first step starts at another abscissa with the right ordinate, on a line of the liar's choice: all identities of
/// the boundary hold.
#[test]
fn rejects_a_ladder_that_starts_elsewhere() {
    use num_bigint::BigInt;
    use tsz_air::PrimeField32;
    let table = LadderTable::new(&P256, HEIGHTS.ladders()[0]);
    let mut tables = traces(&P256, &[signed(1)]);
    let width = LadderCols::<F>::WIDTH;
    let mut rows: Vec<LadderCols<F>> = (0..1 << HEIGHTS.ladders[0])
        .map(|r| LadderCols::from_row(&tables[LADDER].values[r * width..]))
        .collect();
    let value = |stored: &[F; LIMBS]| {
        let sum = |bytes: [u8; LIMBS]| BigInt::from(BigUint::from_bytes_le(&bytes));
        sum(stored.map(|b| b.as_canonical_u32() as u8)) - sum([128; LIMBS])
    };
    let first = rows[1];
    let x = P256.reduce(value(&first.x) + 1);
    let sign = if first.bits[0] == F::ONE { 1 } else { -1 };
    // y_0 = l (x - x_T) + d y_T.
    let rise = value(&rows[0].slope_acc) - value(&first.term_y) * sign;
    let slope = P256.divide(&rise, &(BigInt::from(x.clone()) - value(&first.term_x)));
    rows[1].x = P256.balanced(&x).map(F::from_u8);
    rows[1].slope_sum = P256.balanced(&slope).map(F::from_u8);
    tables[LADDER] = super::super::ladder::finish(&table, rows);
    match verdict(&P256, &tables) {
        Err(Violation::Constraint { air, row: 0, .. }) if air == "p256_ladder" => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejects_digits_and_signs_that_differ() {
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<LadderCols<F>>(&mut tables[LADDER], 40, |row| row.bits = row.bits.map(|b| F::ONE - b));
    assert_eq!(place(&tables), "p256_ladder");
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<LadderCols<F>>(&mut tables[LADDER], 40, |row| row.is_diff = F::ONE - row.is_diff);
    assert_eq!(place(&tables), "p256_ladder");
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<LadderCols<F>>(&mut tables[LADDER], 40, |row| row.sum_a[0] += F::ONE);
    assert_eq!(place(&tables), "p256_ladder");
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<CombCols<F>>(&mut tables[COMB], 5, |row| row.digit += F::ONE);
    assert!(["bus:p256_entry", "bus:p256_digit"].contains(&place(&tables).as_str()));
}

#[test]
fn rejects_blocks_of_another_signature() {
    let mut tables = traces(&P256, &[signed(1), signed(2)]);
    swap_rows(&mut tables[VERIFY], 0, 1);
    assert!(place(&tables).starts_with("bus:p256_"), "{}", place(&tables));
}

#[test]
fn rejects_points_of_another_signature() {
    // The ladder of signature 1 with S of signature 2 and everything solved again.
    let table = LadderTable::new(&P256, HEIGHTS.ladders()[0]);
    let mut tables = traces(&P256, &[signed(1), signed(2)]);
    let width = LadderCols::<F>::WIDTH;
    let mut rows: Vec<LadderCols<F>> = (0..1 << HEIGHTS.ladders[0])
        .map(|r| LadderCols::from_row(&tables[LADDER].values[r * width..]))
        .collect();
    let foreign = (LADDER_ROWS..2 * LADDER_ROWS).map(|r| rows[r]).find(|r| r.is_diff == rows[1].is_diff);
    let foreign = foreign.expect("some step has the same point");
    (rows[1].term_x, rows[1].term_y) = (foreign.term_x, foreign.term_y);
    tables[LADDER] = super::super::ladder::finish(&table, rows);
    assert_eq!(place(&tables), "p256_ladder");
}

#[test]
fn rejects_a_signature_that_no_block_proves() {
    let mut tables = traces(&P256, &[signed(1)]);
    let rows = HEIGHTS.capacity();
    edit::<VerifyCols<F>>(&mut tables[VERIFY], rows, |row| row.uses = F::ONE);
    assert_eq!(place(&tables), "p256_verify");
    // Used twice, proven once.
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<VerifyCols<F>>(&mut tables[VERIFY], 0, |row| row.uses = F::TWO);
    assert_eq!(place(&tables), "bus:ecdsa_p256");
}

#[test]
fn rejects_steps_that_provide_starts_or_ends() {
    for (row, start) in [(7, true), (7, false), (0, false)] {
        let mut tables = traces(&P256, &[signed(1)]);
        edit::<LadderCols<F>>(&mut tables[LADDER], row, |r| {
            let uses = if start { &mut r.start_uses } else { &mut r.end_uses };
            *uses = F::ONE;
        });
        assert_eq!(place(&tables), "p256_ladder");
    }
    for row in [4, 0] {
        let mut tables = traces(&P256, &[signed(1)]);
        edit::<CombCols<F>>(&mut tables[COMB], row, |r| r.end_uses += F::ONE);
        assert_eq!(place(&tables), "p256_comb");
    }
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<CombCols<F>>(&mut tables[COMB], 0, |r| r.digit_uses = F::ONE);
    assert_eq!(place(&tables), "p256_comb");
}

#[test]
fn rejects_a_comb_that_starts_elsewhere() {
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<CombCols<F>>(&mut tables[COMB], 1, |row| row.x[3] += F::ONE);
    assert_eq!(place(&tables), "p256_comb");
}

#[test]
fn rejects_a_carry_of_one_more() {
    let mut tables = traces(&P256, &[signed(1)]);
    edit::<LadderCols<F>>(&mut tables[LADDER], 9, |row| row.carries[2][7] += F::ONE);
    assert_eq!(place(&tables), "p256_ladder");
}

#[test]
fn every_column_is_constrained() {
    let circuit = circuit(&P256, Profile::InsecureTest);
    let tables = traces(&P256, &[signed(1), signed(2), signed(3)]);
    let tamper = Tamper {
        airs: &circuit.airs,
        traces: &tables,
        public_values: &publics(),
        real_rows: &[
            1,
            3,
            3 * LADDER_ROWS + 1,
            3 * COMB_ROWS + 1,
            1 << ENTRIES_LOG_HEIGHT,
            60,
            1 << 16,
            1 << 15,
        ],
        trials: 4,
        seed: 1,
    };
    tamper.assert_constrained(&[]);
}
