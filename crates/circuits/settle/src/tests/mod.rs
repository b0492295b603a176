//! Tests.

mod honest;
mod lies;
mod lies_debt;
mod lies_seize;
mod proofs;
mod props;
mod world;
