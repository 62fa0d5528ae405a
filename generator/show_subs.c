#include "generator/show_subs.h"

#include "generator/view.h"

const struct table_column application_columns[] = {
    {"uuid", TABLE_TEXT}, {"id", TABLE_NUMBER},   {"name", TABLE_TEXT}, {"owner", TABLE_TEXT},
    {"tier", TABLE_TEXT}, {"origin", TABLE_TEXT}, {NULL, TABLE_TEXT},
};

const struct table_column consumer_key_columns[] = {
    {"consumer key", TABLE_TEXT}, {"key manager", TABLE_TEXT}, {"key type", TABLE_TEXT},
    {"application", TABLE_TEXT},  {"origin", TABLE_TEXT},      {NULL, TABLE_TEXT},
};

const struct table_column subscription_columns[] = {
    {"application", TABLE_TEXT}, {"api", TABLE_TEXT},    {"tier", TABLE_TEXT},
    {"state", TABLE_TEXT},       {"origin", TABLE_TEXT}, {NULL, TABLE_TEXT},
};

/* What was written into `b`, kept. */
static struct slice take(struct table *table, struct buf *b, struct arena *arena)
{
    struct slice text = SLICE_NONE;

    if (buf_error(b) == CC_OK)
        text = arena_dup(arena, b->n > 0 ? buf_slice(b) : SLICE(""));
    if (text.p == NULL)
        table->error = CC_ENOMEM;
    buf_reset(b);
    return text;
}

void show_applications(struct table *table, const struct subs *store, struct arena *arena)
{
    struct subs_counts n = {0};
    struct buf b;

    buf_init(&b, 1 << 20);
    if (store != NULL)
        subs_count(store, &n);
    for (size_t i = 0; i < n.applications; i++) {
        const struct subs_application *a = subs_application_at(store, i);
        struct slice *row = table_row(table);

        if (row == NULL)
            break;
        row[0] = a->uuid;
        buf_add_u64(&b, (uint64_t)a->id);
        row[1] = take(table, &b, arena);
        row[2] = a->name;
        row[3] = a->owner;
        row[4] = a->policy->name;
        view_add_place(&b, a->place);
        row[5] = take(table, &b, arena);
    }
    buf_free(&b);
}

void show_consumer_keys(struct table *table, const struct subs *store, struct arena *arena)
{
    struct subs_counts n = {0};
    struct subs_key key;
    struct buf b;

    buf_init(&b, 1 << 20);
    if (store != NULL)
        subs_count(store, &n);
    for (size_t i = 0; i < n.keys; i++) {
        struct slice *row = table_row(table);

        if (row == NULL)
            break;
        subs_key_at(store, i, &key);
        row[0] = key.consumer_key;
        row[1] = key.key_manager;
        row[2] = key.sandbox ? SLICE("SANDBOX") : SLICE("PRODUCTION");
        row[3] = key.application->name;
        view_add_place(&b, key.place);
        row[4] = take(table, &b, arena);
    }
    buf_free(&b);
}

void show_subscriptions(struct table *table, const struct subs *store, struct arena *arena)
{
    struct subs_counts n = {0};
    struct subs_subscription s;
    struct buf b;

    buf_init(&b, 1 << 20);
    if (store != NULL)
        subs_count(store, &n);
    for (size_t i = 0; i < n.subscriptions; i++) {
        struct slice *row = table_row(table);

        if (row == NULL)
            break;
        subs_at(store, i, &s);
        row[0] = s.application->name;
        row[1] = s.api_uuid;
        row[2] = s.policy->name;
        row[3] = slice_of(subs_state_name(s.state));
        view_add_place(&b, s.place);
        row[4] = take(table, &b, arena);
    }
    buf_free(&b);
}
