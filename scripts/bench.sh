#!/usr/bin/env bash
# Measures the agent and the devnet, release builds on real processes: one JSON object a line on standard output.
# Ends with 1 when a figure misses what is promised of it.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --quiet -p demo-daemon --bin demo-daemon-v1
cargo build --release --locked --quiet -p concord --bin concord --example bench
exec cargo run --release --locked --quiet -p concord --example bench
