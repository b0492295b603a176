//! Fixed-base multiplication s*G by a comb of windows.
//!
//! Entry v of window w is (v + 1) 2^(bits w) G, so no entry is the identity. The accumulator starts at a point
//! S that involves H, so no addition meets equal or opposite points unless the discrete logarithm of H is known.
//! The last window's entries also carry -S - sum_w 2^(bits w) G, which makes the total s*G exactly.

use alloc::vec::Vec;

use p3_field::PrimeField32;
use spin::LazyLock;
use subtle::ConstantTimeEq;
use tsz_hash::F;

use crate::curve::{Affine, Curve, Jacobian};
use crate::ext::Ext;
use crate::scalar::{BITS, Scalar, WORDS};
use crate::{LADDER_DIGITS, Point};

/// Bits of a window of [`verifying`]'s comb, but for the last.
pub const WINDOW_BITS: usize = 8;
/// Windows of [`verifying`]'s comb.
pub const WINDOWS: usize = 27;
/// Bits of the last window of [`verifying`]'s comb.
pub const LAST_WINDOW_BITS: usize = BITS - WINDOW_BITS * (WINDOWS - 1);

/// A table of multiples of G by window.
pub struct Comb {
    bits: usize,
    windows: Vec<Vec<Point>>,
}

impl Comb {
    /// Windows of `bits` bits (the last one takes what remains) for an accumulator that starts at `start`.
    fn new(bits: usize, count: usize, start: &Point) -> Self {
        let mut base = Jacobian::from(<Ext<7> as Curve<7>>::G);
        let mut offset = Jacobian::from(start.neg());
        let mut windows = Vec::with_capacity(count);
        for w in 0..count {
            let step = base.to_affine().unwrap_or(*start);
            offset = offset.add_affine(&step.neg());
            let width = if w + 1 == count { BITS - bits * w } else { bits };
            let mut entries = Vec::with_capacity(1 << width);
            let mut entry = Jacobian::from(step);
            for _ in 0..1 << width {
                entries.push(entry);
                entry = entry.add_affine(&step);
            }
            for _ in 0..bits {
                base = base.double();
            }
            windows.push(entries);
        }
        if let (Some(last), Some(offset)) = (windows.last_mut(), offset.to_affine()) {
            for entry in last {
                *entry = entry.add_affine(&offset);
            }
        }
        Self { bits, windows: windows.iter().map(|entries| Jacobian::batch_to_affine(entries)).collect() }
    }

    /// The points of each window.
    pub fn windows(&self) -> &[Vec<Point>] {
        &self.windows
    }

    /// The entry index of each window for a scalar.
    pub fn indices(&self, scalar: &Scalar) -> Vec<usize> {
        let words: [u64; WORDS] = scalar.to_words();
        let last = self.windows.len() - 1;
        (0..=last)
            .map(|w| {
                let width = if w == last { BITS - self.bits * w } else { self.bits };
                Scalar::window(&words, self.bits * w, width)
            })
            .collect()
    }

    /// `start` + s*G where `acc` is `start` plus what the table's offset removes, in variable time.
    pub fn add_to(&self, mut acc: Jacobian<7>, scalar: &Scalar) -> Jacobian<7> {
        for (entries, v) in self.windows.iter().zip(self.indices(scalar)) {
            acc = acc.add_affine(&entries[v]);
        }
        acc
    }
}

/// The comb of verification and of the proof's fixed-base table: it starts where the ladder of c*P ends, at
/// 4^60 H plus the product.
pub fn verifying() -> &'static Comb {
    static COMB: LazyLock<Comb> = LazyLock::new(|| {
        let mut start = Jacobian::from(<Ext<7> as Curve<7>>::H);
        for _ in 0..2 * LADDER_DIGITS {
            start = start.double();
        }
        let start = start.to_affine().unwrap_or(<Ext<7> as Curve<7>>::H);
        Comb::new(WINDOW_BITS, WINDOWS, &start)
    });
    &COMB
}

const SECRET_BITS: usize = 4;
const SECRET_WINDOWS: usize = BITS.div_ceil(SECRET_BITS);

/// Coordinates as integers, so that a masked scan reads all entries alike.
type Row = [u32; 14];

/// k*G in constant time: every entry of a window is read, and the additions do not branch.
pub(crate) fn mul_secret(k: &Scalar) -> Option<Point> {
    static ROWS: LazyLock<Vec<Vec<Row>>> = LazyLock::new(|| {
        let comb = Comb::new(SECRET_BITS, SECRET_WINDOWS, &<Ext<7> as Curve<7>>::H);
        let row = |p: &Point| {
            core::array::from_fn(|i| if i < 7 { p.x.0[i] } else { p.y.0[i - 7] }.as_canonical_u32())
        };
        comb.windows.iter().map(|entries| entries.iter().map(row).collect()).collect()
    });
    let words = k.to_words();
    let mut acc = Jacobian::from(<Ext<7> as Curve<7>>::H);
    for (w, entries) in ROWS.iter().enumerate() {
        let from = SECRET_BITS * w;
        let digit = Scalar::window(&words, from, SECRET_BITS.min(BITS - from)) as u32;
        acc = acc.add_affine_unchecked(&select(entries, digit));
    }
    acc.to_affine()
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
