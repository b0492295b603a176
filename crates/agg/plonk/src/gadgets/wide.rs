//! Poseidon2-24 as risc0 uses it: hashes, Merkle paths, the transcript.

use p3_field::PrimeCharacteristicRing;

use crate::Value;
use crate::builder::{Bit, Builder, Ext};
use crate::gadgets::hash::Digest;

/// Quads of the rate.
const RATE: usize = 4;
type State = [Ext; 6];

#[track_caller]
fn zero_state(b: &mut Builder) -> State {
    let zero = b.constant(Value::ZERO);
    [zero; 6]
}

/// `tsz_poseidon24::hash` of felts given as full quads, at least one; a message whose length is no multiple of four
/// has zeros in the rest of its last quad.
#[track_caller]
pub fn hash(b: &mut Builder, quads: &[Ext]) -> Digest {
    let zero = b.constant(Value::ZERO);
    let mut state = zero_state(b);
    for block in quads.chunks(RATE) {
        for (k, quad) in state[..RATE].iter_mut().enumerate() {
            *quad = block.get(k).copied().unwrap_or(zero);
        }
        state = b.permute24(state);
    }
    [state[0], state[1]]
}

/// Root of a tree of `tsz_poseidon24::compress` from a leaf digest, the bits of its index (least first) and the
/// siblings from the bottom up. One permutation a level.
///
/// # Panics
/// If there is not one bit a sibling.
#[track_caller]
pub fn merkle_root(b: &mut Builder, leaf: Digest, index: &[Bit], siblings: &[Digest]) -> Digest {
    assert_eq!(index.len(), siblings.len(), "one index bit a level");
    index.iter().zip(siblings).fold(leaf, |node, (bit, sibling)| {
        let state = b.permute24_pair(*bit, node, *sibling);
        [state[0], state[1]]
    })
}

/// risc0's transcript. Challenges are read by whole quads; which calls are made when is fixed by the program.
#[derive(Clone, Debug)]
pub struct Transcript {
    state: State,
    /// Quads read since the last permutation.
    used: usize,
}

impl Transcript {
    /// The empty transcript.
    #[track_caller]
    pub fn new(b: &mut Builder) -> Self {
        Self { state: zero_state(b), used: 0 }
    }

    /// Absorbs a digest: it is added to the first eight lanes.
    #[track_caller]
    pub fn commit(&mut self, b: &mut Builder, digest: Digest) {
        if self.used != 0 {
            self.refill(b);
        }
        for (quad, d) in self.state.iter_mut().zip(digest) {
            *quad = b.add(*quad, d);
        }
        self.state = b.permute24(self.state);
    }

    /// The next four felts.
    #[track_caller]
    pub fn quad(&mut self, b: &mut Builder) -> Ext {
        if self.used == RATE {
            self.refill(b);
        }
        self.used += 1;
        self.state[self.used - 1]
    }

    #[track_caller]
    fn refill(&mut self, b: &mut Builder) {
        self.state = b.permute24(self.state);
        self.used = 0;
    }
}
