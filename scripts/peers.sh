#!/usr/bin/env bash
# Builds the contracts that the gas bench compares with, from their published crates, by the coordinator's own recipe and
# their own optimisation level. Once, in the cache outside of the tree. Prints the folder that holds NAME.wasm of each.
#
# What they depend on is fixed in scripts/peers/NAME.lock: the newest releases that they allow. With the locks that were
# published with them they do not run: cosmwasm-std before 2.1 gives memory back with another size than it took, which the
# allocator of today's Rust refuses.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools.sh
. scripts/tools.sh
# shellcheck source=wasm.sh
. scripts/wasm.sh

# NAME VERSION; dao-dao-core and dao-voting-cw4 are what dao-proposal-single needs, cw4-group is both sides' electorate.
readonly PEERS="cw3-flex-multisig 2.0.0
cw4-group 2.0.0
dao-proposal-single 2.6.0
dao-dao-core 2.6.0
dao-voting-cw4 2.6.0"

ROOT="$TOOLS/peers-$(cat scripts/peers.sh scripts/wasm.sh scripts/peers/*.lock | sha256sum | cut -c1-16)"
# The crates are built outside of the tree, with the tree's compiler.
if command -v rustup >/dev/null; then
    RUSTUP_TOOLCHAIN=$(rustup show active-toolchain | cut -d' ' -f1)
    export RUSTUP_TOOLCHAIN
fi

# Prints where cargo unpacked a published crate.
source_of() {
    cargo metadata --format-version 1 --manifest-path "$1/fetch/Cargo.toml" |
        jq -er --arg name "$2" --arg version "$3" \
            '.packages[] | select(.name == $name and .version == $version) | .manifest_path' | xargs dirname
}

fetch() {
    local work=$1 name version
    mkdir -p "$work/fetch/src"
    : >"$work/fetch/src/lib.rs"
    printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n' >"$work/fetch/Cargo.toml"
    while read -r name version; do
        printf '%s = "=%s"\n' "$name" "$version" >>"$work/fetch/Cargo.toml"
    done <<<"$PEERS"
    cargo fetch --quiet --manifest-path "$work/fetch/Cargo.toml"
}

make() {
    local work=$1 name version opt
    fetch "$work"
    opt=$(wasm_opt)
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=3 CARGO_PROFILE_RELEASE_LTO=true CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_RELEASE_STRIP=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true
    while read -r name version; do
        say "build $name $version (once)"
        cp -r "$(source_of "$work" "$name" "$version")" "$work/$name"
        cp "scripts/peers/$name.lock" "$work/$name/Cargo.lock"
        # The crate must not be taken for a member of a workspace above.
        printf '\n[workspace]\n' >>"$work/$name/Cargo.toml"
        (cd "$work/$name" && cargo build --quiet --release --locked --lib --target $TARGET --target-dir "$work/target" \
            -Z build-std=std,panic_abort)
        "$opt" -Os --strip-debug --strip-producers "$work/target/$TARGET/release/${name//-/_}.wasm" -o "$work/$name.wasm"
    done <<<"$PEERS"
    mkdir "$work/done"
    mv "$work"/*.wasm "$work/done"
}

need cargo "see https://rustup.rs"
need jq "it reads where cargo puts crates"
once peers
if [ ! -d "$ROOT" ]; then
    choose_compiler
    WORK=$(mktemp -d "$TOOLS/making.XXXXXX")
    trap 'rm -rf "$WORK"' EXIT
    (make "$WORK") >&2
    mv "$WORK/done" "$ROOT"
fi
printf '%s\n' "$ROOT"
