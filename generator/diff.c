#include "generator/diff.h"

#include "generator/diff_internal.h"

static const char *const kind_words[] = {
#define X(name, word) word,
    DIFF_KINDS(X)
#undef X
};

const char *diff_kind_word(enum diff_kind kind)
{
    return kind_words[kind];
}

struct diff_change *diff_add(struct diff *d, enum diff_sort sort, enum diff_kind kind,
                             struct slice subject)
{
    struct diff_change *change;

    if (d->n == d->room) {
        /* the old array stays in the arena: at most as much again is lost */
        size_t room = d->room == 0 ? 16 : d->room * 2;
        struct diff_change *changes = arena_array(d->arena, room, sizeof(*changes));

        if (changes == NULL)
            return NULL;
        if (d->n > 0)
            memcpy(changes, d->changes, d->n * sizeof(*changes));
        d->changes = changes;
        d->room = room;
    }
    change = &d->changes[d->n++];
    *change = (struct diff_change){.sort = sort, .kind = kind, .subject = subject};
    return change;
}

size_t diff_count(const struct diff *d, enum diff_sort sort, enum diff_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        n += d->changes[i].sort == sort && (kind == DIFF_KIND_COUNT || d->changes[i].kind == kind);
    return n;
}

bool diff_is_semantic(const struct diff *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->changes[i].kind != DIFF_PLACES)
            return true;
    return false;
}

/* --- adding ---------------------------------------------------------------------------------- */

static struct slice place_text(struct differ *d, struct place place)
{
    struct slice text;

    if (place.source == NULL)
        return SLICE("");
    text = place.line > 0
               ? arena_printf(d->out->arena, "%s:%u:%u", place.source->name, place.line, place.col)
               : arena_dup(d->out->arena, slice_of(place.source->name));
    if (text.p == NULL)
        d->rc = CC_ENOMEM;
    return text;
}

struct slice differ_text(struct differ *d, struct slice text)
{
    if (text.p == NULL)
        d->rc = CC_ENOMEM;
    return text;
}

struct diff_change *differ_add(struct differ *d, enum diff_sort sort, enum diff_kind kind,
                               struct slice subject, struct place origin)
{
    struct diff_change *change = d->rc == CC_OK ? diff_add(d->out, sort, kind, subject) : NULL;

    if (change == NULL || subject.p == NULL) {
        d->rc = CC_ENOMEM;
        return NULL;
    }
    change->api = d->api;
    change->resource = d->resource;
    change->method = d->method;
    change->from = place_text(d, origin);
    return change;
}

void differ_changed(struct differ *d, enum diff_kind kind, struct slice subject, struct slice field,
                    struct slice before, struct slice after, struct place origin)
{
    struct diff_change *change = differ_add(d, DIFF_CHANGED, kind, subject, origin);

    if (change == NULL)
        return;
    change->field = field;
    change->before = differ_text(d, before);
    change->after = differ_text(d, after);
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Where the cluster that member `f` names was declared, else `other`. */
static struct place endpoint_origin(const struct snapshot_field *f, const void *object,
                                    struct place other)
{
    const struct gw_cluster *cluster;

    memcpy(&cluster, (const char *)object + f->offset, sizeof(cluster));
    return cluster != NULL ? differ_cluster_origin(cluster) : other;
}

/* Members that are of a kind of their own wherever they stand. */
static enum diff_kind kind_of(const struct snapshot_field *f, enum diff_kind kind)
{
    if (f->type == SNAPSHOT_CLUSTER)
        return DIFF_ENDPOINT;
    return strcmp(f->name, "tier") == 0           ? DIFF_LIMIT
           : strcmp(f->name, "interceptors") == 0 ? DIFF_INTERCEPTOR
                                                  : kind;
}

/* Where the member of `object` was declared, when the schema has that beside it. */
static struct place declared_at(const struct snapshot_schema *schema, size_t index,
                                const void *object, struct place otherwise)
{
    const struct snapshot_field *next = &schema->fields[index + 1];
    size_t n = strlen(schema->fields[index].name);
    struct place place;

    if (index + 1 == schema->n_fields || next->type != SNAPSHOT_ORIGIN ||
        strncmp(next->name, schema->fields[index].name, n) != 0)
        return otherwise;
    memcpy(&place, (const char *)object + next->offset, sizeof(place));
    return place.source != NULL ? place : otherwise;
}

void differ_members(struct differ *d, const struct snapshot_schema *schema, const void *before,
                    const void *after, const char *const *special, enum diff_kind kind,
                    struct slice subject, struct place origin)
{
    for (size_t i = 0; i < schema->n_fields && d->rc == CC_OK; i++) {
        const struct snapshot_field *f = &schema->fields[i];
        enum diff_equal equal;
        struct slice was = SLICE_NONE, is = SLICE_NONE;
        bool cluster = f->type == SNAPSHOT_CLUSTER;

        if (is_one_of(f->name, special))
            continue;
        equal = diff_field_equal(f, before, after);
        d->moved = d->moved || equal == DIFF_MOVED;
        if (equal != DIFF_DIFFERENT)
            continue;
        d->rc = diff_field_text(f, before, d->out->arena, &was);
        if (d->rc == CC_OK)
            d->rc = diff_field_text(f, after, d->out->arena, &is);
        if (d->rc == CC_OK)
            differ_changed(d, kind_of(f, kind), subject, slice_of(f->name), was, is,
                           cluster ? endpoint_origin(f, after, origin)
                                   : declared_at(schema, i, after, origin));
    }
}

/* --- clusters, issuers, headers, settings ---------------------------------------------------- */

static int by_cluster_name(const void *a, const void *b)
{
    return slice_cmp(((const struct gw_cluster *)a)->name, ((const struct gw_cluster *)b)->name);
}

struct place differ_cluster_origin(const struct gw_cluster *c)
{
    return c->n_endpoints > 0 ? c->endpoints[0].origin : PLACE_NONE;
}

static void compare_cluster(struct differ *d, const struct gw_cluster *before,
                            const struct gw_cluster *after)
{
    static const char *const special[] = {NULL};
    struct diff_change *change;

    if (before != NULL && after != NULL) {
        differ_members(d, &snapshot_cluster, before, after, special, DIFF_CLUSTER, after->name,
                       differ_cluster_origin(after));
    } else if (after != NULL) {
        change = differ_add(d, DIFF_ADDED, DIFF_CLUSTER, after->name, differ_cluster_origin(after));
        if (change != NULL)
            change->after = differ_text(d, diff_cluster_text(after, d->out->arena));
    } else {
        change =
            differ_add(d, DIFF_REMOVED, DIFF_CLUSTER, before->name, differ_cluster_origin(before));
        if (change != NULL)
            change->before = differ_text(d, diff_cluster_text(before, d->out->arena));
    }
}

static void compare_clusters(struct differ *d, const struct gw_model *before,
                             const struct gw_model *after)
{
    struct diff_list old = {before->clusters, before->n_clusters, sizeof(*before->clusters)};
    struct diff_list new = {after->clusters, after->n_clusters, sizeof(*after->clusters)};
    struct diff_pair *pairs;
    size_t n;

    if (d->rc == CC_OK)
        d->rc = diff_pair_up(old, new, by_cluster_name, NULL, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++)
        compare_cluster(d, pairs[i].before, pairs[i].after);
}

static int by_issuer(const void *a, const void *b)
{
    return slice_cmp(((const struct gw_issuer *)a)->issuer, ((const struct gw_issuer *)b)->issuer);
}

static int by_issuer_name(const void *a, const void *b)
{
    return slice_cmp(((const struct gw_issuer *)a)->name, ((const struct gw_issuer *)b)->name);
}

static void compare_issuer(struct differ *d, const struct gw_issuer *before,
                           const struct gw_issuer *after)
{
    static const char *const special[] = {NULL};
    const struct gw_issuer *one = after != NULL ? after : before;
    struct diff_change *change;

    if (before != NULL && after != NULL) {
        differ_members(d, &snapshot_issuer, before, after, special, DIFF_ISSUER, one->name,
                       one->origin);
        return;
    }
    change = differ_add(d, after != NULL ? DIFF_ADDED : DIFF_REMOVED, DIFF_ISSUER, one->name,
                        one->origin);
    if (change != NULL)
        *(after != NULL ? &change->after : &change->before) = one->issuer;
}

static void compare_issuers(struct differ *d, const struct gw_model *before,
                            const struct gw_model *after)
{
    struct diff_list old = {before->issuers, before->n_issuers, sizeof(*before->issuers)};
    struct diff_list new = {after->issuers, after->n_issuers, sizeof(*after->issuers)};
    struct diff_pair *pairs;
    size_t n;

    if (d->rc == CC_OK)
        d->rc = diff_pair_up(old, new, by_issuer, by_issuer_name, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++)
        compare_issuer(d, pairs[i].before, pairs[i].after);
}

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void compare_headers(struct differ *d, const struct gw_model *before,
                            const struct gw_model *after)
{
    struct diff_list old = {before->headers, before->n_headers, sizeof(*before->headers)};
    struct diff_list new = {after->headers, after->n_headers, sizeof(*after->headers)};
    struct diff_pair *pairs;
    size_t n;

    if (d->rc == CC_OK)
        d->rc = diff_pair_up(old, new, by_text, NULL, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++) {
        if (pairs[i].before == NULL)
            differ_add(d, DIFF_ADDED, DIFF_HEADER, *(const struct slice *)pairs[i].after,
                       PLACE_NONE);
        else if (pairs[i].after == NULL)
            differ_add(d, DIFF_REMOVED, DIFF_HEADER, *(const struct slice *)pairs[i].before,
                       PLACE_NONE);
    }
}

/* Members of the model that are settings go by the setting's name. */
static struct slice setting_name(const char *member)
{
    static const char *const names[][2] = {
        {"system_host", "router.systemHost"},
        {"leeway_s", "enforcer.security.leewayInSeconds"},
        {"keep_auth_header", "enforcer.security.authHeader.enableOutboundAuthHeader"},
        {"internal_key_header", "enforcer.security.authHeader.testConsoleHeaderName"},
        {"throttling_enabled", "enforcer.throttling.enabled"},
        {"throttling_ipv6_prefix_length", "enforcer.throttling.ipv6PrefixLength"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], member) == 0)
            return slice_of(names[i][1]);
    return slice_of(member);
}

static void compare_settings(struct differ *d, const struct gw_model *before,
                             const struct gw_model *after)
{
    static const char *const special[] = {"headers", DIFF_THROTTLING_SETTINGS, NULL};
    size_t first = d->out->n;

    differ_members(d, &snapshot_settings, before, after, special, DIFF_SETTING, SLICE(""),
                   PLACE_NONE);
    for (size_t i = first; i < d->out->n; i++) {
        d->out->changes[i].subject = setting_name(d->out->changes[i].field.p);
        d->out->changes[i].field = SLICE_NONE;
    }
}

int diff_models(struct diff *out, const struct gw_model *old, const struct gw_model *new)
{
    static const struct gw_model nothing;
    struct differ d = {.out = out};

    differ_apis(&d, old != NULL ? old : &nothing, new);
    compare_issuers(&d, old != NULL ? old : &nothing, new);
    differ_policies(&d, old != NULL ? old : &nothing, new);
    differ_deny_rules(&d, old != NULL ? old : &nothing, new);
    if (old != NULL && d.rc == CC_OK)
        compare_settings(&d, old, new);
    if (old != NULL && d.rc == CC_OK)
        differ_throttling(&d, &old->throttling, &new->throttling);
    compare_headers(&d, old != NULL ? old : &nothing, new);
    compare_clusters(&d, old != NULL ? old : &nothing, new);
    /* Below what was added all lines move: that is no news. */
    if (d.rc == CC_OK && d.moved && out->n == 0)
        differ_add(&d, DIFF_CHANGED, DIFF_PLACES, SLICE("lines or order in files"), PLACE_NONE);
    return d.rc;
}
