/* filter: claim transformers. */
#include "enforce/attempt.h"
#include "enforce/filter.h"

enum { VALUE_MAX = 4096, NAME_MAX_BYTES = 256 };

struct claims_call {
    struct cc_claims head; /* first: converted back by a cast */
    const struct gw_issuer *issuer;
    struct jwt_claim_tree *tree;
};

static struct cc_text issuer(const struct cc_claims *c)
{
    const struct claims_call *call = (const struct claims_call *)c;

    return (struct cc_text){call->issuer->issuer.p, call->issuer->issuer.n};
}

static struct cc_text get(const struct cc_claims *c, const char *name)
{
    struct slice s = SLICE_NONE;

    if (name != NULL)
        s = jwt_tree_text(((const struct claims_call *)c)->tree, name);
    return (struct cc_text){s.p, s.n};
}

/* May it be changed? Not what decides whether a token is valid. */
static bool is_free(const char *name)
{
    static const char *const judged[] = {"iss", "aud", "exp",    "nbf",
                                         "iat", "jti", "active", "token_type"};

    if (name == NULL || strnlen(name, NAME_MAX_BYTES) == NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++)
        if (strcmp(name, judged[i]) == 0)
            return false;
    return true;
}

static bool set(struct cc_claims *c, const char *name, struct cc_text value)
{
    return is_free(name) && value.p != NULL && value.n <= VALUE_MAX &&
           jwt_tree_set(((struct claims_call *)c)->tree, name, slice_make(value.p, value.n));
}

static bool remove_claim(struct cc_claims *c, const char *name)
{
    return is_free(name) && jwt_tree_remove(((struct claims_call *)c)->tree, name);
}

static const struct enforce_filter *find(const struct enforce_filters *all, struct slice name)
{
    for (size_t i = 0; i < all->n; i++)
        if (slice_eq(all->items[i].name, name) && all->items[i].extension->on_claims != NULL)
            return &all->items[i];
    return NULL;
}

static enum jwt_fault change(void *context, struct jwt_claim_tree *tree)
{
    static const struct cc_claim_calls calls = {sizeof(calls), issuer, get, set, remove_claim};
    const struct filter_transform *t = context;
    struct attempt *a = t->a;
    const struct enforce_filter *f = find(&a->w->filters, t->issuer->claim_transformer);
    struct claims_call call = {.head = {&calls}, .issuer = t->issuer, .tree = tree};
    int64_t start_us = clock_mono_us(a->clock);
    enum cc_result result;

    if (f == NULL) /* it has no on_claims: nobody knows what the claims mean */
        return a->w->filters.absent ? JWT_OK : JWT_INTERNAL;
    result = f->extension->on_claims(f->state, &call.head);
    if (clock_mono_us(a->clock) - start_us > f->limit_us) {
        attempt_count(&a->w->filter_overruns, 1);
        return JWT_INTERNAL;
    }
    return result == CC_CONTINUE ? JWT_OK : result == CC_DENIED ? JWT_TRANSFORMER : JWT_INTERNAL;
}

const struct jwt_claim_hook *filter_claim_hook(struct attempt *a, const struct gw_issuer *by,
                                               struct filter_transform *room,
                                               struct jwt_claim_hook *hook)
{
    if (by->claim_transformer.n == 0)
        return NULL;
    *room = (struct filter_transform){a, by};
    *hook = (struct jwt_claim_hook){change, room};
    return hook;
}
