# The chain's folders: homes, ports, genesis, accounts. Sourced by localnet.sh.
# shellcheck shell=bash

readonly CHAIN_ID=concord-local-1
readonly FEE_DENOM=ucosm
# wasmd's own default has no bound. An upload of the coordinator takes about half of this.
readonly BLOCK_GAS_MAX=10000000
readonly COINS=1000000000000
# The same names in every net; keys are made for each net.
readonly ACCOUNTS="deployer member-1 member-2 member-3 auditor-1 auditor-2 guardian-1 guardian-2 guardian-3
    operator-1 operator-2 operator-3 operator-4 hot-1 hot-2 hot-3 hot-4"

home() { printf '%s/node%s/wasmd\n' "$NET" "$1"; }
port() { printf '%s\n' $(($(net .base_port) + 10 * $1 + $2)); }
rpc() { printf 'http://127.0.0.1:%s\n' "$(port "$1" 7)"; }
net() { jq -r "$1" "$NET/net.json"; }
last_node() { printf '%s\n' $(($(net .validators) - 1)); }

# Changes net.json in one step: a reader never sees half of it.
note() {
    jq "$@" "$NET/net.json" >"$NET/net.json.new"
    mv "$NET/net.json.new" "$NET/net.json"
}

make_folders() {
    if [ -e "$NET/net.json" ]; then
        # Options that were given must fit the net that is there.
        local asked
        for asked in "validators $VALIDATORS" "base_port $BASE_PORT" "release $RELEASE"; do
            set -- $asked
            [ $# -eq 1 ] || [ "$(net ".$1")" = "$2" ] ||
                fail "expected $1 $2, found $(net ".$1") in $NET; end that net with down --remove first"
        done
        return
    fi
    VALIDATORS=${VALIDATORS:-1} RELEASE=${RELEASE:-0.61.14} BASE_PORT=${BASE_PORT:-26650}
    local wasmd made
    wasmd=$("$here/wasmd/build.sh" "$RELEASE")
    # What a broken-off run left is not a net.
    rm -rf "$NET"/node? "$NET/keys" "$NET/making.json"
    umask 077
    "$wasmd" testnet init-files --v "$VALIDATORS" --single-host --chain-id $CHAIN_ID --output-dir "$NET" \
        --keyring-backend test --starting-ip-address 127.0.0.1 --minimum-gas-prices 0.025$FEE_DENOM \
        --commit-timeout "$([ "$VALIDATORS" = 1 ] && echo 500ms || echo 900ms)" >/dev/null 2>&1
    make_accounts "$wasmd"
    jq -n --arg chain_id $CHAIN_ID --arg release "$RELEASE" --arg wasmd "$wasmd" --arg fee_denom $FEE_DENOM \
        --argjson validators "$VALIDATORS" --argjson base_port "$BASE_PORT" \
        '{$chain_id, $release, $wasmd, $fee_denom, $validators, $base_port, coordinator: null}' >"$NET/making.json"
    made=$(jq '[.[].address]' "$NET/accounts.json")
    jq --argjson addresses "$made" --arg denom $FEE_DENOM --arg coins $COINS --arg gas "${BLOCK_GAS:-$BLOCK_GAS_MAX}" \
        -f "$here/localnet/genesis.jq" "$NET/node0/wasmd/config/genesis.json" >"$NET/genesis.json"
    mv "$NET/making.json" "$NET/net.json"
    for node in $(seq 0 "$(last_node)"); do
        cp "$NET/genesis.json" "$(home "$node")/config/genesis.json"
        configure "$node"
    done
}

# Mnemonics are in accounts.json, which only its owner can read, and in no argument and no output.
make_accounts() {
    local wasmd=$1 name
    for name in $ACCOUNTS; do
        "$wasmd" keys add "$name" --keyring-backend test --keyring-dir "$NET/keys" --output json 2>/dev/null
    done | jq -s 'map({name, address, mnemonic})' >"$NET/accounts.json"
}

configure() {
    local node=$1 config peers="" other
    config="$(home "$node")/config"
    for other in $(seq 0 "$(last_node)"); do
        [ "$other" = "$node" ] ||
            peers="$peers,$("$(net .wasmd)" comet show-node-id --home "$(home "$other")")@127.0.0.1:$(port "$other" 6)"
    done
    sed -i -E \
        -e "/^\[rpc\]/,/^\[/ s#^laddr = .*#laddr = \"tcp://127.0.0.1:$(port "$node" 7)\"#" \
        -e "/^\[p2p\]/,/^\[/ s#^laddr = .*#laddr = \"tcp://127.0.0.1:$(port "$node" 6)\"#" \
        -e "s#^persistent_peers = .*#persistent_peers = \"${peers#,}\"#" \
        -e 's#^pprof_laddr = .*#pprof_laddr = ""#' \
        -e 's#^timeout_propose = .*#timeout_propose = "1s"#' \
        -e 's#^cors_allowed_origins = .*#cors_allowed_origins = ["*"]#' "$config/config.toml"
    sed -i -E \
        -e "/^\[api\]/,/^\[/ s#^address = .*#address = \"tcp://127.0.0.1:$(port "$node" 1)\"#" \
        -e "/^\[grpc\]/,/^\[/ s#^address = .*#address = \"127.0.0.1:$(port "$node" 9)\"#" \
        -e 's#^pruning = .*#pruning = "nothing"#' \
        -e 's#^enabled-unsafe-cors = .*#enabled-unsafe-cors = true#' "$config/app.toml"
}
