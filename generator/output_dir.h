/* output_dir: the files and links of an output directory; output.h says how they hang together. */
#pragma once

#include "generator/render.h"

struct output_dir {
    const char *path; /* absolute, in the arena */
    int lock;         /* descriptor of the locked file; -1 = not open */
    bool created;     /* by output_dir_open() */
    struct arena *arena;
    struct diag *diag;
};

/* Creates the directory when needed, makes sure that it is ours, and locks it. CC_EACCESS after a
 * CC5003 finding. `d` may be closed in any case. */
int output_dir_open(struct output_dir *d, const char *directory, struct arena *arena,
                    struct diag *diag);
/* Takes the directory away again when output_dir_open() made it and nothing was built. */
void output_dir_close(struct output_dir *d);

/* Looks at a directory without making, locking or changing anything: what it shows is whole, for a
 * generation never changes, but may be replaced at any time. CC_ENOENT, without a finding, when
 * there is no directory or nothing in it (d->path is then `directory`); CC_EACCESS after a CC5003
 * finding. Need not be closed. */
int output_dir_look(struct output_dir *d, const char *directory, struct arena *arena,
                    struct diag *diag);

/* The numbers of all generations there are, highest first, in the arena. */
int output_dir_list(const struct output_dir *d, uint64_t **out, size_t *n);

/* The absolute path of generation n; NULL when memory is short. */
const char *output_dir_generation(const struct output_dir *d, uint64_t n);

/* The generation that `current` names; 0 when there is none. */
uint64_t output_dir_current(const struct output_dir *d);

/* A number greater than those of all generations there are. */
int output_dir_next(const struct output_dir *d, uint64_t *out);

/* Are the files in generation n exactly these? */
bool output_dir_same(const struct output_dir *d, uint64_t n, const struct render_output *files);

/* Writes a file resp. link below generation n and syncs it; parents are created. `name` must stay
 * below. A secret file can be read by its owner and the group of the output directory only. CC_EIO
 * after a CC5003 finding. */
int output_dir_write(const struct output_dir *d, uint64_t n, struct slice name, struct slice text,
                     bool secret);
/* The same of texts one behind the other. */
int output_dir_write_parts(const struct output_dir *d, uint64_t n, struct slice name,
                           const struct slice *parts, size_t n_parts, bool secret);
int output_dir_link(const struct output_dir *d, uint64_t n, struct slice name, const char *to);

/* Syncs the directories of generation n. */
int output_dir_sync(const struct output_dir *d, uint64_t n);

/* Makes generation n the current one, and sees to it that the links beside `current` exist. */
int output_dir_switch(const struct output_dir *d, uint64_t n);

/* Removes a generation that was not switched to. */
void output_dir_discard(const struct output_dir *d, uint64_t n);

/* Removes old and incomplete generations; `uses` tells whose haproxy/ directory a generation uses
 * (0 = the generation is incomplete). Failures are harmless and ignored: the next build tries
 * again. */
typedef uint64_t output_dir_uses(const struct output_dir *d, uint64_t n);
void output_dir_prune(const struct output_dir *d, size_t keep, output_dir_uses *uses);
