/* project: API projects, directories or zips -> the gateway model.
 *
 * Reads api.yaml|json and Definitions/swagger.yaml|json of each project, merges them by the
 * contract's rules (docs/compatibility.md lists them) and checks everything that can be checked
 * without HAProxy. All findings of all projects are collected before anything is refused. */
#pragma once

#include "config/config.h"
#include "doc/doc.h"
#include "gateway/gateway.h"

/* The documents of one project, for those who review them; NULL when they could not be read. They
 * live in the arena of project_build_model(). */
struct project_docs {
    const char *path;
    const struct doc *api, *openapi;
};

/* A file that the model was made from. */
struct project_input {
    struct slice name;   /* "pets/api.yaml", "pets.zip:api.yaml" */
    struct slice sha256; /* of its bytes, in hex */
};

/* Every file of every project that was read, sorted by name; in the arena of
 * project_build_model(). */
struct project_inputs {
    const struct project_input *list;
    size_t n;
};

struct project_cache;

struct project_options {
    bool resolve; /* also ask the resolver for each endpoint host (CC2008); blocks on DNS */
    bool settings_refused; /* config has errors, which were told: only look for more */
    /* issuers added besides those of cc.yaml: the development keys of `cc-gen run` */
    const struct gw_issuer *development_issuers;
    size_t n_development_issuers;
    /* When not NULL: room for one a project; filled also when there are errors. */
    struct project_docs *docs;
    struct project_inputs *inputs; /* when not NULL: filled */
    /* When not NULL: projects that did not change are taken from it; not together with docs. */
    struct project_cache *cache;
    /* When not NULL: called before each project. */
    void (*progress)(void *context, size_t done, size_t all);
    void *progress_context;
};

/* Builds the model of the projects at `paths` in `arena`: APIs sorted by vhost and base path, equal
 * clusters shared, headers the union of what the APIs need, issuers with the PEM text of their
 * certificate files. The order of `paths` makes no difference. Sources that the model and the
 * findings point into have no text; that of findings is read again to be shown (project_reread()).
 * generation and haproxy_generation are left 0. CC_EREFUSED after findings with errors. */
int project_build_model(struct gw_model **out, const char *const *paths, size_t n_paths,
                        const struct config *config, const struct project_options *options,
                        struct arena *arena, struct diag *diag);
