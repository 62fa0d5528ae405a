#include "enforce/throttle.h"

#include "enforce/throttle_count.h"
#include "enforce/throttle_deny.h"
#include "enforce/throttle_memo.h"
#include "enforce/throttle_tell.h"

_Static_assert(COUNTER_MAX_LIMITS >= THROTTLE_MEMO_LIMITS + GW_CUSTOM_MAX,
               "a request's limits are asked at once");

static const struct enforce_header *header(const struct attempt *a, size_t number)
{
    const struct enforce_header *h =
        a->request->headers != NULL && number < a->rules->model->n_headers
            ? &a->request->headers[number]
            : NULL;

    return h != NULL && h->count > 0 ? h : NULL;
}

/* The bytes of the body, as the client announces them. A limit that refuses cannot count what is
 * not announced. */
static bool read_length(struct attempt *a, const struct throttle_limits *l, uint64_t *bytes)
{
    const struct throttle_rules *t = &a->rules->throttle;
    const struct enforce_header *length, *encoding;

    *bytes = 0;
    if (!t->bytes)
        return true;
    length = header(a, t->length_header);
    encoding = header(a, t->encoding_header);
    if (length != NULL && encoding == NULL && slice_to_u64(length->value, bytes) == CC_OK &&
        *bytes <= COUNTER_MAX_QUOTA)
        return true;
    *bytes = 0;
    return (length == NULL && encoding == NULL) || !l->needs_length ||
           attempt_refuse(a, REFUSE_NO_LENGTH,
                          "a limit of bytes, and the request does not say how many it has",
                          PLACE_NONE);
}

/* Limits that are exceeded and let pass, by the names of their policies. */
static void tell_over(struct attempt *a, const struct throttle_limits *l, uint32_t over,
                      struct buf *texts)
{
    size_t start = texts->n;

    for (size_t i = 0; i < l->n; i++) {
        if ((over & 1u << i) == 0 || l->list[i].rule->mode == COUNTER_ENFORCE)
            continue;
        if (texts->n > start)
            buf_add_str(texts, ", ");
        buf_add_str(texts, gw_level_name(l->limits[i]->policy->level));
        buf_add_char(texts, ' ');
        buf_add(texts, slice_first(l->limits[i]->policy->name, 64));
    }
    if (texts->n == start || buf_error(texts) != CC_OK)
        return;
    a->out->limits.over = slice_from(buf_slice(texts), start);
    attempt_count(&a->w->over, 1);
}

static bool refuse_limit(struct attempt *a, const struct throttle_limits *l, size_t at,
                         const struct counter_state *state)
{
    const struct gw_policy *p = l->limits[at]->policy;

    reason_add_str(a->reason, state->away
                                  ? "redis cannot be asked, and no part is left of the limit of "
                                  : "above the limit of ");
    reason_add_str(a->reason, gw_level_name(p->level));
    reason_add_str(a->reason, " policy ");
    reason_add(a->reason, slice_first(p->name, 64));
    reason_add_str(a->reason, state->burst ? " (burst)" : "");
    reason_add_str(a->reason, ", ");
    reason_add(a->reason, slice_first(l->list[at].key, 200));
    attempt_count(&a->w->throttled, 1);
    return attempt_refuse(a, l->refusals[at], "", p->origin);
}

/* For whoever asks why. */
static __attribute__((cold)) void list_limits(const struct attempt *a,
                                              const struct throttle_limits *l, uint64_t bytes)
{
    for (size_t i = 0; i < l->n; i++)
        trace_limit(a->trace, l->limits[i]->policy, &l->list[i]);
    a->trace->limit_bytes = bytes;
}

/* Nothing counts here. What became of the limits elsewhere comes with a request that is explained;
 * *known: it did. False after a refusal. */
static __attribute__((cold)) bool ask_nobody(struct attempt *a, const struct throttle_limits *l,
                                             struct counter_result *result, bool *known)
{
    const struct enforce_reply *reply = a->request->replies[ENFORCE_WAIT_LIMITS];

    *known = false;
    if (a->trace == NULL)
        return attempt_refuse(a, REFUSE_INTERNAL, "internal error: there is nothing to count with",
                              PLACE_NONE);
    if (reply == NULL || reply->failed || reply->bytes.n != sizeof(*result))
        return true;
    memcpy(result, reply->bytes.p, sizeof(*result));
    CC_ASSERT(result->refused < (int)l->n && result->tightest < (int)l->n);
    *known = true;
    return true;
}

static bool ask(struct attempt *a, const struct throttle_limits *l)
{
    struct counter_result result;
    struct buf texts;
    uint64_t bytes;
    bool known = true;
    size_t at;

    if (!read_length(a, l, &bytes))
        return false;
    if (a->trace != NULL)
        list_limits(a, l, bytes);
    if (a->w->counters != NULL ? !throttle_count(a, l->list, l->n, bytes, &result)
                               : !ask_nobody(a, l, &result, &known))
        return false;
    if (!known)
        return true;
    buf_init_fixed(&texts, a->w->throttle.texts, sizeof(a->w->throttle.texts));
    tell_over(a, l, result.over, &texts);
    if (result.tightest >= 0) {
        at = (size_t)result.tightest;
        throttle_tell(a, l->limits[at], &result.state, result.refused >= 0, &texts);
    }
    return result.refused < 0 || refuse_limit(a, l, (size_t)result.refused, &result.state);
}

/* The limits of the caller, from what is known of him. */
static bool find_known_limits(struct attempt *a, const struct throttle_caller *c,
                              struct throttle_memo_entry *known, struct buf *keys,
                              struct throttle_limits *l)
{
    if (known->grouped != NULL && !throttle_limits_by_group(a, c, known->grouped, keys, l))
        return false;
    throttle_memo_limits(known, l);
    return true;
}

static bool find_custom_limits(struct attempt *a, const struct throttle_caller *c,
                               struct throttle_memo_entry *known, struct buf *keys,
                               struct throttle_limits *l)
{
    size_t first = l->n;

    if (known != NULL && throttle_memo_custom(known, a, l))
        return true;
    if (!throttle_limits_custom(a, c, keys, l))
        return false;
    if (known != NULL && a->rules->throttle.custom_of_caller && buf_error(keys) == CC_OK)
        throttle_memo_keep_custom(known, a, l, first);
    return true;
}

static bool find_limits(struct attempt *a, const struct throttle_caller *c,
                        struct throttle_memo_entry *known, struct throttle_memo *memo,
                        struct buf *keys, struct throttle_limits *l)
{
    TRACE_STEP(a->trace, LIMITS, PLACE_NONE);
    if (known != NULL ? !find_known_limits(a, c, known, keys, l)
                      : !throttle_limits_of_caller(a, c, keys, l))
        return false;
    if (known == NULL && memo != NULL && buf_error(keys) == CC_OK)
        known = throttle_memo_keep(memo, a, c, l);
    return find_custom_limits(a, c, known, keys, l);
}

bool throttle(struct attempt *a)
{
    /* who asks why is told how it is found out */
    struct throttle_memo *memo = a->trace == NULL && a->w->counters != NULL ? a->w->memo : NULL;
    struct throttle_memo_entry *known = NULL;
    struct throttle_caller caller;
    struct throttle_limits limits;
    struct buf keys;

    if (!a->rules->model->throttling.enabled)
        return true;
    limits.n = limits.n_grouped = 0;
    limits.grouped = NULL;
    limits.needs_length = false;
    buf_init_fixed(&keys, a->w->throttle.keys, sizeof(a->w->throttle.keys));
    throttle_describe(a, &caller);
    if (memo != NULL)
        known = throttle_memo_find(memo, a, &caller);
    if (known != NULL)
        caller.user = known->user;
    else
        throttle_name_user(&caller, &keys);
    if (!throttle_deny_check(a, &caller, known, &keys) ||
        !find_limits(a, &caller, known, memo, &keys, &limits))
        return false;
    if (buf_error(&keys) != CC_OK)
        return attempt_refuse(a, REFUSE_INTERNAL, "the keys of its counters are too long",
                              PLACE_NONE);
    if (limits.n == 0) {
        TRACE_SAY(a->trace, "none");
        return true;
    }
    return ask(a, &limits);
}
