//! Runs: segments that follow each other.

use alloc::vec::Vec;

use crate::circuit::GLOBALS;
use crate::error::RunError;
use crate::{Words, verify};

/// Segments of the longest run.
pub const MAX_SEGMENTS: usize = 1 << 11;

/// log2 of the cycles of each segment, as the seals say it; `None` if one is too short to say anything. Nothing is
/// verified.
pub fn sizes(seals: &[impl AsRef<[u32]>]) -> Option<Vec<u32>> {
    seals.iter().map(|seal| seal.as_ref().get(1 + GLOBALS).copied()).collect()
}

/// Verifies that the guest whose memory image has this root ran to its end by itself, with exit code 0, and gave
/// `output` to the machine.
///
/// # Errors
/// A [`RunError`] that says what does not hold.
pub fn verify_run(image: &Words, output: &Words, seals: &[impl AsRef<[u32]>]) -> Result<(), RunError> {
    if !(1..=MAX_SEGMENTS).contains(&seals.len()) {
        return Err(RunError::Segments(seals.len()));
    }
    let mut state = *image;
    for (k, seal) in seals.iter().enumerate() {
        let claim = verify(seal.as_ref()).map_err(|source| RunError::Seal { segment: k, source })?;
        if claim.pre != state {
            let (expected, got) = (*image, claim.pre);
            return Err(if k == 0 { RunError::Image { expected, got } } else { RunError::Chain(k) });
        }
        state = claim.post;
        match (k + 1 == seals.len(), claim.end) {
            (false, None) => {}
            (true, Some(end)) if end.code == 0 && end.more == 0 => {
                if end.output != *output {
                    return Err(RunError::Output { expected: *output, got: end.output });
                }
            }
            _ => return Err(RunError::End(k)),
        }
    }
    Ok(())
}
