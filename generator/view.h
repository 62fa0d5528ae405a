/* view: what `cc-gen show` and `cc-gen explain` look at: the snapshot of an output directory, or of
 * project directories, which are read, checked and brought through the same bytes in memory.
 *
 * Opening blocks on files; all of it lives until view_close(). */
#pragma once

#include "gateway/snapshot.h"
#include "generator/cmd.h"

struct view {
    struct cmd_work work;
    struct gw_snapshot *snapshot;
    const struct gw_model *model;
    const char *from; /* "/srv/out, generation 7", "2 projects" */
    int64_t built_s;  /* when the snapshot was written; 0: just now */
    struct view_source *sources;
};

/* The project directories `dirs`; with none, -o's directory. -c, --set and the environment count
 * for projects. CC_OK, CC_ENOMEM, or CC_EINVAL after findings in v->work.diag. `v` may be closed in
 * any case. */
int view_open(struct view *v, const struct cli_args *args, const char *const *dirs, size_t n_dirs);
void view_close(struct view *v);

/* The same place with the text of its source, when the file is still there. */
struct place view_place(struct view *v, struct place place);

/* Has the file changed since the snapshot was made, so that the line may be another? */
bool view_is_stale(const struct view *v, struct place place);

/* "pets/swagger.yaml:4:12", "" when the place is not known. */
void view_add_place(struct buf *out, struct place place);

/* "http://[2001:db8::1]:8080/v2" */
void view_add_endpoint(struct buf *out, const struct gw_endpoint *e);

/* Prints text from outside: one line, no control characters. */
void view_print(FILE *out, struct slice s);
