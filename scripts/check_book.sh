#!/usr/bin/env bash
# Every page of the book is in its summary, every relative link leads to a file, and no file names a machine.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
fail() {
    printf 'book: %s\n' "$1" >&2
    failed=1
}

for page in docs/src/*.md; do
    name=$(basename "$page")
    [ "$name" = SUMMARY.md ] || grep -q "($name)" docs/src/SUMMARY.md || fail "$name is not in SUMMARY.md"
done

while IFS= read -r file; do
    while IFS= read -r link; do
        target=${link%%#*}
        [ -z "$target" ] && continue
        case "$target" in *://* | mailto:*) continue ;; esac
        [ -e "$(dirname "$file")/$target" ] || fail "$file: no such file: $target"
    done < <(grep -oE '\]\([^) ]+\)' "$file" | sed -E 's/^\]\((.*)\)$/\1/')
done < <(git ls-files '*.md')

exit "$failed"
