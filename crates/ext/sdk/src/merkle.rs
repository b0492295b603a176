//! Merkle proofs against a root of the state tree, for what lies outside the batch: another root, another system.
//!
//! Cells of the running batch need none: the old values of the read set are bound by the transition proof. The
//! compression is Poseidon2 of width 16, which the zkVM has no instruction for: about 40 compressions of software a
//! proof.

use crate::{Fault, Key, Leaf};

/// Levels of the state tree.
pub const DEPTH: usize = 40;
/// Compresses a left and a right node.
pub type Compress = fn(&Leaf, &Leaf) -> Leaf;

/// Demands that the tree with `root` holds `leaf` at `key`; `siblings` go from the leaf up.
///
/// # Errors
/// [`Fault::Cell`] if it does not, [`Fault::Shape`] for another number of siblings.
pub fn check(compress: Compress, root: &Leaf, key: Key, leaf: &Leaf, siblings: &[Leaf]) -> Result<(), Fault> {
    if siblings.len() != DEPTH {
        return Err(Fault::Shape);
    }
    let mut path = u64::from(key.hi) << 14 | u64::from(key.lo);
    let mut node = *leaf;
    for sibling in siblings {
        node = if path & 1 == 0 { compress(&node, sibling) } else { compress(sibling, &node) };
        path >>= 1;
    }
    if node == *root { Ok(()) } else { Err(Fault::Cell) }
}
