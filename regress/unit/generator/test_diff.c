/* The difference of two models, row by row: what changed, and the lines that must tell it. */
#include "generator/diff.h"

#include "base/base.h"
#include "crypto/jwt.h"
#include "gateway/snapshot_schema.h"
#include "generator/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 30, MANY_APIS = 10000, MANY_RESOURCES = 10 };

static const struct source api_file = {.name = "pets/api.yaml"};
static const struct source oas_file = {.name = "pets/swagger.yaml"};

/* A model whose every part may be written to. */
struct parts {
    struct gw_endpoint endpoints[2];
    struct gw_cluster clusters[2];
    struct slice scopes[2], other_scopes[2], headers[2], audiences[1];
    struct gw_need needs[2];
    struct gw_requirement requirements[2];
    struct gw_operation operations[3];
    struct gw_resource resources[3];
    struct gw_issuer issuers[2];
    struct gw_cors cors[2];
    struct gw_interceptor interceptor;
    struct gw_named_endpoints named;
    struct gw_identity identities[2];
    struct gw_api apis[2];
    struct gw_model model;
};

static void fill(struct parts *p)
{
    *p = (struct parts){
        .endpoints = {{SLICE("a.example"), 80, false, SLICE("/v2"), SLICE_NONE, {&oas_file, 5, 7}},
                      {SLICE("2001:db8::1"), 443, true, SLICE(""), SLICE_NONE, {&oas_file, 6, 7}}},
        .scopes = {SLICE("read:pets"), SLICE("write:pets")},
        .other_scopes = {SLICE("write:pets"), SLICE("read:pets")},
        .headers = {SLICE("authorization"), SLICE("x-token")},
        .audiences = {SLICE("gateway")},
    };
    p->clusters[0] = (struct gw_cluster){
        .name = SLICE("cc_b_000000000000"), .endpoints = &p->endpoints[0], .n_endpoints = 1};
    p->clusters[1] = (struct gw_cluster){
        .name = SLICE("cc_b_111111111111"), .endpoints = &p->endpoints[1], .n_endpoints = 1};
    p->needs[0] = (struct gw_need){GW_TOKEN, SLICE(""), p->scopes, 1, {&oas_file, 22, 9}};
    p->needs[1] = (struct gw_need){.kind = GW_TOKEN, .name = SLICE("")};
    p->requirements[0] = (struct gw_requirement){&p->needs[0], 1, {&oas_file, 22, 9}};
    p->requirements[1] = (struct gw_requirement){&p->needs[1], 1, PLACE_NONE};
    p->operations[0] = (struct gw_operation){.method = GW_GET,
                                             .requirements = p->requirements,
                                             .n_requirements = 1,
                                             .origin = {&oas_file, 21, 5}};
    p->operations[1] = (struct gw_operation){.method = GW_POST, .origin = {&oas_file, 25, 5}};
    p->operations[2] =
        (struct gw_operation){.method = GW_DELETE, .open = true, .origin = {&oas_file, 31, 5}};
    p->resources[0] = (struct gw_resource){.template = SLICE("/pets"),
                                           .operations = p->operations,
                                           .n_operations = 2,
                                           .origin = {&oas_file, 20, 3}};
    p->resources[1] = (struct gw_resource){.template = SLICE("/pets/{id}"),
                                           .operations = &p->operations[2],
                                           .n_operations = 1,
                                           .origin = {&oas_file, 30, 3}};
    p->resources[2] = (struct gw_resource){.template = SLICE("/toys"),
                                           .operations = &p->operations[2],
                                           .n_operations = 1,
                                           .origin = {&oas_file, 40, 3}};
    p->issuers[0] = (struct gw_issuer){.name = SLICE("login"),
                                       .access_tokens = true,
                                       .issuer = SLICE("https://login"),
                                       .algorithms = 1u << JWT_RS256,
                                       .pem = SLICE("-----BEGIN PUBLIC KEY-----\nA\n"),
                                       .consumer_key_claim = SLICE(""),
                                       .scope_claim = SLICE("")};
    p->issuers[1] = p->issuers[0];
    p->issuers[1].name = SLICE("other");
    p->issuers[1].issuer = SLICE("https://other");
    p->cors[0] = (struct gw_cors){.any_origin = true, .methods = SLICE("GET, POST")};
    p->cors[1] = (struct gw_cors){.origins = p->audiences, .n_origins = 1};
    p->identities[0] =
        (struct gw_identity){SLICE("svc"), SLICE("Basic c3ZjOnMzY3JldA=="), {&api_file, 9, 9}};
    p->identities[1] =
        (struct gw_identity){SLICE("svc"), SLICE("Basic c3ZjOm90aGVy"), {&api_file, 9, 9}};
    for (size_t i = 0; i < 2; i++)
        p->apis[i] = (struct gw_api){.id = SLICE("1"),
                                     .name = i == 0 ? SLICE("Pets") : SLICE("Toys"),
                                     .version = SLICE("1.0"),
                                     .vhost = SLICE("localhost"),
                                     .base_path = i == 0 ? SLICE("/pets/1.0") : SLICE("/toys"),
                                     .auth_header = SLICE("authorization"),
                                     .production = &p->clusters[0],
                                     .production_identity = &p->identities[0],
                                     .resources = p->resources,
                                     .n_resources = 2,
                                     .cors = &p->cors[0],
                                     .cors_declared = {&oas_file, 9, 3},
                                     .origin = {&api_file, 3, 5}};
    p->model = (struct gw_model){.generation = 1,
                                 .haproxy_generation = 1,
                                 .system_host = SLICE("localhost"),
                                 .leeway_s = 60,
                                 .headers = p->headers,
                                 .n_headers = 1,
                                 .issuers = p->issuers,
                                 .n_issuers = 1,
                                 .clusters = p->clusters,
                                 .n_clusters = 1,
                                 .apis = p->apis,
                                 .n_apis = 1};
}

/* --- rows ------------------------------------------------------------------------------------ */

static void nothing(struct parts *p)
{
    p->model.generation = 9; /* numbers of generations are no difference */
}
static void api_added(struct parts *p)
{
    p->model.n_apis = 2;
}
static void context_changed(struct parts *p)
{
    p->apis[0].base_path = SLICE("/animals");
}
static void version_changed(struct parts *p)
{
    p->apis[0].version = SLICE("2.0");
    p->apis[0].base_path = SLICE("/pets/2.0");
}
static void root_context(struct parts *p)
{
    p->apis[0].base_path = SLICE("");
    p->apis[0].version = SLICE("2.0");
}
static void auth_header_changed(struct parts *p)
{
    p->apis[0].auth_header = SLICE("x-token");
}
static void endpoint_changed(struct parts *p)
{
    p->apis[0].production = &p->clusters[1];
    p->model.clusters = &p->clusters[1];
}
static void resource_endpoint(struct parts *p)
{
    p->resources[0].production = &p->clusters[1];
    p->model.n_clusters = 2;
}
static void resource_added(struct parts *p)
{
    p->apis[0].n_resources = 3;
}
static void resource_removed(struct parts *p)
{
    p->apis[0].n_resources = 1;
}
static void parameter_renamed(struct parts *p)
{
    p->resources[1].template = SLICE("/pets/{petId}");
}
static void resources_reordered(struct parts *p)
{
    struct gw_resource first = p->resources[0];

    p->resources[0] = p->resources[1];
    p->resources[1] = first;
}
static void operation_removed(struct parts *p)
{
    p->resources[0].n_operations = 1;
}
static void method_changed(struct parts *p)
{
    p->operations[1].method = GW_PUT;
}
static void scope_changed(struct parts *p)
{
    p->scopes[0] = SLICE("read:all");
}
static void scope_added(struct parts *p)
{
    p->needs[0].n_scopes = 2;
}
static void scope_dropped(struct parts *p)
{
    p->operations[0].n_requirements = 0;
}
static void any_token_suffices(struct parts *p)
{
    p->operations[0].n_requirements = 2; /* the second one has no scopes */
}
static void operation_opened(struct parts *p)
{
    p->operations[1].open = true;
}
static void operation_closed(struct parts *p)
{
    p->operations[1].closed = true;
}
static void cors_changed(struct parts *p)
{
    p->apis[0].cors = &p->cors[1];
}
static void cors_dropped(struct parts *p)
{
    p->apis[0].cors = NULL;
}
static void password_changed(struct parts *p)
{
    p->apis[0].production_identity = &p->identities[1];
}
static void identity_added(struct parts *p)
{
    p->resources[0].sandbox_identity = &p->identities[0];
}
static void issuer_added(struct parts *p)
{
    p->model.n_issuers = 2;
}
static void issuer_changed(struct parts *p)
{
    p->issuers[0].algorithms |= 1u << JWT_ES256;
    p->issuers[0].audiences = p->audiences;
    p->issuers[0].n_audiences = 1;
}
static void issuer_text_changed(struct parts *p)
{
    p->issuers[0].issuer = SLICE("https://login2");
}
static void key_changed(struct parts *p)
{
    p->issuers[0].pem = SLICE("-----BEGIN PUBLIC KEY-----\nB\n");
}
static void options_changed(struct parts *p)
{
    p->clusters[0].name = SLICE("cc_b_222222222222");
    p->clusters[0].options.failover = true;
    p->clusters[0].options.timeout_ms = 300;
}
static void header_added(struct parts *p)
{
    p->model.n_headers = 2;
}
static void header_replaced(struct parts *p)
{
    p->headers[0] = SLICE("x-a");
}
static void settings_changed(struct parts *p)
{
    p->model.leeway_s = 0;
    p->model.keep_auth_header = true;
    p->model.system_host = SLICE("gw");
}
static void same_cluster_name(struct parts *p)
{
    p->endpoints[0].port = 81;
}
static void api_tier(struct parts *p)
{
    p->apis[0].tier = SLICE("Gold");
    p->apis[0].tier_declared = (struct place){&api_file, 9, 3};
}

static void operation_tier(struct parts *p)
{
    p->operations[0].tier = SLICE("Gold");
    p->operations[0].tier_declared = (struct place){&oas_file, 23, 7};
}

static void operation_interceptor(struct parts *p)
{
    p->interceptor = (struct gw_interceptor){
        .response = true, .request_headers = true, .cluster = &p->clusters[1]};
    p->operations[0].interceptors = &p->interceptor;
    p->operations[0].n_interceptors = 1;
}

static void named_endpoints(struct parts *p)
{
    p->named = (struct gw_named_endpoints){.name = SLICE("blue"), .cluster = &p->clusters[1]};
    p->apis[0].named = &p->named;
    p->apis[0].n_named = 1;
}

static void lines_moved(struct parts *p)
{
    p->operations[0].origin.line = 99;
}
static void requirement_moved(struct parts *p)
{
    p->requirements[0].origin.col = 99;
}

static const struct row {
    const char *name;
    void (*mutate)(struct parts *p);
    const char *lines;
} rows[] = {
    {"nothing", nothing, ""},
    {"an API", api_added,
     "+ api Toys 1.0 /toys on localhost: 2 resources, 3 operations, 1 open to everybody"
     "  (pets/api.yaml:3:5)\n"},
    {"its context", context_changed,
     "~ api Pets 1.0 /animals on localhost: base_path: /pets/1.0 -> /animals"
     "  (pets/api.yaml:3:5)\n"},
    {"its version", version_changed,
     "- api Pets 1.0 /pets/1.0 on localhost: 2 resources, 3 operations, 1 open to everybody"
     "  (pets/api.yaml:3:5)\n"
     "+ api Pets 2.0 /pets/2.0 on localhost: 2 resources, 3 operations, 1 open to everybody"
     "  (pets/api.yaml:3:5)\n"},
    {"the root", root_context,
     "+ api Pets 2.0 / on localhost: 2 resources, 3 operations, 1 open to everybody"
     "  (pets/api.yaml:3:5)\n"
     "- api Pets 1.0 /pets/1.0 on localhost: 2 resources, 3 operations, 1 open to everybody"
     "  (pets/api.yaml:3:5)\n"},
    {"a member without a rule of its own", auth_header_changed,
     "~ api Pets 1.0 /pets/1.0 on localhost: auth_header: authorization -> x-token"
     "  (pets/api.yaml:3:5)\n"},
    {"its endpoint", endpoint_changed,
     "~ endpoint Pets 1.0 /pets/1.0 on localhost: production: http://a.example:80/v2 -> "
     "https://[2001:db8::1]:443  (pets/swagger.yaml:6:7)\n"
     "- cluster cc_b_000000000000: http://a.example:80/v2  (pets/swagger.yaml:5:7)\n"
     "+ cluster cc_b_111111111111: https://[2001:db8::1]:443  (pets/swagger.yaml:6:7)\n"},
    {"how its endpoint is treated", options_changed,
     "~ endpoint Pets 1.0 /pets/1.0 on localhost: production: http://a.example:80/v2 -> "
     "http://a.example:80/v2 (failover true, timeout_ms 300)  (pets/swagger.yaml:5:7)\n"
     "- cluster cc_b_000000000000: http://a.example:80/v2  (pets/swagger.yaml:5:7)\n"
     "+ cluster cc_b_222222222222: http://a.example:80/v2 (failover true, timeout_ms 300)"
     "  (pets/swagger.yaml:5:7)\n"},
    {"a resource's own endpoint", resource_endpoint,
     "~ endpoint /pets/1.0/pets on localhost: production: none -> https://[2001:db8::1]:443"
     "  (pets/swagger.yaml:6:7)\n"
     "+ cluster cc_b_111111111111: https://[2001:db8::1]:443  (pets/swagger.yaml:6:7)\n"},
    {"a new resource", resource_added,
     "+ resource /pets/1.0/toys on localhost: DELETE (open)  (pets/swagger.yaml:40:3)\n"},
    {"a resource that is gone", resource_removed,
     "- resource /pets/1.0/pets/{id} on localhost: DELETE (open)  (pets/swagger.yaml:30:3)\n"},
    {"a parameter's name", parameter_renamed,
     "~ resource /pets/1.0/pets/{petId} on localhost: template: /pets/{id} -> /pets/{petId}"
     "  (pets/swagger.yaml:30:3)\n"},
    {"only the order of resources", resources_reordered, "~ places lines or order in files\n"},
    {"an operation that is gone", operation_removed,
     "- operation POST /pets/1.0/pets on localhost: any token  (pets/swagger.yaml:25:5)\n"},
    {"a method", method_changed,
     "- operation POST /pets/1.0/pets on localhost: any token  (pets/swagger.yaml:25:5)\n"
     "+ operation PUT /pets/1.0/pets on localhost: any token  (pets/swagger.yaml:25:5)\n"},
    {"a scope", scope_changed,
     "~ scope GET /pets/1.0/pets on localhost: read:pets -> read:all  (pets/swagger.yaml:22:9)\n"},
    {"one more scope", scope_added,
     "~ scope GET /pets/1.0/pets on localhost: read:pets -> read:pets or write:pets"
     "  (pets/swagger.yaml:22:9)\n"},
    {"no scope", scope_dropped,
     "~ scope GET /pets/1.0/pets on localhost: read:pets -> any token  (pets/swagger.yaml:21:5)\n"},
    {"an alternative without scopes", any_token_suffices,
     "~ scope GET /pets/1.0/pets on localhost: read:pets -> any token  (pets/swagger.yaml:22:9)\n"},
    {"opened", operation_opened,
     "~ access POST /pets/1.0/pets on localhost: any token -> open  (pets/swagger.yaml:25:5)\n"},
    {"closed", operation_closed,
     "~ access POST /pets/1.0/pets on localhost: any token -> closed  (pets/swagger.yaml:25:5)\n"},
    {"another CORS policy", cors_changed,
     "~ cors Pets 1.0 /pets/1.0 on localhost: any_origin: true -> false"
     "  (pets/swagger.yaml:9:3)\n"
     "~ cors Pets 1.0 /pets/1.0 on localhost: origins: none -> gateway"
     "  (pets/swagger.yaml:9:3)\n"
     "~ cors Pets 1.0 /pets/1.0 on localhost: methods: GET, POST -> none"
     "  (pets/swagger.yaml:9:3)\n"},
    {"no CORS policy", cors_dropped,
     "~ cors Pets 1.0 /pets/1.0 on localhost: a policy -> left to the backend"
     "  (pets/api.yaml:3:5)\n"
     "~ cors Pets 1.0 /pets/1.0 on localhost: any_origin: true -> false  (pets/api.yaml:3:5)\n"
     "~ cors Pets 1.0 /pets/1.0 on localhost: methods: GET, POST -> none  (pets/api.yaml:3:5)\n"},
    {"a password, which is not shown", password_changed,
     "~ api Pets 1.0 /pets/1.0 on localhost: production_identity: "
     "{user svc, authorization (hidden)} -> {user svc, authorization (hidden)}"
     "  (pets/api.yaml:3:5)\n"},
    {"identities of a resource", identity_added,
     "~ resource /pets/1.0/pets on localhost: sandbox_identity: none -> "
     "{user svc, authorization (hidden)}  (pets/swagger.yaml:20:3)\n"},
    {"an issuer", issuer_added, "+ issuer other: https://other\n"},
    {"its members", issuer_changed,
     "~ issuer login: audiences: none -> gateway\n"
     "~ issuer login: algorithms: RS256 -> RS256, ES256\n"},
    {"its text", issuer_text_changed, "~ issuer login: issuer: https://login -> https://login2\n"},
    {"its key", key_changed,
     "~ issuer login: pem: (SHA-256 e40d244f36f41d56...) -> (SHA-256 5a9f16dda6b25009...)\n"},
    {"a header", header_added, "+ header x-token\n"},
    {"another header", header_replaced, "- header authorization\n+ header x-a\n"},
    {"settings", settings_changed,
     "~ setting router.systemHost: localhost -> gw\n"
     "~ setting enforcer.security.leewayInSeconds: 60 -> 0\n"
     "~ setting enforcer.security.authHeader.enableOutboundAuthHeader: false -> true\n"},
    {"a cluster of the same name", same_cluster_name,
     "~ cluster cc_b_000000000000: endpoints: {host a.example, port 80, path /v2, ca none} -> "
     "{host a.example, port 81, path /v2, ca none}  (pets/swagger.yaml:5:7)\n"},
    {"a tier of an API", api_tier,
     "~ limit Pets 1.0 /pets/1.0 on localhost: tier: none -> Gold  (pets/api.yaml:9:3)\n"},
    {"a tier of an operation", operation_tier,
     "~ limit GET /pets/1.0/pets on localhost: tier: none -> Gold  (pets/swagger.yaml:23:7)\n"},
    {"an interceptor", operation_interceptor,
     "~ interceptor GET /pets/1.0/pets on localhost: interceptors: none -> "
     "{response true, request_headers true, cluster https://[2001:db8::1]:443}  "
     "(pets/swagger.yaml:21:5)\n"},
    {"named endpoints", named_endpoints,
     "~ api Pets 1.0 /pets/1.0 on localhost: named: none -> "
     "{name blue, cluster https://[2001:db8::1]:443}  (pets/api.yaml:3:5)\n"},
    {"lines", lines_moved, "~ places lines or order in files\n"},
    {"the line of a requirement", requirement_moved, "~ places lines or order in files\n"},
};

/* The lines of the difference; in `arena`. */
static const char *lines_of(const struct gw_model *old, const struct gw_model *new,
                            struct arena *arena)
{
    struct plan plan = {.built = 1, .diff = {.arena = arena}};
    const char *copy;
    char *text = NULL, *end;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    assert_non_null(out);
    assert_int_equal(diff_models(&plan.diff, old, new), CC_OK);
    plan_print(&plan, out, false);
    fclose(out);
    end = strstr(text, "needs reload: ");
    assert_non_null(end);
    copy = arena_dup(arena, slice_make(text, (size_t)(end - text))).p;
    free(text);
    return copy;
}

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *arena = arena_new(ARENA_BYTES);
        struct parts old, new;
        const char *lines;

        fill(&old);
        fill(&new);
        rows[i].mutate(&new);
        lines = lines_of(&old.model, &new.model, arena);
        if (strcmp(lines, rows[i].lines) != 0)
            fail_msg("%s:\n%s-- expected:\n%s", rows[i].name, lines, rows[i].lines);
        arena_free(&arena);
    }
}

/* What the other way round tells is the same with signs and sides exchanged. */
static void each_row_backwards(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena *arena = arena_new(ARENA_BYTES);
        struct diff there = {.arena = arena}, back = {.arena = arena};
        struct parts old, new;

        fill(&old);
        fill(&new);
        rows[i].mutate(&new);
        assert_int_equal(diff_models(&there, &old.model, &new.model), CC_OK);
        assert_int_equal(diff_models(&back, &new.model, &old.model), CC_OK);
        assert_int_equal(there.n, back.n);
        for (int kind = 0; kind <= DIFF_KIND_COUNT; kind++) {
            enum diff_kind k = (enum diff_kind)kind;

            assert_int_equal(diff_count(&there, DIFF_ADDED, k), diff_count(&back, DIFF_REMOVED, k));
            assert_int_equal(diff_count(&there, DIFF_REMOVED, k), diff_count(&back, DIFF_ADDED, k));
            assert_int_equal(diff_count(&there, DIFF_CHANGED, k),
                             diff_count(&back, DIFF_CHANGED, k));
        }
        arena_free(&arena);
    }
}

/* The same scopes in another order, or asked for twice, let the same tokens in. */
static void order_of_scopes_is_no_difference(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct parts old, new;

    (void)state;
    fill(&old);
    fill(&new);
    old.needs[0].n_scopes = 2;
    new.needs[0].scopes = new.other_scopes;
    new.needs[0].n_scopes = 2;
    new.requirements[1] = new.requirements[0];
    new.operations[0].n_requirements = 2;
    assert_string_equal(lines_of(&old.model, &new.model, arena),
                        "~ places lines or order in files\n");
    arena_free(&arena);
}

static void from_nothing_all_is_new(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct parts new;

    (void)state;
    fill(&new);
    assert_string_equal(
        lines_of(NULL, &new.model, arena),
        "+ api Pets 1.0 /pets/1.0 on localhost: 2 resources, 3 operations, 1 open to everybody"
        "  (pets/api.yaml:3:5)\n"
        "+ issuer login: https://login\n"
        "+ header authorization\n"
        "+ cluster cc_b_000000000000: http://a.example:80/v2  (pets/swagger.yaml:5:7)\n");
    arena_free(&arena);
}

/* --- nothing is overlooked ------------------------------------------------------------------- */

/* Gives member `f` of `object` another value. False: there is none to give. */
static bool change_member(const struct snapshot_field *f, void *object, const struct parts *p)
{
    void *at = (char *)object + f->offset;
    size_t n;

    switch (f->type) {
    case SNAPSHOT_TEXT:
        *(struct slice *)at = SLICE("another");
        return true;
    case SNAPSHOT_C_STRING:
        *(const char **)at = "another";
        return true;
    case SNAPSHOT_BOOL:
        *(bool *)at = !*(bool *)at;
        return true;
    case SNAPSHOT_INT:
        *(uint64_t *)at += 1;
        return true;
    case SNAPSHOT_UNSIGNED:
    case SNAPSHOT_ALGORITHMS:
        *(unsigned *)at ^= 2;
        return true;
    case SNAPSHOT_ENUM:
        *(unsigned *)at = *(unsigned *)at > 0 ? 0 : 1;
        return true;
    case SNAPSHOT_METHOD:
        *(enum gw_method *)at = GW_TRACE;
        return true;
    case SNAPSHOT_CREDENTIAL:
        *(enum gw_credential *)at = GW_CERTIFICATE;
        return true;
    case SNAPSHOT_ORIGIN:
        ((struct place *)at)->line += 1;
        return true;
    case SNAPSHOT_CLUSTER:
        *(const struct gw_cluster **)at = &p->clusters[1];
        return true;
    case SNAPSHOT_CORS:
        *(const struct gw_cors **)at = &p->cors[1];
        return true;
    case SNAPSHOT_IDENTITY:
        *(const struct gw_identity **)at = &p->identities[1];
        return true;
    case SNAPSHOT_TEXTS:
    case SNAPSHOT_LIST:
        memcpy(&n, (char *)object + f->count_offset, sizeof(n));
        if (n == 0 && f->type == SNAPSHOT_LIST)
            return false;
        if (n == 0) {
            static const struct slice one[] = {SLICE_INIT("another")};
            const struct slice *list = one;

            memcpy(at, &list, sizeof(list));
            n = 2;
        }
        n--;
        memcpy((char *)object + f->count_offset, &n, sizeof(n));
        return true;
    }
    return false;
}

/* Tokens have no name to change. */
static bool is_name_of_token(const struct snapshot_schema *schema, size_t i)
{
    return schema->size == sizeof(struct gw_need) &&
           schema->fields[i].offset == offsetof(struct gw_need, name);
}

static void each_member(const struct snapshot_schema *schema, size_t offset)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        struct arena *arena = arena_new(ARENA_BYTES);
        struct diff diff = {.arena = arena};
        struct parts old, new;

        fill(&old);
        fill(&new);
        if (!is_name_of_token(schema, i) &&
            change_member(&schema->fields[i], (char *)&new + offset, &new)) {
            assert_int_equal(diff_models(&diff, &old.model, &new.model), CC_OK);
            if (diff.n == 0)
                fail_msg("a change of %s is overlooked", schema->fields[i].name);
            if (schema->fields[i].type == SNAPSHOT_ORIGIN && diff_is_semantic(&diff))
                fail_msg("a place is called a difference: %s", schema->fields[i].name);
            if (schema->fields[i].type != SNAPSHOT_ORIGIN && !diff_is_semantic(&diff))
                fail_msg("a change of %s is called a matter of places", schema->fields[i].name);
        }
        arena_free(&arena);
    }
}

static const struct snapshot_schema *list_schema(const struct snapshot_schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return s->fields[i].of;
    fail_msg("there is no list %s", name);
    return NULL;
}

/* A name counts where there is one: with API keys. */
static void name_of_a_key_counts(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct parts old, new;

    (void)state;
    fill(&old);
    fill(&new);
    old.needs[0] = (struct gw_need){.kind = GW_KEY_IN_HEADER, .name = SLICE("x-key")};
    new.needs[0] = (struct gw_need){.kind = GW_KEY_IN_HEADER, .name = SLICE("x-other")};
    new.needs[0].origin = old.needs[0].origin = PLACE_NONE;
    assert_non_null(strstr(lines_of(&old.model, &new.model, arena),
                           "an API key in the header x-key -> an API key in the header x-other"));
    arena_free(&arena);
}

static void no_member_is_overlooked(void **state)
{
    const struct snapshot_schema *resource = list_schema(&snapshot_api, "resources");
    const struct snapshot_schema *operation = list_schema(resource, "operations");
    const struct snapshot_schema *requirement = list_schema(operation, "requirements");

    (void)state;
    each_member(&snapshot_settings, offsetof(struct parts, model));
    each_member(&snapshot_api, offsetof(struct parts, apis));
    each_member(resource, offsetof(struct parts, resources));
    each_member(operation, offsetof(struct parts, operations));
    each_member(requirement, offsetof(struct parts, requirements));
    each_member(list_schema(requirement, "needs"), offsetof(struct parts, needs));
    each_member(&snapshot_cluster, offsetof(struct parts, clusters));
    each_member(list_schema(&snapshot_cluster, "endpoints"), offsetof(struct parts, endpoints));
    each_member(&snapshot_cors, offsetof(struct parts, cors));
    each_member(&snapshot_identity, offsetof(struct parts, identities));
    each_member(&snapshot_issuer, offsetof(struct parts, issuers));
}

/* --- many ------------------------------------------------------------------------------------ */

static struct gw_model *many(struct arena *arena, unsigned first, const struct parts *p)
{
    struct gw_model *m = arena_alloc(arena, sizeof(*m));
    struct gw_api *apis = arena_array(arena, MANY_APIS, sizeof(*apis));

    assert_non_null(apis);
    *m = p->model;
    for (unsigned i = 0; i < MANY_APIS; i++) {
        /* spread, so that neither list comes sorted */
        unsigned number = (first + i) * 7919 % (MANY_APIS + 10);
        struct gw_resource *r = arena_array(arena, MANY_RESOURCES, sizeof(*r));

        for (unsigned k = 0; k < MANY_RESOURCES; k++) {
            r[k] = p->resources[0];
            r[k].template = arena_printf(arena, "/r%u/{id}", k);
        }
        apis[i] = p->apis[0];
        apis[i].base_path = arena_printf(arena, "/api%u", number);
        apis[i].name = arena_printf(arena, "Api%u", number);
        apis[i].resources = r;
        apis[i].n_resources = MANY_RESOURCES;
    }
    m->apis = apis;
    m->n_apis = MANY_APIS;
    return m;
}

static void ten_thousand_apis_take_a_moment(void **state)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct diff diff = {.arena = arena};
    struct parts p;
    struct gw_model *old, *new;
    clock_t before, spent;

    (void)state;
    fill(&p);
    old = many(arena, 0, &p);
    new = many(arena, 10, &p);
    before = clock();
    assert_int_equal(diff_models(&diff, old, new), CC_OK);
    spent = clock() - before;
    assert_int_equal(diff_count(&diff, DIFF_ADDED, DIFF_API), 10);
    assert_int_equal(diff_count(&diff, DIFF_REMOVED, DIFF_API), 10);
    assert_int_equal(diff.n, 20);
    /* under the sanitizers; a tenth of that without */
    assert_true(spent < 2 * CLOCKS_PER_SEC);
    arena_free(&arena);
}

/* Short of memory, it says so, at whatever moment. */
static void lack_of_memory_is_an_error(void **state)
{
    struct parts old, new;
    int failed = 0, done = 0;

    (void)state;
    fill(&old);
    fill(&new);
    endpoint_changed(&new);
    scope_changed(&new);
    resource_added(&new);
    issuer_changed(&new);
    for (size_t bytes = 64; done == 0 && bytes < 1 << 20; bytes += 64) {
        struct arena *arena = arena_new(bytes);
        struct diff diff = {.arena = arena};
        int rc = diff_models(&diff, &old.model, &new.model);

        assert_true(rc == CC_OK || rc == CC_ENOMEM);
        failed += rc == CC_ENOMEM;
        done += rc == CC_OK;
        arena_free(&arena);
    }
    assert_true(failed > 0 && done == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(each_row_backwards),
        cmocka_unit_test(order_of_scopes_is_no_difference),
        cmocka_unit_test(from_nothing_all_is_new),
        cmocka_unit_test(no_member_is_overlooked),
        cmocka_unit_test(name_of_a_key_counts),
        cmocka_unit_test(ten_thousand_apis_take_a_moment),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
