#include "revoke/revoke_read.h"

#include <jansson.h>

struct reading {
    const struct source *source;
    struct revoked *table;
    int64_t now_s;
    struct diag *diag;
    unsigned line;
    int rc;
};

/* What is wrong with a line, at a byte of it. Never its text: it may be a token by mistake. */
static void complain(struct reading *r, size_t at, const char *what, const char *help)
{
    struct place place = {r->source, r->line, (unsigned)at + 1};

    r->rc = CC_EINVAL;
    diag_help(diag_error(r->diag, CC3090, place, "%s", what), "%s", help);
}

static void take(struct reading *r, size_t at, struct slice id, int64_t until_s)
{
    if (revoked_looks_like_token(id))
        complain(r, at, "this is a token, expected its id",
                 "write its jti, or the part behind its last dot when it has none");
    else if (!revoked_id_valid(id))
        complain(r, at, "the id is empty or has a control character",
                 "write the token's jti, or the part behind its last dot when it has none");
    else
        revoked_add(r->table, id, until_s, REVOKED_BY_FILE, r->now_s);
}

static void take_words(struct reading *r, struct slice line)
{
    struct slice id, until;
    int64_t until_s = REVOKED_FOREVER;
    size_t n = 0;

    while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    id = slice_first(line, n);
    until = slice_trim(slice_from(line, n));
    if (until.n > 0 && clock_parse(until, &until_s) != CC_OK) {
        complain(r, (size_t)(until.p - line.p), "expected when the token expires",
                 "seconds since 1970, or a time like 2030-01-01T00:00:00Z; an id with blanks is "
                 "written as {\"jti\": \"an id\"}");
        return;
    }
    take(r, 0, id, until_s);
}

/* "exp" in seconds, "expiry_time" in milliseconds. */
static bool read_until(struct reading *r, const json_t *o, int64_t *until_s)
{
    const json_t *exp = json_object_get(o, "exp"), *expiry = json_object_get(o, "expiry_time");
    const json_t *given = exp != NULL ? exp : expiry;

    *until_s = REVOKED_FOREVER;
    if (given == NULL)
        return true;
    if (!json_is_integer(given) || json_integer_value(given) < 0 ||
        (exp != NULL && expiry != NULL)) {
        complain(r, 0, "exp (seconds) or expiry_time (milliseconds) is not one whole number",
                 "\"exp\": 1893456000");
        return false;
    }
    /* rounded up */
    *until_s = exp != NULL ? json_integer_value(exp) : (json_integer_value(expiry) - 1) / 1000 + 1;
    return true;
}

static bool all_known(struct reading *r, json_t *o)
{
    static const char *const known[] = {"jti", "jwt_signature", "exp", "expiry_time"};
    const char *name;
    json_t *value;

    json_object_foreach(o, name, value)
    {
        bool found = false;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            found = found || strcmp(name, known[i]) == 0;
        if (found)
            continue;
        complain(r, 0, "unknown member", "known are jti, exp, jwt_signature and expiry_time");
        return false;
    }
    return true;
}

static void take_object(struct reading *r, struct slice line)
{
    json_error_t error;
    json_t *o = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &error);
    const json_t *jti = json_object_get(o, "jti"), *other = json_object_get(o, "jwt_signature");
    const json_t *id = jti != NULL ? jti : other;
    int64_t until_s;

    if (!json_is_object(o))
        complain(r, error.column > 0 ? (size_t)error.column - 1 : 0, "this is no JSON object",
                 "one object a line, like {\"jti\": \"6f0c\", \"exp\": 1893456000}");
    else if (!json_is_string(id) || (jti != NULL && other != NULL))
        complain(r, 0, "expected the text jti (or jwt_signature), once",
                 "one object a line, like {\"jti\": \"6f0c\", \"exp\": 1893456000}");
    else if (all_known(r, o) && read_until(r, o, &until_s))
        take(r, 0, slice_make(json_string_value(id), json_string_length(id)), until_s);
    json_decref(o);
}

int revoke_parse(struct slice text, const struct source *source, struct revoked *table,
                 int64_t now_s, struct diag *diag)
{
    struct reading r = {source, table, now_s, diag, 0, CC_OK};
    struct slice rest = text, line;

    revoked_begin(table, REVOKED_BY_FILE);
    while (slice_split(&rest, '\n', &line)) {
        r.line++;
        if (slice_ends(line, SLICE("\r")))
            line.n--;
        line = slice_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (line.p[0] == '{')
            take_object(&r, line);
        else
            take_words(&r, line);
    }
    return r.rc;
}

int revoke_read(const char *path, struct revoked *table, int64_t now_s, struct arena *arena,
                struct diag *diag)
{
    struct source *source = arena_alloc(arena, sizeof(*source));
    struct slice text;
    int rc;

    if (source == NULL)
        return CC_ENOMEM;
    source->name = path;
    rc = file_read(arena, path, REVOKE_FILE_MAX, &text);
    if (rc == CC_OK)
        return revoke_parse(text, source, table, now_s, diag);
    diag_error(diag, CC1001, place_file(source), "%s", cc_strerror(rc));
    return rc;
}
