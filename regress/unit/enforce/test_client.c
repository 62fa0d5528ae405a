/* Certificates of clients as credentials: known by themselves or by their authority, alone, beside
 * a token and in its place; what is remembered of them. */
#include "../crypto/peers.h"
#include "fixture.h"

#include "enforce/trace.h"
#include "throttle/counter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NEED(k, line)                                                 \
    {                                                                 \
        .kind = k, .name = SLICE_INIT(""), .origin = FIXTURE_AT(line) \
    }
static const struct gw_need certificate = NEED(GW_CERTIFICATE, 101);
static const struct gw_need token = NEED(GW_TOKEN, 102);
static const struct gw_need both[] = {NEED(GW_CERTIFICATE, 103), NEED(GW_TOKEN, 104)};
static const struct gw_need both_reversed[] = {NEED(GW_TOKEN, 105), NEED(GW_CERTIFICATE, 106)};

static const struct slice admin[] = {SLICE_INIT("admin")};
static const struct gw_need certificate_and_admin[] = {
    NEED(GW_CERTIFICATE, 107),
    {.kind = GW_TOKEN,
     .name = SLICE_INIT(""),
     .scopes = admin,
     .n_scopes = 1,
     .origin = FIXTURE_AT(108)},
};

static const struct gw_requirement alone[] = {{&certificate, 1, FIXTURE_AT(201)}};
static const struct gw_requirement all[] = {{both, 2, FIXTURE_AT(202)}};
static const struct gw_requirement all_reversed[] = {{both_reversed, 2, FIXTURE_AT(203)}};
static const struct gw_requirement either[] = {{&token, 1, FIXTURE_AT(204)},
                                               {&certificate, 1, FIXTURE_AT(205)}};
static const struct gw_requirement better_all[] = {{both, 2, FIXTURE_AT(206)},
                                                   {&certificate, 1, FIXTURE_AT(207)}};
static const struct gw_requirement admin_or_token[] = {{certificate_and_admin, 2, FIXTURE_AT(208)},
                                                       {&token, 1, FIXTURE_AT(209)}};

#define OPERATION(m, list)                                                                     \
    {                                                                                          \
        .method = m, .requirements = list, .n_requirements = sizeof(list) / sizeof((list)[0]), \
        .origin = FIXTURE_AT(99)                                                               \
    }
static const struct gw_operation operations[] = {
    OPERATION(GW_GET, alone),        OPERATION(GW_POST, all),
    OPERATION(GW_PUT, all_reversed), OPERATION(GW_DELETE, either),
    OPERATION(GW_PATCH, better_all), OPERATION(GW_OPTIONS, admin_or_token),
};
static const struct gw_resource resources[] = {
    {.template = SLICE_INIT("/x"),
     .operations = operations,
     .n_operations = sizeof(operations) / sizeof(operations[0]),
     .origin = FIXTURE_AT(98)},
};

enum cert { NO_CERT, PINNED, SIGNED, STRANGER, DOUBLE, EXPIRED, LATER, SERVER, NAMELESS, N_CERTS };
enum tok { NO_TOKEN, GOOD, SANDBOX, BAD, N_TOKENS };

static struct arena *arena;
static struct fixture fixture;
static struct gw_client clients[3];
static struct gw_api apis[2]; /* the second one knows the pinned one alone */
static struct enforce_rules *rules;
static struct enforce_worker *worker, *forgetful;
static struct clock_fixed now;
static struct slice ders[N_CERTS], pems[N_CERTS];
static char *tokens[N_TOKENS];

static void keep(enum cert which, const struct peers_spec *s, const struct peers_cert *by)
{
    struct peers_cert c = peers_make(s, by);

    ders[which] = peers_der(&c, arena);
    pems[which] = peers_pem(&c, arena);
    peers_free(&c);
}

static struct gw_client known_as(const char *alias, struct slice der, struct slice pem,
                                 unsigned line)
{
    struct peer p;

    assert_int_equal(peer_read(der, arena, &p), PEER_OK);
    peer_free(&p);
    return (struct gw_client){.alias = slice_of(alias),
                              .fingerprint = arena_dup(arena, slice_of(p.fingerprint)),
                              .tier = SLICE("Gold"),
                              .authority = pem.n > 0,
                              .pem = pem,
                              .not_after = p.not_after,
                              .origin = {&fixture_config, line, 1}};
}

static void make_certificates(void)
{
    struct peers_cert ca =
        peers_make(&(struct peers_spec){.cn = "ca", .constraints = "critical,CA:TRUE"}, NULL);
    struct peers_cert other =
        peers_make(&(struct peers_spec){.cn = "ca", .constraints = "critical,CA:TRUE"}, NULL);

    keep(PINNED, &(struct peers_spec){.cn = "pinned"}, NULL);
    keep(SIGNED, &(struct peers_spec){.cn = "signed", .ext_usage = "clientAuth"}, &ca);
    keep(STRANGER, &(struct peers_spec){.cn = "signed"}, &other);
    keep(DOUBLE, &(struct peers_spec){.cn = "pinned"}, NULL);
    keep(EXPIRED, &(struct peers_spec){.cn = "x", .from_s = PEERS_NOW - 9, .to_s = PEERS_NOW - 1},
         NULL);
    keep(LATER, &(struct peers_spec){.cn = "x", .from_s = PEERS_NOW + 1, .to_s = PEERS_NOW + 9},
         &ca);
    keep(SERVER, &(struct peers_spec){.cn = "x", .ext_usage = "serverAuth"}, &ca);
    keep(NAMELESS, &(struct peers_spec){.cn = NULL}, &ca);
    clients[0] = known_as("partner", ders[PINNED], SLICE(""), 11);
    clients[1] = known_as("gone", ders[EXPIRED], SLICE(""), 12);
    clients[2] = known_as("company", peers_der(&ca, arena), peers_pem(&ca, arena), 13);
    peers_free(&ca);
    peers_free(&other);
}

static int set_up(void **state)
{
    const struct enforce_options options = {.cache_entries = 16, .cache_bytes = 64 << 10};
    const struct enforce_options none = {0};

    (void)state;
    assert_int_equal(FIXTURE_NOW, PEERS_NOW);
    arena = arena_new((size_t)16 << 20);
    make_certificates();
    fixture_init(&fixture);
    for (int i = 0; i < 2; i++)
        apis[i] = (struct gw_api){.id = SLICE("c"),
                                  .name = SLICE("C"),
                                  .version = SLICE("1"),
                                  .vhost = SLICE("*"),
                                  .base_path = i == 0 ? SLICE("/c") : SLICE("/d"),
                                  .auth_header = SLICE("authorization"),
                                  .clients = clients,
                                  .n_clients = i == 0 ? 3 : 1,
                                  .clients_declared = {&fixture_config, 10, 1},
                                  .production = &fixture_clusters[0],
                                  .sandbox = &fixture_clusters[1],
                                  .resources = resources,
                                  .n_resources = 1,
                                  .origin = FIXTURE_AT(97)};
    fixture.model.apis = apis;
    fixture.model.n_apis = 2;
    rules = fixture_rules(&fixture);
    fixture_need(enforce_worker_new(&worker, &options), "worker");
    fixture_need(enforce_worker_new(&forgetful, &none), "worker");
    clock_fixed_init(&now, FIXTURE_NOW, 0);
    tokens[GOOD] = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256,
                                "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":\"ann\","
                                "\"azp\":\"app\"}");
    tokens[SANDBOX] = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256,
                                   "{\"iss\":\"https://rsa\",\"exp\":1700003600,\"sub\":\"bob\","
                                   "\"keytype\":\"SANDBOX\"}");
    tokens[BAD] = fixture_sign(&fixture, FIXTURE_RSA, JWT_RS256,
                               "{\"iss\":\"https://rsa\",\"exp\":1600003600,\"sub\":\"ann\"}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_TOKENS; i++)
        free(tokens[i]);
    enforce_worker_free(&worker);
    enforce_worker_free(&forgetful);
    enforce_rules_unref(&rules);
    fixture_free(&fixture);
    arena_free(&arena);
    return 0;
}

static void ask(struct enforce_worker *w, const char *method, const char *path, struct slice der,
                struct slice text, enum tok which, struct enforce_decision *out)
{
    struct fixture_request r;
    char header[4096];

    fixture_request_init(&r, method, "a.example", path);
    if (which != NO_TOKEN) {
        snprintf(header, sizeof(header), "Bearer %s", tokens[which]);
        fixture_set_header(&r, 0, header, 1);
    }
    r.request.certificate = der;
    r.request.certificate_text = text;
    enforce_decide(w, rules, NULL, &r.request, &now.clock, out);
}

struct row {
    int line;
    const char *method, *path;
    enum cert cert;
    enum tok tok;
    int status; /* 0: allowed */
    const char *code, *reason, *challenge, *user;
};

#define ROW     .line = __LINE__
#define MUTUAL  "Mutual SSL realm=\"cc-gateway\""
#define BEARER  "Bearer realm=\"cc-gateway\""
#define UNKNOWN "no authority of the API has signed it; cc.yaml:10:1"

static const struct row rows[] = {
    /* a certificate alone */
    {ROW, "GET", "/c/x", PINNED, NO_TOKEN, 0, "", "allowed", "", "CN=pinned, O=Example"},
    {ROW, "GET", "/c/x", SIGNED, NO_TOKEN, 0, "", "allowed", "", "CN=signed, O=Example"},
    {ROW, "GET", "/c/x", NAMELESS, NO_TOKEN, 0, "", "allowed", "", "company"},
    {ROW, "GET", "/c/x", NO_CERT, NO_TOKEN, 401, "900901", "none was shown", MUTUAL, ""},
    {ROW, "GET", "/c/x", NO_CERT, GOOD, 401, "900901", "none was shown", MUTUAL, ""},
    {ROW, "GET", "/c/x", STRANGER, GOOD, 401, "900901", UNKNOWN, MUTUAL, ""},
    {ROW, "GET", "/c/x", DOUBLE, GOOD, 401, "900901", UNKNOWN, MUTUAL, ""},
    {ROW, "GET", "/c/x", EXPIRED, NO_TOKEN, 401, "900901", "has expired", MUTUAL, ""},
    {ROW, "GET", "/c/x", LATER, NO_TOKEN, 401, "900901", "is not valid yet", MUTUAL, ""},
    {ROW, "GET", "/c/x", SERVER, NO_TOKEN, 401, "900901", "not meant for clients", MUTUAL, ""},
    /* a token besides: it says whose call it is, in whatever order they stand */
    {ROW, "POST", "/c/x", SIGNED, GOOD, 0, "", "allowed", "", "ann"},
    {ROW, "PUT", "/c/x", SIGNED, GOOD, 0, "", "allowed", "", "ann"},
    {ROW, "POST", "/c/x", SIGNED, NO_TOKEN, 401, "900901", "the header is missing", BEARER, ""},
    {ROW, "POST", "/c/x", SIGNED, BAD, 401, "900901", "the token has expired", BEARER, ""},
    {ROW, "POST", "/c/x", NO_CERT, GOOD, 401, "900901", "none was shown", MUTUAL, ""},
    {ROW, "PUT", "/c/x", NO_CERT, GOOD, 401, "900901", "none was shown", MUTUAL, ""},
    {ROW, "POST", "/c/x", STRANGER, GOOD, 401, "900901", UNKNOWN, MUTUAL, ""},
    {ROW, "PUT", "/c/x", STRANGER, GOOD, 401, "900901", UNKNOWN, MUTUAL, ""},
    {ROW, "POST", "/c/x", STRANGER, BAD, 401, "900901", UNKNOWN, MUTUAL, ""},
    /* or a token */
    {ROW, "DELETE", "/c/x", NO_CERT, GOOD, 0, "", "allowed", "", "ann"},
    {ROW, "DELETE", "/c/x", SIGNED, NO_TOKEN, 0, "", "allowed", "", "CN=signed, O=Example"},
    {ROW, "DELETE", "/c/x", STRANGER, GOOD, 0, "", "allowed", "", "ann"},
    {ROW, "DELETE", "/c/x", STRANGER, BAD, 401, "900901", UNKNOWN, MUTUAL, ""},
    {ROW, "DELETE", "/c/x", NO_CERT, BAD, 401, "900901", "the token has expired", BEARER, ""},
    /* a token that is not needed says who calls if it is good, and closes nothing if it is not */
    {ROW, "PATCH", "/c/x", SIGNED, GOOD, 0, "", "allowed", "", "ann"},
    {ROW, "PATCH", "/c/x", SIGNED, BAD, 0, "", "allowed", "", "CN=signed, O=Example"},
    {ROW, "PATCH", "/c/x", SIGNED, NO_TOKEN, 0, "", "allowed", "", "CN=signed, O=Example"},
    {ROW, "PATCH", "/c/x", NO_CERT, GOOD, 401, "900901", "none was shown", MUTUAL, ""},
    /* what another API knows opens nothing here, however fresh the memory */
    {ROW, "GET", "/d/x", PINNED, NO_TOKEN, 0, "", "allowed", "", "CN=pinned, O=Example"},
    {ROW, "GET", "/d/x", SIGNED, NO_TOKEN, 401, "900901", UNKNOWN, MUTUAL, ""},
};

static void one_row(struct enforce_worker *w, const struct row *row, struct slice der,
                    struct slice text)
{
    struct enforce_decision d;
    bool allowed = row->status == 0;

    ask(w, row->method, row->path, der, text, row->tok, &d);
    if (d.status != row->status || !slice_is(d.code, row->code) ||
        !slice_contains(d.reason, slice_of(row->reason)) ||
        !slice_starts(d.challenge, slice_of(row->challenge)) ||
        (allowed && !slice_is(d.user, row->user)))
        fail_msg("row at line %d: %d %.*s, \"%.*s\", '%.*s', user '%.*s'", row->line, d.status,
                 SLICE_ARG(d.code), SLICE_ARG(d.reason), SLICE_ARG(d.challenge), SLICE_ARG(d.user));
    if (allowed) /* and nothing of what other alternatives lacked */
        assert_true(slice_starts(d.reason, SLICE("allowed")));
    assert_int_equal(d.verdict, allowed ? ENFORCE_ALLOW : ENFORCE_DENY);
    assert_int_equal(d.backend.n > 0, allowed);
}

/* Whether they are remembered or not, and whether the connection shows them or a proxy tells. */
static void test_rows(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            one_row(worker, &rows[i], ders[rows[i].cert], SLICE_NONE);
            one_row(forgetful, &rows[i], ders[rows[i].cert], SLICE_NONE);
            one_row(worker, &rows[i], SLICE_NONE, pems[rows[i].cert]);
        }
    }
}

/* Each bit of a certificate that is known. */
static void test_flipped(void **state)
{
    struct enforce_decision d;
    char *copy = arena_alloc(arena, ders[SIGNED].n);

    (void)state;
    for (size_t i = 0; i < ders[SIGNED].n; i++) {
        memcpy(copy, ders[SIGNED].p, ders[SIGNED].n);
        copy[i] = (char)(copy[i] ^ 1);
        ask(worker, "GET", "/c/x", slice_make(copy, ders[SIGNED].n), SLICE_NONE, NO_TOKEN, &d);
        assert_int_equal(d.verdict, ENFORCE_DENY);
        assert_int_equal(d.status, 401);
    }
}

static void test_nonsense(void **state)
{
    static char large[9000];
    static const char *const texts[] = {"x", "-----BEGIN CERTIFICATE-----", "%", "AAAA"};
    struct enforce_decision d;

    (void)state;
    memset(large, 'A', sizeof(large));
    ask(worker, "GET", "/c/x", slice_make(large, sizeof(large)), SLICE_NONE, GOOD, &d);
    assert_int_equal(d.status, 401);
    assert_true(slice_is(d.code, "900900"));
    assert_true(slice_contains(d.body, SLICE("Invalid client certificate")));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ask(worker, "GET", "/c/x", SLICE_NONE, slice_of(texts[i]), GOOD, &d);
        assert_int_equal(d.status, 401);
        assert_true(slice_is(d.code, "900900"));
    }
}

/* What it brings with it: the environment of production, and its tier; of a token beside it, the
 * token's. */
static void test_subject(void **state)
{
    struct enforce_decision d;

    (void)state;
    ask(worker, "GET", "/c/x", ders[PINNED], SLICE_NONE, NO_TOKEN, &d);
    assert_true(d.certificate);
    assert_true(slice_is(d.keytype, "PRODUCTION"));
    assert_true(slice_is(d.application.tier, "Unlimited"));
    assert_int_equal(d.application.id, -1);
    assert_int_equal(d.app.n, 0);
    assert_true(slice_is(d.backend, "cc_b_000000000001"));
    ask(worker, "POST", "/c/x", ders[PINNED], SLICE_NONE, SANDBOX, &d);
    assert_true(d.certificate);
    assert_true(slice_is(d.keytype, "SANDBOX"));
    assert_true(slice_is(d.backend, "cc_b_000000000002"));
    ask(worker, "POST", "/c/x", ders[PINNED], SLICE_NONE, GOOD, &d);
    assert_true(slice_is(d.app, "app"));
    assert_true(slice_is(d.application.tier, "Unlimited"));
    ask(worker, "DELETE", "/c/x", SLICE_NONE, SLICE_NONE, GOOD, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_false(d.certificate);
    /* one that was looked at, for an alternative that was not met, is nothing to tell of */
    ask(worker, "OPTIONS", "/c/x", ders[PINNED], SLICE_NONE, GOOD, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    assert_true(slice_is(d.user, "ann"));
    assert_false(d.certificate);
}

static void expect(enum cert which, enum tok with, int status)
{
    struct enforce_decision d;

    ask(worker, with == NO_TOKEN ? "GET" : "POST", "/c/x", ders[which], SLICE_NONE, with, &d);
    assert_int_equal(d.verdict == ENFORCE_ALLOW ? 200 : d.status, status);
    if (status == 429)
        assert_true(slice_is(d.code, "900804"));
}

/* tierName: of each client by itself, also of those that one authority vouches for, be it
 * remembered or not; not where a token says whose request it is. */
static void test_tier(void **state)
{
    static const struct gw_policy gold = {
        .level = GW_LEVEL_SUBSCRIPTION,
        .name = SLICE_INIT("Gold"),
        .quota = {.count = 2, .period_s = 60},
        .stop = true,
    };
    struct enforce_rules *plain = rules;
    struct counter_table *counters = NULL;

    (void)state;
    fixture_need(counter_table_new(&counters, COUNTER_MIN_KEYS), "counters");
    enforce_worker_count_in(worker, counters);
    fixture.model.policies = &gold;
    fixture.model.n_policies = 1;
    fixture.model.throttling.enabled = true;
    rules = fixture_rules(&fixture);
    expect(PINNED, GOOD, 200);
    expect(PINNED, GOOD, 200);
    expect(PINNED, GOOD, 200);
    expect(PINNED, NO_TOKEN, 200);
    expect(PINNED, NO_TOKEN, 200);
    expect(PINNED, NO_TOKEN, 429);
    expect(SIGNED, NO_TOKEN, 200);
    expect(NAMELESS, NO_TOKEN, 200);
    expect(SIGNED, NO_TOKEN, 200);
    expect(SIGNED, NO_TOKEN, 429);
    expect(NAMELESS, NO_TOKEN, 200);
    expect(NAMELESS, NO_TOKEN, 429);
    expect(PINNED, GOOD, 200);
    clock_fixed_init(&now, FIXTURE_NOW + 60, 60 * 1000000);
    expect(PINNED, NO_TOKEN, 200);
    clock_fixed_init(&now, FIXTURE_NOW, 0);
    enforce_rules_unref(&rules);
    rules = plain;
    fixture.model.n_policies = 0;
    fixture.model.throttling.enabled = false;
    enforce_worker_count_in(worker, NULL);
    counter_table_free(&counters);
}

/* One that is remembered is looked at for its end each time. */
static void test_expiry(void **state)
{
    struct enforce_decision d;

    (void)state;
    ask(worker, "GET", "/c/x", ders[SIGNED], SLICE_NONE, NO_TOKEN, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW);
    clock_fixed_init(&now, PEERS_NOW + PEERS_DAY, 0);
    ask(worker, "GET", "/c/x", ders[SIGNED], SLICE_NONE, NO_TOKEN, &d);
    assert_int_equal(d.verdict, ENFORCE_ALLOW); /* its last second */
    clock_fixed_init(&now, PEERS_NOW + PEERS_DAY + 1, 0);
    for (int i = 0; i < 2; i++) {
        ask(worker, "GET", "/c/x", ders[SIGNED], SLICE_NONE, NO_TOKEN, &d);
        assert_int_equal(d.verdict, ENFORCE_DENY);
        assert_true(slice_contains(d.reason, SLICE("has expired")));
    }
    clock_fixed_init(&now, FIXTURE_NOW, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_nonsense), cmocka_unit_test(test_subject),
        cmocka_unit_test(test_tier),     cmocka_unit_test(test_expiry),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
