#!/bin/bash
# run-fuzz.sh [SECONDS [TARGET...]]: first every kept input of each fuzz target, then SECONDS (default: 5) of new
# ones. What it finds is left in build/fuzz/found/; keep it in regress/fuzz/corpus/ with the fix.
. "$(dirname "$0")/run-lib.sh"

seconds=${1:-5}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(find build/fuzz/fuzz -type f -perm -u+x | sort)
[ $# -gt 0 ] || bad "there are no fuzz targets in build/fuzz/fuzz; make V=fuzz fuzzers"

mkdir -p build/fuzz/found
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for target; do
    name=$(basename "$target")
    name=${name#fuzz_}
    kept=regress/fuzz/corpus/$name
    grown=build/fuzz/corpus/$name
    mkdir -p "$grown"
    if [ ! -d "$kept" ]; then
        bad "$target has no kept inputs in $kept"
        continue
    fi
    # New inputs go to the first directory, which is not in the repository.
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/found/$name-" "$grown" "$kept" >"$log" 2>&1; then
        ok
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        printf '  %s: %s inputs\n' "$name" "${runs:-?}"
    else
        tail -50 "$log"
        bad "$target"
    fi
done
tally fuzzing
