/* Client-certificates/ and securityScheme: by which certificates an API knows its clients, and
 * which operations ask for one. */
#include "test_project_fixture.h"

#include "generator/access.h"
#include "regress/unit/crypto/peers.h"

#include <stdio.h>
#include <string.h>

#define FOLDER "Client-certificates/"
#define MAP    FOLDER "client_certificates.yaml"
#define API(schemes)                                                                        \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n" \
    "  type: HTTP\n  securityScheme: [" schemes "]\n"                                       \
    "  endpointConfig: {production_endpoints: {url: \"http://p\"}}\n"
#define MANDATORY API("mutualssl_mandatory")
#define OAS(security)                                                                             \
    "openapi: 3.1.0\ncomponents: {securitySchemes: {m: {type: mutualTLS}, k: {type: apiKey, in: " \
    "header, "                                                                                    \
    "name: k}, o: {type: oauth2, flows: {clientCredentials: {scopes: {r: R}}}}}}\n" security      \
    "paths: {/a: {get: {}}}\n"
#define PLAIN OAS("")

enum { LETTERS = 6 };

/* a, b: clients; c, d: authorities; e: has expired; w: weak, as 'f' */
static char *pems[LETTERS], *prints[LETTERS];

static int make_certificates(void **state)
{
    static const struct peers_spec specs[LETTERS] = {
        {.cn = "a", .from_s = 1000, .to_s = 4102444800},
        {.cn = "b", .from_s = 1000, .to_s = 4102444800},
        {.cn = "c", .from_s = 1000, .to_s = 4102444800, .constraints = "critical,CA:TRUE"},
        {.cn = "d", .from_s = 1000, .to_s = 4102444800, .constraints = "critical,CA:TRUE"},
        {.cn = "e", .from_s = 1000, .to_s = 1000000000},
        {.cn = "f", .from_s = 1000, .to_s = 4102444800, .rsa_bits = 1024},
    };
    struct arena *arena = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < LETTERS; i++) {
        struct peers_cert c = peers_make(&specs[i], NULL);
        struct peer p;

        pems[i] = strdup(arena_printf(arena, "%" PRIslice, SLICE_ARG(peers_pem(&c, arena))).p);
        assert_int_equal(peer_read(peers_der(&c, arena), arena, &p), PEER_OK);
        peer_free(&p);
        prints[i] = strdup(p.fingerprint);
        peers_free(&c);
    }
    arena_free(&arena);
    return 0;
}

static int free_certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < LETTERS; i++) {
        free(pems[i]);
        free(prints[i]);
    }
    return 0;
}

struct file {
    const char *name, *text; /* '$' and a letter: the certificate */
};

static void write_file(struct fixture *f, const struct file *file)
{
    struct buf b;

    buf_init(&b, 100000);
    for (const char *p = file->text; *p != '\0'; p++) {
        if (p[0] == '$')
            buf_add_str(&b, pems[*++p - 'a']);
        else
            buf_add_char(&b, *p);
    }
    buf_add_char(&b, '\0');
    fixture_file(f, file->name, b.p);
    buf_free(&b);
}

/* "partner=a(Gold) company=c*": alias, certificate, tier, and whether it vouches; then who gets in.
 */
static const char *known(const struct gw_model *m, struct arena *arena, char *room, size_t size)
{
    const struct gw_api *api = &m->apis[0];
    struct slice *texts;
    struct buf b;
    size_t n;

    buf_init_fixed(&b, room, size);
    for (size_t i = 0; i < api->n_clients; i++) {
        const struct gw_client *c = &api->clients[i];
        char letter = '?';

        for (size_t k = 0; k < LETTERS; k++)
            if (slice_is(c->fingerprint, prints[k]))
                letter = (char)('a' + k);
        assert_int_equal(c->pem.n > 0, c->authority);
        buf_printf(&b, "%" PRIslice "=%c%s", SLICE_ARG(c->alias), letter, c->authority ? "*" : "");
        if (c->tier.n > 0)
            buf_printf(&b, "(%" PRIslice ")", SLICE_ARG(c->tier));
        buf_add_char(&b, ' ');
    }
    assert_int_equal(access_alternatives(&api->resources[0].operations[0], arena, &texts, &n),
                     CC_OK);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%" PRIslice, i == 0 ? "| " : ", ", SLICE_ARG(texts[i]));
    if (api->resources[0].operations[0].closed)
        buf_add_str(&b, "| closed");
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

#define CERT               "a client certificate"
#define BOTH               "(a client certificate and any token)"
#define ENTRY(alias, file) "  - {alias: " alias ", certificate: " file "}\n"

static const struct client_case {
    const char *name, *api, *openapi;
    struct file files[4];
    const char *findings, *known; /* NULL: refused */
} cases[] = {
    {"a folder",
     MANDATORY,
     PLAIN,
     {{FOLDER "x.crt", "$a"}, {FOLDER "y.pem", "$b"}},
     "",
     "x=a y=b | " CERT},
    {"an authority", MANDATORY, PLAIN, {{FOLDER "company.cer", "$c"}}, "", "company=c* | " CERT},
    {"two authorities in a file",
     MANDATORY,
     PLAIN,
     {{FOLDER "x.crt", "$c$d"}},
     "",
     "x=c* x=d* | " CERT},
    {"a chain lists its client alone",
     MANDATORY,
     PLAIN,
     {{FOLDER "x.crt", "$a$c"}},
     "warning CC2412 0/" FOLDER "x.crt:NN:1\n",
     "x=a | " CERT},
    {"a map with aliases and tiers",
     MANDATORY,
     PLAIN,
     {{MAP, "type: client_certificates\nversion: v4.0.0\ndata:\n"
            "  - {alias: partner, certificate: a.crt, tierName: Gold}\n"
            "  - {alias: company, certificate: c.crt, apiIdentifier: {apiName: x}}\n"},
      {FOLDER "a.crt", "$a"},
      {FOLDER "c.crt", "$c"}},
     "",
     "partner=a(Gold) company=c* | " CERT},
    {"a tier that no policy defines",
     MANDATORY,
     PLAIN,
     {{MAP, "data:\n  - {alias: partner, certificate: a.crt, tierName: Glod}\n"
            "  - {alias: other, certificate: b.crt, tierName: Unlimited}\n"},
      {FOLDER "a.crt", "$a"},
      {FOLDER "b.crt", "$b"}},
     "error CC3208 0/" MAP ":2:5\n",
     NULL},
    {"a map that leaves one out",
     MANDATORY,
     PLAIN,
     {{MAP, "data:\n" ENTRY("x", "a.crt")}, {FOLDER "a.crt", "$a"}, {FOLDER "b.crt", "$b"}},
     "warning CC2412 0/" FOLDER "b.crt:0:0\n",
     "x=a | " CERT},
    {"a map in JSON",
     MANDATORY,
     PLAIN,
     {{FOLDER "client_certificates.json",
       "{\"data\":[{\"alias\":\"x\",\"certificate\":\"a.crt\"}]}"},
      {FOLDER "a.crt", "$a"}},
     "",
     "x=a | " CERT},
    {"a map that names what is not there",
     MANDATORY,
     PLAIN,
     {{MAP, "data:\n" ENTRY("x", "z.crt") ENTRY("y", "../api.yaml") ENTRY("z", "a.crt")},
      {FOLDER "a.crt", "$a"}},
     "error CC2411 0/" MAP ":2:29\nerror CC2411 0/" MAP ":3:29\n",
     NULL},
    {"a map with an alias twice",
     MANDATORY,
     PLAIN,
     {{MAP, "data:\n" ENTRY("x", "a.crt") ENTRY("x", "b.crt")},
      {FOLDER "a.crt", "$a"},
      {FOLDER "b.crt", "$b"}},
     "error CC2411 0/" MAP ":3:13\nwarning CC2412 0/" FOLDER "b.crt:0:0\n",
     NULL},
    {"a map without a name",
     MANDATORY,
     PLAIN,
     {{MAP, "data: [{certificate: a.crt}, {alias: x}]\n"}},
     "error CC1202 0/" MAP ":1:8\nerror CC1202 0/" MAP ":1:30\nerror CC2411 0/api.yaml:8:20\n",
     NULL},
    {"no certificate at all",
     MANDATORY,
     PLAIN,
     {{NULL, NULL}},
     "error CC2411 0/api.yaml:8:20\n",
     NULL},
    {"an empty map trusts no file",
     MANDATORY,
     PLAIN,
     {{MAP, "data: []\n"}, {FOLDER "a.crt", "$a"}},
     "warning CC2412 0/" FOLDER "a.crt:0:0\nerror CC2411 0/api.yaml:8:20\n",
     NULL},
    {"a private key",
     MANDATORY,
     PLAIN,
     {{FOLDER "a.crt", "$a-----BEGIN PRIVATE KEY-----\n"}},
     "error CC2406 0/" FOLDER "a.crt:0:0\nerror CC2411 0/api.yaml:8:20\n",
     NULL},
    {"a weak key",
     MANDATORY,
     PLAIN,
     {{FOLDER "f.crt", "$f"}},
     "error CC2405 0/" FOLDER "f.crt:1:1\nerror CC2411 0/api.yaml:8:20\n",
     NULL},
    {"one that has expired",
     MANDATORY,
     PLAIN,
     {{FOLDER "e.crt", "$e"}},
     "warning CC2407 0/" FOLDER "e.crt:1:1\n",
     "e=e | " CERT},
    {"nobody asks",
     API("oauth2"),
     PLAIN,
     {{FOLDER "a.crt", "$a"}},
     "warning CC2412 0/" FOLDER "a.crt:1:1\n",
     ""},
    {"a file of another name",
     MANDATORY,
     PLAIN,
     {{FOLDER "a.crt", "$a"}, {FOLDER "b.der", "x"}},
     "warning CC2409 0/" FOLDER "b.der:0:0\n",
     "a=a | " CERT},

    /* the two gates */
    {"mutualssl_mandatory and a token",
     API("oauth2, mutualssl_mandatory, "
         "oauth_basic_auth_api_key_mandatory"),
     PLAIN,
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | " BOTH},
    {"mutualssl_mandatory or a token that says more",
     API("oauth2, mutualssl_mandatory"),
     PLAIN,
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | " BOTH ", " CERT},
    {"mutualssl_mandatory and an API key",
     API("api_key, mutualssl_mandatory, oauth_basic_auth_api_key_mandatory"),
     PLAIN,
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | (a client certificate and an API key in the header apikey), "
     "(a client certificate and an API key in the query parameter apikey)"},
    {"mutualssl and mutualssl_mandatory",
     API("mutualssl, mutualssl_mandatory"),
     PLAIN,
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | " CERT},
    {"mutualssl alone opens nothing",
     API("mutualssl"),
     PLAIN,
     {{FOLDER "a.crt", "$a"}},
     "warning CC2113 0/api.yaml:8:20\nwarning CC2412 0/" FOLDER "a.crt:1:1\n",
     ""},
    {"scopes beside a certificate",
     API("oauth2, mutualssl_mandatory, "
         "oauth_basic_auth_api_key_mandatory"),
     OAS("security: [{o: [r]}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | (a client certificate and r)"},
    {"closed stays closed beside a certificate",
     API("mutualssl_mandatory, "
         "oauth_basic_auth_api_key_mandatory"),
     OAS("security: [{none: []}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "warning CC2101 0/Definitions/swagger.yaml:3:13\n"
     "warning CC2412 0/" FOLDER "a.crt:1:1\n",
     "| closed"},

    /* the document */
    {"a scheme of the document",
     API(""),
     OAS("security: [{m: []}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | " CERT},
    {"a certificate or a token",
     API(""),
     OAS("security: [{m: []}, {o: [r]}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | " CERT ", r"},
    {"a certificate and a token",
     API(""),
     OAS("security: [{m: [], o: [r]}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | (a client certificate and r)"},
    {"oauth2 keeps the certificate beside a token",
     API("oauth2"),
     OAS("security: [{m: [], o: [r]}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | (a client certificate and r)"},
    {"oauth2 takes the certificate alone away",
     API("oauth2"),
     OAS("security: [{m: []}, {o: [r]}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "warning CC2412 0/" FOLDER "a.crt:1:1\n",
     "| r"},
    {"once is enough",
     MANDATORY,
     OAS("security: [{m: []}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "",
     "a=a | " CERT},
    {"scopes of a certificate",
     API(""),
     OAS("security: [{m: [r]}]\n"),
     {{FOLDER "a.crt", "$a"}},
     "error CC1203 0/Definitions/swagger.yaml:3:16\n",
     NULL},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct client_case *c = &cases[i];
        char room[1000];
        struct fixture f;
        int rc;

        print_message("%s\n", c->name);
        fixture_open(&f);
        fixture_project(&f);
        fixture_file(&f, "api.yaml", c->api);
        fixture_file(&f, "Definitions/swagger.yaml", c->openapi);
        for (size_t k = 0; k < 4 && c->files[k].name != NULL; k++)
            write_file(&f, &c->files[k]);
        rc = fixture_build(&f);
        fixture_findings(&f, room, sizeof(room));
        fixture_forget_line(room, "x.crt:");
        assert_string_equal(room, c->findings);
        assert_int_equal(rc, c->known != NULL ? CC_OK : CC_EREFUSED);
        if (c->known != NULL)
            assert_string_equal(known(f.model, f.arena, room, sizeof(room)), c->known);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
