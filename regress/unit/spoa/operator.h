/* A key is cleared as by an operator: by a command of a real admin socket, which waits for Redis.
 */
#pragma once

#include "regress/unit/spoa/redis_process.h"

#include "spoa/counting_redis.h"

#include <sys/socket.h>
#include <sys/un.h>

struct clearing {
    struct counting_redis *redis;
    struct slice key;
    bool waits;
    enum counting_cleared result;
};

static inline bool clearing_step(struct admin_call *call)
{
    struct clearing *c = call->context;

    c->result = counting_redis_clear(c->redis, call, c->key);
    c->waits = c->result == COUNTING_CLEARS;
    return c->waits;
}

/* Gives the command to a real admin socket, once. `pump` lets the loops do what there is to do;
 * until *waits is false, or a time is over: then the client has left. */
static inline void run_command(struct ev_loop *loop, const struct admin_command *row, void *context,
                               const bool *waits, unsigned turns, void (*pump)(void *), void *world)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct admin_options options = {.idle_ms = 60000};
    struct admin *admin = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/cc-operator-%d.sock", (int)getpid());
    options.path = slice_of(sun.sun_path);
    assert_int_equal(admin_new(&admin, loop, &options), CC_OK);
    admin_register(admin, row, 1, context);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(write(fd, "go\n", 3), 3);
    for (unsigned n = 0; n < turns && *waits; n++)
        pump(world);
    admin_free(&admin);
    close(fd);
}

static inline enum counting_cleared clear_limit(struct counting_redis *redis, struct ev_loop *loop,
                                                const char *key, void (*pump)(void *), void *world)
{
    static const struct admin_command row = {"go", "", "", 0, 0, clearing_step};
    struct clearing c = {redis, slice_of(key), true, COUNTING_CLEARS};

    run_command(loop, &row, &c, &c.waits, 40000, pump, world);
    assert_false(c.waits);
    return c.result;
}
