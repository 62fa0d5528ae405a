/* Internal to the snapshot: what its reader is made of. snapshot_read.c takes the file apart by
 * lines, snapshot_object.c the objects on them by their schema's tables. */
#pragma once

#include "gateway/intern.h"
#include "gateway/snapshot_json.h"
#include "gateway/snapshot_schema.h"

enum { SNAPSHOT_TRAIL_MAX = 16 };

struct snapshot_reader {
    const char *name; /* of the file, for findings */
    struct diag *diag;
    struct slice rest;         /* what was not read yet */
    unsigned line;             /* number of the line at hand */
    struct snapshot_json json; /* what was not taken off it yet */
    struct arena *arena;
    struct intern texts;
    struct intern clusters; /* names, numbered as in `first_cluster` */
    const struct gw_cluster *first_cluster;
    const struct gw_cors *cors;
    size_t n_cors;
    const struct gw_identity *identities;
    size_t n_identities;
    const struct source *files;
    size_t n_files;
    /* where in the line, for findings: "resources", [2], "operations", [0], ... */
    struct {
        const char *name;
        size_t index;
    } trail[SNAPSHOT_TRAIL_MAX];
    size_t depth;
};

/* Adds a finding about the line at hand and the value that the trail leads to. CC_EREFUSED. */
int snapshot_refuse(struct snapshot_reader *r, const char *what);

/* The same: it is not valid JSON. */
int snapshot_not_json(struct snapshot_reader *r);

/* The same, and CC_ENOMEM. */
int snapshot_no_memory(struct snapshot_reader *r);

/* Makes the trail longer by a member or, when `name` is NULL, an element; and shorter. */
void snapshot_enter(struct snapshot_reader *r, const char *name, size_t index);
void snapshot_leave(struct snapshot_reader *r);

/* Takes an object off the line into *object, which is zeroed memory. All members of the schema and
 * no others. */
int snapshot_read_object(struct snapshot_reader *r, const struct snapshot_schema *schema,
                         char *object);
