#!/usr/bin/env bash
# Builds the zkVM guests with Debian's compiler and linker, which the committed ELF files are made with.
#   scripts/build-guests.sh            build and overwrite guests/elf/*.elf
#   scripts/build-guests.sh --check    build and demand the same bytes as committed
#   scripts/build-guests.sh --dir DIR  build the guest in DIR/guest (`tsz guest new` wrote it) to DIR/NAME.elf
#   scripts/build-guests.sh --install  install the toolchain first (Debian, root)
# The bytes depend on compiler and linker, and not on the folder: paths are mapped away.
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=1.96.0 linker=22.1.8
check= dir=
while [ $# -gt 0 ]; do
    case $1 in
    --check) check=1 ;;
    --dir)
        [ -d "${2:-}/guest" ] || { echo "${2:-}/guest is no folder" >&2 && exit 2; }
        dir=$(cd "$2" && pwd)
        shift
        ;;
    --install)
        apt-get update -q
        apt-get install -yq --no-install-recommends rustc-web cargo-web rust-web-src lld-22
        ;;
    *) echo "unknown argument $1" >&2 && exit 2 ;;
    esac
    shift
done

fail() {
    echo "$1; scripts/build-guests.sh --install gets it on Debian 12. The committed guests in guests/elf run without." >&2
    exit 3
}
[ -x /usr/bin/rustc ] && [ "$(/usr/bin/rustc -V | cut -d ' ' -f 2)" = $compiler ] || fail "Debian's rustc-web $compiler is missing"
[ -x /usr/bin/cargo ] || fail "Debian's cargo-web is missing"
[ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ] || fail "Debian's rust-web-src is missing"
[ -x /usr/bin/ld.lld-22 ] && /usr/bin/ld.lld-22 --version | grep -q "LLD $linker" || fail "Debian's lld-22 $linker is missing"

target=riscv32im-risc0-zkvm-elf
out=${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/guests}
out=${out:-${dir:-$PWD/guests}/target}
source=${dir:+$dir/guest}
source=${source:-guests}
locked=--locked
[ -z "$dir" ] || locked=
sysroot=$(realpath "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust")
# One thread in the machine: atomics are plain loads and stores. A panic is an illegal instruction, without a text.
flags=(
    -Cpasses=lower-atomic -Clinker=/usr/bin/ld.lld-22 -Clinker-flavor=ld.lld
    -Clink-arg=-Ttext=0x00200800 -Clink-arg=--fatal-warnings -Clink-arg=-N
    -Zunstable-options -Cpanic=immediate-abort -Ctarget-feature=+m
    "--remap-path-prefix=$PWD=/tsz" ${dir:+"--remap-path-prefix=$dir=/program"} "--remap-path-prefix=$sysroot=/rust"
)
encoded=$(printf '%s\x1f' "${flags[@]}")
(
    cd "$source"
    env -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$out" \
        CARGO_ENCODED_RUSTFLAGS="${encoded%$'\x1f'}" \
        /usr/bin/cargo --config 'source.crates-io.replace-with="debian"' \
        --config "source.debian.directory=\"$sysroot/library/vendor\"" build --release $locked --offline --target $target -Zbuild-std=core \
        -Zbuild-std-features=compiler-builtins-mem --bins
)
if [ -n "$dir" ]; then
    name=$(sed -n '/^\[\[bin\]\]/,/^name/s/^name = "\(.*\)"/\1/p' "$source/Cargo.toml")
    cp "$out/$target/release/$name" "$dir/$name.elf"
    chmod 644 "$dir/$name.elf"
    echo "$name: $(stat -c %s "$dir/$name.elf") bytes, $(sha256sum <"$dir/$name.elf" | cut -c 1-64)"
    exit 0
fi
mkdir -p guests/elf
for manifest in guests/*/src/main.rs; do
    name=$(basename "$(dirname "$(dirname "$manifest")")")
    built=$out/$target/release/$name
    if [ -n "$check" ]; then
        cmp "$built" "guests/elf/$name.elf" || { echo "$name: the build differs from the committed ELF" >&2 && exit 1; }
        echo "$name: reproduced, $(sha256sum <"$built" | cut -c 1-64)"
    else
        cp "$built" "guests/elf/$name.elf"
        chmod 644 "guests/elf/$name.elf"
        echo "$name: $(stat -c %s "$built") bytes, $(sha256sum <"$built" | cut -c 1-64)"
    fi
done
