/* Internal to the snapshot: its schema as tables, from which both the writer and the reader work,
 * so that one cannot write what the other does not read.
 *
 * The file is JSON, laid out by lines; the reader insists on the layout, because it takes one line
 * at a time and never holds more of the document as a tree:
 *
 *     {"schema":6,
 *     "hash":"SHA-256 of the next two lines",
 *     "generation":7,"haproxy_generation":6,
 *     "content":"SHA-256 of all that follows this line",
 *     "system_host":"localhost",...,"headers":["authorization"],...,"backend_jwt_key_pairs":[],
 *     "files":[
 *     {"name":"pets/api.yaml"}
 *     ],
 *     "issuers":[ ...   one object a line
 *     ],
 *     "clusters":[ ...
 *     ],
 *     "cors":[ ...
 *     ],
 *     "identities":[ ...
 *     ],
 *     "policies":[ ...
 *     ],
 *     "deny_rules":[ ...
 *     ],
 *     "apis":[ ...
 *     ]}
 *
 * Members are in the order of the tables. Those of the model itself are always there, of others
 * only those that say something: false, 0, "", null and empty lists are left out, wherever they can
 * be, which makes a file of half the size. An origin is [file,line,column] with file an index into
 * "files". A CORS policy is an index into "cors", an identity one into "identities". */
#pragma once

#include "gateway/gateway.h"

enum snapshot_type {
    SNAPSHOT_TEXT,       /* struct slice */
    SNAPSHOT_TEXTS,      /* const struct slice *, size_t */
    SNAPSHOT_BOOL,       /* bool */
    SNAPSHOT_INT,        /* int64_t or uint64_t, 0 to max */
    SNAPSHOT_UNSIGNED,   /* unsigned, min to max */
    SNAPSHOT_METHOD,     /* enum gw_method, by name */
    SNAPSHOT_CREDENTIAL, /* enum gw_credential, by name */
    SNAPSHOT_ENUM,       /* an enum, by `names` */
    SNAPSHOT_ALGORITHMS, /* unsigned: bit set of enum jwt_alg, by names */
    SNAPSHOT_ORIGIN,     /* struct place */
    SNAPSHOT_CLUSTER,    /* const struct gw_cluster *, by name, or NULL */
    SNAPSHOT_CORS,       /* const struct gw_cors *, by index, or null */
    SNAPSHOT_IDENTITY,   /* const struct gw_identity *, by index, or null */
    SNAPSHOT_C_STRING,   /* const char * */
    SNAPSHOT_LIST        /* const struct X *, size_t; `of` describes X */
};

struct snapshot_schema;

struct snapshot_field {
    const char *name;
    enum snapshot_type type;
    size_t offset;
    size_t count_offset; /* of the size_t beside a pointer */
    uint64_t min, max;
    const struct snapshot_schema *of;
    const char *(*fault)(struct slice text); /* of each text; NULL: usable */
    const char *const *names; /* of an enum's values, in their order; `max` is the last */
    bool secret;              /* written and read like any other, and never shown */
};

struct snapshot_schema {
    size_t size; /* of the struct */
    size_t n_fields;
    const struct snapshot_field *fields;
    const char *(*fault)(const void *object); /* what one field alone cannot tell; may be NULL */
    bool whole;                               /* no member is ever left out */
};

/* The value of an enum's name, or f->max + 1. */
unsigned snapshot_enum_parse(const struct snapshot_field *f, struct slice name);

/* Is it left out when it says nothing? */
bool snapshot_may_be_absent(const struct snapshot_field *f);

/* struct gw_model's members on one line each; struct source; the elements of the sections. */
extern const struct snapshot_schema snapshot_generations;
extern const struct snapshot_schema snapshot_settings;
extern const struct snapshot_schema snapshot_file;
extern const struct snapshot_schema snapshot_issuer;
extern const struct snapshot_schema snapshot_cluster;
extern const struct snapshot_schema snapshot_cors;
extern const struct snapshot_schema snapshot_identity;
extern const struct snapshot_schema snapshot_policy;
extern const struct snapshot_schema snapshot_deny_rule;
extern const struct snapshot_schema snapshot_api;

enum {
    SNAPSHOT_MAX_LINE = 16 << 20, /* one API, for example */
    SNAPSHOT_HASH_HEX = 64
};
