/* Bytes as a file of throttling policies. Whatever they are: no crash, and either a model that the
 * snapshot and the engine take, or at least one finding. The last line is tried on its patterns. */
#include "enforce/throttle_rules.h"
#include "gateway/snapshot.h"
#include "generator/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text that conditions are tried on: the last line. */
static struct slice last_line(struct slice text)
{
    size_t n = text.n;

    while (n > 0 && text.p[n - 1] != '\n')
        n--;
    return slice_from(text, n);
}

static void try_conditions(const struct throttle_conditions *c, struct gw_pattern_room *room,
                           struct slice text)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].pattern != NULL)
            gw_pattern_find(c->list[i].pattern, room, text);
}

static void use(const struct gw_model *m, struct diag *diag, struct slice text)
{
    struct arena *arena = arena_new(throttle_rules_bytes(m) + 4096);
    struct gw_pattern_room *room = gw_pattern_room_new();
    struct throttle_rules rules = {.settings = NULL};
    struct gw_address address;

    CC_ASSERT(arena != NULL && room != NULL);
    CC_ASSERT(throttle_rules_read(&rules, m, arena, diag) == CC_OK);
    for (size_t i = 0; i < m->n_policies; i++) {
        try_conditions(&rules.policies[i].conditions, room, text);
        for (size_t k = 0; k < m->policies[i].n_groups; k++)
            try_conditions(&rules.policies[i].groups[k].conditions, room, text);
        CC_ASSERT(gw_policy_find(m, m->policies[i].level, m->policies[i].name) == &m->policies[i]);
    }
    for (size_t i = 0; i < GW_DENY_COUNT; i++)
        deny_set_find(rules.deny, (enum gw_denial)i, text, 1700000000);
    if (gw_address_parse(text, &address))
        deny_set_find_address(rules.deny, &address, 1700000000);
    throttle_rules_free(&rules, m);
    gw_pattern_room_free(&room);
    arena_free(&arena);
}

/* What HAProxy would be told to send. */
static void set_headers(struct project_build *build, struct gw_model *m)
{
    struct gw_condition_walk walk = {.policies = m->policies, .n = m->n_policies};
    struct slice *names = arena_array(build->arena, GW_HEADERS_MAX + 2, sizeof(*names));
    const struct gw_condition *c;

    CC_ASSERT(names != NULL);
    m->headers = names;
    names[m->n_headers++] = SLICE("content-length");
    names[m->n_headers++] = SLICE("transfer-encoding");
    while ((c = gw_condition_next(&walk)) != NULL) {
        size_t i = 0;

        while (i < m->n_headers && !slice_eq(names[i], c->name))
            i++;
        if (c->kind == GW_CONDITION_HEADER && i == m->n_headers) {
            CC_ASSERT(m->n_headers < GW_HEADERS_MAX + 2);
            names[m->n_headers++] = c->name;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    struct config config = {.throttling = {.enabled = true, .window = SLICE("fixed")}};
    struct arena *arena = arena_new(256 << 20);
    struct diag *diag = diag_new();
    struct project_build build = {.config = &config, .arena = arena, .diag = diag};
    struct gw_model model = {.generation = 0};
    struct buf out;

    CC_ASSERT(arena != NULL && diag != NULL);
    policy_read_text(&build, text, "policies.yaml", &model);
    CC_ASSERT(build.rc == CC_OK || build.rc == CC_ENOMEM);
    if (build.rc == CC_OK && diag_errors(diag) == 0) {
        buf_init(&out, GW_SNAPSHOT_MAX_BYTES);
        CC_ASSERT(gw_snapshot_write(&model, &out) == CC_OK);
        buf_free(&out);
        set_headers(&build, &model);
        use(&model, diag, last_line(text));
    }
    diag_free(&diag);
    arena_free(&arena);
    return 0;
}
