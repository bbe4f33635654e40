# A compiler for the WebAssembly that chains take, and wasm-opt. To be sourced, after tools.sh.
# shellcheck shell=bash

readonly BINARYEN_VERSION=132.0.0
readonly DEBIAN_RUST=1.96
readonly TARGET=wasm32-unknown-unknown

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
    if [ "${WASM_COMPILER:-rustup}" = rustup ] && rustup_adds_target; then
        source="$sysroot/lib/rustlib/src"
    elif [ "${WASM_COMPILER:-debian}" = debian ]; then
        root=$(debian_compiler)
        source="$root/usr"
        export RUSTC="$root/usr/bin/rustc" LD_LIBRARY_PATH="$root/usr/lib/$(uname -m)-linux-gnu"
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$sysroot/lib/rustlib/$(uname -m)-unknown-linux-gnu/bin/rust-lld"
        say "Debian's compiler makes other bytes than the release's; do not compare checksums"
    else
        fail "rustup cannot add $TARGET, and WASM_COMPILER=rustup forbids another compiler"
    fi
    # The standard library's own build is an unstable option of a stable compiler.
    export RUSTC_BOOTSTRAP=1
    # Paths of this machine must not get into the bytes.
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-cpu=mvp -C link-arg=--allow-undefined \
        --remap-path-prefix=$PWD=/concord \
        --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$source=/rust"
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
