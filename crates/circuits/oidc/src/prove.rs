//! Prove and verify.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing};
use tsz_hash::Digest;
use tsz_ledger::{AlgorithmId, BatchContext, ExecClaim};

use crate::class::Class;
use crate::record::OidcRecord;
use crate::witness::{Witness, WitnessError, publics};
use crate::{ProvingKey, VerifyingKey};

/// Bits of batch numbers and times.
const U48: u64 = 1 << 48;

/// Why there is no proof.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The key is of no size class of these circuits.
    #[error("the key is of no size class of the circuits of social logins")]
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
    /// The key is of no size class of these circuits.
    #[error("the key is of no size class of the circuits of social logins")]
    Key,
    /// A claim about another algorithm.
    #[error("the claim is of algorithm {got:?}, the circuit proves {expected:?}")]
    Algorithm {
        /// The family of the key.
        expected: AlgorithmId,
        /// What the claim says.
        got: AlgorithmId,
    },
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
        /// Blocks that the size class holds.
        max: u64,
    },
    /// A claim to hold the batch's BeginBatch, which is of the fund family.
    #[error("the families of social logins have no BeginBatch")]
    Begin,
    /// The proof does not hold for the claim.
    #[error(transparent)]
    Stark(#[from] tsz_stark::VerifyError),
}

/// Proves that the ops of `records`, in their order, follow the rules of the family of the key, and that the tuple
/// sponge over them goes from `start` to the claim's end.
///
/// # Errors
/// [`ProveError`] when the ops do not fit the size class of the key or a record is not one of its op. An op that
/// breaks a rule gives a proof that does not verify.
pub fn prove(
    pk: &ProvingKey,
    context: &BatchContext,
    records: &[OidcRecord],
    start: Digest,
) -> Result<(ExecClaim, Vec<u8>), ProveError> {
    let class = Class::with_heights(pk.vk().log_heights()).ok_or(ProveError::Key)?;
    Witness::new(class, context, records, start)?.prove(pk)
}

impl Witness {
    /// Proves the claim.
    ///
    /// # Errors
    /// [`ProveError::Stark`] when the witness is of another size class than the key.
    pub fn prove(&self, pk: &ProvingKey) -> Result<(ExecClaim, Vec<u8>), ProveError> {
        let proof = tsz_stark::prove(pk, &self.traces, &values(&self.claim, self.traces.len()))?;
        let bytes = proof.to_bytes().map_err(|e| ProveError::Encode(e.to_string()))?;
        Ok((self.claim, bytes))
    }
}

/// Tables with the public values S and T: key changes, transfers, withdrawals, approvals.
const SIGNED_TABLES: usize = 4;

/// Public values of each table of a class, from the claim.
pub fn public_values(class: &Class, claim: &ExecClaim) -> Vec<Vec<F>> {
    values(claim, class.log_heights().len())
}

fn values(claim: &ExecClaim, tables: usize) -> Vec<Vec<F>> {
    let mut tuple: Vec<F> = claim.start.iter().chain(&claim.end).copied().collect();
    tuple.push(F::from_u32(claim.count));
    let mut values = vec![publics(&claim.context); SIGNED_TABLES];
    values.push(tuple);
    values.resize(tables, Vec::new());
    values
}

/// Verifies a proof of logins. Never panics, whatever the bytes.
///
/// That the key is the one pinned for the algorithm, and how ranges and batches chain, is for the caller to check.
///
/// # Errors
/// [`VerifyError`] unless the bytes are a proof of the claim under the key.
pub fn verify(vk: &VerifyingKey, claim: &ExecClaim, proof: &[u8]) -> Result<(), VerifyError> {
    let class = Class::with_heights(vk.log_heights()).ok_or(VerifyError::Key)?;
    let expected = class.family().algorithm();
    if claim.algorithm != expected {
        return Err(VerifyError::Algorithm { expected, got: claim.algorithm });
    }
    let BatchContext { batch, time, .. } = claim.context;
    if batch >= U48 || time >= U48 {
        return Err(VerifyError::Context { batch, time });
    }
    if claim.has_begin {
        return Err(VerifyError::Begin);
    }
    // every op has at least one block
    let max = 1 << class.tuple;
    if u64::from(claim.count) > max {
        return Err(VerifyError::Count { got: claim.count, max });
    }
    Ok(tsz_stark::verify(vk, proof, &public_values(class, claim))?)
}
