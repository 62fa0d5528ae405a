/* Scripts of redis_link.h: by their SHA-1, and whole when the server does not know it. */
#include "spoa/redis_link.h"

#include "crypto/key.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRIPT_ARGS_MAX = 40 };

int redis_script_init(struct redis_script *script, struct slice text)
{
    script->text = text;
    /* the name that Redis gives it: no secret, and nothing depends on its strength */
    return crypto_sha1_hex(text, script->sha);
}

/* One that is under way: what is needed to send it again. */
struct call {
    struct redis_link *link;
    const struct redis_script *script;
    redis_done *done;
    void *context;
    bool again;
    size_t n_keys, n;
    struct slice args[SCRIPT_ARGS_MAX];
    char texts[];
};

static int send_call(struct call *call);

static void on_reply(void *context, const redisReply *reply)
{
    struct call *call = context;

    if (reply != NULL && reply->type == REDIS_REPLY_ERROR && !call->again &&
        slice_starts(slice_make(reply->str, reply->len), SLICE("NOSCRIPT"))) {
        call->again = true; /* EVAL makes the server know it */
        if (send_call(call) == CC_OK)
            return;
    }
    if (call->done != NULL)
        call->done(call->context, reply);
    free(call);
}

static int send_call(struct call *call)
{
    struct slice args[SCRIPT_ARGS_MAX + 3];
    char number[24];

    snprintf(number, sizeof(number), "%zu", call->n_keys);
    args[0] = call->again ? SLICE("EVAL") : SLICE("EVALSHA");
    args[1] = call->again ? call->script->text : slice_of(call->script->sha);
    args[2] = slice_of(number);
    memcpy(args + 3, call->args, call->n * sizeof(*args));
    return redis_link_send(call->link, args, call->n + 3, on_reply, call);
}

int redis_link_eval(struct redis_link *l, const struct redis_script *script, size_t n_keys,
                    const struct slice *args, size_t n, redis_done *done, void *context)
{
    size_t bytes = 0;
    struct call *call;
    char *p;
    int rc;

    CC_ASSERT(n <= SCRIPT_ARGS_MAX && n_keys <= n);
    for (size_t i = 0; i < n; i++)
        bytes += args[i].n;
    call = malloc(sizeof(*call) + bytes);
    if (call == NULL)
        return CC_ENOMEM;
    *call = (struct call){l, script, done, context, false, n_keys, n, {SLICE_NONE}};
    p = call->texts;
    for (size_t i = 0; i < n; i++) {
        if (args[i].n > 0)
            memcpy(p, args[i].p, args[i].n);
        call->args[i] = slice_make(p, args[i].n);
        p += args[i].n;
    }
    rc = send_call(call);
    if (rc != CC_OK)
        free(call);
    return rc;
}
