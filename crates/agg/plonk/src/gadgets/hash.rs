//! Poseidon2-16 hashing: the forms that Plonky3's commitments use, and those of `tsz-hash`.

use p3_field::PrimeCharacteristicRing;
use tsz_stark::F;

use crate::builder::{Bit, Builder, Ext, Felt};

/// A digest of 8 felts as two quads.
pub type Digest = [Ext; 2];

/// The constant digest.
#[track_caller]
pub fn constant(b: &mut Builder, digest: &[F; 8]) -> Digest {
    core::array::from_fn(|q| {
        b.constant(crate::ir::from_coordinates(core::array::from_fn(|k| digest[4 * q + k])))
    })
}

/// A digest from the witness: 8 felts as two inputs.
#[track_caller]
pub fn input(b: &mut Builder) -> Digest {
    core::array::from_fn(|_| b.input_ext())
}

/// The two inputs that [`input`] takes for a digest.
pub fn input_values(digest: &[F; 8]) -> [crate::Value; 2] {
    core::array::from_fn(|q| crate::ir::from_coordinates(core::array::from_fn(|k| digest[4 * q + k])))
}

/// Makes the 8 felts of a digest public.
#[track_caller]
pub fn expose(b: &mut Builder, digest: Digest) {
    for quad in digest {
        b.expose_ext(quad);
    }
}

/// Asserts that two digests are equal.
#[track_caller]
pub fn assert_eq(b: &mut Builder, x: Digest, y: Digest) {
    for (x, y) in x.into_iter().zip(y) {
        b.assert_eq(x, y);
    }
}

/// `P(l || r)[0..8]`: the node of a commitment tree (Plonky3's `TruncatedPermutation`).
#[track_caller]
pub fn truncated_compress(b: &mut Builder, l: Digest, r: Digest) -> Digest {
    let [x, y, ..] = b.permute([l[0], l[1], r[0], r[1]]);
    [x, y]
}

/// Root of a commitment tree from a leaf digest, the bits of its index (least first) and the siblings from the
/// bottom up. One permutation a level.
///
/// # Panics
/// If there is not one bit a sibling.
#[track_caller]
pub fn merkle_root(b: &mut Builder, leaf: Digest, index: &[Bit], siblings: &[Digest]) -> Digest {
    assert_eq!(index.len(), siblings.len(), "one index bit a level");
    index.iter().zip(siblings).fold(leaf, |node, (bit, sibling)| {
        let [x, y, ..] = b.permute_pair(*bit, node, *sibling);
        [x, y]
    })
}

/// `tsz_hash::compress(l, r) = P(l || r)[8..16] + r`.
#[track_caller]
pub fn compress(b: &mut Builder, l: Digest, r: Digest) -> Digest {
    let [.., x, y] = b.permute([l[0], l[1], r[0], r[1]]);
    [b.add(x, r[0]), b.add(y, r[1])]
}

/// Root of a tree of `tsz_hash::compress` (state tree, transition set, vk tree). One permutation and four
/// arithmetic rows a level.
///
/// # Panics
/// If there is not one bit a sibling.
#[track_caller]
pub fn state_root(b: &mut Builder, leaf: Digest, index: &[Bit], siblings: &[Digest]) -> Digest {
    assert_eq!(index.len(), siblings.len(), "one index bit a level");
    index.iter().zip(siblings).fold(leaf, |node, (bit, sibling)| {
        let [.., x, y] = b.permute_pair(*bit, node, *sibling);
        // The right child is the node itself where the bit is 1.
        let right: [Ext; 2] = core::array::from_fn(|q| b.select(*bit, node[q], sibling[q]));
        [b.add(x, right[0]), b.add(y, right[1])]
    })
}

/// `tsz_hash::step(block, capacity) = P(block || capacity)[8..16]`.
#[track_caller]
pub fn step(b: &mut Builder, block: Digest, capacity: Digest) -> Digest {
    let [.., x, y] = b.permute([block[0], block[1], capacity[0], capacity[1]]);
    [x, y]
}

/// Plonky3's `PaddingFreeSponge<_, 16, 8, 8>` of felts given as full quads: leaves of a commitment tree.
#[track_caller]
pub fn sponge_quads(b: &mut Builder, quads: &[Ext]) -> Digest {
    let mut state = zero_state(b);
    for block in quads.chunks(2) {
        // Overwrite mode: a short last block leaves the other lanes as they are.
        state[..block.len()].copy_from_slice(block);
        state = b.permute(state);
    }
    [state[0], state[1]]
}

/// Plonky3's `PaddingFreeSponge<_, 16, 8, 8>` of any number of felts.
#[track_caller]
pub fn sponge_felts(b: &mut Builder, felts: &[Felt]) -> Digest {
    let mut state = zero_state(b);
    for block in felts.chunks(8) {
        for (quad, lanes) in state.iter_mut().zip(block.chunks(4)) {
            let old = b.unpack(*quad);
            *quad = b.pack(core::array::from_fn(|k| lanes.get(k).copied().unwrap_or(old[k])));
        }
        state = b.permute(state);
    }
    [state[0], state[1]]
}

#[track_caller]
pub(crate) fn zero_state(b: &mut Builder) -> [Ext; 4] {
    let zero = b.constant(crate::Value::ZERO);
    [zero; 4]
}

/// `tsz_hash::hash(domain, felts)`: the sponge of `step` from the domain's initial capacity.
#[track_caller]
pub fn tagged(b: &mut Builder, domain: tsz_hash::Domain, felts: &[Felt]) -> Digest {
    let mut capacity = constant(b, &domain.iv(felts.len()));
    let zero = b.zero();
    for chunk in felts.chunks(8) {
        let quad = |b: &mut Builder, q: usize| {
            b.pack(core::array::from_fn(|k| chunk.get(4 * q + k).copied().unwrap_or(zero)))
        };
        let block = [quad(b, 0), quad(b, 1)];
        capacity = step(b, block, capacity);
    }
    capacity
}

/// [`tagged`] of a message of whole digests, which costs no packing.
#[track_caller]
pub fn tagged_digests(b: &mut Builder, domain: tsz_hash::Domain, digests: &[Digest]) -> Digest {
    let capacity = constant(b, &domain.iv(8 * digests.len()));
    digests.iter().fold(capacity, |capacity, block| step(b, *block, capacity))
}

/// Plonky3's `PaddingFreeSponge<_, 16, 8, 8>` of a row given as quads, then fewer than four felts. Returns the
/// row's quads too; the lanes of the last one beyond the row are what the sponge left there.
#[track_caller]
pub fn sponge_row(b: &mut Builder, quads: &[Ext], tail: &[Felt]) -> (Digest, Vec<Ext>) {
    let mut state = zero_state(b);
    let mut row = Vec::with_capacity(quads.len() + 1);
    let count = quads.len() + usize::from(!tail.is_empty());
    for at in 0..count {
        let quad = match quads.get(at) {
            Some(quad) => *quad,
            None => {
                let old = b.unpack(state[at % 2]);
                b.pack(core::array::from_fn(|k| tail.get(k).copied().unwrap_or(old[k])))
            }
        };
        state[at % 2] = quad;
        row.push(quad);
        if at % 2 == 1 || at + 1 == count {
            state = b.permute(state);
        }
    }
    ([state[0], state[1]], row)
}
