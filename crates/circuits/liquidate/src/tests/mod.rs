//! Tests.

mod honest;
mod lies;
mod proofs;
mod props;
mod world;
