//! Honest ops, one test for each lie, proofs.

mod lies;
mod proofs;
mod world;
