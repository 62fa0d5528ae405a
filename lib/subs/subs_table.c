/* The indexes of a store. */
#include "subs/subs_internal.h"

#include <stdlib.h>

/* How the records of a kind are hashed and compared; keys are what is looked up. */
struct kind {
    uint64_t (*hash)(const struct subs *s, const void *key);
    bool (*same)(const struct subs *s, uint32_t record, const void *key);
    uint64_t (*rehash)(const struct subs *s, uint32_t record); /* the hash of its key */
};

static uint64_t hash_text(const struct subs *s, const void *key)
{
    return hash_slice(&s->hash_key, *(const struct slice *)key);
}

static uint64_t hash_id(const struct subs *s, const void *key)
{
    return hash_slice(&s->hash_key, slice_make(key, sizeof(int64_t)));
}

/* The manager is one of few: its number only has to lead elsewhere. */
static uint64_t hash_key_of(const struct subs *s, const void *key)
{
    const struct subs_key_of *k = key;

    return hash_slice(&s->hash_key, k->consumer_key) +
           (uint64_t)k->manager * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_pair(const struct subs *s, const void *key)
{
    return hash_slice(&s->hash_key, slice_make(key, sizeof(struct subs_pair)));
}

static const struct subs_application *application(const struct subs *s, uint32_t record)
{
    return &SUBS_AT(s->applications, struct subs_app_record *, record)->application;
}

static bool same_application(const struct subs *s, uint32_t record, const void *key)
{
    return slice_eq(application(s, record)->uuid, *(const struct slice *)key);
}

static uint64_t rehash_application(const struct subs *s, uint32_t record)
{
    return hash_text(s, &application(s, record)->uuid);
}

static bool same_id(const struct subs *s, uint32_t record, const void *key)
{
    return application(s, record)->id == *(const int64_t *)key;
}

static uint64_t rehash_id(const struct subs *s, uint32_t record)
{
    return hash_id(s, &application(s, record)->id);
}

static bool same_manager(const struct subs *s, uint32_t record, const void *key)
{
    return slice_eq(SUBS_AT(s->managers, struct slice, record), *(const struct slice *)key);
}

static uint64_t rehash_manager(const struct subs *s, uint32_t record)
{
    return hash_text(s, &SUBS_AT(s->managers, struct slice, record));
}

static struct subs_key_of key_of(const struct subs *s, uint32_t record)
{
    const struct subs_key_record *r = &SUBS_AT(s->keys, struct subs_key_record, record);

    return (struct subs_key_of){r->consumer_key, r->manager};
}

static bool same_key(const struct subs *s, uint32_t record, const void *key)
{
    const struct subs_key_of *wanted = key;
    struct subs_key_of found = key_of(s, record);

    return found.manager == wanted->manager && slice_eq(found.consumer_key, wanted->consumer_key);
}

static uint64_t rehash_key(const struct subs *s, uint32_t record)
{
    struct subs_key_of key = key_of(s, record);

    return hash_key_of(s, &key);
}

static const struct slice *api_uuid(const struct subs *s, uint32_t record)
{
    return &SUBS_AT(s->apis, struct subs_api_record *, record)->api.uuid;
}

static bool same_api(const struct subs *s, uint32_t record, const void *key)
{
    return slice_eq(*api_uuid(s, record), *(const struct slice *)key);
}

static uint64_t rehash_api(const struct subs *s, uint32_t record)
{
    return hash_text(s, api_uuid(s, record));
}

static struct subs_pair pair(const struct subs *s, uint32_t record)
{
    const struct subs_record *r = &SUBS_AT(s->subscriptions, struct subs_record, record);

    return (struct subs_pair){r->application, r->api};
}

static bool same_pair(const struct subs *s, uint32_t record, const void *key)
{
    const struct subs_pair *wanted = key;
    struct subs_pair found = pair(s, record);

    return found.application == wanted->application && found.api == wanted->api;
}

static uint64_t rehash_pair(const struct subs *s, uint32_t record)
{
    struct subs_pair key = pair(s, record);

    return hash_pair(s, &key);
}

static const struct slice *policy_name(const struct subs *s, bool of_applications, uint32_t record)
{
    return &SUBS_AT(s->policies[of_applications], struct subs_policy_record *, record)->policy.name;
}

static bool same_application_policy(const struct subs *s, uint32_t record, const void *key)
{
    return slice_eq(*policy_name(s, true, record), *(const struct slice *)key);
}

static uint64_t rehash_application_policy(const struct subs *s, uint32_t record)
{
    return hash_text(s, policy_name(s, true, record));
}

static bool same_subscription_policy(const struct subs *s, uint32_t record, const void *key)
{
    return slice_eq(*policy_name(s, false, record), *(const struct slice *)key);
}

static uint64_t rehash_subscription_policy(const struct subs *s, uint32_t record)
{
    return hash_text(s, policy_name(s, false, record));
}

static const struct kind kinds[KIND_COUNT] = {
    [KIND_APPLICATION] = {hash_text, same_application, rehash_application},
    [KIND_ID] = {hash_id, same_id, rehash_id},
    [KIND_MANAGER] = {hash_text, same_manager, rehash_manager},
    [KIND_KEY] = {hash_key_of, same_key, rehash_key},
    [KIND_API] = {hash_text, same_api, rehash_api},
    [KIND_SUBSCRIPTION] = {hash_pair, same_pair, rehash_pair},
    [KIND_APPLICATION_POLICY] = {hash_text, same_application_policy, rehash_application_policy},
    [KIND_SUBSCRIPTION_POLICY] = {hash_text, same_subscription_policy, rehash_subscription_policy},
};

uint32_t subs_table_find(const struct subs *s, enum subs_kind kind, const void *key)
{
    const struct subs_table *t = &s->tables[kind];
    size_t mask = t->n_slots - 1;

    if (t->n_slots == 0)
        return SUBS_NONE;
    for (size_t i = kinds[kind].hash(s, key) & mask; t->slots[i] != 0; i = (i + 1) & mask)
        if (kinds[kind].same(s, t->slots[i] - 1, key))
            return t->slots[i] - 1;
    return SUBS_NONE;
}

static void put(const struct subs *s, enum subs_kind kind, struct subs_table *t, uint32_t record)
{
    size_t mask = t->n_slots - 1, i = kinds[kind].rehash(s, record) & mask;

    while (t->slots[i] != 0)
        i = (i + 1) & mask;
    t->slots[i] = record + 1;
    t->count++;
}

int subs_table_reserve(struct subs *s, enum subs_kind kind)
{
    struct subs_table *t = &s->tables[kind];
    struct subs_table larger = {.n_slots = t->n_slots == 0 ? 16 : 2 * t->n_slots};

    if (2 * (t->count + 1) <= t->n_slots)
        return CC_OK;
    larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
    if (larger.slots == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i] != 0)
            put(s, kind, &larger, t->slots[i] - 1);
    free(t->slots);
    t->slots = larger.slots;
    t->n_slots = larger.n_slots;
    return CC_OK;
}

void subs_table_add(struct subs *s, enum subs_kind kind, uint32_t record)
{
    CC_ASSERT(2 * (s->tables[kind].count + 1) <= s->tables[kind].n_slots);
    put(s, kind, &s->tables[kind], record);
}
