#include "base/file.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to n bytes; fewer only at the end of the file. */
static ssize_t read_full(int fd, char *p, size_t n)
{
    size_t got = 0;

    while (got < n) {
        ssize_t r = read(fd, p + got, n - got);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

/* Opens a regular file of at most max_bytes and tells its size. */
static int open_regular(const char *path, size_t max_bytes, int *out, size_t *size)
{
    /* O_NONBLOCK: opening a FIFO must not hang; regular files ignore it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = CC_OK;
    struct stat st;

    if (fd < 0)
        return cc_from_errno(errno);
    if (fstat(fd, &st) != 0)
        rc = cc_from_errno(errno);
    else if (!S_ISREG(st.st_mode))
        rc = CC_EINVAL;
    else if (st.st_size < 0 || (uint64_t)st.st_size > max_bytes)
        rc = CC_ETOOBIG;
    if (rc != CC_OK) {
        close(fd);
        return rc;
    }
    *out = fd;
    *size = (size_t)st.st_size;
    return CC_OK;
}

/* The next `size` bytes of an open file, or what there is of them. */
static int read_part(struct arena *a, int fd, size_t size, struct slice *out)
{
    char *p = size < SIZE_MAX ? arena_alloc(a, size + 1) : NULL;
    ssize_t n = p != NULL ? read_full(fd, p, size) : 0;

    if (p == NULL || n < 0)
        return p == NULL ? CC_ENOMEM : cc_from_errno(errno);
    *out = slice_make(p, (size_t)n);
    return CC_OK;
}

int file_read(struct arena *a, const char *path, size_t max_bytes, struct slice *out)
{
    size_t size = 0;
    int fd = -1;
    int rc = open_regular(path, max_bytes, &fd, &size);

    if (rc != CC_OK)
        return rc;
    rc = read_part(a, fd, size, out);
    close(fd);
    return rc;
}

int file_read_ends(struct arena *a, const char *path, size_t max_bytes, size_t n,
                   struct slice *head, struct slice *tail)
{
    size_t size = 0;
    int fd = -1;
    int rc = open_regular(path, max_bytes, &fd, &size);
    bool whole;

    if (rc != CC_OK)
        return rc;
    whole = size / 2 < n || size == 2 * n;
    *tail = SLICE_NONE;
    rc = read_part(a, fd, whole ? size : n, head);
    if (rc == CC_OK && !whole && lseek(fd, (off_t)(size - n), SEEK_SET) < 0)
        rc = cc_from_errno(errno);
    if (rc == CC_OK && !whole)
        rc = read_part(a, fd, n, tail);
    close(fd);
    return rc;
}

static int write_full(int fd, struct slice data)
{
    while (data.n > 0) {
        ssize_t w = write(fd, data.p, data.n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return cc_from_errno(errno);
        data = slice_from(data, (size_t)w);
    }
    return CC_OK;
}

/* Directory part of path into room; "." when there is none. */
static const char *directory_of(const char *path, char room[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == path)
        n = 1;
    if (n == 0 || n >= PATH_MAX)
        return ".";
    memcpy(room, path, n);
    room[n] = '\0';
    return room;
}

int file_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = CC_OK;

    if (fd < 0)
        return cc_from_errno(errno);
    if (fsync(fd) != 0)
        rc = cc_from_errno(errno);
    close(fd);
    return rc;
}

int file_replace_begin(struct file_replacement *r, const char *path)
{
    int n = snprintf(r->temporary, sizeof(r->temporary), "%s.XXXXXX", path);

    if (n < 0 || (size_t)n >= sizeof(r->temporary))
        return CC_ETOOBIG;
    r->path = path;
    r->fd = mkostemp(r->temporary, O_CLOEXEC);
    return r->fd < 0 ? cc_from_errno(errno) : CC_OK;
}

int file_replace_add(struct file_replacement *r, struct slice data)
{
    return write_full(r->fd, data);
}

int file_replace_end(struct file_replacement *r, int rc, unsigned mode)
{
    char dir[PATH_MAX];

    if (rc == CC_OK && (fchmod(r->fd, mode) != 0 || fsync(r->fd) != 0))
        rc = cc_from_errno(errno);
    if (close(r->fd) != 0 && rc == CC_OK)
        rc = cc_from_errno(errno);
    if (rc == CC_OK && rename(r->temporary, r->path) != 0)
        rc = cc_from_errno(errno);
    if (rc != CC_OK)
        unlink(r->temporary);
    return rc == CC_OK ? file_sync_dir(directory_of(r->path, dir)) : rc;
}

int file_write_atomic(const char *path, struct slice data, unsigned mode)
{
    struct file_replacement r;
    int rc = file_replace_begin(&r, path);

    return rc == CC_OK ? file_replace_end(&r, file_replace_add(&r, data), mode) : rc;
}

static int check_owner(const struct stat *st)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return CC_EREFUSED;
    return (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ? CC_EREFUSED : CC_OK;
}

int file_check_ours(const char *directory, const char *path)
{
    struct stat st;
    int rc;

    if (stat(directory, &st) != 0)
        return cc_from_errno(errno);
    rc = check_owner(&st);
    if (rc != CC_OK)
        return rc;
    if (lstat(path, &st) != 0)
        return cc_from_errno(errno);
    return S_ISREG(st.st_mode) ? check_owner(&st) : CC_EREFUSED;
}

static int make_dir(const char *path, unsigned mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0 && chmod(path, mode) == 0)
        return CC_OK;
    if (errno != EEXIST)
        return cc_from_errno(errno);
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? CC_OK : CC_EEXIST;
}

int file_mkdirs(const char *path, unsigned mode)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return CC_EINVAL;
    memcpy(part, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        int rc;

        if (part[i] != '/')
            continue;
        part[i] = '\0';
        rc = make_dir(part, mode);
        part[i] = '/';
        if (rc != CC_OK)
            return rc;
    }
    return make_dir(part, mode);
}

/* Removes `name` below the open directory. Works on descriptors, so that a directory swapped for a
 * link meanwhile is not followed. */
static int remove_at(int dirfd, const char *name)
{
    int rc = CC_OK, fd;
    DIR *dir;

    if (unlinkat(dirfd, name, 0) == 0)
        return CC_OK;
    if (errno != EISDIR && errno != EPERM)
        return cc_from_errno(errno);
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cc_from_errno(errno);
    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return CC_ENOMEM;
    }
    for (struct dirent *e; rc == CC_OK && (e = readdir(dir)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = remove_at(fd, e->d_name);
    closedir(dir);
    if (rc == CC_OK && unlinkat(dirfd, name, AT_REMOVEDIR) != 0)
        rc = cc_from_errno(errno);
    return rc;
}

int file_remove_tree(const char *path)
{
    return remove_at(AT_FDCWD, path);
}
