//! Verification: bytes in, a typed error out, never a panic.

use p3_batch_stark::{BatchProof, verify_batch};
use thiserror::Error;

use crate::circuit::{CircuitAir, VerifyingKey};
use crate::config::{Config, F};
use crate::params::MAX_PROOF_BYTES;
use crate::proof::Proof;
use crate::shape::{self, ShapeError};

/// Why a proof was refused.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// More bytes than any proof has.
    #[error("proof of {got} bytes exceeds {MAX_PROOF_BYTES}")]
    TooLong {
        /// Bytes given.
        got: usize,
    },
    /// The bytes are not an encoding of a proof.
    #[error("malformed proof: {0}")]
    Decode(#[from] postcard::Error),
    /// The bytes decode, but they are not the encoding of what they decode to, or more bytes follow.
    #[error("proof is not canonically encoded")]
    NotCanonical,
    /// Public values of the wrong shape.
    #[error("table {table}: {got} public values, expected {expected}")]
    PublicValues {
        /// Index of the table; the number of tables when the outer length is wrong.
        table: usize,
        /// Number expected.
        expected: usize,
        /// Number given.
        got: usize,
    },
    /// A vector of the proof has another length than the vk demands.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The proof does not hold.
    #[error("invalid proof: {0}")]
    Invalid(String),
    /// Plonky3's verifier panicked. All shapes it relies on are checked first, so this is not known to be
    /// reachable; it is the last line of defence of a node that verifies bytes of strangers.
    #[error("verifier failure")]
    Panicked,
}

/// Verifies proof bytes against a vk and public values (one vector per table, in order).
///
/// # Errors
/// [`VerifyError`] for anything but the canonical bytes of a valid proof.
pub fn verify<A: CircuitAir>(
    vk: &VerifyingKey<A>,
    proof: &[u8],
    public_values: &[Vec<F>],
) -> Result<(), VerifyError> {
    verify_proof(vk, &decode(proof)?, public_values)
}

/// Decodes canonical bytes.
pub(crate) fn decode(proof: &[u8]) -> Result<Proof, VerifyError> {
    if proof.len() > MAX_PROOF_BYTES {
        return Err(VerifyError::TooLong { got: proof.len() });
    }
    let (decoded, rest) = postcard::take_from_bytes::<BatchProof<Config>>(proof)?;
    // Lengths are varints with several encodings, and postcard ignores what follows: one proof, one encoding.
    if !rest.is_empty() || postcard::to_allocvec(&decoded)? != proof {
        return Err(VerifyError::NotCanonical);
    }
    Ok(Proof(decoded))
}

/// Verifies a decoded proof.
///
/// # Errors
/// [`VerifyError`] for anything but a valid proof.
pub fn verify_proof<A: CircuitAir>(
    vk: &VerifyingKey<A>,
    proof: &Proof,
    public_values: &[Vec<F>],
) -> Result<(), VerifyError> {
    if public_values.len() != vk.tables.len() {
        let (table, got) = (vk.tables.len(), public_values.len());
        return Err(VerifyError::PublicValues { table, expected: table, got });
    }
    for (table, (info, values)) in vk.tables.iter().zip(public_values).enumerate() {
        if info.public_values != values.len() {
            let expected = info.public_values;
            return Err(VerifyError::PublicValues { table, expected, got: values.len() });
        }
    }
    shape::check(vk, &proof.0)?;
    // The closure only reads; a caught panic leaves nothing half-written behind.
    let run = std::panic::AssertUnwindSafe(|| {
        verify_batch(&vk.config, &vk.airs, &proof.0, public_values, &vk.common)
    });
    match std::panic::catch_unwind(run) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(VerifyError::Invalid(error.to_string())),
        Err(_) => Err(VerifyError::Panicked),
    }
}
