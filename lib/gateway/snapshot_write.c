/* The writer: walks the schema's tables over a model. */
#include "crypto/crypto.h"
#include "gateway/intern.h"
#include "gateway/snapshot.h"
#include "gateway/snapshot_schema.h"

#include <stdlib.h>

struct writer {
    struct buf *out;
    struct intern *files; /* numbered as origins name them */
    const struct gw_model *model;
    int error;                   /* what is not the buffer's; sticks */
    const struct source *source; /* the last one that was numbered: origins come in runs */
    uint32_t source_number;
};

static const void *member(const void *object, size_t offset)
{
    return (const char *)object + offset;
}

/* A pointer and the count beside it. */
static const char *list_of(const struct snapshot_field *f, const void *object, size_t *n)
{
    const char *first;

    memcpy(&first, member(object, f->offset), sizeof(first));
    memcpy(n, member(object, f->count_offset), sizeof(*n));
    return first;
}

static uint32_t number_of(struct writer *w, const struct source *source)
{
    if (source == w->source || w->error != CC_OK)
        return w->source_number;
    w->error = intern_put(w->files, slice_of(source->name), NULL, &w->source_number);
    w->source = source;
    return w->source_number;
}

static void write_origin(struct writer *w, const struct place *origin)
{
    if (origin->source == NULL) {
        buf_add_str(w->out, "null");
        return;
    }
    buf_add_char(w->out, '[');
    buf_add_u64(w->out, number_of(w, origin->source));
    buf_add_char(w->out, ',');
    buf_add_u64(w->out, origin->line);
    buf_add_char(w->out, ',');
    buf_add_u64(w->out, origin->col);
    buf_add_char(w->out, ']');
}

static void write_texts(struct writer *w, const struct slice *texts, size_t n)
{
    buf_add_char(w->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(w->out, ',');
        buf_add_json(w->out, texts[i]);
    }
    buf_add_char(w->out, ']');
}

static void write_algorithms(struct writer *w, unsigned algorithms)
{
    const char *before = "";

    buf_add_char(w->out, '[');
    for (unsigned a = 0; a < JWT_ALG_COUNT; a++) {
        if (!(algorithms >> a & 1))
            continue;
        buf_printf(w->out, "%s\"%s\"", before, jwt_alg_name((enum jwt_alg)a));
        before = ",";
    }
    buf_add_char(w->out, ']');
}

static void write_cluster_name(struct writer *w, const struct gw_cluster *cluster)
{
    if (cluster != NULL)
        buf_add_json(w->out, cluster->name);
    else
        buf_add_str(w->out, "null");
}

static void write_cors_number(struct writer *w, const struct gw_cors *cors)
{
    if (cors != NULL)
        buf_add_u64(w->out, (uint64_t)(cors - w->model->cors));
    else
        buf_add_str(w->out, "null");
}

static void write_identity_number(struct writer *w, const struct gw_identity *identity)
{
    if (identity != NULL)
        buf_add_u64(w->out, (uint64_t)(identity - w->model->identities));
    else
        buf_add_str(w->out, "null");
}

static void write_object(struct writer *w, const struct snapshot_schema *schema,
                         const void *object);

static void write_list(struct writer *w, const struct snapshot_field *f, const void *object)
{
    size_t n;
    const char *first = list_of(f, object, &n);

    buf_add_char(w->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(w->out, ',');
        write_object(w, f->of, first + i * f->of->size);
    }
    buf_add_char(w->out, ']');
}

static void write_value(struct writer *w, const struct snapshot_field *f, const void *object)
{
    const void *at = member(object, f->offset);
    size_t n;

    switch (f->type) {
    case SNAPSHOT_TEXT:
        buf_add_json(w->out, *(const struct slice *)at);
        break;
    case SNAPSHOT_TEXTS:
        at = list_of(f, object, &n);
        write_texts(w, at, n);
        break;
    case SNAPSHOT_BOOL:
        buf_add_str(w->out, *(const bool *)at ? "true" : "false");
        break;
    case SNAPSHOT_INT:
        buf_add_u64(w->out, *(const uint64_t *)at);
        break;
    case SNAPSHOT_UNSIGNED:
        buf_add_u64(w->out, *(const unsigned *)at);
        break;
    case SNAPSHOT_METHOD:
        buf_add_json(w->out, slice_of(gw_method_name(*(const enum gw_method *)at)));
        break;
    case SNAPSHOT_CREDENTIAL:
        buf_add_json(w->out, slice_of(gw_credential_name(*(const enum gw_credential *)at)));
        break;
    case SNAPSHOT_ENUM:
        buf_add_json(w->out, slice_of(f->names[*(const unsigned *)at]));
        break;
    case SNAPSHOT_ALGORITHMS:
        write_algorithms(w, *(const unsigned *)at);
        break;
    case SNAPSHOT_ORIGIN:
        write_origin(w, at);
        break;
    case SNAPSHOT_CLUSTER:
        write_cluster_name(w, *(const struct gw_cluster *const *)at);
        break;
    case SNAPSHOT_CORS:
        write_cors_number(w, *(const struct gw_cors *const *)at);
        break;
    case SNAPSHOT_IDENTITY:
        write_identity_number(w, *(const struct gw_identity *const *)at);
        break;
    case SNAPSHOT_C_STRING:
        buf_add_json(w->out, slice_of(*(const char *const *)at));
        break;
    case SNAPSHOT_LIST:
        write_list(w, f, object);
        break;
    }
}

/* Is it what a reader takes for a member that is not there? */
static bool says_nothing(const struct snapshot_field *f, const void *object)
{
    const void *at = member(object, f->offset);
    const void *pointer;
    size_t n;

    switch (f->type) {
    case SNAPSHOT_TEXT:
        return ((const struct slice *)at)->n == 0;
    case SNAPSHOT_BOOL:
        return !*(const bool *)at;
    case SNAPSHOT_INT:
        return *(const uint64_t *)at == 0;
    case SNAPSHOT_UNSIGNED:
        return *(const unsigned *)at == 0;
    case SNAPSHOT_ORIGIN:
        return ((const struct place *)at)->source == NULL;
    case SNAPSHOT_CLUSTER:
    case SNAPSHOT_CORS:
    case SNAPSHOT_IDENTITY:
        memcpy(&pointer, at, sizeof(pointer));
        return pointer == NULL;
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_LIST:
        (void)list_of(f, object, &n);
        return n == 0;
    case SNAPSHOT_METHOD:
    case SNAPSHOT_CREDENTIAL:
    case SNAPSHOT_ENUM:
    case SNAPSHOT_ALGORITHMS:
    case SNAPSHOT_C_STRING:
        return false;
    }
    return false;
}

/* ,"name": with what is before it: 0 is nothing. */
static void write_name(struct writer *w, const char *name, char before)
{
    size_t n = strlen(name);
    char *p;

    if (!buf_room(w->out, n + 4))
        return;
    p = w->out->p + w->out->n;
    if (before != '\0')
        *p++ = before;
    *p++ = '"';
    memcpy(p, name, n);
    p += n;
    *p++ = '"';
    *p++ = ':';
    *p = '\0';
    w->out->n = (size_t)(p - w->out->p);
}

/* `open` stands before the first member that is there, unless it is 0. False: there is none. */
static bool write_fields(struct writer *w, const struct snapshot_schema *schema, const void *object,
                         char open)
{
    bool any = false;

    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct snapshot_field *f = &schema->fields[i];

        if (!schema->whole && says_nothing(f, object) && snapshot_may_be_absent(f))
            continue;
        write_name(w, f->name, any ? ',' : open);
        write_value(w, f, object);
        any = true;
    }
    return any;
}

static void write_object(struct writer *w, const struct snapshot_schema *schema, const void *object)
{
    if (schema->fault != NULL && schema->fault(object) != NULL)
        w->error = CC_EINVAL; /* no reader would take it */
    if (write_fields(w, schema, object, '{'))
        buf_add_char(w->out, '}');
    else
        buf_add_str(w->out, "{}");
}

/* One element a line, each of which the reader must be willing to take. */
static void write_section(struct writer *w, const char *name, const struct snapshot_schema *schema,
                          const void *first, size_t n, const char *end)
{
    buf_printf(w->out, "\"%s\":[\n", name);
    for (size_t i = 0; i < n; i++) {
        size_t start = w->out->n;

        write_object(w, schema, (const char *)first + i * schema->size);
        if (w->out->n - start > SNAPSHOT_MAX_LINE)
            w->error = CC_ETOOBIG;
        buf_add_str(w->out, i + 1 < n ? ",\n" : "\n");
    }
    buf_add_str(w->out, end);
}

static void write_files(struct writer *w)
{
    for (size_t i = 0; i < w->files->n; i++) {
        if (i > 0)
            buf_add_str(w->out, ",\n");
        buf_add_str(w->out, "{\"name\":");
        buf_add_json(w->out, w->files->texts[i]);
        buf_add_char(w->out, '}');
    }
    if (w->files->n > 0)
        buf_add_char(w->out, '\n');
}

void gw_snapshot_text_init(struct gw_snapshot_text *t)
{
    for (size_t i = 0; i < GW_SNAPSHOT_PARTS; i++)
        buf_init(&t->parts[i], GW_SNAPSHOT_MAX_BYTES);
    t->hash[0] = '\0';
}

void gw_snapshot_text_free(struct gw_snapshot_text *t)
{
    for (size_t i = 0; i < GW_SNAPSHOT_PARTS; i++)
        buf_free(&t->parts[i]);
}

void gw_snapshot_slices(const struct gw_snapshot_text *t, struct slice out[GW_SNAPSHOT_PARTS])
{
    for (size_t i = 0; i < GW_SNAPSHOT_PARTS; i++)
        out[i] = buf_slice(&t->parts[i]);
}

/* No reader would take more. */
static int check_size(const struct gw_snapshot_text *t)
{
    size_t n = 0;

    for (size_t i = 0; i < GW_SNAPSHOT_PARTS; i++) {
        if (buf_error(&t->parts[i]) != CC_OK)
            return buf_error(&t->parts[i]);
        n += t->parts[i].n;
    }
    return n <= GW_SNAPSHOT_MAX_BYTES ? CC_OK : CC_EFULL;
}

/* The sections come first, because they tell which files there are. */
int gw_content_write(const struct gw_model *m, struct gw_snapshot_text *t)
{
    struct intern files = {.texts = NULL};
    struct slice parts[GW_SNAPSHOT_PARTS];
    struct writer w = {.out = &t->parts[2], .files = &files, .model = m};
    int rc;

    write_section(&w, "issuers", &snapshot_issuer, m->issuers, m->n_issuers, "],\n");
    write_section(&w, "clusters", &snapshot_cluster, m->clusters, m->n_clusters, "],\n");
    write_section(&w, "cors", &snapshot_cors, m->cors, m->n_cors, "],\n");
    write_section(&w, "identities", &snapshot_identity, m->identities, m->n_identities, "],\n");
    write_section(&w, "policies", &snapshot_policy, m->policies, m->n_policies, "],\n");
    write_section(&w, "deny_rules", &snapshot_deny_rule, m->deny_rules, m->n_deny_rules, "],\n");
    write_section(&w, "apis", &snapshot_api, m->apis, m->n_apis, "]}\n");
    w.out = &t->parts[1];
    (void)write_fields(&w, &snapshot_settings, m, '\0');
    buf_add_str(w.out, ",\n\"files\":[\n");
    write_files(&w);
    buf_add_str(w.out, "],\n");
    rc = w.error == CC_OK ? check_size(t) : w.error;
    gw_snapshot_slices(t, parts);
    if (rc == CC_OK)
        rc = crypto_sha256_hex_of(&parts[1], 2, t->hash);
    intern_free(&files);
    return rc;
}

int gw_snapshot_complete(const struct gw_model *model, struct gw_snapshot_text *t)
{
    char room[256], hash[SNAPSHOT_HASH_HEX + 1];
    struct buf numbers;
    struct writer w = {.out = &numbers, .model = model};
    int rc;

    buf_init_fixed(&numbers, room, sizeof(room));
    (void)write_fields(&w, &snapshot_generations, model, '\0');
    buf_printf(&numbers, ",\n\"content\":\"%s\",\n", t->hash);
    rc = buf_error(&numbers);
    if (rc == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&numbers), hash);
    if (rc != CC_OK)
        return rc;
    buf_reset(&t->parts[0]);
    buf_printf(&t->parts[0], "{\"schema\":%d,\n\"hash\":\"%s\",\n", GW_SCHEMA, hash);
    buf_add(&t->parts[0], buf_slice(&numbers));
    return check_size(t);
}

int gw_snapshot_write(const struct gw_model *model, struct buf *out)
{
    struct slice parts[GW_SNAPSHOT_PARTS];
    struct gw_snapshot_text t;
    int rc;

    gw_snapshot_text_init(&t);
    rc = gw_content_write(model, &t);
    if (rc == CC_OK)
        rc = gw_snapshot_complete(model, &t);
    gw_snapshot_slices(&t, parts);
    for (size_t i = 0; rc == CC_OK && i < GW_SNAPSHOT_PARTS; i++)
        buf_add(out, parts[i]);
    gw_snapshot_text_free(&t);
    return rc == CC_OK ? buf_error(out) : rc;
}

int gw_model_hash(const struct gw_model *model, char hex[65])
{
    struct gw_snapshot_text t;
    int rc;

    gw_snapshot_text_init(&t);
    rc = gw_content_write(model, &t);
    if (rc == CC_OK)
        memcpy(hex, t.hash, sizeof(t.hash));
    gw_snapshot_text_free(&t);
    return rc;
}
