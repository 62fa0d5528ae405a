/* certificate: the client's certificate as a credential (private to enforce; mutual TLS).
 *
 * An API lists the certificates by which it knows its clients (gw_api.clients): a client's own is
 * compared by its fingerprint, an authority's vouches for those that it signed. Either must be
 * valid now. What was verified once is remembered in the worker's cache, like a token, under the
 * certificate and the list that it was verified with. */
#pragma once

#include "enforce/credential.h"

/* The certificate of the connection, or the one that a trusted proxy told about; as DER. */
enum credential_state certificate_find(struct attempt *a, const struct gw_need *need,
                                       struct slice *der);

/* Does the API know it, and is it valid now? The user is its subject; where that is empty, its
 * alias. */
bool certificate_open(struct attempt *a, const struct gw_need *need, struct slice der,
                      struct grant *out);

/* The API is not blocked. No application: its tier is "Unlimited". */
bool certificate_admit(struct attempt *a, const struct grant *grant);
