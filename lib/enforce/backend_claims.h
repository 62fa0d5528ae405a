/* backend_claims: what the JWT for a backend says (private to enforce).
 *
 * The gateway's own claims, of the API, the application and the subscription, and after them the
 * claims of the caller's token by the names that the issuer's claimMapping gives them. A claim of
 * the token can never stand for one of the gateway's, whether that one is there or not. */
#pragma once

#include "base/base.h"
#include "gateway/gateway.h"

struct enforce_application;

struct backend_claims {
    const struct gw_backend_jwt *settings;
    const struct gw_api *api;
    const struct enforce_application *application;
    const struct gw_issuer *issuer; /* of the token; NULL without one */
    struct slice user, keytype;
    struct slice token; /* payload of the verified token, JSON; empty: none is copied */
    const char *id;     /* jti */
    int64_t now_s;
};

/* Appends the claims, one JSON object. The buffer's error, or CC_EPARSE for a payload that is no
 * JSON object. */
int backend_claims_write(const struct backend_claims *in, struct buf *out);
