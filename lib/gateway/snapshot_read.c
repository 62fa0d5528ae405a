/* The reader: takes a snapshot apart by lines and sections, and checks hashes and what holds for
 * all of it. */
#include "crypto/crypto.h"
#include "gateway/snapshot.h"
#include "gateway/snapshot_reader.h"

#include <stdatomic.h>
#include <stdlib.h>

struct gw_snapshot {
    atomic_uint references;
    struct arena *arena; /* the model, and the sources that its origins name */
    struct gw_model *model;
    struct gw_route_table *routes;
    char hash[SNAPSHOT_HASH_HEX + 1];
};

/* Lines. */

static int next_line(struct snapshot_reader *r, struct slice *line)
{
    ptrdiff_t n = slice_find(r->rest, '\n');

    r->line++;
    if (n < 0 || r->rest.p == NULL)
        return snapshot_refuse(r, "the snapshot is cut short");
    if (n > SNAPSHOT_MAX_LINE)
        return snapshot_refuse(r, "the line is too long");
    *line = slice_first(r->rest, (size_t)n);
    r->rest = slice_from(r->rest, (size_t)n + 1);
    return CC_OK;
}

static int parse_object(struct snapshot_reader *r, const struct snapshot_schema *schema,
                        struct slice text, char *object)
{
    int rc = snapshot_json_begin(&r->json, text);

    if (rc != CC_OK)
        return rc == CC_ENOMEM ? snapshot_no_memory(r) : snapshot_not_json(r);
    rc = snapshot_read_object(r, schema, object);
    return rc == CC_OK && r->json.rest.n > 0 ? snapshot_not_json(r) : rc;
}

/* A line of members, "name":value,..., with a comma at its end. */
static int read_members(struct snapshot_reader *r, const struct snapshot_schema *schema,
                        void *object)
{
    struct buf text;
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    if (rc != CC_OK)
        return rc;
    if (!slice_ends(line, SLICE(",")))
        return snapshot_refuse(r, "a comma is missing at the end of the line");
    buf_init(&text, SNAPSHOT_MAX_LINE + 2);
    buf_add_char(&text, '{');
    buf_add(&text, slice_first(line, line.n - 1));
    buf_add_char(&text, '}');
    rc = buf_error(&text) == CC_OK ? parse_object(r, schema, buf_slice(&text), object)
                                   : snapshot_no_memory(r);
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

static int read_element(struct snapshot_reader *r, const struct snapshot_schema *schema, bool last,
                        char *object)
{
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    if (rc != CC_OK)
        return rc;
    if (slice_ends(line, SLICE(",")) == last)
        return snapshot_refuse(r, last ? "there is a comma after the last element"
                                       : "a comma is missing at the end of the line");
    return parse_object(r, schema, slice_first(line, line.n - !last), object);
}

/* "name":[, one element a line, and `end`. */
static int read_section(struct snapshot_reader *r, const char *name,
                        const struct snapshot_schema *schema, const char *end, void *array,
                        size_t *count)
{
    size_t n = 0;
    char *first = NULL, room[32];
    struct buf begin;
    struct slice line = SLICE_NONE;
    int rc = next_line(r, &line);

    buf_init_fixed(&begin, room, sizeof(room));
    buf_printf(&begin, "\"%s\":[", name);
    if (rc == CC_OK && !slice_eq(line, buf_slice(&begin))) {
        snapshot_enter(r, name, 0);
        rc = snapshot_refuse(r, "this section does not begin here");
        snapshot_leave(r);
    }
    if (rc == CC_OK)
        n = count_elements(r->rest);
    if (n > 0) {
        first = arena_array(r->arena, n, schema->size);
        rc = first != NULL ? CC_OK : snapshot_no_memory(r);
    }
    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        snapshot_enter(r, name, 0);
        snapshot_enter(r, NULL, i);
        rc = read_element(r, schema, i + 1 == n, first + i * schema->size);
        snapshot_leave(r);
        snapshot_leave(r);
    }
    if (rc == CC_OK)
        rc = next_line(r, &line);
    if (rc == CC_OK && !slice_is(line, end))
        rc = snapshot_refuse(r, "the section does not end as it should");
    memcpy(array, &first, sizeof(first));
    *count = n;
    return rc;
}

/* The names of the clusters, for what refers to them. */
static int index_clusters(struct snapshot_reader *r, const struct gw_model *m)
{
    r->first_cluster = m->clusters;
    for (size_t i = 0; i < m->n_clusters; i++) {
        uint32_t number;

        if (intern_put(&r->clusters, m->clusters[i].name, NULL, &number) != CC_OK)
            return snapshot_no_memory(r);
        if (number != i)
            return snapshot_refuse(r, "two clusters have the same name");
    }
    return CC_OK;
}

/* They are looked up by halving. */
static int check_policies(struct snapshot_reader *r, const struct gw_model *m)
{
    for (size_t i = 1; i < m->n_policies; i++) {
        const struct gw_policy *a = &m->policies[i - 1], *b = &m->policies[i];

        if (a->level > b->level || (a->level == b->level && slice_cmp(a->name, b->name) >= 0))
            return snapshot_refuse(r, "policies are not in order or not unique");
    }
    return CC_OK;
}

static int read_schema_line(struct snapshot_reader *r)
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
        return snapshot_refuse(r, "this is not a snapshot that cc-gen wrote");
    if (schema == GW_SCHEMA)
        return CC_OK;
    diag_help(diag_error(r->diag, CC6001, PLACE_NONE,
                         "%s has schema %llu; this program reads schema %d", r->name,
                         (unsigned long long)schema, GW_SCHEMA),
              "build it again with the cc-gen of this version");
    return CC_EVERSION;
}

/* "name":"SHA-256 of `text`", */
static int read_hash_line(struct snapshot_reader *r, const char *name, struct slice text,
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
        return snapshot_refuse(
            r, "the hash does not match what follows; the snapshot is damaged, or was "
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

static int read_all(struct snapshot_reader *r, struct gw_snapshot *s)
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
        rc = snapshot_refuse(r, "something follows the end of the snapshot");
    return rc;
}

/* The route table checks base paths and templates. Its findings have places in the model, which
 * does not outlive a refusal; they are told again as text. */
static int build_routes(struct snapshot_reader *r, struct gw_snapshot *s)
{
    struct diag *diag = diag_new();
    struct diag_view view;
    int rc;

    if (diag == NULL)
        return snapshot_no_memory(r);
    rc = gw_route_table_new(&s->routes, s->model, diag);
    for (size_t i = 0; diag_get(diag, i, &view); i++)
        diag_error(r->diag, CC6001, PLACE_NONE, "%s: %s: %" PRIslice, r->name,
                   diag_code_name(view.code), SLICE_ARG(view.message));
    diag_free(&diag);
    return rc == CC_ENOMEM ? snapshot_no_memory(r) : rc;
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
 * character, 4 bytes of JSON that become a slice of 16 and a copy of 16, and examples without name
 * and body, 3 bytes that become 32. */
enum { ARENA_PER_BYTE = 16, ARENA_BASE = 65536 };

int gw_snapshot_read(struct gw_snapshot **out, struct slice text, const char *name,
                     struct diag *diag)
{
    struct gw_snapshot *s = calloc(1, sizeof(*s));
    struct snapshot_reader r = {.name = name, .diag = diag, .rest = text};
    int rc = CC_ENOMEM;

    if (text.n > GW_SNAPSHOT_MAX_BYTES) {
        rc = snapshot_refuse(&r, "the snapshot is larger than 256 MiB");
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
