//! risc0's Fiat-Shamir transcript over Poseidon2-24.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use tsz_poseidon24::{Digest, RATE, WIDTH, permute};

use crate::field::{Ext, F, embed};

/// Reads of which the first that is not zero gives the bits of a position.
const DRAWS: usize = 4;

/// A transcript: digests are added to the first eight lanes, challenges are the 16 lanes of the rate in order.
#[derive(Clone, Debug)]
pub struct Transcript {
    state: [F; WIDTH],
    used: usize,
}

impl Transcript {
    /// The transcript of the proof system `RISC0_STARK:v1__` and the circuit `RV32IM:v2rev2___`.
    pub fn new() -> Self {
        let mut transcript = Self { state: [F::ZERO; WIDTH], used: 0 };
        for name in NAMES {
            transcript.commit(&tsz_poseidon24::hash(name.map(F::from_u8)));
        }
        transcript
    }

    /// Absorbs a digest.
    pub fn commit(&mut self, digest: &Digest) {
        if self.used != 0 {
            self.refill();
        }
        for (x, d) in self.state.iter_mut().zip(digest) {
            *x += *d;
        }
        permute(&mut self.state);
    }

    /// Draws a felt.
    pub fn felt(&mut self) -> F {
        if self.used == RATE {
            self.refill();
        }
        self.used += 1;
        self.state[self.used - 1]
    }

    /// Draws an extension element.
    pub fn ext(&mut self) -> Ext {
        embed(core::array::from_fn(|_| self.felt()))
    }

    /// Draws a number of `bits` bits.
    pub fn position(&mut self, bits: usize) -> usize {
        let draws: [u32; DRAWS] = core::array::from_fn(|_| self.felt().as_canonical_u32());
        let first = draws.into_iter().find(|x| *x != 0).unwrap_or(0);
        first as usize & ((1 << bits) - 1)
    }

    fn refill(&mut self) {
        permute(&mut self.state);
        self.used = 0;
    }
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new()
    }
}

/// Names of the proof system and of the circuit, a felt a byte: the transcript starts with their hashes.
pub const NAMES: [[u8; 16]; 2] = [*b"RISC0_STARK:v1__", *b"RV32IM:v2rev2___"];
