/* render_row: rows of values while they are made (inside of render_values.c and the files
 * named here). */
#pragma once

#include "generator/render_values.h"

/* A row under construction. Whoever adds knows how many values there are: `room` is a promise of
 * the code, not of input. */
struct row {
    struct template_value *values;
    size_t n, room;
};

static inline bool row_new(struct row *row, struct arena *arena, size_t room)
{
    *row = (struct row){arena_array(arena, room, sizeof(*row->values)), 0, room};
    return row->values != NULL;
}

static inline struct template_value *row_add(struct row *row, const char *name,
                                             enum template_kind kind)
{
    struct template_value *v = &row->values[row->n++];

    CC_ASSERT(row->n <= row->room);
    *v = (struct template_value){.name = name, .kind = kind};
    return v;
}

static inline void add_bool(struct row *row, const char *name, bool truth)
{
    row_add(row, name, TEMPLATE_BOOL)->truth = truth;
}

static inline void add_number(struct row *row, const char *name, uint64_t number)
{
    row_add(row, name, TEMPLATE_NUMBER)->number = number;
}

static inline void add_text(struct row *row, const char *name, enum template_kind kind,
                            struct slice text, struct place origin)
{
    struct template_value *v = row_add(row, name, kind);

    v->text = text;
    v->origin = origin;
}

static inline void add_word(struct row *row, const char *name, struct slice text)
{
    add_text(row, name, TEMPLATE_WORD, text, PLACE_NONE);
}

static inline void add_list(struct row *row, const char *name, const struct template_row *rows,
                            size_t n)
{
    struct template_value *v = row_add(row, name, TEMPLATE_LIST);

    v->rows = rows;
    v->n_rows = n;
}

static inline struct template_row *rows_new(struct arena *arena, size_t n)
{
    return arena_array(arena, n, sizeof(struct template_row));
}

static inline struct template_row finished(const struct row *row)
{
    return (struct template_row){row->values, row->n};
}

/* --- render_spelling.c ---------------------------------------------------------------------- */

/* Each name in each spelling that is the same to a CGI-like backend, '-' or '_' -> rows of
 * "spelling". */
int add_spellings(struct row *root, const char *list, const struct slice *names, size_t n,
                  struct arena *arena);

/* --- render_errors.c ------------------------------------------------------------------------ */

/* The answers that HAProxy gives itself -> "body_...", the lists of them by where they arise, and
 * of the files of those that need one; "soap" and what belongs to it. */
int render_errors(struct row *root, const struct render_context *ctx);

/* --- render_listen.c ------------------------------------------------------------------------ */

/* What clients connect to, and how answers go back to them: listeners and compression. */
int render_listeners(struct row *root, const struct render_context *ctx);

/* --- render_tls.c --------------------------------------------------------------------------- */

/* Versions and ciphers of router.downstream.tls and router.upstream.tls. */
int render_tls(struct row *root, const struct render_context *ctx);

/* --- render_certificates.c ------------------------------------------------------------------ */

/* How the certificates of clients get to the agent. */
int render_certificates(struct row *root, const struct render_context *ctx);

/* --- render_client.c ------------------------------------------------------------------------ */

/* Whose X-Forwarded-For says who the client is -> "proxies", the file's path or "", and "hops". */
int render_client(struct row *root, const struct render_context *ctx);

/* --- render_cluster.c ----------------------------------------------------------------------- */

/* All clusters -> "clusters", and "dns": does some endpoint have a name to look up? */
int render_clusters(struct row *root, const struct render_context *ctx);

/* The file of these authorities, below the generation's directory. */
struct slice render_authorities_name(struct arena *arena, struct slice name);

/* --- render_mock.c -------------------------------------------------------------------------- */

/* Statuses and header names of the answers of mock APIs -> "mock", "mock_statuses",
 * "mock_headers". */
int render_filters(struct row *root, const struct render_context *ctx);
int render_mock(struct row *root, const struct render_context *ctx);

/* --- render_redis.c ------------------------------------------------------------------------- */

/* The listener before agent.redis.servers -> "redis" and others. */
int render_redis(struct row *root, const struct render_context *ctx);
/* Does one of them have a name to look up? */
bool render_redis_dns(const struct config *config);

/* Must HAProxy ask name servers for it? */
bool render_needs_dns(struct slice host);

/* Attempts after the first. */
uint64_t render_retries(const struct gw_cluster *cluster);

/* "127.0.0.1:80", "[::1]:80" */
struct slice render_address(struct arena *arena, struct slice host, uint64_t port);

/* --- render_jwt.c --------------------------------------------------------------------------- */

/* The JWT for backends -> "jwt_header", "jwt_spellings", "jwks", "maxrewrite". */
int render_jwt(struct row *root, const struct render_context *ctx);

/* The size of HAProxy's buffers: the setting, and room for the JWT. */
uint64_t render_buffer_bytes(const struct render_context *ctx);
