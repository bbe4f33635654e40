# Uploads and instantiates the coordinator. Sourced by localnet.sh.
# shellcheck shell=bash

readonly TX_SECONDS=60
# The text, in hex, that makes the contract's address with the code and the sender.
readonly SALT=636f6e636f7264

wasmd() { "$(net .wasmd)" "$@" --node "tcp://127.0.0.1:$(port 0 7)"; }

# tx FROM ARGS...: sends, waits for the block, and prints the result as the RPC says it.
tx() {
    local from=$1 sent hash result deadline
    shift
    sent=$(wasmd tx "$@" --from "$from" --keyring-backend test --keyring-dir "$NET/keys" --chain-id $CHAIN_ID \
        --gas-prices 0.025$FEE_DENOM --broadcast-mode sync --output json --yes 2>"$NET/tx.log") ||
        fail "the transaction was not sent: $(tail -n 3 "$NET/tx.log")"
    sent=$(tail -n 1 <<<"$sent")
    [ "$(jq -r .code <<<"$sent")" = 0 ] || fail "the node refused the transaction: $(jq -r .raw_log <<<"$sent")"
    hash=$(jq -r .txhash <<<"$sent")
    deadline=$((SECONDS + TX_SECONDS))
    until result=$(curl -s -m 5 "$(rpc 0)/tx?hash=0x$hash" | jq -e '.result // empty'); do
        [ $SECONDS -lt $deadline ] || fail "transaction $hash is in no block after $TX_SECONDS seconds"
        sleep 0.2
    done
    [ "$(jq -r .tx_result.code <<<"$result")" = 0 ] ||
        fail "transaction $hash failed: $(jq -r .tx_result.log <<<"$result")"
    printf '%s\n' "$result"
}

# attribute EVENT KEY: from a result on stdin.
attribute() {
    jq -r --arg event "$1" --arg key "$2" \
        'first(.tx_result.events[] | select(.type == $event) | .attributes[] | select(.key == $key) | .value)'
}

deploy() {
    [ "$(net .coordinator)" = null ] || return 0
    local artifact="${WASM:-$here/../artifacts/coordinator.wasm}"
    [ -e "$artifact" ] || "$here/build-wasm.sh" || fail "there is no $artifact"
    local stored code_id checksum creator address made
    stored=$(tx deployer wasm store "$artifact" --gas 9500000)
    code_id=$(attribute store_code code_id <<<"$stored")
    checksum=$(attribute store_code code_checksum <<<"$stored")
    [ "$checksum" = "$(sha256sum "$artifact" | cut -d' ' -f1)" ] ||
        fail "the chain says checksum $checksum, which is not that of $artifact"
    creator=$(jq -r '.[] | select(.name == "deployer") | .address' "$NET/accounts.json")
    # Nobody but its own votes migrates the contract: its admin is itself, under the address that it will have.
    # It is the same in all releases, but 0.54.9 asks a node for it that it expects at a fixed port.
    address=$("$("$here/wasmd/build.sh" 0.61.14)" query wasm build-address "$checksum" "$creator" $SALT | tail -n 1)
    if [ -n "$INSTANTIATE" ]; then
        cp "$INSTANTIATE" "$NET/instantiate.json"
    else
        jq --slurpfile accounts "$NET/accounts.json" -f "$here/localnet/instantiate.jq" \
            "$here/../docs/genesis.example.json" >"$NET/instantiate.json"
    fi
    made=$(tx deployer wasm instantiate2 "$code_id" "$(cat "$NET/instantiate.json")" $SALT --label coordinator \
        --admin "$address" --gas 9500000)
    [ "$(attribute instantiate _contract_address <<<"$made")" = "$address" ] ||
        fail "expected the contract at $address, found $(attribute instantiate _contract_address <<<"$made")"
    note --arg address "$address" --arg checksum "$checksum" --argjson code_id "$code_id" \
        --argjson store "$(jq '.tx_result.gas_used | tonumber' <<<"$stored")" \
        --argjson instantiate "$(jq '.tx_result.gas_used | tonumber' <<<"$made")" \
        '.coordinator = {$address, $code_id, $checksum, gas_used: {$store, $instantiate}}'
}
