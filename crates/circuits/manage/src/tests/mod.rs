//! Tests.

mod honest;
mod lies;
mod lies_settle;
mod proofs;
mod props;
mod world;
