#include "generator/plan_shared.h"

#include "throttle/counter_share.h"

static void print_quota(const struct gw_policy *policy, const struct gw_quota *quota,
                        const char *group, const struct counter_share_options *share, FILE *out)
{
    enum counter_unit unit = quota->bandwidth ? COUNTER_BYTES : COUNTER_REQUESTS;
    char room[128];
    struct buf text;

    if (quota->count == 0)
        return;
    buf_init_fixed(&text, room, sizeof(room));
    gw_quota_text(quota, &text);
    fprintf(out,
            "shared limit: %s %" PRIslice "%s, %" PRIslice ": %u gateways may let pass %llu more\n",
            gw_level_name(policy->level), SLICE_ARG(policy->name), group,
            SLICE_ARG(buf_slice(&text)), share->gateways,
            (unsigned long long)counter_share_overshoot(share, unit, quota->count));
}

void plan_print_shared(const struct gw_model *model, const struct config *config, FILE *out)
{
    const struct counter_share_options share = {
        .gateways = (unsigned)config->counters.shared.gateways,
        .lease_percent = (unsigned)config->counters.shared.lease_percent,
        .lease_least = config->counters.shared.lease_minimum,
    };

    if (!model->throttling.enabled || !slice_is(config->counters.shared.mode, "async"))
        return;
    for (size_t i = 0; i < model->n_policies; i++) {
        const struct gw_policy *policy = &model->policies[i];

        print_quota(policy, &policy->quota, "", &share, out);
        for (size_t k = 0; k < policy->n_groups; k++)
            print_quota(policy, &policy->groups[k].quota, " (a condition group)", &share, out);
    }
}
