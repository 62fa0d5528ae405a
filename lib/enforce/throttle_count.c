#include "enforce/throttle_count.h"

#include "enforce/attempt.h"

_Static_assert(2 * sizeof(uint64_t) * 2 == ENFORCE_KEY_BYTES, "what is asked for, and its number");

/* What was asked for when this request was looked at before; NULL: it was not, or for other limits,
 * by other rules. */
static const struct enforce_reply *find_reply(const struct attempt *a)
{
    const struct enforce_reply *reply = a->request->replies[ENFORCE_WAIT_LIMITS];
    const struct counter_question *q = &a->w->throttle.question;

    return reply != NULL && memcmp(reply->key.bytes, q->id, sizeof(q->id)) == 0 ? reply : NULL;
}

/* Each request asks for itself. */
static void wait_for_verdict(struct attempt *a)
{
    struct counter_question *q = &a->w->throttle.question;
    struct enforce_await *await = &a->out->await;
    const uint64_t number[2] = {++a->w->throttle.asked, 0};

    *await = (struct enforce_await){.what = ENFORCE_WAIT_LIMITS};
    memcpy(await->key.bytes, q->id, sizeof(q->id));
    memcpy(await->key.bytes + sizeof(q->id), number, sizeof(number));
    await->question =
        slice_make(q, offsetof(struct counter_question, asks) + q->n * sizeof(q->asks[0]));
    reason_add_str(a->reason, "waits for ");
    reason_add_str(a->reason, enforce_wait_text(await->what));
    a->out->verdict = ENFORCE_PENDING;
}

bool throttle_count(struct attempt *a, const struct counter_limit *limits, size_t n, uint64_t bytes,
                    struct counter_result *result)
{
    struct counter_verdict verdicts[COUNTER_MAX_LIMITS];
    struct counter_table *t = a->w->counters;
    struct counter_time now = counter_now(a->clock);
    const struct enforce_reply *reply;
    bool asks;

    if (counter_is_strict(t)) {
        asks = counter_strict_ask(t, limits, n, bytes, now, &a->w->throttle.question);
        reply = find_reply(a);
        if (reply != NULL && !reply->failed && reply->bytes.n == n * sizeof(verdicts[0])) {
            memcpy(verdicts, reply->bytes.p, reply->bytes.n);
            counter_strict_told(t, limits, n, bytes, now, verdicts, result);
            return true;
        }
        if (reply == NULL && asks && a->request->patience == ENFORCE_MAY_WAIT) {
            wait_for_verdict(a);
            return false;
        }
    }
    /* nobody answers in time: each limit does as it says for that */
    counter_take(t, limits, n, bytes, now, result);
    return true;
}
