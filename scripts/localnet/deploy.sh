# Uploads and instantiates the coordinator. Sourced by localnet.sh.
# shellcheck shell=bash

# The command line of this tree, or the one that CONCORD names.
concord() {
    if [ -z "${CONCORD:-}" ]; then
        need cargo "the coordinator is deployed with concord, which is built from this tree"
        cargo build --locked --quiet --manifest-path "$here/../Cargo.toml" --package concord >&2
        CONCORD="${CARGO_TARGET_DIR:-$here/../target}/debug/concord"
    fi
    CONCORD_GAS__PRICE=0.025 CONCORD_GAS__DENOM=$FEE_DENOM \
        "$CONCORD" "$@" --node "$(rpc 0)" --chain-id $CHAIN_ID --key "$NET/deployer.key"
}

deploy() {
    [ "$(net .coordinator)" = null ] || return 0
    local artifact="${WASM:-$here/../artifacts/coordinator.wasm}" made
    [ -e "$artifact" ] || "$here/build-wasm.sh" || fail "there is no $artifact"
    if [ -n "$INSTANTIATE" ]; then
        cp "$INSTANTIATE" "$NET/instantiate.json"
    else
        jq --slurpfile accounts "$NET/accounts.json" -f "$here/localnet/instantiate.jq" \
            "$here/../docs/genesis.example.json" >"$NET/instantiate.json"
    fi
    (umask 077 && jq -r '.[] | select(.name == "deployer") | .mnemonic' "$NET/accounts.json" >"$NET/deployer.key")
    made=$(concord deploy "$artifact" --init "$NET/instantiate.json" --json) || fail "the coordinator is not deployed"
    note --argjson made "$made" '.coordinator = ($made | {address, code_id, checksum, gas_used})'
}
