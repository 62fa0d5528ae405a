/* Opens a snapshot file, after a look at who could have written it. */
#include "gateway/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted_owner(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

/* A link of somebody else could lead to any file that we trust: an old generation, for example. */
static const char *link_fault(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !is_trusted_owner(st.st_uid))
        return "it is a symbolic link that belongs neither to root nor to this user";
    return NULL;
}

static const char *file_fault(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    if (!is_trusted_owner(st->st_uid))
        return "it belongs neither to root nor to this user";
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return "others than its owner may write it (chmod go-w)";
    if (st->st_size > GW_SNAPSHOT_MAX_BYTES)
        return "it is larger than 256 MiB";
    return NULL;
}

/* Known only when it has been read. */
static const char *secret_fault(const struct stat *st, const struct gw_snapshot *snapshot)
{
    if (gw_snapshot_model(snapshot)->n_identities > 0 && (st->st_mode & S_IROTH) != 0)
        return "it holds passwords of endpoints, and others than its owner and group may read it "
               "(chmod o-r)";
    return NULL;
}

/* Up to `size` bytes; fewer when the file is shorter by now, which its hash will show. */
static int read_whole(int fd, char *text, size_t size, size_t *n)
{
    *n = 0;
    while (*n < size) {
        ssize_t got = read(fd, text + *n, size - *n);

        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return cc_from_errno(errno);
        if (got > 0)
            *n += (size_t)got;
    }
    return CC_OK;
}

static int refuse_file(struct diag *diag, const char *path, const char *why, int rc)
{
    diag_error(diag, CC6001, PLACE_NONE, "%s: %s", path, why);
    return rc;
}

int gw_snapshot_read_file(struct gw_snapshot **out, const char *path, struct diag *diag)
{
    const char *fault = link_fault(path);
    struct gw_snapshot *snapshot = NULL;
    char *text = NULL;
    size_t n = 0;
    struct stat st = {0};
    int rc, fd = -1;

    if (fault != NULL)
        return refuse_file(diag, path, fault, CC_EREFUSED);
    /* O_NONBLOCK: opening a FIFO must not wait for its writer */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    rc = fd < 0 || fstat(fd, &st) != 0 ? cc_from_errno(errno) : CC_OK;
    if (rc != CC_OK) {
        refuse_file(diag, path, cc_strerror(rc), rc);
        goto out;
    }
    fault = file_fault(&st);
    if (fault != NULL) {
        rc = refuse_file(diag, path, fault, CC_EREFUSED);
        goto out;
    }
    text = malloc((size_t)st.st_size + 1);
    rc = text != NULL ? read_whole(fd, text, (size_t)st.st_size, &n) : CC_ENOMEM;
    if (rc != CC_OK) {
        refuse_file(diag, path, cc_strerror(rc), rc);
        goto out;
    }
    rc = gw_snapshot_read(&snapshot, slice_make(text, n), path, diag);
    if (rc != CC_OK)
        goto out;
    fault = secret_fault(&st, snapshot);
    if (fault != NULL) {
        rc = refuse_file(diag, path, fault, CC_EREFUSED);
        goto out;
    }
    *out = snapshot;
    snapshot = NULL;
out:
    gw_snapshot_unref(&snapshot);
    free(text);
    malloc_trim(0); /* what reading took besides the model goes back to the system */
    if (fd >= 0)
        close(fd);
    return rc;
}
