//! Verification of single proofs, by vk digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tsz_hash::{Digest, PrimeField32};
use tsz_ledger::{ExecClaim, GuardClaim, TransitionClaim};
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
    /// Nothing here verifies runs of guests.
    #[error(
        "the batch holds operations of extension programs, and no verifier of their runs is part of this build"
    )]
    NoRunVerifier,
    /// The run of a guest does not verify.
    #[error("run of the guest: {0}")]
    Run(String),
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

    /// Verifies a proof of the guard under the key with digest `vk`. It says what a program could not do; what it did
    /// is for [`VerifierSet::verify_run`].
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim; where there are no keys of the guard, always.
    fn verify_guard(&self, _vk: &Digest, _claim: &GuardClaim, _proof: &[u8]) -> Result<(), ProofError> {
        Err(ProofError::UnknownVk)
    }

    /// Whether runs of guests can be verified here at all.
    fn has_runs(&self) -> bool {
        false
    }

    /// Verifies the seals of a run: the guest with this image root ended with this output.
    ///
    /// # Errors
    /// [`ProofError`] for anything but the seals of such a run; where nothing verifies runs, always.
    fn verify_run(
        &self,
        _image: &[u32; 8],
        _output: &[u32; 8],
        _seals: &[Vec<u32>],
    ) -> Result<(), ProofError> {
        Err(ProofError::NoRunVerifier)
    }
}

/// Verifier of the guard's proofs of one key.
pub trait GuardVerifier: Send + Sync {
    /// Verifies `proof` against `claim`.
    ///
    /// # Errors
    /// [`ProofError`] for anything but a valid proof of exactly this claim.
    fn verify(&self, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError>;
}

/// Verifier of runs of guests.
pub trait RunVerifier: Send + Sync {
    /// Verifies that the guest with this image root ended by itself with this output.
    ///
    /// # Errors
    /// [`ProofError`] for anything but the seals of such a run.
    fn verify(&self, image: &[u32; 8], output: &[u32; 8], seals: &[Vec<u32>]) -> Result<(), ProofError>;
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
/// Exec, transition and guard keys are kept apart: a key of one kind never verifies a proof of another. So a proof of the
/// guard without a run is refused.
#[derive(Clone)]
pub struct VkSet {
    root: Digest,
    execs: BTreeMap<Id, Arc<dyn ExecVerifier>>,
    transitions: BTreeMap<Id, Arc<dyn TransitionVerifier>>,
    guards: BTreeMap<Id, Arc<dyn GuardVerifier>>,
    runs: Option<Arc<dyn RunVerifier>>,
}

impl VkSet {
    /// A set without verifiers.
    pub fn new(root: Digest) -> Self {
        Self {
            root,
            execs: BTreeMap::new(),
            transitions: BTreeMap::new(),
            guards: BTreeMap::new(),
            runs: None,
        }
    }

    /// Registers the verifier of the exec key with digest `vk`, in place of one already there.
    pub fn insert_exec(&mut self, vk: &Digest, verifier: Arc<dyn ExecVerifier>) {
        self.execs.insert(id(vk), verifier);
    }

    /// Registers the verifier of the transition key with digest `vk`, in place of one already there.
    pub fn insert_transition(&mut self, vk: &Digest, verifier: Arc<dyn TransitionVerifier>) {
        self.transitions.insert(id(vk), verifier);
    }

    /// Registers the verifier of the guard's key with digest `vk`, in place of one already there.
    pub fn insert_guard(&mut self, vk: &Digest, verifier: Arc<dyn GuardVerifier>) {
        self.guards.insert(id(vk), verifier);
    }

    /// Sets the verifier of runs. Without one no bundle with operations of programs is accepted.
    pub fn set_runs(&mut self, verifier: Arc<dyn RunVerifier>) {
        self.runs = Some(verifier);
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

    fn verify_guard(&self, vk: &Digest, claim: &GuardClaim, proof: &[u8]) -> Result<(), ProofError> {
        self.guards.get(&id(vk)).ok_or(ProofError::UnknownVk)?.verify(claim, proof)
    }

    fn has_runs(&self) -> bool {
        self.runs.is_some()
    }

    fn verify_run(&self, image: &[u32; 8], output: &[u32; 8], seals: &[Vec<u32>]) -> Result<(), ProofError> {
        self.runs.as_ref().ok_or(ProofError::NoRunVerifier)?.verify(image, output, seals)
    }
}
