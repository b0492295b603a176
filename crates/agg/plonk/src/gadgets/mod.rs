//! What verifiers of Plonky3 proofs are made of: hashing, Merkle paths, the transcript, FRI folding.

pub mod fri;
pub mod hash;
pub mod transcript;
