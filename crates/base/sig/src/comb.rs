//! Fixed-base multiplication by a comb of windows.
//!
//! Entry v of window w is (v + 1) 2^(bits w) G, so no entry is the identity. The accumulator starts at H, so no
//! addition meets equal or opposite points unless the discrete logarithm of H is known. A last window of one
//! entry, -sum_w 2^(bits w) G, makes the total s*G + H.

use alloc::vec;
use alloc::vec::Vec;

use p3_field::PrimeField32;
use spin::LazyLock;
use subtle::ConstantTimeEq;
use tsz_hash::F;

use crate::curve::{Affine, Curve, Jacobian};
use crate::ext::Ext;
use crate::scalar::{BITS, Scalar, WORDS};
use crate::{LADDER_DIGITS, Point};

/// Bits of a window of [`fixed_base`].
pub const WINDOW_BITS: usize = 7;
/// Windows of [`fixed_base`] with the last one of one entry.
pub const WINDOWS: usize = BITS.div_ceil(WINDOW_BITS) + 1;
/// Start of every accumulator.
pub const START: Point = <Ext<7> as Curve<7>>::H;

/// A table of multiples of G by window.
pub struct Comb {
    bits: usize,
    windows: Vec<Vec<Point>>,
}

impl Comb {
    fn new(bits: usize) -> Self {
        let mut step = <Ext<7> as Curve<7>>::G;
        let mut ones = Jacobian::IDENTITY;
        let mut windows = Vec::new();
        for _ in 0..BITS.div_ceil(bits) {
            ones = ones.add_affine(&step.neg());
            let mut entry = Jacobian::from(step);
            let mut entries = vec![entry];
            while entries.len() < 1 << bits {
                entry = entry.add_affine(&step);
                entries.push(entry);
            }
            let entries = Jacobian::batch_to_affine(&entries);
            step = entries.last().copied().unwrap_or(step);
            windows.push(entries);
        }
        windows.push(ones.to_affine().into_iter().collect());
        Self { bits, windows }
    }

    /// The points of each window.
    pub fn windows(&self) -> &[Vec<Point>] {
        &self.windows
    }

    /// The entry of each window for a scalar.
    pub fn indices(&self, scalar: &Scalar) -> impl Iterator<Item = usize> {
        let words: [u64; WORDS] = scalar.to_words();
        let (bits, digits) = (self.bits, self.windows.len() - 1);
        (0..=digits).map(move |w| if w < digits { Scalar::window(&words, bits * w, bits) } else { 0 })
    }

    /// s*G + H in variable time.
    pub fn multiply(&self, scalar: &Scalar) -> Jacobian<7> {
        let entries = self.windows.iter().zip(self.indices(scalar)).map(|(entries, v)| &entries[v]);
        entries.fold(START.into(), |acc: Jacobian<7>, entry| acc.add_affine(entry))
    }
}

/// The comb of verification and of the proof's fixed-base table.
pub fn fixed_base() -> &'static Comb {
    static COMB: LazyLock<Comb> = LazyLock::new(|| Comb::new(WINDOW_BITS));
    &COMB
}

const SECRET_BITS: usize = 4;

/// Coordinates as integers, so that a masked scan reads all entries alike.
type Row = [u32; 14];

/// The comb of secret scalars; of its last window there are two, one for each total.
struct SecretComb {
    digits: Vec<Vec<Row>>,
    plain: Point,
    nonce: Point,
}

static SECRET_COMB: LazyLock<SecretComb> = LazyLock::new(|| {
    let row =
        |p: &Point| core::array::from_fn(|i| if i < 7 { p.x.0[i] } else { p.y.0[i - 7] }.as_canonical_u32());
    let mut windows = Comb::new(SECRET_BITS).windows;
    let ones = windows.pop().and_then(|w| w.first().copied()).unwrap_or(START);
    let plain = Jacobian::from(ones).add_affine(&START.neg());
    let offset = Jacobian::from(START).double_times(2 * LADDER_DIGITS).to_affine().unwrap_or(START);
    let last = Jacobian::batch_to_affine(&[plain, plain.add_affine(&offset)]);
    let digits = windows.iter().map(|entries| entries.iter().map(row).collect()).collect();
    SecretComb { digits, plain: last[0], nonce: last[1] }
});

/// k*G in constant time.
pub(crate) fn public_point(k: &Scalar) -> Option<Point> {
    let comb = &*SECRET_COMB;
    multiply_secret(k, comb, &comb.plain)
}

/// k*G + 2^120 H in constant time.
pub(crate) fn nonce_point(k: &Scalar) -> Option<Point> {
    let comb = &*SECRET_COMB;
    multiply_secret(k, comb, &comb.nonce)
}

/// Every entry of a window is read, and the additions do not branch.
fn multiply_secret(k: &Scalar, comb: &SecretComb, last: &Point) -> Option<Point> {
    let words = k.to_words();
    let mut acc = Jacobian::from(START);
    for (w, entries) in comb.digits.iter().enumerate() {
        let digit = Scalar::window(&words, SECRET_BITS * w, SECRET_BITS) as u32;
        acc = acc.add_affine_unchecked(&select(entries, digit));
    }
    acc.add_affine_unchecked(last).to_affine()
}

fn select(entries: &[Row], digit: u32) -> Point {
    let mut row: Row = [0; 14];
    for (v, entry) in (0u32..).zip(entries) {
        let mask = 0u32.wrapping_sub(u32::from(v.ct_eq(&digit).unwrap_u8()));
        for (acc, c) in row.iter_mut().zip(entry) {
            *acc |= c & mask;
        }
    }
    let felt = |i: usize| F::new(row[i]);
    Affine { x: Ext(core::array::from_fn(felt)), y: Ext(core::array::from_fn(|i| felt(i + 7))) }
}
