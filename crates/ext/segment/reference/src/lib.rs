//! Compares `tsz-segment` with risc0's own verifier and constraints: see `tests/`.
