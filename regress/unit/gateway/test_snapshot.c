/* Unit tests of snapshot.h: what is written is read back the same; what is damaged, forged or not
 * ours is refused. */
#include "gateway/cors.h"
#include "gateway/mock.h"
#include "regress/unit/gateway/seal.h"
#include "regress/unit/gateway/snapshot_model.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void write_model(const struct gw_model *m, struct buf *out)
{
    buf_init(out, GW_SNAPSHOT_MAX_BYTES);
    assert_int_equal(gw_snapshot_write(m, out), CC_OK);
}

/* Reads an exact copy, so that ASan sees one byte more. */
static int read_copy(struct slice text, struct gw_snapshot **out, struct diag *diag)
{
    char *copy = malloc(text.n + (text.n == 0));
    int rc;

    assert_non_null(copy);
    memcpy(copy, text.p, text.n);
    *out = NULL;
    rc = gw_snapshot_read(out, slice_make(copy, text.n), "gateway.json", diag);
    free(copy);
    return rc;
}

static void expect_refused(struct slice text, const char *says)
{
    struct diag *diag = diag_new();
    struct gw_snapshot *s;
    struct diag_view view;
    int rc = read_copy(text, &s, diag);

    assert_true(rc == CC_EREFUSED || rc == CC_EVERSION);
    assert_null(s);
    assert_true(diag_errors(diag) > 0);
    for (size_t i = 0; diag_get(diag, i, &view); i++) {
        assert_int_equal(view.code, CC6001);
        if (i == 0 && !slice_contains(view.message, slice_of(says)))
            fail_msg("\"%s\" is not in \"%.*s\"", says, SLICE_ARG(view.message));
    }
    diag_free(&diag);
}

static struct gw_snapshot *expect_read(struct slice text)
{
    struct diag *diag = diag_new();
    struct gw_snapshot *s;
    int rc = read_copy(text, &s, diag);

    if (rc != CC_OK)
        diag_print(diag, stderr, false);
    assert_int_equal(rc, CC_OK);
    assert_non_null(s);
    diag_free(&diag);
    return s;
}

static void what_is_written_is_read_back(void **state)
{
    struct buf first, second;
    struct gw_snapshot *s;
    const struct gw_model *m;
    const struct gw_operation *op;
    char hash[65];

    (void)state;
    write_model(&model, &first);
    s = expect_read(buf_slice(&first));
    m = gw_snapshot_model(s);
    write_model(m, &second);
    assert_string_equal(first.p, second.p);
    assert_int_equal(gw_model_hash(&model, hash), CC_OK);
    assert_string_equal(gw_snapshot_hash(s), hash);

    assert_int_equal(m->generation, 7);
    assert_int_equal(m->haproxy_generation, 6);
    assert_int_equal(m->leeway_s, 5);
    assert_true(m->keep_auth_header);
    assert_int_equal(m->n_apis, 2);
    assert_true(slice_eq(m->apis[0].name, apis[0].name));
    assert_ptr_equal(m->apis[0].production, &m->clusters[0]);
    assert_ptr_equal(m->apis[0].resources[1].production, &m->clusters[1]);
    assert_null(m->apis[0].resources[0].production);
    assert_null(m->apis[0].sandbox);
    assert_ptr_equal(m->apis[0].resources[1].sandbox, &m->clusters[0]);
    assert_memory_equal(&m->clusters[0].options, &clusters[0].options,
                        offsetof(struct gw_options, retry_statuses));
    assert_true(slice_is(m->clusters[0].options.retry_statuses[1], "504"));
    assert_true(slice_is(m->clusters[0].options.health_path, "/health"));
    assert_int_equal(m->clusters[0].options.n_health_statuses, 1);
    assert_int_equal(m->clusters[0].endpoints[1].port, 65535);
    assert_ptr_equal(m->apis[0].cors, &m->cors[1]);
    assert_null(m->apis[1].cors);
    assert_ptr_equal(m->apis[0].production_identity, &m->identities[0]);
    assert_null(m->apis[0].sandbox_identity);
    assert_ptr_equal(m->apis[0].resources[1].production_identity, &m->identities[1]);
    assert_true(slice_is(m->identities[1].authorization, "Basic ZmlsZXM6Yg=="));
    assert_int_equal(gw_cors_cmp(&m->cors[0], &cors[0]), 0);
    assert_int_equal(gw_cors_cmp(&m->cors[1], &cors[1]), 0);
    assert_int_equal(m->apis[0].cors_declared.line, 9);
    assert_int_equal(m->issuers[0].algorithms, 1u << JWT_RS256 | 1u << JWT_EdDSA);
    assert_true(slice_eq(m->issuers[0].pem, issuers[0].pem));
    assert_true(slice_eq(m->issuers[1].jwks_url, issuers[1].jwks_url));
    assert_int_equal(m->issuers[1].n_claim_mappings, 1);
    assert_true(slice_is(m->issuers[1].claim_mappings[0].local, "roles"));
    assert_true(m->issuers[1].validate_subscription);
    op = &m->apis[0].resources[0].operations[0];
    assert_int_equal(op->method, GW_GET);
    assert_true(slice_is(op->requirements[0].needs[0].scopes[1], "admin"));
    assert_int_equal(op->requirements[0].needs[1].kind, GW_KEY_IN_HEADER);
    assert_true(slice_is(op->requirements[0].needs[1].name, "x-api-key"));
    assert_int_equal(op->requirements[1].needs[0].n_scopes, 0);
    assert_string_equal(op->origin.source->name, "pets/\"swagger\".yaml");
    assert_int_equal(op->origin.line, 30);
    assert_int_equal(op->n_interceptors, 2);
    assert_true(op->interceptors[0].request_body && !op->interceptors[0].response);
    assert_true(op->interceptors[1].invocation_context && op->interceptors[1].response);
    assert_ptr_equal(op->interceptors[1].cluster, &m->clusters[1]);
    assert_true(slice_is(op->tier, "Gold"));
    assert_int_equal(op->tier_declared.line, 34);
    assert_int_equal(m->apis[0].n_named, 2);
    assert_true(slice_is(m->apis[0].named[1].name, "green"));
    assert_ptr_equal(m->apis[0].named[1].cluster, &m->clusters[1]);
    assert_true(slice_is(m->apis[0].tier, "Silver"));
    assert_true(slice_is(m->apis[0].status, "BLOCKED") && m->apis[0].status_declared.line == 9);
    assert_true(op[1].open && !op[1].closed && !op[2].open && op[2].closed);
    assert_int_equal(m->apis[1].origin.line, 4294967295u);
    assert_null(m->apis[0].resources[2].origin.source);
    /* equal texts are stored once */
    assert_ptr_equal(m->headers[0].p, m->apis[0].auth_header.p);

    gw_snapshot_unref(&s);
    buf_free(&first);
    buf_free(&second);
}

static void write_mock(struct gw_api api, struct buf *out)
{
    struct gw_model m = model;

    m.apis = &api;
    m.n_apis = 1;
    write_model(&m, out);
}

static void mock_answers_are_read_back(void **state)
{
    const struct gw_operation *op;
    struct gw_snapshot *s;
    struct buf text;

    (void)state;
    write_mock(mock_api, &text);
    s = expect_read(buf_slice(&text));
    assert_true(gw_snapshot_model(s)->apis[0].mock);
    op = &gw_snapshot_model(s)->apis[0].resources[0].operations[0];
    assert_int_equal(op->n_answers, 2);
    assert_int_equal(op[1].n_answers, 0);
    assert_true(slice_is(op->answers[0].code, "default"));
    assert_int_equal(op->answers[0].origin.line, 71);
    assert_true(slice_eq(op->answers[0].contents[1].media_type, contents[1].media_type));
    assert_true(slice_eq(op->answers[0].contents[1].examples[1].name, examples[1].name));
    assert_true(slice_eq(op->answers[0].contents[1].examples[1].body, examples[1].body));
    assert_true(slice_eq(op->answers[0].headers[0].value, mock_headers[0].value));
    assert_int_equal(op->answers[1].n_contents, 0);
    gw_snapshot_unref(&s);
    buf_free(&text);
}

/* One answer of a mock API that no cc-gen writes. */
static void expect_answer_refused(struct gw_mock_answer answer, const char *says)
{
    struct gw_operation op = {.method = GW_GET, .answers = &answer, .n_answers = 1};
    struct gw_resource r = {.template = SLICE("/m"), .operations = &op, .n_operations = 1};
    struct gw_api api = mock_api;
    struct buf text;

    api.resources = &r;
    write_mock(api, &text);
    expect_refused(buf_slice(&text), says);
    buf_free(&text);
}

static void bad_mock_answers_are_refused(void **state)
{
    static char large[GW_MOCK_BODY_MAX + 1];
    const struct gw_mock_example too_large = {SLICE("a"), {large, sizeof(large)}};
    const struct gw_mock_content content = {SLICE("a/b"), &too_large, 1};
    const struct gw_mock_content range = {SLICE("a/*"), examples, 1};
    const struct gw_mock_header framing = {SLICE("content-length"), SLICE("1")};
    const struct gw_mock_header split = {SLICE("x"), SLICE("a\r\nb: c")};

    (void)state;
    memset(large, 'x', sizeof(large));
    expect_answer_refused((struct gw_mock_answer){.code = SLICE("100")}, "neither");
    expect_answer_refused(
        (struct gw_mock_answer){.code = SLICE("200"), .contents = &content, .n_contents = 1},
        "contents[0].examples[0].body: it is longer than 12288 bytes");
    expect_answer_refused(
        (struct gw_mock_answer){.code = SLICE("200"), .contents = &range, .n_contents = 1},
        "media_type: it is a range");
    expect_answer_refused(
        (struct gw_mock_answer){.code = SLICE("200"), .headers = &framing, .n_headers = 1},
        "the gateway makes this header itself");
    expect_answer_refused(
        (struct gw_mock_answer){.code = SLICE("200"), .headers = &split, .n_headers = 1},
        "control character");
}

static void it_has_a_line_an_api(void **state)
{
    static const char api[] =
        "\n{\"id\":\"43\",\"name\":\"Root\",\"version\":\"2\",\"vhost\":\"*\","
        "\"auth_header\":\"x-token\",\"production\":\"cc_b_ffffffffffff\","
        "\"origin\":[2,4294967295,2]}\n]}\n";
    struct buf text;

    (void)state;
    write_model(&model, &text);
    assert_true(slice_starts(buf_slice(&text), SLICE("{\"schema\":6,\n\"hash\":\"")));
    assert_true(slice_ends(buf_slice(&text), slice_of(api)));
    assert_non_null(strstr(text.p, "\n\"files\":[\n{\"name\":\"cc.yaml\"},\n"));
    buf_free(&text);
}

static void the_smallest_model_is_read_back(void **state)
{
    const struct gw_model empty = {.generation = 0};
    struct buf text;
    struct gw_snapshot *s;
    struct gw_route route;

    (void)state;
    write_model(&empty, &text);
    s = expect_read(buf_slice(&text));
    assert_int_equal(gw_snapshot_model(s)->n_apis, 0);
    assert_false(gw_route_find(gw_snapshot_routes(s), SLICE("h"), SLICE("/"), &route));
    gw_snapshot_unref(&s);
    buf_free(&text);
}

static void routes_lead_into_the_model(void **state)
{
    struct buf text;
    struct gw_snapshot *s;
    struct gw_route route;

    (void)state;
    write_model(&model, &text);
    s = expect_read(buf_slice(&text));
    buf_free(&text); /* nothing points into it */
    assert_true(gw_route_find(gw_snapshot_routes(s), SLICE("www.example.com"),
                              SLICE("/pets/1.0/pets/7"), &route));
    assert_ptr_equal(route.api, &gw_snapshot_model(s)->apis[0]);
    assert_ptr_equal(route.resource, &gw_snapshot_model(s)->apis[0].resources[0]);
    gw_snapshot_unref(&s);
}

static void references_are_counted(void **state)
{
    struct buf text;
    struct gw_snapshot *s, *other, *none = NULL;

    (void)state;
    write_model(&model, &text);
    s = expect_read(buf_slice(&text));
    other = gw_snapshot_ref(s);
    gw_snapshot_unref(&s);
    assert_null(s);
    assert_int_equal(gw_snapshot_model(other)->generation, 7);
    gw_snapshot_unref(&other);
    gw_snapshot_unref(&none);
    gw_snapshot_unref(NULL);
    buf_free(&text);
}

static void the_content_hash_is_without_generations(void **state)
{
    struct gw_model other = model;
    char before[65], after[65];

    (void)state;
    assert_int_equal(gw_model_hash(&model, before), CC_OK);
    other.generation = 8;
    other.haproxy_generation = 8;
    assert_int_equal(gw_model_hash(&other, after), CC_OK);
    assert_string_equal(before, after);
    other.leeway_s++;
    assert_int_equal(gw_model_hash(&other, after), CC_OK);
    assert_string_not_equal(before, after);
}

static void a_cut_snapshot_is_refused(void **state)
{
    struct buf text;

    (void)state;
    write_model(&model, &text);
    for (size_t n = 0; n < text.n; n++)
        expect_refused(slice_make(text.p, n), "");
    expect_refused(slice_make(text.p, 0), "cut short");
    expect_refused(slice_make(text.p, text.n - 1), "hash does not match");
    buf_add_str(&text, "\n");
    expect_refused(buf_slice(&text), "hash does not match");
    buf_free(&text);
}

static void a_flipped_bit_is_noticed(void **state)
{
    struct buf text;

    (void)state;
    write_model(&model, &text);
    for (size_t i = 0; i < text.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text.p[i] = (char)(text.p[i] ^ (1 << bit));
            expect_refused(buf_slice(&text), "");
            text.p[i] = (char)(text.p[i] ^ (1 << bit));
        }
    }
    buf_free(&text);
}

static void other_schemas_are_told(void **state)
{
    (void)state;
    expect_refused(SLICE("{\"schema\":1,\n"), "has schema 1; this program reads schema 6");
    expect_refused(SLICE("{\"schema\":6}\n"), "not a snapshot");
    expect_refused(SLICE("{\"schema\":x,\n"), "not a snapshot");
    expect_refused(SLICE("{\n"), "not a snapshot");
    expect_refused(SLICE("\n"), "not a snapshot");
    expect_refused(SLICE("{\"schema\":6,\n\n"), "hash does not match");
}

/* The sealed snapshot with the first `old` replaced. */
static void forge(struct buf *out, const char *old, const char *new)
{
    struct buf text, changed;
    const char *at;
    struct slice generations, content;

    write_model(&model, &text);
    at = strstr(text.p, old);
    if (at == NULL)
        fail_msg("\"%s\" is not in the snapshot", old);
    buf_init(&changed, GW_SNAPSHOT_MAX_BYTES);
    buf_add(&changed, slice_make(text.p, (size_t)(at - text.p)));
    buf_add_str(&changed, new);
    buf_add_str(&changed, at + strlen(old));
    generations = seal_skip_lines(buf_slice(&changed), 2);
    content = seal_skip_lines(buf_slice(&changed), SEAL_CONTENT_LINE);
    buf_init(out, GW_SNAPSHOT_MAX_BYTES);
    seal_snapshot(out, slice_first(generations, (size_t)slice_find(generations, '\n')), content);
    assert_int_equal(buf_error(out), CC_OK);
    buf_free(&changed);
    buf_free(&text);
}

/* Right hashes do not make a snapshot right. */
static const struct {
    const char *old, *new, *says;
} forgeries[] = {
    {"\"generation\":7,", "", "line 3: generation: it is missing"},
    {"\"generation\":7", "\"generation\":\"7\"", "generation: it is not a whole number"},
    {"\"generation\":7", "\"generation\":-7", "generation: it is out of range"},
    {"\"generation\":7", "\"generation\":7.0", "generation: it is not a whole number"},
    {"\"generation\":7", "\"generation\":5", "haproxy_generation is above generation"},
    {"\"generation\":7", "\"generation\":9007199254740992", "generation: it is out of range"},
    {"\"generation\":7", "\"generation\":99999999999999999999", "generation: it is out of range"},
    {"\"generation\":7", "\"more\":1,\"generation\":7", "a member that this schema does not"},
    {"\"generation\":7", "\"generation\":7,\"generation\":7", "generation: it is there twice"},
    {"\"haproxy_generation\":6,", "\"haproxy_generation\":6", "a comma is missing"},
    {"\"leeway_s\":5", "\"leeway_s\":null", "line 5: leeway_s: it is not a whole number"},
    {"\"keep_auth_header\":true", "\"keep_auth_header\":1", "neither true nor false"},
    {"[\"authorization\",\"x-token\"]", "[\"x-token\",\"authorization\"]", "not in order"},
    {"[\"authorization\",\"x-token\"]", "[\"x-token\",\"x-token\"]", "not in order"},
    {"[\"authorization\",\"x-token\"]", "[\"X-Token\"]", "headers[0]: it is not a header name"},
    {"[\"authorization\",\"x-token\"]", "{}", "headers: it is not a list"},
    {"\"system_host\":\"localhost\"", "\"system_host\":\"*.a\"", "it has a wildcard"},
    {"\"files\":[", "\"flies\":[", "files: this section does not begin here"},
    {"{\"name\":\"cc.yaml\"}", "{\"name\":\"\"}", "files[0].name: it is empty"},
    {"{\"name\":\"cc.yaml\"}", "[\"cc.yaml\"]", "files[0]: it is not an object"},
    {"{\"name\":\"cc.yaml\"}", "{\"name\":\"a\\u0000b\"}", "not valid JSON"},
    {"{\"name\":\"cc.yaml\"}", "{\"name\":\"\xff\"}", "not valid JSON"},
    {"{\"name\":\"cc.yaml\"},", "{\"name\":\"cc.yaml\"}", "a comma is missing"},
    {"\"RS256\"", "\"HS256\"", "issuers[0].algorithms: it names an unknown algorithm"},
    {"[\"RS256\",\"EdDSA\"]", "[]", "issuers[0]: it allows no algorithm"},
    {"[\"RS256\",\"EdDSA\"]", "[1]", "unknown algorithm"},
    {"[\"gateway\"]", "[\"\"]", "issuers[0].audiences[0]: it is empty"},
    {"[0,12,3]", "[3,12,3]", "issuers[0].origin: it is out of range"},
    {"[0,12,3]", "[0,12]", "neither [file,line,column] nor null"},
    {"[0,12,3]", "[0,12,4294967296]", "out of range"},
    {"[0,12,3]", "[0,-1,1]", "out of range"},
    {"[0,12,3]", "\"x\"", "neither [file,line,column] nor null"},
    {"cc_b_0123456789ab", "cc_b_0123456789AB", "clusters[0].name: it is not \"cc_b_\""},
    {"cc_b_0123456789ab", "stats", "clusters[0].name: it is not \"cc_b_\""},
    {"cc_b_0123456789ab", "cc_b_ffffffffffff", "two clusters have the same name"},
    {"\"port\":443", "\"port\":0", "clusters[0].endpoints[0].port: it is out of range"},
    {"\"port\":443", "\"port\":65536", "out of range"},
    {"\"host\":\"pets.internal\"", "\"host\":\"a b\"", "endpoints[0].host: it is not a host"},
    {"\"path\":\"/v2\"", "\"path\":\"v2\"", "must begin with '/'"},
    {"\"path\":\"/v2\"", "\"path\":\"/v2\\n\"", "control character"},
    {"\"production\":\"cc_b_0", "\"production\":\"cc_b_1", "apis[0].production: it names no"},
    {"\"production\":\"cc_b_0123456789ab\"", "\"production\":null", "apis[0]: it has no endpoints"},
    {"\"failover\":true", "\"failover\":1", "clusters[0].failover: it is neither"},
    {"\"timeout_ms\":1500", "\"timeout_ms\":-1", "clusters[0].timeout_ms: it is out of range"},
    {"[\"502\",\"504\"]", "[\"502\",\"50x\"]", "clusters[0].retry_statuses[1]: it is no status"},
    {"\"/health\"", "\"/h\\n\"", "clusters[0].health_path: it has a control character"},
    {"\"vhost\":\"*.example.com\"", "\"vhost\":\"A\"", "apis[0].vhost: a virtual host is"},
    {"\"base_path\":\"/pets/1.0\"", "\"base_path\":\"/a/../b\"", "'..' segment"},
    {"\"auth_header\":\"x-token\"", "\"auth_header\":\"x token\"", "not a header name"},
    {"\"cors\":1", "\"cors\":2", "apis[0].cors: it is out of range"},
    {"\"cors\":1", "\"cors\":-1", "apis[0].cors: it is out of range"},
    {"\"cors\":1", "\"cors\":01", "apis[0].cors: it is not a whole number"},
    {"\"cors\":1", "\"cors\":1e0", "apis[0].cors: it is not a whole number"},
    {"\"cors\":1", "\"cors\": 1", "apis[0].cors: it is not a whole number"},
    {"\"cors\":1", "\"cors\":1 ", "apis[0]: it is not valid JSON"},
    {"\"cors\":1,", "\"cors\":1,,", "apis[0]: it is not valid JSON"},
    {"\"cors\":1,", "\"cors\":1,\"a\"1,", "apis[0]: it is not valid JSON"},
    {"\"cors\":1,", "\"cors\":1\"", "apis[0]: it is not valid JSON"},
    {"\"cors\":1,", "cors:1,", "apis[0]: it is not valid JSON"},
    {"\"method\":\"GET\",", "", "operations[0].method: it is missing"},
    {"\"kind\":\"token\",", "", "needs[0].kind: it is missing"},
    {"\"auth_header\":\"x-token\",", "", "apis[1].auth_header: it is missing"},
    {"\"port\":443,", "", "endpoints[0].port: it is missing"},
    {"\"algorithms\":[\"ES256\"],", "", "issuers[1].algorithms: it is missing"},
    {"[\"read:pets\",\"admin\"]", "[\"read:pets\",]", "scopes[1]: it is not text"},
    {"[\"read:pets\",\"admin\"]", "[,\"read:pets\"]", "it is not text"},
    {"[\"read:pets\",\"admin\"]", "[\"read:pets\"\"admin\"]", "not valid JSON"},
    {"[\"read:pets\",\"admin\"]", "[\"read:pets\",\"admin\"}", "not valid JSON"},
    {"[\"read:pets\",\"admin\"]",
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "not valid JSON"},
    {"\"admin\"", "\"\\ud800\"", "not valid JSON"},
    {"\"admin\"", "\"\\udc00\\ud800\"", "not valid JSON"},
    {"\"admin\"", "\"\\ud800\\u0041\"", "not valid JSON"},
    {"\"admin\"", "\"\\u00g0\"", "not valid JSON"},
    {"\"admin\"", "\"\\u00\"", "not valid JSON"},
    {"\"admin\"", "\"\\x\"", "not valid JSON"},
    {"\"admin\"", "\"\t\"", "not valid JSON"},
    {"\"admin\"", "\"admin\\\"", "not valid JSON"},
    {"\"admin\"", "\"\\u0020\"", "scopes[1]: it has a space"},
    {"\"cors\":1", "\"cors\":\"1\"", "apis[0].cors: it is not a whole number"},
    {"[\"https://a.example\",", "[\"https://c.example\",", "cors[1]: origins are not in order"},
    {"\"https://a.example\"", "\"https://A.example\"", "cors[1].origins[0]: it is not in lower"},
    {"\"https://a.example\"", "\"https://*.a.example\"", "cors[1].origins[0]: a wildcard is"},
    {"\"https://*.c.example\"", "\"https://*c.example\"", "cors[1].patterns[0]: a wildcard is"},
    {"\"GET, POST\"", "\"GET\\r\\nx: y\"", "cors[1].methods: it has a control character"},
    {"\"x-page\"", "null", "cors[1].expose: it is not text"},
    {"\"production_identity\":0", "\"production_identity\":2",
     "apis[0].production_identity: it is out of range"},
    {"\"production_identity\":0", "\"production_identity\":\"0\"", "it is not a whole number"},
    {"\"Basic c3ZjOmE=\"", "\"a\\nb\"", "identities[0].authorization: it has a control character"},
    {"\"Basic c3ZjOmE=\"", "\"\"", "identities[0].authorization: it is empty"},
    {"\"id\":\"42\"", "\"id\":42", "apis[0].id: it is not text"},
    {"\"id\":\"42\"", "\"id\":\"\\u001b\"", "apis[0].id: it has a control character"},
    {"\"named\":[{\"name\":\"blue\"", "\"named\":[{\"name\":\"green\"", "are not in order"},
    {"\"name\":\"blue\",\"cluster\":\"cc_b_0123456789ab\"", "\"name\":\"blue\",\"cluster\":null",
     "apis[0].named[0]: it has no endpoints"},
    {"{\"request_body\":true", "{\"response\":true,\"request_body\":true",
     "interceptors are not in order"},
    {"\"request_body\":true,\"cluster\":\"cc_b_ffffffffffff\"",
     "\"request_body\":true,\"cluster\":null", "interceptors[0]: it has no service"},
    {"\"request_body\":true,\"cluster\":\"cc_b_ffffffffffff\"", "\"request_body\":true",
     "interceptors[0]: it has no service"},
    {"\"tier\":\"Gold\"", "\"tier\":\"a\\n\"", "operations[0].tier: it has a control character"},
    {"\"tier\":\"Silver\"", "\"tier\":1", "apis[0].tier: it is not text"},
    {"\"status\":\"BLOCKED\"", "\"status\":\"a\\n\"", "apis[0].status: it has a control character"},
    {"\"kind\":\"header\"", "\"kind\":\"heder\"", "conditions[1].kind: it is none of the words"},
    {"\"kind\":\"header\"", "\"kind\":7", "conditions[1].kind: it is none of the words"},
    {"\"10.0.0.0/8\"", "\"10.0.0.1/8\"", "conditions[0]: the address has bits set"},
    {"\"match\":\"present\",\"name\":\"role\"",
     "\"match\":\"present\",\"name\":\"role\",\"value\":\"a\"",
     "policies[2].conditions[0]: it has a value"},
    {"\"count\":5,\"period_s\":60", "\"count\":5,\"period_s\":0", "groups[0]: a limit has a time"},
    {"\"count\":5,\"period_s\":60", "\"count\":-5,\"period_s\":60", "it is out of range"},
    {"\"burst_count\":2,\"burst_period_s\":1", "\"burst_count\":2,\"burst_period_s\":86401",
     "groups[0]: a burst has at most a day"},
    {"\"level\":\"subscription\"", "\"level\":\"advanced\"", "policies are not in order"},
    {"\"$userId:$clientIp\"", "\"$user\"", "policies[2]: a '$' in it begins no variable"},
    {"\"$userId:$clientIp\"", "\"\"", "policies[2]: it has no variable"},
    {"\"::1-::9\"", "\"::9-::1\"", "deny_rules[1]: its end is before its beginning"},
    {"\"until_s\":2", "\"until_s\":1", "deny_rules[1]: it ends before it begins"},
    {"\"throttling_ipv6_prefix_length\":64", "\"throttling_ipv6_prefix_length\":129",
     "throttling_ipv6_prefix_length: it is out of range"},
    {"\"method\":\"GET\"", "\"method\":\"get\"", "operations[0].method: it is not a method"},
    {"\"method\":\"GET\"", "\"method\":\"TRACE\"", "methods are not in order"},
    {"\"open\":true", "\"open\":true,\"closed\":true", "a closed operation"},
    {"\"read:pets\"", "\"read pets\"",
     "resources[0].operations[0].requirements[0].needs[0].scopes[0]: it has a space"},
    {"\"scopes\":[\"read:pets\",\"admin\"]", "\"scopes\":null", "scopes: it is not a list"},
    {"\"template\":\"/pets/{id}\"", "\"template\":\"pets\"", "CC2003: path \"pets\" cannot"},
    {"\"template\":\"/files/*\"", "\"template\":\"/pets/{x}\"", "CC2004: GET /pets/1.0/pets"},
    {"\n]}\n", "\n],\n", "the section does not end as it should"},
    {"\n]}\n", "\n]}\nx\n", "something follows the end"},
    {"\n]}\n", "\n", "cut short"},
    {"4294967295,2]}\n]}", "4294967295,2]},\n]}", "a comma after the last element"},
    {"4294967295,2]}\n]}", "4294967295,2}\n]}", "not valid JSON"},
    {"4294967295,2]}\n]}", "4294967295,2]}{}\n]}", "not valid JSON"},
    {"4294967295,2]}\n]}", "4294967295,2],\"resources\":[}\n]}", "not valid JSON"},
};

/* Other JSON that means the same, as another program may write it: any order of members, escapes,
 * null and what the writer leaves out. */
static void other_spellings_are_read(void **state)
{
    struct gw_snapshot *s;
    struct buf text;

    (void)state;
    forge(&text, "\"version\":\"1.0\"", "\"version\":\"\\u0031.\\ud83d\\udc08\\/\\\"\\u00e9\"");
    s = expect_read(buf_slice(&text));
    assert_true(slice_is(gw_snapshot_model(s)->apis[0].version, "1.\xf0\x9f\x90\x88/\"\xc3\xa9"));
    gw_snapshot_unref(&s);
    buf_free(&text);

    forge(
        &text, "\"auth_header\":\"x-token\",\"production\":\"cc_b_ffffffffffff\",",
        "\"resources\":[],\"production\":\"cc_b_ffffffffffff\",\"base_path\":\"\",\"sandbox\":null,"
        "\"cors\":null,\"auth_header\":\"x-token\",");
    s = expect_read(buf_slice(&text));
    assert_ptr_equal(gw_snapshot_model(s)->apis[1].production, &gw_snapshot_model(s)->clusters[1]);
    assert_true(slice_is(gw_snapshot_model(s)->apis[1].auth_header, "x-token"));
    assert_null(gw_snapshot_model(s)->apis[1].cors);
    gw_snapshot_unref(&s);
    buf_free(&text);
}

static void forged_snapshots_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(forgeries); i++) {
        struct buf text;

        forge(&text, forgeries[i].old, forgeries[i].new);
        expect_refused(buf_slice(&text), forgeries[i].says);
        buf_free(&text);
    }
}

/* Each cut of a sealed snapshot, so that the parser behind the hashes sees it. */
static void cut_content_is_refused(void **state)
{
    struct buf text;
    struct slice content;

    (void)state;
    write_model(&model, &text);
    content = seal_skip_lines(buf_slice(&text), SEAL_CONTENT_LINE);
    for (size_t n = 0; n < content.n; n++) {
        struct buf sealed;

        buf_init(&sealed, GW_SNAPSHOT_MAX_BYTES);
        seal_snapshot(&sealed, SLICE("\"generation\":7,\"haproxy_generation\":6,"),
                      slice_first(content, n));
        expect_refused(buf_slice(&sealed), "");
        buf_free(&sealed);
    }
    buf_free(&text);
}

static void models_that_cannot_be_read_are_not_written(void **state)
{
    struct gw_api api = apis[1];
    struct gw_model other = model;
    struct buf text;
    char hash[65];

    (void)state;
    api.production = NULL; /* nor a sandbox */
    other.apis = &api;
    other.n_apis = 1;
    buf_init(&text, GW_SNAPSHOT_MAX_BYTES);
    assert_int_equal(gw_snapshot_write(&other, &text), CC_EINVAL);
    assert_int_equal(gw_model_hash(&other, hash), CC_EINVAL);
    buf_free(&text);
    buf_init(&text, 100);
    assert_int_equal(gw_snapshot_write(&model, &text), CC_EFULL);
    buf_free(&text);
}

/* Files. */

struct directory {
    char path[64], file[96], link[96];
};

static int make_directory(void **state)
{
    static struct directory d;
    struct buf text;

    strncpy(d.path, "/tmp/test_snapshot.XXXXXX", sizeof(d.path) - 1);
    assert_non_null(mkdtemp(d.path));
    snprintf(d.file, sizeof(d.file), "%s/gateway.json", d.path);
    snprintf(d.link, sizeof(d.link), "%s/link", d.path);
    write_model(&model, &text);
    assert_int_equal(file_write_atomic(d.file, buf_slice(&text), 0640), CC_OK);
    assert_int_equal(symlink("gateway.json", d.link), 0);
    buf_free(&text);
    *state = &d;
    return 0;
}

static int remove_directory(void **state)
{
    return file_remove_tree(((struct directory *)*state)->path);
}

static void expect_file(const char *path, int want, const char *says)
{
    struct diag *diag = diag_new();
    struct gw_snapshot *s = NULL;
    struct diag_view view;

    assert_int_equal(gw_snapshot_read_file(&s, path, diag), want);
    assert_int_equal(s != NULL, want == CC_OK);
    if (want != CC_OK) {
        assert_true(diag_get(diag, 0, &view));
        assert_int_equal(view.code, CC6001);
        if (!slice_contains(view.message, slice_of(says)))
            fail_msg("%.*s", SLICE_ARG(view.message));
    }
    gw_snapshot_unref(&s);
    diag_free(&diag);
}

static void files_of_the_right_owner_are_read(void **state)
{
    const struct directory *d = *state;

    expect_file(d->file, CC_OK, "");
    expect_file(d->link, CC_OK, "");
    assert_int_equal(chmod(d->file, 0600), 0);
    expect_file(d->file, CC_OK, "");
}

static void files_that_others_may_write_are_refused(void **state)
{
    const struct directory *d = *state;

    assert_int_equal(chmod(d->file, 0664), 0);
    expect_file(d->file, CC_EREFUSED, "others than its owner may write it");
    assert_int_equal(chmod(d->file, 0646), 0);
    expect_file(d->link, CC_EREFUSED, "others than its owner may write it");
}

/* Without passwords of endpoints there is no secret in it. */
static void secrets_that_others_may_read_are_refused(void **state)
{
    const struct directory *d = *state;
    struct gw_model open = model;
    struct gw_api api = apis[1];
    struct buf text;

    assert_int_equal(chmod(d->file, 0644), 0);
    expect_file(d->file, CC_EREFUSED, "holds passwords of endpoints");
    open.apis = &api;
    open.n_apis = 1;
    open.n_identities = 0;
    write_model(&open, &text);
    assert_int_equal(file_write_atomic(d->file, buf_slice(&text), 0644), CC_OK);
    expect_file(d->file, CC_OK, "");
    buf_free(&text);
}

static void files_of_others_are_refused(void **state)
{
    const struct directory *d = *state;

    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(lchown(d->link, 12345, 12345), 0);
    expect_file(d->link, CC_EREFUSED, "symbolic link that belongs neither");
    assert_int_equal(chown(d->file, 12345, 12345), 0);
    expect_file(d->file, CC_EREFUSED, "belongs neither to root nor to this user");
}

static void what_is_no_file_is_refused(void **state)
{
    const struct directory *d = *state;
    char fifo[96];

    snprintf(fifo, sizeof(fifo), "%s/fifo", d->path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    expect_file(fifo, CC_EREFUSED, "not a regular file");
    expect_file(d->path, CC_EREFUSED, "not a regular file");
    assert_int_equal(unlink(d->file), 0);
    expect_file(d->file, CC_ENOENT, "no such file");
    expect_file(d->link, CC_ENOENT, "no such file");
    assert_int_equal(file_write_atomic(d->file, SLICE(""), 0644), CC_OK);
    expect_file(d->file, CC_EREFUSED, "cut short");
}

#define file_test(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(it_has_a_line_an_api),
        cmocka_unit_test(mock_answers_are_read_back),
        cmocka_unit_test(bad_mock_answers_are_refused),
        cmocka_unit_test(the_smallest_model_is_read_back),
        cmocka_unit_test(routes_lead_into_the_model),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(the_content_hash_is_without_generations),
        cmocka_unit_test(a_cut_snapshot_is_refused),
        cmocka_unit_test(a_flipped_bit_is_noticed),
        cmocka_unit_test(other_schemas_are_told),
        cmocka_unit_test(other_spellings_are_read),
        cmocka_unit_test(forged_snapshots_are_refused),
        cmocka_unit_test(cut_content_is_refused),
        cmocka_unit_test(models_that_cannot_be_read_are_not_written),
        file_test(files_of_the_right_owner_are_read),
        file_test(files_that_others_may_write_are_refused),
        file_test(secrets_that_others_may_read_are_refused),
        file_test(files_of_others_are_refused),
        file_test(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests_name("gateway/snapshot", tests, NULL, NULL);
}
