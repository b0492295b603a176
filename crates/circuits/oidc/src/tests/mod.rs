//! Honest ops, one test for each lie, proofs.

mod es256;
mod lies;
mod live;
mod pay;
mod proofs;
mod world;
