/* lint: path parameters, and paths that look alike. */
#include "generator/lint_internal.h"

#include "gateway/path.h"

#include <stdlib.h>

/* Bounds for documents that are made to take for ever; longer paths match no request anyway. */
enum { PARAMETERS_MAX = 1000, PATH_MAX_BYTES = GW_PATH_MAX };

/* The parameters of a path or an operation; NULL when there are none. *n is how many are looked at.
 */
static const struct doc_node *parameters_of(const struct doc_node *map, size_t *n)
{
    const struct doc_node *list = doc_get(map, "parameters");

    *n = list != NULL && list->type == DOC_LIST ? list->n : 0;
    *n = *n > PARAMETERS_MAX ? PARAMETERS_MAX : *n;
    return list;
}

/* --- parameters ------------------------------------------------------------------------------ */

static bool template_has(struct slice template, struct slice name)
{
    struct slice found;

    while (review_next_parameter(&template, &found)) {
        if (slice_eq(found, name))
            return true;
    }
    return false;
}

/* The parameter of `map` (a path or an operation) with in: path and this name, or NULL. */
static const struct doc_node *find_declared(const struct doc *doc, const struct doc_node *map,
                                            struct slice name)
{
    size_t n;
    const struct doc_node *list = parameters_of(map, &n);

    for (size_t i = 0; i < n; i++) {
        const struct doc_node *p = review_follow(doc, list->entries[i].value);
        const struct doc_node *in = doc_get(p, "in"), *its = doc_get(p, "name");

        if (in != NULL && its != NULL && slice_is(in->text, "path") && slice_eq(its->text, name))
            return p;
    }
    return NULL;
}

/* A reference that leads nowhere may be the declaration; lint_document() has told of it. */
static bool has_lost_reference(const struct doc *doc, const struct doc_node *map)
{
    size_t n;
    const struct doc_node *list = parameters_of(map, &n);

    for (size_t i = 0; i < n; i++) {
        if (review_follow(doc, list->entries[i].value) == NULL)
            return true;
    }
    return false;
}

static void check_undeclared(struct review *r, const struct doc *doc,
                             const struct review_operation *o)
{
    struct slice rest = o->path->text, name;

    if (rest.n > PATH_MAX_BYTES)
        return;
    if (has_lost_reference(doc, o->item) || has_lost_reference(doc, o->node))
        return;
    while (review_next_parameter(&rest, &name)) {
        if (find_declared(doc, o->item, name) == NULL && find_declared(doc, o->node, name) == NULL)
            diag_help(review_add(r, CC8006, doc_place(doc, o->key),
                                 "%s %.200s: the path parameter {%.*s} is not declared",
                                 gw_method_name(o->method), o->path->text.p,
                                 (int)(name.n > 100 ? 100 : name.n), name.p),
                      "declare it: parameters: [{name: %.*s, in: path, required: true, ...}]",
                      (int)(name.n > 100 ? 100 : name.n), name.p);
    }
}

/* The path parameters that a path or an operation declares, against the template. */
static void check_declared(struct review *r, const struct doc *doc, const struct doc_node *map,
                           const struct doc_node *path)
{
    size_t n;
    const struct doc_node *list = parameters_of(map, &n);

    for (size_t i = 0; i < n; i++) {
        const struct doc_node *p = review_follow(doc, list->entries[i].value);
        const struct doc_node *in = doc_get(p, "in"), *name = doc_get(p, "name");
        const struct doc_node *required = doc_get(p, "required");
        struct place place = doc_place(doc, list->entries[i].value);

        if (in == NULL || name == NULL || !slice_is(in->text, "path"))
            continue;
        if (path->text.n <= PATH_MAX_BYTES && !template_has(path->text, name->text))
            diag_help(review_add(r, CC8007, place,
                                 "%.200s has no {%.100s}, which is declared as path parameter",
                                 path->text.p, name->text.p),
                      "correct the name, or remove the parameter");
        if (required == NULL || required->type != DOC_BOOL || !doc_scalar_true(required->text))
            diag_help(review_add(r, CC8015, place, "the path parameter {%.100s} is not required",
                                 name->text.p),
                      "add required: true");
    }
}

/* --- paths that look alike ------------------------------------------------------------------- */

/* A path in the form in which it is compared, and the path itself. */
struct form {
    struct slice text;
    struct slice name; /* of the parameter that ends `text`, or empty */
    const struct doc_node *path;
};

static int compare_forms(const void *a, const void *b)
{
    const struct form *x = a, *y = b;
    int d = slice_cmp(x->text, y->text);

    if (d != 0)
        return d;
    return x->path->line < y->path->line ? -1 : x->path->line > y->path->line;
}

/* Sorts and walks over neighbours of the same form. */
static void for_each_pair(struct form *forms, size_t n, struct review *r, const struct doc *doc,
                          void (*look)(struct review *, const struct doc *,
                                       const struct form *first, const struct form *other))
{
    size_t first = 0;

    if (n > 0)
        qsort(forms, n, sizeof(*forms), compare_forms);
    for (size_t i = 1; i < n; i++) {
        if (!slice_eq(forms[i].text, forms[first].text))
            first = i;
        else
            look(r, doc, &forms[first], &forms[i]);
    }
}

static void two_names(struct review *r, const struct doc *doc, const struct form *first,
                      const struct form *other)
{
    if (!slice_eq(first->name, other->name))
        diag_help(review_add(r, CC8008, doc_place(doc, other->path),
                             "{%.*s} is called {%.*s} in %.200s",
                             (int)(other->name.n > 100 ? 100 : other->name.n), other->name.p,
                             (int)(first->name.n > 100 ? 100 : first->name.n), first->name.p,
                             first->path->text.p),
                  "use one name for the same part of a path");
}

static void slash_pair(struct review *r, const struct doc *doc, const struct form *first,
                       const struct form *other)
{
    if (!slice_eq(first->path->text, other->path->text))
        diag_help(review_add(r, CC8009, doc_place(doc, other->path),
                             "%.200s and %.200s are two paths", first->path->text.p,
                             other->path->text.p),
                  "keep one; a trailing slash is significant");
}

static void case_pair(struct review *r, const struct doc *doc, const struct form *first,
                      const struct form *other)
{
    if (!slice_eq(first->path->text, other->path->text))
        diag_help(review_add(r, CC8020, doc_place(doc, other->path),
                             "%.200s and %.200s differ by case alone", first->path->text.p,
                             other->path->text.p),
                  "keep one; paths are compared with case");
}

/* The distinct paths of the operations: these stand together. */
static const struct doc_node **distinct_paths(struct review *r, const struct review_operations *ops,
                                              size_t *n)
{
    const struct doc_node **paths = review_alloc(r, ops->n, sizeof(*paths));

    *n = 0;
    for (size_t i = 0; paths != NULL && i < ops->n; i++) {
        if ((i == 0 || ops->list[i].path != ops->list[i - 1].path) &&
            ops->list[i].path->text.n <= PATH_MAX_BYTES)
            paths[(*n)++] = ops->list[i].path;
    }
    return paths;
}

/* The forms of one path that end with a parameter: "/pets/{}" for /pets/{id}/toys. */
static size_t parameter_forms(struct review *r, const struct doc_node *path, struct form *out,
                              size_t room)
{
    struct slice rest = path->text, part;
    struct buf form;
    size_t n = 0;

    buf_init(&form, path->text.n + 1);
    slice_split(&rest, '/', &part); /* what stands before the first slash: nothing */
    while (slice_split(&rest, '/', &part) && n < room) {
        bool parameter = part.n > 2 && part.p[0] == '{' && slice_find(part, '}') + 1 == (int)part.n;

        buf_add_char(&form, '/');
        buf_add(&form, parameter ? SLICE("{}") : part);
        if (!parameter)
            continue;
        out[n].text = arena_dup(r->arena, buf_slice(&form));
        out[n].name = slice_make(part.p + 1, part.n - 2);
        out[n].path = path;
        if (out[n++].text.p == NULL)
            r->rc = CC_ENOMEM;
    }
    buf_free(&form);
    return n;
}

static void check_parameter_names(struct review *r, const struct doc *doc,
                                  const struct doc_node *const *paths, size_t n_paths)
{
    struct form *forms;
    size_t room = 0, n = 0;

    for (size_t i = 0; i < n_paths; i++)
        for (size_t k = 0; k < paths[i]->text.n; k++)
            room += paths[i]->text.p[k] == '{';
    forms = review_alloc(r, room, sizeof(*forms));
    for (size_t i = 0; forms != NULL && i < n_paths && r->rc == CC_OK; i++)
        n += parameter_forms(r, paths[i], forms + n, room - n);
    if (r->rc == CC_OK)
        for_each_pair(forms, n, r, doc, two_names);
}

static struct slice lower(struct review *r, struct slice s)
{
    char *copy = review_alloc(r, s.n + 1, 1);

    for (size_t i = 0; copy != NULL && i < s.n; i++)
        copy[i] = ascii_lower(s.p[i]);
    return slice_make(copy, copy != NULL ? s.n : 0);
}

static void check_look_alikes(struct review *r, const struct doc *doc,
                              const struct doc_node *const *paths, size_t n)
{
    struct form *forms = review_alloc(r, n, sizeof(*forms));

    if (forms == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        struct slice text = paths[i]->text;

        forms[i] = (struct form){.text = text, .path = paths[i]};
        if (text.n > 1 && text.p[text.n - 1] == '/')
            forms[i].text.n--;
    }
    for_each_pair(forms, n, r, doc, slash_pair);
    for (size_t i = 0; i < n; i++)
        forms[i] = (struct form){.text = lower(r, paths[i]->text), .path = paths[i]};
    if (r->rc == CC_OK)
        for_each_pair(forms, n, r, doc, case_pair);
}

void lint_paths(struct review *r, const struct review_operations *ops)
{
    const struct doc_node **paths;
    size_t n;

    for (size_t i = 0; i < ops->n; i++) {
        const struct review_operation *o = &ops->list[i];

        check_undeclared(r, ops->doc, o);
        check_declared(r, ops->doc, o->node, o->path);
        if (i == 0 || o->path != ops->list[i - 1].path)
            check_declared(r, ops->doc, o->item, o->path);
    }
    paths = distinct_paths(r, ops, &n);
    if (paths == NULL)
        return;
    check_parameter_names(r, ops->doc, paths, n);
    check_look_alikes(r, ops->doc, paths, n);
}
