#!/usr/bin/env bash
# Takes each check of the prover away, one at a time, and demands that a test notices: relayer/prove/mutants.sh [NAME..]
#
# Works on a copy in a temporary folder, with a copy of tendermint-light-client-verifier beside it. In the copies each check
# asks an environment variable whether it is switched off; the product has no such switch. One build, then one run of
# the tests for each check. Exit code 1 when a check is missed by all tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Checks that cannot be missed because another one stands before or behind them; each with the reason.
readonly COVERED="
light.4     the block right after a trusted one needs no overlap, so that halving never comes down to it
"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/relayer"
cp -r relayer/prove "$work/relayer/prove"
cp Cargo.lock "$work/"
# The examples need an HTTP client, the tests do not.
rm -r "$work/relayer/prove/examples"
perl -ni -e 'print unless /^(reqwest|tokio)\./' "$work/relayer/prove/Cargo.toml"
perl -0pe 's/members = \[.*?\]/members = ["relayer\/prove", "verifier"]/s; s/default-members = .*\n//;
    s/\z/\n[patch.crates-io]\ntendermint-light-client-verifier = { path = "verifier" }\n/' Cargo.toml > "$work/Cargo.toml"

cargo fetch --locked --quiet
verifier=$(cargo metadata --format-version 1 --locked --offline |
    perl -ne 'print $1 if /"manifest_path":"([^"]*tendermint-light-client-verifier-[^"]*)\/Cargo.toml"/')
cp -r "$verifier" "$work/verifier"
chmod -R u+w "$work/verifier"

readonly OFF='
/// Whether this run does without the check of this name.
pub(crate) fn off(name: &str) -> bool {
    std::env::var("MUTANT").is_ok_and(|off| off == name)
}
'
export OFF
cd "$work"

# Every demand of the prover, numbered by file, so that a new one is a new mutant without further ado.
for file in relayer/prove/src/*.rs; do
    stem=$(basename "$file" .rs) perl -0pi -e '
        my $n = 0;
        s/(?<!fn )\bdemand\((?=[^)])/my $name = "$ENV{stem}." . ++$n; "demand(crate::off(\"$name\") || "/ge;
    ' "$file"
done
printf '%s' "$OFF" >> relayer/prove/src/lib.rs
# What is checked without a demand.
perl -0pi -e '
    s/Ok\(signed\) if (signed\.header\.hash\(\) == hash)/Ok(signed) if crate::off("witness_hash") || $1/ or die;
    s/Ok\(standing\) if (standing\.latest\.saturating_add\(SLACK\) < proved)/Ok(standing) if !crate::off("went_back") && $1/ or die;
    s/Some\(second\)\) => Ok\(second/Some(second)) => Ok((if crate::off("second_highest") { highest.unwrap_or(second) } else { second })/ or die;
' relayer/prove/src/light.rs
perl -0pi -e 's/if all\.verify/if crate::off("signatures") || all.verify/ or die;' relayer/prove/src/signature.rs

# The verifier: every predicate, and what they rest on.
perl -pi -e 's/^extern crate alloc;/extern crate alloc;\nextern crate std;/' verifier/src/lib.rs
printf '%s' "$OFF" >> verifier/src/lib.rs
perl -0pi -e '
    my ($trait, $rest) = split /\n#\[cfg\(all\(test/, $_, 2;
    $trait =~ s/(\n    fn (\w+)\([^{]*?-> Result<\(\), VerificationError> \{)/$1\n        if crate::off("$2") { return Ok(()); }/g;
    $_ = $trait;
' verifier/src/predicates.rs
perl -0pi -e '
    s/if !has_present_signatures/if !has_present_signatures && !crate::off("commit_empty")/ or die;
    s/if signatures\.len\(\) != validator_set\.validators\(\)\.len\(\)/if !crate::off("commit_length") && signatures.len() != validator_set.validators().len()/ or die;
    s/if validator_set\.validator\(\*validator_address\)\.is_none\(\)/if !crate::off("signer_unknown") && validator_set.validator(*validator_address).is_none()/ or die;
' verifier/src/operations/commit_validator.rs
perl -0pi -e '
    s/if let Some\(pair\) = duplicate \{/if let Some(pair) = duplicate.filter(|_| !crate::off("signer_twice")) {/ or die;
    s/trusted_power\s*\.check\(\)\s*\.map_err\(VerificationError::not_enough_trust\)\?;/if !crate::off("trusted_third") { trusted_power.check().map_err(VerificationError::not_enough_trust)?; }/ or die;
    s/untrusted_power\s*\.check\(\)\s*\.map_err\(VerificationError::insufficient_signers_overlap\)\?;/if !crate::off("two_thirds") { untrusted_power.check().map_err(VerificationError::insufficient_signers_overlap)?; }/ or die;
    s/\n#\[cfg\(test\)\]\nmod tests.*//s;
' verifier/src/operations/voting_power.rs
perl -0pi -e 's/\n#\[cfg\(test\)\]\nmod tests.*//s' verifier/src/verifier.rs
perl -0pi -e 's/\[dev-dependencies[^\[]*//g' verifier/Cargo.toml

export CARGO_TARGET_DIR="$work/target" CARGO_PROFILE_TEST_OPT_LEVEL=2 CARGO_PROFILE_TEST_DEBUG=0
echo "building the copy" >&2
cargo test --quiet --package concord-prove --no-run --message-format json 2>"$work/build.log" |
    perl -ne 'print "$1\n" if /"test":true/ && /"executable":"([^"]+)"/' > "$work/binaries" ||
    { cat "$work/build.log" >&2; exit 1; }

tests() {
    while read -r binary; do "$binary" --quiet > "$work/out" 2>&1 || return 1; done < "$work/binaries"
}

tests || { cat "$work/out" >&2; echo "the tests fail with every check in place" >&2; exit 1; }
names=$(grep -rhoP 'crate::off\("\K[^"]+' relayer/prove/src verifier/src | sort -u)
[ $# -eq 0 ] || names=$(printf '%s\n' "$@")
missed=0 count=0
for name in $names; do
    count=$((count + 1))
    if MUTANT=$name tests; then
        if grep -q "^$name " <<< "$COVERED"; then
            echo "covered by another check: $name"
        else
            echo "MISSED: $name"
            missed=$((missed + 1))
        fi
    fi
done
echo "$count checks taken away one at a time, $missed of them missed"
[ "$missed" -eq 0 ]
