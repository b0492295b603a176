//! A ladder that leaves the curve where the accumulator meets the key.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Requests, Violation};
use tsz_hash::{join, step};
use tsz_sig::comb::fixed_base;
use tsz_sig::{Challenge, Point, PublicKey, Scalar, Septic, point_id};

use super::*;
use crate::schnorr::trace::{Job, ladder_tables, separate};

/// s' of the key P = s' G + H, whose secret nobody knows: the ladder from s' starts at A = P.
const START: u128 = 4;
/// P has order [`ORDER`] on y^2 = x^3 + A x + b' with the b' of P: a root of a division polynomial.
const A: Septic =
    Septic::new([1764356508, 1168433656, 1331584825, 1092084843, 1370743043, 1112996167, 356349432]);
const ORDER: usize = 37;
/// The message with which the ladder of [`NONCE`] P ends at it.
const MESSAGE: usize = 49;
const NONCE: usize = 30;

/// Multiples 0..[`ORDER`] of P on the other curve; entry 0 is none.
fn multiples(p: &Point) -> Vec<Point> {
    let mut points = vec![*p, *p, p.chord(&p.x, &tangent(p))];
    while points.len() < ORDER {
        let last = points[points.len() - 1];
        points.push(last.chord(&p.x, &((last.y - p.y) * (last.x - p.x).inverse())));
    }
    assert_eq!(points[ORDER - 1], p.neg(), "the order of P on the other curve");
    points
}

fn tangent(p: &Point) -> Septic {
    let xx = p.x.square();
    (xx.double() + xx + A) * p.y.double().inverse()
}

/// The multiples of P before each step from P on, with the one after the last; none where a step has no witness.
fn walk(from: usize, bits: &[bool]) -> Option<Vec<usize>> {
    let mut out = vec![from];
    for bit in bits {
        let (n, d) = (out[out.len() - 1], if *bit { 1 } else { ORDER - 1 });
        let next = (2 * n + d) % ORDER;
        if (n + d).is_multiple_of(ORDER) || next == 0 {
            return None;
        }
        out.push(next);
    }
    Some(out)
}

/// The bits of e and eight idle ones, with the multiple of P before each step.
fn steps(e: &Challenge) -> Vec<(usize, bool)> {
    let mut bits: Vec<bool> = (0..120).rev().map(|k| e.bit(k)).collect();
    let mut walked = walk(1, &bits).unwrap();
    assert_eq!(walked.pop(), Some(NONCE));
    let idle = (0u32..256).map(|v| (0..STEPS).map(|k| v >> k & 1 == 1).collect::<Vec<_>>());
    let (idle, tail) = idle.filter_map(|b| walk(NONCE, &b).map(|w| (b, w))).next().unwrap();
    bits.extend(idle);
    walked.extend(tail);
    walked.into_iter().zip(bits).collect()
}

/// Tables of a message by `key` with everything but the ladder's block honest.
fn tables_of(key: &PublicKey, r: &Point) -> (Vec<Trace>, Challenge) {
    let (key_id, r_id, msg) = (key.key_id(), point_id(r), message(MESSAGE));
    let e = Challenge::new(&key_id, &r_id, &msg).unwrap();
    let start = Scalar::from_u128(START);
    let (ladder, comb, _) = ladder_tables(vec![Job { key: *key.point(), e, start }], LOG);
    let mut requests = Requests::new();
    let h1 = step(&key_id, &msg);
    let h2 = step(&r_id, &h1);
    requests.p2(join(&key_id, &msg));
    requests.p2(join(&r_id, &h1));
    let hi = core::array::from_fn(|k| {
        let hi = h2[k].as_canonical_u32() >> 24;
        requests.range(hi);
        requests.range(hi + HIGH_SHIFT);
        F::from_u32(hi)
    });
    let sig = SigCols { is_real: F::ONE, mult: F::ONE, key_id, msg, r_id, h1, h2, hi };
    let user = UserCols { is_real: F::ONE, key_id, msg };
    let mut tables = vec![from_rows(&[user], LOG), from_rows(&[sig], LOG), ladder, comb];
    tables.extend(poseidon2::traces(&requests.p2, &[LOG + 1]).unwrap());
    tables.push(range::trace(&requests.range));
    (tables, e)
}

fn fill(row: &mut LadderCols<F>, p: &Point, points: &[Point], steps: &[(usize, bool)]) {
    for (j, (n, bit)) in steps.iter().enumerate() {
        let (a, addend) = (&points[*n], if *bit { *p } else { p.neg() });
        let l1 = if *a == addend { tangent(a) } else { (a.y - addend.y) * (a.x - p.x).inverse() };
        let x_sum = l1.square() - a.x - p.x;
        row.bits[j] = F::from_bool(*bit);
        row.x[j] = a.x.0;
        row.slope_sum[j] = l1.0;
        row.slope_acc[j] = (a.y.double() * (a.x - x_sum).inverse() - l1).0;
    }
    row.y_first = points[steps[0].0].y.0;
    row.y_last = points[steps[STEPS - 1].0].y.0;
    (row.weights, row.inverse) = separate(&core::array::from_fn(|j| points[steps[j].0].x - p.x));
}

/// At A = P the line of slope l1 touches any curve through P, and the chords after it stay on the one chosen:
/// nothing but x_A != x_P objects to the tables of this test, in which nobody signed.
#[test]
fn rejects_a_ladder_that_hops_to_another_curve() {
    let p = fixed_base().multiply(&Scalar::from_u128(START)).to_affine().unwrap();
    let key = PublicKey::from_point(p).unwrap();
    let points = multiples(&p);
    let (mut tables, e) = tables_of(&key, &points[NONCE]);
    let steps = steps(&e);
    for row in 0..ROWS {
        edit_ladder(&mut tables, row, |out| fill(out, &p, &points, &steps[STEPS * row..][..STEPS]));
    }
    // The constraints before these are 21 of the key and 18 of the challenge.
    match verdict(&tables) {
        Err(Violation::Constraint { air, row: 0, constraint: 39..47 }) if air == "schnorr" => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn rejects_a_wrong_inverse_of_a_difference() {
    for row in [0, 6, ROWS - 1, ROWS * COUNT] {
        for j in 0..STEPS {
            let mut tables = traces(&honest(), LOG);
            edit_ladder(&mut tables, row, |row| row.inverse[j] += F::ONE);
            assert_constraint(&tables, "schnorr");
        }
    }
}

#[test]
fn weights_tell_any_nonzero_differences_from_zero() {
    // Differences on which the powers of 0, 1, .. 5 vanish: (z - 0)(z - 1).. as coefficients.
    let mut d = [F::ZERO; 7];
    d[0] = F::ONE;
    for t in 0..6 {
        let shifted: [F; 7] = core::array::from_fn(|k| if k > 0 { d[k - 1] } else { F::ZERO });
        d = core::array::from_fn(|k| shifted[k] - d[k] * F::from_usize(t));
    }
    let mut differences: [Septic; STEPS] = core::array::from_fn(|j| Septic::base(F::from_usize(j + 1)));
    (differences[3].0, differences[5]) = (d, Septic::z());
    let (weights, inverses) = separate(&differences);
    assert_eq!(weights[1], F::from_u32(6));
    for (d, inverse) in differences.iter().zip(inverses) {
        assert_eq!(F::dot_product(&d.0, &weights) * inverse, F::ONE);
    }
}
