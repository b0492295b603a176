#!/usr/bin/env bash
# The one test command: every test of the workspace. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "$0")/.."
# Tests read the metadata of every dependency, those of other platforms included.
cargo fetch --locked
cargo test --workspace --locked "$@"
