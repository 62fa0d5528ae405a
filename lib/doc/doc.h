/* doc: YAML and JSON read into one tree that remembers where everything stood.
 *
 * libyaml reads both: JSON is read as the subset of YAML that it is (with \uD83D\uDE00-style
 * surrogate pairs, which YAML lacks). The tree, its texts and the source live in the arena given to
 * doc_read(); there is nothing to free. A tree is immutable and may be read from any thread.
 *
 * One document a file. Unquoted scalars follow YAML 1.1 as the reference's readers do: null ~ and
 * nothing; true/false, yes/no, on/off; decimal, 0x and 0o numbers; reals. What readers disagree
 * about (1_000, 12:30, dates, y and n) is text. Aliases share their node; merge keys (`<<: *base`)
 * are carried out, explicit keys win. Texts may hold any character, U+0000 too.
 *
 * Bounded against hostile input: size of the text, nesting (DOC_MAX_DEPTH, aliases followed), and
 * the number of nodes that aliases expand to (DOC_MAX_NODES), so that `&a [*b,*b]` towers cost
 * nothing and a walk over a tree needs no guard of its own. Duplicate keys are errors (CC1003).
 * Reading blocks on the file; nothing else does. */
#pragma once

#include "base/base.h"

#include <dirent.h>

enum { DOC_MAX_DEPTH = 256, DOC_MAX_NODES = 8000000, DOC_MAX_BYTES = 64 << 20 };

enum doc_type { DOC_NULL, DOC_BOOL, DOC_INT, DOC_REAL, DOC_TEXT, DOC_LIST, DOC_MAP };

struct doc_node;

/* One member of a map (key != NULL) or element of a list (key == NULL). */
struct doc_entry {
    const struct doc_node *key;
    const struct doc_node *value;
};

struct doc_node {
    enum doc_type type;
    unsigned line, col; /* from 1 */
    struct slice text;  /* scalars: the text as written, without quotes; NUL-terminated */
    bool quoted;        /* a scalar in quotes or a block: always DOC_TEXT */
    const struct doc_entry *entries; /* lists and maps, in the order of the document */
    size_t n;                        /* number of entries */
    const uint32_t *by_key;          /* large maps: indices of entries, sorted by key; else NULL */
};

struct doc {
    struct source source;        /* name and text; findings point here */
    const struct doc_node *root; /* never NULL after success; an empty file is a DOC_NULL */
};

/* Reads `path`. On failure the findings are in `diag` and CC_EPARSE (or the file's error) is
 * returned. `name` is how findings call the file; NULL = path. */
int doc_read_file(struct doc **out, const char *path, const char *name, struct arena *arena,
                  struct diag *diag);

/* The same from memory. `text` must live as long as the arena. */
int doc_read(struct doc **out, struct slice text, const char *name, struct arena *arena,
             struct diag *diag);

/* The files in a directory that are documents by their names (*.yaml, *.yml, *.json; none that begins
 * with a dot), in the order of their names whatever the locale. How many, or -1 with errno, as
 * scandir(3); the caller frees each and the array. */
int doc_list(const char *directory, struct dirent ***entries);

/* The type of an unquoted scalar, and, when that is DOC_BOOL, whether it says yes. For texts from
 * elsewhere (the environment, the command line) that shall be read by the same rules. */
enum doc_type doc_scalar_type(struct slice text);
bool doc_scalar_true(struct slice text);

/* "null", "true or false", "a whole number", "a number", "text", "a list", "a mapping". */
const char *doc_type_name(enum doc_type type);

/* The place of a node for a finding; a NULL node gives the place of the whole file. */
struct place doc_place(const struct doc *doc, const struct doc_node *node);

/* The value of member `key` of a map, or NULL (also when `map` is NULL or no map). Exact. */
const struct doc_node *doc_get(const struct doc_node *map, const char *key);

/* The same, ASCII letters compared without case (api.yaml's rule). */
const struct doc_node *doc_get_nocase(const struct doc_node *map, const char *key);

/* Follows keys separated by dots: doc_path(root, "info.title"). NULL when one is missing. */
const struct doc_node *doc_path(const struct doc_node *map, const char *dotted);

/* A local JSON pointer, "#/components/parameters/id" (RFC 6901, with ~0 ~1 and %XX). NULL when it
 * leads nowhere, is malformed, leaves the document or has a part over 4096 bytes. */
const struct doc_node *doc_pointer(const struct doc *doc, struct slice pointer);

/* Typed reading with findings: CC1201 for the type, CC1203 for a number outside min..max. `what`
 * names the field in messages ("data.version"). A NULL node is not an error: the result is left as
 * it is and CC_ENOENT is returned. CC_EINVAL after a finding. doc_text() also takes unquoted
 * numbers, as they are written: 1.0 stays "1.0" (api.yaml's `version: 1.0`); it refuses null,
 * booleans, lists and maps. */
int doc_text(const struct doc *doc, const struct doc_node *node, const char *what,
             struct diag *diag, struct slice *out);
int doc_bool(const struct doc *doc, const struct doc_node *node, const char *what,
             struct diag *diag, bool *out);
int doc_u64(const struct doc *doc, const struct doc_node *node, const char *what, uint64_t min,
            uint64_t max, struct diag *diag, uint64_t *out);
/* Is it a list (or map)? A finding when it is neither NULL nor that. */
bool doc_is_list(const struct doc *doc, const struct doc_node *node, const char *what,
                 struct diag *diag);
bool doc_is_map(const struct doc *doc, const struct doc_node *node, const char *what,
                struct diag *diag);
