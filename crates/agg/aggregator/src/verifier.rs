//! Verification of single proofs, by vk digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tsz_hash::{Digest, PrimeField32};
use tsz_ledger::{ExecClaim, TransitionClaim};
use tsz_stark::VerifyError;

/// Why a proof is refused under a key.
#[derive(Debug, Error)]
pub enum ProofError {
    /// The vk is listed in the tree, but no verifier for it is registered.
    #[error("no verifying key with this digest is known")]
    UnknownVk,
    /// The key could not be built, or has not the digest it is registered for.
    #[error("verifying key: {0}")]
    Key(String),
    /// The claim cannot be put into the circuit's public values.
    #[error("claim: {0}")]
    Claim(String),
    /// The proof does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// What the check needs to know of circuits. An implementation must not panic on any proof bytes.
pub trait VerifierSet {
    /// Root of the vk tree.
    fn vk_root(&self) -> Digest;

    /// Verifies an exec proof under the key with digest `vk`. That the key is listed for `claim.algorithm` is
    /// the caller's business.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify_exec(&self, vk: &Digest, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError>;

    /// Verifies a transition proof under the key with digest `vk`.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify_transition(&self, vk: &Digest, claim: &TransitionClaim, proof: &[u8])
    -> Result<(), ProofError>;
}

/// Verifier of the exec proofs of one key.
pub trait ExecVerifier: Send + Sync {
    /// Verifies `proof` against `claim`.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify(&self, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError>;
}

/// Verifier of the transition proofs of one key.
pub trait TransitionVerifier: Send + Sync {
    /// Verifies `proof` against `claim`.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify(&self, claim: &TransitionClaim, proof: &[u8]) -> Result<(), ProofError>;
}

type Id = [u32; 8];

fn id(digest: &Digest) -> Id {
    core::array::from_fn(|k| digest[k].as_canonical_u32())
}

/// A vk tree root and the verifiers that circuits register under their vk digests.
///
/// Exec and transition keys are kept apart: a key of one kind never verifies a proof of the other.
#[derive(Clone)]
pub struct VkSet {
    root: Digest,
    execs: BTreeMap<Id, Arc<dyn ExecVerifier>>,
    transitions: BTreeMap<Id, Arc<dyn TransitionVerifier>>,
}

impl VkSet {
    /// A set without verifiers.
    pub fn new(root: Digest) -> Self {
        Self { root, execs: BTreeMap::new(), transitions: BTreeMap::new() }
    }

    /// Registers the verifier of the exec key with digest `vk`, in place of one already there.
    pub fn insert_exec(&mut self, vk: &Digest, verifier: Arc<dyn ExecVerifier>) {
        self.execs.insert(id(vk), verifier);
    }

    /// Registers the verifier of the transition key with digest `vk`, in place of one already there.
    pub fn insert_transition(&mut self, vk: &Digest, verifier: Arc<dyn TransitionVerifier>) {
        self.transitions.insert(id(vk), verifier);
    }
}

impl VerifierSet for VkSet {
    fn vk_root(&self) -> Digest {
        self.root
    }

    fn verify_exec(&self, vk: &Digest, claim: &ExecClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.execs.get(&id(vk)).ok_or(ProofError::UnknownVk)?.verify(claim, proof)
    }

    fn verify_transition(
        &self,
        vk: &Digest,
        claim: &TransitionClaim,
        proof: &[u8],
    ) -> Result<(), ProofError> {
        self.transitions.get(&id(vk)).ok_or(ProofError::UnknownVk)?.verify(claim, proof)
    }
}
