#!/usr/bin/env bash
# Builds artifacts/coordinator.wasm and artifacts/checksums.txt: the same bytes from the same sources and compiler,
# wherever the tree lies. Checks that the chain's virtual machine takes it, and that `schema` and `decide` compile to
# WebAssembly too, so that no I/O can creep in there.
#
# The standard library is built along, for the WebAssembly of 2017: the one that comes with Rust since 1.87 uses bulk
# memory, which the chain refuses. Where rustup cannot add the target, Debian's compiler and standard library of one
# version do; their bytes are others, so a deployment's checksum is that of the ordinary way.
#
# WASM_COMPILER=rustup|debian chooses one of the two; without it, Debian's is the fallback.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools.sh
. scripts/tools.sh
# shellcheck source=wasm.sh
. scripts/wasm.sh

readonly CHECK_VERSION=3.0.10
readonly BYTES_MAX=600000
# What wasmd 0.61 announces (app/wasm.go, `wasmkeeper.BuiltInCapabilities`): less than cosmwasm-check's own default.
readonly CAPABILITIES=iterator,staking,stargate,cosmwasm_1_1,cosmwasm_1_2,cosmwasm_1_3,cosmwasm_1_4,cosmwasm_2_0,cosmwasm_2_1,cosmwasm_2_2,ibc2
readonly BUILT=target/wasm/$TARGET/wasm/concord_coordinator.wasm
readonly OUT=artifacts

build() {
    cargo "$@" --quiet --profile wasm --locked --target $TARGET --target-dir target/wasm \
        -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
}

# Shrinks and checks what cargo built, unless that was done to the same bytes by this same script.
finish() {
    local mark opt bytes
    mark=$(sha256sum $BUILT scripts/build-wasm.sh scripts/wasm.sh)
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
# A panic is a fault of the contract in any case: its text, and the code that would print it, are not worth 45 kB.
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=" -Z unstable-options -C panic=immediate-abort"
say "compile with $("${RUSTC:-rustc}" --version)"
build rustc --package concord-coordinator --lib --crate-type cdylib --features export
build build --package concord-schema --package concord-decide
finish
say "$(wc -c <$OUT/coordinator.wasm) bytes, $(cut -d' ' -f1 $OUT/checksums.txt)"
