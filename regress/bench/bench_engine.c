/* Decisions a second of one thread's CPU time, without SPOP and HAProxy.
 *
 *     bench_engine [SECONDS]      how long each line is measured; default 1
 *
 * Cold lines verify a token that was never seen before each time; the tokens are signed beforehand.
 * The "EVP verify" lines are the signature check alone: what no gateway can do without. "All
 * checks" are revocation, a subscription in the store, scopes and the key type.
 *
 * Below them stand the goals, and whether this run met them. */
#include "regress/unit/enforce/store_fixture.h"

#include "enforce/live.h"
#include "revoke/revoke.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <time.h>

enum { COLD_TOKENS = 2000, WARM_TOKENS = 500, REVOKED = 10000 };

/* What is asked of one forged token after the other, and how often between two warm ones. */
enum { FLOOD_ROUNDS = 40, FLOOD_SHARE = 20, TURNS = 11 };

static double seconds_each = 1;
static bool quiet; /* no lines: ratios are measured in many short turns, whose median counts */

struct setup {
    struct fixture fixture;
    struct enforce_rules *rules;
    struct enforce_worker *cold, *warm;
    struct enforce_live *live; /* NULL: no store */
    struct revoked *revoked;
    struct clock_fixed clock;
    char **rsa, **ec, **forged; /* COLD_TOKENS each: the whole header value */
};

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* what others do on this machine is not ours */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Returns the nanoseconds of one. */
static double print_line(const char *what, size_t n, double seconds)
{
    if (!quiet)
        printf("%-44s %12.0f /s %10.0f ns\n", what, (double)n / seconds, seconds * 1e9 / (double)n);
    return seconds * 1e9 / (double)n;
}

static void print_goal(const char *what, double is, const char *relation, double goal,
                       const char *unit)
{
    bool met = relation[0] == '<' ? is <= goal : is >= goal;

    printf("%-56s %8.2f%s (goal %s %.2f%s): %s\n", what, is, unit, relation, goal, unit,
           met ? "met" : "missed");
}

static char **sign_many(const struct fixture *f, enum fixture_signer signer, enum jwt_alg alg,
                        const char *claims)
{
    char **values = calloc(COLD_TOKENS, sizeof(*values));

    if (values == NULL)
        abort();
    for (unsigned i = 0; i < COLD_TOKENS; i++) {
        char payload[400];
        char *token;

        snprintf(payload, sizeof(payload),
                 "{%s,\"sub\":\"2c9d1f0e-user-%u\",\"azp\":\"b7Qm3k9ZtLx0\",\"jti\":"
                 "\"5f0c6b0e-64d0-4a52-a0cd-%012u\",\"iat\":1700000000,\"exp\":1700003600,"
                 "\"scope\":\"openid profile read:pets\"}",
                 claims, i, i);
        token = fixture_sign(f, signer, alg, payload);
        values[i] = malloc(strlen(token) + 8);
        if (values[i] == NULL)
            abort();
        memcpy(values[i], "Bearer ", 7);
        memcpy(values[i] + 7, token, strlen(token) + 1);
        free(token);
    }
    return values;
}

static void free_many(char **values)
{
    for (unsigned i = 0; i < COLD_TOKENS; i++)
        free(values[i]);
    free(values);
}

/* Decides in turn over n header values; stops when one comes out otherwise. Returns nanoseconds. */
static double run(const char *what, struct setup *s, struct enforce_worker *w, const char *path,
                  char **values, unsigned n, int status)
{
    struct fixture_request request;
    struct enforce_decision d;
    size_t done = 0;
    double start, spent;

    fixture_request_init(&request, "GET", "shop.example:9090", path);
    start = cpu_s();
    do {
        for (unsigned i = 0; i < COLD_TOKENS; i++) { /* reading the clock is a system call */
            if (values != NULL)
                fixture_set_header(&request, 0, values[i % n], 1);
            enforce_decide(w, s->rules, s->live, &request.request, &s->clock.clock, &d);
            if (d.status != status) {
                fprintf(stderr, "bench_engine: %s: status %d; %" PRIslice "\n", what, d.status,
                        SLICE_ARG(d.reason));
                exit(1);
            }
        }
        done += COLD_TOKENS;
        spent = cpu_s() - start;
    } while (spent < seconds_each);
    return print_line(what, done, spent);
}

/* One signature over one fixed text, checked again and again. */
static double run_evp(const char *what, EVP_PKEY *key)
{
    static const unsigned char text[600] = "header.payload";
    unsigned char signature[1024];
    size_t signature_n = sizeof(signature), done = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    double start, spent;

    if (key == NULL || ctx == NULL || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &signature_n, text, sizeof(text)) != 1)
        abort();
    start = cpu_s();
    do {
        for (int i = 0; i < 100; i++, done++) {
            EVP_MD_CTX_reset(ctx);
            if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
                EVP_DigestVerify(ctx, signature, signature_n, text, sizeof(text)) != 1)
                abort();
        }
        spent = cpu_s() - start;
    } while (spent < seconds_each);
    EVP_MD_CTX_free(ctx);
    return print_line(what, done, spent);
}

/* The same tokens with another signature each: well-formed, of the right length, and wrong. */
static char **forge_many(char *const *good)
{
    char **values = calloc(COLD_TOKENS, sizeof(*values));

    if (values == NULL)
        abort();
    for (unsigned i = 0; i < COLD_TOKENS; i++) {
        char *p;

        values[i] = strdup(good[i]);
        if (values[i] == NULL)
            abort();
        p = strrchr(values[i], '.') + 20;
        *p = *p == 'A' ? 'B' : 'A';
    }
    return values;
}

/* The share of warm tokens that are found in the cache, in [from, to) of its counters. */
static double hit_rate(const struct enforce_counters *from, const struct enforce_counters *to,
                       uint64_t asked)
{
    return 100.0 * (double)(to->cache_hits - from->cache_hits) / (double)asked;
}

/* While FLOOD_SHARE times as many forged tokens come, and once more when they are gone. */
static void flood(struct setup *s, double *during, double *after)
{
    struct enforce_counters begin, middle, end;
    struct fixture_request request;
    struct enforce_decision d;
    uint64_t asked = 0;

    fixture_request_init(&request, "GET", "shop.example:9090", "/pets/1.0/pets");
    enforce_worker_counters(s->warm, &begin);
    for (unsigned i = 0; i < FLOOD_ROUNDS * COLD_TOKENS; i++) {
        fixture_set_header(&request, 0, s->forged[i % COLD_TOKENS], 1);
        enforce_decide(s->warm, s->rules, s->live, &request.request, &s->clock.clock, &d);
        if (d.status != 401)
            abort();
        if (i % FLOOD_SHARE != 0)
            continue;
        fixture_set_header(&request, 0, s->rsa[asked++ % WARM_TOKENS], 1);
        enforce_decide(s->warm, s->rules, s->live, &request.request, &s->clock.clock, &d);
        if (d.verdict != ENFORCE_ALLOW)
            abort();
    }
    enforce_worker_counters(s->warm, &middle);
    for (unsigned i = 0; i < WARM_TOKENS; i++) {
        fixture_set_header(&request, 0, s->rsa[i], 1);
        enforce_decide(s->warm, s->rules, s->live, &request.request, &s->clock.clock, &d);
    }
    enforce_worker_counters(s->warm, &end);
    *during = hit_rate(&begin, &middle, asked);
    *after = hit_rate(&middle, &end, WARM_TOKENS);
}

static const char store[] =
    "applications: [{uuid: app, id: 2, name: Shop, subName: ann, policy: Big}]\n"
    "applicationPolicies: [{name: Big}]\n"
    "subscriptionPolicies: [{name: Gold}]\n"
    "applicationKeyMappings: [{consumerKey: b7Qm3k9ZtLx0, keyManager: rsa, applicationUUID: app}]\n"
    "subscriptions: [{applicationUUID: app, apiUUID: pets, policyId: Gold}]\n";

static void revoke_many(struct setup *s)
{
    char id[64];

    fixture_need(revoked_new(&s->revoked, 2 * REVOKED), "revoked_new");
    for (unsigned i = 0; i < REVOKED; i++) {
        snprintf(id, sizeof(id), "0d3b1a52-0000-4f00-8000-%012u", i);
        revoked_add(s->revoked, slice_of(id), FIXTURE_NOW + 3600, REVOKED_BY_STATE, FIXTURE_NOW);
    }
    revoked_set_ready(s->revoked, true);
}

static void set_up(struct setup *s)
{
    struct enforce_options none = {0, 0}, large = {WARM_TOKENS * 2, 4 << 20};

    *s = (struct setup){.live = NULL};
    fixture_init(&s->fixture);
    s->fixture.issuers[FIXTURE_RSA].validate_subscription = true;
    s->rules = fixture_rules(&s->fixture);
    fixture_need(enforce_worker_new(&s->cold, &none), "enforce_worker_new");
    fixture_need(enforce_worker_new(&s->warm, &large), "enforce_worker_new");
    revoke_many(s);
    enforce_worker_set_revoked(s->cold, s->revoked);
    enforce_worker_set_revoked(s->warm, s->revoked);
    fixture_set_store(&s->live, store);
    clock_fixed_init(&s->clock, FIXTURE_NOW, 0);
    s->rsa = sign_many(&s->fixture, FIXTURE_RSA, JWT_RS256, "\"iss\":\"https://rsa\"");
    s->ec = sign_many(&s->fixture, FIXTURE_EC, JWT_ES256, "\"iss\":\"https://ec\",\"aud\":\"cc\"");
    s->forged = forge_many(s->rsa);
}

static void tear_down(struct setup *s)
{
    free_many(s->rsa);
    free_many(s->ec);
    free_many(s->forged);
    enforce_live_unref(&s->live);
    enforce_worker_free(&s->cold);
    enforce_worker_free(&s->warm);
    enforce_rules_unref(&s->rules);
    revoked_free(&s->revoked);
    fixture_free(&s->fixture);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Side by side, so that what else happens on the machine hits all three. */
static void compare(struct setup *s, EVP_PKEY *key)
{
    double to_evp[TURNS], to_cold[TURNS], seconds = seconds_each;

    quiet = true;
    seconds_each /= TURNS;
    for (int i = 0; i < TURNS; i++) {
        double evp = run_evp("", key);
        double cold = run("", s, s->cold, "/pets/1.0/pets", s->rsa, COLD_TOKENS, 0);
        double forged = run("", s, s->cold, "/pets/1.0/pets", s->forged, COLD_TOKENS, 401);

        to_evp[i] = cold / evp;
        to_cold[i] = forged / cold;
    }
    quiet = false;
    seconds_each = seconds;
    qsort(to_evp, TURNS, sizeof(to_evp[0]), by_size);
    qsort(to_cold, TURNS, sizeof(to_cold[0]), by_size);
    print_goal("cold RS256 to EVP verify alone", to_evp[TURNS / 2], "<=", 1.5, "");
    print_goal("forged token to a good cold one", to_cold[TURNS / 2], "<=", 1, "");
}

int main(int argc, char **argv)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
    double warm, during, after;
    struct setup s;

    if (argc > 1)
        seconds_each = strtod(argv[1], NULL);
    set_up(&s);
    printf("decision engine, one thread; tokens of %zu (RS256) and %zu (ES256) bytes\n",
           strlen(s.rsa[0]) - 7, strlen(s.ec[0]) - 7);
    warm =
        run("token in the cache, all checks", &s, s.warm, "/pets/1.0/pets", s.rsa, WARM_TOKENS, 0);
    run("token in the cache, one token", &s, s.warm, "/pets/1.0/pets/7", s.rsa, 1, 0);
    run("new token each time, RS256, all checks", &s, s.cold, "/pets/1.0/pets", s.rsa, COLD_TOKENS,
        0);
    run_evp("EVP verify alone, RSA 2048 SHA-256", rsa);
    run("forged token each time, RS256 (401)", &s, s.cold, "/pets/1.0/pets", s.forged, COLD_TOKENS,
        401);
    run("new token each time, ES256", &s, s.cold, "/pets/1.0/pets", s.ec, COLD_TOKENS, 0);
    run_evp("EVP verify alone, ECDSA P-256 SHA-256", ec);
    run("open resource", &s, s.warm, "/pets/1.0/open", NULL, 1, 0);
    run("no such resource (404)", &s, s.warm, "/nowhere", NULL, 1, 404);
    run("no token (401)", &s, s.warm, "/pets/1.0/pets", NULL, 1, 401);
    flood(&s, &during, &after);
    print_goal("warm decision of the engine, all checks", warm / 1000, "<=", 5, " us");
    compare(&s, rsa);
    print_goal("warm tokens still in the cache during a flood of forged", during, ">=", 100, " %");
    print_goal("and after it", after, ">=", 100, " %");
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    tear_down(&s);
    return 0;
}
