/* audit: cc.yaml. */
#include "generator/audit_internal.h"

#include "crypto/crypto.h"
#include "generator/issuer_file.h"

enum { LEEWAY_GOOD_S = 60, EXPIRY_DAYS = 30, PEM_MAX_BYTES = 64 << 10 };

/* Of the element `i` of the list of issuers; its own place when the setting has none. */
static struct place issuer_place(struct review *r, size_t i, const char *setting)
{
    struct slice name =
        arena_printf(r->arena, "enforcer.security.tokenService[%zu].%s", i, setting);
    struct place place = name.p != NULL ? config_place(r->config, name.p) : PLACE_NONE;

    return place.source != NULL ? place : r->config->security.token_service[i].origin;
}

static void audit_algorithms(struct review *r, size_t at)
{
    const struct config_token_service *t = &r->config->security.token_service[at];
    struct place place = issuer_place(r, at, "algorithms");
    bool pkcs1 = false;

    for (size_t i = 0; i < t->n_algorithms; i++)
        pkcs1 = pkcs1 || slice_starts(t->algorithms[i], SLICE("RS"));
    if (pkcs1)
        diag_help(review_add(r, CC9010, place, "issuer \"%.*s\" may use RSASSA-PKCS1-v1_5",
                             (int)t->name.n, t->name.p),
                  "allow PS256, ES256 or EdDSA alone when the authorization server can do it");
    if (t->n_algorithms > 2)
        diag_help(review_add(r, CC9011, place, "issuer \"%.*s\" may use %zu algorithms",
                             (int)t->name.n, t->name.p, t->n_algorithms),
                  "list those that it uses");
}

static void audit_expiry(struct review *r, size_t at)
{
    const struct config_token_service *t = &r->config->security.token_service[at];
    struct slice path, pem;
    struct key *key = NULL;
    int64_t end, now = clock_wall_s(&clock_system);

    if (issuer_file(r->config, t, r->arena, &path) != NULL || path.n == 0 || file_read(r->arena, path.p, PEM_MAX_BYTES, &pem) != CC_OK ||
        key_public_from_pem(&key, pem) != CC_OK)
        return; /* told by the build of the model */
    end = key_not_after(key);
    if (end != 0 && end < now + (int64_t)EXPIRY_DAYS * 86400)
        diag_help(review_add(r, CC9029, issuer_place(r, at,
                                          t->certificate_alias.n > 0 ? "certificateAlias"
                                                                     : "certificateFilePath"),
                             end < now ? "the certificate of issuer \"%.*s\" has expired"
                                       : "the certificate of issuer \"%.*s\" is about to expire",
                             (int)t->name.n, t->name.p),
                  "ask its owner for the next one");
    key_free(&key);
}

static void audit_issuers(struct review *r)
{
    for (size_t i = 0; i < r->config->security.n_token_service; i++) {
        const struct config_token_service *t = &r->config->security.token_service[i];

        audit_algorithms(r, i);
        audit_expiry(r, i);
        if (t->n_audiences == 0)
            diag_help(review_add(r, CC9012, t->origin,
                                 "tokens of issuer \"%.*s\" count whomever they are for",
                                 (int)t->name.n, t->name.p),
                      "list in audiences what it writes into aud for this gateway");
    }
}

static void audit_tokens(struct review *r)
{
    const struct config *c = r->config;

    if (c->jwt_issuer.enabled)
        diag_help(review_add(r, CC9031, config_place(c, "enforcer.jwtIssuer.enabled"),
                             "/testkey signs tokens for %zu users", c->jwt_issuer.n_users),
                  "enforcer.jwtIssuer.enabled: false, unless this gateway is for tests");
    if (c->security.leeway_s > LEEWAY_GOOD_S)
        diag_help(review_add(r, CC9013, config_place(c, "enforcer.security.leewayInSeconds"),
                             "tokens are taken %llu s after they have expired",
                             (unsigned long long)c->security.leeway_s),
                  "60 is enough for clocks that are synchronized");
    if (c->security.auth_header.enable_outbound_auth_header)
        diag_help(
            review_add(r, CC9014,
                       config_place(c, "enforcer.security.authHeader.enableOutboundAuthHeader"),
                       "each endpoint gets the token of the client"),
            "leave it off unless all endpoints are trusted with that");
}

static void audit_upstream(struct review *r)
{
    const struct config *c = r->config;

    if (c->router.upstream.disable_ssl_verification)
        diag_help(review_add(r, CC9008,
                             config_place(c, "router.upstream.tls.disableSslVerification"),
                             "any certificate of an endpoint is believed"),
                  "trust the right authority instead: router.upstream.tls.trustedCertPath");
    else if (!c->router.upstream.verify_host_name)
        diag_help(review_add(r, CC9009, config_place(c, "router.upstream.tls.verifyHostName"),
                             "certificates of endpoints need not name their hosts"),
                  "remove the setting");
}

static void audit_redis(struct review *r)
{
    const struct config *c = r->config;
    struct slice address = c->agent.redis.address, host = SLICE("");
    uint64_t port;

    if (c->agent.redis.n_servers > 0) {
        if (!c->agent.redis.verify_host_name)
            diag_help(
                review_add(r, CC9033, config_place(c, "agent.redis.verifyHostName"),
                           "certificates of agent.redis.servers need not name them"),
                "remove the setting; agent.redis.serverName is for servers that are addresses");
        return;
    }
    if (c->agent.redis.password.n > 0 && address.n > 0 && address.p[0] != '/' &&
        !(config_split_address(address, &host, &port) && audit_is_local(host)))
        diag_help(review_add(r, CC9032, config_place(c, "agent.redis.address"),
                             "the password of Redis is sent to %.*s as plain text", (int)address.n,
                             address.p),
                  "agent.redis.servers lets HAProxy speak TLS with it; or use a unix socket");
}

static void audit_listener(struct review *r)
{
    const struct config *c = r->config;
    struct place place = config_place(c, "router.listenerHost");

    if (c->router.listener_port == 0 || audit_is_local(c->router.listener_host))
        return;
    if (place.source == NULL)
        place = config_place(c, "router.listenerPort");
    diag_help(review_add(r, CC9015, place, "port %llu of %.*s takes plain HTTP",
                         (unsigned long long)c->router.listener_port,
                         (int)c->router.listener_host.n, c->router.listener_host.p),
              "router.listenerPort: 0, or router.listenerHost: 127.0.0.1");
}

static void audit_proxies(struct review *r)
{
    const struct config *c = r->config;

    for (size_t i = 0; i < c->router.n_trusted_proxies; i++) {
        struct slice rest = c->router.trusted_proxies[i], address;
        uint64_t bits;

        slice_split(&rest, '/', &address);
        if (rest.p != NULL && slice_to_u64(rest, &bits) == CC_OK && bits == 0)
            diag_help(review_add(r, CC9030, config_place(c, "router.trustedProxies"),
                                 "%.*s may say who the client is",
                                 (int)c->router.trusted_proxies[i].n,
                                 c->router.trusted_proxies[i].p),
                      "list the addresses of your proxies alone");
    }
}

/* host:port of a listening agent, or a path. */
static void audit_agent(struct review *r)
{
    const struct config *c = r->config;
    struct slice socket = c->agent.socket, host = socket;

    if (socket.n > 0 && socket.p[0] == '/') {
        if ((c->agent.socket_mode & 07) != 0)
            diag_help(review_add(r, CC9020, config_place(c, "agent.socketMode"),
                                 "every user of this machine can connect to the agent"),
                      "agent.socketMode: \"0660\", with agent.socketGroup");
        return;
    }
    while (host.n > 0 && host.p[host.n - 1] != ':')
        host.n--;
    host.n -= host.n > 0;
    if (host.n > 1 && host.p[0] == '[')
        host = slice_make(host.p + 1, host.n - 2);
    if (!audit_is_local(host))
        diag_help(review_add(r, CC9021, config_place(c, "agent.socket"),
                             "the agent listens on %.*s", (int)socket.n, socket.p),
                  "use a unix socket, or 127.0.0.1");
}

void audit_settings(struct review *r)
{
    audit_issuers(r);
    audit_tokens(r);
    audit_upstream(r);
    audit_redis(r);
    audit_listener(r);
    audit_proxies(r);
    audit_agent(r);
}
