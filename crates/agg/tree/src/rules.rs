//! Merging of claims, natively: what [`crate::join`] proves.

use thiserror::Error;
use tsz_hash::{Digest, Domain, F, PrimeField32, ZERO, compress, hash};
use tsz_ledger::{BatchHeader, SET_SLOTS, SetLeaf};

use crate::claim::{Batches, Claim, ExecRange, MAX_COUNT, PartialSet, header_digest};

/// Levels of the transition set's tree.
pub const SET_LEVELS: usize = 6;
const _: () = assert!(1 << SET_LEVELS == SET_SLOTS);

/// The ways two claims become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Rule {
    /// Adjacent ranges of one algorithm.
    Range = 0,
    /// Complete leaves of a set and a complete range of the next algorithm.
    Set = 1,
    /// A transition and its whole set.
    Batch = 2,
    /// Batches and the next batch.
    Chain = 3,
}

/// Why two claims do not merge.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MergeError {
    /// No rule merges claims of these kinds.
    #[error("claims of these kinds do not merge")]
    Kinds,
    /// The claims are about different batches.
    #[error("the claims are of different batches")]
    Context,
    /// The ranges do not meet.
    #[error("the second range does not start where the first one ends")]
    Gap,
    /// A range that is not a whole leaf.
    #[error("the range does not start at the batch's context")]
    Incomplete,
    /// Leaves out of order.
    #[error("the algorithm of the second leaf does not come after that of the first")]
    Unsorted,
    /// The transition is not of this set.
    #[error("the transition has another set, or another number of ops")]
    Set,
    /// Not exactly one BeginBatch.
    #[error("{0} ops begin the batch")]
    Begin(u32),
    /// The header's context is not that of the transition.
    #[error("the header's context is not that of the transition")]
    Header,
    /// The batches do not follow on one another.
    #[error("the second batch does not follow on the first")]
    Chain,
    /// A count too large.
    #[error("too many ops or batches")]
    Count,
}

/// What a merge needs to know besides the claims.
#[derive(Clone, Copy, Debug)]
pub struct Advice<'a> {
    /// Leaves of the batch's transition set, in order.
    pub leaves: &'a [SetLeaf],
    /// The batch's header.
    pub header: Option<&'a BatchHeader>,
}

/// The zero leaf and the nodes above zeros only.
pub(crate) fn empty_nodes() -> [Digest; SET_LEVELS + 1] {
    let mut nodes = [ZERO; SET_LEVELS + 1];
    for level in 0..SET_LEVELS {
        nodes[level + 1] = compress(&nodes[level], &nodes[level]);
    }
    nodes
}

/// Siblings from the bottom up of position `index` in the set of these leaves, that are all before it.
pub(crate) fn siblings(leaves: &[SetLeaf], index: usize) -> [Digest; SET_LEVELS] {
    let empty = empty_nodes();
    let mut layer: Vec<Digest> = leaves.iter().map(SetLeaf::digest).collect();
    core::array::from_fn(|level| {
        let at = |layer: &Vec<Digest>, k: usize| layer.get(k).copied().unwrap_or(empty[level]);
        let sibling = at(&layer, (index >> level) ^ 1);
        layer = (0..layer.len().div_ceil(2))
            .map(|k| compress(&at(&layer, 2 * k), &at(&layer, 2 * k + 1)))
            .collect();
        sibling
    })
}

/// Root of the set with `leaf` at `index` and these siblings.
pub(crate) fn set_root(leaf: Digest, index: usize, siblings: &[Digest; SET_LEVELS]) -> Digest {
    siblings.iter().enumerate().fold(leaf, |node, (level, sibling)| {
        if index >> level & 1 == 0 { compress(&node, sibling) } else { compress(sibling, &node) }
    })
}

fn complete(range: &ExecRange) -> Result<(), MergeError> {
    if range.start == range.context { Ok(()) } else { Err(MergeError::Incomplete) }
}

pub(crate) fn leaf(range: &ExecRange) -> SetLeaf {
    SetLeaf { algorithm: range.algorithm, count: range.count, commitment: range.end }
}

/// The set of a claim: a complete range is the set of one leaf.
fn as_set(claim: &Claim) -> Result<PartialSet, MergeError> {
    match claim {
        Claim::Set(set) => Ok(*set),
        Claim::Exec(range) => {
            complete(range)?;
            Ok(PartialSet {
                ops: range.count,
                begins: range.begins,
                leaves: 1,
                last: range.algorithm,
                context: range.context,
                root: set_root(leaf(range).digest(), 0, &siblings(&[], 0)),
            })
        }
        _ => Err(MergeError::Kinds),
    }
}

fn sum(x: u32, y: u32) -> Result<u32, MergeError> {
    x.checked_add(y).filter(|sum| *sum < MAX_COUNT).ok_or(MergeError::Count)
}

pub(crate) fn order(digest: &Digest) -> [u32; 8] {
    digest.map(|felt: F| felt.as_canonical_u32())
}

/// Merges two claims.
///
/// # Errors
/// [`MergeError`] if no rule allows it.
pub fn merge(left: &Claim, right: &Claim, advice: &Advice<'_>) -> Result<(Rule, Claim), MergeError> {
    match (left, right) {
        (Claim::Exec(l), Claim::Exec(r)) if l.algorithm == r.algorithm => ranges(l, r),
        (Claim::Exec(_) | Claim::Set(_), Claim::Exec(r)) => extend(&as_set(left)?, r, advice),
        (Claim::Transition(l), _) => {
            let (set, header) = (as_set(right)?, advice.header.ok_or(MergeError::Header)?);
            if l.context != set.context {
                return Err(MergeError::Context);
            }
            if l.set_root != set.root || l.ops != set.ops {
                return Err(MergeError::Set);
            }
            if set.begins != 1 {
                return Err(MergeError::Begin(set.begins));
            }
            if header.context.digest() != l.context {
                return Err(MergeError::Header);
            }
            // All but the context is the transition's own.
            let proven = BatchHeader { s0: l.s0, sn: l.sn, ops: l.ops, set_root: l.set_root, ..*header };
            Ok((Rule::Batch, Claim::Batches(Batches::single(&proven))))
        }
        (Claim::Batches(l), Claim::Batches(r)) => chain(l, r),
        _ => Err(MergeError::Kinds),
    }
}

fn ranges(l: &ExecRange, r: &ExecRange) -> Result<(Rule, Claim), MergeError> {
    if l.context != r.context {
        return Err(MergeError::Context);
    }
    if l.end != r.start {
        return Err(MergeError::Gap);
    }
    let (count, begins) = (sum(l.count, r.count)?, sum(l.begins, r.begins)?);
    Ok((Rule::Range, Claim::Exec(ExecRange { count, begins, end: r.end, ..*l })))
}

fn extend(l: &PartialSet, r: &ExecRange, advice: &Advice<'_>) -> Result<(Rule, Claim), MergeError> {
    if l.context != r.context {
        return Err(MergeError::Context);
    }
    complete(r)?;
    if order(&l.last) >= order(&r.algorithm) {
        return Err(MergeError::Unsorted);
    }
    let index = l.leaves as usize;
    if index >= SET_SLOTS {
        return Err(MergeError::Count);
    }
    let before = advice.leaves.get(..index).ok_or(MergeError::Set)?;
    let siblings = siblings(before, index);
    if set_root(ZERO, index, &siblings) != l.root {
        return Err(MergeError::Set);
    }
    Ok((
        Rule::Set,
        Claim::Set(PartialSet {
            ops: sum(l.ops, r.count)?,
            begins: sum(l.begins, r.begins)?,
            leaves: l.leaves + 1,
            last: r.algorithm,
            context: l.context,
            root: set_root(leaf(r).digest(), index, &siblings),
        }),
    ))
}

fn chain(l: &Batches, r: &Batches) -> Result<(Rule, Claim), MergeError> {
    let follows =
        l.system == r.system && r.first == l.last + 1 && r.first_time >= l.last_time && l.sn == r.s0;
    if r.count != 1 || !follows {
        return Err(MergeError::Chain);
    }
    let merged = Batches {
        count: sum(l.count, 1)?,
        last: r.last,
        last_time: r.last_time,
        headers: hash(Domain::Headers, [l.headers, r.headers].as_flattened()),
        sn: r.sn,
        ..*l
    };
    Ok((Rule::Chain, Claim::Batches(merged)))
}

impl Batches {
    /// The claim of one batch.
    pub fn single(header: &BatchHeader) -> Self {
        let c = &header.context;
        Self {
            count: 1,
            system: c.system,
            first: c.batch,
            last: c.batch,
            first_time: c.time,
            last_time: c.time,
            headers: header_digest(header),
            s0: header.s0,
            sn: header.sn,
        }
    }
}
