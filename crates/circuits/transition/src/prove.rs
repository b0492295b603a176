//! Prove and verify.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{Access, AlgorithmId, BatchContext, TransitionClaim};
use tsz_smt::Tree;

use crate::error::{ProveError, VerifyError};
use crate::witness::Witness;
use crate::{ProvingKey, VerifyingKey};

/// Tables before the Poseidon2 tables.
const FIXED_TABLES: usize = 6;

/// Proves that the ops (op k has sequence number k) take `tree` to its successor; `tree` is the state before.
///
/// # Errors
/// [`ProveError`] when the access logs do not fit the state or the batch does not fit the size class of the key.
pub fn prove(
    pk: &ProvingKey,
    context: &BatchContext,
    ops: &[(AlgorithmId, Vec<Access>)],
    tree: &Tree,
) -> Result<(TransitionClaim, Vec<u8>), ProveError> {
    Witness::new(context, ops, tree)?.prove(pk)
}

impl Witness<'_> {
    /// Proves the batch.
    ///
    /// # Errors
    /// [`ProveError::Rows`] when the batch does not fit the size class of the key.
    pub fn prove(&self, pk: &ProvingKey) -> Result<(TransitionClaim, Vec<u8>), ProveError> {
        let vk = pk.vk();
        let traces = self.traces(vk.log_heights())?;
        let publics = public_values(&self.claim, vk.airs().len());
        let proof = tsz_stark::prove(pk, &traces.traces, &publics)?;
        let bytes = proof.to_bytes().map_err(|e| ProveError::Encode(e.to_string()))?;
        Ok((self.claim, bytes))
    }
}

/// Public values of a claim for a circuit of `tables` tables, one vector a table.
pub fn public_values(claim: &TransitionClaim, tables: usize) -> Vec<Vec<F>> {
    let mut values = vec![Vec::new(); tables.max(FIXED_TABLES)];
    values[0] = vec![F::from_u32(claim.ops)];
    values[3] = claim.context.to_vec();
    values[4] = [claim.s0, claim.sn, claim.set_root].concat();
    values
}

/// Verifies a transition proof. Never panics, whatever the bytes.
///
/// # Errors
/// [`VerifyError`] unless the bytes are a proof of the claim under the key.
pub fn verify(vk: &VerifyingKey, claim: &TransitionClaim, proof: &[u8]) -> Result<(), VerifyError> {
    let tables = vk.log_heights().len();
    if tables <= FIXED_TABLES {
        return Err(VerifyError::Key(tables));
    }
    // every op has an access; a claim of p + N ops has the same public value as one of N
    let max = vk.log_heights().first().map_or(0, |h| 1 << h);
    if claim.ops == 0 || u64::from(claim.ops) > max {
        return Err(VerifyError::Ops { got: claim.ops, max });
    }
    Ok(tsz_stark::verify(vk, proof, &public_values(claim, tables))?)
}
