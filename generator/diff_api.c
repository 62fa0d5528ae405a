/* The part of a diff that is below an API: resources, operations, who is let in. */
#include "generator/access.h"
#include "generator/diff_internal.h"

/* The table that describes the elements of member `name`. */
static const struct snapshot_schema *schema_of(const struct snapshot_schema *owner,
                                               const char *name)
{
    size_t i = 0;

    while (i < owner->n_fields &&
           (strcmp(owner->fields[i].name, name) != 0 || owner->fields[i].type != SNAPSHOT_LIST))
        i++;
    CC_ASSERT(i < owner->n_fields);
    return owner->fields[i].of;
}

/* "Petstore 1.0.0 /petstore/1.0.0 on localhost" */
static struct slice api_subject(struct differ *d, const struct gw_api *api)
{
    return arena_printf(d->out->arena, "%" PRIslice " %" PRIslice " %" PRIslice " on %" PRIslice,
                        SLICE_ARG(api->name), SLICE_ARG(api->version),
                        SLICE_ARG(api->base_path.n > 0 ? api->base_path : SLICE("/")),
                        SLICE_ARG(api->vhost));
}

/* "GET /petstore/1.0.0/pets on localhost" */
static struct slice route_subject(struct differ *d)
{
    return arena_printf(d->out->arena, "%s%s%" PRIslice "%" PRIslice " on %" PRIslice,
                        d->method != NULL ? d->method : "", d->method != NULL ? " " : "",
                        SLICE_ARG(d->api->base_path), SLICE_ARG(d->resource),
                        SLICE_ARG(d->api->vhost));
}

/* --- operations ------------------------------------------------------------------------------ */

static int by_method(const void *a, const void *b)
{
    const struct gw_operation *x = a, *y = b;

    return (int)x->method - (int)y->method;
}

static void compare_access(struct differ *d, const struct gw_operation *before,
                           const struct gw_operation *after, struct slice subject)
{
    struct slice was = access_text(before, d->out->arena);
    struct slice is = access_text(after, d->out->arena);
    bool scopes = !before->open && !before->closed && !after->open && !after->closed;
    struct place origin = after->origin;

    if (was.p == NULL || is.p == NULL) {
        d->rc = CC_ENOMEM;
        return;
    }
    if (slice_eq(was, is)) {
        /* the same in another order, or in another place */
        d->moved = d->moved || !access_same_requirements(before, after);
        return;
    }
    if (after->n_requirements > 0 && after->requirements[0].origin.source != NULL)
        origin = after->requirements[0].origin;
    differ_changed(d, scopes ? DIFF_SCOPE : DIFF_ACCESS, subject, SLICE("security"), was, is,
                   origin);
}

static void compare_operation(struct differ *d, const struct snapshot_schema *schema,
                              const struct gw_operation *before, const struct gw_operation *after)
{
    static const char *const special[] = {"open", "closed", "requirements", NULL};
    struct diff_change *change;
    struct slice subject;

    d->method = gw_method_name((after != NULL ? after : before)->method);
    subject = differ_text(d, route_subject(d));
    if (d->rc != CC_OK)
        return;
    if (before != NULL && after != NULL) {
        compare_access(d, before, after, subject);
        differ_members(d, schema, before, after, special, DIFF_OPERATION, subject, after->origin);
    } else if (after != NULL) {
        change = differ_add(d, DIFF_ADDED, DIFF_OPERATION, subject, after->origin);
        if (change != NULL)
            change->after = differ_text(d, access_text(after, d->out->arena));
    } else {
        change = differ_add(d, DIFF_REMOVED, DIFF_OPERATION, subject, before->origin);
        if (change != NULL)
            change->before = differ_text(d, access_text(before, d->out->arena));
    }
}

static void compare_operations(struct differ *d, const struct snapshot_schema *owner,
                               const struct gw_resource *before, const struct gw_resource *after)
{
    const struct snapshot_schema *schema = schema_of(owner, "operations");
    struct diff_list old = {before->operations, before->n_operations, sizeof(*before->operations)};
    struct diff_list new = {after->operations, after->n_operations, sizeof(*after->operations)};
    struct diff_pair *pairs;
    size_t n;

    d->rc = diff_pair_up(old, new, by_method, NULL, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++)
        compare_operation(d, schema, pairs[i].before, pairs[i].after);
    d->method = NULL;
}

/* --- resources ------------------------------------------------------------------------------- */

static int by_template(const void *a, const void *b)
{
    const struct gw_resource *x = a, *y = b;

    return slice_cmp(x->template, y->template);
}

/* The end of the parameter that begins at `at`, or `at`. */
static size_t skip_parameter(struct slice s, size_t at)
{
    size_t end = at;

    if (at == s.n || s.p[at] != '{')
        return at;
    while (end < s.n && s.p[end] != '}')
        end++;
    return end < s.n ? end + 1 : at;
}

/* By the requests they match: names of parameters do not count. */
static int by_shape(const void *a, const void *b)
{
    struct slice x = ((const struct gw_resource *)a)->template;
    struct slice y = ((const struct gw_resource *)b)->template;
    size_t i = 0, j = 0;

    while (i < x.n && j < y.n) {
        size_t after_x = skip_parameter(x, i), after_y = skip_parameter(y, j);

        if (after_x > i && after_y > j) {
            i = after_x;
            j = after_y;
        } else if (x.p[i] != y.p[j]) {
            return (unsigned char)x.p[i] < (unsigned char)y.p[j] ? -1 : 1;
        } else {
            i++;
            j++;
        }
    }
    return (i < x.n) - (j < y.n);
}

/* "GET (read:pets), POST (open)" */
static struct slice operations_text(struct differ *d, const struct gw_resource *r)
{
    struct slice out;
    struct buf text;

    buf_init(&text, 64 << 10);
    for (size_t i = 0; i < r->n_operations; i++) {
        struct slice access = differ_text(d, access_text(&r->operations[i], d->out->arena));

        buf_printf(&text, "%s%s (%" PRIslice ")", i > 0 ? ", " : "",
                   gw_method_name(r->operations[i].method), SLICE_ARG(access));
    }
    if (buf_error(&text) == CC_EFULL)
        out = arena_printf(d->out->arena, "%zu operations", r->n_operations);
    else
        out = arena_dup(d->out->arena, slice_make(text.p, text.n));
    buf_free(&text);
    return differ_text(d, out);
}

static void compare_resource(struct differ *d, const struct snapshot_schema *schema,
                             const struct gw_resource *before, const struct gw_resource *after)
{
    static const char *const special[] = {"operations", NULL};
    struct diff_change *change;
    struct slice subject;

    d->resource = (after != NULL ? after : before)->template;
    subject = differ_text(d, route_subject(d));
    if (d->rc != CC_OK)
        return;
    if (before != NULL && after != NULL) {
        differ_members(d, schema, before, after, special, DIFF_RESOURCE, subject, after->origin);
        compare_operations(d, schema, before, after);
    } else if (after != NULL) {
        change = differ_add(d, DIFF_ADDED, DIFF_RESOURCE, subject, after->origin);
        if (change != NULL)
            change->after = operations_text(d, after);
    } else {
        change = differ_add(d, DIFF_REMOVED, DIFF_RESOURCE, subject, before->origin);
        if (change != NULL)
            change->before = operations_text(d, before);
    }
}

static void compare_resources(struct differ *d, const struct gw_api *before,
                              const struct gw_api *after)
{
    const struct snapshot_schema *schema = schema_of(&snapshot_api, "resources");
    struct diff_list old = {before->resources, before->n_resources, sizeof(*before->resources)};
    struct diff_list new = {after->resources, after->n_resources, sizeof(*after->resources)};
    struct diff_pair *pairs;
    size_t n;

    d->rc = diff_pair_up(old, new, by_template, by_shape, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++)
        compare_resource(d, schema, pairs[i].before, pairs[i].after);
    d->resource = SLICE_NONE;
}

/* --- APIs ------------------------------------------------------------------------------------ */

static int by_base_path(const void *a, const void *b)
{
    const struct gw_api *x = a, *y = b;
    int order = slice_cmp(x->vhost, y->vhost);

    return order != 0 ? order : slice_cmp(x->base_path, y->base_path);
}

/* An API whose context changed is the same API. */
static int by_name(const void *a, const void *b)
{
    const struct gw_api *x = a, *y = b;
    int order = slice_cmp(x->vhost, y->vhost);

    if (order == 0)
        order = slice_cmp(x->name, y->name);
    return order != 0 ? order : slice_cmp(x->version, y->version);
}

/* "3 resources, 5 operations, 1 open to everybody" */
static struct slice api_text(struct differ *d, const struct gw_api *api)
{
    size_t operations = 0, open = 0;
    char more[48] = "";

    for (size_t r = 0; r < api->n_resources; r++) {
        operations += api->resources[r].n_operations;
        for (size_t i = 0; i < api->resources[r].n_operations; i++)
            open += api->resources[r].operations[i].open;
    }
    if (open > 0)
        snprintf(more, sizeof(more), ", %zu open to everybody", open);
    return differ_text(d, arena_printf(d->out->arena, "%zu resource%s, %zu operation%s%s",
                                       api->n_resources, api->n_resources == 1 ? "" : "s",
                                       operations, operations == 1 ? "" : "s", more));
}

/* Which web pages may call it: member by member when there is a policy before and after. */
static void compare_cors(struct differ *d, const struct gw_api *before, const struct gw_api *after,
                         struct slice subject)
{
    static const char *const special[] = {NULL};
    const struct slice backend = SLICE("left to the backend"), policy = SLICE("a policy");
    struct place origin = after->cors != NULL ? after->cors_declared : after->origin;
    const struct gw_cors nothing = {0};

    if (before->cors == NULL && after->cors == NULL)
        return;
    if (before->cors == NULL || after->cors == NULL) {
        if (after->cors == NULL)
            differ_changed(d, DIFF_CORS, subject, SLICE_NONE, policy, backend, origin);
        else
            differ_changed(d, DIFF_CORS, subject, SLICE_NONE, backend, policy, origin);
    }
    differ_members(d, &snapshot_cors, before->cors != NULL ? before->cors : &nothing,
                   after->cors != NULL ? after->cors : &nothing, special, DIFF_CORS, subject,
                   origin);
}

static void compare_api(struct differ *d, const struct gw_api *before, const struct gw_api *after)
{
    static const char *const special[] = {"resources", "cors", NULL};
    struct diff_change *change;
    struct slice subject;
    size_t already;

    /* Most APIs of a build are as they were: no text is made for those. */
    if (before != NULL && after != NULL) {
        enum diff_equal equal = diff_object_equal(&snapshot_api, before, after);

        d->moved = d->moved || equal == DIFF_MOVED;
        if (equal != DIFF_DIFFERENT)
            return;
    }
    d->api = after != NULL ? after : before;
    already = d->out->n;
    subject = differ_text(d, api_subject(d, d->api));
    if (d->rc == CC_OK && before != NULL && after != NULL) {
        differ_members(d, &snapshot_api, before, after, special, DIFF_API, subject, after->origin);
        compare_cors(d, before, after, subject);
        compare_resources(d, before, after);
    } else if (d->rc == CC_OK && after != NULL) {
        change = differ_add(d, DIFF_ADDED, DIFF_API, subject, after->origin);
        if (change != NULL)
            change->after = api_text(d, after);
    } else if (d->rc == CC_OK) {
        change = differ_add(d, DIFF_REMOVED, DIFF_API, subject, before->origin);
        if (change != NULL)
            change->before = api_text(d, before);
    }
    /* Different, and nothing to tell: another order. */
    d->moved = d->moved || d->out->n == already;
    d->api = NULL;
}

void differ_apis(struct differ *d, const struct gw_model *before, const struct gw_model *after)
{
    struct diff_list old = {before->apis, before->n_apis, sizeof(*before->apis)};
    struct diff_list new = {after->apis, after->n_apis, sizeof(*after->apis)};
    struct diff_pair *pairs;
    size_t n;

    d->rc = diff_pair_up(old, new, by_base_path, by_name, d->out->arena, &pairs, &n);
    for (size_t i = 0; d->rc == CC_OK && i < n; i++)
        compare_api(d, pairs[i].before, pairs[i].after);
}
