//! A whole run in one proof.

use p3_field::PrimeCharacteristicRing;
use tsz_plonk::{PlonkAir, Program, Prover, Value};
use tsz_segment::circuit::{Circuit, GLOBALS};
use tsz_segment::shape::Shape;
use tsz_segment::{SegmentClaim, SegmentError, Words, place};
use tsz_stark::{F, Profile, VerifyingKey};

use crate::{LiftError, build_run, values};

/// Segments of the longest run that one program verifies.
pub const MAX_SEGMENTS: usize = 16;
/// Public values of a run: image and output, 16 halves of words each.
pub const RUN_PUBLICS: usize = 16 + 16;

/// What a run proves: the program of this image ran to its end by itself, with exit code 0, and gave this output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunClaim {
    /// Root of the memory image that the run starts from: the program.
    pub image: Words,
    /// What the program gave to the machine.
    pub output: Words,
}

/// What public values of a run claim.
///
/// # Errors
/// [`SegmentError::Length`] for another number of them, [`SegmentError::Global`] for one outside its range.
pub fn run_claim(publics: &[F]) -> Result<RunClaim, SegmentError> {
    if publics.len() != RUN_PUBLICS {
        return Err(SegmentError::Length { expected: RUN_PUBLICS, got: publics.len() });
    }
    let mut globals = [F::ZERO; GLOBALS];
    for (at, value) in place::STATE_IN.chain(place::OUTPUT).zip(publics) {
        globals[at] = *value;
    }
    globals[place::IS_TERMINATE] = F::ONE;
    let claim = SegmentClaim::read(0, &globals)?;
    let end = claim.end.ok_or(SegmentError::Global(place::IS_TERMINATE))?;
    Ok(RunClaim { image: claim.pre, output: end.output })
}

/// Shapes of the segments of a run.
pub(crate) fn run_shapes(sizes: &[u32]) -> Result<Vec<Shape>, LiftError> {
    if !(1..=MAX_SEGMENTS).contains(&sizes.len()) {
        return Err(LiftError::Segments { expected: MAX_SEGMENTS, got: sizes.len() });
    }
    Ok(sizes.iter().map(|po2| Shape::new(*po2)).collect::<Result<Vec<_>, _>>()?)
}

/// The witness of the seals of a run in segments of these shapes.
pub(crate) fn run_values(shapes: &[Shape], seals: &[impl AsRef<[u32]>]) -> Result<Vec<Value>, LiftError> {
    if seals.len() != shapes.len() {
        return Err(LiftError::Segments { expected: shapes.len(), got: seals.len() });
    }
    let mut inputs = Vec::new();
    for (shape, seal) in shapes.iter().zip(seals) {
        inputs.extend(values(shape, seal.as_ref())?);
    }
    Ok(inputs)
}

/// The program for runs in segments of given sizes, with its keys.
pub struct RunLift {
    shapes: Vec<Shape>,
    prover: Prover,
}

impl RunLift {
    /// Makes the program for runs in segments of `2^po2` cycles, in order, and its keys.
    ///
    /// # Errors
    /// [`LiftError::Seal`] for a size that no segment has, [`LiftError::Segments`] for too many or none.
    pub fn new(sizes: &[u32], profile: Profile) -> Result<Self, LiftError> {
        let shapes = run_shapes(sizes)?;
        let program = Program::fitted(build_run(Circuit::rv32im()?, &shapes), profile)?;
        Ok(Self { shapes, prover: program.keys()? })
    }

    /// The program with its keys.
    pub fn prover(&self) -> &Prover {
        &self.prover
    }

    /// The witness of a run.
    ///
    /// # Errors
    /// [`LiftError::Segments`], [`LiftError::Size`], [`LiftError::Seal`].
    pub fn inputs(&self, seals: &[impl AsRef<[u32]>]) -> Result<Vec<Value>, LiftError> {
        run_values(&self.shapes, seals)
    }

    /// Proves a run: the public values and the proof.
    ///
    /// # Errors
    /// A [`LiftError`]; seals that are no run fail at a gate of the program.
    pub fn prove(&self, seals: &[impl AsRef<[u32]>]) -> Result<(Vec<F>, Vec<u8>), LiftError> {
        Ok(self.prover.prove(&self.inputs(seals)?)?)
    }

    /// Verifies the proof of a run: what it claims.
    ///
    /// # Errors
    /// [`LiftError::Verify`], [`LiftError::Seal`].
    pub fn verify(&self, publics: &[F], proof: &[u8]) -> Result<RunClaim, LiftError> {
        verify_run(self.prover.vk(), publics, proof)
    }
}

/// Verifies the proof of a run under the key of a [`RunLift`]: what it claims.
///
/// # Errors
/// [`LiftError::Verify`], [`LiftError::Seal`].
pub fn verify_run(vk: &VerifyingKey<PlonkAir>, publics: &[F], proof: &[u8]) -> Result<RunClaim, LiftError> {
    let claim = run_claim(publics)?;
    tsz_plonk::verify(vk, publics, proof)?;
    Ok(claim)
}
