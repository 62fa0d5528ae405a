#include "spoa/answers.h"

#include <stdlib.h>

enum { WAYS = 8 };

struct answers {
    size_t n_sets; /* a power of two */
    size_t entry_bytes;
    struct enforce_reply *replies[];
};

int answers_new(struct answers **out, size_t entries, size_t entry_bytes)
{
    size_t n_sets = 1;
    struct answers *a;

    while (n_sets * WAYS < entries)
        n_sets *= 2;
    a = calloc(1, sizeof *a + n_sets * WAYS * sizeof(struct enforce_reply *));
    if (a == NULL)
        return CC_ENOMEM;
    a->n_sets = n_sets;
    a->entry_bytes = entry_bytes;
    *out = a;
    return CC_OK;
}

void answers_free(struct answers **pa)
{
    struct answers *a = *pa;

    *pa = NULL;
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n_sets * WAYS; i++)
        enforce_reply_unref(&a->replies[i]);
    free(a);
}

static struct enforce_reply **find_set(struct answers *a, const struct enforce_key *key)
{
    uint64_t hash;

    memcpy(&hash, key->bytes, sizeof hash);
    return &a->replies[(hash & (a->n_sets - 1)) * WAYS];
}

struct enforce_reply *answers_find(struct answers *a, const struct enforce_key *key, int64_t now_s)
{
    struct enforce_reply **set = find_set(a, key);

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i] == NULL || !enforce_key_eq(&set[i]->key, key))
            continue;
        if (now_s < set[i]->until_s)
            return set[i];
        enforce_reply_unref(&set[i]);
    }
    return NULL;
}

void answers_put(struct answers *a, struct enforce_reply *reply, int64_t now_s)
{
    struct enforce_reply **set = find_set(a, &reply->key), **place = &set[0];

    if (reply->bytes.n > a->entry_bytes || reply->until_s <= now_s)
        return;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i] != NULL && enforce_key_eq(&set[i]->key, &reply->key)) {
            place = &set[i];
            break;
        }
        if (*place != NULL && (set[i] == NULL || set[i]->until_s < (*place)->until_s))
            place = &set[i];
    }
    enforce_reply_unref(place);
    *place = enforce_reply_ref(reply);
}
