/* rules: a snapshot made ready to decide with (private to enforce; the calls are in enforce.h). */
#pragma once

#include "enforce/enforce.h"
#include "enforce/throttle_rules.h"

#include <stdatomic.h>

/* An issuer with its key parsed; NULL: its keys are in the live set of its jwks_url. */
struct rules_issuer {
    const struct gw_issuer *issuer;
    struct key *key;
    /* the application of its tokens when subscriptions are not looked at: "anon:NAME" and the UUID
     * that belongs to it */
    struct slice anonymous, anonymous_uuid;
};

/* By which certificates an API knows its clients. */
struct rules_clients {
    struct peer_store *authorities; /* those that vouch for others; NULL: none */
    char hash[65];                  /* SHA-256 over the list: what was verified by it stays so */
};

/* The JWT for backends; settings NULL: none is sent. */
struct rules_jwt {
    const struct gw_backend_jwt *settings;
    struct key *public;       /* of the certificate of the pair that signs */
    struct key *signing;      /* its private key; NULL: not given, and nothing can be signed */
    struct jwt_signer signer; /* with that key */
    bool unsigned_;           /* nobody wants the signature: cc-gen explain */
    char head[384];           /* of the JWT, encoded */
    char hash[65];            /* SHA-256 of what all JWTs depend on */
};

struct enforce_rules {
    atomic_uint references;
    uint64_t serial; /* no other rules have ever had it (base/serial.h) */
    struct gw_snapshot *snapshot;
    const struct gw_model *model;
    struct arena *arena;                      /* the arrays below */
    struct rules_issuer *issuers;             /* as model->issuers */
    const struct rules_issuer *introspecting; /* whose tokens may be opaque; NULL: nobody's */
    size_t *api_headers; /* for each API: where its auth_header is in model->headers */
    /* where Origin and Access-Control-Request-Method are in there; n_headers: no API has CORS */
    size_t origin_header, preflight_header;
    struct slice internal_key_uuid;      /* of the application of internal keys */
    size_t prefer_header, accept_header; /* the same for mock APIs */
    struct slice *cluster_hosts;         /* for each cluster: the Host that its backends see */
    struct throttle_rules throttle;
    struct rules_clients *clients; /* as model->apis */
    /* SHA-256 over all of the issuers that a verified token depends on: while it stays the same,
     * tokens that were verified under another snapshot stay verified. */
    char issuers_hash[65];
    struct rules_jwt jwt;
};

/* Who may sign tokens of this type as `iss`: the issuer whose `iss` is exactly this, else the one
 * that signs for any; or NULL. */
const struct rules_issuer *rules_find_issuer(const struct enforce_rules *r, struct slice iss,
                                             enum gw_token_type type);

/* Where `name` is in the model's headers, or n_headers. */
size_t rules_header_index(const struct gw_model *m, struct slice name);

/* Adds a text to what is hashed, so that no two lists of texts are the same bytes. */
void rules_hash_text(struct buf *b, struct slice s);

/* The header `name` of the request; NULL when it has none. */
const struct enforce_header *rules_find_header(const struct enforce_rules *r,
                                               const struct enforce_request *request,
                                               struct slice name);

/* The header of `api` that carries the token, as the request has it; NULL when it has none. */
const struct enforce_header *rules_auth_header(const struct enforce_rules *r,
                                               const struct gw_api *api,
                                               const struct enforce_request *request);

const struct rules_clients *rules_api_clients(const struct enforce_rules *r,
                                              const struct gw_api *api);

/* "pets.internal:8443": what a backend of this cluster gets as Host. */
struct slice rules_cluster_host(const struct enforce_rules *r, const struct gw_cluster *cluster);
