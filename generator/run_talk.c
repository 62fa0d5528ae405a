#include "generator/run_talk.h"

#include "enforce/testkey.h"
#include "generator/cli.h"
#include "generator/devkey.h"

/* An operation to try: of the first API, one that curl can send without a body. */
struct example {
    const struct gw_api *api;
    const struct gw_resource *resource;
    const struct gw_operation *operation;
};

/* How well an operation serves as an example; more is better. */
static int worth(const struct gw_resource *r, const struct gw_operation *op)
{
    int worth = 1;

    if (op->method == GW_GET)
        worth += 4;
    if (slice_find(r->template, '{') < 0 && slice_find(r->template, '*') < 0)
        worth += 2;
    return worth + (op->open ? 0 : 1);
}

static struct example find_example(const struct gw_model *model)
{
    struct example best = {0};
    int best_worth = 0;

    if (model->n_apis == 0)
        return best;
    best.api = &model->apis[0];
    for (size_t i = 0; i < best.api->n_resources; i++) {
        const struct gw_resource *r = &best.api->resources[i];

        for (size_t k = 0; k < r->n_operations; k++) {
            if (worth(r, &r->operations[k]) <= best_worth)
                continue;
            best_worth = worth(r, &r->operations[k]);
            best.resource = r;
            best.operation = &r->operations[k];
        }
    }
    return best;
}

/* Text inside single quotes of a shell. */
static void print_shell(FILE *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            fputs("'\\''", out);
        else
            fputc(text.p[i], out);
    }
}

static void print_url(FILE *out, const char *scheme, struct slice host, uint64_t port)
{
    bool any = host.n == 0 || slice_is(host, "0.0.0.0") || slice_is(host, "127.0.0.1") ||
               slice_is(host, "::") || slice_is(host, "::1") || slice_is(host, "*");
    bool v6 = !any && slice_find(host, ':') >= 0;

    if (any)
        host = SLICE("localhost");
    fprintf(out, "%s://%s%" PRIslice "%s:%llu", scheme, v6 ? "[" : "", SLICE_ARG(host),
            v6 ? "]" : "", (unsigned long long)port);
}

static void print_example(const struct gw_model *model, const struct config *config)
{
    struct example e = find_example(model);

    if (e.operation == NULL)
        return;
    fputs("try:\n  curl -i", stderr);
    if (e.operation->method != GW_GET)
        fprintf(stderr, " -X %s", gw_method_name(e.operation->method));
    if (!e.operation->open) {
        fprintf(stderr, " -H \"%" PRIslice ": Bearer $(cc-gen token",
                SLICE_ARG(e.api->auth_header));
        if (e.operation->n_requirements > 0 &&
            e.operation->requirements[0].needs[0].n_scopes > 0) {
            fputs(" --scope '", stderr);
            print_shell(stderr, e.operation->requirements[0].needs[0].scopes[0]);
            fputs("'", stderr);
        }
        fputs(")\"", stderr);
    }
    if (!slice_is(e.api->vhost, "*") && !slice_is(e.api->vhost, "localhost"))
        fprintf(stderr, " -H 'Host: %s%" PRIslice "'",
                slice_starts(e.api->vhost, SLICE("*.")) ? "any" : "",
                SLICE_ARG(slice_starts(e.api->vhost, SLICE("*.")) ? slice_from(e.api->vhost, 1)
                                                                  : e.api->vhost));
    fputs(" '", stderr);
    print_url(stderr, "http", config->router.listener_host, config->router.listener_port);
    print_shell(stderr, e.api->base_path);
    print_shell(stderr, e.resource->template);
    fputs("'\n", stderr);
}

/* How to have a token without cc-gen; a password of the user's is the user's. */
static void print_testkey(const struct config *config, const char *password)
{
    if (!config->jwt_issuer.enabled || config->jwt_issuer.n_users == 0)
        return;
    fprintf(stderr, "test tokens: curl -u %" PRIslice,
            SLICE_ARG(config->jwt_issuer.users[0].name));
    if (password[0] != '\0')
        fprintf(stderr, ":%s", password);
    fputs(" -d scope='a b' ", stderr);
    print_url(stderr, "http", config->router.listener_host, config->router.listener_port);
    fputs(TESTKEY_PATH "\n", stderr);
}

void run_talk_ready(const struct gw_model *model, const struct config *config, bool self_signed,
                    const char *password)
{
    bool colour = cli_colour(stderr);

    fprintf(
        stderr,
        "%swarning%s: for development only. Tokens of `cc-gen token` open this gateway: it trusts\n"
        "  the issuer %s and those below it. Do not let others reach it.\n",
        colour ? "\033[1;33m" : "", colour ? "\033[0m" : "", devkey_issuer(KEY_RSA));
    fputs("cc-gen: ready: ", stderr);
    print_url(stderr, "http", config->router.listener_host, config->router.listener_port);
    if (config->router.secured_listener_port != 0) {
        fputs(" and ", stderr);
        print_url(stderr, "https", config->router.secured_listener_host,
                  config->router.secured_listener_port);
        if (self_signed)
            fputs(" (self-signed certificate: curl -k)", stderr);
    }
    fprintf(stderr, ", %zu API%s\n", model->n_apis, model->n_apis == 1 ? "" : "s");
    print_example(model, config);
    print_testkey(config, password);
    fputs("Ctrl-C ends it.\n", stderr);
    print_url(stdout, "http", config->router.listener_host, config->router.listener_port);
    fputc('\n', stdout);
    fflush(stdout);
}
