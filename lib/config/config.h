/* config: cc.yaml, read by one table of settings.
 *
 * settings.def has a row for each setting: name, type, default, limits, what a change needs, help.
 * The parser, the environment overrides, `cc-gen help settings`, the manual's table and the tests
 * all come from it. Order of precedence: default < cc.yaml < environment < overrides.
 *
 * Rules: a key that is no setting is an error with the nearest name; a list in cc.yaml replaces the
 * default list. Text in cc.yaml may contain $env{NAME} (unset NAME = error).
 * CC_ROUTER_LISTENERPORT=8080 overrides router.listenerPort: upper case, '_' between the parts of a
 * name, none inside a word; elements of lists by index from 0
 * (CC_ENFORCER_SECURITY_TOKENSERVICE_0_ISSUER), which may also add to the list; lists of text with
 * commas. A variable that begins with CC_ADAPTER_, CC_ROUTER_, CC_ENFORCER_, CC_AGENT_ or
 * CC_POLICIES and names no setting is an error: a misspelt override must not silently do nothing.
 * Other CC_... variables belong to others.
 *
 * A struct config and all its texts live in the arena given to config_load(). Paths of files are
 * made absolute, relative to the directory of cc.yaml (to the working directory when they come from
 * elsewhere); sockets must be absolute already. */
#pragma once

#include "base/base.h"

/* The environment "Default" is always there: with vhost localhost when it is not given. */
struct config_vhost_mapping {
    struct slice environment;
    struct slice vhost;
};

struct config_token_service {
    struct slice name;
    struct slice issuer;
    struct slice certificate_file_path; /* PEM certificate or public key */
    struct slice certificate_alias;     /* the same, by its name in the trust store */
    struct slice jwks_url;
    struct slice *algorithms; /* "RS256" ... */
    size_t n_algorithms;
    struct slice *signs; /* "access_token" ... */
    size_t n_signs;
    struct slice *audiences;
    size_t n_audiences;
    struct slice consumer_key_claim;
    struct slice scope_claim;
    struct slice *claim_mapping; /* "remote=local" */
    size_t n_claim_mapping;
    bool validate_subscription;
    struct slice claim_transformer; /* a name in enforcer.filters; "" = none */
    struct {
        struct slice url;
        struct slice client_id;
        struct slice client_secret_file, client_secret_variable; /* at most one of them */
    } introspection;
    struct place origin; /* of the element */
};

/* TLS of a listener, or with endpoints. */
struct config_tls {
    struct slice min_version, max_version; /* "TLS1_2", "TLS1_3" */
    struct slice ciphers;                  /* OpenSSL's names, with commas between them */
};

/* PEM files; both or none. */
struct config_key_pair {
    struct slice cert_path, key_path;
};

/* A key of the JWT for endpoints. */
struct config_jwt_key {
    struct slice certificate_path, private_key_path;
    bool signs;
    struct place origin; /* of the element */
};

/* A shared object with extensions (lib/enforce/cc_filter.h). */
struct config_filter {
    struct slice name;
    struct slice path;
    uint64_t position;        /* 1 to 3 */
    uint64_t time_limit_us;   /* of one call */
    struct slice *properties; /* "key=value" */
    size_t n_properties;
    struct slice *request_headers, *set_headers, *remove_headers;
    size_t n_request_headers, n_set_headers, n_remove_headers;
    struct place origin; /* of the element */
};

/* Who may have tokens for tests signed. */
struct config_jwt_user {
    struct slice name, password;
    struct place origin; /* of the element */
};

enum { CONFIG_REDIS_SERVERS = 8 };

struct config {
    struct {
        struct config_vhost_mapping *vhost_mapping;
        size_t n_vhost_mapping;
        bool soap_errors; /* soapErrorInXMLEnabled */
    } adapter;
    struct {
        struct slice listener_host, secured_listener_host, system_host;
        struct slice codec; /* "AUTO", "HTTP1", "HTTP2" */
        uint64_t listener_port, secured_listener_port;
        uint64_t cluster_timeout_s; /* connect */
        struct {
            bool enabled, allow_credentials;
            struct slice *allow_origins, *allow_methods, *allow_headers, *expose_headers;
            size_t n_allow_origins, n_allow_methods, n_allow_headers, n_expose_headers;
            struct place place; /* of the first of them that is no default */
        } cors;
        struct slice *trusted_proxies; /* addresses and networks whose X-Forwarded-For counts */
        size_t n_trusted_proxies;
        struct config_key_pair keystore;
        struct config_tls downstream_tls;
        struct {
            bool enabled, responses;
            uint64_t min_bytes;
            struct slice *types;
            size_t n_types;
        } compression;
        struct slice entry_socket; /* handed-over requests of an existing frontend; "" = off */
        struct slice chroot;       /* HAProxy's chroot; agent.socket is below it when it is set */
        struct slice log_target;   /* HAProxy `log` target; "" = the user's `log global` */
        struct {
            uint64_t route_timeout_s, max_route_timeout_s, route_idle_timeout_s;
            uint64_t max_retries;
            struct slice *retry_statuses; /* "504" ... */
            size_t n_retry_statuses;
            uint64_t health_interval_s, health_timeout_s;
            uint64_t unhealthy_threshold, healthy_threshold;
            struct config_tls tls;
            struct config_key_pair keystore; /* who the gateway is to endpoints */
            struct slice ca_file;            /* trustedCertPath; "" = the system's */
            bool verify_host_name, disable_ssl_verification;
            bool resolve_at_start; /* init-addr libc besides the run-time resolver */
            uint64_t dns_refresh_ms;
        } upstream;
        uint64_t request_headers_timeout_s, stream_idle_timeout_s, idle_timeout_s;
        uint64_t buffer_bytes; /* of a connection; HAProxy's tune.bufsize */
    } router;
    struct {
        struct {
            struct slice authorization_header;     /* lower case */
            struct slice test_console_header_name; /* the same */
            bool enable_outbound_auth_header;
        } auth_header;
        struct {
            bool enabled;                  /* enableClientValidation: the listener asks */
            struct slice *trusted_proxies; /* addresses and networks */
            size_t n_trusted_proxies;
            struct slice header; /* lower case */
            bool outbound;
        } mutual_ssl;
        uint64_t leeway_s;
        struct config_token_service *token_service;
        size_t n_token_service;
        struct {
            struct slice ca_file; /* trustedCertPath; "" = the system's */
            uint64_t timeout_s, maximum_bytes, interval_s, minimum_age_s, maximum_age_s, stale_s;
        } jwks;
        struct {
            struct slice ca_file; /* trustedCertPath; "" = the system's */
            uint64_t timeout_ms, maximum_bytes, maximum_age_s, negative_age_s;
            uint64_t maximum_calls, maximum_queued;
        } introspection;
        struct {
            struct slice file; /* of revoked tokens; "" = none */
            uint64_t maximum_entries;
            bool without_redis;
        } revocation;
    } security;
    struct config_filter *filters;
    size_t n_filters;
    struct slice truststore; /* directory of certificates by alias; "" = none */
    struct slice policies;   /* directory of throttling policies; "" = the shipped ones */
    struct {
        bool enabled;
        struct slice window;               /* "fixed", "sliding" */
        struct slice unknown_tier;         /* "deny", "allow" */
        struct slice unauthenticated_tier; /* of requests without credentials */
        uint64_t ipv6_prefix_length;       /* of addresses in keys */
        struct slice *headers;             /* "RateLimit", "X-RateLimit" */
        size_t n_headers;
        struct place tier_place; /* of unauthenticated_tier */
    } throttling;
    struct slice subscriptions; /* file or directory of who is subscribed to what; "" = none */
    struct {
        bool enabled, convert_dialect, user_claims, with_kid;
        struct slice header; /* lower case */
        struct slice encoding, dialect, algorithm, key_id_form;
        struct slice generator; /* a name in enforcer.filters; "" = none */
        struct slice *excluded;
        size_t n_excluded;
        uint64_t ttl_s;
        struct slice certificate_path, private_key_path; /* of the only key; or "" */
        struct config_jwt_key *key_pairs;
        size_t n_key_pairs;
    } jwt_generator;
    struct {
        bool enabled;
        struct slice issuer, encoding, dialect, algorithm;
        struct slice certificate_path, private_key_path;
        uint64_t validity_s;
        struct config_jwt_user *users;
        size_t n_users;
    } jwt_issuer;
    struct {
        bool enabled;
        uint64_t maximum_size;  /* tokens over all workers */
        uint64_t maximum_bytes; /* memory for them over all workers */
    } cache;
    struct {
        uint64_t maximum_keys;    /* that can be counted at a time */
        uint64_t save_interval_s; /* in the state directory */
        struct {
            struct slice mode; /* "local", "async", "strict" */
            uint64_t gateways, interval_ms, lease_percent, lease_minimum, deadline_ms;
            struct slice away; /* "local", "deny", "allow" */
        } shared;
    } counters;
    struct {
        struct slice socket;       /* unix path, or host:port */
        uint64_t socket_mode;      /* octal text in cc.yaml */
        struct slice socket_group; /* "" = leave */
        struct slice admin_socket; /* "" = none */
        struct {
            struct slice address; /* "" = none */
            struct slice user, password, prefix;
            uint64_t database, connect_timeout_ms, command_timeout_ms;
            struct slice *servers; /* host:port; behind HAProxy, which speaks TLS with them */
            size_t n_servers;
            struct slice server_name;        /* "" = each one's host */
            struct slice ca_file;            /* "" = that of endpoints */
            struct config_key_pair keystore; /* who the gateway is to servers */
            bool verify_host_name;
        } redis;
        struct slice state_directory; /* "" = nothing is saved */
        uint64_t workers;             /* 0 = one a CPU, at most 8 */
        uint64_t processing_timeout_ms;
        uint64_t maximum_waiting; /* requests of a worker */
        uint64_t drain_timeout_s;
        struct slice log_level, log_format;
    } agent;
};

/* An override that stands above all others: how `cc-gen run` and --set place values. */
struct config_override {
    struct slice name; /* "agent.socket", "adapter.vhostMapping[0].vhost" */
    struct slice value;
};

/* Reads `path` (NULL: no file, defaults and environment only). `environ_` is a NULL-terminated
 * array of "NAME=value" (pass environ); NULL = empty. Findings CC1xxx about the file and CC3xxx
 * about settings, all at once; CC_EINVAL when there was an error: *out then has defaults (in lists,
 * maybe empty texts) in place of what was refused, good for finding more faults and nothing else.
 * Blocks on the file. */
int config_load(struct config **out, const char *path, char *const *environ_,
                const struct config_override *overrides, size_t n_overrides, struct arena *arena,
                struct diag *diag);

/* What the settings are, for help texts, docs and tests. */
struct config_setting {
    const char *name;   /* "router.listenerPort"; elements of lists: "a.b[].c" */
    const char *type;   /* "port", "seconds", "text", "true or false", "list of text", ... */
    const char *def;    /* the default as it would stand in cc.yaml */
    const char *limits; /* "0 to 65535", or "" */
    const char *change; /* what makes a new value work: "cc-gen build", "restart cc-spoa" */
    const char *help;
};
const struct config_setting *config_settings(size_t *n);

/* Where the effective value of a setting comes from: "default", "file:line:col", "environment CC_X"
 * or "--set NAME". Written into out; false when there is no such setting. Settings of list elements
 * are named with their index, "a.b[0].c", and must exist. */
bool config_origin(const struct config *c, const char *name, struct buf *out);

/* The effective value as it would stand in cc.yaml. */
bool config_value(const struct config *c, const char *name, struct buf *out);

/* Where the effective value of a setting comes from, for a finding: its place in cc.yaml; a source
 * called as the variable or the option; PLACE_NONE for a default, and when there is no such
 * setting. */
struct place config_place(const struct config *c, const char *name);

/* "host:port" in its parts, the host without brackets. False: it is none. */
bool config_split_address(struct slice text, struct slice *host, uint64_t *port);

/* Is `target` something that router.haproxy.logTarget may be? *name is the host in it that HAProxy
 * looks up when it starts, SLICE_NONE when there is none. */
bool config_log_host(struct slice target, struct slice *name);
