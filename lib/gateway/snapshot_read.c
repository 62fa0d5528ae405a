/* The reader: walks the schema's tables over the lines of a snapshot, and puts what it takes off a
 * line into the arena at once, with equal texts stored once. */
#include "crypto/crypto.h"
#include "gateway/intern.h"
#include "gateway/snapshot.h"
#include "gateway/snapshot_json.h"
#include "gateway/snapshot_schema.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

struct gw_snapshot {
    atomic_uint references;
    struct arena *arena; /* the model, and the sources that its origins name */
    struct gw_model *model;
    struct gw_route_table *routes;
    char hash[SNAPSHOT_HASH_HEX + 1];
};

enum { TRAIL_MAX = 16 };

struct reader {
    const char *name; /* of the file, for findings */
    struct diag *diag;
    struct slice rest; /* what was not read yet */
    unsigned line;     /* number of the line at hand */
    struct snapshot_json json; /* what was not taken off it yet */
    struct arena *arena;
    struct intern texts;
    struct intern clusters; /* names, numbered as in `first_cluster` */
    const struct gw_cluster *first_cluster;
    const struct gw_cors *cors;
    size_t n_cors;
    const struct gw_identity *identities;
    size_t n_identities;
    const struct source *files;
    size_t n_files;
    /* where in the line, for findings: "resources", [2], "operations", [0], ... */
    struct {
        const char *name;
        size_t index;
    } trail[TRAIL_MAX];
    size_t depth;
};

/* Adds a finding about the line at hand and the value that the trail leads to. */
static int refuse(struct reader *r, const char *what)
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

static int out_of_memory(struct reader *r)
{
    refuse(r, "there is not enough memory to read it");
    return CC_ENOMEM;
}

static void enter(struct reader *r, const char *name, size_t index)
{
    CC_ASSERT(r->depth < TRAIL_MAX);
    r->trail[r->depth].name = name;
    r->trail[r->depth++].index = index;
}

static void leave(struct reader *r)
{
    r->depth--;
}

/* Values. Each takes one off the line and puts it into a member. */

static int not_json(struct reader *r)
{
    return refuse(r, "it is not valid JSON");
}

/* Takes a byte that JSON demands here. */
static int need(struct reader *r, char c)
{
    return snapshot_json_take(&r->json, c) ? CC_OK : not_json(r);
}

/* `otherwise` is what is wrong with anything that is not text. */
static int take_text(struct reader *r, const char *otherwise, struct slice *out)
{
    int rc = snapshot_json_text(&r->json, out);

    if (rc == CC_OK)
        return CC_OK;
    return rc == CC_ENOENT ? refuse(r, otherwise) : rc == CC_EPARSE ? not_json(r) : out_of_memory(r);
}

static int read_slice(struct reader *r, const char *(*fault)(struct slice), struct slice *out)
{
    struct slice s = SLICE_NONE;
    const char *said;
    uint32_t number;
    int rc = take_text(r, "it is not text", &s);

    if (rc != CC_OK)
        return rc;
    said = fault != NULL ? fault(s) : NULL;
    if (said != NULL)
        return refuse(r, said);
    if (intern_put(&r->texts, s, r->arena, &number) != CC_OK)
        return out_of_memory(r);
    *out = r->texts.texts[number];
    return CC_OK;
}

/* The arena's array for the elements of a list, which is read up to the first of them. */
static int begin_list(struct reader *r, size_t size, char **first, size_t *n)
{
    *first = NULL;
    if (!snapshot_json_list(&r->json, n))
        return refuse(r, "it is not a list");
    if (*n == 0)
        return CC_OK;
    *first = arena_array(r->arena, *n, size);
    return *first != NULL ? CC_OK : out_of_memory(r);
}

/* What stands before element i, or, when i is n, behind the last one. */
static int between(struct reader *r, size_t i, size_t n)
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

static int read_texts(struct reader *r, const struct snapshot_field *f, char *object)
{
    char *first;
    size_t n = 0;
    int rc = begin_list(r, sizeof(struct slice), &first, &n);

    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        enter(r, NULL, i);
        rc = between(r, i, n);
        if (rc == CC_OK)
            rc = read_slice(r, f->fault,
                            (struct slice *)(void *)(first + i * sizeof(struct slice)));
        leave(r);
    }
    if (rc == CC_OK)
        rc = between(r, n, n);
    if (rc == CC_OK)
        put_list(f, object, first, n);
    return rc;
}

static int read_integer(struct reader *r, uint64_t min, uint64_t max, uint64_t *out)
{
    int rc = snapshot_json_number(&r->json, out);

    if (rc == CC_ENOENT)
        return refuse(r, "it is not a whole number");
    return rc == CC_OK && *out >= min && *out <= max ? CC_OK : refuse(r, "it is out of range");
}

static int read_unsigned(struct reader *r, uint64_t min, uint64_t max, unsigned *out)
{
    uint64_t value = 0;
    int rc = read_integer(r, min, max < UINT_MAX ? max : UINT_MAX, &value);

    *out = (unsigned)value;
    return rc;
}

static int read_bool(struct reader *r, bool *out)
{
    *out = snapshot_json_word(&r->json, SLICE("true"));
    if (!*out && !snapshot_json_word(&r->json, SLICE("false")))
        return refuse(r, "it is neither true nor false");
    return CC_OK;
}

static int read_method(struct reader *r, enum gw_method *out)
{
    struct slice s = SLICE_NONE;
    int rc = take_text(r, "it is not a method", &s);

    if (rc != CC_OK)
        return rc;
    *out = gw_method_parse(s);
    return *out != GW_METHOD_COUNT ? CC_OK : refuse(r, "it is not a method");
}

static int read_credential(struct reader *r, enum gw_credential *out)
{
    struct slice s = SLICE_NONE;
    int rc = take_text(r, "it is not a kind of credential", &s);

    if (rc != CC_OK)
        return rc;
    *out = gw_credential_parse(s);
    return *out != GW_CREDENTIAL_COUNT ? CC_OK : refuse(r, "it is not a kind of credential");
}

static int read_enum(struct reader *r, const struct snapshot_field *f, unsigned *out)
{
    struct slice s = SLICE_NONE;
    int rc = take_text(r, "it is none of the words that it can be", &s);

    if (rc != CC_OK)
        return rc;
    *out = snapshot_enum_parse(f, s);
    return *out <= f->max ? CC_OK : refuse(r, "it is none of the words that it can be");
}

static int read_algorithms(struct reader *r, unsigned *out)
{
    size_t n = 0;
    int rc = snapshot_json_list(&r->json, &n) ? CC_OK : refuse(r, "it is not a list");

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
            return refuse(r, "it names an unknown algorithm");
        *out |= 1u << alg;
    }
    return rc == CC_OK ? between(r, n, n) : rc;
}

static int read_origin(struct reader *r, struct place *out)
{
    unsigned file = 0;
    size_t n = 0;
    int rc;

    if (snapshot_json_word(&r->json, SLICE("null")))
        return CC_OK;
    if (!snapshot_json_list(&r->json, &n) || n != 3)
        return refuse(r, "it is neither [file,line,column] nor null");
    if (r->n_files == 0)
        return refuse(r, "it names a file, but there are none");
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

static int read_cluster(struct reader *r, const struct gw_cluster **out)
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
        return refuse(r, "it names no cluster of this snapshot");
    *out = &r->first_cluster[number];
    return CC_OK;
}

/* A number below n, or null, which leaves *out as it is; *out is set to false then. */
static int read_index(struct reader *r, size_t n, const char *none, unsigned *number, bool *out)
{
    *out = !snapshot_json_word(&r->json, SLICE("null"));
    if (!*out)
        return CC_OK;
    return n > 0 ? read_unsigned(r, 0, n - 1, number) : refuse(r, none);
}

static int read_cors(struct reader *r, const struct gw_cors **out)
{
    unsigned number = 0;
    bool some;
    int rc = read_index(r, r->n_cors, "it names a CORS policy, but there are none", &number, &some);

    if (rc == CC_OK && some)
        *out = &r->cors[number];
    return rc;
}

static int read_identity(struct reader *r, const struct gw_identity **out)
{
    unsigned number = 0;
    bool some;
    int rc = read_index(r, r->n_identities, "it names an identity, but there are none", &number,
                        &some);

    if (rc == CC_OK && some)
        *out = &r->identities[number];
    return rc;
}

static int read_c_string(struct reader *r, const struct snapshot_field *f, const char **out)
{
    struct slice s = SLICE_NONE;
    int rc = read_slice(r, f->fault, &s);

    *out = s.p; /* the arena ends texts with a NUL, and JSON here has none inside */
    return rc;
}

static int read_object(struct reader *r, const struct snapshot_schema *schema, char *object);

static int read_list(struct reader *r, const struct snapshot_field *f, char *object)
{
    char *first;
    size_t n = 0;
    int rc = begin_list(r, f->of->size, &first, &n);

    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        enter(r, NULL, i);
        rc = between(r, i, n);
        if (rc == CC_OK)
            rc = read_object(r, f->of, first + i * f->of->size);
        leave(r);
    }
    if (rc == CC_OK)
        rc = between(r, n, n);
    if (rc == CC_OK)
        put_list(f, object, first, n);
    return rc;
}

static int read_value(struct reader *r, const struct snapshot_field *f, char *object)
{
    void *at = object + f->offset;

    switch (f->type) {
    case SNAPSHOT_TEXT:
        return read_slice(r, f->fault, at);
    case SNAPSHOT_TEXTS:
        return read_texts(r, f, object);
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
    case SNAPSHOT_LIST:
        return read_list(r, f, object);
    }
    return refuse(r, "its type is unknown");
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
static int read_member(struct reader *r, const struct snapshot_schema *schema, size_t *hint,
                       uint64_t *seen, char *object)
{
    struct slice name = SLICE_NONE;
    size_t i;
    int rc = snapshot_json_text(&r->json, &name);

    if (rc == CC_ENOMEM)
        return out_of_memory(r);
    if (rc != CC_OK || !snapshot_json_take(&r->json, ':'))
        return not_json(r);
    i = find_field(schema, name, *hint);
    if (i == schema->n_fields)
        return refuse(r, "there is a member that this schema does not have");
    enter(r, schema->fields[i].name, 0);
    rc = (*seen >> i & 1) != 0 ? refuse(r, "it is there twice")
                               : read_value(r, &schema->fields[i], object);
    leave(r);
    *seen |= UINT64_C(1) << i;
    *hint = i + 1;
    return rc;
}

/* A member that is not there is what zeroed memory says: nothing. Where that cannot be, it is
 * missing. */
static int read_absent(struct reader *r, const struct snapshot_schema *schema, uint64_t seen,
                       char *object)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct snapshot_field *f = &schema->fields[i];
        int rc = CC_OK;

        if ((seen >> i & 1) != 0)
            continue;
        enter(r, f->name, 0);
        if (schema->whole || !snapshot_may_be_absent(f))
            rc = refuse(r, "it is missing");
        leave(r);
        if (rc != CC_OK)
            return rc;
        if (f->type == SNAPSHOT_TEXT)
            *(struct slice *)(void *)(object + f->offset) = SLICE("");
    }
    return CC_OK;
}

static int read_object(struct reader *r, const struct snapshot_schema *schema, char *object)
{
    size_t hint = 0;
    uint64_t seen = 0;
    const char *said;
    int rc = CC_OK;

    CC_ASSERT(schema->n_fields <= 64);
    if (!snapshot_json_take(&r->json, '{'))
        return refuse(r, "it is not an object");
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
    return said != NULL ? refuse(r, said) : CC_OK;
}

/* Lines. */

static int next_line(struct reader *r, struct slice *line)
{
    ptrdiff_t n = slice_find(r->rest, '\n');

    r->line++;
    if (n < 0 || r->rest.p == NULL)
        return refuse(r, "the snapshot is cut short");
    if (n > SNAPSHOT_MAX_LINE)
        return refuse(r, "the line is too long");
    *line = slice_first(r->rest, (size_t)n);
    r->rest = slice_from(r->rest, (size_t)n + 1);
    return CC_OK;
}

static int parse_object(struct reader *r, const struct snapshot_schema *schema, struct slice text,
                        char *object)
{
    int rc = snapshot_json_begin(&r->json, text);

    if (rc != CC_OK)
        return rc == CC_ENOMEM ? out_of_memory(r) : not_json(r);
    rc = read_object(r, schema, object);
    return rc == CC_OK && r->json.rest.n > 0 ? not_json(r) : rc;
}

/* A line of members, "name":value,..., with a comma at its end. */
static int read_members(struct reader *r, const struct snapshot_schema *schema, void *object)
{
    struct buf text;
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    if (rc != CC_OK)
        return rc;
    if (!slice_ends(line, SLICE(",")))
        return refuse(r, "a comma is missing at the end of the line");
    buf_init(&text, SNAPSHOT_MAX_LINE + 2);
    buf_add_char(&text, '{');
    buf_add(&text, slice_first(line, line.n - 1));
    buf_add_char(&text, '}');
    rc = buf_error(&text) == CC_OK ? parse_object(r, schema, buf_slice(&text), object)
                                   : out_of_memory(r);
    buf_free(&text);
    return rc;
}

/* Lines up to the one that ends the section. */
static size_t count_elements(struct slice rest)
{
    size_t n = 0;
    ptrdiff_t end;

    while (rest.n > 0 && rest.p[0] != ']' && (end = slice_find(rest, '\n')) >= 0) {
        rest = slice_from(rest, (size_t)end + 1);
        n++;
    }
    return n;
}

static int read_element(struct reader *r, const struct snapshot_schema *schema, bool last,
                        char *object)
{
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    if (rc != CC_OK)
        return rc;
    if (slice_ends(line, SLICE(",")) == last)
        return refuse(r, last ? "there is a comma after the last element"
                              : "a comma is missing at the end of the line");
    return parse_object(r, schema, slice_first(line, line.n - !last), object);
}

/* "name":[, one element a line, and `end`. */
static int read_section(struct reader *r, const char *name, const struct snapshot_schema *schema,
                        const char *end, void *array, size_t *count)
{
    size_t n = 0;
    char *first = NULL, room[32];
    struct buf begin;
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    buf_init_fixed(&begin, room, sizeof(room));
    buf_printf(&begin, "\"%s\":[", name);
    if (rc == CC_OK && !slice_eq(line, buf_slice(&begin))) {
        enter(r, name, 0);
        rc = refuse(r, "this section does not begin here");
        leave(r);
    }
    if (rc == CC_OK)
        n = count_elements(r->rest);
    if (n > 0) {
        first = arena_array(r->arena, n, schema->size);
        rc = first != NULL ? CC_OK : out_of_memory(r);
    }
    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        enter(r, name, 0);
        enter(r, NULL, i);
        rc = read_element(r, schema, i + 1 == n, first + i * schema->size);
        leave(r);
        leave(r);
    }
    if (rc == CC_OK)
        rc = next_line(r, &line);
    if (rc == CC_OK && !slice_is(line, end))
        rc = refuse(r, "the section does not end as it should");
    memcpy(array, &first, sizeof(first));
    *count = n;
    return rc;
}

/* The names of the clusters, for what refers to them. */
static int index_clusters(struct reader *r, const struct gw_model *m)
{
    r->first_cluster = m->clusters;
    for (size_t i = 0; i < m->n_clusters; i++) {
        uint32_t number;

        if (intern_put(&r->clusters, m->clusters[i].name, NULL, &number) != CC_OK)
            return out_of_memory(r);
        if (number != i)
            return refuse(r, "two clusters have the same name");
    }
    return CC_OK;
}

/* They are looked up by halving. */
static int check_policies(struct reader *r, const struct gw_model *m)
{
    for (size_t i = 1; i < m->n_policies; i++) {
        const struct gw_policy *a = &m->policies[i - 1], *b = &m->policies[i];

        if (a->level > b->level || (a->level == b->level && slice_cmp(a->name, b->name) >= 0))
            return refuse(r, "policies are not in order or not unique");
    }
    return CC_OK;
}

static int read_schema_line(struct reader *r)
{
    struct slice line = SLICE_NONE, number;
    const struct slice head = SLICE("{\"schema\":");
    uint64_t schema;
    int rc = next_line(r, &line);

    if (rc != CC_OK)
        return rc;
    number = slice_first(slice_from(line, head.n), line.n - head.n - 1);
    if (!slice_starts(line, head) || !slice_ends(line, SLICE(",")) ||
        slice_to_u64(number, &schema) != CC_OK)
        return refuse(r, "this is not a snapshot that cc-gen wrote");
    if (schema == GW_SCHEMA)
        return CC_OK;
    diag_help(diag_error(r->diag, CC6001, PLACE_NONE,
                         "%s has schema %llu; this program reads schema %d", r->name,
                         (unsigned long long)schema, GW_SCHEMA),
              "build it again with the cc-gen of this version");
    return CC_EVERSION;
}

/* "name":"SHA-256 of `text`", */
static int read_hash_line(struct reader *r, const char *name, struct slice text,
                          char hex[SNAPSHOT_HASH_HEX + 1])
{
    char want[SNAPSHOT_HASH_HEX + 32];
    struct buf b;
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    if (rc == CC_OK)
        rc = crypto_sha256_hex(text, hex);
    if (rc != CC_OK)
        return rc;
    buf_init_fixed(&b, want, sizeof(want));
    buf_printf(&b, "\"%s\":\"%s\",", name, hex);
    if (!slice_eq(line, buf_slice(&b)))
        return refuse(r, "the hash does not match what follows; the snapshot is damaged, or was "
                         "changed by hand");
    return CC_OK;
}

/* What the first hash covers: the two lines behind its own, the second of which is the hash of all
 * the rest. */
static struct slice hashed_lines(struct slice rest)
{
    struct slice from = slice_from(rest, (size_t)(slice_find(rest, '\n') + 1)), text = from;

    for (unsigned i = 0; i < 2; i++)
        text = slice_from(text, (size_t)(slice_find(text, '\n') + 1));
    return slice_first(from, from.n - text.n);
}

/* What the second one covers: all behind its line. */
static struct slice behind_line(struct slice rest)
{
    return slice_from(rest, (size_t)(slice_find(rest, '\n') + 1));
}

static int read_all(struct reader *r, struct gw_snapshot *s)
{
    struct gw_model *m = s->model;
    char hash[SNAPSHOT_HASH_HEX + 1];
    int rc = read_schema_line(r);

    if (rc == CC_OK)
        rc = read_hash_line(r, "hash", hashed_lines(r->rest), hash);
    if (rc == CC_OK)
        rc = read_members(r, &snapshot_generations, m);
    if (rc == CC_OK)
        rc = read_hash_line(r, "content", behind_line(r->rest), s->hash);
    if (rc == CC_OK)
        rc = read_members(r, &snapshot_settings, m);
    if (rc == CC_OK)
        rc = read_section(r, "files", &snapshot_file, "],", &r->files, &r->n_files);
    if (rc == CC_OK)
        rc = read_section(r, "issuers", &snapshot_issuer, "],", &m->issuers, &m->n_issuers);
    if (rc == CC_OK)
        rc = read_section(r, "clusters", &snapshot_cluster, "],", &m->clusters, &m->n_clusters);
    if (rc == CC_OK)
        rc = index_clusters(r, m);
    if (rc == CC_OK)
        rc = read_section(r, "cors", &snapshot_cors, "],", &m->cors, &m->n_cors);
    r->cors = m->cors;
    r->n_cors = m->n_cors;
    if (rc == CC_OK)
        rc = read_section(r, "identities", &snapshot_identity, "],", &m->identities,
                          &m->n_identities);
    r->identities = m->identities;
    r->n_identities = m->n_identities;
    if (rc == CC_OK)
        rc = read_section(r, "policies", &snapshot_policy, "],", &m->policies, &m->n_policies);
    if (rc == CC_OK)
        rc = read_section(r, "deny_rules", &snapshot_deny_rule, "],", &m->deny_rules,
                          &m->n_deny_rules);
    if (rc == CC_OK)
        rc = check_policies(r, m);
    if (rc == CC_OK)
        rc = read_section(r, "apis", &snapshot_api, "]}", &m->apis, &m->n_apis);
    if (rc == CC_OK && r->rest.n > 0)
        rc = refuse(r, "something follows the end of the snapshot");
    return rc;
}

/* The route table checks base paths and templates. Its findings have places in the model, which
 * does not outlive a refusal; they are told again as text. */
static int build_routes(struct reader *r, struct gw_snapshot *s)
{
    struct diag *diag = diag_new();
    struct diag_view view;
    int rc;

    if (diag == NULL)
        return out_of_memory(r);
    rc = gw_route_table_new(&s->routes, s->model, diag);
    for (size_t i = 0; diag_get(diag, i, &view); i++)
        diag_error(r->diag, CC6001, PLACE_NONE, "%s: %s: %" PRIslice, r->name,
                   diag_code_name(view.code), SLICE_ARG(view.message));
    diag_free(&diag);
    return rc == CC_ENOMEM ? out_of_memory(r) : rc;
}

static void snapshot_free(struct gw_snapshot *s)
{
    if (s == NULL)
        return;
    gw_route_table_free(&s->routes);
    arena_free(&s->arena);
    free(s);
}

/* The model takes less than this times the text that it was read from: the worst are texts of one
 * character, 4 bytes of JSON that become a slice of 16 and a copy of 16, and examples without name and
 * body, 3 bytes that become 32. */
enum { ARENA_PER_BYTE = 16, ARENA_BASE = 65536 };

int gw_snapshot_read(struct gw_snapshot **out, struct slice text, const char *name,
                     struct diag *diag)
{
    struct gw_snapshot *s = calloc(1, sizeof(*s));
    struct reader r = {.name = name, .diag = diag, .rest = text};
    int rc = CC_ENOMEM;

    if (text.n > GW_SNAPSHOT_MAX_BYTES) {
        rc = refuse(&r, "the snapshot is larger than 256 MiB");
        goto out;
    }
    if (s == NULL)
        goto out;
    atomic_init(&s->references, 1);
    snapshot_json_init(&r.json, SNAPSHOT_MAX_LINE);
    s->arena = arena_new(text.n * ARENA_PER_BYTE + ARENA_BASE);
    if (s->arena == NULL)
        goto out;
    r.arena = s->arena;
    s->model = arena_alloc(s->arena, sizeof(*s->model));
    if (s->model == NULL)
        goto out;
    rc = read_all(&r, s);
    if (rc == CC_OK)
        rc = build_routes(&r, s);
    if (rc != CC_OK)
        goto out;
    *out = s;
    s = NULL;
out:
    snapshot_free(s);
    snapshot_json_free(&r.json);
    intern_free(&r.texts);
    intern_free(&r.clusters);
    return rc;
}

struct gw_snapshot *gw_snapshot_ref(struct gw_snapshot *s)
{
    /* Relaxed: who takes a reference holds one, so the count cannot reach 0 meanwhile. */
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void gw_snapshot_unref(struct gw_snapshot **s)
{
    if (s == NULL || *s == NULL)
        return;
    /* Release: all that this holder read is done before; acquire: before the last one frees it. */
    if (atomic_fetch_sub_explicit(&(*s)->references, 1, memory_order_acq_rel) == 1)
        snapshot_free(*s);
    *s = NULL;
}

const struct gw_model *gw_snapshot_model(const struct gw_snapshot *s)
{
    return s->model;
}

const struct gw_route_table *gw_snapshot_routes(const struct gw_snapshot *s)
{
    return s->routes;
}

const char *gw_snapshot_hash(const struct gw_snapshot *s)
{
    return s->hash;
}
