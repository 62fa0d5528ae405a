#include "fetch/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX_BYTES = 64 << 10 };

static int refuse_mode(const char *path, const struct stat *st, unsigned forbidden,
                       struct place place, struct diag *diag)
{
    bool owner = forbidden == KEY_FILE_OWNER_ONLY;

    diag_help(
        diag_error(diag, CC4003, place, "others than %s may read the private key %s (mode %03o)",
                   owner ? "you" : "its owner and group", path, (unsigned)(st->st_mode & 0777)),
        "chmod %s %s; if others may have read it, make a new key", owner ? "600" : "640", path);
    return CC_EINVAL;
}

static int read_all(struct key **out, int fd)
{
    char *pem = malloc(PEM_MAX_BYTES + 1);
    size_t n = 0;
    ssize_t got = 0;
    int rc = CC_ENOMEM;

    if (pem == NULL)
        return rc;
    do {
        got = read(fd, pem + n, PEM_MAX_BYTES + 1 - n);
        n += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && n <= PEM_MAX_BYTES) || (got < 0 && errno == EINTR));
    rc = got < 0 ? CC_EIO : n > PEM_MAX_BYTES ? CC_ETOOBIG : CC_OK;
    if (rc == CC_OK)
        rc = key_private_from_pem(out, slice_make(pem, n));
    OPENSSL_cleanse(pem, PEM_MAX_BYTES + 1);
    free(pem);
    return rc;
}

static int read_open(struct key **out, int fd, const char *path, unsigned forbidden,
                     struct place place, struct diag *diag)
{
    struct stat st;
    int rc;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        diag_error(diag, CC1001, place, "%s is not a regular file", path);
        return CC_EINVAL;
    }
    if ((st.st_mode & forbidden) != 0)
        return refuse_mode(path, &st, forbidden, place, diag);
    if (st.st_uid != 0 && geteuid() != 0 && st.st_uid != geteuid()) {
        diag_error(diag, CC4003, place, "the private key %s belongs to another user", path);
        return CC_EINVAL;
    }
    rc = read_all(out, fd);
    if (rc != CC_OK)
        diag_error(diag, CC4001, place, "%s is not a private key in PEM that can be used: %s", path,
                   cc_strerror(rc));
    return rc == CC_OK ? CC_OK : CC_EINVAL;
}

int key_file_read(struct key **out, const char *path, unsigned forbidden, struct place place,
                  struct diag *diag)
{
    /* O_NONBLOCK: nobody makes us wait for the other end of a pipe */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (fd < 0) {
        diag_error(diag, CC1001, place, "%s cannot be opened: %s", path, strerror(errno));
        return CC_EINVAL;
    }
    rc = read_open(out, fd, path, forbidden, place, diag);
    close(fd);
    return rc;
}
