//! The verifier of a `tsz-stark` proof as a program of the recursion machine.
//!
//! # State
//! | part | where | state |
//! |---|---|---|
//! | transcript up to the out-of-domain point, grinding included | [`batch`] | built |
//! | sum of the LogUp terminals is 0 | [`batch`] | built |
//! | transcript of the opening argument | | missing |
//! | opened rows and Merkle paths, folding of all queries | gadgets in `tsz-plonk` | not joined |
//! | constraints at the out-of-domain point | | missing |
//!
//! So no program of this crate verifies a proof yet: what is here fixes the challenges of one.

pub mod batch;
#[cfg(test)]
mod tests;
