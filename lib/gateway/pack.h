/* pack: parts of a model <-> bytes, for cc-gen's cache.
 *
 * Works from the same tables as the snapshot (snapshot_schema.h), so that a new member of the model
 * is packed as soon as the snapshot has it. The bytes are for the very program that wrote them:
 * there is no version in them, and nobody else reads them. Whoever reads believes no length and no
 * number; what does not add up is CC_EPARSE. */
#pragma once

#include "gateway/gateway.h"

/* Pointers out of the packed object, as numbers that its owner gives and takes back. */
struct gw_pack_links {
    void *context;
    /* unpacking: what a reader of snapshots would refuse is CC_EPARSE too. Not for what a project
     * with errors comes to, which may be anything */
    bool strict;
    /* packing: 0 = NULL */
    uint32_t (*source_number)(void *context, const struct source *source);
    uint32_t (*cluster_number)(void *context, const struct gw_cluster *cluster);
    uint32_t (*cors_number)(void *context, const struct gw_cors *cors);
    uint32_t (*identity_number)(void *context, const struct gw_identity *identity);
    /* unpacking, numbers from 1: NULL when there is no such. Clusters and identities are put where
     * they belong, and their owner may remember where that was; false: there is none */
    const struct source *(*source)(void *context, uint32_t number);
    bool (*cluster)(void *context, uint32_t number, const struct gw_cluster **at);
    bool (*identity)(void *context, uint32_t number, const struct gw_identity **at);
    const struct gw_cors *(*cors)(void *context, uint32_t number);
};

enum gw_pack_kind { GW_PACK_API, GW_PACK_CLUSTER, GW_PACK_CORS, GW_PACK_IDENTITY };

/* Adds the object to `out`, whose error sticks. */
void gw_pack(struct buf *out, enum gw_pack_kind kind, const void *object,
             const struct gw_pack_links *links);

/* Reads an object from the beginning of *in and moves it on. Texts are NUL-terminated and point
 * into the bytes; lists are in the arena. CC_EPARSE, CC_ENOMEM. */
int gw_unpack(struct slice *in, enum gw_pack_kind kind, void *object,
              const struct gw_pack_links *links, struct arena *arena);

/* What they are made of, for what stands beside the objects. */
void gw_pack_number(struct buf *out, uint64_t n);
void gw_pack_text(struct buf *out, struct slice text);
int gw_unpack_number(struct slice *in, uint64_t max, uint64_t *n);
int gw_unpack_text(struct slice *in, struct slice *text);
