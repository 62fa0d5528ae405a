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
    enum counting_cleared result;
};

static inline bool clearing_step(struct admin_call *call)
{
    struct clearing *c = call->context;

    c->result = counting_redis_clear(c->redis, call, c->key);
    return c->result == COUNTING_CLEARS;
}

/* `pump` lets the loops do what there is to do. */
static inline enum counting_cleared clear_limit(struct counting_redis *redis, struct ev_loop *loop,
                                                const char *key, void (*pump)(void *), void *world)
{
    static const struct admin_command row = {"clear", "", "", 0, 0, clearing_step};
    struct clearing c = {redis, slice_of(key), COUNTING_CLEARS};
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct admin_options options = {.idle_ms = 60000};
    struct admin *admin = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/cc-clear-%d.sock", (int)getpid());
    options.path = slice_of(sun.sun_path);
    assert_int_equal(admin_new(&admin, loop, &options), CC_OK);
    admin_register(admin, &row, 1, &c);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
    assert_int_equal(write(fd, "clear\n", 6), 6);
    for (unsigned n = 0; c.result == COUNTING_CLEARS; n++) {
        assert_true(n < 40000);
        pump(world);
    }
    admin_free(&admin);
    close(fd);
    return c.result;
}
