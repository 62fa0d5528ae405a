/* Decisions a second of one thread's CPU time, without SPOP and HAProxy.
 *
 *     bench_engine [SECONDS]      how long each line is measured; default 1
 *
 * Cold lines verify a token that was never seen before each time; the tokens are signed beforehand.
 * The "EVP verify" lines are the signature check alone: what no gateway can do without. */
#include "regress/unit/enforce/fixture.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <time.h>

enum { COLD_TOKENS = 2000, WARM_TOKENS = 500 };

static double seconds_each = 1;

struct setup {
    struct fixture fixture;
    struct enforce_rules *rules;
    struct enforce_worker *cold, *warm;
    struct clock_fixed clock;
    char **rsa, **ec; /* COLD_TOKENS each: the whole header value */
};

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* what others do on this machine is not ours */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_line(const char *what, size_t n, double seconds)
{
    printf("%-44s %12.0f /s %10.0f ns\n", what, (double)n / seconds, seconds * 1e9 / (double)n);
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

/* Decides in turn over n header values; stops when one comes out otherwise. */
static void run(const char *what, struct setup *s, struct enforce_worker *w, const char *path,
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
            enforce_decide(w, s->rules, NULL, &request.request, &s->clock.clock, &d);
            if (d.status != status) {
                fprintf(stderr, "bench_engine: %s: status %d; %" PRIslice "\n", what, d.status,
                        SLICE_ARG(d.reason));
                exit(1);
            }
        }
        done += COLD_TOKENS;
        spent = cpu_s() - start;
    } while (spent < seconds_each);
    print_line(what, done, spent);
}

/* One signature over one fixed text, checked again and again. Takes the key. */
static void run_evp(const char *what, EVP_PKEY *key)
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
    print_line(what, done, spent);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void set_up(struct setup *s)
{
    struct enforce_options none = {0, 0}, large = {WARM_TOKENS * 2, 4 << 20};

    fixture_init(&s->fixture);
    s->rules = fixture_rules(&s->fixture);
    fixture_need(enforce_worker_new(&s->cold, &none), "enforce_worker_new");
    fixture_need(enforce_worker_new(&s->warm, &large), "enforce_worker_new");
    clock_fixed_init(&s->clock, FIXTURE_NOW, 0);
    s->rsa = sign_many(&s->fixture, FIXTURE_RSA, JWT_RS256, "\"iss\":\"https://rsa\"");
    s->ec = sign_many(&s->fixture, FIXTURE_EC, JWT_ES256, "\"iss\":\"https://ec\",\"aud\":\"cc\"");
}

static void tear_down(struct setup *s)
{
    free_many(s->rsa);
    free_many(s->ec);
    enforce_worker_free(&s->cold);
    enforce_worker_free(&s->warm);
    enforce_rules_unref(&s->rules);
    fixture_free(&s->fixture);
}

int main(int argc, char **argv)
{
    struct setup s;

    if (argc > 1)
        seconds_each = strtod(argv[1], NULL);
    set_up(&s);
    printf("decision engine, one thread; tokens of %zu (RS256) and %zu (ES256) bytes\n",
           strlen(s.rsa[0]) - 7, strlen(s.ec[0]) - 7);
    run("token in the cache, scope checked", &s, s.warm, "/pets/1.0/pets", s.rsa, WARM_TOKENS, 0);
    run("token in the cache, one token", &s, s.warm, "/pets/1.0/pets/7", s.rsa, 1, 0);
    run("new token each time, RS256", &s, s.cold, "/pets/1.0/pets", s.rsa, COLD_TOKENS, 0);
    run("new token each time, ES256", &s, s.cold, "/pets/1.0/pets", s.ec, COLD_TOKENS, 0);
    run("open resource", &s, s.warm, "/pets/1.0/open", NULL, 1, 0);
    run("no such resource (404)", &s, s.warm, "/nowhere", NULL, 1, 404);
    run("no token (401)", &s, s.warm, "/pets/1.0/pets", NULL, 1, 401);
    run_evp("EVP verify alone, RSA 2048 SHA-256", EVP_RSA_gen(2048));
    run_evp("EVP verify alone, ECDSA P-256 SHA-256", EVP_EC_gen("P-256"));
    tear_down(&s);
    return 0;
}
