#!/bin/bash
# run-check.sh: everything that must hold, step by step; `make check`. The last line has the sums.
. "$(dirname "$0")/run-lib.sh"

CC_TALLY=$(mktemp)
export CC_TALLY
trap 'rm -f "$CC_TALLY"' EXIT
begun=$SECONDS

step() { printf '\n== %s\n' "$*"; }

# Compiles with warnings as errors; each variant counts as one check.
compile() {
    if make --no-print-directory -s -k -j2 "$@"; then
        echo '1 0' >>"$CC_TALLY"
    else
        echo '0 1' >>"$CC_TALLY"
        printf 'FAILED: make %s\n' "$*"
    fi
}

step 'gcc, optimised and hardened, no warnings'
compile V=release programs tools benches
step 'clang, no warnings'
compile V=clang programs tools benches units
step 'gcc with AddressSanitizer and UndefinedBehaviorSanitizer'
compile V=san programs tools units
step 'unit tests under the sanitizers'
regress/run-units.sh
step 'fuzz targets: the kept inputs, then 5 s of new ones each'
compile V=fuzz fuzzers
regress/run-fuzz.sh 5
step 'scenarios: HAProxy and the agent (under the sanitizers), end to end'
regress/run-scenarios.sh
step 'help, manual, examples and program agree'
regress/run-docs.sh

printf '\n(%d s)\n' $((SECONDS - begun))
while read -r p f; do
    passed=$((passed + p))
    failed=$((failed + f))
done <"$CC_TALLY"
CC_TALLY=
tally check
