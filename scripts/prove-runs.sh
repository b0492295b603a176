#!/usr/bin/env bash
# The whole path of extension operations with the real prover of runs: executes, proves and verifies the grid example.
#   scripts/prove-runs.sh          minutes; the first time risc0's kernels are built besides (ten CPU minutes of C++)
#   scripts/prove-runs.sh --parts  proves the runs in segments of 2^14 cycles, eight each, and aggregates them: four times as long
#   scripts/prove-runs.sh --pin    replaces the committed proofs in guests/runs too: those of the examples grid and block, of the demo and of the workload of all families
# TSZ names another build of tsz than the release one. No part of scripts/test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
pin= parts=
case ${1:-} in
"") ;;
--parts) parts=1 ;;
--pin) pin=1 ;;
*) echo "unknown argument $1" >&2 && exit 2 ;;
esac

prover=$(scripts/build-run-prover.sh | tail -n 1)
if [ -z "${TSZ:-}" ]; then
    cargo build --release --locked
    TSZ=target/release/tsz
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$parts" ]; then
    # asks for smaller segments than the request does, where a proof is wanted
    cat >"$work/small" <<EOF
#!/bin/sh
request=\$(mktemp)
trap 'rm -f "\$request"' EXIT
cat >"\$request"
if [ "\$(od -An -tu1 -j8 -N1 "\$request" | tr -d ' ')" = 1 ]; then
    { head -c 12 "\$request"; printf '\\016\\000\\000\\000'; tail -c +17 "\$request"; } | "$prover"
else
    "$prover" <"\$request"
fi
EOF
    chmod +x "$work/small"
    prover=$work/small
fi
example=crates/client/scenario/examples/grid.json

"$TSZ" scenario run $example
"$TSZ" prove $example --run-prover "$prover" --out "$work/grid"
"$TSZ" verify "$work/grid"
if [ -n "$parts" ]; then
    "$TSZ" aggregate "$work/grid" --out "$work/grid.proof"
    "$TSZ" verify "$work/grid.proof"
fi
if [ -n "$pin" ]; then
    "$TSZ" prove crates/client/scenario/examples/block.json --run-prover "$prover" --out "$work/block"
    "$TSZ" demo --ops 64 --no-aggregate --run-prover "$prover" --out "$work/demo"
    "$TSZ" scenario gen --kinds families --ops 16 --seed 1 --accounts 64 --active 8 --out "$work/families.json"
    "$TSZ" prove "$work/families.json" --run-prover "$prover" --out "$work/families"
    mkdir -p guests/runs
    rm -f guests/runs/*.run
    for name in block grid demo families; do
        number=0
        for file in "$work/$name"/runs/*.run; do
            cp "$file" "guests/runs/$name-$number.run"
            number=$((number + 1))
        done
    done
    ls -l guests/runs
    echo "build again: these files are compiled into tsz"
fi
