//! Tests.

mod honest;
mod lies;
mod lies_debt;
mod proofs;
mod props;
mod world;
