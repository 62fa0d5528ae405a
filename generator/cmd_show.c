/* cc-gen show: what is in effect, as tables. */
#include "generator/access.h"
#include "generator/show_limits.h"
#include "generator/show_subs.h"
#include "generator/subscriptions.h"
#include "generator/table.h"
#include "generator/view.h"

#include "gateway/snapshot_schema.h"

enum { CELL_MAX = 1 << 20 };

/* Texts of cells are made in one buffer and kept in the arena. */
struct shower {
    struct view view;
    struct table table;
    struct buf cell;
    struct subs *subs; /* of topics that show it; NULL: none */
};

/* Takes what was written into s->cell. */
static struct slice take(struct shower *s)
{
    struct slice text = SLICE_NONE;

    if (buf_error(&s->cell) == CC_OK)
        text = arena_dup(s->view.work.arena, s->cell.n > 0 ? buf_slice(&s->cell) : SLICE(""));
    if (text.p == NULL)
        s->table.error = CC_ENOMEM;
    buf_reset(&s->cell);
    return text;
}

static struct slice origin(struct shower *s, struct place place)
{
    view_add_place(&s->cell, place);
    return take(s);
}

/* Before an element of a list. */
static void separate(struct buf *b)
{
    if (b->n > 0)
        buf_add_str(b, ", ");
}

/* --- apis --------------------------------------------------------------------------------------
 */

static const struct table_column api_columns[] = {
    {"vhost", TABLE_TEXT},   {"base path", TABLE_TEXT},   {"name", TABLE_TEXT},
    {"version", TABLE_TEXT}, {"resources", TABLE_NUMBER}, {"token header", TABLE_TEXT},
    {"cluster", TABLE_TEXT}, {"sandbox", TABLE_TEXT},     {"id", TABLE_TEXT},
    {"origin", TABLE_TEXT},  {NULL, TABLE_TEXT},
};

/* "" when there is none. */
static struct slice cluster_name(const struct gw_cluster *own, const struct gw_cluster *api)
{
    const struct gw_cluster *c = own != NULL ? own : api;

    return c != NULL ? c->name : SLICE("");
}

static void show_apis(struct shower *s)
{
    const struct gw_model *m = s->view.model;

    for (size_t i = 0; i < m->n_apis; i++) {
        const struct gw_api *api = &m->apis[i];
        struct slice *row = table_row(&s->table);

        if (row == NULL)
            return;
        row[0] = api->vhost;
        row[1] = api->base_path.n > 0 ? api->base_path : SLICE("/");
        row[2] = api->name;
        row[3] = api->version;
        buf_add_u64(&s->cell, api->n_resources);
        row[4] = take(s);
        row[5] = api->auth_header;
        row[6] = api->mock ? SLICE("mock") : cluster_name(api->production, NULL);
        row[7] = api->mock ? SLICE("mock") : cluster_name(api->sandbox, NULL);
        row[8] = api->id;
        row[9] = origin(s, api->origin);
    }
}

/* --- routes ------------------------------------------------------------------------------------
 */

static const struct table_column route_columns[] = {
    {"vhost", TABLE_TEXT},   {"path", TABLE_TEXT},    {"methods", TABLE_LIST},
    {"cluster", TABLE_TEXT}, {"sandbox", TABLE_TEXT}, {"origin", TABLE_TEXT},
    {NULL, TABLE_TEXT},
};

static struct slice full_path(struct shower *s, const struct gw_api *api,
                              const struct gw_resource *resource)
{
    buf_add(&s->cell, api->base_path);
    buf_add(&s->cell, resource->template);
    return take(s);
}

static void show_routes(struct shower *s)
{
    const struct gw_model *m = s->view.model;

    for (size_t i = 0; i < m->n_apis; i++) {
        for (size_t k = 0; k < m->apis[i].n_resources; k++) {
            const struct gw_resource *r = &m->apis[i].resources[k];
            struct slice *row = table_row(&s->table);

            if (row == NULL)
                return;
            row[0] = m->apis[i].vhost;
            row[1] = full_path(s, &m->apis[i], r);
            for (size_t n = 0; n < r->n_operations; n++) {
                separate(&s->cell);
                buf_add_str(&s->cell, gw_method_name(r->operations[n].method));
            }
            row[2] = take(s);
            row[3] = m->apis[i].mock ? SLICE("mock")
                                     : cluster_name(r->production, m->apis[i].production);
            row[4] = m->apis[i].mock ? SLICE("mock") : cluster_name(r->sandbox, m->apis[i].sandbox);
            row[5] = origin(s, r->origin);
        }
    }
}

/* --- auth --------------------------------------------------------------------------------------
 */

static const struct table_column auth_columns[] = {
    {"vhost", TABLE_TEXT}, {"method", TABLE_TEXT}, {"path", TABLE_TEXT}, {"access", TABLE_TEXT},
    {"needs", TABLE_LIST}, {"origin", TABLE_TEXT}, {NULL, TABLE_TEXT},
};

/* What lets in, unless any token does. */
static void add_alternatives(struct shower *s, const struct gw_operation *op)
{
    struct slice *texts;
    size_t n;

    if (access_alternatives(op, s->view.work.arena, &texts, &n) != CC_OK)
        s->table.error = CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        separate(&s->cell);
        buf_add(&s->cell, texts[i]);
    }
}

static void show_operation(struct shower *s, const struct gw_api *api,
                           const struct gw_resource *resource, const struct gw_operation *op)
{
    struct slice *row = table_row(&s->table);

    if (row == NULL)
        return;
    row[0] = api->vhost;
    row[1] = slice_of(gw_method_name(op->method));
    row[2] = full_path(s, api, resource);
    if (!op->open && !op->closed)
        add_alternatives(s, op);
    row[4] = take(s);
    row[3] = op->closed      ? SLICE("closed")
             : op->open      ? SLICE("open")
             : row[4].n == 0 ? SLICE("any token")
                             : SLICE("one of");
    row[5] =
        origin(s, op->n_requirements > 0 && !op->open ? op->requirements[0].origin : op->origin);
}

static void show_auth(struct shower *s)
{
    const struct gw_model *m = s->view.model;

    for (size_t i = 0; i < m->n_apis; i++)
        for (size_t k = 0; k < m->apis[i].n_resources; k++)
            for (size_t n = 0; n < m->apis[i].resources[k].n_operations; n++)
                show_operation(s, &m->apis[i], &m->apis[i].resources[k],
                               &m->apis[i].resources[k].operations[n]);
}

/* --- interceptors ------------------------------------------------------------------------------
 */

static const struct table_column interceptor_columns[] = {
    {"vhost", TABLE_TEXT},       {"method", TABLE_TEXT}, {"path", TABLE_TEXT},
    {"asked about", TABLE_TEXT}, {"told", TABLE_LIST},   {"cluster", TABLE_TEXT},
    {"origin", TABLE_TEXT},      {NULL, TABLE_TEXT},
};

static void add_told(struct buf *b, const struct gw_interceptor *x)
{
    const struct {
        const char *name;
        bool told;
    } all[] = {
        {"request_headers", x->request_headers},      {"request_body", x->request_body},
        {"request_trailers", x->request_trailers},    {"response_headers", x->response_headers},
        {"response_body", x->response_body},          {"response_trailers", x->response_trailers},
        {"invocation_context", x->invocation_context}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (!all[i].told)
            continue;
        separate(b);
        buf_add_str(b, all[i].name);
    }
}

static void show_interceptor(struct shower *s, const struct gw_api *api,
                             const struct gw_resource *resource, const struct gw_operation *op,
                             const struct gw_interceptor *x)
{
    struct slice *row = table_row(&s->table);

    if (row == NULL)
        return;
    row[0] = api->vhost;
    row[1] = slice_of(gw_method_name(op->method));
    row[2] = full_path(s, api, resource);
    row[3] = x->response ? SLICE("answers") : SLICE("requests");
    add_told(&s->cell, x);
    row[4] = take(s);
    row[5] = x->cluster->name;
    row[6] = origin(s, x->origin);
}

static void show_interceptors(struct shower *s)
{
    const struct gw_model *m = s->view.model;

    for (size_t i = 0; i < m->n_apis; i++) {
        for (size_t k = 0; k < m->apis[i].n_resources; k++) {
            const struct gw_resource *r = &m->apis[i].resources[k];

            for (size_t n = 0; n < r->n_operations; n++)
                for (size_t x = 0; x < r->operations[n].n_interceptors; x++)
                    show_interceptor(s, &m->apis[i], r, &r->operations[n],
                                     &r->operations[n].interceptors[x]);
        }
    }
}

/* --- clusters ----------------------------------------------------------------------------------
 */

static const struct table_column cluster_columns[] = {
    {"name", TABLE_TEXT},    {"endpoints", TABLE_LIST}, {"options", TABLE_LIST},
    {"used by", TABLE_LIST}, {"origin", TABLE_TEXT},    {NULL, TABLE_TEXT},
};

/* Members that have a place of their own in the table. */
static bool is_shown(const char *name)
{
    static const char *const names[] = {"name", "host", "port", "tls", "path", "origin"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static void add_texts(struct buf *b, const struct snapshot_field *f, const void *object)
{
    const struct slice *texts;
    size_t n;

    memcpy(&texts, (const char *)object + f->offset, sizeof(texts));
    memcpy(&n, (const char *)object + f->count_offset, sizeof(n));
    if (n == 0)
        return;
    separate(b);
    buf_printf(b, "%s=", f->name);
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%" PRIslice, i > 0 ? "+" : "", SLICE_ARG(texts[i]));
}

static void add_option(struct buf *b, const struct snapshot_field *f, const void *object)
{
    const void *at = (const char *)object + f->offset;
    uint64_t number = 0;

    if (f->type == SNAPSHOT_TEXTS) {
        add_texts(b, f, object);
        return;
    }
    if (f->type == SNAPSHOT_TEXT) {
        struct slice text = *(const struct slice *)at;

        if (text.n == 0)
            return;
        separate(b);
        buf_printf(b, "%s=%" PRIslice, f->name, SLICE_ARG(text));
        return;
    }
    if (f->type == SNAPSHOT_BOOL)
        number = *(const bool *)at;
    else if (f->type == SNAPSHOT_UNSIGNED)
        number = *(const unsigned *)at;
    else if (f->type == SNAPSHOT_INT)
        number = *(const uint64_t *)at;
    if (number == 0)
        return;
    separate(b);
    if (f->type == SNAPSHOT_BOOL)
        buf_add_str(b, f->name);
    else
        buf_printf(b, "%s=%llu", f->name, (unsigned long long)number);
}

/* What the snapshot's tables say of a cluster or an endpoint besides: so a new member is shown as
 * soon as it is in the snapshot. */
static void add_options(struct buf *b, const struct snapshot_schema *schema, const void *object)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (!is_shown(schema->fields[i].name))
            add_option(b, &schema->fields[i], object);
    }
}

static const struct snapshot_schema *endpoint_schema(void)
{
    for (size_t i = 0; i < snapshot_cluster.n_fields; i++) {
        if (strcmp(snapshot_cluster.fields[i].name, "endpoints") == 0)
            return snapshot_cluster.fields[i].of;
    }
    return NULL;
}

static struct slice endpoint_text(struct shower *s, const struct gw_endpoint *e)
{
    const struct snapshot_schema *schema = endpoint_schema();
    struct slice options = SLICE_NONE;

    if (schema != NULL) {
        add_options(&s->cell, schema, e);
        options = take(s);
    }
    view_add_endpoint(&s->cell, e);
    if (options.n > 0)
        buf_printf(&s->cell, " (%" PRIslice ")", SLICE_ARG(options));
    return take(s);
}

static struct slice endpoints_text(struct shower *s, const struct gw_cluster *c)
{
    struct slice *texts = arena_array(s->view.work.arena, c->n_endpoints, sizeof(*texts));

    if (texts == NULL)
        return SLICE_NONE;
    for (size_t i = 0; i < c->n_endpoints; i++)
        texts[i] = endpoint_text(s, &c->endpoints[i]);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        separate(&s->cell);
        buf_add(&s->cell, texts[i]);
    }
    return take(s);
}

static bool intercepts(const struct gw_resource *r, const struct gw_cluster *c)
{
    for (size_t i = 0; i < r->n_operations; i++)
        for (size_t k = 0; k < r->operations[i].n_interceptors; k++)
            if (r->operations[i].interceptors[k].cluster == c)
                return true;
    return false;
}

static bool uses(const struct gw_api *api, const struct gw_cluster *c)
{
    bool found = api->production == c || api->sandbox == c;

    for (size_t i = 0; i < api->n_named && !found; i++)
        found = api->named[i].cluster == c;
    for (size_t i = 0; i < api->n_resources && !found; i++)
        found = api->resources[i].production == c || api->resources[i].sandbox == c ||
                intercepts(&api->resources[i], c);
    return found;
}

static struct slice users_text(struct shower *s, const struct gw_cluster *c)
{
    const struct gw_model *m = s->view.model;

    for (size_t i = 0; i < m->n_apis; i++) {
        if (!uses(&m->apis[i], c))
            continue;
        separate(&s->cell);
        buf_add(&s->cell, m->apis[i].vhost);
        buf_add(&s->cell, m->apis[i].base_path.n > 0 ? m->apis[i].base_path : SLICE("/"));
    }
    return take(s);
}

static void show_clusters(struct shower *s)
{
    const struct gw_model *m = s->view.model;

    for (size_t i = 0; i < m->n_clusters; i++) {
        const struct gw_cluster *c = &m->clusters[i];
        struct slice *row = table_row(&s->table);

        if (row == NULL)
            return;
        row[0] = c->name;
        row[1] = endpoints_text(s, c);
        add_options(&s->cell, &snapshot_cluster, c);
        row[2] = take(s);
        row[3] = users_text(s, c);
        row[4] = origin(s, c->endpoints[0].origin);
    }
}

/* --- settings ----------------------------------------------------------------------------------
 */

static const struct table_column setting_columns[] = {
    {"setting", TABLE_TEXT},
    {"value", TABLE_TEXT},
    {"origin", TABLE_TEXT},
    {NULL, TABLE_TEXT},
};

/* False when there is no such setting: an element that the list does not have. */
static bool show_setting(struct shower *s, const char *name)
{
    const struct config *c = s->view.work.config;
    struct slice value, *row;

    if (!config_value(c, name, &s->cell)) {
        buf_reset(&s->cell);
        return false;
    }
    value = take(s);
    row = table_row(&s->table);
    if (row == NULL)
        return false;
    row[0] = arena_dup(s->view.work.arena, slice_of(name));
    row[1] = value;
    if (config_origin(c, name, &s->cell))
        row[2] = take(s);
    return true;
}

/* Settings `from` to `to`, which are of the elements of one list, element by element. */
static void show_list(struct shower *s, const struct config_setting *settings, size_t from,
                      size_t to)
{
    bool found = true;

    for (unsigned element = 0; found; element++) {
        found = false;
        for (size_t i = from; i < to; i++) {
            const char *mark = strstr(settings[i].name, "[]");
            struct slice name =
                arena_printf(s->view.work.arena, "%.*s[%u]%s", (int)(mark - settings[i].name),
                             settings[i].name, element, mark + 2);

            found = (name.p != NULL && show_setting(s, name.p)) || found;
        }
    }
}

static void show_settings(struct shower *s)
{
    size_t n;
    const struct config_setting *settings = config_settings(&n);

    for (size_t i = 0; i < n;) {
        const char *mark = strstr(settings[i].name, "[]");
        size_t end = i + 1;

        if (mark == NULL) {
            show_setting(s, settings[i++].name);
            continue;
        }
        while (end < n && strncmp(settings[end].name, settings[i].name,
                                  (size_t)(mark - settings[i].name) + 2) == 0)
            end++;
        show_list(s, settings, i, end);
        i = end;
    }
}

/* ------------------------------------------------------------------------------------------------
 */

static const struct topic {
    const char *name;
    const struct table_column *columns;
    void (*show)(struct shower *s);
    bool config_only;
    /* instead of `show`: of throttling, of subscription files */
    void (*show_model)(struct table *table, const struct gw_model *model, struct arena *arena);
    void (*show_subs)(struct table *table, const struct subs *store, struct arena *arena);
} topics[] = {
    {"apis", api_columns, show_apis, false, NULL, NULL},
    {"routes", route_columns, show_routes, false, NULL, NULL},
    {"auth", auth_columns, show_auth, false, NULL, NULL},
    {"limits", limit_columns, NULL, false, show_limits, NULL},
    {"policies", policy_columns, NULL, false, show_policies, NULL},
    {"deny-rules", deny_rule_columns, NULL, false, show_deny_rules, NULL},
    {"interceptors", interceptor_columns, show_interceptors, false, NULL, NULL},
    {"clusters", cluster_columns, show_clusters, false, NULL, NULL},
    {"settings", setting_columns, show_settings, true, NULL, NULL},
    {"applications", application_columns, NULL, true, NULL, show_applications},
    {"consumer-keys", consumer_key_columns, NULL, true, NULL, show_consumer_keys},
    {"subscriptions", subscription_columns, NULL, true, NULL, show_subscriptions},
};

static const struct topic *find_topic(const char *word)
{
    const char *names[sizeof(topics) / sizeof(topics[0])];
    const char *near;

    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        names[i] = topics[i].name;
        if (strcmp(word, topics[i].name) == 0)
            return &topics[i];
    }
    near = nearest_word(slice_of(word), names, sizeof(topics) / sizeof(topics[0]));
    cli_say("show: '%s' is nothing to show; %s%s%s", word,
            near != NULL
                ? "did you mean "
                : "there are apis, routes, auth, limits, policies, deny-rules, interceptors, "
                  "clusters, settings, applications, consumer-keys and subscriptions",
            near != NULL ? near : "", near != NULL ? "?" : "");
    return NULL;
}

static int open_view(struct shower *s, const struct cli_args *args, const struct topic *topic)
{
    int rc;

    if (!topic->config_only)
        return view_open(&s->view, args, args->words + 1, args->n_words - 1);
    rc = cmd_work_open(&s->view.work);
    if (rc == CC_OK)
        rc = cmd_load_config(&s->view.work, args, NULL, 0);
    if (rc == CC_OK && topic->show_subs != NULL)
        rc = subscriptions_read(&s->subs, cli_value(args, "subscriptions"), s->view.work.config,
                                s->view.work.arena, s->view.work.diag);
    return rc;
}

static int print_table(struct shower *s, const struct cli_args *args, const struct topic *topic)
{
    int rc;

    table_init(&s->table, topic->columns, s->view.work.arena);
    buf_init(&s->cell, CELL_MAX);
    if (topic->show_subs != NULL)
        topic->show_subs(&s->table, s->subs, s->view.work.arena);
    else if (topic->show_model != NULL)
        topic->show_model(&s->table, s->view.model, s->view.work.arena);
    else
        topic->show(s);
    rc = s->table.error;
    if (rc == CC_OK && cli_has(args, "json"))
        rc = table_print_json(&s->table, topic->name, stdout);
    else if (rc == CC_OK)
        table_print(&s->table, stdout);
    buf_free(&s->cell);
    return rc;
}

static const char *misused(const struct cli_args *args, const struct topic *topic)
{
    bool dirs = args->n_words > 1;

    if (cli_has(args, "subscriptions") && topic->show_subs == NULL)
        return "--subscriptions is for applications, consumer-keys and subscriptions";
    if (topic->config_only)
        return dirs || cli_has(args, "output")
                   ? "settings and subscriptions come from -c, the environment and --set, not from "
                     "projects or -o"
                   : NULL;
    if (dirs && cli_has(args, "output"))
        return "-o and project directories are two places to look at: give one of them";
    if (!dirs && (cli_has(args, "config") || cli_has(args, "set")))
        return "-c and --set are for project directories; what was built has its settings";
    return NULL;
}

int cmd_show(const struct cli_args *args)
{
    const struct topic *topic = find_topic(args->words[0]);
    const char *fault = topic != NULL ? misused(args, topic) : "";
    struct shower s;
    int rc;

    if (fault != NULL) {
        if (fault[0] != '\0')
            cli_say("show: %s", fault);
        fputs("  try: cc-gen help show\n", stderr);
        return CLI_USAGE;
    }
    memset(&s, 0, sizeof(s));
    rc = open_view(&s, args, topic);
    if (rc == CC_OK)
        rc = print_table(&s, args, topic);
    if (s.view.work.diag != NULL && diag_errors(s.view.work.diag) > 0)
        cmd_print_findings(&s.view.work, stderr);
    subs_unref(&s.subs);
    view_close(&s.view);
    return cmd_exit_code(rc == CC_OK || rc == CC_ENOMEM ? rc : CC_EINVAL);
}
