//! Preprocessed columns as committed: what making a proving key spends its time on, as bytes.
//!
//! The bytes hold the low-degree extension of the preprocessed columns and its Merkle tree. [`setup_with`] makes a
//! key of them without computing either. The digest of that key commits to the root in the bytes: where it is the
//! expected one, they are the circuit's. A checksum comes first, so that damage is an error. Whoever writes other
//! bytes with their checksum makes a prover fail, never a verifier accept: verifiers do not read them.

use p3_air::{Air, AirBuilder, BaseAir};
use p3_batch_stark::ProverData;
use p3_batch_stark::common::{GlobalPreprocessed, PreprocessedInstanceMeta};
use p3_commit::Mmcs;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleTree;
use sha2::{Digest as _, Sha256};

use crate::circuit::{Circuit, CircuitAir, ProvingKey, SetupError, finish, prepare};
use crate::config::{Config, F, mmcs};

/// Bytes of the checksum.
const CHECKSUM: usize = 32;

/// A tree over extended preprocessed columns.
type Committed = MerkleTree<F, F, RowMajorMatrix<F>, 2, 8>;

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
    /// any. About five bytes a felt: columns times rows times blow-up.
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

/// As [`crate::setup`], with the committed preprocessed columns given. The caller compares the key's digest with the
/// one that it expects.
///
/// # Errors
/// As [`crate::setup`]; [`SetupError::Commit`] or [`SetupError::Digest`] for bytes that are damaged or hold no tree of
/// the circuit's shape.
pub fn setup_with<A: CircuitAir>(circuit: Circuit<A>, committed: &[u8]) -> Result<ProvingKey<A>, SetupError> {
    let prepared = prepare(circuit)?;
    let refuse = |what: &str| SetupError::Commit(format!("committed columns: {what}"));
    let (sum, bytes) = committed.split_first_chunk::<CHECKSUM>().ok_or_else(|| refuse("too short"))?;
    if Sha256::digest(bytes)[..] != sum[..] {
        return Err(refuse("damaged"));
    }
    let (tree, rest) = postcard::take_from_bytes::<Committed>(bytes)?;
    if !rest.is_empty() {
        return Err(refuse("bytes that follow"));
    }
    let bare: Vec<Bare<'_, A>> = prepared.airs.iter().map(Bare).collect();
    let data = ProverData::<Config>::from_airs_and_degrees_with_lookup_budgets(
        &prepared.unseeded,
        &bare,
        &prepared.log_heights,
        &prepared.budgets,
        prepared.params.log_blowup,
    );
    let mut data = data.map_err(|e| SetupError::Commit(e.to_string()))?;
    let (mut instances, mut matrix_to_instance, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (k, (air, log_height)) in prepared.airs.iter().zip(&prepared.log_heights).enumerate() {
        let width = air.preprocessed_width();
        instances.push((width > 0).then_some(PreprocessedInstanceMeta {
            matrix_index: expected.len(),
            width,
            degree_bits: *log_height,
        }));
        if width > 0 {
            matrix_to_instance.push(k);
            expected.push((width, 1 << (log_height + prepared.params.log_blowup)));
        }
    }
    let cap_height = prepared.params.cap_height;
    let shapes = mmcs(cap_height).get_matrices(&tree).into_iter().map(|m| (m.width(), m.values.len()));
    if expected.is_empty() || !shapes.eq(expected.iter().map(|(width, height)| (*width, width * height))) {
        return Err(refuse("another shape"));
    }
    let commitment = tree.cap(cap_height);
    data.common.preprocessed = Some(GlobalPreprocessed { commitment, instances, matrix_to_instance });
    data.prover_only.preprocessed_prover_data = Some(tree);
    finish(prepared, data)
}
