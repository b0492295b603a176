//! The verifier of `tsz-stark` proofs as programs of the recursion machine, for any set of AIRs.
//!
//! | part | module |
//! |---|---|
//! | the key, a constant of the program or a witness bound by its digest | [`key`] |
//! | transcript up to the out-of-domain point, sum of the LogUp terminals | [`batch`] |
//! | constraints and quotient at the out-of-domain point, from the tables' own `Air::eval` | `constraints`, [`verifier`] |
//! | transcript of the opening argument, all grindings | [`opening`] |
//! | batch reduction by height | `reduction` |
//! | opened rows, Merkle paths, folding, final polynomial | [`query`] |
//! | upper levels of the trees, hashed once for all queries | `crown` |
//! | inputs of the program for a proof; multi-proofs expanded into single paths | [`witness`] |
//!
//! `SOUNDNESS.md` argues that the program accepts what the native verifier accepts and nothing else.

pub mod batch;
mod constraints;
mod crown;
pub mod key;
mod layout;
pub mod opening;
mod paths;
pub mod query;
mod reduction;
mod seed;
#[cfg(test)]
mod tests;
pub mod verifier;
pub mod witness;

pub use key::KeyWires;
pub use verifier::{ProofWires, Run, Verifier};
pub use witness::{KeyValues, WitnessError};
