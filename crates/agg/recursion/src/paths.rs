//! Merkle paths of single queries out of the multi-proof that all queries of a proof share.

use std::collections::BTreeMap;

use tsz_hash::{join, permute};
use tsz_stark::F;

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

/// The siblings of each query from the bottom up, for a tree of `2^log_height` leaves down to a cap of
/// `2^cap_height` roots.
///
/// `row(query, log_height)` is the digest of what the query opens at a height, if anything is committed there.
/// `None` if the multi-proof has too few siblings. Nothing is verified: that is what the circuit is for.
pub(crate) fn expand(
    log_height: usize,
    cap_height: usize,
    indices: &[usize],
    row: impl Fn(usize, usize) -> Option<Digest>,
    siblings: &[Digest],
) -> Option<Vec<Vec<Digest>>> {
    let mut siblings = siblings.iter();
    let mut paths = vec![Vec::new(); indices.len()];
    // Node index -> digest, and a query below it.
    let mut nodes: BTreeMap<usize, (Digest, usize)> = BTreeMap::new();
    for (query, &index) in indices.iter().enumerate() {
        if let std::collections::btree_map::Entry::Vacant(entry) = nodes.entry(index) {
            entry.insert((row(query, log_height)?, query));
        }
    }
    for level in 0..log_height.saturating_sub(cap_height) {
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
                    None => *siblings.next()?,
                };
            }
            filled.insert(index, (both, query));
        }
        for (path, index) in paths.iter_mut().zip(indices) {
            let own = index >> level;
            path.push(filled[&(own / 2)].0[1 - own % 2]);
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
    Some(paths)
}
