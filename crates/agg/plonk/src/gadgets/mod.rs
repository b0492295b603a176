//! What verifiers are made of: hashing, Merkle paths, transcripts, FRI folding; Plonky3's and risc0's.

pub mod fri;
pub mod hash;
pub mod transcript;
pub mod wide;
