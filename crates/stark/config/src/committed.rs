//! Preprocessed columns as committed: what making a proving key spends its time on, as bytes.
//!
//! The bytes hold the low-degree extension of the preprocessed columns and its Merkle tree. [`setup_with`] makes a
//! key of them without computing either. What it checks: a checksum, which comes first, so that damage is an error;
//! every length against the circuit, so that nothing that is made of the bytes has another shape; that every felt is
//! one. The digest of the key commits to the root in the bytes: where it is the expected one and nobody wrote them on
//! purpose, they are the circuit's. That the columns hash to the root is not checked, as hashing them is most of what
//! making the key takes. Whoever writes other columns with the root and a checksum makes proofs that do not hold, never
//! a verifier accept: verifiers do not read them.

use std::sync::Arc;

use p3_air::{Air, AirBuilder, BaseAir};
use p3_batch_stark::ProverData;
use p3_batch_stark::common::{GlobalPreprocessed, PreprocessedInstanceMeta};
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleTree;
use sha2::{Digest as _, Sha256};

use crate::circuit::{Circuit, CircuitAir, Prepared, ProvingKey, SetupError, VerifyingKey, finish, prepare};
use crate::config::{Commitment, Config, F};

/// Bytes of the checksum.
const CHECKSUM: usize = 32;

/// Bytes of a felt.
const FELT: usize = 4;
/// Felts of a digest.
const DIGEST: usize = 8;

/// A tree over extended preprocessed columns.
type Committed = MerkleTree<F, F, RowMajorMatrix<F>, 2, DIGEST>;

/// An AIR without its preprocessed trace: what lookups and degrees are found from.
struct Bare<'a, A>(&'a A);

impl<A: BaseAir<F>> BaseAir<F> for Bare<'_, A> {
    fn width(&self) -> usize {
        self.0.width()
    }
    fn preprocessed_width(&self) -> usize {
        self.0.preprocessed_width()
    }
    fn num_periodic_columns(&self) -> usize {
        self.0.num_periodic_columns()
    }
    fn periodic_columns(&self) -> std::borrow::Cow<'_, [Vec<F>]> {
        self.0.periodic_columns()
    }
    fn main_next_row_columns(&self) -> Vec<usize> {
        self.0.main_next_row_columns()
    }
    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        self.0.preprocessed_next_row_columns()
    }
    fn num_constraints(&self) -> Option<usize> {
        self.0.num_constraints()
    }
    fn max_constraint_degree(&self) -> Option<usize> {
        self.0.max_constraint_degree()
    }
    fn num_public_values(&self) -> usize {
        self.0.num_public_values()
    }
}

impl<AB: AirBuilder<F = F>, A: Air<AB> + BaseAir<F>> Air<AB> for Bare<'_, A> {
    fn eval(&self, builder: &mut AB) {
        self.0.eval(builder);
    }
}

impl<A> ProvingKey<A> {
    /// The committed preprocessed columns as bytes for [`setup_with`], a checksum first; no bytes if no table has
    /// any. Four bytes a felt: columns times rows times blow-up, and 16 felts a row of the tallest table for the tree.
    ///
    /// # Errors
    /// [`SetupError::Digest`] if they cannot be encoded.
    pub fn committed(&self) -> Result<Vec<u8>, SetupError> {
        let Some(tree) = &self.data.prover_only.preprocessed_prover_data else { return Ok(Vec::new()) };
        let mut bytes = postcard::to_extend(tree, vec![0; CHECKSUM])?;
        let sum = Sha256::digest(&bytes[CHECKSUM..]);
        bytes[..CHECKSUM].copy_from_slice(&sum);
        Ok(bytes)
    }
}

/// Reads an encoding of known lengths.
struct Lengths<'a>(&'a [u8]);

impl Lengths<'_> {
    fn expect(&mut self, length: usize) -> Option<()> {
        self.0 = self.0.strip_prefix(postcard::to_allocvec(&length).ok()?.as_slice())?;
        Some(())
    }

    fn skip(&mut self, felts: usize) -> Option<()> {
        self.0 = self.0.get(felts.checked_mul(FELT)?..)?;
        Some(())
    }
}

/// Whether bytes are those of a tree over matrices of these widths and heights, whatever the felts are: Plonky3 opens a
/// tree without asking whether its layers are those of its matrices. Each layer is half as long as the one below it;
/// the lowest has a digest for each row of the tallest matrix. Heights are powers of two.
fn has_lengths(bytes: &[u8], shapes: &[(usize, usize)]) -> Option<()> {
    let mut lengths = Lengths(bytes);
    lengths.expect(shapes.len())?;
    for (width, height) in shapes {
        let felts = width.checked_mul(*height)?;
        lengths.expect(felts)?;
        lengths.skip(felts)?;
        lengths.expect(*width)?;
    }
    let tallest = shapes.iter().map(|(_, height)| *height).max()?;
    let steps = tallest.ilog2() as usize;
    lengths.expect(steps + 1)?;
    for step in 0..=steps {
        lengths.expect(tallest >> step)?;
        lengths.skip((tallest >> step).checked_mul(DIGEST)?)?;
    }
    // The arity of each step.
    lengths.expect(steps)?;
    (0..steps).try_for_each(|_| lengths.expect(2))?;
    lengths.0.is_empty().then_some(())
}

/// What a key says of preprocessed columns beside the commitment, and their extended shapes.
#[allow(clippy::type_complexity, reason = "what is missing is the commitment")]
fn preprocessed_of<A: CircuitAir>(
    prepared: &Prepared<A>,
) -> (impl FnOnce(Commitment) -> GlobalPreprocessed<Config> + use<A>, Vec<(usize, usize)>) {
    let (mut instances, mut matrix_to_instance, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
    for (k, (air, log_height)) in prepared.airs.iter().zip(&prepared.log_heights).enumerate() {
        let width = air.preprocessed_width();
        instances.push((width > 0).then_some(PreprocessedInstanceMeta {
            matrix_index: shapes.len(),
            width,
            degree_bits: *log_height,
        }));
        if width > 0 {
            matrix_to_instance.push(k);
            shapes.push((width, 1 << (log_height + prepared.params.log_blowup)));
        }
    }
    (move |commitment| GlobalPreprocessed { commitment, instances, matrix_to_instance }, shapes)
}

/// What a key takes beside preprocessed columns.
fn without_columns<A: CircuitAir>(prepared: &Prepared<A>) -> Result<ProverData<Config>, SetupError> {
    let bare: Vec<Bare<'_, A>> = prepared.airs.iter().map(Bare).collect();
    ProverData::from_airs_and_degrees_with_lookup_budgets(
        &prepared.unseeded,
        &bare,
        &prepared.log_heights,
        &prepared.budgets,
        prepared.params.log_blowup,
    )
    .map_err(|e| SetupError::Commit(e.to_string()))
}

/// The verifying key of a circuit with the commitment to its preprocessed columns given, none if it has none. Nothing is
/// extended or hashed but constraints. The digest commits to the commitment: where it is the expected one, the key is
/// the one that [`crate::setup`] makes.
///
/// # Errors
/// As [`crate::setup`]; [`SetupError::Commit`] where a commitment is missing, or given for no columns.
pub fn verifying_key<A: CircuitAir>(
    circuit: Circuit<A>,
    preprocessed: Option<Commitment>,
) -> Result<Arc<VerifyingKey<A>>, SetupError> {
    let prepared = prepare(circuit)?;
    let (meta, shapes) = preprocessed_of(&prepared);
    if shapes.is_empty() != preprocessed.is_none() {
        return Err(SetupError::Commit("a commitment for each circuit with preprocessed columns".into()));
    }
    let mut data = without_columns(&prepared)?;
    data.common.preprocessed = preprocessed.map(meta);
    Ok(finish(prepared, data)?.vk)
}

/// As [`crate::setup`], with the committed preprocessed columns given. The caller compares the key's digest with the
/// one that it expects.
///
/// # Errors
/// As [`crate::setup`]; [`SetupError::Commit`] for bytes that are damaged or hold no tree of the circuit's shape. No
/// bytes make it panic, nor a prover that uses the key.
pub fn setup_with<A: CircuitAir>(circuit: Circuit<A>, committed: &[u8]) -> Result<ProvingKey<A>, SetupError> {
    let prepared = prepare(circuit)?;
    let refuse = |what: &str| SetupError::Commit(format!("committed columns: {what}"));
    let (sum, bytes) = committed.split_first_chunk::<CHECKSUM>().ok_or_else(|| refuse("too short"))?;
    if Sha256::digest(bytes)[..] != sum[..] {
        return Err(refuse("damaged"));
    }
    let (meta, shapes) = preprocessed_of(&prepared);
    has_lengths(bytes, &shapes).ok_or_else(|| refuse("another shape"))?;
    let tree: Committed = postcard::from_bytes(bytes).map_err(|_| refuse("a felt that is none"))?;
    let mut data = without_columns(&prepared)?;
    data.common.preprocessed = Some(meta(tree.cap(prepared.params.cap_height)));
    data.prover_only.preprocessed_prover_data = Some(tree);
    finish(prepared, data)
}
