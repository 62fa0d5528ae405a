#include "subs/subs_internal.h"

#include <stdlib.h>

static const char *const state_names[SUBS_STATE_COUNT] = {
#define X(name) #name,
    SUBS_STATES(X)
#undef X
};

const char *subs_state_name(enum subs_state state)
{
    return state_names[state];
}

enum subs_state subs_state_parse(struct slice text)
{
    unsigned state = 0;

    while (state < SUBS_STATE_COUNT && !slice_is(text, state_names[state]))
        state++;
    return (enum subs_state)state;
}

struct subs *subs_ref(struct subs *s)
{
    /* Relaxed: who takes a reference holds one already, so nothing can be freed meanwhile. */
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

int subs_array_resize(struct subs_array *a, size_t room)
{
    void *items = reallocarray(a->items, room, a->size);

    if (items == NULL)
        return CC_ENOMEM;
    a->items = items;
    a->room = room;
    return CC_OK;
}

void subs_destroy(struct subs *s)
{
    struct subs_array *arrays[] = {&s->applications, &s->defined,     &s->managers,
                                   &s->keys,         &s->apis,        &s->subscriptions,
                                   &s->policies[0],  &s->policies[1], &s->files};

    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        free(arrays[i]->items);
    for (size_t i = 0; i < KIND_COUNT; i++)
        free(s->tables[i].slots);
    arena_free(&s->arena);
    free(s);
}

void subs_unref(struct subs **ps)
{
    struct subs *s = *ps;

    *ps = NULL;
    /* Release: what this holder did comes before; acquire: the one that frees sees it all. */
    if (s != NULL && atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1)
        subs_destroy(s);
}

bool subs_is_last(const struct subs *s)
{
    /* Acquire: what the holders before did with it comes before it is freed. */
    return atomic_load_explicit(&s->references, memory_order_acquire) == 1;
}

struct place subs_place(const struct subs *s, struct subs_where where)
{
    return (struct place){SUBS_AT(s->files, struct source *, where.file), where.line, where.col};
}

/* Whatever is named was added, or subs_build() would have refused it. */
static const struct subs_application *application(const struct subs *s, uint32_t number)
{
    return &SUBS_AT(s->applications, struct subs_app_record *, number)->application;
}

void subs_key_at(const struct subs *s, size_t i, struct subs_key *out)
{
    const struct subs_key_record *r = &SUBS_AT(s->keys, struct subs_key_record, i);

    *out = (struct subs_key){
        .application = application(s, r->application),
        .consumer_key = r->consumer_key,
        .key_manager = SUBS_AT(s->managers, struct slice, r->manager),
        .sandbox = r->sandbox,
        .place = subs_place(s, r->where),
    };
}

void subs_at(const struct subs *s, size_t i, struct subs_subscription *out)
{
    const struct subs_record *r = &SUBS_AT(s->subscriptions, struct subs_record, i);

    *out = (struct subs_subscription){
        .application = application(s, r->application),
        .api_uuid = SUBS_AT(s->apis, struct subs_api_record *, r->api)->api.uuid,
        .policy = &SUBS_AT(s->policies[0], struct subs_policy_record *, r->policy)->policy,
        .state = (enum subs_state)r->state,
        .place = subs_place(s, r->where),
    };
}

const struct subs_application *subs_application_at(const struct subs *s, size_t i)
{
    return &SUBS_AT(s->defined, struct subs_app_record *, i)->application;
}

const struct subs_api *subs_api_at(const struct subs *s, size_t i)
{
    return &SUBS_AT(s->apis, struct subs_api_record *, i)->api;
}

bool subs_find_key(const struct subs *s, struct slice consumer_key, struct slice key_manager,
                   struct subs_key *out)
{
    struct subs_key_of key = {consumer_key, subs_table_find(s, KIND_MANAGER, &key_manager)};
    uint32_t record = key.manager == SUBS_NONE ? SUBS_NONE : subs_table_find(s, KIND_KEY, &key);

    if (record == SUBS_NONE)
        return false;
    subs_key_at(s, record, out);
    return true;
}

const struct subs_application *subs_find_application(const struct subs *s, struct slice uuid)
{
    uint32_t record = subs_table_find(s, KIND_APPLICATION, &uuid);

    return record == SUBS_NONE ? NULL : application(s, record);
}

bool subs_find(const struct subs *s, const struct subs_application *a, struct slice api_uuid,
               struct subs_subscription *out)
{
    /* an application is the first member of its record */
    struct subs_pair pair = {((const struct subs_app_record *)a)->number,
                             subs_table_find(s, KIND_API, &api_uuid)};
    uint32_t record =
        pair.api == SUBS_NONE ? SUBS_NONE : subs_table_find(s, KIND_SUBSCRIPTION, &pair);

    if (record == SUBS_NONE)
        return false;
    subs_at(s, record, out);
    return true;
}

const struct subs_api *subs_find_api(const struct subs *s, struct slice uuid)
{
    uint32_t record = subs_table_find(s, KIND_API, &uuid);

    return record == SUBS_NONE ? NULL : subs_api_at(s, record);
}

void subs_count(const struct subs *s, struct subs_counts *out)
{
    *out = (struct subs_counts){
        .applications = s->defined.n,
        .keys = s->keys.n,
        .subscriptions = s->subscriptions.n,
        .apis = s->apis.n,
        .application_policies = s->policies[true].n,
        .subscription_policies = s->policies[false].n,
    };
}

size_t subs_bytes(const struct subs *s)
{
    const struct subs_array *arrays[] = {&s->applications, &s->defined,     &s->managers,
                                         &s->keys,         &s->apis,        &s->subscriptions,
                                         &s->policies[0],  &s->policies[1], &s->files};
    size_t bytes = sizeof(*s) + arena_used(s->arena);

    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        bytes += arrays[i]->room * arrays[i]->size;
    for (size_t i = 0; i < KIND_COUNT; i++)
        bytes += s->tables[i].n_slots * sizeof(*s->tables[i].slots);
    return bytes;
}
