#!/usr/bin/env bash
# Upgrades a chain of four real validators by the coordinator that lives on it, and judges what came of it: docs/E2E.md.
# One JSON object on standard output; ends with 1 when an expectation is not met.
#
# usage: e2e.sh rolling|bad-release [--mode trust|light] [--wasm FILE] [--base-port PORT] [--dir DIR]
#
#   rolling      each validator is upgraded in its turn, while the others make blocks
#   bad-release  the same, and one validator's artifact cannot run: it goes back
#   --dir        a new folder that is left there; by default one that is removed at the end, unless something failed
#
# It ends what it started, whatever happens. It takes two and a half minutes once everything is built, and 2 GB of disk meanwhile.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=tools.sh
. "$here/tools.sh"
need cargo "e2e.sh builds concord from this tree"
need jq "scripts/localnet.sh reads and writes JSON with it"

story=${1:-}
case $story in rolling | bad-release) shift ;; *) fail "expected rolling or bad-release, found '$story'" ;; esac
WASM="" BASE_PORT=22650 MODE=trust KEEP=""
while [ $# -gt 0 ]; do
    case $1 in
        --mode) MODE=${2:?} && shift 2 ;;
        --wasm) WASM=$(realpath "${2:?}") && shift 2 ;;
        --base-port) BASE_PORT=${2:?} && shift 2 ;;
        --dir) KEEP=$(realpath "${2:?}") && shift 2 ;;
        *) fail "unknown option $1; see the head of this script" ;;
    esac
done

manifest="$here/../Cargo.toml"
cargo build --quiet --locked --manifest-path "$manifest" -p concord --bin concord --example e2e
bin="${CARGO_TARGET_DIR:-$here/../target}/debug"
if [ -z "$WASM" ]; then
    WASM="$here/../artifacts/coordinator.wasm"
    [ -e "$WASM" ] || "$here/build-wasm.sh"
fi
programs=(--before "$("$here/wasmd/build.sh" 0.61.14)" --after "$("$here/wasmd/build.sh" 0.61.14-r2)")
# A release for one platform that was made of the wrong tag: it refuses the library that it finds, and ends at once.
[ "$story" = rolling ] || programs+=(--bad "$("$here/wasmd/build.sh" 0.54.9)")

DIR=${KEEP:-$(mktemp -d)}
code=0
"$bin/examples/e2e" "$story" --mode "$MODE" --base-port "$BASE_PORT" --dir "$DIR" --wasm "$WASM" \
    --localnet "$here/localnet.sh" --genesis "$here/../docs/genesis.example.json" --concord "$bin/concord" \
    "${programs[@]}" || code=$?
if [ -z "$KEEP" ] && [ $code = 0 ]; then
    rm -rf "$DIR"
else
    say "what it did is in $DIR"
fi
exit $code
