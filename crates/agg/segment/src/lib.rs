//! The verifier of risc0's rv32im segment proofs as a program of the recursion machine.
//!
//! [`Lift`] is the program for one size of segments with its keys. A proof of it says that there is a seal of that
//! size that `tsz_segment::verify` accepts, with the claim that its public values hold ([`claim`]): memory image
//! before and after, whether and how the run ends, output. [`RunLift`] is the program for a whole run of a few segments:
//! its public values are the image that the run starts from and the output. [`RunProgram`] is the same for a run of a
//! guest of the extension layer, whose public values are what the aggregation tree joins with a proof of the guard:
//! algorithm id of the program, journal, number of operations ([`GuestClaim`]). [`PartProgram`] is for one segment of a
//! longer run. `SOUNDNESS.md` has the argument, and what is not proven:
//! **a segment seal is worth 97 conjectured bits and about 48 proven ones**, and no lift makes it worth more.

mod constraints;
mod guest;
mod part;
mod program;
mod query;
mod run;
#[cfg(test)]
mod tests;
mod wires;

use thiserror::Error;
use tsz_plonk::{CompileError, Program, Prover, RunError, Value};
use tsz_segment::circuit::{Circuit, GLOBALS};
use tsz_segment::shape::Shape;
use tsz_segment::{Seal, SegmentClaim, SegmentError, place};
use tsz_stark::{F, Profile, SetupError, VerifyError, VerifyingKey};

pub use guest::{
    GUEST_PUBLICS, GuestClaim, Journal, RUNS, RunProgram, build_guest, image_algorithm, run_algorithm,
    run_list, run_name, run_shape,
};
pub use part::{MAX_PARTS, PARTS, Part, PartEnd, PartProgram, build_part, part_name};
pub use program::{build, build_run};
pub use run::{MAX_SEGMENTS, RUN_PUBLICS, RunClaim, RunLift, run_claim, verify_run};
pub use wires::inputs;

/// Public values: memory image before and after, `is_terminate`, exit code, output; digests as 16 halves of words.
pub const PUBLICS: usize = 16 + 16 + 1 + 4 + 16;

/// Why a segment is not lifted.
#[derive(Debug, Error)]
pub enum LiftError {
    /// Words that are no seal of the program's size.
    #[error(transparent)]
    Seal(#[from] SegmentError),
    /// A seal of another size.
    #[error("a segment of 2^{got} cycles, not 2^{expected}")]
    Size {
        /// Size of the program.
        expected: usize,
        /// Size of the seal.
        got: usize,
    },
    /// A run of another number of segments, or of more than a program has.
    #[error("{got} segments, not {expected}")]
    Segments {
        /// Segments of the program, or the most that one has.
        expected: usize,
        /// Segments given.
        got: usize,
    },
    /// The program does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The keys cannot be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A seal that the program refuses.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The prover refuses.
    #[error(transparent)]
    Prove(#[from] tsz_plonk::Error),
    /// A proof that is none.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// Places of the public values among the seal's public felts, in order.
fn exposed() -> impl Iterator<Item = usize> {
    let end = [place::IS_TERMINATE].into_iter().chain(place::EXIT).chain(place::OUTPUT);
    place::STATE_IN.chain(place::STATE_OUT).chain(end)
}

/// What public values of a lift of segments of `2^po2` cycles claim.
///
/// # Errors
/// [`SegmentError::Length`] for another number of them, [`SegmentError::Global`] for one outside its range.
pub fn claim(po2: u32, publics: &[F]) -> Result<SegmentClaim, SegmentError> {
    if publics.len() != PUBLICS {
        return Err(SegmentError::Length { expected: PUBLICS, got: publics.len() });
    }
    let mut globals = [F::default(); GLOBALS];
    for (at, value) in exposed().zip(publics) {
        globals[at] = *value;
    }
    SegmentClaim::read(po2, &globals)
}

/// The witness of a seal of this size.
fn values(shape: &Shape, seal: &[u32]) -> Result<Vec<Value>, LiftError> {
    let seal = Seal::parse(seal)?;
    if seal.shape != *shape {
        return Err(LiftError::Size { expected: shape.po2, got: seal.shape.po2 });
    }
    Ok(inputs(&seal))
}

/// The program for segments of one size, with its keys.
pub struct Lift {
    shape: Shape,
    prover: Prover,
}

impl Lift {
    /// Makes the program and its keys.
    ///
    /// # Errors
    /// [`LiftError::Seal`] for a size that no segment has; otherwise a defect of the program.
    pub fn new(po2: u32, profile: Profile) -> Result<Self, LiftError> {
        let shape = Shape::new(po2)?;
        let program = Program::fitted(build(Circuit::rv32im()?, &shape), profile)?;
        Ok(Self { shape, prover: program.keys()? })
    }

    /// The program with its keys.
    pub fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The witness of a seal.
    ///
    /// # Errors
    /// [`LiftError::Seal`], [`LiftError::Size`].
    pub fn inputs(&self, seal: &[u32]) -> Result<Vec<Value>, LiftError> {
        values(&self.shape, seal)
    }

    /// Proves that the seal is accepted: the public values and the proof.
    ///
    /// # Errors
    /// A [`LiftError`]; a seal that is no proof fails at a gate of the program.
    pub fn prove(&self, seal: &[u32]) -> Result<(Vec<F>, Vec<u8>), LiftError> {
        Ok(self.prover.prove(&self.inputs(seal)?)?)
    }

    /// Verifies a lift: what it claims.
    ///
    /// # Errors
    /// [`LiftError::Verify`], [`LiftError::Seal`].
    pub fn verify(&self, publics: &[F], proof: &[u8]) -> Result<SegmentClaim, LiftError> {
        verify(self.prover.vk(), self.shape.po2 as u32, publics, proof)
    }
}

/// Verifies a lift under the key of the program for this size: what it claims.
///
/// # Errors
/// [`LiftError::Verify`], [`LiftError::Seal`].
pub fn verify(
    vk: &VerifyingKey<tsz_plonk::PlonkAir>,
    po2: u32,
    publics: &[F],
    proof: &[u8],
) -> Result<SegmentClaim, LiftError> {
    let claim = claim(po2, publics)?;
    tsz_plonk::verify(vk, publics, proof)?;
    Ok(claim)
}
