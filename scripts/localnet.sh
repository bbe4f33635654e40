#!/usr/bin/env bash
# A chain on this machine to try things on: wasmd with one node or four validators, funded accounts, and the coordinator.
#
# usage: localnet.sh up [--validators 1|4] [--release 0.61.14|0.61.14-r2|0.54.9] [--dir DIR] [--base-port PORT]
#                       [--block-gas GAS] [--wasm FILE] [--instantiate FILE] [--no-start] [--no-deploy]
#        localnet.sh down [--dir DIR] [--node 0|1|2|3] [--remove]
#        localnet.sh status [--dir DIR] [--json]
#
#   --dir          where the chain lives; .localnet in the tree by default
#   --base-port    node i listens on PORT + 10 i: +1 REST, +6 peers, +7 RPC, +9 gRPC; 26650 by default, so RPC is 26657
#   --block-gas    the most gas of a block of a new net; 10000000 by default
#   --wasm         the contract; artifacts/coordinator.wasm by default, built if it is not there
#   --instantiate  the coordinator's instantiate message; by default docs/genesis.example.json's with this net's accounts
#   --no-start     makes the folders and starts nothing, for agents that start the nodes themselves
#   --no-deploy    starts the chain without the coordinator
#   --node         ends this node alone, for an agent that takes it over
#   --remove       deletes the folder too
#
# `up` again starts what is not running, and deploys what is not deployed. `down` ends only what `up` started. The
# variable CONCORD names the `concord` that deploys; by default it is built from this tree.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=tools.sh
. "$here/tools.sh"
# shellcheck source=localnet/folders.sh
. "$here/localnet/folders.sh"
# shellcheck source=localnet/nodes.sh
. "$here/localnet/nodes.sh"
# shellcheck source=localnet/deploy.sh
. "$here/localnet/deploy.sh"

need jq "localnet.sh reads and writes JSON with it"
need curl "localnet.sh asks the nodes with it"

VALIDATORS="" RELEASE="" BASE_PORT="" NET="$here/../.localnet"
BLOCK_GAS="" WASM="" INSTANTIATE="" NODE="" START=yes DEPLOY=yes REMOVE=no AS_JSON=no

command=${1:-}
[ $# -gt 0 ] && shift
while [ $# -gt 0 ]; do
    case $1 in
        --validators) VALIDATORS=${2:?} && shift 2 ;;
        --release) RELEASE=${2:?} && shift 2 ;;
        --dir) NET=${2:?} && shift 2 ;;
        --base-port) BASE_PORT=${2:?} && shift 2 ;;
        --block-gas) BLOCK_GAS=${2:?} && shift 2 ;;
        --wasm) WASM=$(realpath "${2:?}") && shift 2 ;;
        --instantiate) INSTANTIATE=$(realpath "${2:?}") && shift 2 ;;
        --no-start) START=no && shift ;;
        --no-deploy) DEPLOY=no && shift ;;
        --node) NODE=${2:?} && shift 2 ;;
        --remove) REMOVE=yes && shift ;;
        --json) AS_JSON=yes && shift ;;
        *) fail "unknown option $1; see the head of this script" ;;
    esac
done
case ${VALIDATORS:-1} in 1 | 4) ;; *) fail "expected 1 or 4 validators, found $VALIDATORS" ;; esac
[[ ${BASE_PORT:-26650} =~ ^[0-9]{4,5}$ ]] && [ "${BASE_PORT:-26650}" -ge 1024 ] && [ "${BASE_PORT:-26650}" -le 65000 ] ||
    fail "expected a base port from 1024 to 65000, found $BASE_PORT"
[[ ${BLOCK_GAS:-1000000} =~ ^[0-9]{7,10}$ ]] || fail "expected a block's gas from 1000000 to 9999999999, found $BLOCK_GAS"

[ -z "$NODE" ] || [[ $command = down && $REMOVE = no && $NODE =~ ^[0-3]$ ]] ||
    fail "expected --node 0 to 3 with down and without --remove, found $NODE"

case $command in
    up)
        mkdir -p "$NET"
        chmod 700 "$NET"
        NET=$(cd "$NET" && pwd)
        exec {NET_LOCK}>"$NET/lock"
        flock -n "$NET_LOCK" || fail "another run works on $NET"
        make_folders
        # A node must not inherit the lock, or it would hold it as long as it runs.
        if [ $START = yes ]; then
            start_nodes
            [ $DEPLOY = no ] || deploy
        fi
        status
        ;;
    down)
        [ -e "$NET/net.json" ] || { say "there is no net in $NET" && exit 0; }
        NET=$(cd "$NET" && pwd)
        # shellcheck disable=SC2086
        stop_nodes $NODE
        if [ $REMOVE = yes ]; then rm -rf "$NET"; fi
        ;;
    status)
        [ -e "$NET/net.json" ] || fail "there is no net in $NET; localnet.sh up makes one"
        NET=$(cd "$NET" && pwd)
        status
        ;;
    *) fail "expected up, down or status, found '${command}'; see the head of this script" ;;
esac
