/* project: $ref inside of one document (OpenAPI 3.1, 4.8.23). Where it leads is followed through
 * other references; what leaves the document, leads nowhere or back to itself is told, each with
 * its place. */
#include "generator/project_internal.h"

enum { DEPTH_MAX = 16 };

static bool leaves_document(struct project *p, const struct doc_node *ref, struct slice target,
                            enum diag_severity severity)
{
    if (target.n > 0 && target.p[0] == '#')
        return false;
    diag_help(diag_add(p->build->diag, severity, CC1204, doc_place(p->openapi, ref),
                       "$ref \"%" PRIslice "\" leaves the document", SLICE_ARG(target)),
              "bundle the definition into one file");
    return true;
}

const struct doc_node *project_follow(struct project *p, const struct doc_node *node,
                                      const char *what, enum diag_severity severity)
{
    const struct doc_node *first = doc_get(node, "$ref"), *ref = first;
    struct slice target = SLICE_NONE;

    for (unsigned depth = 0; ref != NULL; depth++) {
        if (depth == DEPTH_MAX) {
            diag_help(diag_add(p->build->diag, severity, CC1203, doc_place(p->openapi, first),
                               "$ref \"%" PRIslice "\" leads back to itself, or through more than "
                               "%d references",
                               SLICE_ARG(first->text), DEPTH_MAX),
                      "let one of them be the definition");
            return NULL;
        }
        if (!project_text(p, p->openapi, ref, "$ref", &target) ||
            leaves_document(p, ref, target, severity))
            return NULL;
        node = doc_pointer(p->openapi, target);
        if (node == NULL || node->type != DOC_MAP) {
            diag_help(diag_add(p->build->diag, severity, CC1203, doc_place(p->openapi, ref),
                               "$ref \"%" PRIslice "\" leads to no %s", SLICE_ARG(target), what),
                      node == NULL ? "there is nothing of that name in the document"
                                   : "there is something else, no mapping");
            return NULL;
        }
        ref = doc_get(node, "$ref");
    }
    return node;
}

void project_check_parameters(struct project *p, const struct doc_node *map)
{
    const struct doc_node *list = doc_get(map, "parameters");

    for (size_t i = 0; list != NULL && list->type == DOC_LIST && i < list->n; i++)
        (void)project_follow(p, list->entries[i].value, "parameter", DIAG_WARNING);
}
