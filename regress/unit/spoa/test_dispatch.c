/* From a NOTIFY to the variables of its ACK, with the real decision engine behind. */
#include "regress/tools/spop_peer.h"
#include "regress/unit/enforce/alloc_count.h"
#include "regress/unit/enforce/fixture.h"
#include "spoa/dispatch.h"
#include "spoa/vars.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAX_FRAME = 16380 };

struct bench {
    struct fixture fixture;
    struct dispatch *dispatch;
    struct responder *responder;
    struct jwks_wanted wanted;
    struct counters counters;
    struct clock_fixed clock;
    int64_t hgen;      /* of the HAProxy that asks; 0: of none */
    char header[2048]; /* "Bearer " and the last token that was signed */
    uint8_t notify[SPOP_MAX_FRAME_SIZE], ack[SPOP_LENGTH_SIZE + SPOP_MAX_FRAME_SIZE];
    size_t n_ack;
};

static int setup(void **state)
{
    static const struct enforce_options options = {100, 1 << 20};
    struct bench *b = calloc(1, sizeof *b);

    if (b == NULL)
        return -1;
    fixture_init(&b->fixture);
    clock_fixed_init(&b->clock, FIXTURE_NOW, 0);
    if (dispatch_new(&b->dispatch, &options, fixture_rules(&b->fixture), &b->wanted) != CC_OK)
        return -1;
    b->responder = dispatch_responder(b->dispatch);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    dispatch_free(&b->dispatch);
    fixture_free(&b->fixture);
    free(b);
    return 0;
}

struct request {
    const char *method, *path, *host, *header; /* NULL = NULL value */
    int soap;                                  /* 0 = NULL value */
};

static void put(struct spop_writer *w, const char *name, const char *value)
{
    if (value != NULL)
        peer_put_text(w, name, slice_of(value));
    else
        peer_put_null(w, name);
}

/* The message as the generated SPOE section sends it; headers: authorization, x-token. */
static void put_request(struct spop_writer *w, const struct request *r)
{
    put(w, "id", "r-1");
    spop_put_name(w, SLICE("src"));
    spop_put_varint(w, SPOP_IPV4);
    for (int i = 0; i < 4; i++)
        spop_put_varint(w, 10);
    put(w, "method", r->method);
    put(w, "path", r->path);
    put(w, "query", NULL);
    put(w, "host", r->host);
    spop_put_name(w, SLICE("tls"));
    spop_put_bool(w, true);
    put(w, "cert", NULL);
    put(w, "certhdr", NULL);
    if (r->soap != 0)
        peer_put_int(w, "soap", r->soap);
    else
        put(w, "soap", NULL);
    put(w, "login", NULL);
    put(w, "scope", NULL);
    put(w, "h.authorization", r->header);
    peer_put_int(w, "n.authorization", r->header != NULL);
    put(w, "h.x-token", NULL);
    peer_put_int(w, "n.x-token", 0);
}

enum { REQUEST_ARGS = 16 };

/* Ends the NOTIFY in w and has it answered. */
static void answer(struct bench *b, struct spop_writer *w, size_t max_frame)
{
    size_t n = spop_end(w, SPOP_MAX_FRAME_SIZE);
    struct spop_frame f;

    assert_true(n > 0);
    assert_int_equal(
        spop_read_frame(slice_make(b->notify + SPOP_LENGTH_SIZE, n - SPOP_LENGTH_SIZE), &f),
        SPOP_NORMAL);
    b->n_ack = b->responder->answer(b->responder, &f, NULL, &b->clock.clock, &b->counters, b->ack,
                                    max_frame);
    assert_true(b->n_ack <= SPOP_LENGTH_SIZE + max_frame);
}

static void ask(struct bench *b, const struct request *r)
{
    struct spop_writer w;

    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", REQUEST_ARGS + 1);
    peer_put_int(&w, "hgen", b->hgen);
    put_request(&w, r);
    answer(b, &w, MAX_FRAME);
}

static struct slice ack_body(const struct bench *b)
{
    return slice_make(b->ack + SPOP_LENGTH_SIZE, b->n_ack - SPOP_LENGTH_SIZE);
}

static void expect_text(const struct bench *b, const char *name, const char *value)
{
    struct spop_value v;

    if (!peer_ack_value(ack_body(b), name, &v))
        fail_msg("the answer does not set %s", name);
    assert_int_equal(v.type, SPOP_STRING);
    if (!slice_is(v.bytes, value))
        fail_msg("%s is \"%.*s\", expected \"%s\"", name, SLICE_ARG(v.bytes), value);
}

static void expect_int(const struct bench *b, const char *name, int64_t value)
{
    struct spop_value v;

    assert_true(peer_ack_value(ack_body(b), name, &v));
    assert_int_equal(v.type, SPOP_INT64);
    assert_int_equal(v.integer, value);
}

/* The names that the answer sets, in order, all in scope txn. */
static void expect_names(const struct bench *b, const char *expected)
{
    struct spop_frame f;
    struct slice name;
    struct spop_value v;
    unsigned scope;
    struct buf names;
    char room[512];

    buf_init_fixed(&names, room, sizeof room);
    assert_int_equal(spop_read_frame(ack_body(b), &f), SPOP_NORMAL);
    assert_int_equal(f.stream_id, 300);
    assert_int_equal(f.frame_id, 2);
    while (peer_read_set_var(&f.payload, &scope, &name, &v)) {
        assert_int_equal(scope, SPOP_TXN);
        buf_printf(&names, "%s%.*s", names.n > 0 ? " " : "", SLICE_ARG(name));
    }
    assert_ptr_equal(f.payload.p, f.payload.end); /* nothing else in it */
    assert_string_equal(room, expected);
}

/* The longest path that there is, of a template as long: what the log is told gives way. */
static void the_longest_path_has_room(void **state)
{
    static const struct enforce_options options = {100, 1 << 20};
    static struct bench b;
    static char template[GW_PATH_MAX + 1], path[GW_PATH_MAX + 1];
    static const char base[] = "/pets/1.0";
    struct gw_resource resource = {.operations = fixture_open, .n_operations = 1, .origin = FIXTURE_AT(1)};
    struct gw_api api = fixture_apis[0];

    (void)state;
    memset(path, 'a', GW_PATH_MAX);
    memcpy(path, base, sizeof(base) - 1);
    path[sizeof(base) - 1] = '/';
    memcpy(template, path + sizeof(base) - 1, GW_PATH_MAX - sizeof(base) + 1);
    fixture_init(&b.fixture);
    clock_fixed_init(&b.clock, FIXTURE_NOW, 0);
    resource.template = slice_of(template);
    api.resources = &resource;
    api.n_resources = 1;
    b.fixture.model.apis = &api;
    b.fixture.model.n_apis = 1;
    assert_int_equal(dispatch_new(&b.dispatch, &options, fixture_rules(&b.fixture), &b.wanted),
                     CC_OK);
    b.responder = dispatch_responder(b.dispatch);
    ask(&b, &(struct request){.method = "GET", .path = path, .host = "any.example.com"});
    expect_names(&b, "backend path host set_auth strip api apiver resource gen verdict");
    expect_text(&b, "verdict", "allow");
    template[1024] = '\0';
    expect_text(&b, "resource", template);
    dispatch_free(&b.dispatch);
    fixture_free(&b.fixture);
}

static void an_open_operation_is_allowed(void **state)
{
    struct bench *b = *state;

    ask(b, &(struct request){"GET", "/pets/1.0/open", "any.example.com:8080", NULL, 0});
    expect_names(b, "backend path host set_auth strip api apiver resource gen verdict");
    expect_text(b, "verdict", "allow");
    expect_text(b, "backend", "cc_b_000000000001");
    expect_text(b, "path", "/v2/open");
    expect_text(b, "host", "pets.internal");
    expect_text(b, "api", "Pets");
    expect_text(b, "apiver", "1.0");
    expect_text(b, "resource", "/open");
    expect_int(b, "gen", 7);
}

static void sign(struct bench *b, const char *claims)
{
    char payload[256];
    char *token;

    snprintf(payload, sizeof payload, "{\"iss\":\"https://rsa\",\"exp\":%d,%s}", FIXTURE_NOW + 60,
             claims);
    token = fixture_sign(&b->fixture, FIXTURE_RSA, JWT_RS256, payload);
    snprintf(b->header, sizeof b->header, "Bearer %s", token);
    free(token);
}

static void a_good_token_is_allowed(void **state)
{
    struct bench *b = *state;

    sign(b, "\"sub\":\"alice\",\"azp\":\"app7\"");
    for (int round = 0; round < 2; round++) { /* the second from the cache */
        ask(b, &(struct request){"GET", "/pets/1.0/pets/7", "x", b->header, 0});
        expect_names(b, "backend path host set_auth strip api apiver resource user app keytype "
                        "gen verdict");
        expect_text(b, "verdict", "allow");
        expect_text(b, "path", "/v2/pets/7");
        expect_text(b, "set_auth", "Basic cGV0czo=");
        expect_text(b, "strip", "authorization");
        expect_text(b, "user", "alice");
        expect_text(b, "app", "app7");
        expect_text(b, "keytype", "PRODUCTION");
    }
}

static void a_missing_token_is_denied(void **state)
{
    struct bench *b = *state;

    ask(b, &(struct request){"GET", "/pets/1.0/pets/7", "x", NULL, 0});
    expect_names(b, "status code body challenge api apiver resource reason gen verdict");
    expect_text(b, "verdict", "deny");
    expect_int(b, "status", 401);
    expect_text(b, "code", "900901");
}

static void a_soap_client_is_told_a_fault(void **state)
{
    struct bench *b = *state;
    struct request request = {"GET", "/nowhere", "localhost", NULL, 0};
    struct spop_value v;

    ask(b, &request);
    assert_false(peer_ack_value(ack_body(b), "type", &v));
    request.soap = 11;
    ask(b, &request);
    expect_text(b, "verdict", "deny");
    expect_text(b, "type", "text/xml; charset=utf-8");
    expect_text(b, "body",
                GW_SOAP_FAULT(11, "Not Found", "404", "The requested resource is not available."));
    request.soap = 12;
    ask(b, &request);
    expect_text(b, "type", "application/soap+xml; charset=utf-8");
    request.soap = 13; /* which there is not */
    ask(b, &request);
    assert_false(peer_ack_value(ack_body(b), "type", &v));
}

static void an_unlisted_method_names_the_listed_ones(void **state)
{
    struct bench *b = *state;

    ask(b, &(struct request){"PUT", "/pets/1.0/open", "x", NULL, 0});
    expect_names(b, "status code body allow api apiver resource reason gen verdict");
    expect_int(b, "status", 405);
    expect_text(b, "verdict", "deny");
}

static void an_unknown_path_is_denied(void **state)
{
    struct bench *b = *state;

    ask(b, &(struct request){"GET", "/nowhere", "x", NULL, 0});
    expect_names(b, "status code body reason gen verdict");
    expect_int(b, "status", 404);
}

/* Another model: the fixture's APIs with a policy, and its header sent. */
static void cors_is_told(void **state)
{
    static const struct enforce_options options = {100, 1 << 20};
    static const struct slice headers[] = {SLICE_INIT("access-control-request-method"),
                                           SLICE_INIT("authorization"), SLICE_INIT("origin"),
                                           SLICE_INIT("x-token")};
    static const struct slice origins[] = {SLICE_INIT("https://a.example")};
    static const struct gw_cors cors = {.credentials = true,
                                        .origins = origins,
                                        .n_origins = 1,
                                        .methods = SLICE_INIT("GET, PUT"),
                                        .headers = SLICE_INIT("x-a"),
                                        .expose = SLICE_INIT("x-b")};
    struct bench *old = *state, *b = calloc(1, sizeof *b);
    struct gw_api apis[3] = {fixture_apis[0], fixture_apis[1], fixture_apis[2]};
    struct spop_writer w;

    assert_non_null(b);
    b->fixture = old->fixture;
    b->clock = old->clock;
    apis[0].cors = &cors;
    b->fixture.model.apis = apis;
    b->fixture.model.cors = &cors;
    b->fixture.model.n_cors = 1;
    b->fixture.model.headers = headers;
    b->fixture.model.n_headers = 4;
    assert_int_equal(dispatch_new(&b->dispatch, &options, fixture_rules(&b->fixture), &b->wanted),
                     CC_OK);
    b->responder = dispatch_responder(b->dispatch);

    for (int round = 0; round < 4; round++) {
        static const struct {
            const char *method, *origin, *asked, *names;
        } rows[] = {
            {"OPTIONS", "https://a.example", "PUT",
             "status api apiver resource cors cors_origin cors_credentials cors_expose "
             "cors_methods cors_headers reason gen verdict"},
            {"GET", "https://a.example", NULL,
             "backend path host set_auth strip api apiver resource cors cors_origin "
             "cors_credentials "
             "cors_expose gen verdict"},
            {"GET", "https://b.example", NULL,
             "backend path host set_auth strip api apiver resource cors gen verdict"},
            {"PUT", "https://a.example", NULL,
             "status code body allow api apiver resource cors cors_origin cors_credentials "
             "cors_expose reason gen verdict"},
        };
        const char *asked = rows[round].asked, *origin = rows[round].origin;

        peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", REQUEST_ARGS + 4);
        put_request(&w, &(struct request){rows[round].method, "/pets/1.0/open", "x", NULL, 0});
        put(&w, "h.access-control-request-method", asked);
        peer_put_int(&w, "n.access-control-request-method", asked != NULL);
        put(&w, "h.origin", origin);
        peer_put_int(&w, "n.origin", 1);
        answer(b, &w, MAX_FRAME);
        expect_names(b, rows[round].names);
        expect_int(b, "cors", 1);
        if (round == 0) {
            expect_int(b, "status", 200);
            expect_text(b, "verdict", "deny");
            expect_text(b, "cors_origin", "https://a.example");
            expect_text(b, "cors_credentials", "true");
            expect_text(b, "cors_methods", "GET, PUT");
            expect_text(b, "cors_headers", "x-a");
            expect_text(b, "cors_expose", "x-b");
        }
    }
    dispatch_free(&b->dispatch);
    free(b);
}

static void ready_names_both_generations(void **state)
{
    struct bench *b = *state;

    ask(b, &(struct request){"GET", "/ready", "localhost", NULL, 0});
    expect_names(b, "gen hgen verdict");
    expect_text(b, "verdict", "ready");
    expect_int(b, "gen", 7);
    expect_int(b, "hgen", 6);
}

/* Each argument missing or NULL on its own: never an allow unless it does not matter. */
static void absent_arguments_fail_closed(void **state)
{
    struct bench *b = *state;

    ask(b, &(struct request){NULL, "/pets/1.0/open", "x", NULL, 0});
    expect_text(b, "verdict", "deny");
    ask(b, &(struct request){"GET", NULL, "x", NULL, 0});
    expect_text(b, "verdict", "deny");
    ask(b, &(struct request){"GET", "/pets/1.0/open", NULL, NULL, 0});
    expect_text(b, "verdict", "deny");
}

static void arguments_are_found_by_name(void **state)
{
    struct bench *b = *state;
    struct spop_writer w;

    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", 6);
    put(&w, "host", "x");
    put(&w, "future", "?");
    put(&w, "h99", "of a newer configuration");
    put(&w, "", "without a name");
    put(&w, "path", "/pets/1.0/open");
    put(&w, "method", "GET");
    answer(b, &w, MAX_FRAME);
    expect_text(b, "verdict", "allow");
}

static void an_argument_of_the_wrong_type_is_absent(void **state)
{
    struct bench *b = *state;
    struct spop_writer w;

    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", 3);
    put(&w, "host", "x");
    peer_put_int(&w, "path", 1);
    put(&w, "method", "GET");
    answer(b, &w, MAX_FRAME);
    expect_text(b, "verdict", "deny");
    expect_int(b, "status", 400);
}

/* Two header lines, or a count that cannot be true: not a token that was checked. */
static void a_repeated_header_is_denied(void **state)
{
    static const int64_t counts[] = {2, -1, INT64_MAX, (int64_t)UINT32_MAX + 2};
    struct bench *b = *state;

    sign(b, "\"sub\":\"alice\"");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct spop_writer w;

        peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", 5);
        put(&w, "host", "x");
        put(&w, "path", "/pets/1.0/pets/7");
        put(&w, "method", "GET");
        put(&w, "h.authorization", b->header);
        peer_put_int(&w, "n.authorization", counts[i]);
        answer(b, &w, MAX_FRAME);
        expect_text(b, "verdict", "deny");
    }
}

/* While HAProxy's configuration is a generation older or newer, it may send other headers, or in
 * another order: a header is what its name says, whatever its place. */
static void a_header_is_known_by_its_name(void **state)
{
    static const struct {
        const char *first, *second, *verdict;
    } rows[] = {
        {"x-token", "authorization", "allow"},
        {"x-older", "authorization", "allow"},
        {"x-token", "x-older", "deny"},
        {"authorizatio", "authorization2", "deny"},
        {"", "0", "deny"},
    };
    struct bench *b = *state;
    char names[4][32];

    sign(b, "\"sub\":\"alice\"");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spop_writer w;

        for (size_t n = 0; n < 4; n++)
            snprintf(names[n], sizeof names[n], "%c.%s", n % 2 == 0 ? 'h' : 'n',
                     n < 2 ? rows[i].first : rows[i].second);
        peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", 7);
        put(&w, "host", "x");
        put(&w, "path", "/pets/1.0/pets/7");
        put(&w, "method", "GET");
        put(&w, names[0], NULL);
        peer_put_int(&w, names[1], 0);
        put(&w, names[2], b->header);
        peer_put_int(&w, names[3], 1);
        answer(b, &w, MAX_FRAME);
        expect_text(b, "verdict", rows[i].verdict);
    }
}

/* The headers of one request must not be seen by the next one on the same worker. */
static void nothing_is_left_from_the_request_before(void **state)
{
    struct bench *b = *state;
    struct spop_writer w;

    a_good_token_is_allowed(state);
    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", 3);
    put(&w, "host", "x");
    put(&w, "path", "/pets/1.0/pets/7");
    put(&w, "method", "GET");
    answer(b, &w, MAX_FRAME);
    expect_text(b, "verdict", "deny");
    expect_int(b, "status", 401);
}

static void what_is_not_one_request_is_an_error(void **state)
{
    struct bench *b = *state;
    struct request good = {"GET", "/pets/1.0/open", "x", NULL, 0};
    struct spop_writer w;

    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-other", REQUEST_ARGS);
    put_request(&w, &good);
    answer(b, &w, MAX_FRAME);
    expect_names(b, "status reason gen verdict");
    expect_text(b, "verdict", "error");
    expect_int(b, "status", 503);

    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", REQUEST_ARGS);
    put_request(&w, &good);
    spop_put_name(&w, SLICE("cc-request"));
    spop_put_varint(&w, 0);
    answer(b, &w, MAX_FRAME);
    expect_text(b, "verdict", "error");

    spop_begin(&w, b->notify, sizeof b->notify, SPOP_NOTIFY, 300, 2); /* no message at all */
    answer(b, &w, MAX_FRAME);
    expect_text(b, "verdict", "error");
    assert_int_equal(counter_get(&b->counters.errors), 3);
}

static void a_malformed_message_is_not_answered(void **state)
{
    struct bench *b = *state;
    struct spop_writer w;

    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", REQUEST_ARGS + 1);
    put_request(&w, &(struct request){"GET", "/pets/1.0/open", "x", NULL, 0});
    answer(b, &w, MAX_FRAME);
    assert_int_equal(b->n_ack, 0);
}

static void an_answer_that_does_not_fit_is_an_error(void **state)
{
    struct bench *b = *state;
    static char path[600];
    struct spop_writer w;

    snprintf(path, sizeof path, "/pets/1.0/pets/%0*d", 300, 7);
    peer_begin_notify(&w, b->notify, sizeof b->notify, 300, 2, "cc-request", REQUEST_ARGS);
    put_request(&w, &(struct request){"GET", path, "x", NULL, 0});
    answer(b, &w, SPOP_MIN_FRAME_SIZE);
    expect_names(b, "status reason gen verdict");
    expect_int(b, "status", 503);
    expect_text(b, "verdict", "error");
}

/* A request whose token is in the cache, a refused one and an error: none touches the heap. */
static void a_warm_request_allocates_nothing(void **state)
{
    struct bench *b = *state;
    size_t made, freed;

    a_good_token_is_allowed(state);
    a_missing_token_is_denied(state);
    made = alloc_made;
    freed = alloc_freed;
    for (int i = 0; i < 10; i++) {
        ask(b, &(struct request){"GET", "/pets/1.0/open", "x", NULL, 0});
        ask(b, &(struct request){"GET", "/pets/1.0/pets/7", "x", b->header, 0});
        expect_text(b, "verdict", "allow");
        ask(b, &(struct request){"GET", "/pets/1.0/pets/7", "x", NULL, 0});
        ask(b, &(struct request){"GET", "/nowhere", "x", NULL, 0});
    }
    assert_int_equal(alloc_made, made);
    assert_int_equal(alloc_freed, freed);
}

/* Rules that are no longer used; NULL: none are. */
static struct enforce_rules *adopt(struct bench *b, uint64_t generation,
                                   uint64_t haproxy_generation)
{
    b->fixture.model.generation = generation;
    b->fixture.model.haproxy_generation = haproxy_generation;
    return b->responder->adopt(b->responder, fixture_rules(&b->fixture), &b->clock.clock);
}

static void expect_decided_by(struct bench *b, int64_t hgen, int64_t generation)
{
    b->hgen = hgen;
    ask(b, &(struct request){"GET", "/pets/1.0/open", "x", NULL, 0});
    expect_text(b, "verdict", "allow");
    expect_int(b, "gen", generation);
}

static void new_rules_are_used_from_the_next_request_on(void **state)
{
    struct bench *b = *state;
    struct enforce_rules *old;

    old = adopt(b, 8, 6);
    assert_int_equal(enforce_rules_model(old)->generation, 7);
    enforce_rules_unref(&old);
    expect_decided_by(b, 6, 8);
}

/* HAProxy is reloaded after the agent: what asks before that, and its old processes after it, get
 * the rules that belong to their configuration. */
static void each_haproxy_gets_the_rules_of_its_configuration(void **state)
{
    struct bench *b = *state;

    assert_null(adopt(b, 8, 8));
    expect_decided_by(b, 6, 7);
    expect_decided_by(b, 8, 8);
    expect_decided_by(b, 6, 7);
    assert_int_equal(counter_get(&b->counters.earlier), 2);
    /* what says nothing, or something else, gets the current ones */
    expect_decided_by(b, 7, 8);
    expect_decided_by(b, -1, 8);
    assert_int_equal(counter_get(&b->counters.earlier), 2);
    /* which configuration is not in effect yet shows, whoever answers */
    b->hgen = 6;
    ask(b, &(struct request){"GET", "/ready", "localhost", NULL, 0});
    expect_text(b, "verdict", "ready");
    expect_int(b, "gen", 8);
    expect_int(b, "hgen", 8);
}

/* Headers are numbered as the rules do that decide. */
static void headers_are_those_of_the_rules(void **state)
{
    static const struct slice more[] = {SLICE_INIT("a-new-one"), SLICE_INIT("authorization"),
                                        SLICE_INIT("x-token")};
    struct bench *b = *state;

    a_good_token_is_allowed(state);
    b->fixture.model.headers = more;
    b->fixture.model.n_headers = 3;
    assert_null(adopt(b, 8, 8));
    b->hgen = 6;
    ask(b, &(struct request){"GET", "/pets/1.0/pets/7", "x", b->header, 0});
    expect_text(b, "verdict", "allow");
    b->hgen = 8;
    ask(b, &(struct request){"GET", "/pets/1.0/pets/7", "x", b->header, 0});
    expect_text(b, "verdict", "allow");
}

static void earlier_rules_end(void **state)
{
    struct bench *b = *state;
    struct enforce_rules *unused;

    assert_null(adopt(b, 8, 8));
    b->clock.now_mono_us += DISPATCH_EARLIER_US - 1;
    expect_decided_by(b, 6, 7);
    b->clock.now_mono_us++;
    expect_decided_by(b, 6, 8);
    /* the next ones in their place */
    unused = adopt(b, 9, 9);
    assert_int_equal(enforce_rules_model(unused)->generation, 7);
    enforce_rules_unref(&unused);
    expect_decided_by(b, 8, 8);
    expect_decided_by(b, 6, 9);
    /* back again, as by a rollback */
    unused = adopt(b, 8, 8);
    assert_int_equal(enforce_rules_model(unused)->generation, 8);
    enforce_rules_unref(&unused);
    expect_decided_by(b, 8, 8);
    expect_decided_by(b, 9, 9);
}

/* A change that HAProxy has no part in is in effect at once, for all; reading the same once more
 * is none. */
static void earlier_rules_end_with_the_next_change(void **state)
{
    struct bench *b = *state;
    struct enforce_rules *unused;

    assert_null(adopt(b, 8, 8));
    unused = adopt(b, 8, 8);
    assert_int_equal(enforce_rules_model(unused)->generation, 8);
    enforce_rules_unref(&unused);
    expect_decided_by(b, 6, 7);
    unused = adopt(b, 9, 8);
    assert_int_equal(enforce_rules_model(unused)->generation, 8);
    enforce_rules_unref(&unused);
    expect_decided_by(b, 6, 9);
    expect_decided_by(b, 8, 9);
}

/* vars.def: the verdict is the last variable, whatever the verdict is. */
static void the_verdict_is_last(void **state)
{
    static const char *const names[] = {
#define X(name, scope, type, when, help) #name,
#include "gateway/vars.def"
#undef X
    };

    (void)state;
    assert_string_equal(names[sizeof names / sizeof *names - 1], "verdict");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* HAProxy builds "txn.cc.NAME" in a buffer of 64 bytes and does not check */
        assert_true(strlen(names[i]) + sizeof "txn.cc." <= 60);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_open_operation_is_allowed),
        cmocka_unit_test(the_longest_path_has_room),
        TEST(a_good_token_is_allowed),
        TEST(a_missing_token_is_denied),
        TEST(a_soap_client_is_told_a_fault),
        TEST(an_unlisted_method_names_the_listed_ones),
        TEST(an_unknown_path_is_denied),
        TEST(cors_is_told),
        TEST(ready_names_both_generations),
        TEST(absent_arguments_fail_closed),
        TEST(arguments_are_found_by_name),
        TEST(an_argument_of_the_wrong_type_is_absent),
        TEST(a_repeated_header_is_denied),
        TEST(a_header_is_known_by_its_name),
        TEST(nothing_is_left_from_the_request_before),
        TEST(what_is_not_one_request_is_an_error),
        TEST(a_malformed_message_is_not_answered),
        TEST(an_answer_that_does_not_fit_is_an_error),
        TEST(a_warm_request_allocates_nothing),
        TEST(new_rules_are_used_from_the_next_request_on),
        TEST(each_haproxy_gets_the_rules_of_its_configuration),
        TEST(headers_are_those_of_the_rules),
        TEST(earlier_rules_end),
        TEST(earlier_rules_end_with_the_next_change),
        cmocka_unit_test(the_verdict_is_last),
    };

    alloc_count_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
