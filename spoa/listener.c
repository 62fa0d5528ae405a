#include "spoa/listener.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* HAProxy reopens every connection at each of its reloads, all at once. */
enum { LISTENER_BACKLOG = 4096 };

static int log_errno(const char *what, struct slice address)
{
    int rc = cc_from_errno(errno);

    log_error("cannot %s %" PRIslice ": %s", what, SLICE_ARG(address), strerror(errno));
    return rc;
}

static int find_group(struct slice name, gid_t *gid)
{
    char room[64], text[4096];
    struct group entry, *found = NULL;

    *gid = (gid_t)-1; /* chown(2): leave as it is */
    if (name.n == 0)
        return CC_OK;
    if (name.n < sizeof room) {
        memcpy(room, name.p, name.n);
        room[name.n] = '\0';
        getgrnam_r(room, &entry, text, sizeof text, &found);
    }
    if (found == NULL) {
        log_error("agent.socketGroup: there is no group %" PRIslice, SLICE_ARG(name));
        return CC_ENOENT;
    }
    *gid = found->gr_gid;
    return CC_OK;
}

static int make_directory(struct slice path, gid_t gid)
{
    char dir[sizeof((struct listener *)NULL)->path];
    struct stat st;
    char *slash;

    memcpy(dir, path.p, path.n);
    dir[path.n] = '\0';
    slash = strrchr(dir, '/');
    if (slash == NULL || slash == dir)
        return CC_OK;
    *slash = '\0';
    if (stat(dir, &st) == 0)
        return CC_OK;
    if (file_mkdirs(dir, 0750) != CC_OK || chown(dir, (uid_t)-1, gid) != 0)
        return log_errno("create the directory", slice_of(dir));
    return CC_OK;
}

static const char *setting_of(const struct listener_options *options)
{
    return options->setting != NULL ? options->setting : "agent.socket";
}

/* Makes way for a new socket file, or says why not. */
static int remove_stale(const struct sockaddr_un *sun, const struct listener_options *options)
{
    struct slice path = options->address;
    struct stat st;
    int fd, error;

    if (lstat(sun->sun_path, &st) != 0)
        return errno == ENOENT ? CC_OK : log_errno("look at", path);
    if (!S_ISSOCK(st.st_mode)) {
        log_error("%" PRIslice " exists and is not a socket; remove it or set %s", SLICE_ARG(path),
                  setting_of(options));
        return CC_EEXIST;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return log_errno("make a socket for", path);
    error = connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0 ? 0 : errno;
    close(fd);
    /* only a refusal proves that nobody listens: EAGAIN is the full queue of a stopped agent */
    if (error != ECONNREFUSED) {
        log_error("another agent listens on %" PRIslice "; stop it or set %s", SLICE_ARG(path),
                  setting_of(options));
        return CC_EEXIST;
    }
    if (unlink(sun->sun_path) != 0)
        return log_errno("remove the stale socket", path);
    log_info("removed the stale socket %" PRIslice, SLICE_ARG(path));
    return CC_OK;
}

static int open_unix(struct listener *l, const struct listener_options *options)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct slice path = options->address;
    struct stat st;
    gid_t gid;
    mode_t before;
    int rc;

    if (path.n >= sizeof sun.sun_path) {
        log_error("the socket path %" PRIslice " is longer than %zu bytes", SLICE_ARG(path),
                  sizeof sun.sun_path - 1);
        return CC_ETOOBIG;
    }
    memcpy(sun.sun_path, path.p, path.n);
    rc = find_group(options->group, &gid);
    if (rc == CC_OK)
        rc = make_directory(path, gid);
    if (rc == CC_OK)
        rc = remove_stale(&sun, options);
    if (rc != CC_OK)
        return rc;
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return log_errno("make a socket for", path);
    /* The file is born closed to all others, then gets its group, then its mode; and nobody can
     * connect before listen(2). There is no moment at which it is more open than asked for. */
    before = umask(0177);
    rc = bind(l->fd, (const struct sockaddr *)&sun, sizeof sun);
    umask(before);
    if (rc != 0)
        return log_errno("bind", path);
    memcpy(l->path, sun.sun_path, path.n + 1);
    if (lstat(l->path, &st) != 0)
        return log_errno("look at", path);
    l->dev = st.st_dev;
    l->ino = st.st_ino;
    if (lchown(l->path, (uid_t)-1, gid) != 0)
        return log_errno("change the group of", path);
    if (chmod(l->path, options->mode & 0777) != 0)
        return log_errno("change the mode of", path);
    return CC_OK;
}

bool listener_split_address(struct slice address, char host[256], char port[6])
{
    size_t colon = address.n;
    struct slice h, p;

    while (colon > 0 && address.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    h = slice_first(address, colon - 1);
    p = slice_from(address, colon);
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = slice_first(slice_from(h, 1), h.n - 2);
    if (h.n == 0 || h.n > 255 || p.n == 0 || p.n > 5)
        return false;
    memcpy(host, h.p, h.n);
    host[h.n] = '\0';
    memcpy(port, p.p, p.n);
    port[p.n] = '\0';
    return true;
}

static int open_tcp(struct listener *l, const struct listener_options *options)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256], port[6];
    int on = 1, error;

    if (!listener_split_address(options->address, host, port)) {
        log_error("%s is %" PRIslice ", expected a path or host:port", setting_of(options),
                  SLICE_ARG(options->address));
        return CC_EINVAL;
    }
    error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        log_error("cannot look up %s: %s", host, gai_strerror(error));
        return CC_ENOENT;
    }
    l->tcp = true;
    l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            bind(l->fd, found->ai_addr, found->ai_addrlen) != 0;
    freeaddrinfo(found); /* keeps errno: POSIX.1-2024 free(3), glibc since 2.33 */
    return error ? log_errno("bind", options->address) : CC_OK;
}

int listener_open(struct listener *l, const struct listener_options *options)
{
    bool is_path = slice_find(options->address, '/') >= 0;
    int rc;

    *l = (struct listener){.fd = -1};
    rc = is_path ? open_unix(l, options) : open_tcp(l, options);
    if (rc == CC_OK && listen(l->fd, LISTENER_BACKLOG) != 0)
        rc = log_errno("listen on", options->address);
    if (rc != CC_OK)
        listener_close(l);
    return rc;
}

void listener_close(struct listener *l)
{
    struct stat st;

    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    if (l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
        st.st_ino == l->ino)
        unlink(l->path);
    l->path[0] = '\0';
}
