/* project_source: the files of one API project, wherever they are: in a directory or in a zip.
 *
 * Readers ask for a file by its place in the project ("Definitions/swagger.yaml") and get bytes;
 * only this module knows where they come from. It knows which places count in a project
 * (api-projects: api.yaml, deployment_environments.yaml, Definitions/, Endpoint-certificates/ with
 * interceptors/, Client-certificates/, Policies/); all else - api_meta.yaml, README.md, Docs/,
 * Image/, Sequences/, Interceptors/, libs/ and what anybody adds - is never opened, nor unpacked.
 *
 * A zip is hostile: whoever sends one may be anybody. It is read in memory and by its central
 * directory alone; names that leave the project, links, encryption, duplicates, unusual compression
 * and whatever unpacks to far more than it is are findings (CC13xx), and refused as a whole. In a
 * directory, which its owner made, links are followed.
 *
 * Files of a directory are read when they are asked for, those of a zip when it is opened. Both
 * block on the file system. Everything lives in the arena that was given at the start. */
#pragma once

#include "base/base.h"

enum {
    PROJECT_FILES_MAX = 10000,              /* files of a project that count, entries of a zip */
    PROJECT_FILE_MAX_BYTES = 64 << 20,      /* one file */
    PROJECT_ZIP_MAX_BYTES = 64 << 20,       /* the zip as it is */
    PROJECT_UNPACKED_MAX_BYTES = 128 << 20, /* what counts of it, unpacked */
};

/* What stat(2) says of a file or folder, and what changes with every change of it. */
struct project_identity {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns; /* ctime: nobody but the kernel sets it */
};

struct project_file {
    struct slice path;  /* in the project, '/' between names; NUL-terminated */
    const char *name;   /* for findings: "pets/api.yaml", "pets.zip:api.yaml" */
    struct slice bytes; /* p == NULL: not read yet */
    struct project_identity identity; /* from before it was read; of a directory's files only */
};

/* A folder whose entries were listed, or the zip. */
struct project_folder {
    const char *path;
    struct project_identity identity; /* from before it was listed */
};

enum { PROJECT_FOLDERS_MAX = 8 };

struct project_source {
    const char *path; /* as given, without trailing slashes */
    bool is_zip;
    bool loose; /* a folder may appear without a change of the one above: a link that leads nowhere */
    struct project_file *files; /* sorted by path */
    size_t n_files;
    struct project_folder folders[PROJECT_FOLDERS_MAX];
    size_t n_folders;
};

/* False when there is nothing at `path`. */
bool project_identity_get(const char *path, struct project_identity *out);

/* Is it old enough that another change would show in its times? Not what was touched less than two
 * seconds before `now_ns`, on the wall clock: it could be again within one tick of a coarse one. */
bool project_identity_settled(const struct project_identity *id, int64_t now_ns);

/* Opens the project at `path`. CC_OK; CC_EINVAL after findings; CC_ENOMEM. */
int project_source_open(struct project_source **out, const char *path, struct arena *arena,
                        struct diag *diag);

/* The same for a zip in memory. `zip` must live as long as the arena. */
int project_source_from_zip(struct project_source **out, struct slice zip, const char *name,
                            struct arena *arena, struct diag *diag);

/* The file at `path`, or NULL. */
struct project_file *project_source_find(const struct project_source *s, const char *path);

/* The next file that is directly in `folder`: *at starts at 0 and is moved on; NULL at the end. */
struct project_file *project_source_next(const struct project_source *s, const char *folder,
                                         size_t *at);

/* The bytes of a file into file->bytes. CC_OK; an error after a finding (CC1001, CC1004);
 * CC_ENOMEM. */
int project_source_read(struct project_file *file, struct arena *arena, struct diag *diag);

/* For diag_set_reader(): the text of a source whose holder is a project. The context is a struct
 * project_rereader, zero at first, and freed by project_rereader_free(). */
struct project_rereader {
    struct arena *arena;
    const struct source *source; /* whose text it has */
    struct slice text;
};
bool project_reread(void *context, const struct source *source, struct slice *text);
void project_rereader_free(struct project_rereader *r);

/* Does a file at `path` count in a project? */
bool project_source_counts(struct slice path);
