#!/bin/bash
# run-units.sh [PROGRAM...]: runs unit tests (default: all of build/san) and counts their cases. They
# run under ASan and UBSan; a program that does not end its own way counts as a failed case.
. "$(dirname "$0")/run-lib.sh"

[ $# -gt 0 ] || set -- $(find build/san/unit -type f -perm -u+x | sort)
[ $# -gt 0 ] || bad "there are no unit tests in build/san/unit; make V=san units"

export CMOCKA_MESSAGE_OUTPUT=TAP CC_TEST_TOP="$PWD"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for program; do
    timeout -k 5 120 "$program" >"$log" 2>&1
    status=$?
    good=$(grep -c '^ok ' "$log")
    wrong=$(grep '^not ok ' "$log" | grep -vc '# SKIP')
    # A case that needs another user skips itself; it counts as neither, but is not hidden.
    grep '^not ok .*# SKIP' "$log" | sed "s|^|  $(basename "$program"): |"
    passed=$((passed + good))
    failed=$((failed + wrong))
    if [ "$status" -ne 0 ] || [ "$wrong" -gt 0 ] || [ "$good" -eq 0 ]; then
        cat "$log"
        [ "$wrong" -gt 0 ] || bad "$program ended with status $status after $good cases"
    fi
done
tally units
