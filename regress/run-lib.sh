# What the run-*.sh scripts share; sourced. Works from the project's root.
cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); printf 'FAILED: %s\n' "$*"; }

# Ends a script: its line, its part of the whole (run-check.sh adds these up), its exit status.
tally() {
    printf '%s: %d passed, %d failed\n' "$1" "$passed" "$failed"
    if [ -n "${CC_TALLY:-}" ]; then
        printf '%d %d\n' "$passed" "$failed" >>"$CC_TALLY"
    fi
    [ "$failed" -eq 0 ]
}
