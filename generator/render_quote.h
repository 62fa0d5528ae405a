/* render_quote: text of projects and cc.yaml as words of HAProxy configuration.
 *
 * HAProxy reads a line in two steps (configuration.txt 2.2 "Quoting and escaping"): the line is cut
 * into words, where single quotes keep everything as it is; then some words are read again, as a
 * log-format string ('%' begins a variable) or as the argument list of a sample fetch (',' and ')'
 * end an argument, a second level of quotes protects them). One function for each reading.
 *
 * All of them refuse, with CC_EINVAL, what no quoting makes safe: control characters (a line break
 * ends a directive, whatever quotes are open) and bytes that are not UTF-8. haproxy_quote() and
 * haproxy_quote_format() are declared in render.h. */
#pragma once

#include "generator/render.h"

/* `s` as one argument of a sample fetch or converter, to stand anywhere in a word: str({{x}}). */
int haproxy_quote_arg(struct buf *out, struct slice s);
