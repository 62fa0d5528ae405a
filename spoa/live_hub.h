/* live_hub: puts together what feeders know, for the workers. The main thread's alone.
 *
 * A store of subscriptions may be large, and freeing it takes time that a decision thread must not
 * spend: the hub keeps a store that was replaced until no worker uses it any more. */
#pragma once

#include "enforce/live.h"

enum { LIVE_HUB_OLD = 4 };

struct live_hub {
    struct enforce_live *keys; /* key sets; NULL: none */
    struct subs *subs;         /* NULL: none */
    struct deny_list *denied;  /* NULL: none */
    struct subs *old[LIVE_HUB_OLD];
};

void live_hub_free(struct live_hub *hub);

/* Each takes over the caller's reference. */
void live_hub_set_keys(struct live_hub *hub, struct enforce_live *keys);
void live_hub_set_subs(struct live_hub *hub, struct subs *subs);
void live_hub_set_denied(struct live_hub *hub, struct deny_list *denied);

/* All of it as one state; one reference is the caller's. */
int live_hub_make(const struct live_hub *hub, struct enforce_live **out);

/* Frees replaced stores that nobody else uses; after workers have given up a state. */
void live_hub_sweep(struct live_hub *hub);
