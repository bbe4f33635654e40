#!/usr/bin/env bash
# Everything that CI runs, in CI's order. The README's test command is this script, and `.ci/run` calls nothing else.
# What it needs beyond Rust and a C compiler, it builds, once a version, in a cache outside of the tree.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly DENY_VERSION=0.20.2
readonly TOOLS="${CONCORD_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/concord/tools}"

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Installs a cargo tool of a fixed version into the cache, unless it is there.
tool() {
    local name=$1 version=$2
    local root="$TOOLS/$name-$version"
    if [ ! -x "$root/bin/$name" ]; then
        step "build $name $version (once)"
        cargo install --locked --quiet --root "$root" "$name@$version"
    fi
    printf '%s\n' "$root/bin/$name"
}

command -v cargo >/dev/null || { echo "cargo is not installed; see https://rustup.rs" >&2; exit 1; }

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "dependencies: bans, licences, sources"
deny=$(tool cargo-deny "$DENY_VERSION" | tail -n 1)
"$deny" --log-level error check bans licenses sources

step "tests"
cargo test --workspace --locked --quiet

if [ -x scripts/demo-check.sh ]; then
    step "demo"
    scripts/demo-check.sh
fi

step "done"
