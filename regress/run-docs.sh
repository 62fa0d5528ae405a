#!/bin/bash
# run-docs.sh: do help, manual, examples and program agree?
. "$(dirname "$0")/run-lib.sh"

gen=${CC_GEN:-build/bin/cc-gen}
pages=$(ls README.md docs/*.md)

# Each command explains itself, the same way in both spellings, with all its options.
commands=$("$gen" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 6 ] && ok || bad "cc-gen help lists too few commands: $commands"
for command in $commands; do
    by_help=$("$gen" help "$command") && by_option=$("$gen" "$command" --help) &&
        [ "$by_help" = "$by_option" ] && ok || bad "cc-gen help $command"
done

# Each finding has a page, and the pages of the manual name only findings that exist.
codes=$(sed -n 's/^\(X\|RULE\)(\(CC[0-9]*\),.*/\2/p' lib/base/diag_*.def)
for code in $codes; do
    [ "$("$gen" help "$code" | wc -l)" -ge 3 ] && ok || bad "cc-gen help $code"
done
for code in $(grep -oh 'CC[1-9][0-9]\{3\}\b' $pages | sort -u); do
    echo "$codes" | grep -qx "$code" && ok || bad "the manual names $code, which does not exist"
done

# Each `cc-gen WORD --option` of the manual exists.
while read -r command option; do
    "$gen" help "$command" 2>/dev/null | grep -qe "$option\b" && ok ||
        bad "the manual says cc-gen $command $option, which does not exist"
done < <(grep -oh 'cc-gen [a-z]\+ [^`|>]*' $pages |
    awk '{ for (i = 3; i <= NF; i++) if ($i ~ /^--[a-z]/) { sub(/[=).,;:"].*/, "", $i); print $2, $i } }' |
    sort -u)

# Each setting that the manual names in backquotes exists.
settings=$("$gen" help settings | sed -n 's/^\([a-z][A-Za-z.]*\(\[\][A-Za-z.]*\)*\)$/\1/p')
[ "$(echo "$settings" | wc -l)" -ge 20 ] && ok || bad "cc-gen help settings lists too few"
sections=$(echo "$settings" | sed 's/[.[].*//' | sort -u | paste -sd'|' | sed 's/|/\\|/g')
for name in $(grep -oh "\`\($sections\)\.[A-Za-z.]*\(\[\][A-Za-z.]*\)*\`" $pages | tr -d '`' | sort -u); do
    echo "$settings" | grep -qF "$name" && ok || bad "the manual names the setting $name, which does not exist"
done

# Each row of the contract has a test; the check itself can fail.
regress/check-compatibility.sh && ok || bad "docs/compatibility.md and the tests disagree"
wrong=$(mktemp)
sed '/`listeners.vtc`/s/same/equal/; s/`cors.vtc`/`none.vtc`/; s/`compat_fields:data.id`//' docs/compatibility.md >"$wrong"
said=$(regress/check-compatibility.sh "$wrong") && bad "check-compatibility.sh lets everything through"
for complaint in 'neither same' 'no test none.vtc' 'no test: same' 'no row names compat_fields:data.id'; do
    grep -q "$complaint" <<<"$said" && ok || bad "check-compatibility.sh does not say '$complaint'"
done
rm -f "$wrong"

# The manual's index has all its pages.
for page in docs/*.md; do
    [ "$page" = docs/README.md ] || grep -qF "](${page#docs/})" docs/README.md && ok || bad "docs/README.md does not list $page"
done

# Links between pages lead somewhere; files that pages name in backquotes exist.
for page in $pages; do
    for link in $(grep -oh '](\([^)#]*\)' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' | sort -u); do
        [ -e "$(dirname "$page")/$link" ] && ok || bad "$page links to $link, which does not exist"
    done
    for path in $(grep -oh '`\(lib\|spoa\|generator\|regress\|haproxy-templates\|examples\|docs\)/[A-Za-z0-9_./-]*`' \
        "$page" | tr -d '`' | sort -u); do
        [ -e "$path" ] && ok || bad "$page names $path, which does not exist"
    done
done

# The pages that are made from tables are those of the present tables.
make_docs=${MAKE_DOCS:-build/release/tools/make_docs}
[ -x "$make_docs" ] || make --no-print-directory -s V=release "$make_docs"
for page in docs/configuration.md docs/findings.md docs/man/cc-gen.1 docs/man/cc-spoa.8; do
    "$make_docs" "${page##*/}" | cmp -s - "$page" && ok || bad "$page is out of date: make docs"
done

# The examples are good projects.
for project in examples/*/; do
    found=$(find "$project" -maxdepth 2 -name 'api.yaml' -o -maxdepth 2 -name 'api.json' | head -1)
    [ -n "$found" ] || continue
    "$gen" check "$(dirname "$found")" >/dev/null && ok || bad "cc-gen check $project"
done
tally docs
