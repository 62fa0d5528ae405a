/* What the contract's rows become here, one case a row: a project as texts, a request, and what the
 * gateway does with it. Each case is a test of its own, by its name; docs/compatibility.md names
 * the case beside the row, and regress/run-docs.sh holds the two together. */
#pragma once

#include "test_project_fixture.h"

#include "crypto/crypto.h"
#include "generator/explain.h"

#include <string.h>

#define COMPAT_DATA \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n"
#define COMPAT_BARE COMPAT_DATA "  type: HTTP\n" /* without endpoints */
#define COMPAT_API \
    COMPAT_BARE "  endpointConfig:\n    production_endpoints: {url: \"http://p/v2\"}\n"
#define COMPAT_BOTH COMPAT_API "    sandbox_endpoints: {url: \"http://s/v3\"}\n"
#define COMPAT_OAS2 "swagger: \"2.0\"\n"
#define COMPAT_OAS3 "openapi: 3.0.3\n"
#define COMPAT_PATH "paths:\n  /a:\n    get: {}\n"
#define COMPAT_DOC  COMPAT_OAS3 COMPAT_PATH

#define COMPAT_FILE(name) "\f" name "\n"

struct compat_case {
    const char *name;
    /* NULL: COMPAT_API, COMPAT_DOC. COMPAT_FILE() in `api` begins another file of the project. */
    const char *api, *openapi;
    /* "GET /pets/1.0.0/a": headers follow, separated by tabs; TOKEN, SANDBOX and SCOPED in them
     * stand for tokens: of no kind, for the sandbox, with the scope "read". NULL: nothing is asked.
     */
    const char *asked;
    /* The codes of the findings, errors with a "!", each followed by a blank. Then where the
     * request goes, "http://p/v2/a", or "401 900901"; a method that is not the request's own comes
     * first. */
    const char *expect;
};

struct compat_keys {
    struct key *key;
    struct buf pem;
};

static struct compat_keys compat_keys;

static inline void compat_add_token(struct buf *out, const char *claims)
{
    struct slice payload = slice_of(claims);

    assert_int_equal(jwt_sign(JWT_EdDSA, compat_keys.key, SLICE_NONE, payload, out), CC_OK);
}

/* The request with its tokens. */
static inline void compat_add_request(struct buf *out, const char *asked)
{
    static const struct {
        const char *word, *claims;
    } words[] = {
        {"TOKEN", "{\"iss\":\"https://test\",\"exp\":4102444800}"},
        {"SANDBOX", "{\"iss\":\"https://test\",\"exp\":4102444800,\"keytype\":\"SANDBOX\"}"},
        {"APIKEY", "{\"iss\":\"https://test\",\"token_type\":\"apiKey\"}"},
        {"SCOPED", "{\"iss\":\"https://test\",\"exp\":4102444800,\"scope\":\"read\"}"},
    };

    while (*asked != '\0') {
        size_t i = 0, all = sizeof(words) / sizeof(words[0]);

        while (i < all && strncmp(asked, words[i].word, strlen(words[i].word)) != 0)
            i++;
        if (i < all) {
            compat_add_token(out, words[i].claims);
            asked += strlen(words[i].word);
        } else {
            buf_add_char(out, *asked++);
        }
    }
}

static inline void compat_add_findings(struct buf *out, struct diag *diag)
{
    struct diag_view v;

    for (size_t i = 0; diag_get(diag, i, &v); i++)
        buf_printf(out, "%s%s ", v.severity == DIAG_ERROR ? "!" : "", diag_code_name(v.code));
}

static inline void compat_add_answer(struct buf *out, const struct explanation *x)
{
    if (x->cluster != NULL) {
        struct gw_endpoint first = x->cluster->endpoints[0];

        first.path = x->decision.path;
        view_add_endpoint(out, &first);
    } else {
        buf_printf(out, "%d%s%" PRIslice, x->status, x->decision.code.n > 0 ? " " : "",
                   SLICE_ARG(x->decision.code));
    }
}

/* Through the bytes that the agent would read, and its engine. */
static inline void compat_ask(struct fixture *f, const char *asked, struct buf *out)
{
    static struct explainer e;
    struct view view = {.work = {.arena = f->arena, .diag = f->diag}};
    struct explain_request request;
    struct explanation x;
    struct buf snapshot, line;

    buf_init(&snapshot, 1 << 20);
    buf_init(&line, EXPLAIN_MAX_BYTES);
    assert_int_equal(gw_snapshot_write(f->model, &snapshot), CC_OK);
    assert_int_equal(gw_snapshot_read(&view.snapshot, buf_slice(&snapshot), "test", f->diag),
                     CC_OK);
    view.model = gw_snapshot_model(view.snapshot);
    assert_int_equal(explainer_open(&e, &view, 1700000000), CC_OK);
    compat_add_request(&line, asked);
    assert_null(explain_request_line(&request, buf_slice(&line), f->arena));
    explain(&e, &request, &x);
    compat_add_answer(out, &x);
    explainer_close(&e);
    gw_snapshot_unref(&view.snapshot);
    buf_free(&line);
    buf_free(&snapshot);
}

static inline void compat_add_files(struct fixture *f, struct slice rest)
{
    struct slice text, name = SLICE("api.yaml");
    char names[64], texts[4096];

    while (slice_split(&rest, '\f', &text)) {
        if (name.p == NULL)
            slice_split(&text, '\n', &name);
        snprintf(names, sizeof(names), "%" PRIslice, SLICE_ARG(name));
        snprintf(texts, sizeof(texts), "%" PRIslice, SLICE_ARG(text));
        fixture_file(f, names, texts);
        name = SLICE_NONE; /* it is the first line of the next one */
    }
}

static inline void compat_run(void **state)
{
    const struct compat_case *c = *state;
    struct fixture f;
    char room[4096];
    struct buf got;
    int rc;

    fixture_open(&f);
    f.issuer.algorithms = 1u << JWT_EdDSA;
    f.issuer.pem = buf_slice(&compat_keys.pem);
    fixture_project(&f);
    compat_add_files(&f, slice_of(c->api != NULL ? c->api : COMPAT_API));
    fixture_file(&f, "Definitions/swagger.yaml", c->openapi != NULL ? c->openapi : COMPAT_DOC);
    rc = fixture_build(&f);
    buf_init_fixed(&got, room, sizeof(room));
    buf_add_str(&got, "");
    compat_add_findings(&got, f.diag);
    if (rc == CC_OK && c->asked != NULL)
        compat_ask(&f, c->asked, &got);
    assert_string_equal(room, c->expect);
    fixture_close(&f);
}

static inline int compat_group_open(void **state)
{
    (void)state;
    buf_init(&compat_keys.pem, 8192);
    return key_generate(&compat_keys.key, KEY_ED25519) != CC_OK ||
           key_write_public(compat_keys.key, &compat_keys.pem) != CC_OK;
}

static inline int compat_group_close(void **state)
{
    (void)state;
    key_free(&compat_keys.key);
    buf_free(&compat_keys.pem);
    return 0;
}

enum { COMPAT_MAX_CASES = 200 };

/* One test a case. */
static inline int compat_main(const char *group, const struct compat_case *cases, size_t n)
{
    static struct CMUnitTest tests[COMPAT_MAX_CASES];

    assert_true(n <= COMPAT_MAX_CASES);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){
            .name = cases[i].name, .test_func = compat_run, .initial_state = (void *)&cases[i]};
    return _cmocka_run_group_tests(group, tests, n, compat_group_open, compat_group_close);
}
