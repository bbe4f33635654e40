#!/usr/bin/env bash
# Writes what is generated from the contract's types: schema/json, the table of keys in docs/INTEGRATORS.md, and the
# sources of the TypeScript client.
#
# usage: schemas.sh [--check]
#
#   --check   writes nothing, and fails where something differs
#
# The TypeScript part needs Node 20; without it that part is left out and said so, with --check it fails.
set -euo pipefail
cd "$(dirname "$0")/.."

check=()
case ${1:-} in
    "") ;;
    --check) check=(--check) ;;
    *) echo "unknown option $1; see the head of this script" >&2 && exit 2 ;;
esac

cargo run --quiet --locked -p concord-export -- schema/json docs/INTEGRATORS.md "${check[@]}"

if command -v node >/dev/null; then
    node schema/ts/scripts/generate.mjs "${check[@]}"
elif [ ${#check[@]} -gt 0 ]; then
    echo "node is not installed, so the TypeScript client cannot be checked" >&2 && exit 1
else
    echo "node is not installed: the TypeScript client is left as it is" >&2
fi
