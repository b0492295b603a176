//! FRI: folding of a row of evaluations, powers of generators by index bits, batch reduction.

use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use tsz_stark::F;

use crate::builder::{Bit, Builder, Ext, Felt};

/// `base^n` for `n = sum bits[k] * 2^k`. One row a bit.
#[track_caller]
pub fn power_of_constant(b: &mut Builder, base: F, bits: &[Bit]) -> Felt {
    let mut power = base;
    let mut acc = b.one();
    for bit in bits {
        acc = b.mul_if(acc, *bit, power);
        power = power.square();
    }
    acc
}

/// `1, x, x^2, .., x^(count-1)`.
#[track_caller]
pub fn powers(b: &mut Builder, x: Ext, count: usize) -> Vec<Ext> {
    let mut power = b.one().into();
    (0..count)
        .map(|_| {
            let this = power;
            power = b.mul(power, x);
            this
        })
        .collect()
}

/// Folds one row of `2^log_arity` evaluations at `beta`: Plonky3's `fold_row` of two-adic FRI.
///
/// `index` are the bits of the row's index, least first; the codeword folded into has `2^index.len()` rows. The
/// evaluations stand at the points `s * w^rev(j)`, where `s = g^rev(index)` and `g`, `w` generate the subgroups of
/// order `2^(index.len() + log_arity)` and `2^log_arity`.
///
/// An arity of `2^k` is k rounds of even-odd folds with beta, beta^2, ..: one row a pair.
///
/// # Panics
/// If there are not `2^log_arity` evaluations.
#[track_caller]
pub fn fold_row(b: &mut Builder, index: &[Bit], log_arity: usize, beta: Ext, evals: &[Ext]) -> Ext {
    assert_eq!(evals.len(), 1 << log_arity, "one evaluation a point");
    // s^-1 = g_inv^rev(index): the last bit of the index has weight 1 in the exponent.
    let g_inv = F::two_adic_generator(index.len() + log_arity).inverse();
    let reversed: Vec<Bit> = index.iter().rev().copied().collect();
    let s_inv = power_of_constant(b, g_inv, &reversed);
    fold_at(b, s_inv, log_arity, beta, evals)
}

/// [`fold_row`] with the inverse of the coset's first point given.
#[track_caller]
pub fn fold_at(b: &mut Builder, s_inv: Felt, log_arity: usize, beta: Ext, evals: &[Ext]) -> Ext {
    let mut scale = b.mul(beta, s_inv.into());
    let mut row = evals.to_vec();
    for log_size in (1..=log_arity).rev() {
        let w_inv = F::two_adic_generator(log_size).inverse();
        row = row
            .as_chunks::<2>()
            .0
            .iter()
            .enumerate()
            .map(|(j, [lo, hi])| {
                // Points of the pair: +-s w^rev(j), rev over the bits of the pair's number.
                let factor = w_inv.exp_u64(reverse(j, log_size - 1) as u64).halve();
                b.fold_pair(scale, factor, *lo, *hi)
            })
            .collect();
        // beta and s are squared from round to round, and so is their quotient.
        scale = b.square(scale);
    }
    row[0]
}

fn reverse(x: usize, bits: usize) -> usize {
    (0..bits).fold(0, |acc, k| acc << 1 | (x >> k & 1))
}

/// `sum_i alpha^i * felts[i]` of felts given as full quads: a row for two quads.
#[track_caller]
pub fn reduce_quads(b: &mut Builder, alpha: Ext, quads: &[Ext]) -> Ext {
    let reversed: Vec<Ext> = quads.iter().rev().copied().collect();
    b.horner(alpha, &reversed)
}

/// `sum_i alpha^i * values[i]` of extension elements: one row a value.
#[track_caller]
pub fn reduce(b: &mut Builder, alpha: Ext, values: &[Ext]) -> Ext {
    let zero = b.zero().into();
    values.iter().rev().fold(zero, |acc, value| b.mul_add(acc, alpha, *value))
}
