#!/usr/bin/env bash
# Compares the verifier of segment proofs with risc0's own verifier and constraints. Builds about 90 crates of risc0's,
# without C++; no part of scripts/test.sh.
set -euo pipefail
cd "$(dirname "$0")/../crates/ext/segment/reference"
cargo test --locked
