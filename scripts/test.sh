#!/usr/bin/env bash
# The one test command: every test of the workspace. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --workspace --locked "$@"
