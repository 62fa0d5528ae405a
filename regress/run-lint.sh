#!/bin/bash
# run-lint.sh: clang-tidy, gcc -fanalyzer, and the limits on files (800 lines) and functions (60).
# CFLAGS: the flags that the Makefile compiles with. As many files at a time as there are processors.
. "$(dirname "$0")/run-lib.sh"

sources=$(git ls-files 'lib/*.c' 'spoa/*.c' 'generator/*.c')
max_lines=800
max_function=60
work=$(mktemp -d)
export work
trap 'rm -rf "$work"' EXIT

# Not its NULL checks: it thinks of slices with a length but no pointer, which do not exist.
run_gcc() {
    eval gcc "$CFLAGS" -O1 -fanalyzer \
        -Wno-analyzer-null-dereference -Wno-analyzer-null-argument -c -o /dev/null '"$1"'
}
run_clang_tidy() { eval clang-tidy --quiet --warnings-as-errors='\*' '"$1"' -- "$CFLAGS"; }

# RUN FILE: says how it went in one short line, which a pipe takes whole; what the tool said stays in a file.
judge() {
    local said=$work/${2//\//%}

    if "$1" "$2" >"$said" 2>&1; then echo "ok $2"; else echo "bad $2"; fi
}
export -f run_gcc run_clang_tidy judge

# RUN NAME FILE...: only this process prints, a file's complaints at a time, as soon as they are there.
each() {
    local run=$1 name=$2 verdict file judged=0
    shift 2

    while read -r verdict file; do
        judged=$((judged + 1))
        if [ "$verdict" = ok ]; then
            ok
        else
            cat "$work/${file//\//%}"
            bad "$name $file"
        fi
    done < <(printf '%s\n' "$@" | xargs -P "$(nproc)" -I FILE bash -c 'judge "$@"' - "$run" FILE)
    [ "$judged" -eq $# ] || bad "$name came to an end with $judged of $# files"
}

echo '== sizes'
for file in $(git ls-files '*.c' '*.h'); do
    lines=$(wc -l <"$file")
    [ "$lines" -le $max_lines ] && ok || bad "$file has $lines lines, more than $max_lines"
done
# K&R: a function's body begins with '{' and ends with '}' in the first column.
long=$(awk -v max=$max_function '
    FNR == 1 { begin = 0 }
    /^{/ { begin = FNR }
    /^}/ { if (begin && FNR - begin - 1 > max)
               print FILENAME ":" begin ": a function of " FNR - begin - 1 " lines"
           begin = 0 }' $sources)
[ -z "$long" ] && ok || bad "functions of more than $max_function lines:
$long"

# shellcheck disable=SC2046,SC2086
{
    echo '== gcc -fanalyzer'
    each run_gcc 'gcc -fanalyzer' $(printf '%s\n' $sources | grep -v '^generator/')
    echo '== clang-tidy'
    each run_clang_tidy clang-tidy $sources
}
tally lint
