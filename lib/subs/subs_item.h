/* The lists of a subscription file and the members of their elements. For the files of this folder
 * only. */
#pragma once

#include "doc/doc.h"
#include "subs/subs.h"

enum subs_list {
    LIST_APPLICATIONS,
    LIST_KEYS,
    LIST_SUBSCRIPTIONS,
    LIST_APPLICATION_POLICIES,
    LIST_SUBSCRIPTION_POLICIES,
    LIST_APIS,
    LIST_COUNT
};

const char *subs_list_name(enum subs_list list);

/* LIST_COUNT: there is no such list. */
enum subs_list subs_list_parse(struct slice name);

/* Reads one element and adds it to the builder. Findings are errors in `diag`. CC_OK also then;
 * CC_EFULL or CC_ENOMEM when the store cannot hold it. */
int subs_item_read(struct subs_builder *b, enum subs_list list, const struct doc *doc,
                   const struct doc_node *item, struct diag *diag);
