#!/usr/bin/env bash
# Measures what is promised: one JSON object a line on standard output. Ends with 1 when a figure misses what is promised
# of it.
#
# usage: bench.sh [speed]   the agent and the devnet, release builds on real processes
#        bench.sh gas [--no-peers]
#                           what every message of the coordinator costs on a localnet of wasmd, in its gas, which is exact,
#                           beside cw3-flex-multisig and DAO DAO, which are built once
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/.."
# shellcheck source=tools.sh
. scripts/tools.sh

speed() {
    cargo build --release --locked --quiet -p demo-daemon --bin demo-daemon-v1
    cargo build --release --locked --quiet -p concord --bin concord --example bench
    exec cargo run --release --locked --quiet -p concord --example bench -- speed
}

# A thousand operators are set up in one transaction, and their nodes in few blocks.
readonly BENCH_BLOCK_GAS=100000000
# Beside the port of a localnet that is there already.
readonly BENCH_PORT=28650

gas() {
    local target net wasm=artifacts/coordinator.wasm peers=()
    target="${CARGO_TARGET_DIR:-target}/debug"
    cargo build --locked --quiet -p concord --bin concord --example bench
    [ -e $wasm ] || scripts/build-wasm.sh
    if [ "${1:-}" != --no-peers ]; then peers=(--peers "$(scripts/peers.sh)"); fi
    net=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "scripts/localnet.sh down --dir '$net' --remove" EXIT
    scripts/localnet.sh up --dir "$net" --base-port $BENCH_PORT --block-gas $BENCH_BLOCK_GAS --no-deploy >&2
    "$target/examples/bench" gas --net "$net" --concord "$target/concord" --wasm $wasm "${peers[@]}"
}

case ${1:-speed} in
    speed) speed ;;
    gas) gas "${2:-}" ;;
    *) fail "expected speed or gas, found '$1'; see the head of this script" ;;
esac
