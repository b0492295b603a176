#!/usr/bin/env bash
# Logins by real counterparts: a headless browser with a virtual authenticator and an OpenID provider on loopback.
# Installs what it needs: Node.js packages of e2e/ by npm, Chromium by apt (Debian, as root) unless $CHROMIUM names one.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v node >/dev/null || { echo "Node.js 20 or later is needed" >&2; exit 1; }
export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$CHROMIUM" ]; then
    apt-get update && apt-get install -y --no-install-recommends chromium
fi
npm ci --prefix e2e --no-audit --no-fund
cargo test --locked -p tsz-auth --test live -- --ignored
cargo test --locked -p tsz-auth-circuit --lib live -- --ignored
cargo test --locked -p tsz-oidc --lib live -- --ignored
