#include "config/loader.h"

#include <arpa/inet.h>

/* Where a setting got its value; of two, the first that was not a default. */
static struct place place_of(struct loader *l, const char *name, const char *or_name)
{
    const char *const names[] = {name, or_name};

    for (size_t i = 0; i < 2; i++) {
        const struct origin *o = loader_origin(l->store, settings_find_row(slice_of(names[i])), 0);

        if (o->kind != FROM_DEFAULT)
            return o->place;
    }
    return PLACE_NONE;
}

static bool is_any_address(struct slice host)
{
    return slice_is(host, "0.0.0.0") || slice_is(host, "::") || slice_is(host, "[::]") ||
           slice_is(host, "*");
}

static bool is_address(int family, struct slice s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address; /* the larger of the two */

    if (s.n == 0 || s.n >= sizeof(text) || slice_find(s, '\0') >= 0)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, &address) == 1;
}

static bool is_bracketed(struct slice s)
{
    return s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' &&
           is_address(AF_INET6, slice_make(s.p + 1, s.n - 2));
}

/* What HAProxy can bind. It would look a name up each time it starts, and not start when that
 * fails.
 */
static void check_bind_host(struct loader *l, const char *name, struct slice host)
{
    if (slice_is(host, "*") || slice_eq_nocase(host, SLICE("localhost")) ||
        is_address(AF_INET, host) || is_address(AF_INET6, host) || is_bracketed(host))
        return;
    diag_help(diag_error(l->diag, CC3003, place_of(l, name, name),
                         "%s is '%" PRIslice "', expected an address of this machine", name,
                         SLICE_ARG(host)),
              "an IPv4 address, an IPv6 address, localhost, or 0.0.0.0 or \"::\" for all");
}

/* Labels of letters, digits, '-' and '_'; not all digits and dots, which is a wrong address. */
static bool is_dns_name(struct slice s)
{
    bool has_letter = false;
    char before = '.';

    for (size_t i = 0; i < s.n; i++) {
        bool word = ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || s.p[i] == '_';

        if (!word && s.p[i] != '-' && (s.p[i] != '.' || before == '.'))
            return false;
        has_letter = has_letter || ascii_is_alpha(s.p[i]);
        before = s.p[i];
    }
    return has_letter;
}

/* "HOST" of "HOST" or "HOST:PORT"; false when there is something else. */
static bool split_host(struct slice s, struct slice *host)
{
    size_t colon = s.n;
    uint64_t port;

    *host = s;
    while (colon > 0 && s.p[colon - 1] != ':' && s.p[colon - 1] != ']')
        colon--;
    if (colon == 0 || s.p[colon - 1] == ']')
        return true;
    *host = slice_first(s, colon - 1);
    return slice_to_u64(slice_from(s, colon), &port) == CC_OK && port >= 1 && port <= 65535;
}

bool config_log_host(struct slice target, struct slice *name)
{
    static const struct slice families[] = {SLICE_INIT("udp@"), SLICE_INIT("udp4@"),
                                            SLICE_INIT("udp6@"), SLICE_INIT("ipv4@"),
                                            SLICE_INIT("ipv6@")};
    struct slice host;

    *name = SLICE_NONE;
    if (target.n == 0 || target.p[0] == '/' || slice_is(target, "stdout") ||
        slice_is(target, "stderr"))
        return true;
    if (slice_starts(target, SLICE("ring@")))
        return is_dns_name(slice_from(target, 5));
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (slice_starts(target, families[i])) {
            target = slice_from(target, families[i].n);
            break;
        }
    if (!split_host(target, &host))
        return false;
    if (is_address(AF_INET, host) || is_bracketed(host))
        return true;
    *name = host;
    return is_dns_name(host);
}

static void check_log_target(struct loader *l)
{
    const char *setting = "router.haproxy.logTarget";
    struct slice target = l->store->config.router.log_target, name;

    if (!config_log_host(target, &name))
        diag_help(diag_error(l->diag, CC3003, place_of(l, setting, setting),
                             "%s is '%" PRIslice "', which is nothing that HAProxy logs to",
                             setting, SLICE_ARG(target)),
                  "HOST:PORT with a name, an IPv4 address or an IPv6 address in brackets, the "
                  "absolute path of a socket, stdout, stderr, or ring@NAME");
}

static void check_listeners(struct loader *l)
{
    const struct config *c = &l->store->config;
    struct slice plain = c->router.listener_host, secured = c->router.secured_listener_host;
    struct place place = place_of(l, "router.securedListenerPort", "router.listenerPort");

    if (c->router.listener_port == 0 && c->router.secured_listener_port == 0 &&
        c->router.entry_socket.n == 0)
        diag_help(diag_error(l->diag, CC3005, place,
                             "router.listenerPort and router.securedListenerPort are both 0 and "
                             "there is no router.entrySocket: nothing could reach the gateway"),
                  "give one of them");
    if (c->router.listener_port != 0 &&
        c->router.listener_port == c->router.secured_listener_port &&
        (slice_eq(plain, secured) || is_any_address(plain) || is_any_address(secured)))
        diag_help(diag_error(l->diag, CC3005, place,
                             "router.listenerPort and router.securedListenerPort are both %llu",
                             (unsigned long long)c->router.listener_port),
                  "give them different ports, or listen on different addresses");
}

/* The gateway compares the Host of requests with it, in normal form and without port. */
static bool is_one_host(struct slice s)
{
    char text[INET6_ADDRSTRLEN], normal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    char before = '.'; /* a leading dot is an empty label */

    if (slice_find(s, ':') >= 0) {
        if (s.n >= sizeof(text))
            return false;
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        return inet_pton(AF_INET6, text, &address) == 1 &&
               inet_ntop(AF_INET6, &address, normal, sizeof(normal)) != NULL &&
               slice_eq_nocase(s, slice_of(normal));
    }
    for (size_t i = 0; i < s.n; i++) {
        if (slice_find(SLICE("*[]"), s.p[i]) >= 0 || (s.p[i] == '.' && before == '.'))
            return false;
        before = s.p[i];
    }
    return before != '.';
}

static void check_system_host(struct loader *l)
{
    struct slice host = l->store->config.router.system_host;

    if (!slice_is(host, "*") && !is_one_host(host))
        diag_help(diag_error(l->diag, CC3003, place_of(l, "router.systemHost", "router.systemHost"),
                             "router.systemHost is '%" PRIslice "', expected one host",
                             SLICE_ARG(host)),
                  "a name without port and final dot, an IPv6 address in its shortest form without "
                  "brackets, or * for any host");
}

/* "SECTION.keyPath" and "SECTION.certPath": both or none. */
static void check_key_pair(struct loader *l, const char *cert, const char *key,
                           const struct config_key_pair *pair, const char *help)
{
    bool has_key = pair->key_path.n > 0;

    if (has_key != (pair->cert_path.n > 0))
        diag_help(diag_error(l->diag, CC3005, place_of(l, key, cert), "%s is set and %s is not",
                             has_key ? key : cert, has_key ? cert : key),
                  "%s", help);
}

static void check_key_pairs(struct loader *l)
{
    const struct config *c = &l->store->config;

    check_key_pair(l, "router.keystore.certPath", "router.keystore.keyPath", &c->router.keystore,
                   "the HTTPS listener needs both");
    check_key_pair(l, "router.upstream.tls.certPath", "router.upstream.tls.keyPath",
                   &c->router.upstream.keystore, "who shows a certificate must have its key, too");
    check_key_pair(l, "agent.redis.certPath", "agent.redis.keyPath", &c->agent.redis.keystore,
                   "who shows a certificate must have its key, too");
}

/* Is `path` inside of directory `dir`? By name; a ".." could lead anywhere and so counts as out. */
static bool is_inside(struct slice path, struct slice dir)
{
    while (dir.n > 0 && dir.p[dir.n - 1] == '/')
        dir.n--;
    return slice_starts(path, dir) && path.n > dir.n + 1 && path.p[dir.n] == '/' &&
           !slice_contains(path, SLICE("/../"));
}

static void check_shared_counters(struct loader *l)
{
    const struct config *c = &l->store->config;

    if (!slice_is(c->counters.shared.mode, "local") && c->agent.redis.address.n == 0)
        diag_help(diag_error(l->diag, CC3005,
                             place_of(l, "enforcer.throttling.shared.mode", "agent.redis.address"),
                             "enforcer.throttling.shared.mode is %" PRIslice " and there is no "
                             "agent.redis.address",
                             SLICE_ARG(c->counters.shared.mode)),
                  "gateways share their counters through Redis");
    if (slice_is(c->counters.shared.mode, "strict") &&
        c->counters.shared.deadline_ms * 6 > c->agent.processing_timeout_ms * 5)
        diag_help(diag_error(l->diag, CC3005,
                             place_of(l, "enforcer.throttling.shared.deadlineInMillis",
                                      "agent.processingTimeoutInMillis"),
                             "enforcer.throttling.shared.deadlineInMillis is %llu, more than five "
                             "sixths of agent.processingTimeoutInMillis",
                             (unsigned long long)c->counters.shared.deadline_ms),
                  "no decision waits for longer than %llu ms",
                  (unsigned long long)c->agent.processing_timeout_ms * 5 / 6);
}

/* HAProxy takes connections for agents of this machine, which it asks for nothing. */
static bool is_local(struct slice address)
{
    struct slice host;
    uint64_t port;

    return address.p[0] == '/' ||
           (config_split_address(address, &host, &port) &&
            (slice_is(host, "localhost") || slice_is(host, "::1") ||
             (is_address(AF_INET, host) && slice_starts(host, SLICE("127.")))));
}

static void check_redis_server(struct loader *l, struct slice server, struct place place)
{
    const struct config *c = &l->store->config;
    struct slice host;
    uint64_t port;

    if (!config_split_address(server, &host, &port))
        diag_help(diag_error(l->diag, CC3003, place,
                             "agent.redis.servers has '%" PRIslice "', which is not host:port",
                             SLICE_ARG(slice_first(server, 64))),
                  "an IPv6 address stands in brackets; there is no scheme, it always is TLS");
    else if (c->agent.redis.verify_host_name && c->agent.redis.server_name.n == 0 &&
             (is_address(AF_INET, host) || is_address(AF_INET6, host)))
        diag_help(diag_error(l->diag, CC3005, place,
                             "HAProxy cannot find the address %" PRIslice
                             " in a certificate, only names",
                             SLICE_ARG(host)),
                  "give the name that is in it: agent.redis.serverName");
}

/* Who sets it believes that it is shown: without servers nobody speaks TLS. */
static void check_no_redis_certificate(struct loader *l)
{
    const struct config_key_pair *pair = &l->store->config.agent.redis.keystore;
    const char *setting = pair->cert_path.n > 0 ? "agent.redis.certPath" : "agent.redis.keyPath";

    if (pair->cert_path.n > 0 || pair->key_path.n > 0)
        diag_help(diag_error(l->diag, CC3005, place_of(l, setting, "agent.redis.address"),
                             "%s is set and there are no agent.redis.servers", setting),
                  "certificates are shown in TLS, which is spoken with agent.redis.servers alone");
}

static void check_redis(struct loader *l)
{
    const struct config *c = &l->store->config;
    struct place place = place_of(l, "agent.redis.servers", "agent.redis.address");

    if (c->agent.redis.n_servers == 0) {
        check_no_redis_certificate(l);
        return;
    }
    if (c->agent.redis.address.n == 0 || !is_local(c->agent.redis.address))
        diag_help(
            diag_error(l->diag, CC3005, place,
                       "there are agent.redis.servers, and agent.redis.address is not a place "
                       "of this machine"),
            "a unix socket, or a port of 127.0.0.1: there HAProxy listens for the agent");
    if (c->agent.redis.n_servers > CONFIG_REDIS_SERVERS)
        diag_error(l->diag, CC3003, place, "agent.redis.servers has %zu servers; there can be %d",
                   c->agent.redis.n_servers, (int)CONFIG_REDIS_SERVERS);
    for (size_t i = 0; i < c->agent.redis.n_servers; i++)
        check_redis_server(l, c->agent.redis.servers[i], place);
}

static void check_chroot(struct loader *l)
{
    const struct config *c = &l->store->config;

    if (c->router.chroot.n > 0 && c->agent.socket.p[0] == '/' &&
        !is_inside(c->agent.socket, c->router.chroot))
        diag_help(diag_error(l->diag, CC3005, place_of(l, "agent.socket", "router.haproxy.chroot"),
                             "agent.socket %" PRIslice " is not inside of router.haproxy.chroot "
                             "%" PRIslice ", where HAProxy could not reach it",
                             SLICE_ARG(c->agent.socket), SLICE_ARG(c->router.chroot)),
                  "put the socket below the chroot directory");
}

static void check_environments(struct loader *l)
{
    const struct config *c = &l->store->config;
    const struct config_vhost_mapping *list = c->adapter.vhost_mapping;
    int setting = settings_find_row(SLICE("adapter.vhostMapping[].environment"));

    for (size_t i = 1; i < c->adapter.n_vhost_mapping; i++)
        for (size_t j = 0; j < i; j++)
            if (slice_eq(list[i].environment, list[j].environment))
                diag_error(l->diag, CC3005, loader_origin(l->store, setting, i)->place,
                           "adapter.vhostMapping has the environment '%" PRIslice "' twice",
                           SLICE_ARG(list[i].environment));
}

static void check_issuer_names(struct loader *l)
{
    const struct config *c = &l->store->config;
    const struct config_token_service *list = c->security.token_service;
    int setting = settings_find_row(SLICE("enforcer.security.tokenService[].name"));

    for (size_t i = 1; i < c->security.n_token_service; i++)
        for (size_t j = 0; j < i; j++)
            if (list[i].name.n > 0 && slice_eq(list[i].name, list[j].name))
                diag_error(l->diag, CC3005, loader_origin(l->store, setting, i)->place,
                           "enforcer.security.tokenService has the name '%" PRIslice "' twice",
                           SLICE_ARG(list[i].name));
}

/* An access token is found by its iss. That it is empty is told by who makes issuers of these. */
static void check_issuer_texts(struct loader *l)
{
    const struct config *c = &l->store->config;
    int setting = settings_find_row(SLICE("enforcer.security.tokenService[].issuer"));

    for (size_t i = 0; i < c->security.n_token_service; i++) {
        const struct config_token_service *t = &c->security.token_service[i];
        bool needs = false;

        for (size_t k = 0; k < t->n_signs; k++)
            needs = needs || slice_is(t->signs[k], "access_token");
        if (needs && loader_origin(l->store, setting, i)->kind == FROM_DEFAULT)
            diag_help(diag_error(l->diag, CC3007, t->origin, "%s is missing",
                                 loader_title(l, setting, i)),
                      "write the iss claim of its access tokens; an issuer of keys alone "
                      "(signs: [api_key]) needs none");
    }
}

static void check_tls_versions(struct loader *l, const char *min, const char *max,
                               const struct config_tls *tls, const char *who)
{
    if (slice_is(tls->min_version, "TLS1_3") && slice_is(tls->max_version, "TLS1_2"))
        diag_error(l->diag, CC3005, place_of(l, min, max), "%s is later than %s: %s", min, max,
                   who);
}

static void check_tls(struct loader *l)
{
    const struct config *c = &l->store->config;

    check_tls_versions(l, "router.downstream.tls.minimumProtocolVersion",
                       "router.downstream.tls.maximumProtocolVersion", &c->router.downstream_tls,
                       "no client could connect");
    check_tls_versions(l, "router.upstream.tls.minimumProtocolVersion",
                       "router.upstream.tls.maximumProtocolVersion", &c->router.upstream.tls,
                       "no endpoint could be reached");
}

/* ADDRESS or ADDRESS/BITS of either family, with at least `least` bits. */
static bool is_network(struct slice s, uint64_t least)
{
    struct slice bits = s, address;
    uint64_t n = least, max;

    slice_split(&bits, '/', &address);
    max = is_address(AF_INET, address) ? 32 : is_address(AF_INET6, address) ? 128 : 0;
    if (bits.p != NULL && slice_to_u64(bits, &n) != CC_OK)
        return false;
    return max > 0 && n >= least && n <= max;
}

static void check_networks(struct loader *l, const char *setting, const struct slice *list,
                           size_t n_list, uint64_t least, const char *help)
{
    for (size_t i = 0; i < n_list; i++)
        if (!is_network(list[i], least))
            diag_help(diag_error(l->diag, CC3003, place_of(l, setting, setting),
                                 "%s has '%" PRIslice "', expected an address or a network",
                                 setting, SLICE_ARG(list[i])),
                      "192.0.2.7, 10.1.0.0/16 or 2001:db8::/64%s", help);
}

/* Everybody may be believed who the client is, as on a network of one's own (audit tells it); but
 * not which certificate a client has. */
static void check_proxies(struct loader *l)
{
    const struct config *c = &l->store->config;

    check_networks(l, "router.trustedProxies", c->router.trusted_proxies,
                   c->router.n_trusted_proxies, 0, "");
    check_networks(l, "enforcer.security.mutualSSL.trustedProxies",
                   c->security.mutual_ssl.trusted_proxies, c->security.mutual_ssl.n_trusted_proxies,
                   1, "; not /0, from where anybody could claim any certificate");
}

/* It is removed from all requests, and others are not the gateway's to take. */
static void check_certificate_header(struct loader *l)
{
    static const char setting[] = "enforcer.security.mutualSSL.certificateHeader";
    static const char *const taken[] = {"host",       "authorization",     "cookie",
                                        "connection", "content-length",    "content-type",
                                        "upgrade",    "transfer-encoding", "expect"};
    struct slice name = l->store->config.security.mutual_ssl.header;
    bool refused = slice_starts(name, SLICE("x-cc-"));

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        refused = refused || slice_is(name, taken[i]);
    if (refused)
        diag_help(diag_error(l->diag, CC3003, place_of(l, setting, setting),
                             "%s is '%" PRIslice "', which cannot hold a certificate", setting,
                             SLICE_ARG(name)),
                  "a name like X-WSO2-CLIENT-CERTIFICATE or X-SSL-Cert");
}

static void check_key_sets(struct loader *l)
{
    const struct config *c = &l->store->config;

    if (c->security.jwks.minimum_age_s > c->security.jwks.maximum_age_s)
        diag_error(l->diag, CC3025,
                   place_of(l, "enforcer.security.jwks.minimumAgeInSeconds",
                            "enforcer.security.jwks.maximumAgeInSeconds"),
                   "enforcer.security.jwks.minimumAgeInSeconds is %llu, above maximumAgeInSeconds, "
                   "%llu",
                   (unsigned long long)c->security.jwks.minimum_age_s,
                   (unsigned long long)c->security.jwks.maximum_age_s);
}

/* Where findings about the CORS policy and a tier, and decisions by them, point at. */
static void place_settings(struct loader *l)
{
    struct place place = place_of(l, "router.cors.allowOrigins", "router.cors.allowCredentials");

    if (place.source == NULL)
        place = place_of(l, "router.cors.allowMethods", "router.cors.allowHeaders");
    if (place.source == NULL)
        place = place_of(l, "router.cors.exposeHeaders", "router.cors.enabled");
    l->store->config.router.cors.place = place;
    l->store->config.throttling.tier_place = place_of(l, "enforcer.throttling.unauthenticatedTier",
                                                      "enforcer.throttling.unauthenticatedTier");
}

/* Settings of elements that have no default: their text is empty although it may not be. */
static void check_required(struct loader *l)
{
    size_t n;
    const struct config_setting *rows = config_settings(&n);

    for (int i = 0; i < (int)n; i++) {
        const struct setting *s = &settings[i];

        if (s->list == LIST_NONE || s->min == 0 || strcmp(rows[i].def, "\"\"") != 0)
            continue;
        for (size_t e = 0; e < loader_list_length(l->store, s->list); e++) {
            const struct origin *o = loader_origin(l->store, i, e);

            if (o->kind == FROM_DEFAULT)
                diag_help(
                    diag_error(l->diag, CC3007, o->place, "%s is missing", loader_title(l, i, e)),
                    "%s", rows[i].help);
        }
    }
}

void config_check(struct loader *l)
{
    check_listeners(l);
    check_bind_host(l, "router.listenerHost", l->store->config.router.listener_host);
    check_bind_host(l, "router.securedListenerHost", l->store->config.router.secured_listener_host);
    check_log_target(l);
    check_system_host(l);
    check_key_pairs(l);
    check_tls(l);
    check_shared_counters(l);
    check_redis(l);
    check_chroot(l);
    check_environments(l);
    check_issuer_names(l);
    check_issuer_texts(l);
    check_key_sets(l);
    check_proxies(l);
    check_certificate_header(l);
    check_required(l);
    place_settings(l);
}
