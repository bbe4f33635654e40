#!/usr/bin/env bash
# Prints the path of a wasmd, which it builds once into the cache. wasmd cannot be had by `go install`, since its go.mod
# has replacements; so the two go.mod of this folder and of ../wasmd-0.54 depend on it and repeat them.
#
# usage: build.sh 0.61.14 | 0.61.14-r2 | 0.54.9
#   0.61.14-r2 is 0.61.14 under another version string: a second release with other bytes, for upgrades to rehearse.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
SAYS=wasmd
# shellcheck source=../tools.sh
. "$here/../tools.sh"

version=${1:-0.61.14}
case $version in
    0.61.14 | 0.61.14-r2) module="$here" vm=github.com/CosmWasm/wasmvm/v3 ;;
    0.54.9) module="$here/../wasmd-0.54" vm=github.com/CosmWasm/wasmvm/v2 ;;
    *) fail "expected 0.61.14, 0.61.14-r2 or 0.54.9, found $version" ;;
esac

root="$TOOLS/wasmd-$version"
if [ ! -x "$root/wasmd" ]; then
    need go "wasmd $version is built from source with Go 1.25.9 or later: https://go.dev/dl"
    need cc "wasmd links libwasmvm through a C compiler"
    once "wasmd-$version"
fi
if [ ! -x "$root/wasmd" ]; then
    say "build wasmd $version (once; about four minutes on two cores)"
    export GOTOOLCHAIN=local CGO_ENABLED=1 GOFLAGS="-mod=readonly -buildvcs=false"
    fresh=$(mktemp -d "$TOOLS/wasmd.XXXXXX")
    sdk=github.com/cosmos/cosmos-sdk/version
    # The shared library lies beside the program, wherever the folder is.
    nice go -C "$module" build -tags netgo -o "$fresh/wasmd" -ldflags "-X $sdk.Name=wasm -X $sdk.AppName=wasmd \
        -X $sdk.Version=$version -X github.com/CosmWasm/wasmd/app.Bech32Prefix=wasm \
        -extldflags '-Wl,-rpath,\$ORIGIN'" github.com/CosmWasm/wasmd/cmd/wasmd 2> >(grep -v '^go: downloading' >&2)
    cp "$(go -C "$module" list -m -f '{{.Dir}}' "$vm")/internal/api/libwasmvm.$(uname -m).so" "$fresh/"
    chmod 755 "$fresh"
    rm -rf "$root"
    mv "$fresh" "$root"
fi
found=$("$root/wasmd" version 2>&1)
[ "$found" = "$version" ] || fail "expected wasmd $version in $root, found $found; remove the folder and run again"
printf '%s\n' "$root/wasmd"
