/* init: a new API project, from an OpenAPI document or from nothing.
 *
 *   init_read.c   document -> struct init_project, what api.yaml will say
 *   init_files.c  struct init_project -> the texts of the project's files
 *   init_write.c  files -> a directory
 *   cmd_init.c    the command
 *
 * The result is that of `apictl init` (api-projects 1.7): the same files, directories and defaults,
 * so that both tools' projects are one kind. Beyond it: `servers` and `host` of the document become
 * endpointConfig, references to x-wso2-endpoints are followed, sandbox endpoints keep their number,
 * Endpoint-certificates/ is made, a YAML document keeps its comments, and what cannot be taken over
 * as it is (a version that no path can have) is told with its place. */
#pragma once

#include "doc/doc.h"

enum { INIT_URLS_MAX = 64, INIT_FILES_MAX = 8 };

/* Endpoints of one kind. */
struct init_endpoints {
    struct slice urls[INIT_URLS_MAX];
    size_t n;
    bool failover;
};

struct init_project {
    struct slice name, version, context, description;
    bool default_version;        /* isDefaultVersion */
    const struct doc *doc;       /* NULL: none was given */
    const struct doc_node *tags; /* of the document, or NULL */
    const struct doc_node *cors; /* x-wso2-cors, or NULL */
    struct init_endpoints production, sandbox;
};

/* What `doc` (NULL: nothing) and `name`, the last part of the directory's name, come to. CC_OK;
 * CC_EINVAL after findings, CC_ENOMEM. */
int init_read(struct init_project *out, const struct doc *doc, struct slice name,
              struct arena *arena, struct diag *diag);

struct init_file {
    const char *path; /* "Definitions/swagger.yaml" */
    struct slice text;
};

struct init_files {
    struct init_file list[INIT_FILES_MAX];
    size_t n;
};

/* The directories that a project has besides those of its files; ends with NULL. */
extern const char *const init_directories[];

/* The texts of all files, in the arena. CC_ETOOBIG when one is larger than a project may have. */
int init_make_files(struct init_files *out, const struct init_project *p, struct arena *arena);

/* Writes the project to `directory`. Without `force` it must not exist or be empty, and appears
 * whole or not at all; with it, the files of `files` are replaced one by one and nothing else is
 * touched. CC_EINVAL after a finding; CC_EACCESS, CC_EIO and others after one, too. */
int init_write(const char *directory, const struct init_files *files, bool force,
               struct arena *arena, struct diag *diag);
