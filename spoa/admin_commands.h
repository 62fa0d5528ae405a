/* admin_commands: the tables of commands: finds the one that some words mean, and explains them
 * all. Pure: knows no socket. */
#pragma once

#include "spoa/admin.h"

struct admin_commands {
    struct {
        const struct admin_command *rows;
        size_t n;
        void *context;
    } tables[ADMIN_TABLES_MAX];
    size_t n;
};

void admin_commands_add(struct admin_commands *c, const struct admin_command *rows, size_t n,
                        void *context);

/* The command of these words, ready to be run: context and arguments go to `call`, which has `out`
 * already. NULL: the answer, a list or what is wrong, is in call->out. */
const struct admin_command *admin_commands_find(const struct admin_commands *c,
                                                const struct admin_words *words,
                                                struct admin_call *call);
