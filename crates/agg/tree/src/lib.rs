//! The aggregation tree: lifts, joins, and the one proof at its root (docs/src/recursion.md).
//!
//! A **lift** verifies one base proof under a fixed key; that of the guard of extension programs verifies the proof of
//! the program's run with it, whose segments were joined before if there are several. A **join** verifies two or
//! more nodes, whose keys it proves to be listed in the vk tree, and merges their claims by four rules. Joins of whole batches end in an
//! [`AggregationProof`]: from root s0 to root sn by consecutive batches, every op of which obeyed its rules.
//!
//! Node proofs are proofs of the recursion machine of few shapes (`Shape::node`); programs of one shape differ in
//! their preprocessed columns alone, so that a join is a program for shapes of children and not for programs.

mod claim;
mod guest;
mod join;
mod lift;
mod merge;
mod node;
mod program;
mod proof;
mod rules;
mod runs;
mod steps;
#[cfg(test)]
mod tests;
mod wires;

pub use claim::{BLOCKS, Batches, Claim, ExecRange, PartialSet, header_digest, headers_digest};
pub use guest::{GuestLift, GuestProof, RunForm};
pub use join::{Child, Join, JoinError, Step};
pub use lift::{Lift, MapError, PublicMap};
pub use node::{NodeError, NodeProof};
pub use program::{NodeKeys, NodeProgram, ProgramError, SHAPE_LOGS, WIDE_JOINS};
pub use proof::{AggregationProof, ProofError};
pub use rules::{Advice, MergeError, Rule, merge};
pub use runs::{
    RUN_ARITY, RUN_JOINS, RunChild, RunJoin, RunJoinError, RunJoinProgram, run_join_name, run_join_shape,
};

use tsz_hash::{Digest, Domain, F, PrimeCharacteristicRing, hash};

/// Public values of a node: vk root (0 of a lift), digest of the claim.
pub const NODE_PUBLICS: usize = 16;

/// The reserved algorithm id of joins, `hash(Algorithm, [3, 1, 1])`: no rule set has it.
pub fn join_algorithm() -> Digest {
    hash(Domain::Algorithm, &[F::from_u8(3), F::ONE, F::ONE])
}
