//! Tests.

mod honest;
mod lies;
mod lies_margin;
mod proofs;
mod props;
mod world;
