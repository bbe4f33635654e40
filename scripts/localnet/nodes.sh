# Starts, watches and ends the nodes. Sourced by localnet.sh.
# shellcheck shell=bash

readonly START_SECONDS=120
readonly STOP_SECONDS=30

# When a process started: with its number, the name of one process until the machine restarts.
birth() { ps -o lstart= -p "$1" 2>/dev/null || true; }

# The number of a node's process, if it is the one that was started here.
alive() {
    local pid since file="$NET/node$1.pid"
    [ -e "$file" ] || return 1
    { read -r pid && read -r since; } <"$file" || return 1
    [ -n "$since" ] && [ "$(birth "$pid")" = "$since" ] || return 1
    printf '%s\n' "$pid"
}

height() {
    curl -s -m 5 "$(rpc "$1")/status" | jq -r '.result.sync_info.latest_block_height // "0"' 2>/dev/null || echo 0
}

start_nodes() {
    local node pid wasmd
    wasmd=$(net .wasmd)
    [ -x "$wasmd" ] || fail "$wasmd is not there any more; scripts/wasmd/build.sh $(net .release) makes it"
    for node in $(seq 0 "$(last_node)"); do
        alive "$node" >/dev/null && continue
        # A node that inherits a descriptor of a lock holds the lock.
        (
            exec {NET_LOCK}>&-
            exec nohup "$wasmd" start --home "$(home "$node")" >>"$NET/node$node.log" 2>&1 </dev/null
        ) &
        pid=$!
        printf '%s\n%s\n' "$pid" "$(birth "$pid")" >"$NET/node$node.pid"
        disown "$pid"
    done
    local deadline=$((SECONDS + START_SECONDS))
    until [ "$(height 0)" -ge 1 ]; do
        for node in $(seq 0 "$(last_node)"); do
            alive "$node" >/dev/null || fail "node $node has ended; see $NET/node$node.log"
        done
        [ $SECONDS -lt $deadline ] || fail "no block after $START_SECONDS seconds; see $NET/node0.log"
        sleep 0.3
    done
}

# stop_nodes [NODE]: all of them, or one.
stop_nodes() {
    local node pid nodes deadline=$((SECONDS + STOP_SECONDS))
    nodes=${1:-$(seq 0 "$(last_node)")}
    for node in $nodes; do
        if pid=$(alive "$node"); then kill "$pid" 2>/dev/null || true; fi
    done
    for node in $nodes; do
        while pid=$(alive "$node"); do
            if [ $SECONDS -ge $deadline ]; then kill -9 "$pid" 2>/dev/null || true; fi
            sleep 0.1
        done
        rm -f "$NET/node$node.pid"
    done
}

status() {
    local node pid
    local all
    all=$(for node in $(seq 0 "$(last_node)"); do
        pid=$(alive "$node") || pid=null
        jq -n --argjson node "$node" --argjson pid "$pid" --arg rpc "$(rpc "$node")" --arg home "$(home "$node")" \
            --arg rest "http://127.0.0.1:$(port "$node" 1)" --arg grpc "http://127.0.0.1:$(port "$node" 9)" \
            --argjson height "$([ "$pid" = null ] && echo null || height "$node")" \
            '{$node, $pid, $height, $rpc, $rest, $grpc, $home}'
    done | jq -s .)
    local report
    report=$(jq --argjson nodes "$all" --arg dir "$NET" --argjson accounts "$(jq 'map({key: .name, value: .address}) | from_entries' "$NET/accounts.json")" \
        '. + {$dir, $nodes, $accounts}' "$NET/net.json")
    if [ $AS_JSON = yes ]; then
        printf '%s\n' "$report"
    else
        jq -r '"chain      \(.chain_id), wasmd \(.release), \(.validators) validator(s)",
            (.nodes[] | "node \(.node)     \(.rpc)  \(if .pid then "pid \(.pid), height \(.height)" else "not running" end)"),
            (.coordinator | if . then "contract   \(.address)\ncode id    \(.code_id)\nchecksum   \(.checksum)" else "contract   not deployed" end),
            "folder     \(.dir) (accounts.json holds the keys)",
            (.accounts | to_entries[] | "  \(.key)\t\(.value)")' <<<"$report"
    fi
}
