/* project: who the gateway is to endpoints: securityConfig of the document, endpoint_security of
 * api.yaml (api-projects 2.2, 3.3), and the environment.
 *
 * No finding stands at a password, and diag hides the rest of a line behind that word. */
#include "generator/project_internal.h"

#include "crypto/crypto.h"

#include <stdlib.h>

enum { TEXT_MAX = 512 }; /* of a user name or password; GW_IDENTITY_MAX has room for both */

/* A declaration of credentials on its way. */
struct declaration {
    struct project *p;
    const struct doc *doc;
    const struct doc_node *map;
    const char *what; /* "securityConfig" */
    bool any_case;    /* api.yaml's rule for keys */
};

static const struct doc_node *get(const struct declaration *d, const char *key)
{
    return d->any_case ? doc_get_nocase(d->map, key) : doc_get(d->map, key);
}

static bool is_set(const struct doc_node *node)
{
    return node != NULL && node->type != DOC_NULL;
}

/* --- texts ----------------------------------------------------------------------------------- */

/* Projects come from many hands, and what they say goes to endpoints of their choice: they may name
 * variables that are meant for them, and not those of the program. */
static bool may_be_read(struct slice name)
{
    if (name.n <= 4 || name.n > 255 || !slice_eq_nocase(slice_first(name, 4), SLICE("api_")))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && name.p[i] != '_')
            return false;
    }
    return true;
}

static const char *variable(struct slice name)
{
    char room[256];

    memcpy(room, name.p, name.n);
    room[name.n] = '\0';
    return getenv(room);
}

/* Adds the variable of a text that begins behind "$env{", and moves the text behind it. */
static bool add_variable(const struct declaration *d, struct slice *text, struct buf *out)
{
    ptrdiff_t end = slice_find(*text, '}');
    struct slice name = slice_first(*text, end > 0 ? (size_t)end : 0);
    const char *value;

    if (!may_be_read(name)) {
        diag_help(diag_error(d->p->build->diag, CC2402, doc_place(d->doc, d->map),
                             "%s: $env{%" PRIslice "} is no variable that a project may read",
                             d->what, SLICE_ARG(slice_first(name, 64))),
                  "the names of those begin with api_ or API_: $env{API_ORDERS_PASSWORD}");
        return false;
    }
    *text = slice_from(*text, name.n + 1);
    value = variable(name);
    if (value == NULL) {
        diag_help(diag_error(d->p->build->diag, CC2402, doc_place(d->doc, d->map),
                             "%s: the environment variable %" PRIslice " is not set", d->what,
                             SLICE_ARG(name)),
                  "set it for cc-gen, even if to nothing");
        return false;
    }
    buf_add_str(out, value);
    return true;
}

/* `text` with its $env{NAME}. */
static bool expand(const struct declaration *d, struct slice text, struct buf *out)
{
    static const struct slice begin = SLICE_INIT("$env{");

    while (text.n > 0) {
        if (slice_starts(text, begin)) {
            text = slice_from(text, begin.n);
            if (!add_variable(d, &text, out))
                return false;
        } else {
            buf_add_char(out, text.p[0]);
            text = slice_from(text, 1);
        }
    }
    return true;
}

/* The user name or password, with its variables: empty where there is none, since a variable of the
 * contract may stand above it (overridden()); is_usable() has the last word. False after a finding.
 */
static bool read_text(const struct declaration *d, const char *key, struct slice *out)
{
    const struct doc_node *node = get(d, key);
    struct place place = doc_place(d->doc, d->map);
    struct slice text = SLICE_NONE;
    char room[TEXT_MAX + 1];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    *out = SLICE("");
    if (!is_set(node))
        return true;
    if (doc_text(d->doc, node, key, d->p->build->diag, &text) != CC_OK || !expand(d, text, &b))
        return false;
    if (buf_error(&b) == CC_EFULL) {
        diag_error(d->p->build->diag, CC2401, place, "%s: the %s is longer than %d bytes", d->what,
                   key, TEXT_MAX);
        return false;
    }
    if (slice_has_control(buf_slice(&b))) {
        diag_error(d->p->build->diag, CC1205, place,
                   "%s: the %s contains a line break or another control character", d->what, key);
        return false;
    }
    *out = arena_dup(d->p->build->arena, buf_slice(&b));
    if (out->p == NULL)
        d->p->build->rc = CC_ENOMEM;
    return out->p != NULL;
}

static const struct project_basic *read_basic(const struct declaration *d)
{
    struct project_basic *basic = project_alloc(d->p->build, 1, sizeof(*basic));
    bool good;

    if (basic == NULL)
        return NULL;
    *basic = (struct project_basic){.what = d->what, .place = doc_place(d->doc, d->map)};
    good = read_text(d, "username", &basic->user);
    good = read_text(d, "password", &basic->password) && good;
    return good ? basic : NULL;
}

static bool is_basic(const struct declaration *d)
{
    const struct doc_node *type = get(d, "type");
    struct slice text = SLICE_NONE;

    if (!is_set(type)) {
        diag_help(diag_error(d->p->build->diag, CC1202, doc_place(d->doc, d->map), "%s has no type",
                             d->what),
                  "write type: BASIC");
        return false;
    }
    if (doc_text(d->doc, type, "type", d->p->build->diag, &text) != CC_OK)
        return false;
    if (slice_eq_nocase(text, SLICE("BASIC")))
        return true;
    diag_help(diag_error(d->p->build->diag, CC2400, doc_place(d->doc, type),
                         "%s: credentials of type \"%" PRIslice "\" cannot be sent", d->what,
                         SLICE_ARG(slice_first(text, 64))),
              "BASIC is supported; calling the endpoint without what it asks for would not be what "
              "is meant");
    return false;
}

/* What it declares into *out: NULL when it is not enabled. False after a finding. */
static bool read_declaration(const struct declaration *d, bool enabled,
                             const struct project_basic **out)
{
    const struct doc_node *node = get(d, "enabled");

    *out = NULL;
    if (!doc_is_map(d->doc, d->map, d->what, d->p->build->diag) ||
        (is_set(node) && doc_bool(d->doc, node, "enabled", d->p->build->diag, &enabled) != CC_OK))
        return false;
    if (!enabled)
        return true;
    if (!is_basic(d))
        return false;
    *out = read_basic(d);
    return *out != NULL;
}

bool project_read_security_config(struct project *p, const struct doc_node *map,
                                  struct project_endpoints *out)
{
    static const char *const known[] = {"enabled", "type", "username", "password",
                                        "customparameters"};
    struct declaration d = {.p = p, .doc = p->openapi, .map = map, .what = "securityConfig"};

    if (map->type == DOC_MAP)
        project_check_members(p, map, d.what, known, sizeof(known) / sizeof(known[0]));
    out->has_credential = true;
    return read_declaration(&d, true, &out->basic);
}

static const struct project_basic *configured(struct project *p, enum project_environment env)
{
    const char *key = env == PROJECT_SANDBOX ? "sandbox" : "production";
    const struct doc_node *map =
        doc_get_nocase(doc_get_nocase(p->api.endpoint_config, "endpoint_security"), key);
    struct declaration d = {.p = p,
                            .doc = p->api_doc,
                            .map = map,
                            .what = env == PROJECT_SANDBOX ? "endpoint_security.sandbox"
                                                           : "endpoint_security.production",
                            .any_case = true};

    const struct project_basic *basic = NULL;

    if (is_set(map))
        (void)read_declaration(&d, false, &basic);
    return basic;
}

/* --- what is sent ---------------------------------------------------------------------------- */

/* The variable that stands above all for this user name or password (api-projects 5.4), if it is
 * set: api_ and the SHA-1 of "name:version", _prod_basic_username. */
static struct slice overridden(struct project *p, enum project_environment env, const char *key,
                               struct slice text)
{
    struct slice api = arena_printf(p->build->arena, "%" PRIslice ":%" PRIslice,
                                    SLICE_ARG(p->api.name), SLICE_ARG(p->api.version));
    char hex[41], name[128];
    const char *value;

    if (api.p == NULL || crypto_sha1_hex(api, hex) != CC_OK) {
        p->build->rc = CC_ENOMEM;
        return text;
    }
    snprintf(name, sizeof(name), "api_%s_%s_basic_%s", hex,
             env == PROJECT_SANDBOX ? "sand" : "prod", key);
    value = getenv(name);
    return value != NULL && value[0] != '\0' ? slice_of(value) : text;
}

static const char *fault_of(struct slice user, struct slice password)
{
    if (user.n == 0)
        return "the user name is empty or absent";
    if (slice_find(user, ':') >= 0)
        return "the user name has a colon";
    if (user.n > TEXT_MAX || password.n > TEXT_MAX)
        return "it is longer than 512 bytes"; /* here and below: a variable's */
    if (slice_has_control(user) || slice_has_control(password))
        return "it has a control character";
    return NULL;
}

static bool is_usable(struct project *p, const struct project_basic *basic, struct slice user,
                      struct slice password)
{
    const char *fault = fault_of(user, password);

    if (fault != NULL)
        diag_help(diag_error(p->build->diag, CC2401, basic->place, "%s: %s", basic->what, fault),
                  user.n == 0 ? "write username: TEXT, or username: $env{API_NAME}"
                              : "in Basic authentication the first colon ends the user name (RFC "
                                "7617)");
    else if (password.n == 0)
        diag_help(diag_warning(p->build->diag, CC2401, basic->place,
                               "%s: the password is empty or absent", basic->what),
                  "API Manager exports projects without passwords; write password: "
                  "$env{API_NAME}");
    return fault == NULL;
}

/* Basic (RFC 7617 2): user-id ":" password, in base64. */
static const struct gw_identity *make_credential(struct project_build *build, struct slice user,
                                                 struct slice password, struct place origin)
{
    struct gw_identity *c = project_alloc(build, 1, sizeof(*c)), **slot;
    struct slice pair = arena_printf(build->arena, "%" PRIslice ":%" PRIslice, SLICE_ARG(user),
                                     SLICE_ARG(password));
    char room[GW_IDENTITY_MAX + 1];
    struct buf value;

    buf_init_fixed(&value, room, sizeof(room));
    buf_add_str(&value, "Basic ");
    base64_encode(pair, &value);
    CC_ASSERT(buf_error(&value) == CC_OK);
    slot = project_list_add(build, &build->credentials, sizeof(*slot));
    if (c == NULL || slot == NULL || pair.p == NULL)
        goto no_memory;
    *c = (struct gw_identity){arena_dup(build->arena, user),
                              arena_dup(build->arena, buf_slice(&value)), origin};
    *slot = c;
    if (c->user.p != NULL && c->authorization.p != NULL)
        return c;
no_memory:
    build->rc = CC_ENOMEM;
    return NULL;
}

static const struct gw_identity *identity(struct project *p, enum project_environment env,
                                          const struct project_basic *basic)
{
    struct slice user, password;

    if (basic == NULL)
        return NULL;
    user = overridden(p, env, "username", basic->user);
    password = overridden(p, env, "password", basic->password);
    if (p->build->rc != CC_OK || !is_usable(p, basic, user, password))
        return NULL;
    return make_credential(p->build, user, password, basic->place);
}

const struct gw_identity *project_credential(struct project *p, enum project_environment env,
                                             const struct project_endpoints *e)
{
    const struct project_endpoints *above = &p->defaults[env];

    if (e->has_credential && e != above)
        return identity(p, env, e->basic);
    if (!p->identity[env].known) {
        p->identity[env].known = true;
        p->identity[env].identity =
            identity(p, env, above->has_credential ? above->basic : configured(p, env));
    }
    return p->identity[env].identity;
}

/* --- where they go --------------------------------------------------------------------------- */

static bool is_this_machine(struct slice host)
{
    return slice_is(host, "localhost") || slice_is(host, "::1") ||
           slice_starts(host, SLICE("127."));
}

static bool has_host(const struct gw_cluster *cluster, struct slice host)
{
    for (size_t i = 0; i < cluster->n_endpoints; i++) {
        if (slice_eq(cluster->endpoints[i].host, host))
            return true;
    }
    return false;
}

void project_check_credential(struct project *p, const struct gw_identity *credential,
                              const struct gw_cluster *cluster, const struct gw_cluster *api)
{
    for (size_t i = 0; credential != NULL && cluster != NULL && i < cluster->n_endpoints; i++) {
        const struct gw_endpoint *e = &cluster->endpoints[i];

        if (!e->tls && !is_this_machine(e->host))
            diag_help(diag_warning(p->build->diag, CC2404, credential->origin,
                                   "the password goes to http://%" PRIslice ":%u in clear text",
                                   SLICE_ARG(e->host), e->port),
                      "whoever is on the way can read it; use https://");
        if (api != NULL && !has_host(api, e->host))
            diag_help(diag_warning(p->build->diag, CC2403, e->origin,
                                   "this endpoint of a path gets the credentials of the API, "
                                   "although it is on another host"),
                      "write a securityConfig beside its urls: its own credentials, or "
                      "{enabled: false} for none");
    }
}

/* --- the finished list ----------------------------------------------------------------------- */

static int compare_credentials(const void *a, const void *b)
{
    const struct gw_identity *x = a, *y = b;
    int order = slice_cmp(slice_of(x->origin.source->name), slice_of(y->origin.source->name));

    if (order == 0)
        order = (x->origin.line > y->origin.line) - (x->origin.line < y->origin.line);
    if (order == 0)
        order = (x->origin.col > y->origin.col) - (x->origin.col < y->origin.col);
    /* two environments may share one declaration (x-wso2-endpoints) and differ by variables */
    if (order == 0)
        order = slice_cmp(x->authorization, y->authorization);
    return order;
}

static const struct gw_identity *final_credential(const struct gw_model *model,
                                                  const struct gw_identity *c)
{
    if (c == NULL)
        return NULL;
    return bsearch(c, model->identities, model->n_identities, sizeof(*c), compare_credentials);
}

void project_credentials_finish(struct project_build *build, struct gw_model *model)
{
    const struct project_list *list = &build->credentials;
    struct gw_identity *const *items = list->items;
    struct gw_identity *all = project_alloc(build, list->n, sizeof(*all));
    const struct gw_identity ***references = build->identity_references.items;
    struct gw_api *apis = build->apis.items;
    size_t n = 0;

    if (all == NULL)
        return;
    for (size_t i = 0; i < list->n; i++)
        all[i] = *items[i];
    if (list->n > 0)
        qsort(all, list->n, sizeof(*all), compare_credentials);
    for (size_t i = 0; i < list->n; i++) {
        if (n == 0 || compare_credentials(&all[n - 1], &all[i]) != 0)
            all[n++] = all[i];
    }
    model->identities = all;
    model->n_identities = n;
    for (size_t i = 0; i < build->apis.n; i++) {
        struct gw_api *api = &apis[i];

        api->production_identity = final_credential(model, api->production_identity);
        api->sandbox_identity = final_credential(model, api->sandbox_identity);
    }
    for (size_t i = 0; i < build->identity_references.n; i++)
        *references[i] = final_credential(model, *references[i]);
}
