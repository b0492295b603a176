//! Proving.

use p3_batch_stark::BatchProof;
use p3_matrix::Matrix;
use thiserror::Error;
use tracing::info_span;

use crate::Trace;
use crate::circuit::{CircuitAir, ProvingKey, VerifyingKey};
use crate::config::{Config, F};
use crate::prover::prove_batch;
use crate::verify::{VerifyError, decode};

/// A batch-STARK proof.
pub struct Proof(pub(crate) BatchProof<Config>);

impl Proof {
    /// The canonical bytes: the only ones [`crate::verify`] accepts for this proof.
    ///
    /// # Errors
    /// An encoding error of postcard; none occurs for a proof made by [`prove`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_allocvec(&self.0)
    }

    /// Reads a proof under a key: canonical bytes of the right shape, nothing else. That it holds is for
    /// [`crate::verify_proof`] to say.
    ///
    /// # Errors
    /// [`VerifyError`] for other bytes.
    pub fn from_bytes<A>(vk: &VerifyingKey<A>, bytes: &[u8]) -> Result<Self, VerifyError> {
        let proof = decode(bytes)?;
        crate::shape::check(vk, &proof.0)?;
        Ok(proof)
    }

    /// The Plonky3 proof, for a verifier inside a circuit.
    pub fn inner(&self) -> &BatchProof<Config> {
        &self.0
    }
}

/// Why no proof was made. An unsatisfying witness is not noticed here: it gives a proof that does not verify.
#[derive(Debug, Error)]
pub enum ProveError {
    /// Not one trace and one vector of public values per table.
    #[error("{tables} tables, {traces} traces, {publics} vectors of public values")]
    Count {
        /// Tables of the circuit.
        tables: usize,
        /// Traces given.
        traces: usize,
        /// Vectors of public values given.
        publics: usize,
    },
    /// A trace of the wrong shape.
    #[error("table {table}: trace is {got_height} x {got_width}, expected {height} x {width}")]
    TraceShape {
        /// Name of the table.
        table: String,
        /// Rows expected.
        height: usize,
        /// Columns expected.
        width: usize,
        /// Rows found.
        got_height: usize,
        /// Columns found.
        got_width: usize,
    },
    /// A wrong number of public values.
    #[error("table {table}: {got} public values, expected {expected}")]
    PublicValues {
        /// Name of the table.
        table: String,
        /// Number expected.
        expected: usize,
        /// Number found.
        got: usize,
    },
    /// The commitment scheme refused.
    #[error("commitment: {0}")]
    Commit(String),
}

/// Proves that `traces` satisfy the circuit with `public_values` (one vector per table, in order).
///
/// # Errors
/// [`ProveError`] when a shape differs from the vk.
pub fn prove<A: CircuitAir>(
    pk: &ProvingKey<A>,
    traces: &[Trace],
    public_values: &[Vec<F>],
) -> Result<Proof, ProveError> {
    let vk = &pk.vk;
    check_shapes(pk, traces, public_values)?;
    let _span = info_span!("prove", tables = traces.len()).entered();
    prove_batch(vk, &pk.data, traces, public_values).map(Proof)
}

fn check_shapes<A>(pk: &ProvingKey<A>, traces: &[Trace], publics: &[Vec<F>]) -> Result<(), ProveError> {
    let tables = &pk.vk.tables;
    if tables.len() != traces.len() || tables.len() != publics.len() {
        return Err(ProveError::Count { tables: tables.len(), traces: traces.len(), publics: publics.len() });
    }
    for ((info, trace), values) in tables.iter().zip(traces).zip(publics) {
        let (height, width) = (1 << info.log_height, info.width);
        if (trace.height(), trace.width()) != (height, width) {
            return Err(ProveError::TraceShape {
                table: info.name.clone(),
                height,
                width,
                got_height: trace.height(),
                got_width: trace.width(),
            });
        }
        if values.len() != info.public_values {
            return Err(ProveError::PublicValues {
                table: info.name.clone(),
                expected: info.public_values,
                got: values.len(),
            });
        }
    }
    Ok(())
}
