#!/bin/bash
# run-scenarios.sh [FILE.vtc...]: scenarios with the real HAProxy and the agent, by varnishtest.
# V=release or V=san (default) chooses the programs, HAPROXY=PROGRAM another HAProxy than the one in PATH:
# for everything, the backends of the scenarios and what cc-gen checks with and runs included.
# Macros for the scenarios:
#   ${top}      the project's root          ${cc_gen} ${cc_spoa}   the programs
#   ${tools}    programs of regress/tools   ${haproxy}             HAProxy
#   ${tables}   a directory: what a scenario measured, in a file of its name, is printed also when it passes
#   ${not}      regress/vtc/lib/not: the command after it must fail, and by itself
# What a scenario's blocks must look like, so that each command in them counts: check-scenarios.sh.
. "$(dirname "$0")/run-lib.sh"

variant=${V:-san}
bin=$PWD/build/$variant/bin
[ "$variant" != release ] || bin=$PWD/build/bin
whole=
[ $# -gt 0 ] || { whole=1; set -- $(find regress/vtc -name '*.vtc' 2>/dev/null | sort); }
[ $# -gt 0 ] || bad "there are no scenarios in regress/vtc"

haproxy=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "${HAPROXY:-haproxy}") || {
    bad "there is no program '${HAPROXY:-haproxy}'"
    tally scenarios
    exit 1
}
# Short, because paths of unix sockets end at 107 bytes.
TMPDIR=$(mktemp -d /tmp/cc.XXXXXX)
export TMPDIR
# Keys of the scenarios, not those of the person who runs them.
export XDG_STATE_HOME="$TMPDIR/state"
# Programs that a scenario kills are no leaks. What a sanitizer finds, whether the scenario looks at the status or
# not (in a pipe, in a wait for something else), comes to files of its own, and fails the run.
reports=$TMPDIR/reports
mkdir "$reports"
export ASAN_OPTIONS=detect_leaks=1:handle_abort=1:exitcode=99:log_path=$reports/asan
# gcc's UBSan writes to stderr alone: it aborts, and ASan reports that.
export UBSAN_OPTIONS=print_stacktrace=1:exitcode=99:abort_on_error=1:log_path=$reports/ubsan
log=$TMPDIR/log
tables=$TMPDIR/tables
mkdir "$tables"
trap 'rm -rf "$TMPDIR"' EXIT
# By its name, so that nothing finds another one.
mkdir "$TMPDIR/bin"
ln -s "$(realpath -s "$haproxy")" "$TMPDIR/bin/haproxy"
export PATH="$TMPDIR/bin:$PATH"
export HAPROXY_PROGRAM="$TMPDIR/bin/haproxy"

# The check of the scenarios can fail: of these blocks, lines 2, 7, 17 and 19 are wrong.
check_the_check() {
    local said

    cat >"$TMPDIR/wrong.vtc" <<'END'
shell -match "a{" {
    cd ${tmpdir}
    true
}
shell -expect {one
} {
    echo one; # set -e
    ! false
}
shell {
    # set -e
    true &&
        true
}
shell {
    set -e
    ! grep -q a b
    if true && false; then true; fi
    grep -q a b &&
        grep -q c d
    ! grep -q a b || exit 1
    for i in 1 2; do grep -q a b && break; done
    ! true
}
END
    said=$(regress/check-scenarios.sh "$TMPDIR/wrong.vtc" | sed 's/.*wrong.vtc:\([0-9]*\): .*\(set -e\|!\|&&\).*/\1/' | xargs)
    [ "$said" = "2 7 17 19" ] || bad "check-scenarios.sh complains about the lines '$said'"
}

# A line for each command that would not count.
while IFS= read -r complaint; do
    bad "$complaint"
done < <(regress/check-scenarios.sh "$@")
[ -z "$whole" ] || check_the_check
complaints=$failed

if [ $# -gt 0 ]; then
    varnishtest -k -j2 -t 150 -b 4M -D top="$PWD" -D cc_gen="$bin/cc-gen" -D cc_spoa="$bin/cc-spoa" \
        -D tools="$PWD/build/$variant/tools" -D haproxy="$TMPDIR/bin/haproxy" -D not="$PWD/regress/vtc/lib/not" \
        -D tables="$tables" \
        "$@" >"$log" 2>&1
    # A line for each scenario: "#    top  TEST regress/vtc/x.vtc passed (1.234)".
    passed=$(grep -c '^# *top  TEST .* passed' "$log")
    for vtc; do
        grep -q "^# *top  TEST $vtc passed" "$log" || bad "$vtc"
    done
    [ "$failed" -eq "$complaints" ] || cat "$log"
    for table in "$tables"/*; do
        [ ! -e "$table" ] || { echo "== ${table##*/}"; cat "$table"; }
    done
    for report in "$reports"/*; do
        [ -e "$report" ] || continue
        bad "a sanitizer's report: $(cat "$report")"
    done
fi
tally scenarios
