/* Responses of a document -> the answers of a mock API, and what HAProxy is told of them. */
#include "test_project_fixture.h"

#include "generator/render.h"

#include <string.h>

#define API(more)                                                                         \
    "type: api\ndata:\n  name: Pets\n  version: v1\n  context: /pets\n  type: HTTP\n"     \
    "  endpointImplementationType: MOCKED_OAS\n" more
#define OAS2 "swagger: '2.0'\n"
#define OAS3 "openapi: 3.0.3\n"
/* One operation; the responses begin at line 5. */
#define GET(responses) "paths:\n  /a:\n    get: {responses: {\n" responses "}}\n"

/* "code[headers]{type name=body ...}", one a line. */
static const char *answers_text(const struct gw_operation *op, char *room, size_t size)
{
    struct buf b;

    buf_init_fixed(&b, room, size);
    room[0] = '\0';
    for (size_t i = 0; i < op->n_answers; i++) {
        const struct gw_mock_answer *a = &op->answers[i];

        buf_add(&b, a->code);
        for (size_t h = 0; h < a->n_headers; h++)
            buf_printf(&b, "[%" PRIslice ": %" PRIslice "]", SLICE_ARG(a->headers[h].name),
                       SLICE_ARG(a->headers[h].value));
        for (size_t c = 0; c < a->n_contents; c++) {
            buf_printf(&b, "{%" PRIslice, SLICE_ARG(a->contents[c].media_type));
            for (size_t e = 0; e < a->contents[c].n_examples; e++)
                buf_printf(&b, " %" PRIslice "=%" PRIslice,
                           SLICE_ARG(a->contents[c].examples[e].name),
                           SLICE_ARG(a->contents[c].examples[e].body));
            buf_add_char(&b, '}');
        }
        buf_add_char(&b, '\n');
    }
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

static const struct {
    const char *name, *openapi, *answers, *findings;
} cases[] = {
    {"one example", OAS3 GET("'200': {content: {application/json: {example: {a: [1, 0x10, yes]}}}}"),
     "200{application/json ={\"a\":[1,16,true]}}\n", ""},
    {"several, in the order of the document",
     OAS3 GET("5XX: {content: {application/json: {examples: {z: {value: 1}, a: {value: [~]}}}}},\n"
              "default: {content: {a/b: {example: x}, application/json: {example: x}}}, 20X: {}"),
     "5xx{application/json z=1 a=[null]}\ndefault{a/b =x}{application/json =\"x\"}\n20x\n", ""},
    {"example goes before examples",
     OAS3 GET("'200': {content: {a/b: {example: x, examples: {y: {value: z}}}}}"),
     "200{a/b =x}\n", ""},
    {"null is none",
     OAS3 GET("'200': {content: {a/b: {example: null, examples: {y: {value: z}}}}}"),
     "200{a/b y=z}\n", ""},
    {"no content is an answer; content without example is none",
     OAS3 GET("'204': {description: x}, '400': {content: {}}, '500': {content: {a/b: {}}}"),
     "204\n400\n", ""},
    {"examples in schemas do not count",
     OAS3 GET("'200': {content: {a/b: {schema: {example: x}}}}"), "",
     "warning CC2500 0/Definitions/swagger.yaml:4:5\n"},
    {"no responses", OAS3 "paths:\n  /a:\n    get: {}\n", "",
     "warning CC2500 0/Definitions/swagger.yaml:4:5\n"},
    {"references",
     OAS3 "components:\n  responses: {R: {$ref: '#/x-r'}}\n"
          "  examples: {E: {value: e}}\n  headers: {H: {example: h}}\n"
          "x-r: {content: {a/b: {examples: {n: {$ref: '#/components/examples/E'}}}},\n"
          "  headers: {X-H: {$ref: '#/components/headers/H'}}}\n"
          "paths: {/a: {get: {responses: {'200': {$ref: '#/components/responses/R'}}}}}\n",
     "200[x-h: h]{a/b n=e}\n", ""},
    {"OpenAPI 2",
     OAS2 "responses: {R: {examples: {text/xml: <a/>}}}\n"
          "paths: {/a: {get: {responses: {200: {examples: {application/json: {a: 1}},\n"
          "  headers: {X-A: {type: string, example: b}}}, 404: {$ref: '#/responses/R'},\n"
          "  204: {description: x}, 400: {schema: {}}}}}}\n",
     "200{application/json ={\"a\":1}}\n404{text/xml =<a/>}\n204\n", ""},
    {"text that is no JSON stays as it is",
     OAS3 GET("'200': {content: {text/plain: {example: \"a\\n\\t\\\"b\\\" %[src]\"}}}"),
     "200{text/plain =a\n\t\"b\" %[src]}\n", ""},
    {"headers",
     OAS3 GET("'200': {headers: {X-A: {example: 1}, X-B: {example: [1, 'b']}, X-C: {schema: {}},\n"
              "  Content-Type: {example: a/b}, Content-Length: {example: 1}, x-a: {example: 2},\n"
              "  'X D': {example: 1}, X-E: {example: \"a\\nb: c\"}}}"),
     "200[x-a: 1][x-b: [1,\"b\"]]\n",
     "warning CC2504 0/Definitions/swagger.yaml:6:33\n"
     "warning CC2504 0/Definitions/swagger.yaml:6:63\n"
     "warning CC2504 0/Definitions/swagger.yaml:7:3\n"
     "warning CC2504 0/Definitions/swagger.yaml:7:24\n"},
    {"ranges of media types",
     OAS3 GET("'200': {content: {'*/*': {example: 1}, text/*: {example: a}, 'image/*': "
              "{example: b}}}"),
     "200{application/json =1}{text/plain =a}\n",
     "warning CC2501 0/Definitions/swagger.yaml:5:62\n"},
    {"an object as XML", OAS3 GET("'200': {content: {text/xml: {example: {a: 1}}}}"),
     "200{text/xml ={\"a\":1}}\n", "warning CC2503 0/Definitions/swagger.yaml:5:39\n"},
    {"+json is JSON",
     OAS3 GET("'200': {content: {application/problem+json; a=b: {example: {a: 1}}}}"),
     "200{application/problem+json; a=b ={\"a\":1}}\n", ""},
    {"codes that are none",
     OAS3 GET("'100': {}, '2x0': {}, abc: {}, x-y: {}, '600': {}, '200': {}, '200 ': {}"),
     "200\n",
     "warning CC2501 0/Definitions/swagger.yaml:5:1\n"
     "warning CC2501 0/Definitions/swagger.yaml:5:12\n"
     "warning CC2501 0/Definitions/swagger.yaml:5:23\n"
     "warning CC2501 0/Definitions/swagger.yaml:5:41\n"
     "warning CC2501 0/Definitions/swagger.yaml:5:63\n"},
    {"one code twice", OAS3 GET("2xx: {}, 2XX: {}"), "2xx\n",
     "warning CC2501 0/Definitions/swagger.yaml:5:10\n"},
    {"examples without value",
     OAS3 GET("'200': {content: {a/b: {examples: {a: {externalValue: 'http://x'}, b: {},\n"
              "  '': {value: 1}, c: {value: ''}}}}}"),
     "200{a/b c=}\n",
     "warning CC2501 0/Definitions/swagger.yaml:5:36\n"
     "warning CC2501 0/Definitions/swagger.yaml:5:68\n"
     "warning CC2501 0/Definitions/swagger.yaml:6:3\n"},
    {"references that lead nowhere",
     OAS3 GET("'200': {$ref: 'a.yaml#/b'}, '201': {$ref: '#/b'}, '202': {$ref: '#/paths/~1a/get/"
              "responses/202'}"),
     NULL,
     "error CC1204 0/Definitions/swagger.yaml:5:15\nerror CC1203 0/Definitions/swagger.yaml:5:43\n"
     "error CC1203 0/Definitions/swagger.yaml:5:65\n"},
    {"wrong types", OAS3 GET("'200': 1, '201': {content: []}, '202': {content: {a/b: 1}}"), NULL,
     "error CC1201 0/Definitions/swagger.yaml:5:8\nerror CC1201 0/Definitions/swagger.yaml:5:28\n"
     "error CC1201 0/Definitions/swagger.yaml:5:56\n"},
    {"numbers that JSON lacks, and U+0000",
     OAS3 GET("'200': {content: {a/b: {example: [.inf]}, a/c: {example: \"a\\0b\"}}}"), NULL,
     "error CC2502 0/Definitions/swagger.yaml:5:34\nerror CC2502 0/Definitions/swagger.yaml:5:58\n"},
    {"endpoints that are not called",
     OAS3 "x-wso2-production-endpoints: {urls: [\"http://b\"]}\n"
          "paths: {/a: {get: {responses: {'200': {}}}}}\n",
     "200\n", "warning CC2505 0/Definitions/swagger.yaml:2:30\n"},
};

static int build(struct fixture *f, const char *api, const char *openapi)
{
    fixture_open(f);
    fixture_project(f);
    fixture_file(f, "api.yaml", api);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
    return fixture_build(f);
}

static void answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char findings[2048], text[2048];
        struct fixture f;
        int rc = build(&f, API(""), cases[i].openapi);

        print_message("%s\n", cases[i].name);
        assert_string_equal(fixture_findings(&f, findings, sizeof(findings)), cases[i].findings);
        assert_int_equal(rc, cases[i].answers != NULL ? CC_OK : CC_EREFUSED);
        if (rc == CC_OK) {
            const struct gw_api *api = &f.model->apis[0];

            assert_true(api->mock && api->production == NULL && api->sandbox == NULL);
            assert_int_equal(f.model->n_clusters, 0);
            assert_string_equal(
                answers_text(&api->resources[0].operations[0], text, sizeof(text)),
                cases[i].answers);
            assert_int_equal(f.model->n_headers, 3);
            assert_true(slice_is(f.model->headers[0], "accept"));
            assert_true(slice_is(f.model->headers[2], "prefer"));
        }
        fixture_close(&f);
    }
}

/* 12 KiB and no more. */
static void large_examples(void **state)
{
    static char document[20000];

    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct fixture f;
        struct diag_view v;
        int n = snprintf(document, sizeof(document), "%s",
                         OAS3 "paths: {/a: {get: {responses: {'200': {content: {a/b: {example: ");

        memset(document + n, 'x', 12288 + more);
        snprintf(document + n + 12288 + more, 16, "}}}}}}}\n");
        assert_int_equal(build(&f, API(""), document), more == 0 ? CC_OK : CC_EREFUSED);
        if (more > 0) {
            assert_true(diag_get(f.diag, 0, &v));
            assert_int_equal(v.code, CC2502);
            assert_true(slice_contains(v.message, SLICE("longer than 12288 bytes")));
        }
        fixture_close(&f);
    }
}

static const struct {
    const char *name, *api, *findings;
    bool built, mock, open;
} kinds[] = {
    {"mock", API(""), "", true, true, false},
    {"a mock prototype asks for tokens", API("  lifeCycleStatus: PROTOTYPED\n"), "", true, true,
     false},
    {"case does not count",
     "type: api\ndata: {name: P, version: v, context: /p, type: HTTP, "
     "endpointImplementationType: mocked_oas}\n",
     "", true, true, false},
    {"endpoints of api.yaml are not even looked at",
     API("  endpointConfig: {production_endpoints: {url: 'http://b:99999'}}\n"), "", true, true,
     false},
    {"a prototype with an endpoint",
     "type: api\ndata:\n  name: P\n  version: v\n  context: /p\n  type: HTTP\n"
     "  endpointImplementationType: ENDPOINT\n  lifeCycleStatus: Prototyped\n"
     "  endpointConfig: {production_endpoints: {url: 'http://b'},\n"
     "    sandbox_endpoints: {url: 'http://s'}, implementation_status: prototyped}\n",
     "warning CC2110 0/api.yaml:8:20\n", true, false, true},
    {"a slip of the pen",
     "type: api\ndata:\n  name: P\n  version: v\n  context: /p\n  type: HTTP\n"
     "  endpointImplementationType: MOCK_OAS\n"
     "  endpointConfig: {production_endpoints: {url: 'http://b'}}\n",
     "warning CC1206 0/api.yaml:7:31\n", true, false, false},
    {"scripts",
     "type: api\ndata:\n  name: P\n  version: v\n  context: /p\n  type: HTTP\n"
     "  endpointImplementationType: INLINE\n"
     "  endpointConfig: {production_endpoints: {url: 'http://b'}}\n",
     "error CC1204 0/api.yaml:7:31\n", false, false, false},
};

static void implementation_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char findings[1024];
        struct fixture f;
        int rc = build(&f, kinds[i].api, OAS3 GET("'200': {}"));

        print_message("%s\n", kinds[i].name);
        assert_string_equal(fixture_findings(&f, findings, sizeof(findings)), kinds[i].findings);
        assert_int_equal(rc, kinds[i].built ? CC_OK : CC_EREFUSED);
        if (rc == CC_OK) {
            assert_int_equal(f.model->apis[0].mock, kinds[i].mock);
            assert_int_equal(f.model->apis[0].production == NULL, kinds[i].mock);
            assert_int_equal(f.model->apis[0].resources[0].operations[0].open, kinds[i].open);
        }
        fixture_close(&f);
    }
}

/* How often `what` is in cc.cfg. */
static size_t times(const char *cfg, const char *what)
{
    size_t n = 0;

    for (const char *at = cfg; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* HAProxy's configuration grows with statuses and header names, not with examples. */
static void rules_of_haproxy(void **state)
{
    static const char document[] =
        OAS3 "paths:\n"
             "  /a: {get: {responses: {'404': {}, default: {headers: {X-A: {example: 1}}}}}}\n"
             "  /b: {get: {responses: {'404': {content: {a/b: {examples: {a: {value: 1}, b: "
             "{value: \"2\\n\"}}}}}}}}\n"
             "  /c: {get: {responses: {50x: {headers: {x-a: {example: 2}, X-B: {example: 3}}}}}}\n"
             "  /d: {get: {responses: {'204': {}}}}\n";
    struct render_output out;
    struct fixture f;
    const char *cfg;

    (void)state;
    assert_int_equal(build(&f, API(""), document), CC_OK);
    f.config.agent.socket = SLICE("/run/a.sock");
    f.config.router.listener_port = 9090;
    f.config.router.listener_host = SLICE("127.0.0.1");
    assert_int_equal(render_haproxy(&out, f.model, &f.config, "/out", NULL, f.arena, f.diag),
                     CC_OK);
    cfg = NULL;
    for (size_t i = 0; i < out.n_files; i++) {
        if (slice_is(out.files[i].name, "haproxy/cc.cfg"))
            cfg = out.files[i].text.p;
    }
    assert_non_null(cfg);
    cfg = strstr(cfg, "\nbackend cc_mock ");
    assert_non_null(cfg);
    assert_int_equal(times(cfg, "http-after-response set-status "), 1 + 1 + 10);
    assert_int_equal(times(cfg, "http-after-response set-status 404 "), 1);
    assert_int_equal(times(cfg, "return status 204 if "), 1);
    assert_int_equal(times(cfg, "content-type text/plain lf-string"), 2);
    assert_int_equal(times(cfg, "lf-string \"%[var(txn.cc.body),field(1,\\n)]\" if"), 1);
    assert_int_equal(times(cfg, "lf-string \"%[var(txn.cc.body),field(1,\\n)]\\n%[var(txn.cc.body),"
                                "field(2,\\n)]\" if"),
                     1);
    assert_int_equal(times(cfg, "set-header x-a %[var(txn.cc.headers),json_query('$.x-a')] if"), 1);
    assert_int_equal(times(cfg, "set-header x-b "), 1);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(large_examples),
        cmocka_unit_test(implementation_types),
        cmocka_unit_test(rules_of_haproxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
