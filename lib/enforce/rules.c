#include "enforce/rules.h"

#include "base/serial.h"
#include "enforce/backend_jwt.h"

#include <stdlib.h>

enum { ISSUERS_TEXT_MAX = 16 << 20 };

const struct rules_issuer *rules_find_issuer(const struct enforce_rules *r, struct slice iss,
                                             enum gw_token_type type)
{
    const struct rules_issuer *of_any = NULL;

    for (size_t i = 0; i < r->model->n_issuers; i++) {
        const struct gw_issuer *issuer = &r->model->issuers[i];

        if (!gw_issuer_signs(issuer, type))
            continue;
        if (slice_eq(issuer->issuer, iss))
            return &r->issuers[i];
        if (issuer->issuer.n == 0 && of_any == NULL)
            of_any = &r->issuers[i];
    }
    return of_any;
}

size_t rules_header_index(const struct gw_model *m, struct slice name)
{
    size_t low = 0, high = m->n_headers;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_cmp(m->headers[middle], name);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return m->n_headers;
}

const struct enforce_header *rules_find_header(const struct enforce_rules *r,
                                               const struct enforce_request *request,
                                               struct slice name)
{
    size_t i = request->headers != NULL ? rules_header_index(r->model, name) : r->model->n_headers;

    return i < r->model->n_headers && request->headers[i].count > 0 ? &request->headers[i] : NULL;
}

const struct enforce_header *rules_auth_header(const struct enforce_rules *r,
                                               const struct gw_api *api,
                                               const struct enforce_request *request)
{
    const struct enforce_header *h;

    if (request->headers == NULL)
        return NULL;
    h = &request->headers[r->api_headers[api - r->model->apis]];
    return h->count > 0 ? h : NULL;
}

const struct rules_clients *rules_api_clients(const struct enforce_rules *r,
                                              const struct gw_api *api)
{
    return &r->clients[api - r->model->apis];
}

struct slice rules_cluster_host(const struct enforce_rules *r, const struct gw_cluster *cluster)
{
    return r->cluster_hosts[cluster - r->model->clusters];
}

static int read_key(struct rules_issuer *ri, struct diag *diag)
{
    const struct gw_issuer *issuer = ri->issuer;
    int rc;

    if (issuer->pem.n == 0) /* its keys are fetched, or its tokens introspected */
        return CC_OK;
    rc = key_public_from_pem(&ri->key, issuer->pem);
    if (rc != CC_OK) {
        diag_error(diag, CC4001, issuer->origin, "the key of issuer '%" PRIslice "': %s",
                   SLICE_ARG(issuer->name), cc_strerror(rc));
        return rc == CC_ENOMEM ? rc : CC_EREFUSED;
    }
    for (unsigned alg = 0; alg < JWT_ALG_COUNT; alg++)
        if ((issuer->algorithms & 1u << alg) != 0 &&
            jwt_alg_fits((enum jwt_alg)alg, key_kind_of(ri->key)))
            return CC_OK;
    diag_error(diag, CC4002, issuer->origin,
               "issuer '%" PRIslice "' has a key of kind %s, which none of its algorithms takes",
               SLICE_ARG(issuer->name), key_describe(ri->key));
    return CC_EREFUSED;
}

static int name_anonymous(struct arena *arena, struct rules_issuer *ri)
{
    char uuid[37];
    int rc;

    ri->anonymous = arena_printf(arena, "anon:%" PRIslice, SLICE_ARG(ri->issuer->name));
    if (ri->anonymous.p == NULL)
        return CC_ENOMEM;
    rc = crypto_name_uuid(ri->anonymous, uuid);
    if (rc != CC_OK)
        return rc;
    ri->anonymous_uuid = arena_dup(arena, slice_of(uuid));
    return ri->anonymous_uuid.p != NULL ? CC_OK : CC_ENOMEM;
}

/* The live state has room for so many key sets, and no agent follows more. */
static int count_key_sets(const struct gw_model *m, struct diag *diag)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_issuers; i++)
        n += m->issuers[i].jwks_url.n > 0;
    if (n <= LIVE_MAX_JWKS)
        return CC_OK;
    diag_error(diag, CC6001, PLACE_NONE, "%zu issuers have a key set to fetch; at most %d may", n,
               (int)LIVE_MAX_JWKS);
    return CC_EREFUSED;
}

/* A token that is no JWT does not say whose it is: shown to all servers, it would be shown to some
 * that it is not meant for. */
static int find_introspecting(struct enforce_rules *r, struct diag *diag)
{
    for (size_t i = 0; i < r->model->n_issuers; i++) {
        if (r->model->issuers[i].introspection_url.n == 0)
            continue;
        if (r->introspecting != NULL) {
            diag_error(diag, CC3051, r->model->issuers[i].origin,
                       "more than one issuer has introspection");
            return CC_EREFUSED;
        }
        r->introspecting = &r->issuers[i];
    }
    return CC_OK;
}

/* With two, it would depend on their order which key counts. */
static bool is_unique(const struct enforce_rules *r, const struct rules_issuer *ri)
{
    for (unsigned type = 0; type < GW_TOKEN_TYPE_COUNT; type++)
        if (gw_issuer_signs(ri->issuer, (enum gw_token_type)type) &&
            rules_find_issuer(r, ri->issuer->issuer, (enum gw_token_type)type) != ri)
            return false;
    return true;
}

static int read_issuers(struct enforce_rules *r, struct diag *diag)
{
    int result = count_key_sets(r->model, diag);

    if (result == CC_OK)
        result = find_introspecting(r, diag);

    for (size_t i = 0; i < r->model->n_issuers; i++) {
        const struct gw_issuer *issuer = &r->model->issuers[i];
        int rc = CC_OK;

        r->issuers[i].issuer = issuer;
        if (name_anonymous(r->arena, &r->issuers[i]) != CC_OK)
            return CC_ENOMEM;
        if (!is_unique(r, &r->issuers[i])) {
            diag_error(diag, CC3005, issuer->origin, "two issuers have the iss '%" PRIslice "'",
                       SLICE_ARG(issuer->issuer));
            rc = CC_EREFUSED;
        } else {
            rc = read_key(&r->issuers[i], diag);
        }
        if (result == CC_OK)
            result = rc;
    }
    return result;
}

void rules_hash_text(struct buf *b, struct slice s)
{
    buf_add_u64(b, s.n);
    buf_add_char(b, ':');
    buf_add(b, s);
}

/* Claims that conditions look at are remembered with tokens. */
static void hash_claims(const struct throttle_rules *throttle, struct buf *b)
{
    buf_add_u64(b, throttle->n_claims);
    for (size_t i = 0; i < throttle->n_claims; i++)
        rules_hash_text(b, throttle->claims[i]);
}

/* All that decides whether a token is verified, and what is remembered of it. Names and places are
 * left out: to rename an issuer or to move its lines changes no token. */
static int hash_issuers(struct enforce_rules *r)
{
    struct buf b;
    int rc;

    buf_init(&b, ISSUERS_TEXT_MAX);
    hash_claims(&r->throttle, &b);
    for (size_t i = 0; i < r->model->n_issuers; i++) {
        const struct gw_issuer *issuer = &r->model->issuers[i];

        rules_hash_text(&b, issuer->issuer);
        rules_hash_text(&b, issuer->pem);
        rules_hash_text(&b, issuer->jwks_url);
        rules_hash_text(&b, issuer->introspection_url);
        rules_hash_text(&b, issuer->claim_transformer);
        rules_hash_text(&b, issuer->consumer_key_claim);
        rules_hash_text(&b, issuer->scope_claim);
        buf_add_u64(&b, issuer->algorithms);
        buf_add_char(&b, issuer->validate_subscription ? 's' : ',');
        buf_add_u64(&b, issuer->n_claim_mappings);
        for (size_t k = 0; k < issuer->n_claim_mappings; k++) {
            rules_hash_text(&b, issuer->claim_mappings[k].remote);
            rules_hash_text(&b, issuer->claim_mappings[k].local);
        }
        for (unsigned type = 0; type < GW_TOKEN_TYPE_COUNT; type++)
            buf_add_char(&b, gw_issuer_signs(issuer, (enum gw_token_type)type) ? '+' : '-');
        buf_add_u64(&b, issuer->n_audiences);
        for (size_t k = 0; k < issuer->n_audiences; k++)
            rules_hash_text(&b, issuer->audiences[k]);
    }
    rc = buf_error(&b);
    if (rc == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&b), r->issuers_hash);
    buf_free(&b);
    return rc;
}

static int read_clusters(struct enforce_rules *r, struct diag *diag)
{
    for (size_t i = 0; i < r->model->n_clusters; i++) {
        const struct gw_cluster *c = &r->model->clusters[i];

        if (c->n_endpoints == 0) {
            diag_error(diag, CC6001, PLACE_NONE, "cluster %" PRIslice " has no endpoint",
                       SLICE_ARG(c->name));
            return CC_EREFUSED;
        }
        r->cluster_hosts[i] = gw_endpoint_host(r->arena, &c->endpoints[0]);
        if (r->cluster_hosts[i].p == NULL)
            return CC_ENOMEM;
    }
    return CC_OK;
}

static int add_authority(struct rules_clients *known, const struct gw_client *client,
                         struct diag *diag)
{
    int rc = known->authorities != NULL ? CC_OK : peer_store_new(&known->authorities);

    if (rc == CC_OK)
        rc = peer_store_add(known->authorities, client->pem);
    if (rc == CC_OK || rc == CC_ENOMEM)
        return rc;
    diag_error(diag, CC6001, client->origin, "the certificate of '%" PRIslice "': %s",
               SLICE_ARG(client->alias), cc_strerror(rc));
    return CC_EREFUSED;
}

/* The list by which an API knows its clients, ready to verify with. */
static int read_clients_of(struct rules_clients *known, const struct gw_api *api, struct diag *diag)
{
    int rc = CC_OK;
    struct buf b;

    buf_init(&b, ISSUERS_TEXT_MAX);
    for (size_t i = 0; i < api->n_clients && rc == CC_OK; i++) {
        buf_add(&b, api->clients[i].fingerprint);
        buf_add_char(&b, api->clients[i].authority ? 'a' : ',');
        if (api->clients[i].authority)
            rc = add_authority(known, &api->clients[i], diag);
    }
    if (rc == CC_OK)
        rc = buf_error(&b);
    if (rc == CC_OK)
        rc = crypto_sha256_hex(buf_slice(&b), known->hash);
    buf_free(&b);
    return rc;
}

static int read_clients(struct enforce_rules *r, struct diag *diag)
{
    int result = CC_OK;

    for (size_t i = 0; i < r->model->n_apis; i++) {
        int rc = CC_OK;

        if (r->model->apis[i].n_clients > 0)
            rc = read_clients_of(&r->clients[i], &r->model->apis[i], diag);
        if (result == CC_OK)
            result = rc;
    }
    return result;
}

/* Without these headers every preflight would be refused, and nobody would see why. */
static int read_cors(struct enforce_rules *r, struct diag *diag)
{
    r->origin_header = rules_header_index(r->model, SLICE("origin"));
    r->preflight_header = rules_header_index(r->model, SLICE("access-control-request-method"));
    if (r->model->n_cors == 0 ||
        (r->origin_header < r->model->n_headers && r->preflight_header < r->model->n_headers))
        return CC_OK;
    diag_error(diag, CC6001, PLACE_NONE,
               "there are CORS policies, but Origin and Access-Control-Request-Method are not "
               "among the headers that HAProxy sends");
    return CC_EREFUSED;
}

static bool is_sent(const struct gw_model *m, struct slice name)
{
    return rules_header_index(m, name) < m->n_headers;
}

/* Without these headers API keys would not be found, or be used by others than those who may. */
static int read_keys(struct enforce_rules *r, struct diag *diag)
{
    for (size_t i = 0; i < r->model->n_apis; i++) {
        const struct gw_api *api = &r->model->apis[i];
        struct slice rest = slice_from(api->key_headers, 1), name = SLICE("referer");
        bool sent = (api->key_headers.n == 0 && api->n_key_params == 0) || is_sent(r->model, name);

        while (sent && rest.n > 0 && slice_split(&rest, ',', &name))
            sent = name.n == 0 || is_sent(r->model, name);
        if (sent)
            continue;
        diag_error(diag, CC6001, api->origin,
                   "it takes API keys, but '%" PRIslice "' is not among the headers that HAProxy "
                   "sends",
                   SLICE_ARG(name));
        return CC_EREFUSED;
    }
    return CC_OK;
}

/* Without these headers clients would get other answers than they ask for. */
static int read_mock(struct enforce_rules *r, struct diag *diag)
{
    bool mock = false;

    for (size_t i = 0; i < r->model->n_apis; i++)
        mock = mock || r->model->apis[i].mock;
    r->prefer_header = rules_header_index(r->model, SLICE("prefer"));
    r->accept_header = rules_header_index(r->model, SLICE("accept"));
    if (!mock || (r->prefer_header < r->model->n_headers && r->accept_header < r->model->n_headers))
        return CC_OK;
    diag_error(diag, CC6001, PLACE_NONE,
               "there are mock APIs, but Prefer and Accept are not among the headers that HAProxy "
               "sends");
    return CC_EREFUSED;
}

/* Without the header internal keys would not be found. */
static int read_internal_key(struct enforce_rules *r, struct diag *diag)
{
    struct slice name = r->model->internal_key_header;
    char uuid[37];
    int rc = crypto_name_uuid(SLICE("internal-key-app"), uuid);

    if (rc != CC_OK)
        return rc;
    r->internal_key_uuid = arena_dup(r->arena, slice_of(uuid));
    if (r->internal_key_uuid.p == NULL)
        return CC_ENOMEM;
    if (name.n == 0 || is_sent(r->model, name))
        return CC_OK;
    diag_error(diag, CC6001, PLACE_NONE,
               "the header of internal keys, '%" PRIslice
               "', is not among those that HAProxy sends",
               SLICE_ARG(name));
    return CC_EREFUSED;
}

static int read_apis(struct enforce_rules *r, struct diag *diag)
{
    for (size_t i = 0; i < r->model->n_apis; i++) {
        const struct gw_api *api = &r->model->apis[i];

        r->api_headers[i] = rules_header_index(r->model, api->auth_header);
        if (r->api_headers[i] == r->model->n_headers) {
            diag_error(diag, CC6001, api->origin,
                       "the authorization header '%" PRIslice "' is not among the headers that "
                       "HAProxy sends",
                       SLICE_ARG(api->auth_header));
            return CC_EREFUSED;
        }
    }
    return CC_OK;
}

/* An arena for what the model needs: four arrays, the hosts, and for each issuer the name of its
 * anonymous application, with a UUID. */
static struct arena *new_arena(const struct gw_model *m)
{
    size_t names = 0;

    for (size_t i = 0; i < m->n_issuers; i++)
        names += m->issuers[i].name.n + 128;
    return arena_new(4096 + throttle_rules_bytes(m) +
                     m->n_issuers * (sizeof(struct rules_issuer) + 16) + names +
                     m->n_apis * (sizeof(size_t) + sizeof(struct rules_clients)) +
                     m->n_clusters * (sizeof(struct slice) + (size_t)2 * GW_HOST_MAX));
}

int enforce_rules_new(struct enforce_rules **out, struct gw_snapshot *snapshot, struct diag *diag)
{
    struct enforce_rules *r = calloc(1, sizeof(*r));
    int rc = CC_ENOMEM;

    if (r == NULL)
        goto out;
    atomic_init(&r->references, 1);
    r->serial = serial_next();
    r->snapshot = gw_snapshot_ref(snapshot);
    r->model = gw_snapshot_model(snapshot);
    r->arena = new_arena(r->model);
    if (r->arena == NULL)
        goto out;
    r->issuers = arena_array(r->arena, r->model->n_issuers, sizeof(*r->issuers));
    r->clients = arena_array(r->arena, r->model->n_apis, sizeof(*r->clients));
    r->api_headers = arena_array(r->arena, r->model->n_apis, sizeof(*r->api_headers));
    r->cluster_hosts = arena_array(r->arena, r->model->n_clusters, sizeof(*r->cluster_hosts));
    if (r->clients == NULL || r->issuers == NULL || r->api_headers == NULL ||
        r->cluster_hosts == NULL)
        goto out;
    rc = read_issuers(r, diag);
    if (rc == CC_OK)
        rc = read_clusters(r, diag);
    if (rc == CC_OK)
        rc = read_apis(r, diag);
    if (rc == CC_OK)
        rc = read_keys(r, diag);
    if (rc == CC_OK)
        rc = read_clients(r, diag);
    if (rc == CC_OK)
        rc = read_internal_key(r, diag);
    if (rc == CC_OK)
        rc = read_cors(r, diag);
    if (rc == CC_OK)
        rc = read_mock(r, diag);
    if (rc == CC_OK)
        rc = throttle_rules_read(&r->throttle, r->model, r->arena, diag);
    if (rc == CC_OK)
        rc = hash_issuers(r);
    if (rc == CC_OK)
        rc = backend_jwt_prepare(r, diag);
    if (rc != CC_OK)
        goto out;
    *out = r;
    r = NULL;
out:
    if (rc != CC_OK)
        diag_own_places(diag); /* they are in the snapshot, which a refusal may be the end of */
    enforce_rules_unref(&r);
    return rc;
}

struct enforce_rules *enforce_rules_ref(struct enforce_rules *r)
{
    /* Relaxed: who takes a reference holds one already, so nothing can be freed meanwhile. */
    atomic_fetch_add_explicit(&r->references, 1, memory_order_relaxed);
    return r;
}

void enforce_rules_unref(struct enforce_rules **rules)
{
    struct enforce_rules *r = *rules;

    *rules = NULL;
    /* Release: what this holder did with the rules comes before; acquire: the one that frees sees
     * what all others did. */
    if (r == NULL || atomic_fetch_sub_explicit(&r->references, 1, memory_order_acq_rel) != 1)
        return;
    if (r->issuers != NULL)
        for (size_t i = 0; i < r->model->n_issuers; i++)
            key_free(&r->issuers[i].key);
    throttle_rules_free(&r->throttle, r->model);
    if (r->clients != NULL)
        for (size_t i = 0; i < r->model->n_apis; i++)
            peer_store_free(&r->clients[i].authorities);
    key_free(&r->jwt.public);
    key_free(&r->jwt.signing);
    arena_free(&r->arena);
    gw_snapshot_unref(&r->snapshot);
    free(r);
}

const struct gw_model *enforce_rules_model(const struct enforce_rules *r)
{
    return r->model;
}

const char *enforce_rules_content(const struct enforce_rules *r)
{
    return gw_snapshot_hash(r->snapshot);
}
