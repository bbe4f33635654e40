# Where the scripts keep what they fetch and build, once a version, outside of the tree. To be sourced.
# shellcheck shell=bash

readonly TOOLS="${TOOLS_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/concord/tools}"

say() { printf "%s: %s\n" "${SAYS:-$(basename "$0" .sh)}" "$1" >&2; }
fail() {
    say "$1"
    exit 1
}

# need PROGRAM WHY
need() { command -v "$1" >/dev/null || fail "$1 is not installed; $2"; }

# once NAME: holds a lock on the cache's entry until the script ends, so that two runs never fill it at one time.
once() {
    mkdir -p "$TOOLS"
    exec {TOOLS_LOCK}>"$TOOLS/.$1.lock"
    flock -w 3600 "$TOOLS_LOCK" || fail "another run has held the lock of $1 for an hour"
}

# cargo_tool NAME VERSION: prints the path of a program from crates.io.
cargo_tool() {
    local root="$TOOLS/$1-$2"
    if [ ! -x "$root/bin/$1" ]; then
        say "build $1 $2 (once)"
        env -u RUSTC -u LD_LIBRARY_PATH -u RUSTC_BOOTSTRAP cargo install --locked --quiet --root "$root" "$1@$2" >&2
    fi
    printf '%s\n' "$root/bin/$1"
}
