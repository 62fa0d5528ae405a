/* The snapshot: a gw_model as one JSON file, and back.
 *
 * Schema: {"schema":6,"hash":"...","generation":7,...,"content":"sha256 of the rest",...}; the
 * tables in snapshot_schema.h are its definition. The writer is deterministic: equal models give
 * equal bytes. The reader believes nothing: layout, types, ranges, references and both hashes are
 * checked, memory is bounded by the size of the text; a snapshot is accepted whole or refused with
 * the reason (CC6001 findings, without a place, for the model that places point into is gone by
 * then).
 *
 * Reading blocks (file) and takes up to a second for a very large snapshot: not for a worker. */
#pragma once

#include "gateway/gateway.h"
#include "gateway/route.h"

enum { GW_SCHEMA = 6, GW_SNAPSHOT_MAX_BYTES = 256 << 20 };

/* Writes the model into buf. CC_OK, the buffer's error, CC_EINVAL (an API without a cluster), or
 * CC_ETOOBIG (an API that takes more than 16 MiB). */
int gw_snapshot_write(const struct gw_model *model, struct buf *out);

/* The same in two steps, for who wants to know whether anything changed before a generation number
 * is taken, and in parts, which are large and need not be copied. */
enum { GW_SNAPSHOT_PARTS = 3 };

struct gw_snapshot_text {
    struct buf parts[GW_SNAPSHOT_PARTS]; /* the numbers; settings and files; all else */
    char hash[65];                       /* of the content: gw_model_hash() */
};

void gw_snapshot_text_init(struct gw_snapshot_text *t);
void gw_snapshot_text_free(struct gw_snapshot_text *t);

/* All but the numbers, and its hash. */
int gw_content_write(const struct gw_model *model, struct gw_snapshot_text *t);

/* The numbers of the model, above a content that was written. */
int gw_snapshot_complete(const struct gw_model *model, struct gw_snapshot_text *t);

/* The parts, in the order of the file. */
void gw_snapshot_slices(const struct gw_snapshot_text *t, struct slice out[GW_SNAPSHOT_PARTS]);

/* The content hash alone: hex SHA-256 over everything but generation numbers and the hash itself,
 * so that "did anything change?" can be asked before a generation number is taken. */
int gw_model_hash(const struct gw_model *model, char hex[65]);

/* A model that was read, with its route table. Immutable; shared by reference count. */
struct gw_snapshot;

/* Parses and checks `text`. `name` is the file name for findings. The result has one reference. */
int gw_snapshot_read(struct gw_snapshot **out, struct slice text, const char *name,
                     struct diag *diag);

/* The same from a file, which must be a regular file of root or of the effective user that nobody
 * else may write, group included: who can change it decides who gets in. A symbolic link is
 * followed when it belongs to root or the effective user (cc-gen switches generations by one). */
int gw_snapshot_read_file(struct gw_snapshot **out, const char *path, struct diag *diag);

/* Takes and gives back a reference; the last one frees. Both may be called from any thread. */
struct gw_snapshot *gw_snapshot_ref(struct gw_snapshot *s);
void gw_snapshot_unref(struct gw_snapshot **s);

const struct gw_model *gw_snapshot_model(const struct gw_snapshot *s);
const struct gw_route_table *gw_snapshot_routes(const struct gw_snapshot *s);
/* The content hash, as gw_model_hash() gives it. */
const char *gw_snapshot_hash(const struct gw_snapshot *s);
