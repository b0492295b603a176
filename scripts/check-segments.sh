#!/usr/bin/env bash
# Compares the verifier of segment proofs with risc0's own verifier and constraints. Builds about 90 crates of risc0's,
# without C++: two minutes on 2 cores, half a minute where they are built. A step of .ci/run; no part of scripts/test.sh.
set -euo pipefail
cd "$(dirname "$0")/../crates/ext/segment/reference"
[ -z "${CARGO_TARGET_DIR:-}" ] || export CARGO_TARGET_DIR="$CARGO_TARGET_DIR/segment-reference"
cargo test --locked
