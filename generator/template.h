/* template: a small, line-oriented text template engine for HAProxy configuration.
 *
 *     {{name}}                         a value, written as its kind demands (below)
 *     {{#each list}} ... {{/each}}     the part once for each row of a list
 *     {{#if name}} ... {{else}} ... {{/if}}
 *     {{! remark }}                    nothing
 *
 * A line that holds nothing but one tag other than a value disappears with its line break. Names
 * are looked up in the innermost row first, then outwards. Everything a template can say about a
 * value is its name: how it is quoted is the value's own kind, so that a template cannot forget it.
 *
 * Pure: reads and writes nothing but its arguments. */
#pragma once

#include "base/base.h"

enum { TEMPLATE_MAX_BYTES = 1 << 20, TEMPLATE_MAX_DEPTH = 16 };

enum template_kind {
    TEMPLATE_BOOL,   /* for #if only */
    TEMPLATE_NUMBER, /* decimal; true when not 0 */
    TEMPLATE_WORD,   /* text, through haproxy_quote(); true when not empty */
    TEMPLATE_FORMAT, /* text inside a log-format string, through haproxy_quote_format() */
    TEMPLATE_ARG,    /* text as an argument of a sample fetch, through haproxy_quote_arg() */
    TEMPLATE_LIST    /* for #each, and #if: true when it has rows */
};

struct template_row;

struct template_value {
    const char *name;
    enum template_kind kind;
    bool truth;                      /* BOOL */
    uint64_t number;                 /* NUMBER */
    struct slice text;               /* WORD, FORMAT, ARG */
    struct place origin;             /* of the text, for findings */
    const struct template_row *rows; /* LIST */
    size_t n_rows;
};

/* A row of a list; the outermost scope is a row too. */
struct template_row {
    const struct template_value *values;
    size_t n_values;
};

/* Renders the template `source` with the values of `root` into `out`. Syntax errors are found
 * anywhere in the text, also where no value leads. Findings: CC5005 (the template), CC5004 (a value
 * that cannot be quoted). CC_EINVAL after findings, else CC_OK, CC_ENOMEM or the buffer's error.
 * `source` must outlive the findings. */
int template_render(const struct source *source, const struct template_row *root, struct buf *out,
                    struct arena *arena, struct diag *diag);
