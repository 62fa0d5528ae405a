/* Diagnostics: what an operator must fix, each with its place.
 *
 * Readers and checkers add findings and go on, so that one run shows all of them. A finding has a
 * code (diag_codes.def: stable, documented, never reused), a place in a source text, what was
 * found, what was expected and what to do. Printed as
 *
 *     pets/api.yaml:4:12: error[CC1203]: data.version is a list, expected text
 *         4 |   version: [1, 0]
 *           |            ^
 *       help: write it in quotes: version: "1.0"
 *
 * A struct diag owns copies of all texts it is given, except sources, which must outlive it. */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#include <stdio.h>

/* A text that findings point into. */
struct source {
    const char *name;  /* as the user knows it: the path that was opened */
    struct slice text; /* the bytes that were read; may be empty when they are gone */
    const char
        *holder; /* the API project it is in, which can be asked for the bytes again; or NULL */
};

/* A place in a source. line and col count from 1; 0 = unknown. source may be NULL. */
struct place {
    const struct source *source;
    unsigned line;
    unsigned col;
};

/* Do both stand for the same text? Each project has sources of its own for the files it names. */
static inline bool source_same(const struct source *a, const struct source *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a->name, b->name) == 0);
}

#define PLACE_NONE ((struct place){NULL, 0, 0})

/* The place of a whole file. */
static inline struct place place_file(const struct source *source)
{
    return (struct place){source, 0, 0};
}

/* Line `line` (from 1) of a text, without its end; empty when there is no such line. */
struct slice source_row(struct slice text, unsigned line);

/* The line of a place with a caret under its column; nothing when its source has no such line. */
void place_print(const struct place *p, FILE *out);

/* Info is for the reviewers (lint, audit): worth knowing, nothing to do at once. */
enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_INFO };

/* "error", "warning", "info". */
const char *diag_severity_name(enum diag_severity severity);

enum diag_code {
#define X(code, title, explanation) code,
#include "base/diag_codes.def"
#undef X
    DIAG_CODES
};

/* "CC1203", its one-line title, and its page: cause, example, what to do. */
const char *diag_code_name(enum diag_code code);
const char *diag_code_title(enum diag_code code);
const char *diag_code_explanation(enum diag_code code);

struct diag;

/* NULL when there is no memory. */
struct diag *diag_new(void);
void diag_free(struct diag **d);

/* Adds a finding. help (what to do) may be NULL. Returns it, for diag_set_help(), or NULL when
 * there are 10,000 of this severity (the rest is only counted) or memory is short. */
struct diag_item;
struct diag_item *diag_add(struct diag *d, enum diag_severity severity, enum diag_code code,
                           struct place place, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#define diag_error(d, code, place, ...)   diag_add(d, DIAG_ERROR, code, place, __VA_ARGS__)
#define diag_warning(d, code, place, ...) diag_add(d, DIAG_WARNING, code, place, __VA_ARGS__)

/* Adds a finding as another diag has it, word for word. */
struct diag_view;
void diag_copy(struct diag *d, const struct diag_view *finding);

/* Makes the places of findings outlive their sources, as far as these have no text: what a snapshot
 * names, for example. Only the names of sources are kept. */
void diag_own_places(struct diag *d);

/* All findings of another diag, those that it had no room for as a number. */
void diag_move(struct diag *d, const struct diag *from);

/* Counts n findings that there is no room for. */
void diag_count(struct diag *d, enum diag_severity severity, size_t n);

/* How to read a source again whose text is gone, when a finding must be shown with its line: into
 * *text, which lives until the next call. */
void diag_set_reader(struct diag *d,
                     bool (*read)(void *context, const struct source *source, struct slice *text),
                     void *context);

/* The help line of a finding; `item` may be NULL (nothing happens). */
void diag_help(struct diag_item *item, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

size_t diag_errors(const struct diag *d);
size_t diag_warnings(const struct diag *d);
size_t diag_infos(const struct diag *d);

/* Prints all findings in the order of source name, line, column, code. */
void diag_print(const struct diag *d, FILE *out, bool colour);

/* Each finding as one line of the log, without help; for programs that nobody looks at. */
void diag_log(const struct diag *d);

/* The same as one JSON array of {"id", "severity", "file", "line", "column", "message", "help"},
 * for programs; file is null where there is none, line and column where there is no line. */
void diag_add_json(const struct diag *d, struct buf *out);

/* Walks the findings in the order they were added; for tests. */
struct diag_view {
    enum diag_severity severity;
    enum diag_code code;
    struct place place;
    struct slice message, help;
};
bool diag_get(const struct diag *d, size_t index, struct diag_view *out);
