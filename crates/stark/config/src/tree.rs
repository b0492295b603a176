//! Plonky3's Merkle trees with a vectorised verifier.
//!
//! Commitments, openings and the wire format are Plonky3's. Its verifier hashes opened rows one by one, which is
//! nearly all of the time of a verification; [`Tree`] hashes as many rows at a time as the machine has lanes and
//! accepts exactly the same openings (`tests`: equivalence on random trees, honest and damaged).

use p3_commit::{BatchOpening, BatchOpeningRef, Mmcs};
use p3_field::{Field, PackedValue};
use p3_matrix::{Dimensions, Matrix};
use p3_merkle_tree::{MerkleTree, MerkleTreeError, MerkleTreeMmcs, PrunedMerklePaths, PrunedProofError};
use p3_symmetric::{CryptographicHasher, PseudoCompressionFunction};

use crate::config::{Commitment, Compress, F, LeafHash};

type Packing = <F as Field>::Packing;
type Digest = [F; 8];
type Inner = MerkleTreeMmcs<Packing, Packing, LeafHash, Compress, 2, 8>;

/// Binary Merkle trees over rows of matrices of power-of-two heights.
#[derive(Clone, Debug)]
pub struct Tree {
    inner: Inner,
    hash: LeafHash,
    compress: Compress,
    cap_height: usize,
}

/// A node on the way from the queried leaves to the cap.
struct Node {
    /// Index in its layer.
    index: usize,
    /// First of the queried leaves below it, as a position in the sorted distinct leaves.
    first: usize,
    /// One past the last.
    end: usize,
}

impl Tree {
    pub(crate) fn new(hash: LeafHash, compress: Compress, cap_height: usize) -> Self {
        let inner = Inner::new(hash.clone(), compress.clone(), cap_height);
        Self { inner, hash, compress, cap_height }
    }

    /// Hashes messages of one length, given as lists of rows.
    fn hash_rows(&self, messages: &[Vec<F>]) -> Vec<Digest> {
        let mut digests = Vec::with_capacity(messages.len());
        for chunk in messages.chunks(Packing::WIDTH) {
            let lane = |k: usize| &chunk[k.min(chunk.len() - 1)];
            let packed = (0..chunk[0].len()).map(|at| Packing::from_fn(|k| lane(k)[at]));
            let digest: [Packing; 8] = self.hash.hash_iter(packed);
            unpack(&digest, chunk.len(), &mut digests);
        }
        digests
    }

    /// Compresses pairs of digests.
    fn compress_pairs(&self, pairs: &[[Digest; 2]]) -> Vec<Digest> {
        let mut digests = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(Packing::WIDTH) {
            let lane = |k: usize| &chunk[k.min(chunk.len() - 1)];
            let side = |s: usize| -> [Packing; 8] {
                core::array::from_fn(|felt| Packing::from_fn(|k| lane(k)[s][felt]))
            };
            let digest: [Packing; 8] = self.compress.compress([side(0), side(1)]);
            unpack(&digest, chunk.len(), &mut digests);
        }
        digests
    }
}

fn unpack(packed: &[Packing; 8], lanes: usize, out: &mut Vec<Digest>) {
    out.extend((0..lanes).map(|k| core::array::from_fn(|felt| packed[felt].as_slice()[k])));
}

/// Opened rows of all queries: `rows[query][matrix]`.
struct Opened<'a, R> {
    dimensions: &'a [Dimensions],
    rows: &'a [Vec<R>],
    /// The query that speaks for each sorted distinct leaf.
    speakers: Vec<usize>,
}

impl<R: AsRef<[F]> + PartialEq> Opened<'_, R> {
    /// Messages to hash at the layer of `height` nodes: the rows of the matrices of that height, by node.
    /// `None` if there is no such matrix.
    ///
    /// Queries below one node open the same row, so they must agree on it.
    fn messages(&self, height: usize, nodes: &[Node]) -> Result<Option<Vec<Vec<F>>>, MerkleTreeError> {
        let here = || (0..self.dimensions.len()).filter(|&m| self.dimensions[m].height == height);
        if here().next().is_none() {
            return Ok(None);
        }
        let mut messages = Vec::with_capacity(nodes.len());
        for node in nodes {
            let rows = &self.rows[self.speakers[node.first]];
            for slot in node.first + 1..node.end {
                let others = &self.rows[self.speakers[slot]];
                if let Some(matrix) = here().find(|&m| rows[m] != others[m]) {
                    return Err(PrunedProofError::InconsistentGroupOpening { slot, matrix }.into());
                }
            }
            messages.push(here().flat_map(|m| rows[m].as_ref()).copied().collect());
        }
        Ok(Some(messages))
    }
}

impl Tree {
    /// Verifies the openings of all queries of trees whose heights are powers of two.
    fn verify<R: AsRef<[F]> + PartialEq>(
        &self,
        commit: &Commitment,
        dimensions: &[Dimensions],
        indices: &[usize],
        rows: &[Vec<R>],
        proof: &PrunedMerklePaths<F, 8>,
    ) -> Result<(), MerkleTreeError> {
        check_rows(dimensions, indices, rows)?;
        let max_height = dimensions.iter().map(|d| d.height).max().unwrap_or(1);
        let (mut nodes, speakers) = leaves(max_height, indices, rows)?;
        let opened = Opened { dimensions, rows, speakers };
        let roots = 1 << self.cap_height.min(max_height.trailing_zeros() as usize);
        if dimensions.iter().any(|d| d.height < roots) || commit.num_roots() != roots {
            return Err(MerkleTreeError::CapMismatch);
        }
        let mut siblings = proof.sibling_hashes.iter();
        let mut height = max_height;
        let leaf_messages = opened.messages(height, &nodes)?.ok_or(MerkleTreeError::EmptyBatch)?;
        let mut digests = self.hash_rows(&leaf_messages);
        while height > roots {
            let pairs = step_up(&mut nodes, &digests, &mut siblings).ok_or_else(|| count_error(proof))?;
            digests = self.compress_pairs(&pairs);
            height /= 2;
            if let Some(messages) = opened.messages(height, &nodes)? {
                let injected = self.hash_rows(&messages);
                let pairs: Vec<[Digest; 2]> =
                    digests.into_iter().zip(injected).map(|(d, i)| [d, i]).collect();
                digests = self.compress_pairs(&pairs);
            }
        }
        if siblings.next().is_some() {
            return Err(count_error(proof));
        }
        let agrees = nodes.iter().zip(&digests).all(|(n, d)| commit.roots().get(n.index) == Some(d));
        if agrees { Ok(()) } else { Err(MerkleTreeError::CapMismatch) }
    }
}

fn count_error(proof: &PrunedMerklePaths<F, 8>) -> MerkleTreeError {
    let got = proof.sibling_hashes.len();
    // The number that would be right is not worth a second walk.
    PrunedProofError::SiblingCountMismatch { expected: 0, got }.into()
}

/// One row of the right width for each matrix and query.
fn check_rows<R: AsRef<[F]>>(
    dimensions: &[Dimensions],
    indices: &[usize],
    rows: &[Vec<R>],
) -> Result<(), MerkleTreeError> {
    if rows.len() != indices.len() {
        return Err(MerkleTreeError::WrongBatchSize { expected: indices.len(), got: rows.len() });
    }
    for query in rows {
        if query.len() != dimensions.len() {
            return Err(MerkleTreeError::WrongBatchSize { expected: dimensions.len(), got: query.len() });
        }
        for (matrix, (row, d)) in query.iter().zip(dimensions).enumerate() {
            let (expected, got) = (d.width, row.as_ref().len());
            if expected != got {
                return Err(MerkleTreeError::WrongWidth { matrix, expected, got });
            }
        }
    }
    Ok(())
}

/// The sorted distinct queried leaves, and the query that speaks for each. Queries of one leaf must agree.
fn leaves<R: PartialEq>(
    max_height: usize,
    indices: &[usize],
    rows: &[Vec<R>],
) -> Result<(Vec<Node>, Vec<usize>), MerkleTreeError> {
    let mut order: Vec<usize> = (0..indices.len()).collect();
    order.sort_by_key(|&query| indices[query]);
    let (mut nodes, mut speakers) = (Vec::<Node>::new(), Vec::new());
    for query in order {
        let index = indices[query];
        if index >= max_height {
            return Err(MerkleTreeError::IndexOutOfBounds { max_height, index });
        }
        let slot = nodes.len();
        match (nodes.last(), speakers.last()) {
            (Some(last), Some(&speaker)) if last.index == index => {
                if rows[query] != rows[speaker] {
                    let slot = slot - 1;
                    return Err(PrunedProofError::InconsistentDuplicateOpenings { slot }.into());
                }
            }
            _ => {
                nodes.push(Node { index, first: slot, end: slot + 1 });
                speakers.push(query);
            }
        }
    }
    Ok((nodes, speakers))
}

/// Moves to the parents: both children of each, taken from the nodes or, where no query lies below, from the
/// proof in wire order (ascending parents). `None` if the proof runs out of siblings.
fn step_up<'a>(
    nodes: &mut Vec<Node>,
    digests: &[Digest],
    siblings: &mut impl Iterator<Item = &'a Digest>,
) -> Option<Vec<[Digest; 2]>> {
    let mut pairs = Vec::with_capacity(nodes.len());
    let mut parents: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        let index = node.index / 2;
        let (pair, end, used) = match nodes.get(at + 1) {
            Some(right) if right.index / 2 == index => ([digests[at], digests[at + 1]], right.end, 2),
            _ if node.index.is_multiple_of(2) => ([digests[at], *siblings.next()?], node.end, 1),
            _ => ([*siblings.next()?, digests[at]], node.end, 1),
        };
        parents.push(Node { index, first: node.first, end });
        pairs.push(pair);
        at += used;
    }
    *nodes = parents;
    Some(pairs)
}

impl Mmcs<F> for Tree {
    type ProverData<M> = MerkleTree<F, F, M, 2, 8>;
    type Commitment = Commitment;
    type Proof = Vec<Digest>;
    type MultiProof = PrunedMerklePaths<F, 8>;
    type Error = MerkleTreeError;

    fn commit<M: Matrix<F>>(&self, inputs: Vec<M>) -> (Commitment, Self::ProverData<M>) {
        self.inner.commit(inputs)
    }

    fn open_batch<M: Matrix<F>>(&self, index: usize, data: &Self::ProverData<M>) -> BatchOpening<F, Self> {
        let (values, proof) = self.inner.open_batch(index, data).unpack();
        BatchOpening::new(values, proof)
    }

    fn get_matrices<'a, M: Matrix<F>>(&self, data: &'a Self::ProverData<M>) -> Vec<&'a M> {
        self.inner.get_matrices(data)
    }

    fn verify_batch(
        &self,
        commit: &Commitment,
        dimensions: &[Dimensions],
        index: usize,
        opening: BatchOpeningRef<'_, F, Self>,
    ) -> Result<(), MerkleTreeError> {
        let opening = BatchOpeningRef::new(opening.opened_values, opening.opening_proof);
        self.inner.verify_batch(commit, dimensions, index, opening)
    }

    fn open_multi_batch<M: Matrix<F>>(
        &self,
        indices: &[usize],
        data: &Self::ProverData<M>,
    ) -> (Vec<Vec<Vec<F>>>, Self::MultiProof) {
        self.inner.open_multi_batch(indices, data)
    }

    fn verify_multi_batch<R: AsRef<[F]> + PartialEq>(
        &self,
        commit: &Commitment,
        dimensions: &[Dimensions],
        indices: &[usize],
        opened_values: &[Vec<R>],
        proof: &Self::MultiProof,
    ) -> Result<(), MerkleTreeError> {
        let vectorised = !indices.is_empty()
            && !dimensions.is_empty()
            && dimensions.iter().all(|d| d.height.is_power_of_two() && d.width > 0);
        if vectorised {
            self.verify(commit, dimensions, indices, opened_values, proof)
        } else {
            self.inner.verify_multi_batch(commit, dimensions, indices, opened_values, proof)
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_baby_bear::default_babybear_poseidon2_16;
    use p3_field::PrimeCharacteristicRing;
    use p3_matrix::dense::RowMajorMatrix;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn tree(cap_height: usize) -> Tree {
        let perm = default_babybear_poseidon2_16();
        Tree::new(LeafHash::new(perm.clone()), Compress::new(perm), cap_height)
    }

    /// Opens a random tree and asks both verifiers; returns how many of the damaged openings were refused.
    fn agree(seed: u64) -> usize {
        let mut rng = StdRng::seed_from_u64(seed);
        let cap_height = rng.random_range(0..3);
        let tree = tree(cap_height);
        let mut matrix = |log_height: usize| {
            let width = rng.random_range(1..20);
            let felts = (0..width << log_height).map(|_| F::from_u32(rng.random_range(0..1 << 30)));
            RowMajorMatrix::new(felts.collect(), width)
        };
        let matrices = vec![matrix(5), matrix(8), matrix(3), matrix(8), matrix(7)];
        let dimensions: Vec<Dimensions> = matrices.iter().map(|m| m.dimensions()).collect();
        let (commit, data) = tree.commit(matrices);
        let indices: Vec<usize> = (0..rng.random_range(1..60)).map(|_| rng.random_range(0..256)).collect();
        let (mut rows, mut proof) = tree.open_multi_batch(&indices, &data);
        tree.verify_multi_batch(&commit, &dimensions, &indices, &rows, &proof).unwrap();
        let mut refused = 0;
        for trial in 0..12 {
            let (rows_before, proof_before) = (rows.clone(), proof.clone());
            let query = rng.random_range(0..rows.len());
            let row = rng.random_range(0..rows[query].len());
            match trial % 6 {
                0 => rows[query][row][0] += F::ONE,
                1 => drop(rows.pop()),
                2 => drop(proof.sibling_hashes.pop()),
                3 => proof.sibling_hashes.push([F::ONE; 8]),
                4 => rows[query][row].push(F::ZERO),
                _ => {
                    if let Some(sibling) = proof.sibling_hashes.last_mut() {
                        sibling[3] += F::ONE;
                    }
                }
            }
            let ours = tree.verify_multi_batch(&commit, &dimensions, &indices, &rows, &proof).is_ok();
            let theirs = tree.inner.verify_multi_batch(&commit, &dimensions, &indices, &rows, &proof).is_ok();
            // Plonky3 ignores the width of a row that another query of the same leaf speaks for.
            assert!(ours == theirs || (!ours && trial % 6 == 4), "seed {seed} trial {trial}");
            refused += usize::from(!ours);
            (rows, proof) = (rows_before, proof_before);
        }
        let mut wrong = indices.clone();
        wrong[0] ^= 1;
        assert!(tree.verify_multi_batch(&commit, &dimensions, &wrong, &rows, &proof).is_err());
        wrong[0] = 256;
        assert!(tree.verify_multi_batch(&commit, &dimensions, &wrong, &rows, &proof).is_err());
        refused
    }

    #[test]
    fn vectorised_verifier_agrees_with_the_scalar_one() {
        let refused: usize = (0..40).map(agree).sum();
        assert!(refused > 40 * 11, "{refused}");
    }

    #[test]
    fn rejects_queries_of_one_leaf_that_disagree() {
        let tree = tree(0);
        let matrices = vec![RowMajorMatrix::new((0..64).map(F::from_u32).collect(), 2)];
        let dimensions = [matrices[0].dimensions()];
        let (commit, data) = tree.commit(matrices);
        let indices = [7, 3, 7];
        let (mut rows, proof) = tree.open_multi_batch(&indices, &data);
        tree.verify_multi_batch(&commit, &dimensions, &indices, &rows, &proof).unwrap();
        rows[2][0][1] += F::ONE;
        assert!(tree.verify_multi_batch(&commit, &dimensions, &indices, &rows, &proof).is_err());
    }
}
