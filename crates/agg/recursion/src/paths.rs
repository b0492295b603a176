//! Merkle paths of single queries out of the multi-proof that all queries of a proof share.

use std::collections::BTreeMap;

use tsz_hash::{join, permute};
use tsz_stark::F;

use crate::witness::WitnessError;

type Digest = [F; 8];

/// Plonky3's padding-free sponge.
pub(crate) fn hash_row(felts: impl IntoIterator<Item = F>) -> Digest {
    let mut state = [F::default(); 16];
    let mut lane = 0;
    for felt in felts {
        state[lane] = felt;
        lane += 1;
        if lane == 8 {
            permute(&mut state);
            lane = 0;
        }
    }
    if lane > 0 {
        permute(&mut state);
    }
    low(&state)
}

fn low(state: &[F; 16]) -> Digest {
    core::array::from_fn(|k| state[k])
}

fn compress(l: &Digest, r: &Digest) -> Digest {
    let mut state = join(l, r);
    permute(&mut state);
    low(&state)
}

/// The paths of all queries in a tree.
#[derive(Debug)]
pub(crate) struct Paths {
    /// Siblings of each query from the bottom up, as far as the crown.
    pub(crate) siblings: Vec<Vec<Digest>>,
    /// The digests of the level where paths end.
    pub(crate) crown: Vec<Digest>,
}

/// The paths of queries in a tree of `2^log_height` leaves down to a level of `2^log_top` nodes, in a proof whose
/// siblings lead to a cap of `2^cap_height` roots.
///
/// `row(query, log_height)` is the digest of what the query opens at a height, if anything is committed there. Nothing is
/// verified: that is what the circuit is for.
pub(crate) fn expand(
    log_height: usize,
    [log_top, cap_height]: [usize; 2],
    indices: &[usize],
    row: impl Fn(usize, usize) -> Option<Digest>,
    siblings: &[Digest],
) -> Result<Paths, WitnessError> {
    let mut siblings = siblings.iter();
    let mut paths = vec![Vec::new(); indices.len()];
    let mut crown = vec![None; 1 << log_top];
    // Node index -> digest, and a query below it.
    let mut nodes: BTreeMap<usize, (Digest, usize)> = BTreeMap::new();
    for (query, &index) in indices.iter().enumerate() {
        if let std::collections::btree_map::Entry::Vacant(entry) = nodes.entry(index) {
            entry.insert((row(query, log_height).ok_or(WitnessError::Siblings)?, query));
        }
    }
    let levels = log_height.saturating_sub(cap_height);
    let to_top = log_height.saturating_sub(log_top);
    for level in 0..levels {
        let mut pairs: BTreeMap<usize, ([Option<Digest>; 2], usize)> = BTreeMap::new();
        for (index, (digest, query)) in nodes {
            pairs.entry(index / 2).or_insert(([None; 2], query)).0[index % 2] = Some(digest);
        }
        let mut filled: BTreeMap<usize, ([Digest; 2], usize)> = BTreeMap::new();
        for (index, (pair, query)) in pairs {
            let mut both = [Digest::default(); 2];
            for (side, digest) in both.iter_mut().zip(pair) {
                *side = match digest {
                    Some(digest) => digest,
                    None => *siblings.next().ok_or(WitnessError::Siblings)?,
                };
            }
            filled.insert(index, (both, query));
        }
        if level < to_top {
            for (path, index) in paths.iter_mut().zip(indices) {
                let own = index >> level;
                path.push(filled[&(own / 2)].0[1 - own % 2]);
            }
        }
        if level == to_top {
            for (index, (both, _)) in &filled {
                crown[2 * index..2 * index + 2].copy_from_slice(&both.map(Some));
            }
        }
        nodes = filled
            .into_iter()
            .map(|(index, ([l, r], query))| {
                let mut digest = compress(&l, &r);
                if let Some(injected) = row(query, log_height - level - 1) {
                    digest = compress(&digest, &injected);
                }
                (index, (digest, query))
            })
            .collect();
    }
    if to_top == levels {
        // Paths end at the cap, which is known: no crown is asked for.
        return Ok(Paths { siblings: paths, crown: Vec::new() });
    }
    let crown: Option<Vec<Digest>> = crown.into_iter().collect();
    Ok(Paths { siblings: paths, crown: crown.ok_or(WitnessError::Crown)? })
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;

    const LOG_HEIGHT: usize = 5;

    fn leaf(index: usize) -> Digest {
        core::array::from_fn(|k| F::from_usize(100 * index + k))
    }

    /// All levels of a tree from the leaves up.
    fn tree() -> Vec<Vec<Digest>> {
        let mut levels: Vec<Vec<Digest>> = vec![(0..1 << LOG_HEIGHT).map(leaf).collect()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            levels.push(below.as_chunks::<2>().0.iter().map(|[l, r]| compress(l, r)).collect());
        }
        levels
    }

    /// The siblings of a multi-proof in the order of the wire.
    fn siblings(tree: &[Vec<Digest>], indices: &[usize]) -> Vec<Digest> {
        let mut known: std::collections::BTreeSet<usize> = indices.iter().copied().collect();
        let mut all = Vec::new();
        for level in &tree[..LOG_HEIGHT] {
            all.extend(known.iter().filter(|k| !known.contains(&(*k ^ 1))).map(|k| level[k ^ 1]));
            known = known.iter().map(|k| k / 2).collect();
        }
        all
    }

    fn expanded(log_top: usize, indices: &[usize]) -> Result<Paths, WitnessError> {
        let row = |query: usize, height: usize| (height == LOG_HEIGHT).then(|| leaf(indices[query]));
        expand(LOG_HEIGHT, [log_top, 0], indices, row, &siblings(&tree(), indices))
    }

    #[test]
    fn paths_end_at_the_crown() {
        let (tree, indices) = (tree(), [3, 12, 17, 30, 3]);
        for log_top in 0..=3 {
            let paths = expanded(log_top, &indices).unwrap();
            let crown = &tree[LOG_HEIGHT - log_top];
            assert_eq!(paths.crown, if log_top == 0 { &[][..] } else { crown });
            for (index, siblings) in indices.into_iter().zip(paths.siblings) {
                assert_eq!(siblings.len(), LOG_HEIGHT - log_top);
                let node = siblings.iter().enumerate().fold(leaf(index), |node, (level, sibling)| {
                    if index >> level & 1 == 1 { compress(sibling, &node) } else { compress(&node, sibling) }
                });
                assert_eq!(node, crown[index >> (LOG_HEIGHT - log_top)]);
            }
        }
    }

    #[test]
    fn queries_that_miss_a_node_above_the_crown_have_none() {
        // All in one half: the other half's digest is in the proof, those below it are not.
        let indices = [0, 5, 9, 15];
        assert!(expanded(1, &indices).is_ok());
        for log_top in [2, 3] {
            assert_eq!(expanded(log_top, &indices).err(), Some(WitnessError::Crown));
        }
        // A quarter that is missed.
        let indices = [0, 9, 17];
        assert!(expanded(2, &indices).is_ok());
        assert_eq!(expanded(3, &indices).err(), Some(WitnessError::Crown));
    }

    #[test]
    fn a_proof_without_enough_siblings_has_no_paths() {
        let indices = [3, 20];
        let row = |query: usize, height: usize| (height == LOG_HEIGHT).then(|| leaf(indices[query]));
        let all = siblings(&tree(), &indices);
        for few in 0..all.len() {
            let refused = expand(LOG_HEIGHT, [1, 0], &indices, row, &all[..few]);
            assert_eq!(refused.err(), Some(WitnessError::Siblings));
        }
    }
}
