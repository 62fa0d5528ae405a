#!/bin/bash
# check-scenarios.sh [FILE.vtc...]: does each command of a scenario's `shell` blocks count? Prints those that do not,
# as FILE:LINE and what to write. In a block of more than one command:
#   - the first is `set -e`: without it the block fails by its last command alone.
#   - no line but the last begins with `!`: `set -e` does not look at those.
#   - no line but the last is `a && b`: when `a` fails, `set -e` goes on.
# A here-document's lines are commands like the rest: they are mostly scripts. `! a || b` and `a && break` are not
# checks but choices.
cd "$(dirname "$0")/.." || exit 70
[ $# -gt 0 ] || set -- regress/vtc/*.vtc

awk '
function complain(line, what) { print FILENAME ":" line ": " what; wrong = 1 }

# What a line is without quoted texts and comments.
function bare(text) {
    gsub(/\\./, "", text)
    gsub(/\047[^\047]*\047|"[^"]*"/, "Q", text)
    sub(/(^|[ \t])#.*/, "", text)
    gsub(/^[ \t]+|[ \t]+$/, "", text)
    return text
}

# By how much a line goes deeper into braces. In a block, varnishtest counts those in quotes and comments too.
function depth_of(text) { return gsub(/[{]/, "{", text) - gsub(/[}]/, "}", text) }

# A command that `set -e` does not look at unless it is the last one, or "".
function unseen(text) {
    if (text ~ /\|\|/)
        return ""
    if (text ~ /^! /)
        return "`! command` in the middle of a block checks nothing; write: ${not} command"
    if (text ~ /&&/ && text !~ /^((el)?if|while|until|\(|[a-z_]+\(\)) ?/ && text !~ /&& (break|continue|return|exit 0)( |;|$)/)
        return "`a && b` in the middle of a block does not fail with a; write a and b on lines of their own"
    return ""
}

function finish(   i) {
    if (n > 1 && body[1] != "set -e")
        complain(at[1], "a block of more than one command fails by its last one alone; begin it with: set -e")
    for (i = 1; i < n; i++)
        if (unseen(body[i]) != "")
            complain(at[i], unseen(body[i]))
    inside = 0
}

FNR == 1 { inside = 0 }

!inside && /^[ \t]*shell[ \t]/ {
    # what stands before the block: words, texts in quotes
    text = $0
    gsub(/\\./, "", text)
    while (sub(/^[ \t]*("[^"]*"|[-a-zA-Z0-9]+)/, "", text))
        ;
    depth = depth_of(text)
    inside = depth > 0
    going_on = n = 0
    next
}

# A text in braces ends, and the block begins.
inside && depth == 1 && /^[ \t]*}[^{}]*\{[ \t]*$/ {
    going_on = n = 0
    next
}

inside {
    depth += depth_of($0)
    if (depth <= 0) {
        finish()
        next
    }
    text = bare($0)
    if (text == "")
        next
    # a line that goes on is one with the next
    if (going_on) {
        body[n] = body[n] " " text
    } else {
        body[++n] = text
        at[n] = FNR
    }
    going_on = text ~ /(\\|&&|\|)$/
    sub(/\\$/, "", body[n])
}

END { exit wrong }
' "$@"
