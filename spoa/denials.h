/* denials: deny rules that are added while the agent runs, by commands of the admin socket. They
 * count at once and until the agent ends: what shall last longer belongs into a policy file. The
 * main thread's alone. */
#pragma once

#include "enforce/deny_list.h"
#include "spoa/admin.h"

enum { DENIALS_MAX = 1000, DENIALS_VALUE_MAX = 1024 };

struct denials;

/* `publish` gets each new list, with a reference that is its own; NULL: there are no rules. */
int denials_new(struct denials **out, const struct clock *clock,
                void (*publish)(void *context, struct deny_list *list), void *context);
void denials_free(struct denials **d);

/* "add deny", "del deny", "show deny"; their context is the struct denials. */
extern const struct admin_command denials_commands[];
extern const size_t denials_n_commands;
