#include "enforce/live.h"

#include <stdatomic.h>
#include <stdlib.h>

struct enforce_live {
    atomic_uint references;
    struct live_jwks jwks[LIVE_MAX_JWKS];
    size_t n_jwks;
    char *urls;     /* their texts */
    uint64_t *tags; /* of all keys, sorted: looked up for each cached token */
    size_t n_tags;
    struct subs *subs;
    struct deny_list *denied;
};

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static int copy_urls(struct enforce_live *l, const struct live_jwks *jwks, size_t n)
{
    size_t bytes = 1;
    char *p;

    for (size_t i = 0; i < n; i++)
        bytes += jwks[i].url.n;
    p = l->urls = malloc(bytes);
    if (p == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        memcpy(p, jwks[i].url.p, jwks[i].url.n);
        l->jwks[i] = jwks[i];
        l->jwks[i].url = slice_make(p, jwks[i].url.n);
        p += jwks[i].url.n;
        if (jwks[i].set != NULL)
            jwks_ref(jwks[i].set);
        l->n_jwks = i + 1;
    }
    return CC_OK;
}

static int collect_tags(struct enforce_live *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n_jwks; i++)
        n += l->jwks[i].set != NULL ? jwks_count(l->jwks[i].set) : 0;
    l->tags = calloc(n + 1, sizeof(*l->tags));
    if (l->tags == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < l->n_jwks; i++)
        for (size_t k = 0; l->jwks[i].set != NULL && k < jwks_count(l->jwks[i].set); k++)
            l->tags[l->n_tags++] = jwks_at(l->jwks[i].set, k)->tag;
    qsort(l->tags, l->n_tags, sizeof(*l->tags), by_value);
    return CC_OK;
}

int enforce_live_new(struct enforce_live **out, const struct live_jwks *jwks, size_t n)
{
    struct enforce_live *l = NULL;
    int rc = CC_ENOMEM;

    CC_ASSERT(n <= LIVE_MAX_JWKS);
    l = calloc(1, sizeof(*l));
    if (l == NULL)
        goto out;
    atomic_init(&l->references, 1);
    rc = copy_urls(l, jwks, n);
    if (rc == CC_OK)
        rc = collect_tags(l);
    if (rc != CC_OK)
        goto out;
    *out = l;
    l = NULL;
out:
    enforce_live_unref(&l);
    return rc;
}

int enforce_live_with_subs(struct enforce_live **out, const struct enforce_live *base,
                           struct subs *subs)
{
    int rc =
        enforce_live_new(out, base != NULL ? base->jwks : NULL, base != NULL ? base->n_jwks : 0);

    if (rc == CC_OK && subs != NULL)
        (*out)->subs = subs_ref(subs);
    if (rc == CC_OK && base != NULL && base->denied != NULL)
        (*out)->denied = deny_list_ref(base->denied);
    return rc;
}

int enforce_live_with_denied(struct enforce_live **out, const struct enforce_live *base,
                             struct deny_list *list)
{
    int rc = enforce_live_with_subs(out, base, base != NULL ? base->subs : NULL);

    if (rc == CC_OK)
        enforce_live_deny(*out, list);
    else
        deny_list_unref(&list);
    return rc;
}

void enforce_live_deny(struct enforce_live *l, struct deny_list *list)
{
    deny_list_unref(&l->denied);
    l->denied = list;
}

const struct deny_list *enforce_live_denied(const struct enforce_live *l)
{
    return l != NULL ? l->denied : NULL;
}

struct enforce_live *enforce_live_ref(struct enforce_live *l)
{
    /* Relaxed: who takes a reference holds one already, so nothing can be freed meanwhile. */
    atomic_fetch_add_explicit(&l->references, 1, memory_order_relaxed);
    return l;
}

void enforce_live_unref(struct enforce_live **pl)
{
    struct enforce_live *l = *pl;

    *pl = NULL;
    /* Release: what this holder did comes before; acquire: the one that frees sees it all. */
    if (l == NULL || atomic_fetch_sub_explicit(&l->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < l->n_jwks; i++)
        jwks_unref(&l->jwks[i].set);
    subs_unref(&l->subs);
    deny_list_unref(&l->denied);
    free(l->urls);
    free(l->tags);
    free(l);
}

const struct live_jwks *enforce_live_find_jwks(const struct enforce_live *l, struct slice url)
{
    for (size_t i = 0; l != NULL && i < l->n_jwks; i++)
        if (slice_eq(l->jwks[i].url, url))
            return &l->jwks[i];
    return NULL;
}

bool enforce_live_has_key(const struct enforce_live *l, uint64_t tag)
{
    return l != NULL && bsearch(&tag, l->tags, l->n_tags, sizeof(*l->tags), by_value) != NULL;
}

const struct subs *enforce_live_subs(const struct enforce_live *l)
{
    return l != NULL ? l->subs : NULL;
}
