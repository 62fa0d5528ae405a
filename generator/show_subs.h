/* show_subs: the tables of cc-gen show applications, consumer-keys and subscriptions. */
#pragma once

#include "generator/table.h"
#include "subs/subs.h"

extern const struct table_column application_columns[];
extern const struct table_column consumer_key_columns[];
extern const struct table_column subscription_columns[];

/* `store` may be NULL: empty tables. Running out of memory is the table's error. */
void show_applications(struct table *table, const struct subs *store, struct arena *arena);
void show_consumer_keys(struct table *table, const struct subs *store, struct arena *arena);
void show_subscriptions(struct table *table, const struct subs *store, struct arena *arena);
