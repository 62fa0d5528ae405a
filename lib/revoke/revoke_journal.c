#include "revoke/revoke_journal.h"

#include "revoke/revoke_line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SUM_SIZE = 16,
    LINE_MAX_BYTES = SUM_SIZE + 2 + REVOKE_LINE_MAX,
    PENDING_MAX = 64 << 20, /* lines that wait for a commit */
    WRITE_BYTES = 64 << 10,
    SLACK_LINES = 1024 /* a short file is not worth writing anew */
};

/* The first line. The second form: it was in step with other gateways once. */
static const struct slice headers[] = {SLICE_INIT("cc-gateway revoked 1\n"),
                                       SLICE_INIT("cc-gateway revoked 1 shared\n")};

struct revoke_journal {
    char directory[PATH_MAX], path[PATH_MAX], fresh[PATH_MAX];
    int fd;               /* -1: there is no file yet */
    off_t size;           /* what is good of it */
    size_t lines;         /* in it and pending */
    bool shared, rewrite; /* rewrite: with the next commit, whatever its size */
    /* Goes to the offset `size` until that succeeds: a half-written end is written over. */
    struct buf pending;
};

/* Not against attackers: who can write the file can compute it. */
static uint64_t sum_of(struct slice text)
{
    static const struct hash_key key = {0x63632d6761746577, 0x7265766f6b656421};

    return hash_slice(&key, text);
}

static void add_line(struct buf *out, const struct revoke_line *line)
{
    char room[REVOKE_LINE_MAX];
    struct buf text;

    buf_init_fixed(&text, room, sizeof(room));
    revoke_line_add(&text, line);
    CC_ASSERT(buf_error(&text) == CC_OK);
    buf_printf(out, "%016llx ", (unsigned long long)sum_of(buf_slice(&text)));
    buf_add(out, buf_slice(&text));
    buf_add_char(out, '\n');
}

/* Reading */

static bool parse_line(struct slice text, struct revoke_line *out)
{
    char sum[SUM_SIZE + 1];
    struct slice rest = slice_from(text, SUM_SIZE + 1);

    if (text.n <= SUM_SIZE || text.p[SUM_SIZE] != ' ')
        return false;
    snprintf(sum, sizeof(sum), "%016llx", (unsigned long long)sum_of(rest));
    return slice_eq(slice_first(text, SUM_SIZE), slice_of(sum)) && revoke_line_parse(rest, out);
}

struct reading {
    struct revoked *table;
    int64_t now_s;
    struct revoke_journal_report *report;
    off_t size; /* up to the end of the last good line; 0: there is no header */
};

static void apply(struct reading *r, const struct revoke_line *line)
{
    if (!line->revoked)
        revoked_remove(r->table, line->id, REVOKED_BY_STATE);
    else
        revoked_add(r->table, line->id, line->until_s, REVOKED_BY_STATE, r->now_s);
    r->report->lines++;
}

/* Lines up to the end; a last one without its end, or with a wrong sum, is torn. */
static int read_lines(struct reading *r, FILE *file, off_t file_size)
{
    char *text = NULL;
    size_t cap = 0, number = 1, bad = 0;
    ssize_t n;

    while ((n = getline(&text, &cap, file)) > 0) {
        struct slice row = slice_make(text, (size_t)n);
        struct revoke_line line;

        number++;
        if (bad != 0 || (size_t)n > LINE_MAX_BYTES || !slice_ends(row, SLICE("\n")) ||
            !parse_line(slice_first(row, row.n - 1), &line)) {
            if (bad == 0)
                bad = number;
            else if (number > bad) /* something came after it: it is not the end */
                break;
            continue;
        }
        apply(r, &line);
        r->size += n;
    }
    free(text);
    if (ferror(file))
        return CC_EIO;
    if (bad != 0 && number > bad) {
        r->report->broken = bad;
        return CC_EPARSE;
    }
    r->report->torn = (size_t)(file_size - r->size);
    return CC_OK;
}

/* The first line; CC_ENOENT: a crash right after the file was made, nothing was in it. */
static int read_header(struct reading *r, FILE *file)
{
    char head[32];
    struct slice row = SLICE("");

    if (fgets(head, sizeof(head), file) != NULL)
        row = slice_of(head);
    for (size_t i = 0; i < 2; i++) {
        if (!slice_eq(row, headers[i]))
            continue;
        r->size = (off_t)row.n;
        r->report->shared = i == 1;
        return CC_OK;
    }
    if (slice_starts(headers[1], row) || slice_starts(headers[0], row)) {
        r->report->torn = row.n;
        return CC_ENOENT;
    }
    r->report->broken = 1;
    return CC_EPARSE;
}

static int read_file(struct reading *r, int fd)
{
    int copy = dup(fd);
    FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;
    struct stat st;
    int rc = CC_OK;

    if (file == NULL || fstat(fd, &st) != 0) {
        rc = cc_from_errno(errno);
        if (file == NULL && copy >= 0)
            close(copy);
        goto out;
    }
    rc = read_header(r, file);
    if (rc == CC_OK)
        rc = read_lines(r, file, st.st_size);
    else if (rc == CC_ENOENT)
        rc = CC_OK;
out:
    if (file != NULL)
        fclose(file);
    return rc;
}

static int paths_of(const char *directory, char *path, char *fresh)
{
    int n = snprintf(path, PATH_MAX, "%s/revoked.journal", directory);

    if (fresh != NULL)
        n = snprintf(fresh, PATH_MAX, "%s/revoked.journal.new", directory);
    return n > 0 && n < PATH_MAX ? CC_OK : CC_ETOOBIG;
}

/* *fd is open when CC_OK, and the caller's. */
static int open_and_read(struct reading *r, const char *directory, const char *path, int flags,
                         int *fd)
{
    int rc = file_check_ours(directory, path);

    if (rc != CC_OK)
        return rc;
    *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        return cc_from_errno(errno);
    rc = read_file(r, *fd);
    if (rc != CC_OK) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

int revoke_journal_read(const char *directory, struct revoked *table, int64_t now_s,
                        struct revoke_journal_report *report)
{
    struct reading r = {table, now_s, report, 0};
    char path[PATH_MAX];
    int fd = -1;
    int rc = paths_of(directory, path, NULL);

    *report = (struct revoke_journal_report){0};
    if (rc == CC_OK)
        rc = open_and_read(&r, directory, path, O_RDONLY, &fd);
    if (rc == CC_OK)
        close(fd);
    return rc;
}

/* Writing */

static int write_at(int fd, struct slice data, off_t at)
{
    while (data.n > 0) {
        ssize_t n = pwrite(fd, data.p, data.n, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cc_from_errno(errno);
        data = slice_from(data, (size_t)n);
        at += n;
    }
    return CC_OK;
}

static int sync_file(int fd)
{
    return fdatasync(fd) == 0 ? CC_OK : cc_from_errno(errno);
}

static int write_table(int fd, const struct revoked *table, struct slice header, off_t *size,
                       size_t *lines)
{
    struct revoked_entry e;
    struct buf b;
    int rc = CC_OK;

    *size = 0;
    *lines = 0;
    buf_init(&b, (size_t)2 * WRITE_BYTES);
    buf_add(&b, header);
    for (size_t i = 0; rc == CC_OK && i < revoked_places(table); i++) {
        if (!revoked_at(table, i, &e) || (e.sources & REVOKED_BY_STATE) == 0)
            continue;
        add_line(&b, &(struct revoke_line){true, e.until_s, e.id});
        ++*lines;
        if (b.n < WRITE_BYTES)
            continue;
        rc = write_at(fd, buf_slice(&b), *size);
        *size += (off_t)b.n;
        buf_reset(&b);
    }
    if (rc == CC_OK)
        rc = buf_error(&b);
    if (rc == CC_OK)
        rc = write_at(fd, buf_slice(&b), *size);
    *size += (off_t)b.n;
    buf_free(&b);
    return rc;
}

/* The new file takes the name of the old one only when all of it is on the disk. */
static int rewrite(struct revoke_journal *j, const struct revoked *table)
{
    int fd = open(j->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t lines;
    off_t size;
    int rc;

    if (fd < 0)
        return cc_from_errno(errno);
    rc = write_table(fd, table, headers[j->shared], &size, &lines);
    if (rc == CC_OK)
        rc = sync_file(fd);
    if (rc == CC_OK && rename(j->fresh, j->path) != 0)
        rc = cc_from_errno(errno);
    if (rc != CC_OK) {
        close(fd);
        unlink(j->fresh);
        return rc;
    }
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->size = size;
    j->lines = lines;
    j->rewrite = false;
    buf_reset(&j->pending);
    return file_sync_dir(j->directory);
}

static int append(struct revoke_journal *j)
{
    int rc = write_at(j->fd, buf_slice(&j->pending), j->size);

    if (rc == CC_OK)
        rc = sync_file(j->fd);
    if (rc != CC_OK)
        return rc;
    j->size += (off_t)j->pending.n;
    buf_reset(&j->pending);
    return CC_OK;
}

void revoke_journal_add(struct revoke_journal *j, struct slice id, int64_t until_s)
{
    add_line(&j->pending, &(struct revoke_line){true, until_s, id});
    j->lines++;
}

void revoke_journal_remove(struct revoke_journal *j, struct slice id)
{
    add_line(&j->pending, &(struct revoke_line){false, REVOKED_FOREVER, id});
    j->lines++;
}

void revoke_journal_set_shared(struct revoke_journal *j)
{
    j->rewrite = j->rewrite || !j->shared;
    j->shared = true;
}

int revoke_journal_commit(struct revoke_journal *j, const struct revoked *table)
{
    struct revoked_stats stats;
    bool needed = j->fd < 0 || buf_error(&j->pending) != CC_OK;

    revoked_stats(table, &stats);
    /* What only the filter has would be missing: then the file grows on. */
    if (stats.overflow == 0 && (needed || j->rewrite || j->lines > 2 * stats.entries + SLACK_LINES))
        return rewrite(j, table);
    if (needed)
        return CC_EFULL;
    return j->pending.n > 0 ? append(j) : CC_OK;
}

int revoke_journal_open(struct revoke_journal **out, const char *directory, struct revoked *table,
                        int64_t now_s, struct revoke_journal_report *report)
{
    struct reading r = {table, now_s, report, 0};
    struct revoke_journal *j = calloc(1, sizeof(*j));
    int rc = CC_ENOMEM;

    *report = (struct revoke_journal_report){0};
    if (j == NULL)
        goto out;
    j->fd = -1;
    buf_init(&j->pending, PENDING_MAX);
    snprintf(j->directory, sizeof(j->directory), "%s", directory);
    rc = paths_of(directory, j->path, j->fresh);
    if (rc != CC_OK)
        goto out;
    file_mkdirs(directory, 0700); /* when that fails, the first commit says why */
    rc = open_and_read(&r, directory, j->path, O_RDWR, &j->fd);
    if (rc == CC_ENOENT || (rc == CC_OK && r.size == 0)) {
        if (j->fd >= 0)
            close(j->fd);
        j->fd = -1; /* the next commit makes it */
        rc = CC_OK;
    }
    if (rc == CC_OK && report->torn > 0 && j->fd >= 0 && ftruncate(j->fd, r.size) != 0)
        rc = cc_from_errno(errno);
    if (rc != CC_OK)
        goto out;
    j->size = r.size;
    j->lines = report->lines;
    j->shared = report->shared;
    *out = j;
    j = NULL;
out:
    revoke_journal_close(&j);
    return rc;
}

void revoke_journal_close(struct revoke_journal **pj)
{
    struct revoke_journal *j = *pj;

    *pj = NULL;
    if (j == NULL)
        return;
    if (j->fd >= 0)
        close(j->fd);
    buf_free(&j->pending);
    free(j);
}
