#!/bin/bash
# check-compatibility.sh [PAGE]: does each row of docs/compatibility.md say how the gateway compares,
# and name tests that exist? Has each case of the contract's tests a row? Prints what does not hold.
cd "$(dirname "$0")/.." || exit 70
page=${1:-docs/compatibility.md}
wrong=0

complain() {
    echo "$page: $*"
    wrong=1
}

# The rows of its tables, a line each: how it compares, TAB, the tests. A "|" in code counts as text.
rows() {
    awk -F'|' '/^\|/ && !/^\|---/ && !/^\| subject / {
        if (NF != 6) print "?\t" $0
        else { gsub(/^ +| +$/, "", $4); gsub(/^ +| +$/, "", $5); print $4 "\t" $5 }
    }' "$page"
}

# "cors.vtc", or "PROGRAM:CASE" for a function or a text of regress/unit/*/test_PROGRAM.c
exists() {
    local program=${1%%:*} name=${1#*:} file

    case $1 in
    *.vtc) [ -f "regress/vtc/$1" ] && return ;;
    *:*)
        for file in regress/unit/*/test_"$program".c; do
            grep -qF -e "{\"$name\"" -e "static void $name(" "$file" 2>/dev/null && return
        done
        ;;
    esac
    return 1
}

while IFS=$'\t' read -r compares tests; do
    case $compares in
    same* | better:* | "not yet:"* | "not applicable:"*) ;;
    *) complain "neither same, better:, not yet: nor not applicable: in four columns: $compares" ;;
    esac
    names=$(grep -o '`[^`]*`' <<<"$tests" | tr -d '`')
    [ -n "$names" ] || complain "no test: $compares"
    while read -r name; do
        [ -z "$name" ] || exists "$name" || complain "there is no test $name"
    done <<<"$names"
done < <(rows)
[ "$(rows | wc -l)" -ge 100 ] || complain "there are too few rows"

for file in regress/unit/generator/test_compat_*.c; do
    program=${file##*/test_}
    while read -r name; do
        grep -qF "\`${program%.c}:$name\`" "$page" || complain "no row names ${program%.c}:$name"
    done < <(sed -n 's/^    {"\([^"]*\)",.*/\1/p' "$file")
done
exit $wrong
