#!/usr/bin/env bash
# Puts risc0's rv32im crate, with the fix of poseidon2.patch, where Cargo.toml expects it (vendor/, not in git).
# The fix is to the executor only: circuit, kernels and verifier are those of the registry.
set -euo pipefail
cd "$(dirname "$0")"
name=risc0-circuit-rv32im version=4.0.5
[ -e vendor/$name/.patched ] && exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/src" vendor
printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n%s = "=%s"\n[workspace]\n' $name $version >"$folder/Cargo.toml"
touch "$folder/src/lib.rs"
cargo vendor --quiet --manifest-path "$folder/Cargo.toml" --versioned-dirs "$folder/vendor" >/dev/null
rm -rf "vendor/$name"
cp -r "$folder/vendor/$name-$version" "vendor/$name"
rm -f "vendor/$name/.cargo-checksum.json"
patch -s -p1 -d "vendor/$name" <poseidon2.patch
touch "vendor/$name/.patched"
