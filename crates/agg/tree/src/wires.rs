//! Claims as wires, and the small gadgets that lifts and joins share.

use p3_field::PrimeCharacteristicRing;
use tsz_hash::Domain;
use tsz_plonk::gadgets::hash::{self, Digest};
use tsz_plonk::{Bit, Builder, Ext, Felt, Value};
use tsz_stark::F;

use crate::claim::{BLOCKS, Claim};

/// Bits of a limb and of a count.
const LIMB_BITS: usize = 24;

/// A claim.
#[derive(Clone, Debug)]
pub(crate) struct ClaimWires {
    pub(crate) blocks: [Digest; BLOCKS],
}

impl ClaimWires {
    /// Any claim, from the witness.
    #[track_caller]
    pub(crate) fn input(b: &mut Builder) -> Self {
        Self { blocks: core::array::from_fn(|_| hash::input(b)) }
    }

    /// The inputs of [`ClaimWires::input`].
    pub(crate) fn values(claim: &Claim) -> Vec<Value> {
        claim.blocks().iter().flat_map(hash::input_values).collect()
    }

    /// Digest of the claim.
    #[track_caller]
    pub(crate) fn digest(&self, b: &mut Builder) -> Digest {
        hash::tagged_digests(b, Domain::Claim, &self.blocks)
    }

    /// The eight felts of block 0 or 1.
    #[track_caller]
    pub(crate) fn felts(&self, b: &mut Builder, block: usize) -> [Felt; 8] {
        let [low, high] = self.blocks[block];
        let (low, high) = (b.unpack(low), b.unpack(high));
        core::array::from_fn(|k| if k < 4 { low[k] } else { high[k - 4] })
    }
}

/// A digest of eight felts.
#[track_caller]
pub(crate) fn pack(b: &mut Builder, felts: [Felt; 8]) -> Digest {
    let [low, high] = [0, 4].map(|at| core::array::from_fn(|k| felts[at + k]));
    [b.pack(low), b.pack(high)]
}

/// A digest of some felts, then zeros.
#[track_caller]
pub(crate) fn pack_short(b: &mut Builder, felts: &[Felt]) -> Digest {
    let zero = b.zero();
    pack(b, core::array::from_fn(|k| felts.get(k).copied().unwrap_or(zero)))
}

/// Asserts that `x` is below 2^24.
#[track_caller]
pub(crate) fn assert_u24(b: &mut Builder, x: Felt) {
    let high: Vec<Felt> = b.bits(x)[LIMB_BITS..].iter().map(|bit| (*bit).into()).collect();
    let sum = b.sum(&high);
    b.assert_zero(sum);
}

/// Asserts that `x` is below 2^24 if `flag`.
#[track_caller]
pub(crate) fn assert_u24_if(b: &mut Builder, flag: Bit, x: Felt) {
    let flagged = b.mul(flag.into(), x);
    assert_u24(b, flagged);
}

/// Asserts `x = y` if `flag`.
#[track_caller]
pub(crate) fn assert_digests_if(b: &mut Builder, flag: Bit, x: Digest, y: Digest) {
    for (x, y) in x.into_iter().zip(y) {
        b.assert_eq_if(flag, x, y);
    }
}

/// `flag ? x : y`.
#[track_caller]
pub(crate) fn select(b: &mut Builder, flag: Bit, x: Digest, y: Digest) -> Digest {
    core::array::from_fn(|q| b.select(flag, x[q], y[q]))
}

/// Boolean inputs of which exactly one is 1.
#[track_caller]
pub(crate) fn one_hot_of(b: &mut Builder, count: usize) -> Vec<Bit> {
    let mut bits = Vec::with_capacity(count);
    for _ in 0..count {
        let x = b.input();
        bits.push(b.assert_bool(x));
    }
    let felts: Vec<Felt> = bits.iter().map(|bit| Felt::from(*bit)).collect();
    let (sum, one) = (b.sum(&felts), b.one());
    b.assert_eq(sum, one);
    bits
}

/// [`one_hot_of`] a fixed number.
#[track_caller]
pub(crate) fn one_hot<const N: usize>(b: &mut Builder) -> [Bit; N] {
    let bits = one_hot_of(b, N);
    core::array::from_fn(|k| bits[k])
}

/// The inputs of [`one_hot_of`].
pub(crate) fn one_hot_values(count: usize, at: usize) -> Vec<Value> {
    (0..count).map(|k| Value::from_bool(k == at)).collect()
}

/// Whether `x < y` for the canonical representatives.
#[track_caller]
pub(crate) fn is_less(b: &mut Builder, x: Felt, y: Felt) -> Bit {
    let (x, y) = (b.bits(x), b.bits(y));
    let mut less: Felt = b.zero();
    for (x, y) in x.into_iter().zip(y) {
        // The highest bit in which they differ decides: y's bit where x's is not y's, else what the lower bits say.
        let both: Felt = b.mul(x.into(), y.into());
        let differ = b.combine([F::ONE, F::ONE, -F::TWO], [x.into(), y.into(), both]);
        let change: Felt = b.sub(y.into(), less);
        less = b.mul_add(differ, change, less);
    }
    b.assert_bool(less)
}

/// A zero digest.
#[track_caller]
pub(crate) fn zero_digest(b: &mut Builder) -> Digest {
    let zero: Ext = b.zero().into();
    [zero; 2]
}
