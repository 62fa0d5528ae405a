#include "enforce/await_reply.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The reply, its references and its bytes are one piece of memory. */
struct shared_reply {
    struct enforce_reply reply; /* first: converted back by a cast */
    atomic_uint references;
    char bytes[];
};

const char *enforce_wait_text(enum enforce_wait what)
{
    static const char *const texts[ENFORCE_WAIT_COUNT] = {
#define X(name, text) [ENFORCE_WAIT_##name] = text,
        ENFORCE_WAITS(X)
#undef X
    };

    return texts[what];
}

bool enforce_key_eq(const struct enforce_key *a, const struct enforce_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int enforce_reply_new(struct enforce_reply **out, enum enforce_wait what,
                      const struct enforce_key *key, bool failed, int64_t until_s,
                      struct slice bytes)
{
    struct shared_reply *s = malloc(sizeof(*s) + bytes.n);

    if (s == NULL)
        return CC_ENOMEM;
    if (bytes.n > 0)
        memcpy(s->bytes, bytes.p, bytes.n);
    s->reply = (struct enforce_reply){what, *key, failed, until_s, slice_make(s->bytes, bytes.n)};
    atomic_init(&s->references, 1);
    *out = &s->reply;
    return CC_OK;
}

struct enforce_reply *enforce_reply_ref(struct enforce_reply *r)
{
    /* Relaxed: who takes a reference holds one already, so nothing can be freed meanwhile. */
    atomic_fetch_add_explicit(&((struct shared_reply *)r)->references, 1, memory_order_relaxed);
    return r;
}

void enforce_reply_unref(struct enforce_reply **pr)
{
    struct shared_reply *s = (struct shared_reply *)*pr;

    *pr = NULL;
    /* Release: what this holder did comes before; acquire: the one that frees sees it all. */
    if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) != 1)
        return;
    explicit_bzero(s->bytes, s->reply.bytes.n);
    free(s);
}

/* Why a request that may not wait is refused. */
static const char *impatience_text(enum enforce_patience patience)
{
    switch (patience) {
    case ENFORCE_OVERDUE:
        return " did not come in time";
    case ENFORCE_CROWDED:
        return " is not waited for: too many requests wait";
    default:
        return " cannot be asked for";
    }
}

const struct enforce_reply *await_reply(struct attempt *a, const struct enforce_await *await)
{
    const struct enforce_reply *reply = a->request->replies[await->what];

    if (reply != NULL && enforce_key_eq(&reply->key, &await->key))
        return reply;
    if (a->request->patience == ENFORCE_MAY_WAIT) {
        reason_add_str(a->reason, "waits for ");
        reason_add_str(a->reason, enforce_wait_text(await->what));
        a->out->verdict = ENFORCE_PENDING;
        a->out->await = *await;
        return NULL;
    }
    reason_add_str(a->reason, enforce_wait_text(await->what));
    reason_add_str(a->reason, impatience_text(a->request->patience));
    refuse(a->out, REFUSE_INTERNAL);
    return NULL;
}
