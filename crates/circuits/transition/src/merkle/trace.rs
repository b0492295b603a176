//! Rows of the merkle table from the tree's batched multi-proof.

use rayon::prelude::*;
use tsz_air::{F, PrimeCharacteristicRing, Requests};
use tsz_hash::join;
use tsz_smt::NodeRow;

use super::columns::MerkleCols;
use super::{HI_BITS, LO_BITS};

/// Rows of the touched inner nodes.
pub fn rows(nodes: &[NodeRow]) -> Vec<MerkleCols<F>> {
    nodes.par_iter().with_min_len(1024).map(row).collect()
}

fn row(node: &NodeRow) -> MerkleCols<F> {
    let depth = u32::from(node.depth);
    let is_lower = depth >= HI_BITS;
    let w = depth.saturating_sub(HI_BITS).min(LO_BITS);
    let (hi, lo) = (node.index >> w, node.index & ((1 << w) - 1));
    MerkleCols {
        is_real: F::ONE,
        l_touched: F::from_bool(node.left_touched),
        r_touched: F::from_bool(node.right_touched),
        is_lower: F::from_bool(is_lower),
        u: F::from_u32(depth.min(HI_BITS)),
        w: F::from_u32(w),
        hi: F::from_u64(hi),
        lo: F::from_u64(lo),
        child_hi: F::from_u64(if is_lower { hi } else { 2 * hi }),
        l_old: node.left_old,
        l_new: node.left_new,
        r_old: node.right_old,
        r_new: node.right_new,
        out_old: node.out_old,
        out_new: node.out_new,
    }
}

/// Asks for what the rows look up.
pub fn request(rows: &[MerkleCols<F>], requests: &mut Requests) {
    requests.p2.reserve(2 * rows.len());
    for row in rows.iter().filter(|row| row.is_real == F::ONE) {
        requests.p2(join(&row.l_old, &row.r_old));
        requests.p2(join(&row.l_new, &row.r_new));
    }
}
