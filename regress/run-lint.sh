#!/bin/bash
# run-lint.sh: clang-tidy, gcc -fanalyzer, and the limits on files (800 lines) and functions (60).
# CFLAGS: the flags that the Makefile compiles with.
. "$(dirname "$0")/run-lib.sh"

sources=$(git ls-files 'lib/*.c' 'spoa/*.c' 'generator/*.c')
max_lines=800
max_function=60

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

# Not its NULL checks: it thinks of slices with a length but no pointer, which do not exist.
echo '== gcc -fanalyzer'
for file in $(printf '%s\n' $sources | grep -v '^generator/'); do
    # shellcheck disable=SC2086
    eval gcc "$CFLAGS" -O1 -fanalyzer \
        -Wno-analyzer-null-dereference -Wno-analyzer-null-argument -c -o /dev/null "$file" && ok || bad "gcc -fanalyzer $file"
done

echo '== clang-tidy'
for file in $sources; do
    eval clang-tidy --quiet --warnings-as-errors='\*' "$file" -- "$CFLAGS" 2>/dev/null && ok ||
        bad "clang-tidy $file"
done
tally lint
