#!/usr/bin/env bash
# Runs artifacts/coordinator.wasm in the chain's own virtual machine, beside the same contract compiled for this machine:
# tests/vm. It is a workspace of its own, as the machine takes minutes to build and nothing else needs it.
#
# usage: vm-check.sh [ARGUMENT...]   arguments are for the test; --nocapture shows what each message costs
set -euo pipefail
cd "$(dirname "$0")/.."

readonly MANIFEST=tests/vm/Cargo.toml

scripts/build-wasm.sh
cargo fmt --manifest-path $MANIFEST --check
cargo clippy --manifest-path $MANIFEST --target-dir target --all-targets --locked --quiet -- -D warnings
cargo test --manifest-path $MANIFEST --target-dir target --locked --quiet -- "$@"
