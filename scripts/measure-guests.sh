#!/usr/bin/env bash
# Builds guests-bench (logins, a Merkle proof) for the zkVM and prints the cycles of their runs, by risc0's executor
# alone: no C++, nothing is proven. Needs the compiler of scripts/build-guests.sh, and the registry's crates for
# the logins (`cargo vendor` fetches what is not there).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
fail() { echo "$1 is missing: scripts/build-guests.sh --install gets it on Debian 12" >&2 && exit 3; }
[ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] || fail "Debian's rustc-web"
[ -x /usr/bin/ld.lld-22 ] || fail "Debian's lld-22"

target=riscv32im-risc0-zkvm-elf
out=$root/guests-bench/target
sysroot=$(realpath "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust")
# one folder with the crates of core and of the logins
mkdir -p "$out/vendor"
/usr/bin/cargo vendor --quiet --locked --manifest-path guests-bench/Cargo.toml --versioned-dirs "$out/crates" >/dev/null
find "$out/vendor" -mindepth 1 -maxdepth 1 -type l -delete
ln -s "$sysroot"/library/vendor/* "$out/vendor/"
for crate in "$out"/crates/*; do ln -sfn "$crate" "$out/vendor/"; done

flags=(
    -Cpasses=lower-atomic -Clinker=/usr/bin/ld.lld-22 -Clinker-flavor=ld.lld
    -Clink-arg=-Ttext=0x00200800 -Clink-arg=--fatal-warnings -Clink-arg=-N
    -Zunstable-options -Cpanic=immediate-abort -Ctarget-feature=+m
)
encoded=$(printf '%s\x1f' "${flags[@]}")
(
    cd guests-bench
    env -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$out" \
        CARGO_ENCODED_RUSTFLAGS="${encoded%$'\x1f'}" \
        /usr/bin/cargo --config 'source.crates-io.replace-with="all"' --config "source.all.directory=\"$out/vendor\"" \
        build --release --locked --offline --target $target -Zbuild-std=core,alloc \
        -Zbuild-std-features=compiler-builtins-mem --bins
)
cd crates/ext/prover
./prepare.sh
cargo run --release --locked --no-default-features --example runs -- \
    "$out/$target/release/login" "$root"/guests-bench/fixtures/{passkey,wallet,social}.txt
cargo run --release --locked --no-default-features --example runs -- \
    "$out/$target/release/merkle" "$root"/guests-bench/fixtures/merkle.txt
