#include "enforce/certificate.h"

#include "crypto/peer.h"
#include "enforce/subscription.h"

static bool refuse_certificate(struct attempt *a, enum refusal why, const char *text,
                               struct place place)
{
    reason_add_str(a->reason, "client certificate: ");
    return attempt_refuse(a, why, text, place);
}

enum credential_state certificate_find(struct attempt *a, const struct gw_need *need,
                                       struct slice *der)
{
    const struct enforce_request *request = a->request;
    int rc;

    TRACE_STEP(a->trace, CREDENTIAL, need->origin);
    if (request->certificate.n > 0) {
        TRACE_SAY(a->trace, "certificate of the connection");
        *der = request->certificate;
        return CREDENTIAL_GOOD;
    }
    if (request->certificate_text.n == 0) {
        refuse_certificate(a, REFUSE_NO_CERTIFICATE, "none was shown", need->origin);
        return CREDENTIAL_ABSENT;
    }
    TRACE_SAY(a->trace, "certificate in the header of a trusted proxy");
    rc = peer_der_from_text(request->certificate_text, a->w->arena, der);
    if (rc == CC_OK)
        return CREDENTIAL_GOOD;
    refuse_certificate(a, rc == CC_ENOMEM ? REFUSE_INTERNAL : REFUSE_NOT_CERTIFICATE,
                       "the header of the trusted proxy holds none", need->origin);
    return CREDENTIAL_REFUSED;
}

/* Where it is in the list of the API: its own, or else the authority's that signed it. */
static enum peer_fault find_client(const struct rules_clients *known, const struct gw_api *api,
                                   int64_t now_s, struct peer *peer, size_t *index)
{
    struct peer_vouched vouched;
    enum peer_fault fault;

    for (size_t i = 0; i < api->n_clients; i++) {
        *index = i;
        if (slice_is(api->clients[i].fingerprint, peer->fingerprint))
            return PEER_OK;
    }
    if (known->authorities == NULL)
        return PEER_UNTRUSTED;
    fault = peer_verify(known->authorities, peer, now_s, &vouched);
    if (fault != PEER_OK)
        return fault;
    peer->not_before = vouched.not_before;
    peer->not_after = vouched.not_after;
    for (size_t i = 0; i < api->n_clients; i++) {
        *index = i;
        if (api->clients[i].authority && slice_is(api->clients[i].fingerprint, vouched.by))
            return PEER_OK;
    }
    return PEER_UNTRUSTED;
}

static enum peer_fault verify(struct attempt *a, const struct rules_clients *known,
                              struct slice der, struct grant *out)
{
    const struct gw_api *api = a->out->api;
    struct peer peer;
    size_t index = 0;
    enum peer_fault fault = peer_read(der, a->w->arena, &peer);

    if (fault != PEER_OK)
        goto out;
    TRACE_SAY(a->trace, "'%" PRIslice "', SHA-256 %s", SLICE_ARG(peer.subject), peer.fingerprint);
    fault = find_client(known, api, clock_wall_s(a->clock), &peer, &index);
    if (fault != PEER_OK)
        goto out;
    *out = (struct grant){
        .exp = peer.not_after,
        .nbf = peer.not_before,
        .user = peer.subject.n > 0 ? peer.subject : api->clients[index].alias,
        .app = SLICE(""),
        .keytype = SLICE("PRODUCTION"),
        .scopes = SLICE(""),
        .subscriptions = SLICE(""),
        .issuer = index,
    };
out:
    peer_free(&peer);
    return fault;
}

/* The list and the certificate: equal lists of two APIs, or of two snapshots, share what is
 * remembered. No token begins with a byte of zero. */
static struct slice cache_key(struct attempt *a, const struct rules_clients *known,
                              struct slice der)
{
    size_t n = 1 + sizeof(known->hash) + der.n;
    char *room = arena_alloc(a->w->arena, n);

    if (room == NULL)
        return SLICE_NONE;
    room[0] = '\0';
    memcpy(room + 1, known->hash, sizeof(known->hash));
    memcpy(room + 1 + sizeof(known->hash), der.p, der.n);
    return slice_make(room, n);
}

static enum peer_fault check_times(const struct grant *g, int64_t now_s)
{
    return now_s > g->exp ? PEER_EXPIRED : now_s < g->nbf ? PEER_NOT_YET_VALID : PEER_OK;
}

static bool refuse_fault(struct attempt *a, enum peer_fault fault)
{
    enum refusal why = fault == PEER_INTERNAL ? REFUSE_INTERNAL
                       : fault == PEER_BROKEN ? REFUSE_NOT_CERTIFICATE
                                              : REFUSE_NO_CERTIFICATE;

    return refuse_certificate(a, why, peer_fault_text(fault), a->out->api->clients_declared);
}

bool certificate_open(struct attempt *a, const struct gw_need *need, struct slice der,
                      struct grant *out)
{
    const struct rules_clients *known = rules_api_clients(a->rules, a->out->api);
    struct cache *cache = a->w->cache;
    struct slice key = SLICE_NONE;
    enum peer_fault fault = PEER_BROKEN;
    bool hit = false;

    (void)need;
    TRACE_STEP(a->trace, CERTIFICATE, a->out->api->clients_declared);
    if (der.n > PEER_DER_MAX)
        return refuse_fault(a, PEER_BROKEN);
    if (cache != NULL && a->trace == NULL) { /* who asks why shall see all of it */
        key = cache_key(a, known, der);
        if (key.p == NULL)
            return refuse_fault(a, PEER_INTERNAL);
        hit = cache_find(cache, key, out);
    }
    fault = hit ? PEER_OK : verify(a, known, der, out);
    if (fault == PEER_OK)
        fault = check_times(out, clock_wall_s(a->clock));
    if (fault != PEER_OK) {
        if (hit)
            cache_drop(cache, key);
        return refuse_fault(a, fault);
    }
    if (!hit && key.p != NULL)
        cache_insert(cache, key, out, clock_wall_s(a->clock));
    if (out->issuer >= a->out->api->n_clients) /* the hash is over the list: this cannot be */
        return refuse_fault(a, PEER_INTERNAL);
    TRACE_SAY(a->trace, ", known as '%" PRIslice "'",
              SLICE_ARG(a->out->api->clients[out->issuer].alias));
    a->out->user = out->user;
    a->out->app = SLICE_NONE;
    a->out->keytype = out->keytype;
    return true;
}

bool certificate_admit(struct attempt *a, const struct grant *grant)
{
    const struct gw_client *client = &a->out->api->clients[grant->issuer];

    a->out->application = (struct enforce_application){.id = -1, .tier = SLICE("Unlimited")};
    if (client->tier.n > 0 && !slice_is(client->tier, "Unlimited")) {
        a->out->application.certificate = client->alias;
        a->out->application.subscription_tier = client->tier;
        a->out->application.stop_on_quota_reach = true;
    }
    return subscription_check_status(a);
}
