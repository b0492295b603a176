//! Prove and verify.

use thiserror::Error;
use tsz_air::F;
use tsz_hash::{Digest, ZERO};
use tsz_ledger::{AlgorithmId, BatchContext, ExecClaim, Family, GuardClaim};

use crate::class::{APPROVAL_TABLES, ApprovalClass, Class, JOURNAL, PARTY, TABLES, TUPLE};
use crate::record::{ApprovalRecord, ExtensionRecord};
use crate::witness::{ApprovalWitness, Witness, WitnessError, party_publics, signed_publics, sponge_publics};
use crate::{ProvingKey, VerifyingKey};

/// Bits of batch numbers and times.
const U48: u64 = 1 << 48;

/// Why there is no proof.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The key is of no size class of this circuit.
    #[error("the key is of no size class of the guard")]
    Key,
    /// The ops give no witness.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The proof system refused.
    #[error(transparent)]
    Stark(#[from] tsz_stark::ProveError),
    /// The proof could not be encoded.
    #[error("encoding: {0}")]
    Encode(String),
}

/// Why a proof is refused.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The key is of no size class of this circuit.
    #[error("the key is of no size class of the guard")]
    Key,
    /// A claim about another algorithm than approvals.
    #[error("the claim is of algorithm {got:?}, the circuit proves {expected:?}")]
    Algorithm {
        /// Approvals and revocations.
        expected: AlgorithmId,
        /// What the claim says.
        got: AlgorithmId,
    },
    /// The zero digest or the approvals' own algorithm as a program: an empty slot holds zero.
    #[error("the claim is of no program")]
    NoProgram,
    /// A claim that the range holds a BeginBatch, which is of another family.
    #[error("a range of extension operations holds no BeginBatch")]
    Begin,
    /// A batch number or time of more than 48 bits: its limbs would be those of another.
    #[error("batch {batch} at {time} does not fit 48 bits")]
    Context {
        /// Batch number claimed.
        batch: u64,
        /// Time claimed.
        time: u64,
    },
    /// A claim about more ops than the size class holds; as a felt the count could be that of fewer.
    #[error("claim of {got} ops, at most {max}")]
    Count {
        /// Ops claimed.
        got: u32,
        /// Rows of the op tables.
        max: u64,
    },
    /// The proof does not hold for the claim.
    #[error(transparent)]
    Stark(#[from] tsz_stark::VerifyError),
}

/// Proves that the operations of `records`, all of `program`, in their order, keep the rules of the guard; that the
/// tuple sponge over them goes from `start` to the claim's end, and the sponge of their journals from `journal_start` to
/// its journal end.
///
/// # Errors
/// [`ProveError`] when the operations do not fit the size class of the key or a record is not one of its op. An
/// operation that breaks a rule gives a proof that does not verify.
pub fn prove(
    pk: &ProvingKey,
    context: &BatchContext,
    program: AlgorithmId,
    records: &[ExtensionRecord],
    start: Digest,
    journal_start: Digest,
) -> Result<(GuardClaim, Vec<u8>), ProveError> {
    let class = Class::with_heights(pk.vk().log_heights()).ok_or(ProveError::Key)?;
    Witness::new(class, context, program, records, start, journal_start)?.prove(pk)
}

/// Proves that the approvals and revocations of `records`, in their order, follow their rules, and that the tuple sponge
/// over them goes from `start` to the claim's end.
///
/// # Errors
/// [`ProveError`], as [`prove`].
pub fn prove_approvals(
    pk: &ProvingKey,
    context: &BatchContext,
    records: &[ApprovalRecord],
    start: Digest,
) -> Result<(ExecClaim, Vec<u8>), ProveError> {
    let class = ApprovalClass::with_heights(pk.vk().log_heights()).ok_or(ProveError::Key)?;
    ApprovalWitness::new(class, context, records, start)?.prove(pk)
}

impl Witness {
    /// Proves the claim.
    ///
    /// # Errors
    /// [`ProveError::Stark`] when the witness is of another size class than the key.
    pub fn prove(&self, pk: &ProvingKey) -> Result<(GuardClaim, Vec<u8>), ProveError> {
        let proof = tsz_stark::prove(pk, &self.traces, &public_values(&self.claim))?;
        let bytes = proof.to_bytes().map_err(|e| ProveError::Encode(e.to_string()))?;
        Ok((self.claim, bytes))
    }
}

impl ApprovalWitness {
    /// Proves the claim.
    ///
    /// # Errors
    /// [`ProveError::Stark`] when the witness is of another size class than the key.
    pub fn prove(&self, pk: &ProvingKey) -> Result<(ExecClaim, Vec<u8>), ProveError> {
        let proof = tsz_stark::prove(pk, &self.traces, &approval_public_values(&self.claim))?;
        let bytes = proof.to_bytes().map_err(|e| ProveError::Encode(e.to_string()))?;
        Ok((self.claim, bytes))
    }
}

/// Public values of each table of the circuit of programs, from the claim.
pub fn public_values(claim: &GuardClaim) -> Vec<Vec<F>> {
    let exec = &claim.exec;
    let mut values = vec![Vec::new(); TABLES];
    values[PARTY] = party_publics(&exec.algorithm, &exec.context);
    values[JOURNAL] = sponge_publics(&claim.journal_start, &claim.journal_end, exec.count);
    values[TUPLE] = sponge_publics(&exec.start, &exec.end, exec.count);
    values
}

/// Public values of each table of the circuit of approvals, from the claim.
pub fn approval_public_values(claim: &ExecClaim) -> Vec<Vec<F>> {
    let signed = signed_publics(&claim.context);
    let tuple = sponge_publics(&claim.start, &claim.end, claim.count);
    let mut values = vec![signed.clone(), signed, tuple];
    values.resize(APPROVAL_TABLES + 2, Vec::new());
    values
}

/// Verifies a proof of the guard. Never panics, whatever the bytes.
///
/// That a run of the program committed to the journal, that the key is one of the guard and listed for the program, and
/// how ranges and batches chain, is for the caller to check. **Without the run the claim says nothing about what the
/// program did**, only what it could not do.
///
/// # Errors
/// [`VerifyError`] unless the bytes are a proof of the claim under the key.
pub fn verify(vk: &VerifyingKey, claim: &GuardClaim, proof: &[u8]) -> Result<(), VerifyError> {
    let class = Class::with_heights(vk.log_heights()).ok_or(VerifyError::Key)?;
    let program = claim.exec.algorithm;
    if program == ZERO || program == Family::Extension.algorithm() {
        return Err(VerifyError::NoProgram);
    }
    check(&claim.exec, 1 << class.operations)?;
    Ok(tsz_stark::verify(vk, proof, &public_values(claim))?)
}

/// Verifies a proof of approvals. Never panics, whatever the bytes.
///
/// That the key is the one pinned for the algorithm, and how ranges and batches chain, is for the caller to check.
///
/// # Errors
/// [`VerifyError`] unless the bytes are a proof of the claim under the key.
pub fn verify_approvals(vk: &VerifyingKey, claim: &ExecClaim, proof: &[u8]) -> Result<(), VerifyError> {
    let class = ApprovalClass::with_heights(vk.log_heights()).ok_or(VerifyError::Key)?;
    let expected = Family::Extension.algorithm();
    if claim.algorithm != expected {
        return Err(VerifyError::Algorithm { expected, got: claim.algorithm });
    }
    check(claim, class.rows())?;
    Ok(tsz_stark::verify(vk, proof, &approval_public_values(claim))?)
}

/// What public values do not tell apart.
pub(crate) fn check(claim: &ExecClaim, max: u64) -> Result<(), VerifyError> {
    if claim.has_begin {
        return Err(VerifyError::Begin);
    }
    let BatchContext { batch, time, .. } = claim.context;
    if batch >= U48 || time >= U48 {
        return Err(VerifyError::Context { batch, time });
    }
    if u64::from(claim.count) > max {
        return Err(VerifyError::Count { got: claim.count, max });
    }
    Ok(())
}
