#!/bin/bash
# run-fuzz.sh [SECONDS [TARGET...]]: first every kept input of each fuzz target, then SECONDS (default: 5) of new
# ones. What it finds is left in build/fuzz/found/; keep it in regress/fuzz/corpus/ with the fix.
# Then HAProxy must take, without a warning, whatever the target `project` accepts of its inputs: those that are kept,
# and a part of those that were found, CC_FUZZ_REPLAY of them (default: 100). HAPROXY=PROGRAM chooses it.
. "$(dirname "$0")/run-lib.sh"

seconds=${1:-5}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(find build/fuzz/fuzz -type f -perm -u+x | sort)
[ $# -gt 0 ] || bad "there are no fuzz targets in build/fuzz/fuzz; make V=fuzz fuzzers"

mkdir -p build/fuzz/found
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# ask_haproxy TARGET INPUT...: does HAProxy take what the target makes of its inputs?
ask_haproxy() {
    local target=$1 accepted directory
    shift

    accepted=$(mktemp -d)
    if ! CC_FUZZ_ACCEPTED=$accepted "$target" "$@" >"$log" 2>&1; then
        tail -50 "$log"
        bad "$target, once more"
    fi
    for directory in $(find "$accepted" -mindepth 1 -maxdepth 1); do
        if "${HAPROXY:-haproxy}" -c -dW -f "$directory/haproxy/standalone.cfg" \
            -f "$directory/haproxy/cc.cfg" >"$log" 2>&1; then
            taken=$((taken + 1))
        else
            refused=build/fuzz/found/project-refused-$$-$(basename "$directory")
            cp -r "$directory" "$refused"
            tail -20 "$log"
            bad "HAProxy refuses a configuration; it is in $refused"
        fi
    done
    rm -rf "$accepted"
}

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
    [ "$name" = project ] || continue
    taken=0
    ask_haproxy "$target" "$kept"/* \
        $(find "$grown" -type f | sort | shuf -n "${CC_FUZZ_REPLAY:-100}" --random-source=<(yes))
    # The kept inputs have good projects among them: none would be a target that accepts nothing.
    [ "$taken" -ge 3 ] && ok || bad "HAProxy was shown only $taken configurations"
    printf '  %s: HAProxy takes %d accepted ones\n' "$name" "$taken"
done
tally fuzzing
