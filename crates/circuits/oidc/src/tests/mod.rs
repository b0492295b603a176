//! Honest ops, one test for each lie, proofs.

mod lies;
mod live;
mod proofs;
mod world;
