#!/usr/bin/env bash
# Makes a new program as a developer does, tests it and builds its guest: scripts/check-guest-template.sh [TSZ]. Needs
# the toolchain of scripts/build-guests.sh. A step of .ci/run where that is installed; no part of scripts/test.sh, which
# tests the template as a crate.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tsz=${1:-}
if [ -z "$tsz" ]; then
    cargo build -p tsz --locked
    tsz=${CARGO_TARGET_DIR:-target}/debug/tsz
fi
"$tsz" guest new rent --dir "$folder/rent"
# the same versions of dependencies as here
cp Cargo.lock "$folder/rent/Cargo.lock"
out=${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/guest-template}
CARGO_TARGET_DIR=${out:-$folder/target} cargo test --manifest-path "$folder/rent/Cargo.toml"
"$tsz" guest build --dir "$folder/rent"
