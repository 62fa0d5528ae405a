#include "generator/plan_shared.h"

#include "throttle/counter_share.h"

/* How limits are shared. */
struct sharing {
    struct counter_share_options options;
    struct slice away; /* of policies that do not say */
};

static void print_quota(const struct gw_policy *policy, const struct gw_quota *quota,
                        const char *group, const struct sharing *s, FILE *out)
{
    enum counter_unit unit = quota->bandwidth ? COUNTER_BYTES : COUNTER_REQUESTS;
    uint64_t more = counter_share_overshoot(&s->options, unit, quota->count);
    struct slice away =
        policy->away != GW_AWAY_UNSET ? slice_of(gw_away_name(policy->away)) : s->away;
    char room[128];
    struct buf text;

    if (quota->count == 0)
        return;
    buf_init_fixed(&text, room, sizeof(room));
    gw_quota_text(quota, &text);
    fprintf(out,
            "shared limit: %s %" PRIslice "%s, %" PRIslice
            ": %u gateways may let pass %llu more; without Redis: %" PRIslice,
            gw_level_name(policy->level), SLICE_ARG(policy->name), group,
            SLICE_ARG(buf_slice(&text)), s->options.gateways, (unsigned long long)more,
            SLICE_ARG(away));
    if (quota->bandwidth && !s->options.strict)
        fprintf(out, "; requests of more than %llu bytes are refused",
                (unsigned long long)counter_share_lease(&s->options, unit, quota->count));
    fputc('\n', out);
}

void plan_print_shared(const struct gw_model *model, const struct config *config, FILE *out)
{
    const struct sharing s = {
        .options = {.gateways = (unsigned)config->counters.shared.gateways,
                    .lease_percent = (unsigned)config->counters.shared.lease_percent,
                    .lease_least = config->counters.shared.lease_minimum,
                    .strict = slice_is(config->counters.shared.mode, "strict")},
        .away = config->counters.shared.away,
    };

    if (!model->throttling.enabled || slice_is(config->counters.shared.mode, "local"))
        return;
    for (size_t i = 0; i < model->n_policies; i++) {
        const struct gw_policy *policy = &model->policies[i];

        print_quota(policy, &policy->quota, "", &s, out);
        for (size_t k = 0; k < policy->n_groups; k++)
            print_quota(policy, &policy->groups[k].quota, " (a condition group)", &s, out);
    }
}
