#!/usr/bin/env bash
# Tries `concord deploy`, `concord migrate-check` and fee grants on a real wasmd: one node, which takes uploads of one
# account only. Ends what it started, and says what came out.
#
# usage: deploy-check.sh [--release 0.61.14|0.54.9] [--base-port PORT] [--wasm FILE]
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=tools.sh
. "$here/tools.sh"
need jq "deploy-check.sh reads answers with it"

RELEASE=0.61.14 BASE_PORT=28650 WASM="$here/../artifacts/coordinator.wasm"
while [ $# -gt 0 ]; do
    case $1 in
        --release) RELEASE=${2:?} && shift 2 ;;
        --base-port) BASE_PORT=${2:?} && shift 2 ;;
        --wasm) WASM=$(realpath "${2:?}") && shift 2 ;;
        *) fail "unknown option $1; see the head of this script" ;;
    esac
done
[ -e "$WASM" ] || "$here/build-wasm.sh" || fail "there is no $WASM"
if [ -z "${CONCORD:-}" ]; then
    cargo build --locked --quiet --manifest-path "$here/../Cargo.toml" --package concord
    CONCORD="${CARGO_TARGET_DIR:-$here/../target}/debug/concord"
fi

umask 077
work=$(mktemp -d)
net="$work/net"
localnet() { "$here/localnet.sh" "$@" --dir "$net" >/dev/null; }
finish() {
    localnet down --remove || true
    rm -rf "$work"
}
trap finish EXIT

# The genesis lets the deployer alone upload.
localnet up --release "$RELEASE" --base-port "$BASE_PORT" --no-start
address() { jq -r --arg name "$1" '.[] | select(.name == $name) | .address' "$net/accounts.json"; }
genesis="$net/node0/wasmd/config/genesis.json"
jq --arg deployer "$(address deployer)" \
    '.app_state.wasm.params.code_upload_access = {permission: "AnyOfAddresses", addresses: [$deployer]}' \
    "$genesis" >"$work/genesis.json"
cp "$work/genesis.json" "$genesis"
localnet up --no-deploy

jq --slurpfile accounts "$net/accounts.json" -f "$here/localnet/instantiate.jq" "$here/../docs/genesis.example.json" \
    >"$work/init.json"
for name in deployer operator-1 hot-1; do
    jq -r --arg name "$name" '.[] | select(.name == $name) | .mnemonic' "$net/accounts.json" >"$work/$name.key"
done
export CONCORD_CHAIN__RPC="[\"http://127.0.0.1:$((BASE_PORT + 7))\"]" CONCORD_CHAIN__CHAIN_ID=concord-local-1
export CONCORD_GAS__PRICE=0.025 CONCORD_GAS__DENOM=ucosm

passed=0 failed=0
# expect CODE TEXT NAME ARGS...: what a command ends with and says, on either output.
expect() {
    local code=$1 text=$2 name=$3 found=0 said
    shift 3
    said=$("$CONCORD" "$@" 2>&1) || found=$?
    if [ "$found" = "$code" ] && [[ $said == *"$text"* ]]; then
        passed=$((passed + 1))
        printf 'ok    %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s: expected exit code %s and "%s", found %s:\n%s\n' "$name" "$code" "$text" "$found" "$said"
    fi
}
deploy() { printf '%s\n' deploy "$WASM" --init "$work/init.json" "$@"; }
mapfile -t deploy < <(deploy)
as() { printf -- '--key\n%s\n' "$work/$1.key"; }
mapfile -t deployer < <(as deployer)
mapfile -t owner < <(as operator-1)

expect 3 "have an allowed account or the chain's governance upload it" "an upload that the chain refuses" \
    "${deploy[@]}" "${owner[@]}"
CONCORD_GAS__PRICE=0.001 expect 3 "expected a fee of at least" "a gas price that is too low" \
    "${deploy[@]}" "${deployer[@]}"
"$CONCORD" keys generate "$work/new.key" >/dev/null
new=$("$CONCORD" keys show "$work/new.key" --json | jq -r .address)
expect 3 "found none; send it coins" "a wallet that the chain never saw" "${deploy[@]}" --key "$work/new.key"
CONCORD_GAS__PRICE=1000000 expect 3 "on the account that pays, found" "a wallet with too little" \
    "${deploy[@]}" "${deployer[@]}"

expect 0 "would be uploaded" "a dry run" "${deploy[@]}" --dry-run "${deployer[@]}"
expect 0 "admin     itself" "a deployment" "${deploy[@]}" "${deployer[@]}"
expect 0 "(was there)" "the same again" "${deploy[@]}" "${deployer[@]}"
contract=$("$CONCORD" "${deploy[@]}" "${deployer[@]}" --json | jq -r .address)
export CONCORD_CHAIN__CONTRACT=$contract
expect 0 '"uploaded":false' "another address for the same code" "${deploy[@]}" --salt two "${deployer[@]}" --json
expect 0 '"instantiated":true' "a code that another account uploaded" "${deploy[@]}" --code-id 1 "${owner[@]}" --json
expect 4 "expected code 9 on chain, found none" "a code that is not there" "${deploy[@]}" --code-id 9 --salt three \
    "${deployer[@]}"
expect 0 "short floors" "the coordinator answers" status
expect 5 "nothing to replace" "the deployed build against itself" migrate-check "$WASM"
expect 5 "only a vote migrates it" "the admin is told" migrate-check "$WASM"

grant=(keys grant "$new" "${owner[@]}")
hot=(claim --key "$work/new.key")
expect 0 "granted in block" "a grant" "${grant[@]}" --per-period 10000ucosm
expect 0 "was there" "the same grant again" "${grant[@]}" --per-period 10000ucosm
CONCORD_GAS__FEE_GRANTER=$(address operator-1)
export CONCORD_GAS__FEE_GRANTER
expect 0 "nothing to claim" "a hot key without coins" "${hot[@]}"
CONCORD_GAS__PRICE=1 expect 3 "wait for the next period" "an allowance that is used up" "${hot[@]}"
expect 3 "without gas.fee_granter" "a message that the grant is not for" "${deploy[@]}" --code-id 1 --key "$work/new.key"
expect 0 "granted in block" "a grant in place of another" "${grant[@]}" --per-period 10000ucosm --total 20000ucosm \
    --expires-seconds 4
sleep 6
expect 3 "have the owner grant one" "a grant that ended" "${hot[@]}"
expect 0 "granted in block" "a grant after one that ended" "${grant[@]}" --per-period 10000ucosm
expect 0 "pays for $new no more" "a grant that is taken back" keys revoke "$new" "${owner[@]}"
expect 3 "have the owner grant one" "a hot key without a grant" "${hot[@]}"
expect 0 "pays nothing for" "taken back again" keys revoke "$new" "${owner[@]}"

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
