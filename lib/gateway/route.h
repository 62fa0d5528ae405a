/* The route table: (host, path) -> API and resource, at a cost that does not grow with the number
 * of APIs.
 *
 * One trie of path segments per virtual host, base paths and templates together. At each segment a
 * literal beats a mixed segment ("{id}.json"; most literal text first, then the longest text before
 * a parameter, then the order of bytes) beats a parameter ("{id}") beats a final wildcard
 * ("/...*"); when a choice leads nowhere the next one is tried. Each trie node is visited at most
 * once a look-up, because a node has one parent: there is no blow-up. A parameter matches one
 * non-empty segment; a wildcard matches the prefix itself, the prefix with a slash, and all below.
 * Trailing slashes are significant otherwise: /pets and /pets/ differ.
 *
 * Hosts: an exact name beats the longest "*.suffix" beats "*".
 *
 * The table is immutable once built and may be read from any thread without locks. */
#pragma once

#include "gateway/gateway.h"

struct gw_route_table;

/* Builds the table over `model`, which must outlive it. What makes the table unusable or ambiguous
 * is a finding that names both sides: CC2001 same base path on a virtual host, CC2002 base path,
 * CC2003 template, CC2108 virtual host not usable, CC2004 same operation twice. All are collected;
 * then CC_EREFUSED. */
int gw_route_table_new(struct gw_route_table **out, const struct gw_model *model,
                       struct diag *diag);
void gw_route_table_free(struct gw_route_table **t);

/* The findings alone, for who has no use for the table: that of 100,000 resources takes as long to
 * lay out as to check. CC_OK, CC_EREFUSED or CC_ENOMEM, as gw_route_table_new() would. */
int gw_route_check(const struct gw_model *model, struct diag *diag);

struct gw_route_match {
    const struct gw_api *api;
    const struct gw_resource *resource;
};

struct gw_route {
    const struct gw_api *api;           /* NULL: no API there */
    const struct gw_resource *resource; /* NULL: no resource there */
    bool host_known;                    /* some API is on this virtual host */
    /* Templates that match exactly the same requests (/pets/{id} and /pets/{name}) may be declared
     * apart when their methods differ. All are found then; api and resource are of the first. */
    const struct gw_route_match *matches;
    size_t n_matches;
};

/* Looks up a host (as gw_host_normalize() gives it) and a path (as gw_path_normalize() gives it).
 * True when a resource matches. When none does, out->api is the API with the longest base path
 * above the path, if any. The host is chosen first: what is not on an exact name is not looked for
 * on a wildcard. Allocates nothing. */
bool gw_route_find(const struct gw_route_table *t, struct slice host, struct slice path,
                   struct gw_route *out);

/* The operation of `method` among all matches, or NULL: 405 with gw_route_methods() as Allow. Sets
 * api and resource to those that the operation belongs to. */
const struct gw_operation *gw_route_operation(struct gw_route *route, enum gw_method method);

/* Methods of all matches: a bit set of 1u << enum gw_method. */
unsigned gw_route_methods(const struct gw_route *route);

/* The operation of `method` in one resource, or NULL. */
const struct gw_operation *gw_resource_operation(const struct gw_resource *r,
                                                 enum gw_method method);

/* Bytes of memory the table holds. */
size_t gw_route_table_bytes(const struct gw_route_table *t);
