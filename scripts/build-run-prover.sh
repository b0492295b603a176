#!/usr/bin/env bash
# Builds tsz-run-prover, which proves the runs of extension programs for `tsz prove`, beside the release build of tsz.
# The first build is risc0's kernels: ten CPU minutes of C++. Installs g++ where it is missing (Debian, root).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
if ! command -v g++ >/dev/null; then
    apt-get update -q
    apt-get install -yq --no-install-recommends g++
fi
cd crates/ext/prover
./prepare.sh
cargo build --release --locked --bin tsz-run-prover
out=$root/target/release
mkdir -p "$out"
install -m 755 "${CARGO_TARGET_DIR:-target}/release/tsz-run-prover" "$out/tsz-run-prover"
echo "$out/tsz-run-prover"
