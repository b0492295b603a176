//! Tests.

mod honest;
mod lies;
mod lies_margin;
mod lies_tokens;
mod proofs;
mod props;
mod world;
