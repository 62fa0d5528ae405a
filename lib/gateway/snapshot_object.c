/* Objects of a snapshot: walks the schema's tables over the line, and puts what it takes off it
 * into the arena at once, with equal texts stored once. */
#include "crypto/crypto.h"
#include "gateway/snapshot_reader.h"

#include <limits.h>

int snapshot_refuse(struct snapshot_reader *r, const char *what)
{
    char room[256];
    struct buf where;

    buf_init_fixed(&where, room, sizeof(room));
    for (size_t i = 0; i < r->depth; i++) {
        if (r->trail[i].name != NULL)
            buf_printf(&where, "%s%s", i > 0 ? "." : "", r->trail[i].name);
        else
            buf_printf(&where, "[%zu]", r->trail[i].index);
    }
    diag_error(r->diag, CC6001, PLACE_NONE, "%s, line %u: %s%s%s", r->name, r->line,
               r->depth > 0 ? room : "", r->depth > 0 ? ": " : "", what);
    return CC_EREFUSED;
}

int snapshot_no_memory(struct snapshot_reader *r)
{
    snapshot_refuse(r, "there is not enough memory to read it");
    return CC_ENOMEM;
}

void snapshot_enter(struct snapshot_reader *r, const char *name, size_t index)
{
    CC_ASSERT(r->depth < SNAPSHOT_TRAIL_MAX);
    r->trail[r->depth].name = name;
    r->trail[r->depth++].index = index;
}

void snapshot_leave(struct snapshot_reader *r)
{
    r->depth--;
}

int snapshot_not_json(struct snapshot_reader *r)
{
    return snapshot_refuse(r, "it is not valid JSON");
}

/* Values. Each takes one off the line and puts it into a member. */

/* Takes a byte that JSON demands here. */
static int need(struct snapshot_reader *r, char c)
{
    return snapshot_json_take(&r->json, c) ? CC_OK : snapshot_not_json(r);
}

/* `otherwise` is what is wrong with anything that is not text. */
static int take_text(struct snapshot_reader *r, const char *otherwise, struct slice *out)
{
    int rc = snapshot_json_text(&r->json, out);

    if (rc == CC_OK)
        return CC_OK;
    return rc == CC_ENOENT   ? snapshot_refuse(r, otherwise)
           : rc == CC_EPARSE ? snapshot_not_json(r)
                             : snapshot_no_memory(r);
}

static int read_slice(struct snapshot_reader *r, const char *(*fault)(struct slice),
                      struct slice *out)
{
    struct slice s = SLICE_NONE;
    const char *said;
    uint32_t number;
    int rc = take_text(r, "it is not text", &s);

    if (rc != CC_OK)
        return rc;
    said = fault != NULL ? fault(s) : NULL;
    if (said != NULL)
        return snapshot_refuse(r, said);
    if (intern_put(&r->texts, s, r->arena, &number) != CC_OK)
        return snapshot_no_memory(r);
    *out = r->texts.texts[number];
    return CC_OK;
}

/* The arena's array for the elements of a list, which is read up to the first of them. */
static int begin_list(struct snapshot_reader *r, size_t size, char **first, size_t *n)
{
    *first = NULL;
    if (!snapshot_json_list(&r->json, n))
        return snapshot_refuse(r, "it is not a list");
    if (*n == 0)
        return CC_OK;
    *first = arena_array(r->arena, *n, size);
    return *first != NULL ? CC_OK : snapshot_no_memory(r);
}

/* What stands before element i, or, when i is n, behind the last one. */
static int between(struct snapshot_reader *r, size_t i, size_t n)
{
    if (i == n)
        return need(r, ']');
    return i > 0 ? need(r, ',') : CC_OK;
}

static void put_list(const struct snapshot_field *f, char *object, const char *first, size_t n)
{
    memcpy(object + f->offset, &first, sizeof(first));
    memcpy(object + f->count_offset, &n, sizeof(n));
}

static int read_integer(struct snapshot_reader *r, uint64_t min, uint64_t max, uint64_t *out)
{
    int rc = snapshot_json_number(&r->json, out);

    if (rc == CC_ENOENT)
        return snapshot_refuse(r, "it is not a whole number");
    return rc == CC_OK && *out >= min && *out <= max ? CC_OK
                                                     : snapshot_refuse(r, "it is out of range");
}

static int read_unsigned(struct snapshot_reader *r, uint64_t min, uint64_t max, unsigned *out)
{
    uint64_t value = 0;
    int rc = read_integer(r, min, max < UINT_MAX ? max : UINT_MAX, &value);

    *out = (unsigned)value;
    return rc;
}

static int read_bool(struct snapshot_reader *r, bool *out)
{
    *out = snapshot_json_word(&r->json, SLICE("true"));
    if (!*out && !snapshot_json_word(&r->json, SLICE("false")))
        return snapshot_refuse(r, "it is neither true nor false");
    return CC_OK;
}

static int read_method(struct snapshot_reader *r, enum gw_method *out)
{
    struct slice s = SLICE_NONE;
    int rc = take_text(r, "it is not a method", &s);

    if (rc != CC_OK)
        return rc;
    *out = gw_method_parse(s);
    return *out != GW_METHOD_COUNT ? CC_OK : snapshot_refuse(r, "it is not a method");
}

static int read_credential(struct snapshot_reader *r, enum gw_credential *out)
{
    struct slice s = SLICE_NONE;
    int rc = take_text(r, "it is not a kind of credential", &s);

    if (rc != CC_OK)
        return rc;
    *out = gw_credential_parse(s);
    return *out != GW_CREDENTIAL_COUNT ? CC_OK
                                       : snapshot_refuse(r, "it is not a kind of credential");
}

static int read_enum(struct snapshot_reader *r, const struct snapshot_field *f, unsigned *out)
{
    struct slice s = SLICE_NONE;
    int rc = take_text(r, "it is none of the words that it can be", &s);

    if (rc != CC_OK)
        return rc;
    *out = snapshot_enum_parse(f, s);
    return *out <= f->max ? CC_OK : snapshot_refuse(r, "it is none of the words that it can be");
}

static int read_algorithms(struct snapshot_reader *r, unsigned *out)
{
    size_t n = 0;
    int rc = snapshot_json_list(&r->json, &n) ? CC_OK : snapshot_refuse(r, "it is not a list");

    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        struct slice name = SLICE_NONE;
        enum jwt_alg alg;

        rc = between(r, i, n);
        if (rc == CC_OK)
            rc = take_text(r, "it names an unknown algorithm", &name);
        if (rc != CC_OK)
            return rc;
        alg = jwt_alg_parse(name);
        if (alg == JWT_ALG_COUNT)
            return snapshot_refuse(r, "it names an unknown algorithm");
        *out |= 1u << alg;
    }
    return rc == CC_OK ? between(r, n, n) : rc;
}

static int read_origin(struct snapshot_reader *r, struct place *out)
{
    unsigned file = 0;
    size_t n = 0;
    int rc;

    if (snapshot_json_word(&r->json, SLICE("null")))
        return CC_OK;
    if (!snapshot_json_list(&r->json, &n) || n != 3)
        return snapshot_refuse(r, "it is neither [file,line,column] nor null");
    if (r->n_files == 0)
        return snapshot_refuse(r, "it names a file, but there are none");
    rc = read_unsigned(r, 0, r->n_files - 1, &file);
    if (rc == CC_OK)
        rc = need(r, ',');
    if (rc == CC_OK)
        rc = read_unsigned(r, 0, UINT_MAX, &out->line);
    if (rc == CC_OK)
        rc = need(r, ',');
    if (rc == CC_OK)
        rc = read_unsigned(r, 0, UINT_MAX, &out->col);
    if (rc == CC_OK)
        rc = need(r, ']');
    if (rc == CC_OK)
        out->source = &r->files[file];
    return rc;
}

static int read_cluster(struct snapshot_reader *r, const struct gw_cluster **out)
{
    struct slice name = SLICE_NONE;
    uint32_t number;
    int rc;

    if (snapshot_json_word(&r->json, SLICE("null")))
        return CC_OK;
    rc = take_text(r, "it names no cluster of this snapshot", &name);
    if (rc != CC_OK)
        return rc;
    if (!intern_find(&r->clusters, name, &number))
        return snapshot_refuse(r, "it names no cluster of this snapshot");
    *out = &r->first_cluster[number];
    return CC_OK;
}

/* A number below n, or null, which leaves *out as it is; *out is set to false then. */
static int read_index(struct snapshot_reader *r, size_t n, const char *none, unsigned *number,
                      bool *out)
{
    *out = !snapshot_json_word(&r->json, SLICE("null"));
    if (!*out)
        return CC_OK;
    return n > 0 ? read_unsigned(r, 0, n - 1, number) : snapshot_refuse(r, none);
}

static int read_cors(struct snapshot_reader *r, const struct gw_cors **out)
{
    unsigned number = 0;
    bool some;
    int rc = read_index(r, r->n_cors, "it names a CORS policy, but there are none", &number, &some);

    if (rc == CC_OK && some)
        *out = &r->cors[number];
    return rc;
}

static int read_identity(struct snapshot_reader *r, const struct gw_identity **out)
{
    unsigned number = 0;
    bool some;
    int rc =
        read_index(r, r->n_identities, "it names an identity, but there are none", &number, &some);

    if (rc == CC_OK && some)
        *out = &r->identities[number];
    return rc;
}

static int read_c_string(struct snapshot_reader *r, const struct snapshot_field *f,
                         const char **out)
{
    struct slice s = SLICE_NONE;
    int rc = read_slice(r, f->fault, &s);

    *out = s.p; /* the arena ends texts with a NUL, and JSON here has none inside */
    return rc;
}

/* Texts, or objects of a schema. */
static int read_elements(struct snapshot_reader *r, const struct snapshot_field *f, char *object)
{
    bool texts = f->type == SNAPSHOT_TEXTS;
    size_t size = texts ? sizeof(struct slice) : f->of->size, n = 0;
    char *first;
    int rc = begin_list(r, size, &first, &n);

    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        void *element = first + i * size;

        snapshot_enter(r, NULL, i);
        rc = between(r, i, n);
        if (rc == CC_OK)
            rc = texts ? read_slice(r, f->fault, element) : snapshot_read_object(r, f->of, element);
        snapshot_leave(r);
    }
    if (rc == CC_OK)
        rc = between(r, n, n);
    if (rc == CC_OK)
        put_list(f, object, first, n);
    return rc;
}

static int read_value(struct snapshot_reader *r, const struct snapshot_field *f, char *object)
{
    void *at = object + f->offset;

    switch (f->type) {
    case SNAPSHOT_TEXT:
        return read_slice(r, f->fault, at);
    case SNAPSHOT_BOOL:
        return read_bool(r, at);
    case SNAPSHOT_INT:
        return read_integer(r, f->min, f->max, at);
    case SNAPSHOT_UNSIGNED:
        return read_unsigned(r, f->min, f->max, at);
    case SNAPSHOT_METHOD:
        return read_method(r, at);
    case SNAPSHOT_CREDENTIAL:
        return read_credential(r, at);
    case SNAPSHOT_ENUM:
        return read_enum(r, f, at);
    case SNAPSHOT_ALGORITHMS:
        return read_algorithms(r, at);
    case SNAPSHOT_ORIGIN:
        return read_origin(r, at);
    case SNAPSHOT_CLUSTER:
        return read_cluster(r, at);
    case SNAPSHOT_CORS:
        return read_cors(r, at);
    case SNAPSHOT_IDENTITY:
        return read_identity(r, at);
    case SNAPSHOT_C_STRING:
        return read_c_string(r, f, at);
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_LIST:
        return read_elements(r, f, object);
    }
    return snapshot_refuse(r, "its type is unknown");
}

/* The number of the field with this name, most often `hint`; n_fields: there is none. */
static size_t find_field(const struct snapshot_schema *schema, struct slice name, size_t hint)
{
    for (size_t i = hint; i < schema->n_fields; i++) {
        if (slice_is(name, schema->fields[i].name))
            return i;
    }
    for (size_t i = 0; i < hint; i++) {
        if (slice_is(name, schema->fields[i].name))
            return i;
    }
    return schema->n_fields;
}

/* One member. *seen has a bit for each field that there was. */
static int read_member(struct snapshot_reader *r, const struct snapshot_schema *schema,
                       size_t *hint, uint64_t *seen, char *object)
{
    struct slice name = SLICE_NONE;
    size_t i;
    int rc = snapshot_json_text(&r->json, &name);

    if (rc == CC_ENOMEM)
        return snapshot_no_memory(r);
    if (rc != CC_OK || !snapshot_json_take(&r->json, ':'))
        return snapshot_not_json(r);
    i = find_field(schema, name, *hint);
    if (i == schema->n_fields)
        return snapshot_refuse(r, "there is a member that this schema does not have");
    snapshot_enter(r, schema->fields[i].name, 0);
    rc = (*seen >> i & 1) != 0 ? snapshot_refuse(r, "it is there twice")
                               : read_value(r, &schema->fields[i], object);
    snapshot_leave(r);
    *seen |= UINT64_C(1) << i;
    *hint = i + 1;
    return rc;
}

/* A member that is not there is what zeroed memory says: nothing. Where that cannot be, it is
 * missing. */
static int read_absent(struct snapshot_reader *r, const struct snapshot_schema *schema,
                       uint64_t seen, char *object)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct snapshot_field *f = &schema->fields[i];
        int rc = CC_OK;

        if ((seen >> i & 1) != 0)
            continue;
        snapshot_enter(r, f->name, 0);
        if (schema->whole || !snapshot_may_be_absent(f))
            rc = snapshot_refuse(r, "it is missing");
        snapshot_leave(r);
        if (rc != CC_OK)
            return rc;
        if (f->type == SNAPSHOT_TEXT)
            *(struct slice *)(void *)(object + f->offset) = SLICE("");
    }
    return CC_OK;
}

int snapshot_read_object(struct snapshot_reader *r, const struct snapshot_schema *schema,
                         char *object)
{
    size_t hint = 0;
    uint64_t seen = 0;
    const char *said;
    int rc = CC_OK;

    CC_ASSERT(schema->n_fields <= 64);
    if (!snapshot_json_take(&r->json, '{'))
        return snapshot_refuse(r, "it is not an object");
    if (!snapshot_json_take(&r->json, '}')) {
        do
            rc = read_member(r, schema, &hint, &seen, object);
        while (rc == CC_OK && snapshot_json_take(&r->json, ','));
        if (rc == CC_OK)
            rc = need(r, '}');
    }
    if (rc == CC_OK)
        rc = read_absent(r, schema, seen, object);
    if (rc != CC_OK)
        return rc;
    said = schema->fault != NULL ? schema->fault(object) : NULL;
    return said != NULL ? snapshot_refuse(r, said) : CC_OK;
}
