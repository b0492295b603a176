//! From a batch to the rows of all tables, and from rows to traces.

use rayon::join;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Requests, Trace, from_rows, from_rows_padded};
use tsz_chips::tuple::{self, Segment, TupleTrace, segment_rows};
use tsz_chips::{poseidon2, range};
use tsz_hash::Digest;
use tsz_ledger::tuple::MAX_ACCESSES;
use tsz_ledger::{Access, AlgorithmId, BatchContext, TransitionClaim, TransitionSet};
use tsz_smt::{Touch, Tree};

use crate::access::{self, AccessCols};
use crate::class::Counts;
use crate::error::ProveError;
use crate::leaf::{self, LeafCols};
use crate::merkle::{self, MerkleCols};
use crate::set::{self, SetCols};

/// The rows of a batch, before they are laid out for a size class.
#[derive(Clone, Debug)]
pub struct Witness<'a> {
    pub(crate) claim: TransitionClaim,
    pub(crate) access: Vec<AccessCols<F>>,
    pub(crate) leaf: Vec<LeafCols<F>>,
    pub(crate) merkle: Vec<MerkleCols<F>>,
    pub(crate) segments: Vec<Segment<'a>>,
    pub(crate) set: Vec<SetCols<F>>,
}

/// Traces in the order of the tables, and the number of rows of each that are not padding.
pub(crate) struct Traces {
    pub traces: Vec<Trace>,
    #[cfg_attr(not(test), allow(dead_code))]
    pub rows: Vec<usize>,
}

impl<'a> Witness<'a> {
    /// Replays a batch on the tree before it; op k has sequence number k.
    ///
    /// # Errors
    /// [`ProveError`] when the batch is empty, an op has no access or too many, there are too many algorithm ids,
    /// or an access log does not fit the state.
    pub fn new(
        context: &BatchContext,
        ops: &'a [(AlgorithmId, Vec<Access>)],
        tree: &Tree,
    ) -> Result<Self, ProveError> {
        if ops.is_empty() {
            return Err(ProveError::NoOps);
        }
        let counts = ops.iter().map(|(_, accesses)| accesses.len());
        if let Some((op, got)) = counts.enumerate().find(|(_, n)| !(1..=MAX_ACCESSES).contains(n)) {
            return Err(ProveError::Accesses { op, got });
        }
        let start = context.digest();
        let (set, memory) = join(|| TransitionSet::from_ops(start, ops), || replay(ops, tree));
        let (set, slots) = set?;
        let (mut access, memory) = memory?;
        for row in &mut access {
            row.slot = F::from_usize(slots[row.i.as_canonical_u32() as usize]);
        }
        let cells = memory.cells();
        let touches: Vec<Touch> =
            cells.iter().map(|c| Touch { key: c.key.raw(), old: c.old, new: c.new }).collect();
        let proof = tree.multiproof(&touches)?;
        let mut segments: Vec<Segment<'a>> =
            (0..set.leaves().len()).map(|slot| Segment { slot: slot as u32, ops: Vec::new() }).collect();
        for ((i, (_, accesses)), slot) in (0..).zip(ops).zip(slots) {
            segments[slot].ops.push((i, accesses.as_slice()));
        }
        Ok(Self {
            claim: TransitionClaim {
                s0: proof.old_root,
                sn: proof.new_root,
                ops: ops.len() as u32,
                context: start,
                set_root: set.root(),
            },
            access,
            leaf: leaf::rows(cells),
            merkle: merkle::rows(&proof.rows),
            segments,
            set: set::rows(&set),
        })
    }

    /// What the proof will say.
    pub fn claim(&self) -> &TransitionClaim {
        &self.claim
    }

    /// Rows needed, to choose a size class.
    pub fn counts(&self) -> Counts {
        let tuple: usize = self.segments.iter().map(segment_rows).sum();
        // an empty node is hashed once for each depth, an unchanged node once for both roots
        let empty = |depth: F, digest: &Digest| tsz_smt::empty(depth.as_canonical_u32() as usize) == digest;
        let node = |row: &MerkleCols<F>| {
            let depth = row.u + row.w;
            usize::from(!empty(depth, &row.out_old))
                + usize::from(row.out_old != row.out_new && !empty(depth, &row.out_new))
        };
        let nodes: usize = self.merkle.iter().map(node).sum();
        // every used slot has three sponge steps; the set's tree has 63 inner nodes
        let set = 3 * self.segments.len() + 63;
        Counts {
            access: self.access.len(),
            leaf: self.leaf.len(),
            merkle: self.merkle.len(),
            tuple,
            poseidon2: tuple - self.segments.len() + nodes + tsz_smt::DEPTH + set,
        }
    }

    /// Lays the rows out in tables of these log heights (in the order of the tables).
    pub(crate) fn traces(&self, log_heights: &[usize]) -> Result<Traces, ProveError> {
        let [access_h, leaf_h, merkle_h, tuple_h, set_h, _, poseidon2_h @ ..] = log_heights else {
            return Err(ProveError::Key(log_heights.len()));
        };
        fits("access", self.access.len(), *access_h)?;
        fits("leaf", self.leaf.len(), *leaf_h)?;
        fits("merkle", self.merkle.len(), *merkle_h)?;
        let ops = self.claim.ops as usize;
        let (tuple, (access, leaf, merkle, set, mut requests)) = join(
            || self.tuple(*tuple_h),
            || {
                let mut requests = Requests::new();
                access::request(&self.access, &mut requests);
                merkle::request(&self.merkle, &mut requests);
                set::request(&self.set, &mut requests);
                let access = from_rows_padded(&self.access, *access_h, |at| access::pad(at, ops));
                let leaf = from_rows(&self.leaf, *leaf_h);
                let merkle = from_rows(&self.merkle, *merkle_h);
                (access, leaf, merkle, from_rows(&self.set, *set_h), requests)
            },
        );
        let (tuple, hashed) = tuple?;
        requests.merge(hashed);
        let range = range::trace(&requests.range);
        let poseidon2 = poseidon2::traces(&requests.p2, poseidon2_h).map_err(|e| ProveError::Rows {
            table: "poseidon2",
            need: e.needed,
            have: e.rows,
        })?;
        let rows =
            [self.access.len(), self.leaf.len(), self.merkle.len(), tuple.rows, self.set.len(), 1 << 12];
        let mut rows = rows.to_vec();
        rows.extend(poseidon2_h.iter().map(|h| 1 << h));
        let mut traces = vec![access, leaf, merkle, tuple.trace, set, range];
        traces.extend(poseidon2);
        Ok(Traces { traces, rows })
    }

    fn tuple(&self, log_height: usize) -> Result<(TupleTrace, Requests), ProveError> {
        let mut requests = Requests::new();
        let trace = tuple::generate(log_height, self.claim.context, &self.segments, &mut requests)
            .map_err(|e| ProveError::Rows { table: "tuple", need: e.need, have: e.have })?;
        Ok((trace, requests))
    }
}

/// Access rows (slots not yet known) and the touched cells.
fn replay(
    ops: &[(AlgorithmId, Vec<Access>)],
    tree: &Tree,
) -> Result<(Vec<AccessCols<F>>, access::Memory), access::CellError> {
    access::rows(ops.iter().map(|(_, accesses)| (0, accesses.as_slice())), |key| tree.get(key.raw()))
}

fn fits(table: &'static str, need: usize, log_height: usize) -> Result<(), ProveError> {
    let have = 1 << log_height;
    if need > have { Err(ProveError::Rows { table, need, have }) } else { Ok(()) }
}
