/* init: the texts of a new project's files. */
#include "generator/init.h"

#include "generator/yaml_out.h"

#define ROUND_ROBIN SLICE("org.apache.synapse.endpoints.algorithms.RoundRobin")

const char *const init_directories[] = {"Image",
                                        "Docs",
                                        "Sequences/fault-sequence",
                                        "Sequences/in-sequence",
                                        "Sequences/out-sequence",
                                        "Client-certificates",
                                        "Endpoint-certificates",
                                        "Interceptors",
                                        "libs",
                                        NULL};

/* Without a document: everything below the context goes to the backend. */
static const char *const stub_methods[] = {"get", "post", "put", "delete", "patch"};

typedef void writer(struct yaml_out *y, const struct init_project *p);

/* --- endpointConfig -------------------------------------------------------------------------- */

static void write_url(struct yaml_out *y, struct slice url)
{
    yaml_out_map(y);
    yaml_out_member(y, "url", url);
    yaml_out_map_end(y);
}

static void write_urls(struct yaml_out *y, const struct init_endpoints *e, size_t first)
{
    yaml_out_list(y);
    for (size_t i = first; i < e->n; i++)
        write_url(y, e->urls[i]);
    yaml_out_list_end(y);
}

/* One kind of endpoints: an object, a list, or the first one and a list of those behind it. */
static void write_endpoints(struct yaml_out *y, const struct init_endpoints *e, const char *type,
                            const char *key, const char *failovers)
{
    if (e->n == 0)
        return;
    yaml_out_key(y, key);
    if (strcmp(type, "load_balance") == 0) {
        write_urls(y, e, 0);
        return;
    }
    write_url(y, e->urls[0]);
    if (e->n > 1) {
        yaml_out_key(y, failovers);
        write_urls(y, e, 1);
    }
}

/* The production endpoints decide; without any, those of the sandbox (as apictl does). */
static const char *endpoint_type(const struct init_project *p)
{
    const struct init_endpoints *e = p->production.n > 0 ? &p->production : &p->sandbox;

    if (e->n > 1 && e->failover)
        return "failover";
    return p->production.n > 1 || p->sandbox.n > 1 ? "load_balance" : "http";
}

static void write_endpoint_config(struct yaml_out *y, const struct init_project *p)
{
    const char *type = endpoint_type(p);
    bool failover = strcmp(type, "failover") == 0;

    yaml_out_key(y, "endpointConfig");
    yaml_out_map(y);
    yaml_out_member(y, "endpoint_type", slice_of(type));
    if (strcmp(type, "http") != 0) {
        yaml_out_member(y, "algoCombo", ROUND_ROBIN);
        yaml_out_member(y, "algoClassName", failover ? SLICE("") : ROUND_ROBIN);
        yaml_out_member(y, "sessionManagement", SLICE(""));
        yaml_out_member(y, "sessionTimeOut", SLICE(""));
    }
    if (failover)
        yaml_out_member(y, "failOver", SLICE("True"));
    write_endpoints(y, &p->production, type, "production_endpoints", "production_failovers");
    write_endpoints(y, &p->sandbox, type, "sandbox_endpoints", "sandbox_failovers");
    yaml_out_map_end(y);
}

/* --- api.yaml -------------------------------------------------------------------------------- */

static void write_words(struct yaml_out *y, const char *key, const char *first, const char *second)
{
    yaml_out_key(y, key);
    yaml_out_list(y);
    yaml_out_text(y, slice_of(first));
    if (second != NULL)
        yaml_out_text(y, slice_of(second));
    yaml_out_list_end(y);
}

static void write_tags(struct yaml_out *y, const struct doc_node *tags)
{
    if (tags == NULL || tags->type != DOC_LIST || tags->n == 0)
        return;
    yaml_out_key(y, "tags");
    yaml_out_list(y);
    for (size_t i = 0; i < tags->n; i++) {
        const struct doc_node *name = doc_get(tags->entries[i].value, "name");

        if (name != NULL && name->type != DOC_MAP && name->type != DOC_LIST && name->text.n > 0)
            yaml_out_text(y, name->text);
    }
    yaml_out_list_end(y);
}

static const char *const cors_keys[] = {"accessControlAllowOrigins", "accessControlAllowHeaders",
                                        "accessControlAllowMethods", "accessControlExposeHeaders",
                                        "accessControlAllowCredentials"};

enum { N_CORS_KEYS = sizeof(cors_keys) / sizeof(cors_keys[0]) };

/* What is switched off in the document is not switched on here, as apictl would. */
static void write_cors(struct yaml_out *y, const struct doc_node *cors)
{
    const struct doc_node *enabled = doc_get(cors, "corsConfigurationEnabled");
    bool any = false;

    if (enabled != NULL && !(enabled->type == DOC_BOOL && doc_scalar_true(enabled->text)))
        return;
    for (size_t i = 0; i < N_CORS_KEYS; i++)
        any = any || doc_get(cors, cors_keys[i]) != NULL;
    if (!any)
        return;
    yaml_out_key(y, "corsConfiguration");
    yaml_out_map(y);
    yaml_out_key(y, "corsConfigurationEnabled");
    yaml_out_bool(y, true);
    for (size_t i = 0; i < N_CORS_KEYS; i++) {
        const struct doc_node *value = doc_get(cors, cors_keys[i]);

        if (value == NULL)
            continue;
        yaml_out_key(y, cors_keys[i]);
        yaml_out_node(y, value);
    }
    yaml_out_map_end(y);
}

static void write_api(struct yaml_out *y, const struct init_project *p)
{
    yaml_out_map(y);
    yaml_out_member(y, "type", SLICE("api"));
    yaml_out_member(y, "version", SLICE("v4.0.0"));
    yaml_out_key(y, "data");
    yaml_out_map(y);
    yaml_out_member(y, "name", p->name);
    if (p->description.n > 0)
        yaml_out_member(y, "description", p->description);
    yaml_out_member(y, "context", p->context);
    yaml_out_member(y, "version", p->version);
    yaml_out_member(y, "provider", SLICE("admin"));
    yaml_out_member(y, "lifeCycleStatus", SLICE("CREATED"));
    if (p->default_version) {
        yaml_out_key(y, "isDefaultVersion");
        yaml_out_bool(y, true);
    }
    yaml_out_member(y, "type", SLICE("HTTP"));
    write_words(y, "transport", "http", "https");
    write_tags(y, p->tags);
    write_words(y, "policies", "Unlimited", NULL);
    yaml_out_member(y, "visibility", SLICE("PUBLIC"));
    write_cors(y, p->cors);
    write_endpoint_config(y, p);
    yaml_out_member(y, "endpointImplementationType", SLICE("ENDPOINT"));
    yaml_out_map_end(y);
    yaml_out_map_end(y);
}

/* --- the other files ------------------------------------------------------------------------- */

static void write_meta(struct yaml_out *y, const struct init_project *p)
{
    yaml_out_map(y);
    yaml_out_member(y, "name", p->name);
    yaml_out_member(y, "version", p->version);
    yaml_out_key(y, "deploy");
    yaml_out_map(y);
    yaml_out_key(y, "import");
    yaml_out_map(y);
    yaml_out_key(y, "update");
    yaml_out_bool(y, true);
    yaml_out_key(y, "preserveProvider");
    yaml_out_bool(y, true);
    yaml_out_map_end(y);
    yaml_out_map_end(y);
    yaml_out_map_end(y);
}

static void write_deployments(struct yaml_out *y, const struct init_project *p)
{
    (void)p;
    yaml_out_map(y);
    yaml_out_member(y, "type", SLICE("deployment_environments"));
    yaml_out_member(y, "version", SLICE("v4.0.0"));
    yaml_out_key(y, "data");
    yaml_out_list(y);
    yaml_out_map(y);
    yaml_out_key(y, "displayOnDevportal");
    yaml_out_bool(y, true);
    yaml_out_member(y, "deploymentEnvironment", SLICE("Default"));
    yaml_out_map_end(y);
    yaml_out_list_end(y);
    yaml_out_map_end(y);
}

static void write_stub(struct yaml_out *y, const struct init_project *p)
{
    yaml_out_map(y);
    yaml_out_member(y, "swagger", SLICE("2.0"));
    yaml_out_key(y, "info");
    yaml_out_map(y);
    yaml_out_member(y, "title", p->name);
    yaml_out_member(y, "version", p->version);
    yaml_out_map_end(y);
    yaml_out_key(y, "paths");
    yaml_out_map(y);
    yaml_out_key(y, "/*");
    yaml_out_map(y);
    for (size_t i = 0; i < sizeof(stub_methods) / sizeof(stub_methods[0]); i++) {
        yaml_out_key(y, stub_methods[i]);
        yaml_out_map(y);
        yaml_out_key(y, "responses");
        yaml_out_map(y);
        yaml_out_key(y, "200");
        yaml_out_map(y);
        yaml_out_member(y, "description", SLICE("OK"));
        yaml_out_map_end(y);
        yaml_out_map_end(y);
        yaml_out_map_end(y);
    }
    yaml_out_map_end(y);
    yaml_out_map_end(y);
    yaml_out_map_end(y);
}

static void write_document(struct yaml_out *y, const struct init_project *p)
{
    yaml_out_node(y, p->doc->root);
}

static const char readme[] =
    "# An API project\n"
    "\n"
    "| file | |\n"
    "|---|---|\n"
    "| `api.yaml` | name, context, version, endpoints |\n"
    "| `Definitions/swagger.yaml` | the OpenAPI document: paths, security, `x-wso2-` extensions |\n"
    "| `deployment_environments.yaml` | on which environments and virtual hosts it is served |\n"
    "| `Endpoint-certificates/` | certificates that the backends are checked with |\n"
    "| `Endpoint-certificates/interceptors/` | the same for interceptor services |\n"
    "| `Client-certificates/` | certificates that clients are checked with |\n"
    "\n"
    "`api_meta.yaml`, `Docs/`, `Image/`, `Sequences/`, `Interceptors/` and `libs/` are for other\n"
    "tools; the gateway does not read them.\n"
    "\n"
    "    cc-gen check DIRECTORY      every finding with its line\n"
    "    cc-gen lint DIRECTORY       what could be better\n"
    "    cc-gen run DIRECTORY        try it\n"
    "    cc-gen build DIRECTORY      make the gateway's configuration\n"
    "\n"
    "Where both have it, the OpenAPI document's `x-wso2-production-endpoints`, `servers` or "
    "`host`\n"
    "count more than `endpointConfig` of `api.yaml`.\n";

/* --- all of them ----------------------------------------------------------------------------- */

static int add_text(struct init_files *files, const char *path, struct slice text)
{
    if (text.p == NULL)
        return CC_ENOMEM;
    files->list[files->n++] = (struct init_file){path, text};
    return CC_OK;
}

static int add(struct init_files *files, const char *path, writer *write,
               const struct init_project *p, struct arena *arena)
{
    struct buf text;
    struct yaml_out *y;
    int rc = CC_ENOMEM;

    buf_init(&text, DOC_MAX_BYTES);
    y = yaml_out_new(&text);
    if (y != NULL) {
        write(y, p);
        rc = yaml_out_close(&y);
    }
    if (rc == CC_OK)
        rc = add_text(files, path, arena_dup(arena, buf_slice(&text)));
    buf_free(&text);
    return rc == CC_EFULL ? CC_ETOOBIG : rc;
}

/* JSON begins with a brace or bracket; it is written anew as YAML. What is YAML already is kept,
 * comments and all. */
static bool is_json(struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return c == '{' || c == '[';
    }
    return false;
}

int init_make_files(struct init_files *out, const struct init_project *p, struct arena *arena)
{
    static const char definition[] = "Definitions/swagger.yaml";
    int rc;

    *out = (struct init_files){.n = 0};
    rc = add(out, "api.yaml", write_api, p, arena);
    if (rc != CC_OK)
        return rc;
    if (p->doc == NULL)
        rc = add(out, definition, write_stub, p, arena);
    else if (is_json(p->doc->source.text))
        rc = add(out, definition, write_document, p, arena);
    else
        rc = add_text(out, definition, p->doc->source.text);
    if (rc == CC_OK)
        rc = add(out, "deployment_environments.yaml", write_deployments, p, arena);
    if (rc == CC_OK)
        rc = add(out, "api_meta.yaml", write_meta, p, arena);
    if (rc == CC_OK)
        rc = add_text(out, "README.md", slice_of(readme));
    return rc;
}
