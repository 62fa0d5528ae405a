/* Making a store. */
#include "subs/subs_internal.h"

#include <stdlib.h>

struct subs_builder {
    struct subs *s;
    uint16_t file; /* the current one */
};

static int grow(struct subs_array *a)
{
    if (a->n < a->room)
        return CC_OK;
    if (a->n >= SUBS_MAX_RECORDS)
        return CC_EFULL;
    return subs_array_resize(a, a->room == 0 ? 16 : 2 * a->room);
}

/* Room in the array and in the index, so that what follows cannot fail half-way. */
static int reserve(struct subs *s, struct subs_array *a, enum subs_kind kind)
{
    int rc = grow(a);

    return rc == CC_OK ? subs_table_reserve(s, kind) : rc;
}

/* CC_EFULL when a text makes the store too large. */
static int copy(struct subs *s, struct slice text, struct slice *out)
{
    *out = text.n > 0 ? arena_dup(s->arena, text) : SLICE("");
    if (out->p != NULL)
        return CC_OK;
    return arena_used(s->arena) + text.n > SUBS_MAX_BYTES / 2 ? CC_EFULL : CC_ENOMEM;
}

static void *make(struct subs *s, size_t size)
{
    return arena_alloc(s->arena, size);
}

static struct subs_where where(const struct subs_builder *b, struct place place)
{
    return (struct subs_where){place.line,
                               place.col > UINT16_MAX ? UINT16_MAX : (uint16_t)place.col, b->file};
}

static struct place here(const struct subs_builder *b, struct place place)
{
    return subs_place(b->s, where(b, place));
}

/* --- what is made when it is first named --------------------------------------------------------
 */

static int name_application(struct subs *s, struct slice uuid, struct subs_app_record **out)
{
    uint32_t record = subs_table_find(s, KIND_APPLICATION, &uuid);
    struct subs_app_record *a;
    int rc;

    if (record != SUBS_NONE) {
        *out = SUBS_AT(s->applications, struct subs_app_record *, record);
        return CC_OK;
    }
    rc = reserve(s, &s->applications, KIND_APPLICATION);
    if (rc != CC_OK)
        return rc;
    a = make(s, sizeof(*a));
    rc = a == NULL ? CC_ENOMEM : copy(s, uuid, &a->application.uuid);
    if (rc != CC_OK)
        return rc;
    a->number = (uint32_t)s->applications.n;
    SUBS_AT(s->applications, struct subs_app_record *, s->applications.n++) = a;
    subs_table_add(s, KIND_APPLICATION, a->number);
    *out = a;
    return CC_OK;
}

static int name_policy(struct subs *s, bool of_applications, struct slice name,
                       struct subs_policy_record **out)
{
    enum subs_kind kind = of_applications ? KIND_APPLICATION_POLICY : KIND_SUBSCRIPTION_POLICY;
    struct subs_array *policies = &s->policies[of_applications];
    uint32_t record = subs_table_find(s, kind, &name);
    struct subs_policy_record *p;
    int rc;

    if (record != SUBS_NONE) {
        *out = SUBS_AT(*policies, struct subs_policy_record *, record);
        return CC_OK;
    }
    rc = policies->n >= SUBS_MAX_POLICIES ? CC_EFULL : reserve(s, policies, kind);
    if (rc != CC_OK)
        return rc;
    p = make(s, sizeof(*p));
    rc = p == NULL ? CC_ENOMEM : copy(s, name, &p->policy.name);
    if (rc != CC_OK)
        return rc;
    p->number = (uint16_t)policies->n;
    SUBS_AT(*policies, struct subs_policy_record *, policies->n++) = p;
    subs_table_add(s, kind, p->number);
    *out = p;
    return CC_OK;
}

static int name_api(struct subs *s, struct slice uuid, struct place first, uint32_t *out)
{
    struct subs_api_record *a;
    int rc;

    *out = subs_table_find(s, KIND_API, &uuid);
    if (*out != SUBS_NONE)
        return CC_OK;
    rc = reserve(s, &s->apis, KIND_API);
    if (rc != CC_OK)
        return rc;
    a = make(s, sizeof(*a));
    rc = a == NULL ? CC_ENOMEM : copy(s, uuid, &a->api.uuid);
    if (rc != CC_OK)
        return rc;
    a->api.status = SLICE("");
    a->api.place = first;
    *out = (uint32_t)s->apis.n;
    SUBS_AT(s->apis, struct subs_api_record *, s->apis.n++) = a;
    subs_table_add(s, KIND_API, *out);
    return CC_OK;
}

static int name_manager(struct subs *s, struct slice name, uint16_t *out)
{
    uint32_t record = subs_table_find(s, KIND_MANAGER, &name);
    int rc = CC_OK;

    if (record == SUBS_NONE) {
        rc = s->managers.n >= SUBS_MAX_POLICIES ? CC_EFULL : reserve(s, &s->managers, KIND_MANAGER);
        if (rc == CC_OK)
            rc = copy(s, name, &SUBS_AT(s->managers, struct slice, s->managers.n));
        if (rc != CC_OK)
            return rc;
        record = (uint32_t)s->managers.n++;
        subs_table_add(s, KIND_MANAGER, record);
    }
    *out = (uint16_t)record;
    return rc;
}

/* --- the builder --------------------------------------------------------------------------------
 */

static int add_unlimited(struct subs *s)
{
    int rc = CC_OK;

    for (unsigned of_applications = 0; of_applications < 2 && rc == CC_OK; of_applications++) {
        struct subs_policy_record *p;

        rc = name_policy(s, of_applications, SLICE("Unlimited"), &p);
        if (rc == CC_OK)
            p->defined = true;
    }
    return rc;
}

static struct subs *new_store(void)
{
    struct subs *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    atomic_init(&s->references, 1);
    hash_key_random(&s->hash_key);
    s->applications.size = sizeof(struct subs_app_record *);
    s->defined.size = sizeof(struct subs_app_record *);
    s->managers.size = sizeof(struct slice);
    s->keys.size = sizeof(struct subs_key_record);
    s->apis.size = sizeof(struct subs_api_record *);
    s->subscriptions.size = sizeof(struct subs_record);
    s->policies[0].size = s->policies[1].size = sizeof(struct subs_policy_record *);
    s->files.size = sizeof(struct source *);
    s->arena = arena_new(SUBS_MAX_BYTES);
    if (s->arena == NULL || add_unlimited(s) != CC_OK) {
        subs_destroy(s);
        return NULL;
    }
    return s;
}

int subs_builder_new(struct subs_builder **out)
{
    struct subs_builder *b = calloc(1, sizeof(*b));
    int rc = CC_ENOMEM;

    if (b == NULL)
        goto out;
    b->s = new_store();
    rc = b->s == NULL ? CC_ENOMEM : subs_add_file(b, "");
    if (rc != CC_OK)
        goto out;
    *out = b;
    b = NULL;
out:
    subs_builder_free(&b);
    return rc;
}

void subs_builder_free(struct subs_builder **b)
{
    if (*b == NULL)
        return;
    if ((*b)->s != NULL)
        subs_destroy((*b)->s);
    free(*b);
    *b = NULL;
}

int subs_add_file(struct subs_builder *b, const char *name)
{
    struct subs *s = b->s;
    struct source *source;
    struct slice text;
    int rc = s->files.n >= SUBS_MAX_POLICIES ? CC_EFULL : grow(&s->files);

    if (rc != CC_OK)
        return rc;
    source = make(s, sizeof(*source));
    if (source == NULL)
        return CC_ENOMEM;
    text = arena_dup(s->arena, slice_of(name));
    if (text.p == NULL)
        return CC_ENOMEM;
    source->name = text.p;
    b->file = (uint16_t)s->files.n;
    SUBS_AT(s->files, struct source *, s->files.n++) = source;
    return CC_OK;
}

static int copy_attributes(struct subs *s, const struct subs_new_application *from,
                           struct subs_application *a)
{
    struct subs_attribute *to = arena_array(s->arena, from->n_attributes, sizeof(*to));
    int rc = to == NULL ? CC_ENOMEM : CC_OK;

    for (size_t i = 0; i < from->n_attributes && rc == CC_OK; i++) {
        rc = copy(s, from->attributes[i].name, &to[i].name);
        if (rc == CC_OK)
            rc = copy(s, from->attributes[i].value, &to[i].value);
    }
    a->attributes = to;
    a->n_attributes = from->n_attributes;
    return rc;
}

static int fill_application(struct subs_builder *b, const struct subs_new_application *from,
                            struct place place, struct subs_application *a)
{
    struct subs_policy_record *policy;
    int rc = name_policy(b->s, true, from->policy, &policy);

    if (rc == CC_OK)
        rc = copy(b->s, from->name, &a->name);
    if (rc == CC_OK)
        rc = copy(b->s, from->owner, &a->owner);
    if (rc == CC_OK)
        rc = copy(b->s, from->tenant, &a->tenant);
    if (rc == CC_OK)
        rc = copy_attributes(b->s, from, a);
    if (rc != CC_OK)
        return rc;
    a->policy = &policy->policy;
    a->id = from->id;
    a->place = here(b, place);
    return CC_OK;
}

int subs_add_application(struct subs_builder *b, const struct subs_new_application *from,
                         struct place place, struct place *earlier)
{
    struct subs *s = b->s;
    struct subs_app_record *a;
    uint32_t same_id = subs_table_find(s, KIND_ID, &from->id);
    int rc;

    if (same_id != SUBS_NONE) {
        *earlier = SUBS_AT(s->applications, struct subs_app_record *, same_id)->application.place;
        return CC_EEXIST;
    }
    rc = name_application(s, from->uuid, &a);
    if (rc == CC_OK && a->defined) {
        *earlier = a->application.place;
        return CC_EEXIST;
    }
    if (rc == CC_OK)
        rc = reserve(s, &s->defined, KIND_ID);
    if (rc == CC_OK)
        rc = fill_application(b, from, place, &a->application);
    if (rc != CC_OK)
        return rc;
    a->defined = true;
    SUBS_AT(s->defined, struct subs_app_record *, s->defined.n++) = a;
    subs_table_add(s, KIND_ID, a->number);
    return CC_OK;
}

int subs_add_key(struct subs_builder *b, struct slice consumer_key, struct slice key_manager,
                 struct slice application_uuid, bool sandbox, struct place place,
                 struct place *earlier)
{
    struct subs *s = b->s;
    struct subs_app_record *a;
    struct subs_key_record r = {.sandbox = sandbox, .where = where(b, place)};
    struct subs_key_of key;
    uint32_t same;
    int rc = name_manager(s, key_manager, &r.manager);

    if (rc != CC_OK)
        return rc;
    key = (struct subs_key_of){consumer_key, r.manager};
    same = subs_table_find(s, KIND_KEY, &key);
    if (same != SUBS_NONE) {
        *earlier = subs_place(s, SUBS_AT(s->keys, struct subs_key_record, same).where);
        return CC_EEXIST;
    }
    rc = reserve(s, &s->keys, KIND_KEY);
    if (rc == CC_OK)
        rc = name_application(s, application_uuid, &a);
    if (rc == CC_OK)
        rc = copy(s, consumer_key, &r.consumer_key);
    if (rc != CC_OK)
        return rc;
    r.application = a->number;
    SUBS_AT(s->keys, struct subs_key_record, s->keys.n++) = r;
    subs_table_add(s, KIND_KEY, (uint32_t)s->keys.n - 1);
    return CC_OK;
}

int subs_add(struct subs_builder *b, struct slice application_uuid, struct slice api_uuid,
             struct slice policy, enum subs_state state, struct place place, struct place *earlier)
{
    struct subs *s = b->s;
    struct subs_app_record *a;
    struct subs_policy_record *p;
    struct subs_record r = {.state = (uint16_t)state, .where = where(b, place)};
    struct subs_pair pair;
    uint32_t same;
    int rc = name_application(s, application_uuid, &a);

    if (rc == CC_OK)
        rc = name_api(s, api_uuid, here(b, place), &r.api);
    if (rc == CC_OK)
        rc = name_policy(s, false, policy, &p);
    if (rc == CC_OK)
        rc = reserve(s, &s->subscriptions, KIND_SUBSCRIPTION);
    if (rc != CC_OK)
        return rc;
    pair = (struct subs_pair){a->number, r.api};
    same = subs_table_find(s, KIND_SUBSCRIPTION, &pair);
    if (same != SUBS_NONE) {
        *earlier = subs_place(s, SUBS_AT(s->subscriptions, struct subs_record, same).where);
        return CC_EEXIST;
    }
    r.application = a->number;
    r.policy = p->number;
    SUBS_AT(s->subscriptions, struct subs_record, s->subscriptions.n++) = r;
    subs_table_add(s, KIND_SUBSCRIPTION, (uint32_t)s->subscriptions.n - 1);
    return CC_OK;
}

int subs_add_api(struct subs_builder *b, struct slice uuid, struct slice status, struct place place,
                 struct place *earlier)
{
    struct subs_api_record *a;
    uint32_t record;
    int rc = name_api(b->s, uuid, here(b, place), &record);

    if (rc != CC_OK)
        return rc;
    a = SUBS_AT(b->s->apis, struct subs_api_record *, record);
    if (a->defined) {
        *earlier = a->api.place;
        return CC_EEXIST;
    }
    rc = copy(b->s, status, &a->api.status);
    if (rc != CC_OK)
        return rc;
    a->api.place = here(b, place);
    a->defined = true;
    return CC_OK;
}

int subs_add_policy(struct subs_builder *b, bool of_applications, const struct subs_policy *from,
                    struct place *earlier)
{
    struct subs_policy_record *p;
    struct slice name;
    int rc = name_policy(b->s, of_applications, from->name, &p);

    if (rc != CC_OK)
        return rc;
    if (p->defined && p->policy.place.source != NULL) { /* the built-in one has no place */
        *earlier = p->policy.place;
        return CC_EEXIST;
    }
    name = p->policy.name;
    p->policy = *from;
    p->policy.name = name;
    p->policy.place = here(b, from->place);
    p->defined = true;
    return CC_OK;
}

/* --- the end ------------------------------------------------------------------------------------
 */

static bool check_application(const struct subs *s, uint32_t number, struct place place,
                              subs_dangling *report, void *context)
{
    const struct subs_app_record *a = SUBS_AT(s->applications, struct subs_app_record *, number);

    if (!a->defined)
        report(context, "application", a->application.uuid, place);
    return a->defined;
}

static bool check_references(const struct subs *s, subs_dangling *report, void *context)
{
    bool good = true;

    for (size_t i = 0; i < s->defined.n; i++) {
        const struct subs_application *a = subs_application_at(s, i);
        /* a policy is the first member of its record */
        const struct subs_policy_record *p = (const struct subs_policy_record *)a->policy;

        if (!p->defined)
            report(context, "policy of applications", a->policy->name, a->place);
        good = p->defined && good;
    }
    for (size_t i = 0; i < s->keys.n; i++) {
        const struct subs_key_record *r = &SUBS_AT(s->keys, struct subs_key_record, i);

        good =
            check_application(s, r->application, subs_place(s, r->where), report, context) && good;
    }
    for (size_t i = 0; i < s->subscriptions.n; i++) {
        const struct subs_record *r = &SUBS_AT(s->subscriptions, struct subs_record, i);
        const struct subs_policy_record *p =
            SUBS_AT(s->policies[0], struct subs_policy_record *, r->policy);

        good =
            check_application(s, r->application, subs_place(s, r->where), report, context) && good;
        if (!p->defined)
            report(context, "policy of subscriptions", p->policy.name, subs_place(s, r->where));
        good = p->defined && good;
    }
    return good;
}

/* What doubling took too much; a failure leaves it as it is. */
static void shrink(struct subs_array *a)
{
    if (a->n > 0)
        (void)subs_array_resize(a, a->n);
}

int subs_build(struct subs_builder *b, struct subs **out, subs_dangling *report, void *context)
{
    if (!check_references(b->s, report, context))
        return CC_EINVAL;
    shrink(&b->s->keys);
    shrink(&b->s->subscriptions);
    *out = b->s;
    b->s = NULL;
    return CC_OK;
}
