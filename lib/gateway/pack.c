#include "gateway/pack.h"

#include "gateway/snapshot_schema.h"

#include <limits.h>

static const struct snapshot_schema *const schemas[] = {
    [GW_PACK_API] = &snapshot_api,
    [GW_PACK_CLUSTER] = &snapshot_cluster,
    [GW_PACK_CORS] = &snapshot_cors,
    [GW_PACK_IDENTITY] = &snapshot_identity,
};

/* --- numbers and texts ------------------------------------------------------------------------ */

/* Seven bits a byte, the lowest first, the highest bit set in all but the last (LEB128). */
void gw_pack_number(struct buf *out, uint64_t n)
{
    char bytes[10];
    size_t used = 0;

    for (; n > 0x7f; n >>= 7)
        bytes[used++] = (char)(unsigned char)(n | 0x80);
    bytes[used++] = (char)n;
    buf_add(out, slice_make(bytes, used));
}

/* Nearly all there are fit into one byte: this without a call. */
static inline int unpack_number(struct slice *in, uint64_t max, uint64_t *n)
{
    unsigned char first = in->n > 0 ? (unsigned char)in->p[0] : 0x80;

    if ((first & 0x80) != 0)
        return gw_unpack_number(in, max, n);
    if (first > max)
        return CC_EPARSE;
    *in = (struct slice){in->p + 1, in->n - 1};
    *n = first;
    return CC_OK;
}

int gw_unpack_number(struct slice *in, uint64_t max, uint64_t *n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < in->n && i < 10; i++) {
        unsigned char byte = (unsigned char)in->p[i];

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0)
            continue;
        if (value > max || (i == 9 && byte > 1))
            return CC_EPARSE;
        *in = slice_from(*in, i + 1);
        *n = value;
        return CC_OK;
    }
    return CC_EPARSE;
}

/* Length, bytes and a NUL, so that the text can be used where it stands. No text at all is kept
 * apart from an empty one. */
void gw_pack_text(struct buf *out, struct slice text)
{
    gw_pack_number(out, text.p != NULL ? (uint64_t)text.n + 1 : 0);
    if (text.p == NULL)
        return;
    buf_add(out, text);
    buf_add_char(out, '\0');
}

int gw_unpack_text(struct slice *in, struct slice *text)
{
    uint64_t n = 0;

    if (unpack_number(in, SIZE_MAX, &n) != CC_OK || n > in->n)
        return CC_EPARSE;
    *text = SLICE_NONE;
    if (n == 0)
        return CC_OK;
    if (in->p[n - 1] != '\0')
        return CC_EPARSE;
    *text = slice_first(*in, (size_t)n - 1);
    *in = slice_from(*in, (size_t)n);
    return CC_OK;
}

/* --- packing ---------------------------------------------------------------------------------- */

static const void *member(const void *object, size_t offset)
{
    return (const char *)object + offset;
}

static void pack_origin(struct buf *out, const struct place *origin,
                        const struct gw_pack_links *links)
{
    gw_pack_number(out, links->source_number(links->context, origin->source));
    gw_pack_number(out, origin->line);
    gw_pack_number(out, origin->col);
}

static void pack_object(struct buf *out, const struct snapshot_schema *schema, const void *object,
                        const struct gw_pack_links *links);

/* A pointer and the count beside it. */
static void pack_list(struct buf *out, const struct snapshot_field *f, const void *object,
                      const struct gw_pack_links *links)
{
    const char *first;
    size_t n;

    memcpy(&first, member(object, f->offset), sizeof(first));
    memcpy(&n, member(object, f->count_offset), sizeof(n));
    gw_pack_number(out, n);
    for (size_t i = 0; i < n; i++) {
        if (f->type == SNAPSHOT_TEXTS)
            gw_pack_text(out, ((const struct slice *)(const void *)first)[i]);
        else
            pack_object(out, f->of, first + i * f->of->size, links);
    }
}

static void pack_value(struct buf *out, const struct snapshot_field *f, const void *object,
                       const struct gw_pack_links *links)
{
    const void *at = member(object, f->offset);

    switch (f->type) {
    case SNAPSHOT_TEXT:
        gw_pack_text(out, *(const struct slice *)at);
        break;
    case SNAPSHOT_C_STRING:
        gw_pack_text(out, slice_of(*(const char *const *)at));
        break;
    case SNAPSHOT_BOOL:
        gw_pack_number(out, *(const bool *)at);
        break;
    case SNAPSHOT_INT:
        gw_pack_number(out, *(const uint64_t *)at);
        break;
    case SNAPSHOT_UNSIGNED:
    case SNAPSHOT_ENUM:
    case SNAPSHOT_ALGORITHMS:
        gw_pack_number(out, *(const unsigned *)at);
        break;
    case SNAPSHOT_METHOD:
        gw_pack_number(out, *(const enum gw_method *)at);
        break;
    case SNAPSHOT_CREDENTIAL:
        gw_pack_number(out, *(const enum gw_credential *)at);
        break;
    case SNAPSHOT_ORIGIN:
        pack_origin(out, at, links);
        break;
    case SNAPSHOT_CLUSTER:
        gw_pack_number(
            out, links->cluster_number(links->context, *(const struct gw_cluster *const *)at));
        break;
    case SNAPSHOT_CORS:
        gw_pack_number(out, links->cors_number(links->context, *(const struct gw_cors *const *)at));
        break;
    case SNAPSHOT_IDENTITY:
        gw_pack_number(
            out, links->identity_number(links->context, *(const struct gw_identity *const *)at));
        break;
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_LIST:
        pack_list(out, f, object, links);
        break;
    }
}

static void pack_object(struct buf *out, const struct snapshot_schema *schema, const void *object,
                        const struct gw_pack_links *links)
{
    for (size_t i = 0; i < schema->n_fields; i++)
        pack_value(out, &schema->fields[i], object, links);
}

void gw_pack(struct buf *out, enum gw_pack_kind kind, const void *object,
             const struct gw_pack_links *links)
{
    pack_object(out, schemas[kind], object, links);
}

/* --- unpacking -------------------------------------------------------------------------------- */

struct unpack {
    struct slice *in;
    const struct gw_pack_links *links;
    struct arena *arena;
};

static int unpack_unsigned(struct unpack *u, unsigned *out)
{
    uint64_t n = 0;
    int rc = unpack_number(u->in, UINT_MAX, &n);

    *out = (unsigned)n;
    return rc;
}

/* A number from 1 in *out; 0 = NULL. */
static int unpack_link(struct unpack *u, uint32_t *out)
{
    uint64_t n = 0;
    int rc = unpack_number(u->in, UINT32_MAX, &n);

    *out = (uint32_t)n;
    return rc;
}

static int unpack_origin(struct unpack *u, struct place *out)
{
    uint32_t number = 0;

    if (unpack_link(u, &number) != CC_OK || unpack_unsigned(u, &out->line) != CC_OK ||
        unpack_unsigned(u, &out->col) != CC_OK)
        return CC_EPARSE;
    out->source = number > 0 ? u->links->source(u->links->context, number) : NULL;
    return (number > 0) == (out->source != NULL) ? CC_OK : CC_EPARSE;
}

static int unpack_cluster(struct unpack *u, const struct gw_cluster **out)
{
    uint32_t number = 0;

    if (unpack_link(u, &number) != CC_OK)
        return CC_EPARSE;
    return number == 0 || u->links->cluster(u->links->context, number, out) ? CC_OK : CC_EPARSE;
}

static int unpack_identity(struct unpack *u, const struct gw_identity **out)
{
    uint32_t number = 0;

    if (unpack_link(u, &number) != CC_OK)
        return CC_EPARSE;
    return number == 0 || u->links->identity(u->links->context, number, out) ? CC_OK : CC_EPARSE;
}

static int unpack_cors(struct unpack *u, const struct gw_cors **out)
{
    uint32_t number = 0;

    if (unpack_link(u, &number) != CC_OK)
        return CC_EPARSE;
    *out = number > 0 ? u->links->cors(u->links->context, number) : NULL;
    return (number > 0) == (*out != NULL) ? CC_OK : CC_EPARSE;
}

static int unpack_object(struct unpack *u, const struct snapshot_schema *schema, char *object);

static int unpack_text(struct unpack *u, const struct snapshot_field *f, struct slice *out)
{
    int rc = gw_unpack_text(u->in, out);

    return rc == CC_OK && u->links->strict && f->fault != NULL && f->fault(*out) != NULL ? CC_EPARSE
                                                                                         : rc;
}

static int unpack_list(struct unpack *u, const struct snapshot_field *f, char *object)
{
    size_t size = f->type == SNAPSHOT_TEXTS ? sizeof(struct slice) : f->of->size;
    char *first = NULL;
    uint64_t n = 0;
    int rc = unpack_number(u->in, u->in->n, &n); /* an element takes a byte at least */

    if (rc == CC_OK && n > 0) {
        first = arena_array(u->arena, (size_t)n, size);
        rc = first != NULL ? CC_OK : CC_ENOMEM;
    }
    for (size_t i = 0; rc == CC_OK && i < n; i++)
        rc = f->type == SNAPSHOT_TEXTS
                 ? unpack_text(u, f, (struct slice *)(void *)(first + i * size))
                 : unpack_object(u, f->of, first + i * size);
    if (rc == CC_OK) {
        size_t count = (size_t)n;

        memcpy(object + f->offset, &first, sizeof(first));
        memcpy(object + f->count_offset, &count, sizeof(count));
    }
    return rc;
}

static int unpack_number_into(struct unpack *u, const struct snapshot_field *f, void *at)
{
    uint64_t n = 0;
    uint64_t max = f->type == SNAPSHOT_BOOL         ? 1
                   : f->type == SNAPSHOT_METHOD     ? GW_METHOD_COUNT - 1
                   : f->type == SNAPSHOT_CREDENTIAL ? GW_CREDENTIAL_COUNT - 1
                   : f->type == SNAPSHOT_ENUM       ? f->max
                                                    : UINT64_MAX;
    int rc = unpack_number(u->in, max, &n);

    if (rc != CC_OK)
        return rc;
    if (f->type == SNAPSHOT_BOOL)
        *(bool *)at = n != 0;
    else if (f->type == SNAPSHOT_METHOD)
        *(enum gw_method *)at = (enum gw_method)n;
    else if (f->type == SNAPSHOT_CREDENTIAL)
        *(enum gw_credential *)at = (enum gw_credential)n;
    else if (f->type == SNAPSHOT_ENUM)
        *(unsigned *)at = (unsigned)n;
    else
        memcpy(at, &n, sizeof(n)); /* int64_t or uint64_t */
    return CC_OK;
}

static int unpack_value(struct unpack *u, const struct snapshot_field *f, char *object)
{
    void *at = object + f->offset;
    struct slice text;
    int rc;

    switch (f->type) {
    case SNAPSHOT_TEXT:
        return unpack_text(u, f, at);
    case SNAPSHOT_C_STRING:
        rc = unpack_text(u, f, &text);
        *(const char **)at = rc == CC_OK ? text.p : NULL;
        return rc;
    case SNAPSHOT_BOOL:
    case SNAPSHOT_METHOD:
    case SNAPSHOT_CREDENTIAL:
    case SNAPSHOT_ENUM:
    case SNAPSHOT_INT:
        return unpack_number_into(u, f, at);
    case SNAPSHOT_UNSIGNED:
    case SNAPSHOT_ALGORITHMS:
        return unpack_unsigned(u, at);
    case SNAPSHOT_ORIGIN:
        return unpack_origin(u, at);
    case SNAPSHOT_CLUSTER:
        return unpack_cluster(u, at);
    case SNAPSHOT_CORS:
        return unpack_cors(u, at);
    case SNAPSHOT_IDENTITY:
        return unpack_identity(u, at);
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_LIST:
        return unpack_list(u, f, object);
    }
    return CC_EPARSE;
}

static int unpack_object(struct unpack *u, const struct snapshot_schema *schema, char *object)
{
    int rc = CC_OK;

    for (size_t i = 0; rc == CC_OK && i < schema->n_fields; i++)
        rc = unpack_value(u, &schema->fields[i], object);
    return rc == CC_OK && u->links->strict && schema->fault != NULL && schema->fault(object) != NULL
               ? CC_EPARSE
               : rc;
}

int gw_unpack(struct slice *in, enum gw_pack_kind kind, void *object,
              const struct gw_pack_links *links, struct arena *arena)
{
    struct unpack u = {in, links, arena};

    memset(object, 0, schemas[kind]->size);
    return unpack_object(&u, schemas[kind], object);
}
