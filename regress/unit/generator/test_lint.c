/* Each rule of cc-gen lint: a document that breaks it, where the finding points, and one that does
 * not. */
#include "test_project_fixture.h"

#include "generator/review.h"

#include <string.h>

#define API                                                                         \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n"           \
    "  type: HTTP\n  context: /pets\n  endpointConfig:\n    production_endpoints: " \
    "{url: http://b:8080/v}\n"

/* Lines 1 and 2 of each document. A good operation, with what can be added to it. */
#define HEAD     "openapi: 3.0.3\ninfo: {title: Pets, version: 1.0.0, description: Pets.}\n"
#define OK       "responses: {'200': {description: OK}, '404': {description: none}}"
#define GOOD(id) "{operationId: " id ", summary: S, " OK "}"
#define ID       "{name: id, in: path, required: true, schema: {type: string}}"

struct rule_case {
    enum diag_code rule;
    const char *bad;
    unsigned line, col; /* of the finding */
    const char *good;
};

static const struct rule_case cases[] = {
    {CC8001, HEAD "paths:\n  /a:\n    get: {summary: S, " OK "}\n", 5, 5,
     HEAD "paths:\n  /a:\n    get: " GOOD("a") "\n"},
    {CC8002, HEAD "paths:\n  /a:\n    get: " GOOD("a") "\n    post: " GOOD("a") "\n", 6, 25,
     HEAD "paths:\n  /a:\n    get: " GOOD("a") "\n    post: " GOOD("b") "\n"},
    {CC8003, HEAD "paths:\n  /a:\n    get: {operationId: a, " OK "}\n", 5, 5,
     HEAD "paths:\n  /a:\n    get: {operationId: a, description: D, " OK "}\n"},
    {CC8004,
     HEAD "paths: {/a: {get: " GOOD("a") "}}\ncomponents:\n  securitySchemes:\n"
                                         "    k: {type: http, scheme: bearer}\n",
     6, 5,
     HEAD
     "paths: {/a: {get: " GOOD("a") "}}\nsecurity: [{k: []}]\ncomponents:\n"
                                    "  securitySchemes:\n    k: {type: http, scheme: bearer}\n"},
    {CC8005,
     HEAD "paths: {/a: {get: " GOOD(
         "a") "}}\nsecurity: [{k: [r]}]\ncomponents:\n"
              "  securitySchemes:\n    k: {type: oauth2, flows: {x: {scopes: {r: R, w: W}}}}\n",
     7, 50,
     HEAD "paths: {/a: {get: " GOOD(
         "a") "}}\nsecurity: [{k: [r]}, {k: [w]}]\ncomponents:\n"
              "  securitySchemes:\n    k: {type: oauth2, flows: {x: {scopes: {r: R, w: W}}}}\n"},
    {CC8006, HEAD "paths:\n  /a/{id}:\n    get: " GOOD("a") "\n", 5, 5,
     HEAD "paths:\n  /a/{id}:\n    parameters: [{$ref: '#/components/parameters/p'}]\n"
          "    get: " GOOD("a") "\ncomponents: {parameters: {p: " ID "}}\n"},
    {CC8006, HEAD "paths:\n  '/a/{id}.{ext}':\n    parameters: [" ID "]\n    get: " GOOD("a") "\n",
     6, 5,
     HEAD "paths:\n  /a/{id}:\n    get: {operationId: a, summary: S, parameters: [" ID "], " OK
          "}\n"},
    {CC8007, HEAD "paths:\n  /a:\n    parameters: [" ID "]\n    get: " GOOD("a") "\n", 5, 18,
     HEAD "paths:\n  /a/{id}:\n    parameters: [" ID "]\n    get: " GOOD("a") "\n"},
    {CC8008,
     HEAD "paths:\n  '/a/{id}': {get: " GOOD(
         "a") ", parameters: [" ID "]}\n"
              "  '/a/{key}/b': {get: " GOOD(
                  "b") ", parameters: [{name: key, in: path, required: true}]}\n",
     5, 3,
     HEAD "paths:\n  '/a/{id}': {get: " GOOD("a") ", parameters: [" ID "]}\n"
                                                  "  '/a/{id}/b': {get: " GOOD(
                                                      "b") ", parameters: [" ID "]}\n"
                                                           "  '/c/{id}/b': {get: " GOOD(
                                                               "c") ", parameters: [" ID "]}\n"},
    {CC8009, HEAD "paths:\n  /a: {get: " GOOD("a") "}\n  /a/: {get: " GOOD("b") "}\n", 5, 3,
     HEAD "paths:\n  /a: {get: " GOOD("a") "}\n  /a/b: {get: " GOOD("b") "}\n"},
    {CC8010, HEAD "x-wso2-basePath: /\npaths:\n  /health: {get: " GOOD("a") "}\n", 5, 3,
     HEAD "x-wso2-basePath: /v\npaths:\n  /health: {get: " GOOD("a") "}\n"},
    {CC8010, HEAD "x-wso2-basePath: /\npaths:\n  /ready: {get: " GOOD("a") "}\n", 5, 3,
     HEAD "x-wso2-basePath: /\npaths:\n  '/{id}': {get: " GOOD("a") ", parameters: [" ID "]}\n"
                                                                    "  /*: {get: " GOOD("b") "}\n"},
    {CC8011,
     HEAD "paths:\n  '/a/{id}': {delete: " GOOD("a") ", parameters: [" ID "]}\n"
                                                     "  /a/mine: {get: " GOOD("b") "}\n",
     5, 3,
     HEAD "paths:\n  '/a/{id}': {get: " GOOD(
         "a") ", parameters: [" ID "]}\n"
              "  /a/mine: {get: " GOOD("b") "}\n  /a/mine/b: {put: " GOOD("c") "}\n"},
    {CC8011, HEAD "paths:\n  /*: {post: " GOOD("a") "}\n  /a/b: {get: " GOOD("b") "}\n", 5, 3,
     HEAD "paths:\n  /b/*: {post: " GOOD("a") "}\n  /a/b: {get: " GOOD("b") "}\n"},
    {CC8012,
     HEAD "paths:\n  /a:\n    get: {operationId: a, summary: S, " OK
          ", requestBody: {content: {}}}\n",
     5, 119,
     HEAD "paths:\n  /a:\n    post: {operationId: a, summary: S, " OK
          ", requestBody: {content: {}}}\n"},
    {CC8012,
     "swagger: '2.0'\ninfo: {title: Pets, version: 1.0.0, description: Pets.}\npaths:\n  /a:\n"
     "    delete: {operationId: a, summary: S, parameters: [{in: body, name: b}], " OK "}\n",
     5, 55,
     "swagger: '2.0'\ninfo: {title: Pets, version: 1.0.0, description: Pets.}\npaths:\n  /a:\n"
     "    delete: {operationId: a, summary: S, parameters: [{in: query, name: b}], " OK "}\n"},
    {CC8013,
     HEAD
     "paths:\n  /a:\n    get: {operationId: a, summary: S, responses: {'200': {description: O}}}\n",
     5, 5,
     HEAD "paths:\n  /a:\n    get: {operationId: a, summary: S, responses: {default: {description: "
          "O}}}\n"},
    {CC8014,
     HEAD
     "paths:\n  /a:\n    get: {operationId: a, summary: S, responses: {'404': {description: O}}}\n",
     5, 5,
     HEAD "paths:\n  /a:\n    get: {operationId: a, summary: S, responses: {3XX: {description: O}, "
          "4XX: {description: O}}}\n"},
    {CC8015,
     HEAD "paths:\n  /a/{id}:\n    parameters: [{name: id, in: path}]\n    get: " GOOD("a") "\n", 5,
     18,
     HEAD "paths:\n  /a/{id}:\n    parameters: [" ID
          ", {name: q, in: query}]\n    get: " GOOD("a") "\n"},
    {CC8016,
     "openapi: 3.0.3\ninfo: {title: Pets, version: 1.0.0}\npaths: {/a: {get: " GOOD("a") "}}\n", 2,
     7, HEAD "paths: {/a: {get: " GOOD("a") "}}\n"},
    {CC8017,
     "openapi: 3.0.3\ninfo: {title: P, version: 1.0.1, description: P}\npaths: {/a: {get: " GOOD(
         "a") "}}\n",
     2, 27, HEAD "paths: {/a: {get: " GOOD("a") "}}\n"},
    {CC8018,
     HEAD
     "paths: {/a: {get: " GOOD("a") "}}\nx-a: {$ref: '#/none'}\ncomponents:\n"
                                    "  schemas: {A: {items: {$ref: '#/components/schemas/B'}}}\n",
     6, 31,
     HEAD
     "paths: {/a: {get: " GOOD("a") "}}\ncomponents:\n"
                                    "  schemas: {A: {items: {$ref: '#/components/schemas/B'}}, B: "
                                    "{example: {$ref: '#/x'}}}\n"},
    {CC8019,
     HEAD "paths: {/a: {get: " GOOD("a") "}}\ncomponents:\n  schemas: {A: {$ref: 'a.yaml#/B'}}\n",
     5, 23,
     HEAD "paths: {/a: {get: " GOOD(
         "a") "}}\ncomponents:\n  schemas: {A: {properties: {$ref: {type: string}}}}\n"},
    {CC8020, HEAD "paths:\n  /Pets: {get: " GOOD("a") "}\n  /pets: {get: " GOOD("b") "}\n", 5, 3,
     HEAD "paths:\n  /Pets: {get: " GOOD("a") "}\n  /Cats: {get: " GOOD("b") "}\n"},
};

/* The findings of lint over one document, into r->diag. */
static void lint(struct fixture *f, const char *openapi, struct review *r)
{
    struct project_docs docs[1];

    fixture_project(f);
    fixture_file(f, "api.yaml", API);
    fixture_file(f, "Definitions/swagger.yaml", openapi);
    f->options.docs = docs;
    if (fixture_build(f) != CC_OK) {
        diag_print(f->diag, stderr, false);
        fail_msg("this does not build:\n%s", openapi);
    }
    r->config = &f->config;
    r->model = f->model;
    r->projects = docs;
    r->n_projects = 1;
    r->arena = f->arena;
    r->diag = diag_new();
    lint_projects(r);
    assert_int_equal(r->rc, CC_OK);
}

static size_t count_of(const struct diag *d, enum diag_code rule, struct diag_view *found)
{
    struct diag_view v;
    size_t n = 0;

    for (size_t i = 0; diag_get(d, i, &v); i++) {
        if (v.code != rule)
            continue;
        *found = v;
        n++;
    }
    return n;
}

static void test_rules(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct rule_case *c = &cases[i];
        const char *name = diag_code_name(c->rule);
        struct review bad = {.rc = CC_OK}, good = {.rc = CC_OK};
        struct diag_view v = {.severity = DIAG_INFO};
        enum diag_severity severity;
        struct fixture f;
        size_t n;

        fixture_open(&f);
        lint(&f, c->bad, &bad);
        n = count_of(bad.diag, c->rule, &v);
        if (n != 1 || v.place.line != c->line || v.place.col != c->col) {
            diag_print(bad.diag, stderr, false);
            print_error("%s (case %zu): %zu findings, the last at %u:%u, not one at %u:%u\n", name,
                        i, n, v.place.line, v.place.col, c->line, c->col);
            wrong++;
        }
        assert_true(review_severity(c->rule, &severity));
        assert_int_equal(v.severity, severity);
        assert_true(v.help.n > 0);
        diag_free(&bad.diag);
        fixture_close(&f);

        fixture_open(&f);
        lint(&f, c->good, &good);
        if (count_of(good.diag, c->rule, &v) != 0) {
            diag_print(good.diag, stderr, false);
            print_error("%s (case %zu) is found in the good document\n", name, i);
            wrong++;
        }
        diag_free(&good.diag);
        fixture_close(&f);
    }
    assert_int_equal(wrong, 0);
}

/* Each rule of the table has a case above. */
static void test_all_rules_have_cases(void **state)
{
    static const enum diag_code rules[] = {
#define RULE(code, severity, title, explanation) code,
#include "base/diag_lint.def"
#undef RULE
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        bool found = false;

        for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
            found = found || cases[k].rule == rules[i];
        if (!found)
            fail_msg("%s has no case", diag_code_name(rules[i]));
    }
}

static void test_good_document(void **state)
{
    struct review r = {.rc = CC_OK};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    lint(&f, HEAD "paths:\n  /a: {get: " GOOD("a") "}\n", &r);
    assert_int_equal(diag_errors(r.diag) + diag_warnings(r.diag) + diag_infos(r.diag), 0);
    diag_free(&r.diag);
    fixture_close(&f);
}

static void test_ignore(void **state)
{
    struct review r = {.rc = CC_OK};
    struct diag_view v;
    struct fixture f;

    (void)state;
    r.ignored[CC8001] = true;
    fixture_open(&f);
    lint(&f, HEAD "paths:\n  /a: {get: {" OK "}}\n", &r);
    assert_int_equal(count_of(r.diag, CC8001, &v), 0);
    assert_int_equal(count_of(r.diag, CC8003, &v), 1);
    diag_free(&r.diag);
    fixture_close(&f);
}

/* One API on two virtual hosts is looked at once. */
static void test_once(void **state)
{
    struct review r = {.rc = CC_OK};
    struct diag_view v;
    struct fixture f;
    struct project_docs docs[1];

    (void)state;
    fixture_open(&f);
    fixture_project(&f);
    fixture_file(&f, "api.yaml", API);
    fixture_file(&f, "deployment_environments.yaml",
                 "type: x\ndata:\n  - deploymentEnvironment: Default\n"
                 "  - deploymentEnvironment: Staging\n");
    fixture_file(&f, "Definitions/swagger.yaml",
                 HEAD "x-wso2-basePath: /\npaths:\n  /health: {get: " GOOD("a") "}\n");
    f.options.docs = docs;
    assert_int_equal(fixture_build(&f), CC_OK);
    assert_int_equal(f.model->n_apis, 2);
    r = (struct review){&f.config, f.model, docs, 1, f.arena, diag_new(), {false}, CC_OK};
    lint_projects(&r);
    assert_int_equal(count_of(r.diag, CC8010, &v), 1);
    diag_free(&r.diag);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),         cmocka_unit_test(test_all_rules_have_cases),
        cmocka_unit_test(test_good_document), cmocka_unit_test(test_ignore),
        cmocka_unit_test(test_once),
    };

    return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}
