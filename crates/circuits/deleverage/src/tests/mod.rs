//! Tests.

mod agree;
mod cells;
mod honest;
mod lies_adl;
mod lies_force;
mod lies_rank;
mod proofs;
mod props;
mod world;
