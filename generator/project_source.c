/* project_source: what both kinds share, and directories. */
#include "generator/project_source_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The places that count. A NULL name stands for all files directly in the folder. */
static const struct {
    const char *folder, *name;
} places[] = {
    {"", "api.yaml"},
    {"", "api.json"},
    {"", "deployment_environments.yaml"},
    {"Definitions", NULL},
    {"Endpoint-certificates", NULL},
    {"Endpoint-certificates/interceptors", NULL},
    {"Client-certificates", NULL},
    {"Policies", NULL},
};

enum { N_PLACES = sizeof(places) / sizeof(places[0]) };

/* Cuts "a/b/c" into "a/b" and "c". */
static struct slice folder_of(struct slice path, struct slice *name)
{
    for (size_t i = path.n; i > 0; i--) {
        if (path.p[i - 1] == '/') {
            *name = slice_from(path, i);
            return slice_first(path, i - 1);
        }
    }
    *name = path;
    return SLICE("");
}

bool project_source_counts(struct slice path)
{
    struct slice name, folder = folder_of(path, &name);

    /* editors, file systems and archivers leave hidden files beside the real ones */
    if (name.n == 0 || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < N_PLACES; i++) {
        if (slice_is(folder, places[i].folder) &&
            (places[i].name == NULL || slice_is(name, places[i].name)))
            return true;
    }
    return false;
}

struct place project_source_place(const char *name, struct arena *arena)
{
    struct source *source = arena_alloc(arena, sizeof(*source));
    struct slice copy = arena_dup(arena, slice_of(name));

    if (source == NULL || copy.p == NULL)
        return PLACE_NONE;
    source->name = copy.p;
    return place_file(source);
}

int project_source_add(struct project_source *s, size_t *room, struct slice path, const char *name,
                       struct slice bytes, struct arena *arena)
{
    struct slice copy = arena_dup(arena, path);

    if (copy.p == NULL || name == NULL)
        return CC_ENOMEM;
    if (s->n_files == *room) {
        /* the old array stays in the arena: at most as much again is lost */
        size_t cap = *room == 0 ? 8 : *room * 2;
        struct project_file *files = arena_array(arena, cap, sizeof(*files));

        if (files == NULL)
            return CC_ENOMEM;
        if (s->n_files > 0)
            memcpy(files, s->files, s->n_files * sizeof(*files));
        s->files = files;
        *room = cap;
    }
    s->files[s->n_files++] = (struct project_file){.path = copy, .name = name, .bytes = bytes};
    return CC_OK;
}

static int compare_files(const void *a, const void *b)
{
    const struct project_file *x = a, *y = b;

    return slice_cmp(x->path, y->path);
}

void project_source_sort(struct project_source *s)
{
    if (s->n_files > 0)
        qsort(s->files, s->n_files, sizeof(s->files[0]), compare_files);
}

struct project_file *project_source_find(const struct project_source *s, const char *path)
{
    struct project_file key = {.path = slice_of(path)};

    if (s->n_files == 0)
        return NULL;
    return bsearch(&key, s->files, s->n_files, sizeof(s->files[0]), compare_files);
}

struct project_file *project_source_next(const struct project_source *s, const char *folder,
                                         size_t *at)
{
    while (*at < s->n_files) {
        struct project_file *file = &s->files[(*at)++];
        struct slice name;

        if (slice_is(folder_of(file->path, &name), folder))
            return file;
    }
    return NULL;
}

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool project_identity_get(const char *path, struct project_identity *out)
{
    struct stat st;

    *out = (struct project_identity){0};
    if (stat(path, &st) != 0)
        return false;
    *out = (struct project_identity){st.st_dev, st.st_ino, (uint64_t)st.st_size,
                                     nanoseconds(st.st_mtim), nanoseconds(st.st_ctim)};
    return true;
}

bool project_identity_settled(const struct project_identity *id, int64_t now_ns)
{
    static const int64_t doubtful_ns = INT64_C(2000000000);

    return id->inode != 0 && id->changed_ns < now_ns - doubtful_ns &&
           id->modified_ns < now_ns - doubtful_ns;
}

int project_source_read(struct project_file *file, struct arena *arena, struct diag *diag)
{
    struct place place;
    int rc;

    if (file->bytes.p != NULL)
        return CC_OK;
    /* before it is read: what changes from now on has another identity */
    project_identity_get(file->name, &file->identity);
    rc = file_read(arena, file->name, PROJECT_FILE_MAX_BYTES, &file->bytes);
    if (rc == CC_OK)
        return CC_OK;
    place = project_source_place(file->name, arena);
    if (rc == CC_ENOMEM || place.source == NULL)
        return CC_ENOMEM;
    diag_error(diag, rc == CC_ETOOBIG ? CC1004 : CC1001, place, "%s",
               rc == CC_EINVAL ? "not a regular file" : cc_strerror(rc));
    return rc;
}

/* --- directories ----------------------------------------------------------------------------- */

struct walk {
    struct project_source *source;
    struct arena *arena;
    struct diag *diag;
    size_t room;
};

static int too_many(struct walk *w)
{
    diag_error(w->diag, CC1306, project_source_place(w->source->path, w->arena),
               "the project has more than %d files", PROJECT_FILES_MAX);
    return CC_EINVAL;
}

static int add_entry(struct walk *w, const char *folder, const char *entry)
{
    struct slice path = arena_printf(w->arena, "%s%s%s", folder, *folder ? "/" : "", entry);
    struct slice name;

    if (path.p == NULL)
        return CC_ENOMEM;
    if (!project_source_counts(path))
        return CC_OK;
    if (w->source->n_files == PROJECT_FILES_MAX)
        return too_many(w);
    name = arena_printf(w->arena, "%s/%s", w->source->path, path.p);
    return project_source_add(w->source, &w->room, path, name.p, SLICE_NONE, w->arena);
}

/* Is it the folder `path` in which other things count? It is no file then, whatever a table says.
 */
static bool is_place(const char *folder, const char *entry)
{
    for (size_t i = 0; i < N_PLACES; i++) {
        struct slice name, above = folder_of(slice_of(places[i].folder), &name);

        if (slice_is(above, folder) && name.n > 0 && slice_is(name, entry))
            return true;
    }
    return false;
}

static void note_folder(struct project_source *s, const char *path)
{
    struct project_folder *folder = &s->folders[s->n_folders++];

    CC_ASSERT(s->n_folders <= PROJECT_FOLDERS_MAX);
    folder->path = path;
    project_identity_get(path, &folder->identity);
}

/* The entries of one folder; it is no error when it is not there. */
static int read_folder(struct walk *w, const char *folder)
{
    struct slice path =
        arena_printf(w->arena, "%s%s%s", w->source->path, *folder ? "/" : "", folder);
    struct stat st;
    int rc = CC_OK;
    DIR *dir;

    if (path.p == NULL)
        return CC_ENOMEM;
    dir = opendir(path.p);
    if (dir == NULL && (errno == ENOENT || errno == ENOTDIR) && *folder != '\0') {
        w->source->loose = w->source->loose || lstat(path.p, &st) == 0;
        return CC_OK;
    }
    if (dir == NULL) {
        diag_error(w->diag, CC1001, project_source_place(path.p, w->arena), "%s",
                   cc_strerror(cc_from_errno(errno)));
        return CC_EINVAL;
    }
    note_folder(w->source, path.p);
    for (struct dirent *e; rc == CC_OK && (e = readdir(dir)) != NULL;) {
        if (!is_place(folder, e->d_name))
            rc = add_entry(w, folder, e->d_name);
    }
    closedir(dir);
    return rc;
}

static int open_directory(struct walk *w)
{
    const char *last = NULL;
    int rc = CC_OK;

    for (size_t i = 0; i < N_PLACES && rc == CC_OK; i++) {
        if (last == NULL || strcmp(last, places[i].folder) != 0)
            rc = read_folder(w, places[i].folder);
        last = places[i].folder;
    }
    project_source_sort(w->source);
    return rc;
}

/* --- both ------------------------------------------------------------------------------------ */

static int refuse(const char *path, int error, struct arena *arena, struct diag *diag)
{
    struct place place = project_source_place(path, arena);

    if (place.source == NULL)
        return CC_ENOMEM;
    diag_help(diag_error(diag, error == CC_ETOOBIG ? CC1306 : CC1001, place, "%s",
                         error == CC_EINVAL ? "neither a directory nor a regular file"
                                            : cc_strerror(error)),
              "give the directory of an API project, or a zip of it");
    return CC_EINVAL;
}

static int open_zip(struct project_source **out, const char *path, struct arena *arena,
                    struct diag *diag)
{
    struct project_identity identity;
    struct slice zip;
    int rc;

    project_identity_get(path, &identity);
    rc = file_read(arena, path, PROJECT_ZIP_MAX_BYTES, &zip);
    if (rc != CC_OK)
        return rc == CC_ENOMEM ? rc : refuse(path, rc, arena, diag);
    rc = project_source_from_zip(out, zip, path, arena, diag);
    if (rc == CC_OK)
        (*out)->folders[(*out)->n_folders++] = (struct project_folder){path, identity};
    return rc;
}

int project_source_open(struct project_source **out, const char *path, struct arena *arena,
                        struct diag *diag)
{
    struct walk w = {.arena = arena, .diag = diag};
    struct slice trimmed = slice_of(path);
    struct stat st;
    int rc;

    while (trimmed.n > 1 && trimmed.p[trimmed.n - 1] == '/')
        trimmed.n--;
    trimmed = arena_dup(arena, trimmed);
    if (trimmed.p == NULL)
        return CC_ENOMEM;
    if (stat(trimmed.p, &st) != 0)
        return refuse(trimmed.p, cc_from_errno(errno), arena, diag);
    if (S_ISREG(st.st_mode))
        return open_zip(out, trimmed.p, arena, diag);
    if (!S_ISDIR(st.st_mode))
        return refuse(trimmed.p, CC_EINVAL, arena, diag);
    w.source = arena_alloc(arena, sizeof(*w.source));
    if (w.source == NULL)
        return CC_ENOMEM;
    w.source->path = trimmed.p;
    rc = open_directory(&w);
    if (rc == CC_OK)
        *out = w.source;
    return rc;
}

bool project_reread(void *context, const struct source *source, struct slice *text)
{
    enum { ROOM = PROJECT_ZIP_MAX_BYTES + PROJECT_UNPACKED_MAX_BYTES + (16 << 20) };
    struct project_rereader *r = context;
    struct project_source *project = NULL;
    struct project_file *file;
    struct diag *scratch;

    /* findings of one source stand together */
    if (r->source == source) {
        *text = r->text;
        return r->text.p != NULL;
    }
    arena_free(&r->arena);
    *r = (struct project_rereader){.arena = arena_new(ROOM), .source = source};
    scratch = diag_new();
    /* its name is the holder's, '/' or ':', and the place in the project */
    if (r->arena != NULL && scratch != NULL && strlen(source->name) > strlen(source->holder) &&
        project_source_open(&project, source->holder, r->arena, scratch) == CC_OK) {
        file = project_source_find(project, source->name + strlen(source->holder) + 1);
        if (file != NULL && project_source_read(file, r->arena, scratch) == CC_OK)
            r->text = file->bytes;
    }
    diag_free(&scratch);
    *text = r->text;
    return r->text.p != NULL;
}

void project_rereader_free(struct project_rereader *r)
{
    arena_free(&r->arena);
    *r = (struct project_rereader){0};
}
