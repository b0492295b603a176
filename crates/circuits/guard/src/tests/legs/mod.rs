//! The circuit of programs that move positions.

mod honest;
mod lies;
mod lies_chain;
mod proofs;
mod props;
mod world;
