//! Tests.

mod honest;
mod lies;
mod lies_market;
mod lies_settle;
mod proofs;
mod props;
mod world;
