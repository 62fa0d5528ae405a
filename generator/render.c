#include "generator/render.h"

#include "generator/render_row.h"
#include "generator/render_values.h"
#include "generator/template.h"
#include "generator/templates.h"

enum {
    RENDER_MAX_BYTES = 64 << 20,
    RENDER_MAX_MOCK_HEADERS = 200 /* a rule each, for every answer of a mock API */
};

/* What is rendered from what. */
static const struct {
    const char *template, *name;
} render_files[] = {
    {"cc.cfg.tmpl", "haproxy/cc.cfg"},
    {"cc-spoe.conf.tmpl", "haproxy/cc-spoe.conf"},
    {"standalone.cfg.tmpl", "haproxy/standalone.cfg"},
};

enum { N_RENDER_FILES = sizeof(render_files) / sizeof(render_files[0]), N_LINKS = 6 };
enum { N_LISTS = 3 }; /* of proxies, faults and Redis servers */
enum { MAX_FILES = N_RENDER_FILES + RENDER_ERROR_FILES + N_LINKS + N_LISTS };

struct render {
    const char *templates;
    struct arena *arena;
    struct diag *diag;
    struct template_row root;
};

static const char *embedded(const char *name)
{
    const struct template_file *f = template_files;

    while (f->name != NULL && strcmp(f->name, name) != 0)
        f++;
    CC_ASSERT(f->name != NULL);
    return f->text;
}

/* The operator's template when there is one, else the embedded one. */
static int load_template(const struct render *r, const char *name, struct source **out)
{
    struct source *source = arena_alloc(r->arena, sizeof(*source));
    int rc = CC_ENOENT;

    if (source == NULL)
        return CC_ENOMEM;
    if (r->templates != NULL) {
        struct slice path = arena_printf(r->arena, "%s/%s", r->templates, name);

        if (path.p == NULL)
            return CC_ENOMEM;
        source->name = path.p;
        rc = file_read(r->arena, path.p, TEMPLATE_MAX_BYTES, &source->text);
    }
    if (rc == CC_ENOENT) {
        source->name = name;
        source->text = slice_of(embedded(name));
    } else if (rc != CC_OK) {
        diag_error(r->diag, CC5005, place_file(source), "the template cannot be read: %s",
                   cc_strerror(rc));
        return rc;
    }
    *out = source;
    return CC_OK;
}

static int render_one(const struct render *r, size_t index, struct render_file *file)
{
    struct source *source = NULL;
    struct buf text;
    int rc;

    buf_init(&text, RENDER_MAX_BYTES);
    rc = load_template(r, render_files[index].template, &source);
    if (rc == CC_OK)
        rc = template_render(source, &r->root, &text, r->arena, r->diag);
    if (rc == CC_OK) {
        file->name = slice_of(render_files[index].name);
        file->text = arena_dup(r->arena, buf_slice(&text));
        if (file->text.p == NULL)
            rc = CC_ENOMEM;
    }
    buf_free(&text);
    return rc;
}

static int add_link(const struct render *r, struct render_file *file, const char *name,
                    struct slice target)
{
    struct slice path = arena_dup(r->arena, target);

    if (path.p == NULL)
        return CC_ENOMEM;
    file->name = slice_of(name);
    file->symlink_to = path.p;
    return CC_OK;
}

/* HAProxy loads FILE.key beside FILE: two links, and no private key is ever copied. */
static int link_pair(const struct render *r, const struct config_key_pair *pair, const char *cert,
                     const char *key, struct render_output *out)
{
    int rc = add_link(r, &out->files[out->n_files], cert, pair->cert_path);

    if (rc == CC_OK)
        rc = add_link(r, &out->files[out->n_files + 1], key, pair->key_path);
    if (rc == CC_OK)
        out->n_files += 2;
    return rc;
}

/* Of the HTTPS listener, and of who the gateway is to endpoints and to Redis. */
static int link_certificates(const struct render *r, const struct config *config,
                             struct render_output *out)
{
    const struct config_key_pair *server = &config->router.keystore;
    const struct config_key_pair *client = &config->router.upstream.keystore;
    const struct config_key_pair *redis = &config->agent.redis.keystore;
    int rc = CC_OK;

    if (config->router.secured_listener_port != 0 &&
        (server->cert_path.n == 0 || server->key_path.n == 0))
        diag_help(diag_warning(r->diag, CC5006, PLACE_NONE,
                               "no HTTPS listener: router.keystore names no certificate and key"),
                  "set router.keystore.certPath and keyPath, or router.securedListenerPort to 0");
    else if (config->router.secured_listener_port != 0)
        rc =
            link_pair(r, server, "haproxy/certs/gateway.pem", "haproxy/certs/gateway.pem.key", out);
    if (rc == CC_OK && client->cert_path.n > 0)
        rc = link_pair(r, client, "haproxy/certs/client.pem", "haproxy/certs/client.pem.key", out);
    if (rc == CC_OK && redis->cert_path.n > 0)
        rc = link_pair(r, redis, "haproxy/certs/redis.pem", "haproxy/certs/redis.pem.key", out);
    return rc;
}

/* What endpoints are checked with: a file for each, named after its content. */
static int add_authorities(const struct gw_model *model, struct arena *arena,
                           struct render_output *out)
{
    for (size_t i = 0; i < model->n_authorities; i++) {
        struct slice name = render_authorities_name(arena, model->authorities[i].name);

        if (name.p == NULL)
            return CC_ENOMEM;
        out->files[out->n_files++] =
            (struct render_file){.name = name, .text = model->authorities[i].pem};
    }
    return CC_OK;
}

/* HAProxy's verifyhost reads DNS names and the common name, in all versions; iPAddress entries of a
 * certificate it does not. So the usual certificate of an address is refused like a wrong one. */
static void warn_of_addresses(const struct gw_model *model, const struct config *config,
                              struct diag *diag)
{
    if (config->router.upstream.disable_ssl_verification ||
        !config->router.upstream.verify_host_name)
        return;
    for (size_t i = 0; i < model->n_clusters; i++) {
        for (size_t k = 0; k < model->clusters[i].n_endpoints; k++) {
            const struct gw_endpoint *e = &model->clusters[i].endpoints[k];

            if (!e->tls || render_host_kind(e->host) == RENDER_HOST_NAME)
                continue;
            diag_help(diag_warning(diag, CC5007, e->origin,
                                   "HAProxy cannot find the address %" PRIslice
                                   " in a certificate, only names",
                                   SLICE_ARG(e->host)),
                      "give the endpoint's host name, or set router.upstream.tls.verifyHostName "
                      "to false, which believes any certificate of your authorities");
        }
    }
}

static int check_limits(const struct gw_model *model, struct arena *arena, struct diag *diag)
{
    size_t mock_headers = render_mock_headers(model, arena), headers = model->n_headers;

    if (mock_headers > RENDER_MAX_MOCK_HEADERS) {
        diag_error(diag, CC2506, PLACE_NONE,
                   "the mock APIs together send %zu different headers; there can be %d",
                   mock_headers, RENDER_MAX_MOCK_HEADERS);
        return CC_EREFUSED;
    }
    for (size_t i = 0; i < model->n_headers; i++) /* two arguments for its lines, as for a header */
        headers += render_shows_lines(model, model->headers[i]);
    if (headers <= GW_MAX_HEADERS)
        return CC_OK;
    diag_error(diag, CC1204, PLACE_NONE,
               "the APIs together need %zu different request headers, those that conditions of "
               "policies look at counted twice; the agent can be sent %d",
               headers, GW_MAX_HEADERS);
    return CC_EREFUSED;
}

int render_text_file(struct render_file *file, const char *name, const struct buf *text,
                     struct arena *arena)
{
    int rc = buf_error(text);

    *file = (struct render_file){.name = slice_of(name)};
    if (rc == CC_OK)
        file->text = arena_dup(arena, buf_slice(text));
    return rc == CC_OK && file->text.p == NULL ? CC_ENOMEM : rc;
}

int render_haproxy(struct render_output *out, const struct gw_model *model,
                   const struct config *config, const char *directory, const char *templates,
                   struct arena *arena, struct diag *diag)
{
    struct render_context ctx = {model, config, directory, arena};
    struct render r = {templates, arena, diag, {NULL, 0}};
    int rc = check_limits(model, arena, diag), first = CC_OK;

    *out = (struct render_output){
        arena_array(arena, MAX_FILES + model->n_authorities, sizeof(struct render_file)), 0};
    if (rc == CC_OK && out->files == NULL)
        rc = CC_ENOMEM;
    if (rc == CC_OK)
        rc = render_check_ciphers(config, diag);
    if (rc == CC_OK)
        rc = render_values(&ctx, &r.root);
    if (rc != CC_OK)
        return rc;
    warn_of_addresses(model, config, diag);
    /* the next file even when one failed: all findings at once */
    for (size_t i = 0; i < N_RENDER_FILES; i++) {
        rc = render_one(&r, i, &out->files[i]);
        if (first == CC_OK)
            first = rc;
    }
    rc = render_error_files(&out->files[N_RENDER_FILES], arena);
    if (rc != CC_OK)
        return rc;
    out->n_files = N_RENDER_FILES + RENDER_ERROR_FILES;
    rc = render_proxy_file(&out->files[out->n_files], config, arena);
    if (rc == CC_OK && out->files[out->n_files].name.n > 0)
        out->n_files++;
    if (rc == CC_OK)
        rc = render_faults_file(&out->files[out->n_files], config, arena);
    if (rc == CC_OK && out->files[out->n_files].name.n > 0)
        out->n_files++;
    if (rc == CC_OK)
        rc = add_authorities(model, arena, out);
    if (rc == CC_OK && render_needs_redis_map(config))
        rc = render_redis_map(config, arena, &out->files[out->n_files++]);
    if (rc == CC_OK)
        rc = link_certificates(&r, config, out);
    return first != CC_OK ? first : rc;
}
