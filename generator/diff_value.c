#include "generator/diff_value.h"

#include "crypto/crypto.h"

enum { TEXT_MAX_BYTES = 64 << 10, HASH_SHOWN = 16 };

static const void *member(const void *object, const struct snapshot_field *f)
{
    return (const char *)object + f->offset;
}

/* A pointer and the count beside it. */
static const char *list_of(const struct snapshot_field *f, const void *object, size_t *n)
{
    const char *first;

    memcpy(&first, member(object, f), sizeof(first));
    memcpy(n, (const char *)object + f->count_offset, sizeof(*n));
    return first;
}

static enum diff_equal worse(enum diff_equal a, enum diff_equal b)
{
    return a > b ? a : b;
}

static enum diff_equal same_if(bool same)
{
    return same ? DIFF_SAME : DIFF_DIFFERENT;
}

static enum diff_equal place_equal(const struct place *a, const struct place *b)
{
    bool same =
        (a->source == NULL) == (b->source == NULL) && a->line == b->line && a->col == b->col;

    if (same && a->source != NULL)
        same = strcmp(a->source->name, b->source->name) == 0;
    return same ? DIFF_SAME : DIFF_MOVED;
}

static enum diff_equal texts_equal(const struct snapshot_field *f, const void *a, const void *b)
{
    size_t n, m;
    const struct slice *x = (const void *)list_of(f, a, &n), *y = (const void *)list_of(f, b, &m);

    if (n != m)
        return DIFF_DIFFERENT;
    for (size_t i = 0; i < n; i++) {
        if (!slice_eq(x[i], y[i]))
            return DIFF_DIFFERENT;
    }
    return DIFF_SAME;
}

static enum diff_equal list_equal(const struct snapshot_field *f, const void *a, const void *b)
{
    size_t n, m;
    const char *x = list_of(f, a, &n), *y = list_of(f, b, &m);
    enum diff_equal all = DIFF_SAME;

    if (n != m)
        return DIFF_DIFFERENT;
    for (size_t i = 0; i < n && all != DIFF_DIFFERENT; i++)
        all = worse(all, diff_object_equal(f->of, x + i * f->of->size, y + i * f->of->size));
    return all;
}

/* A name is a hash of the content, so equal names are equal clusters; what a name does not cover is
 * told once, with the clusters themselves. */
static enum diff_equal cluster_equal(const struct gw_cluster *a, const struct gw_cluster *b)
{
    return same_if((a == NULL) == (b == NULL) && (a == NULL || slice_eq(a->name, b->name)));
}

static enum diff_equal cors_equal(const struct gw_cors *a, const struct gw_cors *b)
{
    if (a == NULL || b == NULL)
        return same_if(a == b);
    return diff_object_equal(&snapshot_cors, a, b);
}

static enum diff_equal identity_equal(const struct gw_identity *a, const struct gw_identity *b)
{
    if (a == NULL || b == NULL)
        return same_if(a == b);
    return diff_object_equal(&snapshot_identity, a, b);
}

enum diff_equal diff_field_equal(const struct snapshot_field *f, const void *a, const void *b)
{
    const void *x = member(a, f), *y = member(b, f);

    switch (f->type) {
    case SNAPSHOT_TEXT:
        return same_if(slice_eq(*(const struct slice *)x, *(const struct slice *)y));
    case SNAPSHOT_TEXTS:
        return texts_equal(f, a, b);
    case SNAPSHOT_BOOL:
        return same_if(*(const bool *)x == *(const bool *)y);
    case SNAPSHOT_INT:
        return same_if(*(const uint64_t *)x == *(const uint64_t *)y);
    case SNAPSHOT_UNSIGNED:
    case SNAPSHOT_ENUM:
    case SNAPSHOT_ALGORITHMS:
        return same_if(*(const unsigned *)x == *(const unsigned *)y);
    case SNAPSHOT_METHOD:
        return same_if(*(const enum gw_method *)x == *(const enum gw_method *)y);
    case SNAPSHOT_CREDENTIAL:
        return same_if(*(const enum gw_credential *)x == *(const enum gw_credential *)y);
    case SNAPSHOT_ORIGIN:
        return place_equal(x, y);
    case SNAPSHOT_CLUSTER:
        return cluster_equal(*(const struct gw_cluster *const *)x,
                             *(const struct gw_cluster *const *)y);
    case SNAPSHOT_CORS:
        return cors_equal(*(const struct gw_cors *const *)x, *(const struct gw_cors *const *)y);
    case SNAPSHOT_IDENTITY:
        return identity_equal(*(const struct gw_identity *const *)x,
                              *(const struct gw_identity *const *)y);
    case SNAPSHOT_C_STRING:
        return same_if(strcmp(*(const char *const *)x, *(const char *const *)y) == 0);
    case SNAPSHOT_LIST:
        return list_equal(f, a, b);
    }
    return DIFF_DIFFERENT;
}

enum diff_equal diff_object_equal(const struct snapshot_schema *schema, const void *a,
                                  const void *b)
{
    enum diff_equal all = DIFF_SAME;

    for (size_t i = 0; i < schema->n_fields && all != DIFF_DIFFERENT; i++)
        all = worse(all, diff_field_equal(&schema->fields[i], a, b));
    return all;
}

/* --- as text -------------------------------------------------------------------------------- */

static void add_text(struct buf *out, struct slice s)
{
    if (s.n == 0)
        buf_add_str(out, "none");
    for (size_t i = 0; i < s.n; i++) /* PEM has line ends */
        buf_add_char(out, ascii_is_control(s.p[i]) ? ' ' : s.p[i]);
}

static void add_texts(struct buf *out, const struct slice *texts, size_t n)
{
    if (n == 0)
        buf_add_str(out, "none");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_str(out, ", ");
        add_text(out, texts[i]);
    }
}

static void add_algorithms(struct buf *out, unsigned bits)
{
    const char *before = "";

    if (bits == 0)
        buf_add_str(out, "none");
    for (unsigned i = 0; i < JWT_ALG_COUNT; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        buf_printf(out, "%s%s", before, jwt_alg_name((enum jwt_alg)i));
        before = ", ";
    }
}

static void add_field(struct buf *out, const struct snapshot_field *f, const void *object);

/* Does the member of a cluster say more than a cluster without it? */
static bool is_set(const struct snapshot_field *f, const struct gw_cluster *cluster)
{
    static const struct gw_cluster plain = {.name = SLICE_INIT("")};

    return f->type != SNAPSHOT_LIST && strcmp(f->name, "name") != 0 &&
           diff_field_equal(f, &plain, cluster) != DIFF_SAME;
}

/* " (failover true, timeout_ms 300)": equal endpoints can differ in how they are treated. */
static void add_options(struct buf *out, const struct gw_cluster *cluster)
{
    const char *before = " (";

    for (size_t i = 0; i < snapshot_cluster.n_fields; i++) {
        const struct snapshot_field *f = &snapshot_cluster.fields[i];

        if (!is_set(f, cluster))
            continue;
        buf_printf(out, "%s%s ", before, f->name);
        add_field(out, f, cluster);
        before = ", ";
    }
    if (*before == ',')
        buf_add_char(out, ')');
}

static void add_cluster(struct buf *out, const struct gw_cluster *cluster)
{
    if (cluster == NULL || cluster->n_endpoints == 0)
        buf_add_str(out, "none");
    for (size_t i = 0; cluster != NULL && i < cluster->n_endpoints; i++) {
        const struct gw_endpoint *e = &cluster->endpoints[i];
        bool v6 = slice_find(e->host, ':') >= 0;

        buf_printf(out, "%s%s://%s%" PRIslice "%s:%u%" PRIslice, i > 0 ? ", " : "",
                   e->tls ? "https" : "http", v6 ? "[" : "", SLICE_ARG(e->host), v6 ? "]" : "",
                   e->port, SLICE_ARG(e->path));
        if (e->ca.n > 0)
            buf_printf(out, " (ca %" PRIslice ")", SLICE_ARG(slice_first(e->ca, 12)));
    }
    if (cluster != NULL)
        add_options(out, cluster);
}

/* {host a.example, port 80}: without what is false. */
static void add_object(struct buf *out, const struct snapshot_schema *schema, const void *object)
{
    const char *before = "{";

    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct snapshot_field *f = &schema->fields[i];

        if (f->type == SNAPSHOT_ORIGIN ||
            (f->type == SNAPSHOT_BOOL && !*(const bool *)member(object, f)))
            continue;
        buf_printf(out, "%s%s ", before, f->name);
        add_field(out, f, object);
        before = ", ";
    }
    buf_add_char(out, '}');
}

static void add_list(struct buf *out, const struct snapshot_field *f, const void *object)
{
    size_t n;
    const char *first = list_of(f, object, &n);

    if (n == 0)
        buf_add_str(out, "none");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_str(out, ", ");
        add_object(out, f->of, first + i * f->of->size);
    }
}

static void add_field(struct buf *out, const struct snapshot_field *f, const void *object)
{
    const void *at = member(object, f);
    size_t n;

    if (f->secret) {
        buf_add_str(out, "(hidden)");
        return;
    }
    switch (f->type) {
    case SNAPSHOT_TEXT:
        add_text(out, *(const struct slice *)at);
        break;
    case SNAPSHOT_TEXTS:
        at = list_of(f, object, &n);
        add_texts(out, at, n);
        break;
    case SNAPSHOT_BOOL:
        buf_add_str(out, *(const bool *)at ? "true" : "false");
        break;
    case SNAPSHOT_INT:
        buf_add_u64(out, *(const uint64_t *)at);
        break;
    case SNAPSHOT_UNSIGNED:
        buf_add_u64(out, *(const unsigned *)at);
        break;
    case SNAPSHOT_METHOD:
        buf_add_str(out, gw_method_name(*(const enum gw_method *)at));
        break;
    case SNAPSHOT_CREDENTIAL:
        buf_add_str(out, gw_credential_name(*(const enum gw_credential *)at));
        break;
    case SNAPSHOT_ENUM:
        buf_add_str(out, f->names[*(const unsigned *)at]);
        break;
    case SNAPSHOT_ALGORITHMS:
        add_algorithms(out, *(const unsigned *)at);
        break;
    case SNAPSHOT_ORIGIN:
        break;
    case SNAPSHOT_CLUSTER:
        add_cluster(out, *(const struct gw_cluster *const *)at);
        break;
    case SNAPSHOT_CORS:
        if (*(const struct gw_cors *const *)at == NULL)
            buf_add_str(out, "none");
        else
            add_object(out, &snapshot_cors, *(const struct gw_cors *const *)at);
        break;
    case SNAPSHOT_IDENTITY:
        if (*(const struct gw_identity *const *)at == NULL)
            buf_add_str(out, "none");
        else
            add_object(out, &snapshot_identity, *(const struct gw_identity *const *)at);
        break;
    case SNAPSHOT_C_STRING:
        add_text(out, slice_of(*(const char *const *)at));
        break;
    case SNAPSHOT_LIST:
        add_list(out, f, object);
        break;
    }
}

/* A PEM text: nobody compares those by eye, but everybody can compare sums. */
static bool is_opaque(const struct snapshot_field *f, const void *object)
{
    return f->type == SNAPSHOT_TEXT && !f->secret &&
           slice_starts(*(const struct slice *)member(object, f), SLICE("-----BEGIN "));
}

static struct slice sum_text(struct arena *arena, struct slice text)
{
    char hex[65];

    if (crypto_sha256_hex(text, hex) != CC_OK)
        return SLICE_NONE;
    return arena_printf(arena, "(SHA-256 %.*s...)", HASH_SHOWN, hex);
}

int diff_field_text(const struct snapshot_field *f, const void *object, struct arena *arena,
                    struct slice *out)
{
    struct buf text;

    if (is_opaque(f, object)) {
        *out = sum_text(arena, *(const struct slice *)member(object, f));
        return out->p != NULL ? CC_OK : CC_ENOMEM;
    }
    buf_init(&text, TEXT_MAX_BYTES);
    add_field(&text, f, object);
    if (buf_error(&text) == CC_EFULL)
        *out = SLICE("(too long to show)");
    else
        *out = buf_error(&text) == CC_OK ? arena_dup(arena, buf_slice(&text)) : SLICE_NONE;
    buf_free(&text);
    return out->p != NULL ? CC_OK : CC_ENOMEM;
}

struct slice diff_cluster_text(const struct gw_cluster *cluster, struct arena *arena)
{
    struct slice out;
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    add_cluster(&text, cluster);
    if (buf_error(&text) == CC_EFULL)
        out = arena_printf(arena, "%zu endpoints", cluster->n_endpoints);
    else
        out = buf_error(&text) == CC_OK ? arena_dup(arena, buf_slice(&text)) : SLICE_NONE;
    buf_free(&text);
    return out;
}
