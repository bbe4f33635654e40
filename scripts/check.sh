#!/usr/bin/env bash
# Everything that CI runs, in CI's order. The README's test command is this script, and `.ci/run` calls nothing else.
# What it needs beyond Rust, a C compiler and Node, it builds, once a version, in a cache outside of the tree.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly DENY_VERSION=0.20.2
# shellcheck source=tools.sh
. scripts/tools.sh

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

need cargo "see https://rustup.rs"
need npm "the TypeScript client is checked with Node 20 and its npm"

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "dependencies: bans, licences, sources"
deny=$(cargo_tool cargo-deny "$DENY_VERSION")
"$deny" --log-level error check bans licenses sources

step "schemas and the client made of them"
scripts/schemas.sh --check

step "tests"
cargo test --workspace --locked --quiet

step "the contract in the chain's virtual machine"
scripts/vm-check.sh

step "typescript client"
cargo build --locked --quiet --package concord
(cd schema/ts && npm ci --silent --no-audit --no-fund && npm run -s check && npm test --silent && npm run -s e2e:devnet)

step "demo"
scripts/demo-check.sh

step "done"
