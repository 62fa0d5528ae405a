#!/bin/bash
# run-documents.sh [FILE|DIRECTORY...]: what `cc-gen init` and `cc-gen build` make of OpenAPI documents that nobody
# here wrote; `make check-documents` brings them. A table, a line a document:
#     built      HAProxy accepts the configuration, without a warning
#     refused    every error names its place: file:line:column
# Anything else - a crash, a refusal without a place, a configuration that HAProxy refuses - is a failure.
# A document is what has a top-level `openapi` or `swagger`. V=release or V=san (default) chooses the program.
# A document that names no server that can be called is built a second time with endpoints in api.yaml, so that
# all of it is read, and not only its beginning.
. "$(dirname "$0")/run-lib.sh"

variant=${V:-san}
gen=$PWD/build/$variant/bin/cc-gen
[ "$variant" != release ] || gen=$PWD/build/bin/cc-gen
[ -x "$gen" ] || { bad "there is no $gen; make V=$variant programs"; tally documents; exit 1; }
[ $# -gt 0 ] || { bad "which documents?"; tally documents; exit 1; }
for argument; do
    [ -e "$argument" ] || bad "there is no $argument"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1:exitcode=99
# Token services are not the documents' affair: without one, each build would warn.
printf 'router:\n  securedListenerPort: 0\n' >"$work/cc.yaml"

is_document() {
    head -c 65536 "$1" | grep -Eq '^[[:space:]{]*"?(openapi|swagger)"?[[:space:]]*:' ||
        head -c 4096 "$1" | tr -d ' \n' | grep -Eq '^\{"(openapi|swagger)":'
}

# Runs cc-gen with a time limit; its status in $status, what it says in $work/said.
gen() {
    timeout -k 5 300 "$gen" "$@" >"$work/said" 2>&1 </dev/null
    status=$?
}

# Why it was refused: "CC1202 CC2001*3"; nothing when an error names no place. Of a file that is too large (CC1004)
# and of what a document does not have at all (CC1202) the file is the place.
reasons() {
    if grep 'error\[CC' "$work/said" |
        grep -Evq '^[^ ].*(:[0-9]+:[0-9]+: error\[CC[0-9]+\]|: error\[CC(1004|1202)\]): .'; then
        return 1
    fi
    grep -o 'error\[CC[0-9]*' "$work/said" | sed 's/error\[//' | sort | uniq -c |
        awk '{ printf "%s%s%s", sep, $2, ($1 > 1 ? "*" $1 : ""); sep = " " }'
}

# fail DOCUMENT WHAT: a failure with what the program said.
fail() {
    printf '%-12s %s\n' FAILED "$1"
    tail -20 "$work/said"
    bad "$1: $2"
}

# The project in $work/p: built or refused? Says which.
build() {
    local how

    rm -rf "$work/out"
    gen build -c "$work/cc.yaml" -o "$work/out" "$work/p"
    if [ "$status" -eq 0 ]; then
        ok
        warned=$(grep -c 'warning\[CC' "$work/said")
        printf '%-12s %s%s (%d backends%s)\n' built "$1" "$2" \
            "$(grep -c '^backend cc_b_' "$work/out/current/haproxy/cc.cfg")" \
            "$([ "$warned" -eq 0 ] || printf ', %d warnings' "$warned")"
        built=$((built + 1))
        return 0
    fi
    if [ "$status" -ne 65 ] || ! how=$(reasons) || [ -z "$how" ]; then
        fail "$1$2" "status $status"
        return 0
    fi
    case $how in *CC50*)
        fail "$1$2" 'HAProxy refuses the configuration'
        return 0 ;;
    esac
    ok
    printf '%-12s %s%s (%s)\n' refused "$1" "$2" "$how"
    refused=$((refused + 1))
    return 1
}

# Endpoints that can be called instead of those that the document names.
with_endpoints() {
    awk '/^  endpointConfig:/ { print; print "    endpoint_type: http"; print "    production_endpoints:"
             print "      url: http://127.0.0.1:8080/"; skip = 1; next }
         skip && /^    / { next }
         { skip = 0; print }' "$work/p/api.yaml" >"$work/api.yaml"
    grep -q '^  endpointConfig:' "$work/api.yaml" || printf '  endpointConfig:\n    production_endpoints: {url: "http://127.0.0.1:8080/"}\n' >>"$work/api.yaml"
    mv "$work/api.yaml" "$work/p/api.yaml"
    sed -i 's/^\(servers\|host\|schemes\):/x-\1:/' "$work/p/Definitions/swagger.yaml"
}

built=0
refused=0
while read -r document; do
    is_document "$document" || continue
    rm -rf "$work/p"
    gen init "$work/p" --oas "$document"
    if [ "$status" -ne 0 ] && [ "$status" -ne 1 ] && [ "$status" -ne 65 ]; then
        fail "$document" "init: status $status"
        continue
    fi
    if [ ! -e "$work/p/api.yaml" ]; then
        if how=$(reasons) && [ -n "$how" ]; then
            ok
            refused=$((refused + 1))
            printf '%-12s %s (by init: %s)\n' refused "$document" "$how"
        else
            fail "$document" "init: status $status, and no precise reason"
        fi
        continue
    fi
    if ! build "$document" ''; then
        with_endpoints
        build "$document" ', other endpoints' || :
    fi
done < <(find -L "$@" -type f \( -name '*.json' -o -name '*.yaml' -o -name '*.yml' \) | sort)

[ $((built + refused)) -gt 0 ] || bad "there are no documents in $*"
printf '%d built, %d refused precisely\n' "$built" "$refused"
tally documents
