//! Tests.

mod honest;
mod lies;
mod proofs;
mod world;
