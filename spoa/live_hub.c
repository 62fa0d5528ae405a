#include "spoa/live_hub.h"

void live_hub_free(struct live_hub *hub)
{
    enforce_live_unref(&hub->keys);
    subs_unref(&hub->subs);
    deny_list_unref(&hub->denied);
    for (size_t i = 0; i < LIVE_HUB_OLD; i++)
        subs_unref(&hub->old[i]);
}

void live_hub_set_keys(struct live_hub *hub, struct enforce_live *keys)
{
    enforce_live_unref(&hub->keys);
    hub->keys = keys;
}

/* When there is no place left, the last worker frees the store: late rather than never. */
void live_hub_set_subs(struct live_hub *hub, struct subs *subs)
{
    live_hub_sweep(hub);
    for (size_t i = 0; i < LIVE_HUB_OLD && hub->subs != NULL; i++) {
        if (hub->old[i] == NULL) {
            hub->old[i] = hub->subs;
            hub->subs = NULL;
        }
    }
    subs_unref(&hub->subs);
    hub->subs = subs;
}

void live_hub_set_denied(struct live_hub *hub, struct deny_list *denied)
{
    deny_list_unref(&hub->denied);
    hub->denied = denied;
}

int live_hub_make(const struct live_hub *hub, struct enforce_live **out)
{
    int rc = enforce_live_with_subs(out, hub->keys, hub->subs);

    if (rc == CC_OK && hub->denied != NULL)
        enforce_live_deny(*out, deny_list_ref(hub->denied));
    return rc;
}

void live_hub_sweep(struct live_hub *hub)
{
    for (size_t i = 0; i < LIVE_HUB_OLD; i++)
        if (hub->old[i] != NULL && subs_is_last(hub->old[i]))
            subs_unref(&hub->old[i]);
}
