/* Extensions in the chain: where they stand, what they see, what they may do, and what becomes of
 * those that do something else. */
#include "regress/unit/enforce/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LIMIT_US = 100, MAX_SEEN = 16 };

static struct {
    struct fixture fixture;
    struct enforce_rules *rules;
    struct enforce_worker *worker;
    struct clock_fixed clock;
    struct enforce_filters filters;
    struct enforce_decision d;
    char seen[MAX_SEEN][64]; /* what extensions wrote down */
    size_t n_seen;
} t;

/* A filter's behaviour is its state. */
typedef enum cc_result (*behaviour)(struct cc_request *r);

static enum cc_result behave(void *state, struct cc_request *r)
{
    return (*(behaviour *)state)(r);
}

static enum cc_result behave_claims(void *state, struct cc_claims *c)
{
    return (*(enum cc_result(**)(struct cc_claims *))state)(c);
}

static const struct cc_extension filter = {CC_EXTENSION_HEAD, .on_request = behave};
static const struct cc_extension transformer = {CC_EXTENSION_HEAD, .on_claims = behave_claims};

static struct cc_text text(const char *s)
{
    return (struct cc_text){s, strlen(s)};
}

static void see(const char *what, struct cc_text value)
{
    assert_true(t.n_seen < MAX_SEEN);
    snprintf(t.seen[t.n_seen++], sizeof t.seen[0], "%s%.*s", what, (int)value.n,
             value.p != NULL ? value.p : "");
}

static const struct slice request_headers[] = {SLICE_INIT("x-token")};
static const struct slice set_headers[] = {SLICE_INIT("x-user"), SLICE_INIT("x-level")};
static const struct slice remove_headers[] = {SLICE_INIT("cookie"), SLICE_INIT("x-level")};
static struct gw_filter built[3] = {
    {.name = SLICE_INIT("one")}, {.name = SLICE_INIT("two")}, {.name = SLICE_INIT("three")}};

static int setup(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    fixture_init(&t.fixture);
    clock_fixed_init(&t.clock, FIXTURE_NOW, 0);
    for (size_t i = 0; i < 3; i++) {
        built[i].request_headers = request_headers;
        built[i].n_request_headers = 1;
        built[i].set_headers = set_headers;
        built[i].n_set_headers = 2;
        built[i].remove_headers = remove_headers;
        built[i].n_remove_headers = 2;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    enforce_worker_free(&t.worker);
    enforce_rules_unref(&t.rules);
    fixture_free(&t.fixture);
    return 0;
}

static void add(const struct cc_extension *e, void *state, enum enforce_filter_position position)
{
    struct enforce_filter *f = &t.filters.items[t.filters.n];

    *f = (struct enforce_filter){built[t.filters.n].name, e, state, position, LIMIT_US};
    built[t.filters.n].position = position;
    t.filters.n++;
}

/* With as many filters as were added, built. */
static void start(void)
{
    static const struct enforce_options options = {100, 1 << 16};

    t.fixture.model.filters = built;
    t.fixture.model.n_filters = t.filters.n;
    t.rules = fixture_rules(&t.fixture);
    assert_int_equal(enforce_worker_new(&t.worker, &options), CC_OK);
    enforce_worker_set_filters(t.worker, &t.filters);
}

static enum enforce_verdict ask(const char *path, const char *authorization)
{
    struct enforce_header headers[2] = {{.count = 0}, {.value = SLICE("tok"), .count = 2}};
    struct enforce_request request = {.id = SLICE("id-1"),
                                      .method = SLICE("GET"),
                                      .path = slice_of(path),
                                      .query = SLICE("a=b"),
                                      .host = SLICE("X:80"),
                                      .headers = headers};

    if (authorization != NULL)
        headers[0] = (struct enforce_header){.value = slice_of(authorization), .count = 1};
    enforce_decide(t.worker, t.rules, NULL, &request, &t.clock.clock, &t.d);
    return t.d.verdict;
}

static void expect_broken(const char *reason)
{
    assert_int_equal(t.d.verdict, ENFORCE_DENY);
    assert_int_equal(t.d.status, 503);
    assert_true(slice_is(t.d.code, "102500"));
    if (!slice_contains(t.d.reason, slice_of(reason)))
        fail_msg("the reason is \"%.*s\", expected \"%s\"", SLICE_ARG(t.d.reason), reason);
}

static enum cc_result look(struct cc_request *r)
{
    static const struct {
        enum cc_fact fact;
        const char *name;
    } facts[] = {{CC_ID, "id "},           {CC_METHOD, "method "},     {CC_PATH, "path "},
                 {CC_QUERY, "query "},     {CC_HOST, "host "},         {CC_API_NAME, "api "},
                 {CC_API_VERSION, "v "},   {CC_RESOURCE, "resource "}, {CC_USER, "user "},
                 {CC_APPLICATION, "app "}, {CC_KEY_TYPE, "keytype "}};
    unsigned count;
    struct cc_text token = CC_CALLS(r)->header(r, "X-Token", &count);

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        see(facts[i].name, CC_CALLS(r)->text(r, facts[i].fact));
    see(count == 2 ? "two " : "", token);
    return CC_CONTINUE;
}

static char *sign(const char *claims)
{
    static char header[2048];
    char payload[512];
    char *token;

    snprintf(payload, sizeof payload, "{\"iss\":\"https://rsa\",\"exp\":%d%s}", FIXTURE_NOW + 60,
             claims);
    token = fixture_sign(&t.fixture, FIXTURE_RSA, JWT_RS256, payload);
    snprintf(header, sizeof header, "Bearer %s", token);
    free(token);
    return header;
}

static void they_see_what_is_known(void **state)
{
    static const char *const before[] = {
        "id id-1",  "method GET", "path /pets/1.0/pets/7", "query a=b", "host x",
        "api Pets", "v 1.0",      "resource /pets/{id}",   "user ",     "app ",
        "keytype ", "two tok"};
    behaviour b = look;

    (void)state;
    add(&filter, &b, ENFORCE_BEFORE_AUTHENTICATION);
    start();
    assert_int_equal(ask("/pets/1.0/pets/7", sign(",\"sub\":\"alice\",\"azp\":\"app7\"")),
                     ENFORCE_ALLOW);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        assert_string_equal(t.seen[i], before[i]);
    t.n_seen = 0;
    t.filters.items[0].position = built[0].position = ENFORCE_BEFORE_THROTTLING;
    enforce_rules_unref(&t.rules);
    t.rules = fixture_rules(&t.fixture);
    enforce_worker_set_filters(t.worker, &t.filters);
    assert_int_equal(ask("/pets/1.0/pets/7", sign(",\"sub\":\"alice\",\"azp\":\"app7\"")),
                     ENFORCE_ALLOW);
    assert_string_equal(t.seen[8], "user alice");
    assert_string_equal(t.seen[9], "app app7");
    assert_string_equal(t.seen[10], "keytype PRODUCTION");
}

static enum cc_result first(struct cc_request *r)
{
    (void)r;
    see("first", text(""));
    return CC_CONTINUE;
}

static enum cc_result second(struct cc_request *r)
{
    (void)r;
    see("second", text(""));
    return CC_CONTINUE;
}

static enum cc_result refuse_all(struct cc_request *r)
{
    see("refuse", text(""));
    CC_CALLS(r)->reason(r, "it \"is\"\nlate");
    CC_CALLS(r)->deny(r, 429, "900800", "Too \"much\"", "Come back\nlater");
    return CC_DENIED;
}

/* By position; nothing after one that denies, and nothing where authentication does. */
static void they_stand_where_they_are_put(void **state)
{
    behaviour a = first, b = second, c = refuse_all;

    (void)state;
    add(&filter, &a, ENFORCE_BEFORE_AUTHENTICATION);
    add(&filter, &b, ENFORCE_BEFORE_THROTTLING);
    add(&filter, &c, ENFORCE_AFTER_THROTTLING);
    start();
    ask("/pets/1.0/pets/7", NULL);
    assert_int_equal(t.d.status, 401);
    assert_int_equal(t.n_seen, 1);
    assert_string_equal(t.seen[0], "first");
    assert_int_equal(ask("/pets/1.0/open", NULL), ENFORCE_DENY);
    assert_int_equal(t.n_seen, 4);
    assert_string_equal(t.seen[3], "refuse");
    assert_int_equal(t.d.status, 429);
    assert_true(slice_is(t.d.code, "900800"));
    assert_true(slice_is(t.d.body, "{\"error_message\":\"Too \\\"much\\\"\",\"code\":\"900800\","
                                   "\"error_description\":\"Come back\\nlater\"}"));
    assert_true(slice_is(t.d.reason, "it ?is??late"));
    assert_int_equal(t.d.backend.n, 0);
    /* nobody is asked about what is not there */
    t.n_seen = 0;
    ask("/nowhere", NULL);
    assert_int_equal(t.d.status, 404);
    assert_int_equal(t.n_seen, 0);
}

static enum cc_result change(struct cc_request *r)
{
    char large[513];

    memset(large, 'a', sizeof large);
    assert_true(CC_CALLS(r)->set_header(r, "X-User", text("al\"ice")));
    assert_true(CC_CALLS(r)->set_header(r, "x-level", text("1")));
    assert_true(CC_CALLS(r)->set_header(r, "x-level", text("2")));
    assert_true(CC_CALLS(r)->remove_header(r, "Cookie"));
    assert_false(CC_CALLS(r)->set_header(r, "host", text("evil")));
    assert_false(CC_CALLS(r)->set_header(r, "cookie", text("a")));
    assert_false(CC_CALLS(r)->remove_header(r, "x-user"));
    assert_false(CC_CALLS(r)->set_header(r, "x-user", text("a\r\nb")));
    assert_false(CC_CALLS(r)->set_header(r, "x-user", (struct cc_text){large, sizeof large}));
    assert_false(CC_CALLS(r)->set_header(r, "x-user", (struct cc_text){NULL, 0}));
    assert_false(CC_CALLS(r)->set_header(r, NULL, text("a")));
    return CC_CONTINUE;
}

static enum cc_result change_again(struct cc_request *r)
{
    assert_true(CC_CALLS(r)->remove_header(r, "x-level"));
    return CC_CONTINUE;
}

static void headers_are_changed(void **state)
{
    behaviour a = change, b = change_again;

    (void)state;
    add(&filter, &a, ENFORCE_BEFORE_AUTHENTICATION);
    start();
    assert_int_equal(ask("/pets/1.0/open", NULL), ENFORCE_ALLOW);
    assert_true(slice_is(t.d.set_headers, "{\"x-user\":\"al\\\"ice\",\"x-level\":\"2\"}"));
    assert_true(slice_is(t.d.remove_headers, " cookie "));
    teardown(state);
    setup(state);
    add(&filter, &a, ENFORCE_BEFORE_AUTHENTICATION);
    add(&filter, &b, ENFORCE_AFTER_THROTTLING); /* the last word counts */
    start();
    assert_int_equal(ask("/pets/1.0/open", NULL), ENFORCE_ALLOW);
    assert_true(slice_is(t.d.set_headers, "{\"x-user\":\"al\\\"ice\"}"));
    assert_true(slice_is(t.d.remove_headers, " x-level  cookie ") ||
                slice_contains(t.d.remove_headers, SLICE(" x-level ")));
}

static enum cc_result route(struct cc_request *r)
{
    return CC_CALLS(r)->route(r, text("far")) && !CC_CALLS(r)->route(r, text("mars")) ? CC_CONTINUE
                                                                                      : CC_DENIED;
}

static void endpoints_are_chosen(void **state)
{
    const struct gw_named_endpoints named = {.name = SLICE("far"), .cluster = &fixture_clusters[1]};
    struct gw_api *apis = malloc(t.fixture.model.n_apis * sizeof *apis);
    behaviour b = route;

    (void)state;
    assert_non_null(apis);
    memcpy(apis, t.fixture.model.apis, t.fixture.model.n_apis * sizeof *apis);
    for (size_t i = 0; i < t.fixture.model.n_apis; i++)
        if (slice_is(apis[i].name, "Pets")) {
            apis[i].named = &named;
            apis[i].n_named = 1;
        }
    t.fixture.model.apis = apis;
    add(&filter, &b, ENFORCE_AFTER_THROTTLING);
    start();
    assert_int_equal(ask("/pets/1.0/open", NULL), ENFORCE_ALLOW);
    assert_true(slice_eq(t.d.backend, fixture_clusters[1].name));
    assert_null(t.d.identity);
    free(apis);
}

static enum cc_result see_cookie(struct cc_request *r)
{
    CC_CALLS(r)->header(r, "cookie", NULL);
    return CC_CONTINUE;
}

static enum cc_result take_long(struct cc_request *r)
{
    (void)r;
    t.clock.now_mono_us += LIMIT_US + 1;
    return CC_CONTINUE;
}

static enum cc_result take_long_to_deny(struct cc_request *r)
{
    take_long(r);
    return refuse_all(r);
}

static enum cc_result just_in_time(struct cc_request *r)
{
    (void)r;
    t.clock.now_mono_us += LIMIT_US;
    return CC_CONTINUE;
}

static enum cc_result deny_without_words(struct cc_request *r)
{
    (void)r;
    return CC_DENIED;
}

static enum cc_result something_else(struct cc_request *r)
{
    (void)r;
    return (enum cc_result) - 1;
}

static enum cc_result bad_status(struct cc_request *r)
{
    CC_CALLS(r)->deny(r, 200, "1", "a", "b");
    return CC_DENIED;
}

static enum cc_result bad_code(struct cc_request *r)
{
    CC_CALLS(r)->deny(r, 403, "1\"", "a", "b");
    return CC_DENIED;
}

static enum cc_result deny_and_go_on(struct cc_request *r)
{
    CC_CALLS(r)->deny(r, 403, "1", NULL, NULL);
    return CC_CONTINUE;
}

static void what_a_filter_does_wrong(void **state)
{
    static const struct {
        behaviour b;
        const char *reason; /* NULL: it is not wrong */
    } cases[] = {
        {see_cookie, "filter one: it asks for a header that is not in its requestHeaders"},
        {take_long, "filter one: it took longer"},
        {take_long_to_deny, "filter one: it took longer"},
        {just_in_time, NULL},
        {deny_without_words, "filter one: it neither continued nor denied"},
        {something_else, "filter one: it neither continued nor denied"},
        {bad_status, "filter one: it denies with a status or a code"},
        {bad_code, "filter one: it denies with a status or a code"},
    };
    struct enforce_counters counters;
    behaviour b = deny_and_go_on;

    add(&filter, &b, ENFORCE_BEFORE_AUTHENTICATION);
    start();
    ask("/pets/1.0/open", NULL);
    assert_int_equal(t.d.status, 403); /* a denial is one, whatever it returns */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        b = cases[i].b;
        ask("/pets/1.0/open", NULL);
        if (cases[i].reason != NULL)
            expect_broken(cases[i].reason);
        else
            assert_int_equal(t.d.verdict, ENFORCE_ALLOW);
    }
    enforce_worker_counters(t.worker, &counters);
    assert_int_equal(counters.filtered, 1);
    assert_int_equal(counters.filter_overruns, 2);
    (void)state;
}

/* /ready says the same as every other request. */
static void expect_not_ready(const char *difference)
{
    char room[512];
    struct buf why;

    ask("/pets/1.0/open", NULL);
    expect_broken("has not the filters");
    ask("/ready", NULL);
    expect_broken("has not the filters");
    buf_init_fixed(&why, room, sizeof room);
    assert_false(enforce_filters_fit(&t.filters, &t.fixture.model, &why));
    if (!slice_is(buf_slice(&why), difference))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(buf_slice(&why)), difference);
}

/* Other filters than were built, more or fewer: closed. */
static void they_must_be_those_that_were_built(void **state)
{
    behaviour b = first;

    (void)state;
    t.fixture.model.system_host = SLICE("*");
    add(&filter, &b, ENFORCE_BEFORE_AUTHENTICATION);
    start();
    assert_int_equal(ask("/pets/1.0/open", NULL), ENFORCE_ALLOW);
    ask("/ready", NULL);
    assert_int_equal(t.d.verdict, ENFORCE_READY);
    t.filters.items[0].name = SLICE("other");
    enforce_worker_set_filters(t.worker, &t.filters);
    expect_not_ready("the agent has the filters other (position 1); built were one (position 1)");
    t.filters.items[0].name = built[0].name;
    t.filters.items[0].position = ENFORCE_AFTER_THROTTLING; /* it would see requests too late */
    enforce_worker_set_filters(t.worker, &t.filters);
    expect_not_ready("the agent has the filters one (position 3); built were one (position 1)");
    t.filters.n = 0;
    enforce_worker_set_filters(t.worker, &t.filters);
    expect_not_ready("the agent has the filters (none), built were one (position 1)");
    t.filters.absent = true; /* cc-gen explain */
    enforce_worker_set_filters(t.worker, &t.filters);
    assert_int_equal(ask("/pets/1.0/open", NULL), ENFORCE_ALLOW);
    assert_true(enforce_filters_fit(&t.filters, &t.fixture.model, NULL));
    teardown(state);
    setup(state);
    t.fixture.model.system_host = SLICE("*");
    start();
    add(&filter, &b, ENFORCE_BEFORE_AUTHENTICATION);
    enforce_worker_set_filters(t.worker, &t.filters);
    expect_not_ready("the agent has the filters one (position 1); built were none");
}

static unsigned transformed;

static enum cc_result groups_to_scopes(struct cc_claims *c)
{
    struct cc_text groups = c->calls->get(c, "groups");

    transformed++;
    assert_false(c->calls->set(c, "exp", text("9")));
    assert_false(c->calls->set(c, "iss", text("9")));
    assert_false(c->calls->remove(c, "aud"));
    assert_false(c->calls->set(c, NULL, text("9")));
    assert_int_equal(c->calls->issuer(c).n, strlen("https://rsa"));
    if (groups.p == NULL)
        return CC_DENIED;
    if (groups.n == 4)
        t.clock.now_mono_us += LIMIT_US + 1;
    c->calls->remove(c, "scope");
    assert_true(c->calls->set(c, "sub", text("changed")));
    return c->calls->set(c, "scope", text("read:pets")) ? CC_CONTINUE : CC_DENIED;
}

static void claims_are_changed(void **state)
{
    enum cc_result (*f)(struct cc_claims *) = groups_to_scopes;

    (void)state;
    add(&transformer, &f, ENFORCE_AFTER_THROTTLING);
    t.fixture.issuers[FIXTURE_RSA].claim_transformer = built[0].name;
    start();
    transformed = 0;
    for (int i = 0; i < 2; i++) { /* once, and then from the cache */
        assert_int_equal(ask("/pets/1.0/pets", sign(",\"groups\":\"staff\",\"scope\":7")),
                         ENFORCE_ALLOW);
        assert_true(slice_is(t.d.user, "changed"));
    }
    assert_int_equal(transformed, 1);
    ask("/pets/1.0/pets", sign(",\"scope\":\"read:pets\""));
    assert_int_equal(t.d.status, 401);
    assert_true(slice_contains(t.d.reason, SLICE("claim transformer")));
    ask("/pets/1.0/pets", sign(",\"groups\":\"slow\""));
    assert_int_equal(t.d.status, 503);
    /* a name that has no on_claims says nothing: nobody knows what the claims mean */
    t.filters.items[0].extension = &filter;
    teardown(state);
    setup(state);
    add(&filter, &f, ENFORCE_AFTER_THROTTLING);
    t.fixture.issuers[FIXTURE_RSA].claim_transformer = built[0].name;
    start();
    ask("/pets/1.0/pets", sign(",\"groups\":\"staff\",\"scope\":\"read:pets\""));
    assert_int_equal(t.d.status, 503);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(they_see_what_is_known),   TEST(they_stand_where_they_are_put),
        TEST(headers_are_changed),      TEST(endpoints_are_chosen),
        TEST(what_a_filter_does_wrong), TEST(they_must_be_those_that_were_built),
        TEST(claims_are_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
