#!/usr/bin/env bash
# Tests the committed guests in the zkVM, and measures them: scripts/prove-guest.sh [guests] [segment sizes, e.g. 15 16].
# The first run builds risc0's kernels: ten minutes of C++ on 2 cores, for which it needs g++. No part of scripts/test.sh.
set -euo pipefail
cd "$(dirname "$0")/../crates/ext/prover"
./prepare.sh
cargo test --release --locked
cargo run --release --locked --example measure -- "$@"
