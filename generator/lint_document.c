/* lint: security schemes, scopes, references, info. */
#include "generator/lint_internal.h"

#include <stdlib.h>

/* --- schemes and scopes ---------------------------------------------------------------------- */

/* A scheme, or a scope of one, that some requirement names. */
struct use {
    struct slice scheme, scope; /* scope.p == NULL: the scheme itself */
};

struct uses {
    struct use *list;
    size_t n, room;
};

static int compare_uses(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int d = slice_cmp(x->scheme, y->scheme);

    return d != 0 ? d : slice_cmp(x->scope, y->scope);
}

static void add_use(struct review *r, struct uses *u, struct slice scheme, struct slice scope)
{
    if (u->n == u->room) {
        size_t room = u->room == 0 ? 64 : u->room * 2;
        struct use *list = review_alloc(r, room, sizeof(*list));

        if (list == NULL)
            return;
        if (u->n > 0)
            memcpy(list, u->list, u->n * sizeof(*list));
        u->list = list;
        u->room = room;
    }
    u->list[u->n++] = (struct use){scheme, scope};
}

static void add_requirements(struct review *r, struct uses *u, const struct doc_node *list)
{
    for (size_t i = 0; list != NULL && list->type == DOC_LIST && i < list->n; i++) {
        const struct doc_node *object = list->entries[i].value;

        for (size_t k = 0; object->type == DOC_MAP && k < object->n && r->rc == CC_OK; k++) {
            const struct doc_node *scopes = object->entries[k].value;
            struct slice scheme = object->entries[k].key->text;

            add_use(r, u, scheme, SLICE_NONE);
            for (size_t s = 0; scopes->type == DOC_LIST && s < scopes->n && r->rc == CC_OK; s++)
                add_use(r, u, scheme, scopes->entries[s].value->text);
        }
    }
}

static bool is_used(const struct uses *u, struct slice scheme, struct slice scope)
{
    struct use key = {scheme, scope};

    return u->n > 0 && bsearch(&key, u->list, u->n, sizeof(key), compare_uses) != NULL;
}

static void check_scopes(struct review *r, const struct doc *doc, const struct uses *u,
                         struct slice scheme, const struct doc_node *scopes)
{
    for (size_t i = 0; scopes != NULL && scopes->type == DOC_MAP && i < scopes->n; i++) {
        const struct doc_node *key = scopes->entries[i].key;

        if (!slice_starts(key->text, SLICE("x-")) && !is_used(u, scheme, key->text))
            diag_help(review_add(r, CC8005, doc_place(doc, key),
                                 "no operation demands the scope \"%.200s\"", key->text.p),
                      "demand it where it is for, or remove it");
    }
}

static void check_scheme(struct review *r, const struct doc *doc, const struct uses *u,
                         const struct doc_entry *entry)
{
    const struct doc_node *scheme = review_follow(doc, entry->value);
    const struct doc_node *flows = doc_get(scheme, "flows");
    struct slice name = entry->key->text;

    if (!is_used(u, name, SLICE_NONE)) {
        diag_help(review_add(r, CC8004, doc_place(doc, entry->key),
                             "the security scheme \"%.200s\" is not used", name.p),
                  "name it in security of the document or of operations, or remove it");
        return;
    }
    check_scopes(r, doc, u, name, doc_get(scheme, "scopes"));
    for (size_t i = 0; flows != NULL && flows->type == DOC_MAP && i < flows->n; i++)
        check_scopes(r, doc, u, name, doc_get(flows->entries[i].value, "scopes"));
}

static void check_schemes(struct review *r, const struct review_operations *ops)
{
    const struct doc_node *root = ops->doc->root;
    const struct doc_node *schemes = doc_get(root, "swagger") != NULL
                                         ? doc_get(root, "securityDefinitions")
                                         : doc_path(root, "components.securitySchemes");
    struct uses u = {NULL, 0, 0};

    add_requirements(r, &u, doc_get(root, "security"));
    for (size_t i = 0; i < ops->n; i++)
        add_requirements(r, &u, doc_get(ops->list[i].node, "security"));
    if (u.n > 0)
        qsort(u.list, u.n, sizeof(*u.list), compare_uses);
    for (size_t i = 0; schemes != NULL && schemes->type == DOC_MAP && i < schemes->n; i++)
        check_scheme(r, ops->doc, &u, &schemes->entries[i]);
}

/* --- references ------------------------------------------------------------------------------ */

/* What is data and not part of the document: a "$ref" in it means nothing. */
static bool is_data(struct slice key)
{
    return slice_is(key, "example") || slice_is(key, "examples") || slice_is(key, "default") ||
           slice_is(key, "enum") || slice_is(key, "const") || slice_starts(key, SLICE("x-"));
}

static void check_reference(struct review *r, const struct doc *doc, const struct doc_node *ref)
{
    struct place place = doc_place(doc, ref);

    if (ref->text.n == 0 || ref->text.p[0] != '#')
        diag_help(review_add(r, CC8019, place, "\"%.200s\" leads out of the document", ref->text.p),
                  "bundle the document into one file");
    else if (doc_pointer(doc, ref->text) == NULL)
        diag_help(review_add(r, CC8018, place, "the document has no \"%.200s\"", ref->text.p),
                  "correct the reference, or declare what it names");
}

/* Depth and number of nodes are bounded by lib/doc. Aliases are walked again each time; the diag
 * keeps 10,000 findings at most. */
static void walk(struct review *r, const struct doc *doc, const struct doc_node *node)
{
    const struct doc_node *ref = doc_get(node, "$ref");

    if (ref != NULL && ref->type == DOC_TEXT)
        check_reference(r, doc, ref);
    for (size_t i = 0; i < node->n && (node->type == DOC_MAP || node->type == DOC_LIST); i++) {
        if (node->type == DOC_LIST || !is_data(node->entries[i].key->text))
            walk(r, doc, node->entries[i].value);
    }
}

/* --- info ------------------------------------------------------------------------------------ */

static void check_info(struct review *r, const struct project_docs *project)
{
    const struct doc *doc = project->openapi;
    const struct doc_node *info = doc_get(doc->root, "info");
    const struct doc_node *description = doc_get(info, "description");
    const struct doc_node *version = doc_get(info, "version"), *data, *other;

    if (description == NULL || slice_trim(description->text).n == 0)
        diag_help(review_add(r, CC8016, doc_place(doc, info), "the document has no description"),
                  "say below info what the API is for");
    if (project->api == NULL || version == NULL || version->text.n == 0)
        return;
    data = doc_get_nocase(project->api->root, "data");
    other = doc_get_nocase(data, "version");
    if (other != NULL && !slice_eq(slice_trim(other->text), slice_trim(version->text)))
        diag_help(review_add(r, CC8017, doc_place(doc, version),
                             "the version is %.100s here and %.100s in api.yaml", version->text.p,
                             other->text.p),
                  "write the same in both; that of api.yaml counts");
}

void lint_document(struct review *r, const struct project_docs *project,
                   const struct review_operations *ops)
{
    check_schemes(r, ops);
    walk(r, project->openapi, project->openapi->root);
    check_info(r, project);
}
