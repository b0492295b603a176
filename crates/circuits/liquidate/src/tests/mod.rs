//! Tests.

mod honest;
mod lies;
mod lies_close;
mod lies_forced;
mod proofs;
mod props;
mod world;
