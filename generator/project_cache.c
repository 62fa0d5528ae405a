#include "generator/project_cache.h"

#include "crypto/key.h"
#include "gateway/pack.h"
#include "generator/project_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: a line "cc-gen cache 1 KEY SUM", both SHA-256 in hex, and records, whose sum SUM is. A
 * record is the path of a project, and what stands in read_record(). */
#define MAGIC "cc-gen cache 1 "

enum {
    HASH_HEX = 64,
    HEAD_BYTES = sizeof(MAGIC) - 1 + HASH_HEX + 1 + HASH_HEX + 1,
    CACHE_MAX_BYTES = 1 << 30,
    PROGRAM_MAX_BYTES = 256 << 20
};

struct cached {
    struct slice path;
    struct slice record; /* all of it, the path too */
    struct slice packed; /* and the length before it, as it stands in a file */
};

struct project_cache {
    const char *path;
    const char *fault;
    struct arena *arena;
    char key[HASH_HEX + 1];
    int64_t opened_ns; /* wall clock: file times are compared with it */
    struct cached *old; /* sorted by path */
    size_t n_old;
    struct cached *next; /* found and put since */
    size_t n_next, room;
    size_t hits;
    bool changed; /* next holds what old does not */
};

/* --- a record --------------------------------------------------------------------------------- */

/* One file of a project. */
struct cached_file {
    struct slice path, sum; /* p == NULL: it was not read, only its name counts */
    struct slice name;      /* as it was opened */
    struct project_identity identity;
};

struct record {
    struct slice path;
    bool quick; /* the identities of folders and files tell whether it changed */
    struct project_folder folders[PROJECT_FOLDERS_MAX];
    size_t n_folders;
    struct cached_file *files;
    size_t n_files;
    struct slice unit;
};

static void write_identity(struct buf *out, const struct project_identity *id)
{
    gw_pack_number(out, id->device);
    gw_pack_number(out, id->inode);
    gw_pack_number(out, id->size);
    gw_pack_number(out, (uint64_t)id->modified_ns);
    gw_pack_number(out, (uint64_t)id->changed_ns);
}

static int read_identity(struct slice *in, struct project_identity *id)
{
    uint64_t modified = 0, changed = 0;

    if (gw_unpack_number(in, UINT64_MAX, &id->device) != CC_OK ||
        gw_unpack_number(in, UINT64_MAX, &id->inode) != CC_OK ||
        gw_unpack_number(in, UINT64_MAX, &id->size) != CC_OK ||
        gw_unpack_number(in, UINT64_MAX, &modified) != CC_OK ||
        gw_unpack_number(in, UINT64_MAX, &changed) != CC_OK)
        return CC_EPARSE;
    id->modified_ns = (int64_t)modified;
    id->changed_ns = (int64_t)changed;
    return CC_OK;
}

static void write_record(struct buf *out, const struct record *r)
{
    gw_pack_text(out, r->path);
    gw_pack_number(out, r->quick);
    gw_pack_number(out, r->n_folders);
    for (size_t i = 0; i < r->n_folders; i++) {
        gw_pack_text(out, slice_of(r->folders[i].path));
        write_identity(out, &r->folders[i].identity);
    }
    gw_pack_number(out, r->n_files);
    for (size_t i = 0; i < r->n_files; i++) {
        gw_pack_text(out, r->files[i].path);
        gw_pack_text(out, r->files[i].name);
        gw_pack_text(out, r->files[i].sum);
        write_identity(out, &r->files[i].identity);
    }
    gw_pack_text(out, r->unit);
}

static int read_folders(struct slice *in, struct record *r)
{
    uint64_t n = 0;
    int rc = gw_unpack_number(in, PROJECT_FOLDERS_MAX, &n);

    r->n_folders = (size_t)n;
    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        struct slice path;

        rc = gw_unpack_text(in, &path);
        if (rc == CC_OK && path.p == NULL)
            rc = CC_EPARSE;
        if (rc == CC_OK)
            rc = read_identity(in, &r->folders[i].identity);
        r->folders[i].path = path.p;
    }
    return rc;
}

static int read_files(struct slice *in, struct record *r, struct arena *scratch)
{
    uint64_t n = 0;
    int rc = gw_unpack_number(in, PROJECT_FILES_MAX, &n);

    r->n_files = (size_t)n;
    r->files = rc == CC_OK ? arena_array(scratch, r->n_files, sizeof(*r->files)) : NULL;
    if (rc == CC_OK && r->files == NULL)
        rc = CC_ENOMEM;
    for (size_t i = 0; rc == CC_OK && i < n; i++) {
        struct cached_file *f = &r->files[i];

        if (gw_unpack_text(in, &f->path) != CC_OK || gw_unpack_text(in, &f->name) != CC_OK ||
            gw_unpack_text(in, &f->sum) != CC_OK || f->path.p == NULL || f->name.p == NULL ||
            read_identity(in, &f->identity) != CC_OK)
            rc = CC_EPARSE;
    }
    return rc;
}

static int read_record(struct slice *in, struct record *r, struct arena *scratch)
{
    uint64_t quick = 0;
    int rc = gw_unpack_text(in, &r->path);

    if (rc == CC_OK)
        rc = gw_unpack_number(in, 1, &quick);
    r->quick = quick != 0;
    if (rc == CC_OK)
        rc = read_folders(in, r);
    if (rc == CC_OK)
        rc = read_files(in, r, scratch);
    if (rc == CC_OK)
        rc = gw_unpack_text(in, &r->unit);
    return rc == CC_OK && (r->path.p == NULL || r->unit.p == NULL) ? CC_EPARSE : rc;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Finds where each record begins. Each has its length before it. */
static int read_records(struct project_cache *c, struct slice in)
{
    uint64_t n = 0;
    int rc = gw_unpack_number(&in, in.n, &n);

    c->old = rc == CC_OK ? arena_array(c->arena, (size_t)n, sizeof(*c->old)) : NULL;
    if (rc == CC_OK && c->old == NULL)
        rc = CC_ENOMEM;
    for (uint64_t i = 0; rc == CC_OK && i < n; i++) {
        struct cached *entry = &c->old[i];
        struct slice record, rest = in;

        rc = gw_unpack_text(&in, &record);
        entry->record = record;
        entry->packed = slice_first(rest, rest.n - in.n);
        if (rc == CC_OK)
            rc = gw_unpack_text(&record, &entry->path);
        if (rc == CC_OK && i > 0 && slice_cmp(c->old[i - 1].path, entry->path) >= 0)
            rc = CC_EPARSE;
        c->n_old++;
    }
    if (rc == CC_OK && in.n > 0)
        rc = CC_EPARSE;
    if (rc != CC_OK)
        c->n_old = 0;
    return rc;
}

/* What is wrong with who owns the file; NULL: nothing, or it is not there. */
static const char *owner_fault(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return NULL;
    if (!S_ISREG(st.st_mode))
        return "it is not a regular file";
    if (st.st_uid != geteuid())
        return "it belongs to another user";
    return (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others may write it" : NULL;
}

static int read_cache(struct project_cache *c)
{
    struct slice text, records;
    char sum[HASH_HEX + 1];
    int rc;

    c->fault = owner_fault(c->path);
    if (c->fault != NULL)
        return CC_OK;
    rc = file_read(c->arena, c->path, CACHE_MAX_BYTES, &text);
    if (rc != CC_OK)
        return rc == CC_ENOMEM ? rc : CC_OK;
    if (!slice_starts(text, SLICE(MAGIC)) ||
        !slice_eq(slice_first(slice_from(text, sizeof(MAGIC) - 1), HASH_HEX), slice_of(c->key)))
        return CC_OK; /* of another cc-gen or other settings */
    records = slice_from(text, HEAD_BYTES);
    rc = crypto_sha256_hex(records, sum);
    if (rc != CC_OK)
        return rc;
    if (!slice_eq(slice_first(slice_from(text, HEAD_BYTES - HASH_HEX - 1), HASH_HEX),
                  slice_of(sum)))
        rc = CC_EPARSE;
    else
        rc = read_records(c, records);
    if (rc == CC_EPARSE)
        c->fault = "it is damaged";
    return rc == CC_ENOMEM ? rc : CC_OK;
}

/* Also of another build of the same version. */
static int hash_key(struct project_cache *c, struct slice key)
{
    struct arena *scratch = arena_new(PROGRAM_MAX_BYTES + 4096);
    struct slice program = SLICE_NONE, all;
    char sum[HASH_HEX + 1];
    int rc = scratch != NULL
                 ? file_read(scratch, "/proc/self/exe", PROGRAM_MAX_BYTES, &program)
                 : CC_ENOMEM;

    if (rc == CC_OK)
        rc = crypto_sha256_hex(program, sum);
    if (rc == CC_OK) {
        all = arena_printf(c->arena, "%s %" PRIslice, sum, SLICE_ARG(key));
        rc = all.p != NULL ? crypto_sha256_hex(all, c->key) : CC_ENOMEM;
    }
    arena_free(&scratch);
    return rc;
}

int project_cache_open(struct project_cache **out, const char *path, struct slice key,
                       int64_t now_ns, struct arena *arena)
{
    struct project_cache *c = arena_alloc(arena, sizeof(*c));
    int rc;

    if (c == NULL)
        return CC_ENOMEM;
    *c = (struct project_cache){.path = path, .arena = arena, .opened_ns = now_ns};
    rc = hash_key(c, key);
    if (rc == CC_OK)
        rc = read_cache(c);
    *out = c;
    return rc;
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool same_identity(const char *path, const struct project_identity *was)
{
    struct project_identity is;

    /* 0: it was too young to be kept */
    return was->inode != 0 && project_identity_get(path, &is) && is.device == was->device &&
           is.inode == was->inode && is.size == was->size && is.modified_ns == was->modified_ns &&
           is.changed_ns == was->changed_ns;
}

static bool is_untouched(const struct record *r)
{
    bool same = r->quick;

    for (size_t i = 0; same && i < r->n_folders; i++)
        same = same_identity(r->folders[i].path, &r->folders[i].identity);
    for (size_t i = 0; same && i < r->n_files; i++)
        same = r->files[i].sum.p == NULL || same_identity(r->files[i].name.p, &r->files[i].identity);
    return same;
}

/* Are the files that were read what they were, and are there no others? Reads them. */
static bool has_same_bytes(const struct record *r, const struct project_source *source,
                           struct arena *scratch, struct diag *diag)
{
    char sum[HASH_HEX + 1];

    if (source->n_files != r->n_files)
        return false;
    for (size_t i = 0; i < r->n_files; i++) {
        struct project_file *file = &source->files[i];

        if (!slice_eq(file->path, r->files[i].path))
            return false;
        if (r->files[i].sum.p == NULL)
            continue;
        if (project_source_read(file, scratch, diag) != CC_OK ||
            crypto_sha256_hex(file->bytes, sum) != CC_OK ||
            !slice_eq(r->files[i].sum, slice_of(sum)))
            return false;
    }
    return true;
}

static struct cached *add_next(struct project_cache *c)
{
    if (c->n_next == c->room) {
        size_t room = c->room == 0 ? 64 : c->room * 2;
        struct cached *next = arena_array(c->arena, room, sizeof(*next));

        if (next == NULL)
            return NULL;
        if (c->n_next > 0)
            memcpy(next, c->next, c->n_next * sizeof(*next));
        c->next = next;
        c->room = room;
    }
    return &c->next[c->n_next++];
}

static int compare_cached(const void *a, const void *b)
{
    return slice_cmp(((const struct cached *)a)->path, ((const struct cached *)b)->path);
}

bool project_cache_find(struct project_cache *c, const char *path, struct arena *scratch,
                        struct slice *unit)
{
    const struct cached key = {.path = slice_of(path)};
    const struct cached *old =
        c->n_old > 0 ? bsearch(&key, c->old, c->n_old, sizeof(*c->old), compare_cached) : NULL;
    struct project_source *source;
    struct cached *next;
    struct record r;
    struct slice in;
    struct diag *diag;
    bool same = false;

    if (old == NULL)
        return false;
    in = old->record;
    if (read_record(&in, &r, scratch) != CC_OK || in.n > 0)
        return false;
    if (is_untouched(&r)) {
        next = add_next(c);
        if (next != NULL)
            *next = *old;
        c->changed = c->changed || next == NULL;
        *unit = r.unit;
        c->hits++;
        return true;
    }
    diag = diag_new();
    if (diag != NULL && project_source_open(&source, path, scratch, diag) == CC_OK)
        same = has_same_bytes(&r, source, scratch, diag) &&
               project_cache_put(c, path, source, r.unit) == CC_OK;
    diag_free(&diag);
    if (same)
        *unit = r.unit;
    c->hits += same;
    return same;
}

/* --- keeping ---------------------------------------------------------------------------------- */

static int make_record(const struct project_cache *c, const struct project_source *source,
                       struct arena *arena, struct record *r)
{
    r->n_folders = source->n_folders;
    r->quick = !source->loose && source->n_folders > 0;
    r->n_files = source->n_files;
    r->files = arena_array(arena, r->n_files, sizeof(*r->files));
    if (r->files == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < r->n_folders; i++) {
        r->folders[i] = source->folders[i];
        r->quick = r->quick && project_identity_settled(&source->folders[i].identity, c->opened_ns);
    }
    for (size_t i = 0; i < r->n_files; i++) {
        const struct project_file *file = &source->files[i];
        char sum[HASH_HEX + 1];

        r->files[i] =
            (struct cached_file){file->path, SLICE_NONE, slice_of(file->name), file->identity};
        if (file->bytes.p == NULL)
            continue;
        if (crypto_sha256_hex(file->bytes, sum) != CC_OK)
            return CC_ENOMEM;
        r->files[i].sum = arena_dup(arena, slice_of(sum));
        if (r->files[i].sum.p == NULL)
            return CC_ENOMEM;
        /* those of a zip have none of their own */
        r->quick =
            r->quick && (source->is_zip || project_identity_settled(&file->identity, c->opened_ns));
    }
    return CC_OK;
}

int project_cache_put(struct project_cache *c, const char *path,
                      const struct project_source *source, struct slice unit)
{
    struct record r = {.path = slice_of(path), .unit = unit};
    struct buf bytes, packed;
    struct cached *next;
    struct slice rest;
    int rc;

    c->changed = true;
    if (source == NULL || project_unit_refused(unit))
        return CC_OK;
    rc = make_record(c, source, c->arena, &r);
    next = rc == CC_OK ? add_next(c) : NULL;
    if (next == NULL)
        return CC_ENOMEM;
    buf_init(&bytes, CACHE_MAX_BYTES);
    buf_init(&packed, CACHE_MAX_BYTES);
    write_record(&bytes, &r);
    gw_pack_text(&packed, buf_slice(&bytes));
    rest = arena_dup(c->arena, buf_slice(&packed));
    *next = (struct cached){.path = r.path, .packed = rest};
    rc = buf_error(&bytes) == CC_OK && buf_error(&packed) == CC_OK && rest.p != NULL
             ? gw_unpack_text(&rest, &next->record)
             : CC_ENOMEM;
    buf_free(&bytes);
    buf_free(&packed);
    return rc;
}

const char *project_cache_fault(const struct project_cache *c)
{
    return c->fault;
}

void project_cache_forget(struct project_cache *c)
{
    if (c == NULL)
        return;
    c->n_old = c->n_next = c->hits = 0;
    c->changed = true;
    c->fault = "it is damaged";
}

size_t project_cache_hits(const struct project_cache *c)
{
    return c->hits;
}

/* --- saving ----------------------------------------------------------------------------------- */

/* The records as the file will have them: nearly all stand in the old one, many one behind the
 * other, and are not copied. */
struct records {
    struct buf count;
    struct slice *parts;
    size_t n;
};

static void add_part(struct records *r, struct slice part)
{
    struct slice *last = &r->parts[r->n - 1];

    if (last->p + last->n == part.p)
        last->n += part.n;
    else
        r->parts[r->n++] = part;
}

static int list_records(const struct project_cache *c, struct records *r)
{
    uint64_t n = 0;

    r->parts = arena_array(c->arena, c->n_next + 1, sizeof(*r->parts));
    if (r->parts == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < c->n_next; i++)
        n += i == 0 || !slice_eq(c->next[i].path, c->next[i - 1].path);
    gw_pack_number(&r->count, n);
    r->parts[r->n++] = buf_slice(&r->count);
    for (size_t i = 0; i < c->n_next; i++) {
        if (i == 0 || !slice_eq(c->next[i].path, c->next[i - 1].path))
            add_part(r, c->next[i].packed);
    }
    return buf_error(&r->count);
}

/* Through stdio, which gathers small parts and leaves large ones where they are. */
static bool write_file(int fd, const char *head, const struct records *r)
{
    FILE *f = fdopen(fd, "w");
    bool good = f != NULL && fputs(head, f) >= 0;

    for (size_t i = 0; good && i < r->n; i++)
        good = fwrite(r->parts[i].p, 1, r->parts[i].n, f) == r->parts[i].n;
    return (f != NULL ? fclose(f) : close(fd)) == 0 && good;
}

/* Not synced: what a crash leaves of it has another sum than it says. */
static int replace_file(const char *path, const char *head, const struct records *r)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    int fd = n > 0 && (size_t)n < sizeof(temporary) ? mkostemp(temporary, O_CLOEXEC) : -1;

    if (fd < 0)
        return cc_from_errno(errno);
    if (write_file(fd, head, r) && rename(temporary, path) == 0)
        return CC_OK;
    n = errno;
    unlink(temporary);
    return cc_from_errno(n);
}

int project_cache_save(struct project_cache *c)
{
    char head[HEAD_BYTES + 1], sum[HASH_HEX + 1];
    struct records records = {.n = 0};
    int rc;

    if (!c->changed && c->n_next == c->n_old)
        return CC_OK;
    buf_init(&records.count, CACHE_MAX_BYTES);
    if (c->n_next > 0)
        qsort(c->next, c->n_next, sizeof(*c->next), compare_cached);
    rc = list_records(c, &records);
    if (rc == CC_OK)
        rc = crypto_sha256_hex_of(records.parts, records.n, sum);
    if (rc == CC_OK) {
        (void)snprintf(head, sizeof(head), "%s%s %s\n", MAGIC, c->key, sum);
        rc = replace_file(c->path, head, &records);
    }
    buf_free(&records.count);
    return rc;
}
