#!/usr/bin/env bash
# Tries light mode against wasmd: four validators on this machine, one agent that proves what it reads, a node that stalls,
# trust that expires, and a bundle. About two minutes once everything is built.
#
# usage: light-check.sh [--wasm FILE] [--base-port PORT]
#
# It ends what it started, and leaves its folder only when it fails.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=tools.sh
. "$here/tools.sh"
need jq "light-check.sh reads JSON with it"
need curl "light-check.sh asks the agent with it"

WASM="" BASE_PORT=24650
while [ $# -gt 0 ]; do
    case $1 in
        --wasm) WASM=$(realpath "${2:?}") && shift 2 ;;
        --base-port) BASE_PORT=${2:?} && shift 2 ;;
        *) fail "unknown option $1; see the head of this script" ;;
    esac
done

cargo build --quiet --locked --manifest-path "$here/../Cargo.toml" -p concord -p demo-daemon --bins
bin="${CARGO_TARGET_DIR:-$here/../target}/debug"
DIR=$(mktemp -d)
NET="$DIR/net" AGENT="" DAEMON="" STOPPED=""
PAGE="http://127.0.0.1:$((BASE_PORT + 48))/status"

finish() {
    local code=$?
    [ -z "$STOPPED" ] || kill -CONT "$STOPPED" 2>/dev/null || true
    [ -z "$AGENT" ] || kill "$AGENT" 2>/dev/null || true
    [ -z "$DAEMON" ] || kill "$DAEMON" 2>/dev/null || true
    "$here/localnet.sh" down --dir "$NET" >/dev/null 2>&1 || true
    if [ $code = 0 ]; then rm -rf "$DIR"; else say "what it did is in $DIR"; fi
}
trap finish EXIT

localnet() { "$here/localnet.sh" "$@" --dir "$NET" >"$DIR/localnet.log" 2>&1 || fail "$(tail -n 5 "$DIR/localnet.log")"; }
account() { jq -r --arg name "$1" '.[] | select(.name == $name) | .address' "$NET/accounts.json"; }
# Secrets go from file to file, and through no argument.
import() { jq -r --arg name "$1" '.[] | select(.name == $name) | .mnemonic' "$NET/accounts.json" | "$bin/concord" keys import "$DIR/$1.key" >/dev/null; }
rpc() { printf 'http://127.0.0.1:%s' $((BASE_PORT + 10 * $1 + 7)); }
concord() { "$bin/concord" "$@" --config "$DIR/agent.toml"; }
status() { curl -s -m 2 "$PAGE" || true; }

# until_status WHAT FILTER SECONDS: waits for a status of a running daemon for which a jq filter is true.
until_status() {
    local deadline=$((SECONDS + $3)) seen pid
    # Some releases of jq find no fault with no input.
    until seen=$(status) && [ -n "$seen" ] && jq -e "(.daemon != null) and ($2)" <<<"$seen" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] ||
            fail "expected $1 within $3 s, found $(jq -c '{waiting_on, sentence, verified_height}' <<<"${seen:-null}"); see $DIR/agent.log"
        sleep 0.2
    done
    pid=$(jq -r .daemon.pid <<<"$seen")
    [ -z "$DAEMON" ] || [ "$DAEMON" = "$pid" ] || fail "expected the daemon $DAEMON all the while, found $pid"
    DAEMON=$pid
    say "ok: $1"
}

start_agent() {
    CONCORD_LOG=info "$bin/concord" agent --config "$DIR/agent.toml" >>"$DIR/agent.log" 2>&1 &
    AGENT=$!
}

stop_agent() {
    kill "$AGENT"
    wait "$AGENT" || true
    AGENT=""
}

settings() {
    cat >"$DIR/agent.toml" <<END
[chain]
rpc = ["$(rpc 0)", "$(rpc 1)", "$(rpc 2)"]
chain_id = "concord-local-1"
contract = "$(jq -r .coordinator.address "$NET/net.json")"
mode = "light"
call_timeout_seconds = 5
checksums = ["$(jq -r .coordinator.checksum "$NET/net.json")"]
$1

[gas]
price = "0.025"
denom = "ucosm"

[client]
key = "member-1.key"

[node]
operator = "$(account operator-1)"
component = "oracle-feeder"
node_id = "feeder-1"
home = "home"
hot_key = "hot-1.key"

[daemon]
args = ["--listen", "127.0.0.1:$((BASE_PORT + 49))"]

[http]
listen = "127.0.0.1:$((BASE_PORT + 48))"
END
}

newest() { curl -s "$(rpc 3)/commit" | jq -r '.result.signed_header | "\(.header.height):\(.commit.block_id.hash)"'; }

localnet up --validators 4 --base-port "$BASE_PORT" --no-deploy
jq --slurpfile accounts "$NET/accounts.json" -f "$here/localnet/instantiate.jq" "$here/../docs/genesis.example.json" |
    jq --arg digest "$(sha256sum "$bin/demo-daemon-v1" | cut -d' ' -f1)" --argjson size "$(stat -c %s "$bin/demo-daemon-v1")" \
        '.components[0].baseline.artifacts |= map(. + {digest: $digest, size_bytes: $size})' >"$DIR/instantiate.json"
localnet up --instantiate "$DIR/instantiate.json" ${WASM:+--wasm "$WASM"}
for name in member-1 operator-1 hot-1; do import $name; done
settings ""

code=0
concord init --adopt "$bin/demo-daemon-v1" 2>"$DIR/init.log" || code=$?
[ $code = 2 ] || fail "expected exit code 2 of an init that nobody confirms, found $code: $(cat "$DIR/init.log")"
anchor=$(grep -oE '[0-9]+:[0-9A-F]{64}' "$DIR/init.log" | head -n 1)
concord init --adopt "$bin/demo-daemon-v1" --trust "$anchor" >/dev/null 2>&1
say "ok: an anchor that was confirmed"
start_agent
until_status "facts that are proved" '.source == null and .verified_height > 0' 20
concord register --component oracle-feeder --node-id feeder-1 --power 100 --hot-key "$(account hot-1)" \
    --key "$DIR/operator-1.key" >/dev/null 2>&1
until_status "a registration that is proved" '.waiting_on == "rollout"' 10

STOPPED=$(head -n 1 "$NET/node1.pid")
kill -STOP "$STOPPED"
height=$(status | jq .verified_height)
until_status "headers that go on without the node that stalls" ".verified_height > $((height + 5)) and .source == null" 30
kill -CONT "$STOPPED"
STOPPED=""

stop_agent
settings "trusting_seconds = 15"
# The newest verified header is to grow older than that.
sleep 17
start_agent
until_status "trust that expired" '.waiting_on == "trust_expired" and (.fault | contains("concord trust set"))' 10
stop_agent
concord trust set "$(newest)" --reason "was away too long" >/dev/null
start_agent
until_status "facts again, from a new anchor" '.source == null and .verified_height > 0' 10

anchor=$(newest)
concord propose --title "a brake" --rationale-uri https://forum.example/1 --rationale-digest "$(printf 0%.0s {1..64})" \
    --lift-brake all >/dev/null 2>"$DIR/propose.log" || fail "$(cat "$DIR/propose.log")"
# The proposal's own block is proved by the next one.
sleep 3
settings ""
concord bundle export --proposal 1 --trust "$anchor" --out "$DIR/one.bundle" >/dev/null
code=0
env -i "$bin/concord" bundle verify "$DIR/one.bundle" --trust "$anchor" \
    --contract "$(jq -r .coordinator.address "$NET/net.json")" >"$DIR/bundle.txt" || code=$?
[ $code = 5 ] && grep -q "not decided yet" "$DIR/bundle.txt" ||
    fail "expected a bundle of an undecided proposal, found exit code $code: $(cat "$DIR/bundle.txt")"
say "ok: a bundle of what is not decided yet"
