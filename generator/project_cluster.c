/* project: lists of endpoints -> clusters.
 *
 * A cluster is named after its content: "cc_b_" and the first 12 hex digits of the SHA-256 of its
 * endpoints and options. Equal ones therefore share one HAProxy backend, however many APIs name
 * them. 48 bits can be made to collide by someone who tries, so equal names are compared by
 * content, and a cluster that collides is refused. */
#include "generator/project_internal.h"

#include "crypto/crypto.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { NAME_DIGITS = 12, MAX_ENDPOINTS = 1000, CANONICAL_MAX = 16 << 20 };

/* Open addressing by name, at most half full. */
struct project_clusters {
    struct hash_key key;
    struct project_cluster_entry **slots;
    size_t n_slots; /* a power of two */
    size_t n;
    struct project_cluster_entry *first, **last; /* in the order they came */
};

struct project_clusters *project_clusters_new(struct project_build *build)
{
    struct project_clusters *c = project_alloc(build, 1, sizeof(*c));

    if (c == NULL)
        return NULL;
    hash_key_random(&c->key);
    c->last = &c->first;
    c->n_slots = 64;
    c->slots = project_alloc(build, c->n_slots, sizeof(struct project_cluster_entry *));
    return c;
}

static struct project_cluster_entry **find_slot(const struct project_clusters *c, struct slice name)
{
    size_t i = (size_t)hash_slice(&c->key, name) & (c->n_slots - 1);

    while (c->slots[i] != NULL && !slice_eq(c->slots[i]->cluster.name, name))
        i = (i + 1) & (c->n_slots - 1);
    return &c->slots[i];
}

static bool make_room(struct project_build *build, struct project_clusters *c)
{
    struct project_cluster_entry **old = c->slots, **slots;
    size_t n_old = c->n_slots;

    if (c->n < c->n_slots / 2)
        return true;
    slots = project_alloc(build, n_old * 2, sizeof(struct project_cluster_entry *));
    if (slots == NULL)
        return false;
    c->slots = slots;
    c->n_slots = n_old * 2;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i] != NULL)
            *find_slot(c, old[i]->cluster.name) = old[i];
    }
    return true;
}

bool project_same_endpoint(const struct gw_endpoint *a, const struct gw_endpoint *b)
{
    /* whom it is checked with follows from the rest */
    return a->tls == b->tls && a->port == b->port && slice_eq(a->host, b->host) &&
           slice_eq(a->path, b->path);
}

/* One path for all, because the path is rewritten before an endpoint is chosen: those that have the
 * path of the first one, or, if there are others to fall back to, all or nothing. */
static struct gw_endpoint *with_one_path(struct project *p, const struct project_endpoints *e,
                                         bool fall_back, size_t *n)
{
    const struct gw_endpoint *all = e->list.items;
    struct gw_endpoint *out = project_alloc(p->build, e->list.n, sizeof(*out));

    *n = 0;
    for (size_t i = 0; out != NULL && i < e->list.n; i++) {
        if (slice_eq(all[i].path, all[0].path)) {
            out[(*n)++] = all[i];
            continue;
        }
        diag_help(diag_warning(p->build->diag, CC2007, all[i].origin,
                               "this endpoint has the path \"%" PRIslice
                               "\", the first one \"%" PRIslice "\"",
                               SLICE_ARG(all[i].path), SLICE_ARG(all[0].path)),
                  fall_back ? "give all endpoints the same path; now the requests of this resource "
                              "go to the endpoints of the API"
                            : "give all endpoints the same path; now this one gets no requests");
        if (fall_back)
            return NULL;
    }
    return out;
}

/* Takes repetitions out. */
static void make_distinct(struct project *p, struct gw_endpoint *all, size_t *n)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++) {
        size_t k = 0;

        while (k < kept && !project_same_endpoint(&all[k], &all[i]))
            k++;
        if (k == kept)
            all[kept++] = all[i];
        else
            diag_help(diag_warning(p->build->diag, CC2005, all[i].origin,
                                   "this endpoint is listed twice"),
                      "it counts once; remove one of them");
    }
    *n = kept;
}

/* HAProxy chooses an endpoint after all rules have run; the Host of its request is then the name
 * of the server (http-send-name-header). So endpoints whose Hosts differ must have Hosts that can
 * be names of servers, each its own. */
static bool hosts_agree(struct project *p, const struct gw_endpoint *endpoints, size_t n)
{
    const struct gw_cluster all = {.endpoints = endpoints, .n_endpoints = n};

    if (gw_cluster_one_host(&all))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (slice_find(endpoints[i].host, ':') >= 0) {
            diag_help(diag_error(p->build->diag, CC2201, endpoints[i].origin,
                                 "the IPv6 address %" PRIslice
                                 " shares the load with endpoints of other hosts",
                                 SLICE_ARG(endpoints[i].host)),
                      "give it a name, in DNS or /etc/hosts");
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (!gw_endpoint_same_host(&endpoints[k], &endpoints[i]))
                continue;
            diag_help(diag_error(p->build->diag, CC2201, endpoints[i].origin,
                                 "http and https of %" PRIslice
                                 " share the load with endpoints of other hosts",
                                 SLICE_ARG(endpoints[i].host)),
                      "list one of the two");
            return false;
        }
    }
    return true;
}

static void add_statuses(struct buf *b, const char *what, const struct slice *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s %" PRIslice "\n", what, SLICE_ARG(texts[i]));
}

/* Only what is set, so that a cluster without options has the name it always had. */
static void add_options(struct buf *b, const struct gw_options *o)
{
    const struct {
        const char *name;
        unsigned value;
    } numbers[] = {{"failover", o->failover},     {"http2", o->http2},
                   {"timeout", o->timeout_ms},    {"connect", o->connect_ms},
                   {"retries", o->retry_count},   {"unsafe", o->retry_unsafe},
                   {"requests", o->max_requests}, {"connections", o->max_connections},
                   {"pending", o->max_pending}};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].value != 0)
            buf_printf(b, "%s %u\n", numbers[i].name, numbers[i].value);
    }
    add_statuses(b, "retry", o->retry_statuses, o->n_retry_statuses);
    if (o->health_path.n > 0)
        buf_printf(b, "health %" PRIslice "\n", SLICE_ARG(o->health_path));
    add_statuses(b, "healthy", o->health_statuses, o->n_health_statuses);
}

/* What the name is derived from; the order of endpoints counts. */
static struct slice canonical_text(struct project *p, const struct gw_endpoint *endpoints, size_t n,
                                   const struct gw_options *options)
{
    struct slice text = SLICE_NONE;
    struct buf b;

    buf_init(&b, CANONICAL_MAX); /* MAX_ENDPOINTS of the longest URLs fit */
    for (size_t i = 0; i < n; i++) {
        buf_printf(&b, "%s://[%" PRIslice "]:%u%" PRIslice "\n",
                   endpoints[i].tls ? "https" : "http", SLICE_ARG(endpoints[i].host),
                   endpoints[i].port, SLICE_ARG(endpoints[i].path));
        if (endpoints[i].ca.n > 0)
            buf_printf(&b, "ca %" PRIslice "\n", SLICE_ARG(endpoints[i].ca));
    }
    add_options(&b, options);
    if (buf_error(&b) == CC_OK)
        text = arena_dup(p->build->arena, slice_make(b.p, b.n));
    if (text.p == NULL)
        p->build->rc = CC_ENOMEM;
    buf_free(&b);
    return text;
}

const struct project_cluster_entry *project_clusters_first(const struct project_build *build)
{
    return build->clusters->first;
}

const struct gw_cluster *project_clusters_add(struct project_build *build,
                                              const struct gw_cluster *cluster,
                                              struct slice canonical, struct place place)
{
    struct project_clusters *c = build->clusters;
    struct project_cluster_entry *entry = *find_slot(c, cluster->name);

    if (entry != NULL && slice_eq(entry->canonical, canonical))
        return &entry->cluster;
    if (entry != NULL) {
        diag_help(diag_error(build->diag, CC2005, place,
                             "these endpoints get the same name (%" PRIslice
                             ") as other endpoints of this gateway",
                             SLICE_ARG(cluster->name)),
                  "list them in another order");
        return NULL;
    }
    if (!make_room(build, c))
        return NULL;
    entry = project_alloc(build, 1, sizeof(*entry));
    if (entry == NULL)
        return NULL;
    *entry = (struct project_cluster_entry){*cluster, canonical, (uint32_t)c->n, NULL};
    *find_slot(c, cluster->name) = entry;
    *c->last = entry;
    c->last = &entry->next;
    c->n++;
    return &entry->cluster;
}

/* The options as they stand in the model: what makes no difference is not set. */
static struct gw_options final_options(const struct project *p, const struct project_endpoints *e,
                                       size_t n_endpoints)
{
    struct gw_options o = e->options;

    o.http2 = p->http2 && !e->service;
    o.failover = o.failover && n_endpoints > 1;
    if (o.retry_count == 0) {
        o.retry_unsafe = false;
        o.n_retry_statuses = 0;
    }
    return o;
}

const struct gw_cluster *project_cluster(struct project *p, const struct project_endpoints *e,
                                         bool fall_back)
{
    struct gw_endpoint *endpoints;
    struct gw_cluster cluster;
    struct gw_options options;
    struct slice canonical, name;
    char hex[65];
    size_t n;

    if (e->list.n > MAX_ENDPOINTS) {
        diag_error(p->build->diag, CC1004, e->place, "%zu endpoints are listed, at most %d can be",
                   e->list.n, MAX_ENDPOINTS);
        return NULL;
    }
    endpoints = with_one_path(p, e, fall_back, &n);
    if (endpoints == NULL)
        return NULL;
    make_distinct(p, endpoints, &n);
    if (!hosts_agree(p, endpoints, n))
        return NULL;
    for (size_t i = 0; i < n; i++)
        endpoints[i].ca = project_endpoint_ca(p, &endpoints[i], e->service);
    options = final_options(p, e, n);
    canonical = canonical_text(p, endpoints, n, &options);
    if (canonical.p == NULL)
        return NULL;
    if (crypto_sha256_hex(canonical, hex) != CC_OK) {
        p->build->rc = CC_ENOMEM; /* the only way a digest fails */
        return NULL;
    }
    name = arena_printf(p->build->arena, "cc_b_%.*s", NAME_DIGITS, hex);
    if (name.p == NULL) {
        p->build->rc = CC_ENOMEM;
        return NULL;
    }
    cluster = (struct gw_cluster){name, endpoints, n, options};
    return project_clusters_add(p->build, &cluster, canonical, e->place);
}

/* --- the finished list ---------------------------------------------------------------------- */

static int compare_clusters(const void *a, const void *b)
{
    const struct gw_cluster *x = a, *y = b;

    return slice_cmp(x->name, y->name);
}

static const struct gw_cluster *final_cluster(const struct gw_model *model,
                                              const struct gw_cluster *c)
{
    if (c == NULL)
        return NULL;
    return bsearch(c, model->clusters, model->n_clusters, sizeof(*c), compare_clusters);
}

void project_clusters_finish(struct project_build *build, struct gw_model *model)
{
    const struct project_clusters *c = build->clusters;
    struct gw_cluster *clusters = project_alloc(build, c->n, sizeof(*clusters));
    const struct gw_cluster ***references = build->references.items;
    struct gw_api *apis = build->apis.items;
    size_t n = 0;

    if (clusters == NULL)
        return;
    for (size_t i = 0; i < c->n_slots; i++) {
        if (c->slots[i] != NULL)
            clusters[n++] = c->slots[i]->cluster;
    }
    if (n > 0)
        qsort(clusters, n, sizeof(*clusters), compare_clusters);
    model->clusters = clusters;
    model->n_clusters = n;
    for (size_t i = 0; i < build->apis.n; i++) {
        apis[i].production = final_cluster(model, apis[i].production);
        apis[i].sandbox = final_cluster(model, apis[i].sandbox);
    }
    for (size_t i = 0; i < build->references.n; i++)
        *references[i] = final_cluster(model, *references[i]);
}

/* --- --resolve ------------------------------------------------------------------------------ */

/* By host; equal ones by place, so that a finding is always at the same one. */
static int compare_hosts(const void *a, const void *b)
{
    const struct gw_endpoint *x = *(const struct gw_endpoint *const *)a;
    const struct gw_endpoint *y = *(const struct gw_endpoint *const *)b;
    int order = slice_cmp(x->host, y->host);

    if (order == 0)
        order = (x->origin.line > y->origin.line) - (x->origin.line < y->origin.line);
    return order != 0 ? order : (x->origin.col > y->origin.col) - (x->origin.col < y->origin.col);
}

static void resolve_host(struct project_build *build, const struct gw_endpoint *e)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct slice host = arena_dup(build->arena, e->host);
    int error;

    if (host.p == NULL) {
        build->rc = CC_ENOMEM;
        return;
    }
    error = getaddrinfo(host.p, NULL, &hints, &found);
    if (error != 0)
        diag_help(diag_error(build->diag, CC2008, e->origin, "\"%s\" does not resolve: %s", host.p,
                             gai_strerror(error)),
                  "check the spelling, or leave out --resolve when this machine cannot know the "
                  "name");
    else
        freeaddrinfo(found);
}

void project_clusters_resolve(struct project_build *build, const struct gw_model *model)
{
    const struct gw_endpoint **all;
    size_t n = 0;

    for (size_t i = 0; i < model->n_clusters; i++)
        n += model->clusters[i].n_endpoints;
    all = project_alloc(build, n, sizeof(*all));
    if (all == NULL || n == 0)
        return;
    n = 0;
    for (size_t i = 0; i < model->n_clusters; i++) {
        for (size_t k = 0; k < model->clusters[i].n_endpoints; k++)
            all[n++] = &model->clusters[i].endpoints[k];
    }
    qsort(all, n, sizeof(*all), compare_hosts);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !slice_eq(all[i]->host, all[i - 1]->host))
            resolve_host(build, all[i]);
    }
}
