#!/usr/bin/env bash
# Runs the demo as a new user would, and fails if any outcome is not the expected one.
set -euo pipefail
cd "$(dirname "$0")/.."
report="${CARGO_TARGET_DIR:-target}/demo.json"
cargo build --release --locked --quiet
cargo run --release --locked --quiet -- demo --json >"$report" || {
    cat "$report" >&2
    exit 1
}
echo "demo: every outcome as expected ($report)"
