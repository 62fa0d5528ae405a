#include "generator/lint_internal.h"

#include <stdlib.h>

/* --- names ----------------------------------------------------------------------------------- */

static bool has_text(const struct doc_node *map, const char *key)
{
    const struct doc_node *node = doc_get(map, key);

    return node != NULL && slice_trim(node->text).n > 0;
}

static void check_names(struct review *r, const struct doc *doc, const struct review_operation *o)
{
    struct place place = doc_place(doc, o->key);
    const char *method = gw_method_name(o->method);

    if (!has_text(o->node, "operationId"))
        diag_help(
            review_add(r, CC8001, place, "%s %.200s has no operationId", method, o->path->text.p),
            "add a name of its own, as functions have: operationId: listPets");
    if (!has_text(o->node, "summary") && !has_text(o->node, "description"))
        diag_help(review_add(r, CC8003, place, "%s %.200s has neither summary nor description",
                             method, o->path->text.p),
                  "say in a sentence what it does");
}

static int compare_ids(const void *a, const void *b)
{
    const struct doc_node *const *x = a, *const *y = b;
    int d = slice_cmp((*x)->text, (*y)->text);

    if (d != 0)
        return d;
    return (*x)->line != (*y)->line ? ((*x)->line < (*y)->line ? -1 : 1)
                                    : ((*x)->col < (*y)->col ? -1 : (*x)->col > (*y)->col);
}

static void check_ids(struct review *r, const struct review_operations *ops)
{
    const struct doc_node **ids = review_alloc(r, ops->n, sizeof(*ids));
    size_t n = 0;

    if (ids == NULL)
        return;
    for (size_t i = 0; i < ops->n; i++) {
        if (has_text(ops->list[i].node, "operationId"))
            ids[n++] = doc_get(ops->list[i].node, "operationId");
    }
    if (n > 0)
        qsort(ids, n, sizeof(*ids), compare_ids);
    for (size_t i = 1; i < n; i++) {
        /* the same node twice is one operation that two paths refer to */
        if (ids[i] == ids[i - 1] || !slice_eq(ids[i]->text, ids[i - 1]->text))
            continue;
        diag_help(review_add(r, CC8002, doc_place(ops->doc, ids[i]),
                             "operationId \"%.200s\" is that of another operation, too",
                             ids[i]->text.p),
                  "the other one is at line %u; rename one of them", ids[i - 1]->line);
    }
}

/* --- bodies ---------------------------------------------------------------------------------- */

/* The parameter that makes a body (OpenAPI 2), or NULL. */
static const struct doc_node *body_parameter(const struct doc *doc, const struct doc_node *map)
{
    const struct doc_node *list = doc_get(map, "parameters");

    for (size_t i = 0; list != NULL && list->type == DOC_LIST && i < list->n; i++) {
        const struct doc_node *in = doc_get(review_follow(doc, list->entries[i].value), "in");

        if (in != NULL && (slice_is(in->text, "body") || slice_is(in->text, "formData")))
            return list->entries[i].value;
    }
    return NULL;
}

static void check_body(struct review *r, const struct doc *doc, const struct review_operation *o)
{
    const struct doc_node *body = doc_get(o->node, "requestBody");

    if (o->method != GW_GET && o->method != GW_HEAD && o->method != GW_DELETE)
        return;
    if (body == NULL)
        body = body_parameter(doc, o->node);
    if (body != NULL)
        diag_help(review_add(r, CC8012, doc_place(doc, body), "%s %.200s has a body",
                             gw_method_name(o->method), o->path->text.p),
                  "use query parameters, or POST");
}

/* --- answers --------------------------------------------------------------------------------- */

static void check_answers(struct review *r, const struct doc *doc, const struct review_operation *o)
{
    const struct doc_node *responses = doc_get(o->node, "responses");
    struct place place = doc_place(doc, o->key);
    bool good = false, client_error = false;

    for (size_t i = 0; responses != NULL && responses->type == DOC_MAP && i < responses->n; i++) {
        struct slice key = responses->entries[i].key->text;
        char first = key.n == 3 ? key.p[0] : '\0';
        bool all = slice_is(key, "default");

        good = good || all || first == '2' || first == '3' || slice_is(key, "101");
        client_error = client_error || all || first == '4';
    }
    if (!good)
        diag_help(review_add(r, CC8014, place, "%s %.200s declares no good answer",
                             gw_method_name(o->method), o->path->text.p),
                  "declare it below responses: \"200\": {description: ...}");
    else if (!client_error)
        diag_help(review_add(r, CC8013, place, "%s %.200s declares no client error",
                             gw_method_name(o->method), o->path->text.p),
                  "declare what errors look like, for example below \"404\" or default");
}

/* --- all of them ----------------------------------------------------------------------------- */

static void lint_project(struct review *r, const struct project_docs *project)
{
    const struct doc *doc = project->openapi;
    struct review_operations ops;

    if (doc == NULL)
        return;
    review_list_operations(r, doc, &ops);
    for (size_t i = 0; i < ops.n; i++) {
        check_names(r, doc, &ops.list[i]);
        check_body(r, doc, &ops.list[i]);
        check_answers(r, doc, &ops.list[i]);
    }
    check_ids(r, &ops);
    lint_paths(r, &ops);
    lint_document(r, project, &ops);
}

void lint_projects(struct review *r)
{
    for (size_t i = 0; i < r->n_projects && r->rc == CC_OK; i++)
        lint_project(r, &r->projects[i]);
    if (r->model != NULL && r->rc == CC_OK)
        lint_routes(r);
}
