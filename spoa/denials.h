/* denials: deny rules that are added while the agent runs, by commands of the admin socket. They
 * count at once, and with a state directory (deny_file.h) also after a restart; without one until
 * the agent ends. What could not be saved, because the disk was full, say, is tried again by a
 * timer, and a last time at the end. The main thread's alone. */
#pragma once

#include "enforce/deny_file.h"
#include "spoa/admin.h"

#include <ev.h>

enum {
    DENIALS_MAX = DENY_FILE_RULES,
    DENIALS_RETRY_MS = 5000 /* each try blocks on the disk: for a file of 1 MB at most */
};

struct denials_options {
    const struct clock *clock;
    const char *directory; /* where they are saved, at each change, synced; NULL: nowhere */
    struct ev_loop *loop;  /* outlives them */
    uint64_t retry_ms;     /* after so long, what was not saved is tried again */
    /* Gets each new list, with a reference that is its own; NULL: there are no rules. */
    void (*publish)(void *context, struct deny_list *list);
    void *context;
};

struct denials;

int denials_new(struct denials **out, const struct denials_options *options);
void denials_free(struct denials **d);

/* Publishes those that were saved. Those that cannot be read are no reason to let in whom they shut
 * out: the error has been logged, and the agent must not start. */
int denials_restore(struct denials *d);

/* "add deny", "del deny", "show deny"; their context is the struct denials. */
extern const struct admin_command denials_commands[];
extern const size_t denials_n_commands;
