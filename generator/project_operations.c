/* project: data.operations of api.yaml, as API Manager writes them: throttling tiers, and policies
 * that nothing here carries out. */
#include "generator/project_internal.h"

#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* One entry that says something. */
struct declared_operation {
    struct slice target;
    enum gw_method method;
    const struct doc_node *node;
    bool used;
};

static int compare_operations(const void *a, const void *b)
{
    const struct declared_operation *x = a, *y = b;
    int order = slice_cmp(x->target, y->target);

    return order != 0 ? order : (int)x->method - (int)y->method;
}

/* One entry of request, response or fault; the contract says {policyName, policyVersion,
 * parameters}. */
static void refuse_policy(struct project *p, const struct doc_node *policy, const char *flow,
                          struct slice subject)
{
    const struct doc_node *name = doc_get_nocase(policy, "policyName");
    struct slice text = name != NULL ? name->text : SLICE_NONE;

    diag_help(diag_error(p->build->diag, CC1204, doc_place(p->api_doc, policy),
                         "%" PRIslice ": the %s policy \"%.100s\" cannot be carried out by this "
                         "version",
                         SLICE_ARG(slice_first(subject, 300)), flow, text.p != NULL ? text.p : ""),
              "remove it from api.yaml, and let the backend do it");
}

static void refuse_policies(struct project *p, const struct doc_node *policies,
                            struct slice subject)
{
    static const char *const flows[] = {"request", "response", "fault"};

    for (size_t f = 0; f < N(flows); f++) {
        const struct doc_node *list = doc_get_nocase(policies, flows[f]);

        for (size_t i = 0; list != NULL && list->type == DOC_LIST && i < list->n; i++)
            refuse_policy(p, list->entries[i].value, flows[f], subject);
    }
}

/* "GET /pets" */
static struct slice subject_of(struct project *p, const struct doc_node *operation)
{
    const struct doc_node *verb = doc_get_nocase(operation, "verb");
    const struct doc_node *target = doc_get_nocase(operation, "target");
    struct slice text;

    if (verb == NULL || target == NULL || verb->text.p == NULL || target->text.p == NULL)
        return SLICE("an operation");
    text = arena_printf(p->build->arena, "%.20s %.200s", verb->text.p, target->text.p);
    if (text.p == NULL)
        p->build->rc = CC_ENOMEM;
    return text;
}

/* An entry whose tier is to be found by its path and method. */
static void note(const struct doc_node *operation, struct declared_operation *at, size_t *n)
{
    const struct doc_node *verb = doc_get_nocase(operation, "verb");
    const struct doc_node *target = doc_get_nocase(operation, "target");

    if (doc_get_nocase(operation, "throttlingPolicy") == NULL || verb == NULL || target == NULL ||
        verb->type != DOC_TEXT || target->type != DOC_TEXT)
        return;
    at[*n].method = gw_method_parse(verb->text);
    at[*n].target = target->text;
    at[*n].node = operation;
    if (at[*n].method != GW_METHOD_COUNT)
        (*n)++;
}

void project_read_operations(struct project *p, const struct doc_node *data)
{
    const struct doc_node *list = doc_get_nocase(data, "operations");
    struct declared_operation *all;

    refuse_policies(p, doc_get_nocase(data, "apiPolicies"), SLICE("the API"));
    if (list == NULL || list->type == DOC_NULL ||
        !doc_is_list(p->api_doc, list, "data.operations", p->build->diag))
        return;
    all = project_alloc(p->build, list->n, sizeof(*all));
    for (size_t i = 0; all != NULL && i < list->n; i++) {
        const struct doc_node *operation = list->entries[i].value;
        const struct doc_node *policies;

        if (!doc_is_map(p->api_doc, operation, "data.operations[]", p->build->diag))
            continue;
        policies = doc_get_nocase(operation, "operationPolicies");
        if (policies != NULL)
            refuse_policies(p, policies, subject_of(p, operation));
        note(operation, all, &p->n_declared);
    }
    p->declared = all;
    if (p->n_declared > 0)
        qsort(all, p->n_declared, sizeof(*all), compare_operations);
}

bool project_operation_tier(struct project *p, struct slice target, enum gw_method method,
                            struct project_tier *out)
{
    const struct declared_operation key = {.target = target, .method = method};
    struct declared_operation *found;

    if (p->n_declared == 0)
        return false;
    found = bsearch(&key, p->declared, p->n_declared, sizeof(key), compare_operations);
    if (found == NULL)
        return false;
    found->used = true;
    return project_tier_config(p, doc_get_nocase(found->node, "throttlingPolicy"),
                               "throttlingPolicy", out);
}

void project_report_operations(struct project *p)
{
    for (size_t i = 0; i < p->n_declared; i++) {
        const struct declared_operation *d = &p->declared[i];
        struct project_tier tier;

        if (d->used ||
            !project_tier_config(p, doc_get_nocase(d->node, "throttlingPolicy"), "throttlingPolicy",
                                 &tier) ||
            tier.name.n == 0)
            continue;
        diag_help(diag_warning(p->build->diag, CC2602, doc_place(p->api_doc, d->node),
                               "data.operations has a throttling tier for %s %.200s, which the "
                               "document does not have",
                               gw_method_name(d->method), d->target.p),
                  "compare the target with the paths of the document; nothing is served there");
    }
}
