//! What trace generators ask of the shared tables.

use tsz_hash::{Block, Digest, WIDTH, hi, join, permute};

use crate::F;

/// Bits of the range table.
pub const RANGE_BITS: usize = 12;
/// Rows of the range table.
pub const RANGE_SIZE: usize = 1 << RANGE_BITS;

/// Messages that tables look up on `p2` and `range12`, collected while their traces are made.
///
/// Each worker fills its own and [`Requests::merge`]s it. The order of requests does not matter to a proof.
#[derive(Clone, Debug)]
pub struct Requests {
    /// Inputs of permutations, one for each active lookup on `p2`.
    pub p2: Vec<[F; WIDTH]>,
    /// Active lookups of each value on `range12`.
    pub range: Vec<u32>,
}

impl Default for Requests {
    fn default() -> Self {
        Self { p2: Vec::new(), range: vec![0; RANGE_SIZE] }
    }
}

impl Requests {
    /// No requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for `P(input)` and returns its high lanes.
    pub fn permute(&mut self, input: [F; WIDTH]) -> Digest {
        self.p2.push(input);
        let mut state = input;
        permute(&mut state);
        hi(&state)
    }

    /// Asks for one step of the sponge; mirrors `bus::step`.
    pub fn step(&mut self, block: &Block, capacity: &Digest) -> Digest {
        self.permute(join(block, capacity))
    }

    /// Asks for a two-to-one compression; mirrors `bus::compress`.
    pub fn compress(&mut self, l: &Digest, r: &Digest) -> Digest {
        let h = self.step(l, r);
        core::array::from_fn(|k| h[k] + r[k])
    }

    /// Asks for a permutation whose output is already known.
    pub fn p2(&mut self, input: [F; WIDTH]) {
        self.p2.push(input);
    }

    /// Asks for `v < 2^12`. A larger value has no entry: it is not counted, and the bus does not balance.
    pub fn range(&mut self, v: u32) {
        if let Some(count) = self.range.get_mut(v as usize) {
            *count += 1;
        }
    }

    /// Splits `v` into `N` limbs of 12 bits, little-endian, and asks for the range of each. Bits above are
    /// dropped, so the limbs of a value that is too large do not compose to it.
    pub fn limbs<const N: usize>(&mut self, v: u64) -> [F; N] {
        core::array::from_fn(|k| {
            let limb = v.checked_shr((RANGE_BITS * k) as u32).unwrap_or(0) as u32 & (RANGE_SIZE as u32 - 1);
            self.range(limb);
            crate::PrimeCharacteristicRing::from_u32(limb)
        })
    }

    /// Adds the requests of another worker.
    pub fn merge(&mut self, other: Self) {
        if self.p2.is_empty() {
            self.p2 = other.p2;
        } else {
            self.p2.extend(other.p2);
        }
        for (count, more) in self.range.iter_mut().zip(other.range) {
            *count += more;
        }
    }
}
