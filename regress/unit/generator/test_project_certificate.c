/* Endpoint-certificates/: whom endpoints are checked with. */
#include "test_project_fixture.h"

#include "crypto/crypto.h"

#include <stdio.h>
#include <string.h>

#define FOLDER "Endpoint-certificates/"
#define MAP    FOLDER "endpoint_certificates.yaml"
#define API                                                                                 \
    "type: api\nversion: v4.0.0\ndata:\n  name: Pets\n  version: 1.0.0\n  context: /pets\n" \
    "  type: HTTP\n"
#define OAS                                                                                 \
    "openapi: 3.1.0\npaths: {/a: {get: {}}}\n"                                              \
    "x-wso2-production-endpoints: {urls: [\"https://one/v1\", \"https://TWO:8443/v1/\"]}\n" \
    "x-wso2-sandbox-endpoints: {urls: [\"http://one/v1\"]}\n"
#define INTERCEPTED OAS "x-wso2-request-interceptor: {serviceURL: \"https://check\"}\n"

static char *pems[3]; /* certificates a, b, c, each signed by itself */

static int make_certificates(void **state)
{
    struct key *key = NULL;
    struct buf pem;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char host[] = {(char)('a' + i), '\0'};

        buf_init(&pem, KEY_PEM_MAX_BYTES);
        assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
        assert_int_equal(key_write_certificate(key, host, 100, &pem), CC_OK);
        buf_add_char(&pem, '\0');
        pems[i] = strdup(pem.p);
        assert_non_null(pems[i]);
        buf_free(&pem);
        key_free(&key);
    }
    return 0;
}

static int free_certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        free(pems[i]);
    return 0;
}

/* A file of a project; 'a', 'b', 'c' in `text` after a '$' stand for certificates. */
struct file {
    const char *name, *text;
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

/* Which of the certificates are in the authorities `name`: "ac"; "-": those of cc.yaml. */
static void add_letters(struct buf *out, const struct gw_model *m, struct slice name)
{
    bool found = name.n == 0;

    if (name.n == 0)
        buf_add_char(out, '-');
    for (size_t i = 0; i < m->n_authorities; i++) {
        struct slice pem = m->authorities[i].pem;
        size_t bytes = 0;

        if (!slice_eq(m->authorities[i].name, name))
            continue;
        found = true;
        for (size_t k = 0; k < 3; k++) {
            if (!slice_contains(pem, slice_of(pems[k])))
                continue;
            buf_add_char(out, (char)('a' + k));
            bytes += strlen(pems[k]);
        }
        assert_int_equal(pem.n, bytes); /* and nothing else */
    }
    assert_true(found);
}

/* "one:a two:b one:-" */
static const char *choices(const struct gw_model *m, char *room, size_t size)
{
    const struct gw_cluster *clusters[3] = {m->apis[0].production, m->apis[0].sandbox, NULL};
    const struct gw_operation *op = &m->apis[0].resources[0].operations[0];
    struct buf b;

    if (op->n_interceptors > 0)
        clusters[2] = op->interceptors[0].cluster;
    buf_init_fixed(&b, room, size);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; clusters[i] != NULL && k < clusters[i]->n_endpoints; k++) {
            const struct gw_endpoint *e = &clusters[i]->endpoints[k];

            buf_printf(&b, "%s%" PRIslice ":", b.n > 0 ? " " : "", SLICE_ARG(e->host));
            add_letters(&b, m, e->ca);
        }
    }
    assert_int_equal(buf_error(&b), CC_OK);
    return room;
}

#define ENTRY(url, file) "  - {alias: x, endpoint: \"" url "\", certificate: " file "}\n"
#define WARNED           "warning CC1204 0/Definitions/swagger.yaml:5:29\n"
#define LINE(line, col)  "0/" MAP ":" #line ":" #col "\n"

static const struct certificate_case {
    const char *name, *openapi;
    struct file files[4];
    const char *findings, *choices;
} cases[] = {
    {"none", OAS, {{NULL, NULL}}, "", "one:- two:- one:-"},
    {"the files of the project",
     OAS,
     {{FOLDER "x.pem", "$b"}, {FOLDER "y.crt", "note\n$a$a"}},
     "",
     "one:ab two:ab one:-"},
    {"the map, and the rest for the others",
     OAS,
     {{MAP,
       "type: endpoint_certificates\nversion: v4.0.0\ndata:\n" ENTRY("https://one/v1", "y.crt")},
      {FOLDER "y.crt", "$a"},
      {FOLDER "z.crt", "$c"}},
     "",
     "one:a two:c one:-"},
    {"the map alone: cc.yaml decides about the others",
     OAS,
     {{MAP, "data:\n" ENTRY("https://one:443/v1", "y.crt")}, {FOLDER "y.crt", "$a"}},
     "",
     "one:a two:- one:-"},
    {"a file for two, in JSON, spelt otherwise",
     OAS,
     {{FOLDER "endpoint_certificates.json",
       "{\"Data\": [{\"Endpoint\": \"https://ONE/v1/\", \"Certificate\": \"y.crt\"}, "
       "{\"endpoint\": \"https://two:8443/v1\", \"certificate\": \"y.crt\"}]}"},
      {FOLDER "y.crt", "$a$b"}},
     "",
     "one:ab two:ab one:-"},
    {"interceptors",
     INTERCEPTED,
     {{FOLDER "interceptors/i.pem", "$c"}, {FOLDER "x.pem", "$b"}},
     WARNED,
     "one:b two:b one:- check:c"},
    {"an interceptor in the map",
     INTERCEPTED,
     {{MAP, "data:\n" ENTRY("https://check", "x.pem")},
      {FOLDER "interceptors/i.pem", "$c"},
      {FOLDER "x.pem", "$b"}},
     WARNED,
     "one:- two:- one:- check:b"},
    {"interceptors without: not those of backends",
     INTERCEPTED,
     {{FOLDER "x.pem", "$b"}},
     WARNED,
     "one:b two:b one:- check:-"},
    {"entries that no endpoint needs",
     OAS,
     {{MAP, "data:\n" ENTRY("https://three", "y.crt") ENTRY("http://one/v1", "y.crt")},
      {FOLDER "y.crt", "$a"}},
     "warning CC2409 " LINE(2, 26) "warning CC2409 " LINE(3, 26),
     "one:- two:- one:-"},
    {"a name that is no certificate's",
     OAS,
     {{FOLDER "x.der", "$a"}},
     "warning CC2409 0/" FOLDER "x.der:0:0\n",
     "one:- two:- one:-"},
    {"those of clients are no authorities of endpoints",
     OAS,
     {{"Client-certificates/x.crt", "$a"}},
     "warning CC2412 0/Client-certificates/x.crt:1:1\n",
     "one:- two:- one:-"},

    {"a private key",
     OAS,
     {{FOLDER "x.pem", "$a-----BEGIN PRIVATE KEY-----\n"}},
     "error CC2406 0/" FOLDER "x.pem:0:0\n",
     NULL},
    {"damaged",
     OAS,
     {{FOLDER "interceptors/x.pem",
       "a\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"}},
     "error CC2405 0/" FOLDER "interceptors/x.pem:2:1\n",
     NULL},
    {"no certificate, another block",
     OAS,
     {{FOLDER "x.pem", "a"}, {FOLDER "y.pem", "$a-----BEGIN X509 CRL-----\n"}},
     "error CC2405 0/" FOLDER "x.pem:0:0\nerror CC2405 0/" FOLDER "y.pem:NN:1\n",
     NULL},
    {"a file that is not there, or elsewhere",
     OAS,
     {{MAP, "data:\n" ENTRY("https://one/v1", "y.crt") ENTRY("https://two:8443/v1", "../api.yaml")
                ENTRY("https://six", "interceptors/i.pem")},
      {FOLDER "interceptors/i.pem", "$a"}},
     "error CC2408 " LINE(2, 57) "error CC2408 " LINE(3, 62) "error CC2408 " LINE(4, 54),
     NULL},
    {"two entries for one",
     OAS,
     {{MAP, "data:\n" ENTRY("https://one/v1", "y.crt") ENTRY("https://one:443/v1/", "y.crt")},
      {FOLDER "y.crt", "$a"}},
     "error CC2408 " LINE(3, 26),
     NULL},
    {"incomplete entries, no URL",
     OAS,
     {{MAP, "data:\n  - {endpoint: \"https://one\"}\n  - {certificate: y.crt}\n  - 3\n" ENTRY(
                "ftp://one", "y.crt")},
      {FOLDER "y.crt", "$a"}},
     "error CC1202 " LINE(2, 5) "error CC1202 " LINE(3, 5) "error CC1201 " LINE(
         4, 5) "error CC2005 " LINE(5, 26),
     NULL},
    {"two maps",
     OAS,
     {{MAP, "data:\n"}, {FOLDER "endpoint_certificates.json", "{}"}},
     "error CC1102 0/" FOLDER "endpoint_certificates.json:0:0\n",
     NULL},
    {"no map at all in it", OAS, {{MAP, "[]\n"}}, "error CC1201 " LINE(1, 1), NULL},
};

static void test_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct certificate_case *c = &cases[i];
        char room[1000];
        struct fixture f;
        int rc;

        print_message("%s\n", c->name);
        fixture_open(&f);
        fixture_project(&f);
        fixture_file(&f, "api.yaml", API);
        fixture_file(&f, "Definitions/swagger.yaml", c->openapi);
        for (size_t k = 0; k < 4 && c->files[k].name != NULL; k++)
            write_file(&f, &c->files[k]);
        rc = fixture_build(&f);
        fixture_findings(&f, room, sizeof(room));
        fixture_forget_line(room, "y.pem:");
        assert_string_equal(room, c->findings);
        assert_int_equal(rc, c->choices != NULL ? CC_OK : CC_EREFUSED);
        if (c->choices != NULL)
            assert_string_equal(choices(f.model, room, sizeof(room)), c->choices);
        fixture_close(&f);
    }
}

/* Order of files and comments make no difference; other authorities are another cluster. */
static void test_identity(void **state)
{
    static const struct file files[][2] = {
        {{FOLDER "x.pem", "$b"}, {FOLDER "y.crt", "$a"}},
        {{FOLDER "x.pem", "one\n$a"}, {FOLDER "y.crt", "$b$a"}},
        {{FOLDER "x.pem", "$b"}, {FOLDER "y.crt", "$c"}},
        {{"Docs/x", ""}, {"Docs/y", ""}},
    };
    struct slice names[4];
    struct fixture f;

    (void)state;
    fixture_open(&f);
    for (size_t i = 0; i < 4; i++) {
        char api[400];

        snprintf(api, sizeof(api), "%s  id: n%zu\n", API, i);
        memcpy(strstr(api, "/pets"), "/pet", 4);
        strstr(api, "/pet")[4] = (char)('0' + i);
        fixture_project(&f);
        fixture_file(&f, "api.yaml", api);
        fixture_file(&f, "Definitions/swagger.yaml", OAS);
        write_file(&f, &files[i][0]);
        write_file(&f, &files[i][1]);
    }
    assert_int_equal(fixture_build(&f), CC_OK);
    for (size_t i = 0; i < 4; i++)
        names[i] = f.model->apis[i].production->name;
    assert_true(slice_eq(names[0], names[1]));
    assert_false(slice_eq(names[0], names[2]));
    assert_false(slice_eq(names[0], names[3]));
    assert_false(slice_eq(names[2], names[3]));
    assert_int_equal(f.model->n_authorities, 2);
    assert_true(slice_cmp(f.model->authorities[0].name, f.model->authorities[1].name) < 0);
    for (size_t i = 0; i < 2; i++) {
        char hex[65];

        assert_int_equal(crypto_sha256_hex(f.model->authorities[i].pem, hex), CC_OK);
        assert_true(slice_eq(f.model->authorities[i].name, slice_make(hex, GW_AUTHORITIES_NAME)));
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_identity),
    };

    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
