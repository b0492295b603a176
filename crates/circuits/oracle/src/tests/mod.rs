//! Tests.

mod honest;
mod lies;
mod lies_sample;
mod proofs;
mod props;
mod world;
