#include "spoa/resolver.h"

#include "spoa/thread.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What both sides have; the last one frees it. */
struct shared {
    atomic_uint references;
    int wake; /* eventfd */
    char host[256], port[8];
    struct resolver_result result; /* the thread's until it writes to `wake` */
};

struct resolver {
    struct shared *shared;
    struct ev_loop *loop;
    ev_io io;
    void (*done)(void *context, const struct resolver_result *result);
    void *context;
};

static void release(struct shared *s)
{
    /* release: what this side did comes before; acquire: the one that frees sees it all */
    if (atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
        return;
    close(s->wake);
    free(s);
}

static void *look_up(void *arg)
{
    struct shared *s = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(s->host, s->port, &hints, &found);
    const uint64_t one = 1;

    if (error != 0) {
        s->result.error = gai_strerror(error); /* constant texts */
    } else {
        memcpy(&s->result.address, found->ai_addr, found->ai_addrlen);
        s->result.size = found->ai_addrlen;
        freeaddrinfo(found);
    }
    if (write(s->wake, &one, sizeof(one)) < 0)
        log_error("resolver: %s", cc_strerror(CC_EIO));
    release(s);
    return NULL;
}

static void on_wake(struct ev_loop *loop, ev_io *io, int revents)
{
    struct resolver *r = io->data;
    struct resolver_result result;
    uint64_t n;

    (void)revents;
    if (read(r->shared->wake, &n, sizeof(n)) < 0)
        return;
    ev_io_stop(loop, io);
    result = r->shared->result;
    r->done(r->context, &result); /* may free the resolver */
}

static int start_thread(struct shared *s)
{
    pthread_t thread;
    int error = thread_start(&thread, look_up, s);

    if (error != 0)
        return cc_from_errno(error);
    pthread_detach(thread);
    return CC_OK;
}

int resolver_start(struct resolver **out, struct ev_loop *loop, const char *host, const char *port,
                   void (*done)(void *context, const struct resolver_result *result), void *context)
{
    struct resolver *r = calloc(1, sizeof(*r));
    struct shared *s = calloc(1, sizeof(*s));
    int rc = CC_ENOMEM;

    if (r == NULL || s == NULL)
        goto out;
    s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    atomic_init(&s->references, 2);
    rc = s->wake >= 0 ? CC_OK : CC_EIO;
    if (rc == CC_OK && (snprintf(s->host, sizeof(s->host), "%s", host) >= (int)sizeof(s->host) ||
                        snprintf(s->port, sizeof(s->port), "%s", port) >= (int)sizeof(s->port)))
        rc = CC_ETOOBIG;
    if (rc == CC_OK)
        rc = start_thread(s);
    if (rc != CC_OK) {
        if (s->wake >= 0)
            close(s->wake);
        goto out;
    }
    *r = (struct resolver){.shared = s, .loop = loop, .done = done, .context = context};
    r->io.data = r;
    ev_io_init(&r->io, on_wake, s->wake, EV_READ);
    ev_io_start(loop, &r->io);
    *out = r;
    return CC_OK;
out:
    free(r);
    free(s);
    return rc;
}

void resolver_free(struct resolver **pr)
{
    struct resolver *r = *pr;

    *pr = NULL;
    if (r == NULL)
        return;
    ev_io_stop(r->loop, &r->io);
    release(r->shared);
    free(r);
}
