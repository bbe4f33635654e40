#!/usr/bin/env bash
# Builds artifacts/coordinator.wasm and artifacts/checksums.txt: the same bytes from the same sources and compiler,
# wherever the tree lies. Checks that the chain's virtual machine takes it, and that `schema` and `decide` compile to
# WebAssembly too, so that no I/O can creep in there.
#
# The standard library is built along, for the WebAssembly of 2017: the one that comes with Rust since 1.87 uses bulk
# memory, which the chain refuses. Where rustup cannot add the target, Debian's compiler and standard library of one
# version do; their bytes are others, so a deployment's checksum is that of the ordinary way.
#
# CONCORD_WASM_COMPILER=rustup|debian chooses one of the two; without it, Debian's is the fallback.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools.sh
. scripts/tools.sh

readonly CHECK_VERSION=3.0.10
readonly BINARYEN_VERSION=132.0.0
readonly DEBIAN_RUST=1.96
readonly BYTES_MAX=600000
# What wasmd 0.61 announces (app/wasm.go, `wasmkeeper.BuiltInCapabilities`): less than cosmwasm-check's own default.
readonly CAPABILITIES=iterator,staking,stargate,cosmwasm_1_1,cosmwasm_1_2,cosmwasm_1_3,cosmwasm_1_4,cosmwasm_2_0,cosmwasm_2_1,cosmwasm_2_2,ibc2
readonly TARGET=wasm32-unknown-unknown
readonly BUILT=target/wasm/$TARGET/wasm/concord_coordinator.wasm
readonly OUT=artifacts

# Debian's compiler for the web with its standard library's source, unpacked beside and not installed: it would
# conflict with rustup.
debian_compiler() {
    local version root unpacked
    need apt-get "rustup cannot add $TARGET, and there is no apt-get to fetch a compiler with"
    version=$(apt-cache madison rustc-web | awk -v minor="$DEBIAN_RUST." 'index($3, minor) == 1 { print $3; exit }')
    [ -n "$version" ] || fail "expected rustc-web $DEBIAN_RUST from apt-get, found none; try apt-get update"
    root="$TOOLS/rust-web-$version"
    once "rust-web-$version"
    if [ ! -x "$root/usr/bin/rustc" ]; then
        say "fetch Debian's compiler $version (once)"
        unpacked=$(mktemp -d "$TOOLS/unpack.XXXXXX")
        (
            cd "$unpacked"
            apt-get download -q "rustc-web=$version" "rust-web-src=$version" "libstd-rust-web-dev=$version" \
                "libstd-rust-web-$DEBIAN_RUST=$version" libllvm22
            for package in ./*.deb; do dpkg -x "$package" root; done
        ) >&2
        rm -rf "$root"
        mv "$unpacked/root" "$root"
        rm -rf "$unpacked"
    fi
    printf '%s\n' "$root"
}

rustup_adds_target() {
    local installed
    installed=$(rustup target list --installed 2>/dev/null) || return 1
    if ! grep -qx $TARGET <<<"$installed"; then timeout 120 rustup target add $TARGET >/dev/null 2>&1 || return 1; fi
    [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] ||
        timeout 120 rustup component add rust-src >/dev/null 2>&1
}

# Sets the compiler and what it needs.
choose_compiler() {
    local sysroot root source
    sysroot=$(rustc --print sysroot)
    if [ "${CONCORD_WASM_COMPILER:-rustup}" = rustup ] && rustup_adds_target; then
        source="$sysroot/lib/rustlib/src"
    elif [ "${CONCORD_WASM_COMPILER:-debian}" = debian ]; then
        root=$(debian_compiler)
        source="$root/usr"
        export RUSTC="$root/usr/bin/rustc" LD_LIBRARY_PATH="$root/usr/lib/$(uname -m)-linux-gnu"
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$sysroot/lib/rustlib/$(uname -m)-unknown-linux-gnu/bin/rust-lld"
        say "Debian's compiler makes other bytes than the release's; do not compare checksums"
    else
        fail "rustup cannot add $TARGET, and CONCORD_WASM_COMPILER=rustup forbids another compiler"
    fi
    # The standard library's own build and the abort without a message are unstable options of a stable compiler.
    export RUSTC_BOOTSTRAP=1
    # Paths of this machine must not get into the bytes. A panic is a fault of the contract in any case: its text, and
    # the code that would print it, are not worth 45 kB.
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-cpu=mvp -C link-arg=--allow-undefined \
        -Z unstable-options -C panic=immediate-abort --remap-path-prefix=$PWD=/concord \
        --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$source=/rust"
}

build() {
    cargo "$@" --quiet --profile wasm --locked --target $TARGET --target-dir target/wasm \
        -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
}

# Prints the path of wasm-opt of the fixed version, from npm: Debian's is too old for what Rust writes.
wasm_opt() {
    local root="$TOOLS/binaryen-$BINARYEN_VERSION"
    if [ ! -x "$root/node_modules/.bin/wasm-opt" ]; then
        need npm "wasm-opt comes from its package binaryen $BINARYEN_VERSION"
        say "fetch binaryen $BINARYEN_VERSION (once)"
        mkdir -p "$root"
        npm install --silent --no-audit --no-fund --prefix "$root" "binaryen@$BINARYEN_VERSION" >&2
    fi
    printf '%s\n' "$root/node_modules/.bin/wasm-opt"
}

# Shrinks and checks what cargo built, unless that was done to the same bytes by this same script.
finish() {
    local mark opt bytes
    mark=$(sha256sum $BUILT scripts/build-wasm.sh)
    if [ "$(cat $OUT/.made-of 2>/dev/null)" = "$mark" ] && (cd $OUT && sha256sum --check --status checksums.txt); then
        return
    fi
    mkdir -p $OUT
    rm -f $OUT/.made-of
    opt=$(wasm_opt)
    "$opt" -Oz --strip-debug --strip-producers $BUILT -o $OUT/coordinator.wasm
    "$(cargo_tool cosmwasm-check $CHECK_VERSION)" --available-capabilities $CAPABILITIES $OUT/coordinator.wasm >&2
    bytes=$(wc -c <$OUT/coordinator.wasm)
    [ "$bytes" -le $BYTES_MAX ] || fail "expected at most $BYTES_MAX bytes, found $bytes"
    (cd $OUT && sha256sum coordinator.wasm >checksums.txt)
    printf '%s\n' "$mark" >$OUT/.made-of
}

need cargo "see https://rustup.rs"
choose_compiler
say "compile with $("${RUSTC:-rustc}" --version)"
build rustc --package concord-coordinator --lib --crate-type cdylib --features export
build build --package concord-schema --package concord-decide
finish
say "$(wc -c <$OUT/coordinator.wasm) bytes, $(cut -d' ' -f1 $OUT/checksums.txt)"
