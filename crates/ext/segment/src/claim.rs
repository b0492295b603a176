//! What a segment claims: its public felts.

use p3_field::PrimeField32;

use crate::Words;
use crate::circuit::GLOBALS;
use crate::error::SegmentError;
use crate::field::F;

/// Public felts by place, in risc0's order. Digests are 16 halves of words, low half first.
pub mod place {
    use core::ops::Range;

    /// Digest of the input, which guests of this system do not have.
    pub const INPUT: Range<usize> = 0..16;
    /// 1 if the run ends in this segment.
    pub const IS_TERMINATE: usize = 16;
    /// What the guest gives to the machine in the end.
    pub const OUTPUT: Range<usize> = 17..33;
    /// Root of the memory image before.
    pub const STATE_IN: Range<usize> = 54..70;
    /// Root of the memory image after.
    pub const STATE_OUT: Range<usize> = 70..86;
    /// Exit code: high and low half of a0, high and low half of a1.
    pub const EXIT: Range<usize> = 86..90;
}

/// What a segment proves: `2^po2` cycles of the machine, or fewer, lead from one memory image to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentClaim {
    /// log2 of the cycles.
    pub po2: u32,
    /// Root of the memory image before.
    pub pre: Words,
    /// Root of the memory image after.
    pub post: Words,
    /// How the run ends, if it ends in this segment.
    pub end: Option<End>,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Exit code: 0 where the guest halts by itself without an error.
    pub code: u32,
    /// Second word of the exit code; 0 in guests of this system.
    pub more: u32,
    /// What the guest gave to the machine.
    pub output: Words,
}

impl SegmentClaim {
    /// Reads the public felts.
    ///
    /// # Errors
    /// [`SegmentError::Global`] if one is outside its range.
    pub fn read(po2: u32, globals: &[F; GLOBALS]) -> Result<Self, SegmentError> {
        let halves = globals.map(|x| x.as_canonical_u32());
        digest(&halves, place::INPUT.start)?;
        let output = digest(&halves, place::OUTPUT.start)?;
        let code = [place::EXIT.start, place::EXIT.start + 2];
        let [code, more] = code.map(|at| Ok(half(&halves, at)? << 16 | half(&halves, at + 1)?));
        let (code, more) = (code?, more?);
        let end = match halves[place::IS_TERMINATE] {
            0 => None,
            1 => Some(End { code, more, output }),
            _ => return Err(SegmentError::Global(place::IS_TERMINATE)),
        };
        let pre = digest(&halves, place::STATE_IN.start)?;
        let post = digest(&halves, place::STATE_OUT.start)?;
        Ok(Self { po2, pre, post, end })
    }
}

fn half(halves: &[u32; GLOBALS], at: usize) -> Result<u32, SegmentError> {
    let half = halves[at];
    if half < 1 << 16 { Ok(half) } else { Err(SegmentError::Global(at)) }
}

fn digest(halves: &[u32; GLOBALS], start: usize) -> Result<Words, SegmentError> {
    let mut words = Words::default();
    for (k, word) in words.iter_mut().enumerate() {
        *word = half(halves, start + 2 * k)? | half(halves, start + 2 * k + 1)? << 16;
    }
    Ok(words)
}
