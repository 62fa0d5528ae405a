/* project: throttling tiers. x-wso2-throttling-tier > x-throttling-tier, where both stand at one
 * level; the document > api.yaml; an operation > its path. The tier of the API is another one: it
 * is for all operations together. "Unlimited" is no tier, said aloud: it hides those below it. */
#include "generator/project_internal.h"

enum { TIER_MAX = 255 };

/* A tier in `doc`; false when there is none, or none that can be used (an error). */
static bool read_tier(struct project *p, const struct doc *doc, const struct doc_node *node,
                      const char *what, struct project_tier *out)
{
    struct slice name = SLICE_NONE;

    if (node == NULL || node->type == DOC_NULL || !project_text(p, doc, node, what, &name))
        return false;
    name = slice_trim(name);
    if (name.n == 0)
        return false;
    if (name.n > TIER_MAX) {
        diag_error(p->build->diag, CC1203, doc_place(doc, node), "%s is longer than %d bytes", what,
                   TIER_MAX);
        return false;
    }
    out->declared = doc_place(doc, node);
    out->name = slice_is(name, "Unlimited") ? SLICE("") : name;
    return true;
}

bool project_tier_extension(struct project *p, const struct doc_node *map, struct project_tier *out)
{
    return read_tier(p, p->openapi, doc_get(map, "x-wso2-throttling-tier"),
                     "x-wso2-throttling-tier", out) ||
           read_tier(p, p->openapi, doc_get(map, "x-throttling-tier"), "x-throttling-tier", out);
}

bool project_tier_config(struct project *p, const struct doc_node *node, const char *what,
                         struct project_tier *out)
{
    return read_tier(p, p->api_doc, node, what, out);
}

void project_set_tier(const struct project_tier *tier, struct slice *name, struct place *declared)
{
    *name = tier->name.p != NULL ? tier->name : SLICE("");
    *declared = tier->declared;
}
