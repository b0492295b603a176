//! Tests: batches, honest proofs, lies, properties.

mod fixture;
mod honest;
mod lies;
mod lies_tree;
mod props;
