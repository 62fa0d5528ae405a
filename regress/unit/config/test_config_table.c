/* Every row of settings.def keeps what it says: its default, its limits, its environment variable.
 */
#include "config/settings.h"
#include "crypto/jwt.h"

#include "config_fixture.h"

/* One element of each list, so that settings of elements have a value to look at. */
static const char elements[] = "enforcer: {security: {tokenService: [{name: n, issuer: i}]},\n"
                               "           jwtGenerator: {keypair: [{publicCertificatePath: c}]},\n"
                               "           jwtIssuer: {jwtUser: [{username: u, password: p}]},\n"
                               "           filters: [{name: n, path: /p}]}\n";

static void title(int setting, char out[SETTINGS_NAME_MAX])
{
    struct buf b;

    buf_init_fixed(&b, out, SETTINGS_NAME_MAX);
    settings_title(setting, 0, &b);
    assert_int_equal(buf_error(&b), CC_OK);
}

static bool is_required(const struct config_setting *row, const struct setting *s)
{
    /* of who signs access tokens, as all do that do not say otherwise */
    if (strcmp(row->name, "enforcer.security.tokenService[].issuer") == 0)
        return true;
    return s->list != LIST_NONE && s->min > 0 && strcmp(row->def, "\"\"") == 0;
}

static void test_rows_are_complete(void **state)
{
    size_t n;
    const struct config_setting *rows = config_settings(&n);

    (void)state;
    assert_true(n > 30);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(settings_find_row(slice_of(rows[i].name)), i); /* no name twice */
        assert_true(strlen(rows[i].help) > 10);
        assert_int_equal(rows[i].help[strlen(rows[i].help) - 1] == '.' ||
                             rows[i].help[strlen(rows[i].help) - 1] == '?' ||
                             rows[i].help[strlen(rows[i].help) - 1] == ')',
                         1);
        assert_true(strlen(rows[i].change) > 0);
        assert_true(settings[i].kind == KIND_BOOL || strlen(rows[i].limits) > 0);
        assert_null(settings_find_absent(slice_of(rows[i].name)));
    }
}

/* A value of which config_value() says that it would stand so in cc.yaml is put there. */
static void write_setting(const char *name, const char *value, struct buf *out)
{
    struct slice rest = slice_of(name), part;
    bool in_element = false;
    unsigned depth = 0;

    while (slice_split(&rest, '.', &part)) {
        bool list = slice_ends(part, SLICE("[]"));

        buf_printf(out, "%s%*s%s%" PRIslice ":", depth > 0 ? "\n" : "", (int)depth * 4, "",
                   in_element ? "- " : "", SLICE_ARG(slice_first(part, part.n - (list ? 2 : 0))));
        in_element = list;
        depth++;
    }
    buf_printf(out, " %s\n", value);
}

static void test_defaults_read_back(void **state)
{
    struct config_fixture *f = *state;
    size_t n;
    const struct config_setting *rows = config_settings(&n);

    for (size_t i = 0; i < n; i++) {
        char name[SETTINGS_NAME_MAX];
        struct buf b;
        int rc;

        if (is_required(&rows[i], &settings[i]))
            continue;
        title((int)i, name);
        load_ok(f, elements, NULL);
        assert_value(f->config, name, rows[i].def);
        assert_origin(f->config, name, "default");
        buf_init(&b, 4096);
        write_setting(rows[i].name, rows[i].def, &b);
        if (settings[i].list == LIST_ISSUERS) /* the element needs its other settings too */
            buf_add_str(&b, "              name: n\n              issuer: i\n");
        if (settings[i].list == LIST_KEY_PAIRS)
            buf_add_str(&b, "              publicCertificatePath: c\n");
        if (settings[i].list == LIST_USERS)
            buf_add_str(&b, "              username: u\n              password: p\n");
        if (settings[i].list == LIST_FILTERS)
            buf_add_str(&b, "          name: n\n          path: /p\n");
        rc = load(f, buf_slice(&b).p, NULL);
        if (rc != CC_OK)
            fprintf(stderr, "%s", buf_slice(&b).p);
        assert_int_equal(rc, CC_OK);
        assert_value(f->config, name, rows[i].def);
        buf_free(&b);
        arena_reset(f->arena);
    }
}

/* The first of "a, b, c" that the default has not. */
static const char *other_choice(const struct setting *s, const char *def, struct buf *b)
{
    struct slice rest = slice_of(s->choices), part;

    while (slice_split(&rest, ',', &part))
        if (s->kind == KIND_WORD ? !slice_is(slice_trim(part), def)
                                 : !slice_contains(slice_of(def), slice_trim(part))) {
            buf_add(b, slice_trim(part));
            return b->p;
        }
    fail_msg("no other choice than %s", def);
    return NULL;
}

/* A value that differs from the default and is valid, for each kind. */
static const char *other_value(const struct setting *s, const char *name, const char *def,
                               char room[32])
{
    struct buf b;

    if (strcmp(name, "enforcer.security.mutualSSL.trustedProxies") == 0 ||
        strcmp(name, "router.trustedProxies") == 0)
        return "192.0.2.0/24";
    if (strcmp(name, "agent.redis.servers") == 0)
        return "redis.test:6379";

    buf_init_fixed(&b, room, 32);
    if (s->kind == KIND_HOST && strcmp(def, "0.0.0.0") == 0)
        return "127.0.0.9";
    switch (s->kind) {
    case KIND_BOOL:
        return strcmp(def, "true") == 0 ? "false" : "true";
    case KIND_NUMBER:
    case KIND_PORT:
    case KIND_SECONDS:
    case KIND_MILLIS:
    case KIND_BYTES:
        buf_add_u64(&b, s->max - 1);
        return room;
    case KIND_MODE:
        return "0604";
    case KIND_PATH:
    case KIND_SOCKET_PATH:
    case KIND_SOCKET:
        return "/run/cc/x/other";
    case KIND_WORD:
    case KIND_WORDS:
        return other_choice(s, def, &b);
    case KIND_CLAIMS:
    case KIND_PROPERTIES:
        return "remote=local";
    default:
        return "other-value";
    }
}

static void test_environment_overrides_each(void **state)
{
    struct config_fixture *f = *state;
    size_t n;
    const struct config_setting *rows = config_settings(&n);

    for (size_t i = 0; i < n; i++) {
        char name[SETTINGS_NAME_MAX], room[32], origin[160], expected[64];
        const char *value = other_value(&settings[i], rows[i].name, rows[i].def, room);
        /* some settings are only valid with their other half */
        const char *environment[] = {"CC_ROUTER_KEYSTORE_KEYPATH=/run/cc/x/other",
                                     "CC_ROUTER_KEYSTORE_CERTPATH=/run/cc/x/other",
                                     "CC_ROUTER_UPSTREAM_TLS_KEYPATH=/run/cc/x/other",
                                     "CC_ROUTER_UPSTREAM_TLS_CERTPATH=/run/cc/x/other",
                                     "CC_AGENT_SOCKET=/run/cc/x/other/s",
                                     "CC_ENFORCER_SECURITY_JWKS_MAXIMUMAGEINSECONDS=86399",
                                     "CC_AGENT_REDIS_ADDRESS=/run/cc/x/other",
                                     "CC_AGENT_REDIS_SERVERS=redis.test:6379",
                                     "CC_AGENT_REDIS_KEYPATH=/run/cc/x/other",
                                     "CC_AGENT_REDIS_CERTPATH=/run/cc/x/other",
                                     NULL,
                                     NULL};
        bool is_list = settings[i].kind >= KIND_TEXTS;
        struct buf variable, b;
        size_t element;

        title((int)i, name);
        buf_init(&variable, 4096);
        settings_variable((int)i, 0, &variable);
        assert_int_equal(settings_find_variable(buf_slice(&variable), &element), i);
        assert_int_equal(element, 0);
        buf_init_fixed(&b, origin, sizeof(origin));
        buf_printf(&b, "environment %s", buf_slice(&variable).p);
        buf_printf(&variable, "=%s", value);
        environment[10] = variable.p;
        load_ok(f, elements, environment);
        buf_init_fixed(&b, expected, sizeof(expected));
        buf_printf(&b,
                   settings[i].kind >= KIND_CLAIMS || (is_list && strchr(value, ':') != NULL)
                       ? "[\"%s\"]"
                   : is_list                       ? "[%s]"
                   : settings[i].kind == KIND_MODE ? "\"%s\""
                                                   : "%s",
                   settings[i].kind == KIND_SECRET ? "\"(not shown)\"" : value);
        assert_value(f->config, name, expected);
        assert_origin(f->config, name, origin);
        buf_free(&variable);
        arena_reset(f->arena);
    }
}

/* One beyond each end of the limits is refused, the ends themselves are taken. */
static void try_number(struct config_fixture *f, int setting, uint64_t v, bool valid)
{
    char name[SETTINGS_NAME_MAX];
    struct config_override o[] = {
        {SLICE("enforcer.filters[0].name"), SLICE("n")},
        {SLICE("enforcer.filters[0].path"), SLICE("/p")},
        {SLICE("router.entrySocket"), SLICE("/s")},
        {SLICE("enforcer.security.jwks.minimumAgeInSeconds"), SLICE("1")},
        {SLICE("enforcer.security.jwks.maximumAgeInSeconds"), SLICE("86400")},
        {SLICE_NONE, SLICE_NONE},
    };
    struct diag *diag = diag_new();
    struct config *config = NULL;
    char room[32];
    struct buf b;
    int rc;

    title(setting, name);
    o[5].name = slice_of(name);
    buf_init_fixed(&b, room, sizeof(room));
    if (settings[setting].kind == KIND_MODE)
        buf_printf(&b, "%llo", (unsigned long long)v);
    else
        buf_add_u64(&b, v);
    o[5].value = buf_slice(&b);
    rc = config_load(&config, NULL, NULL, o, 6, f->arena, diag);
    if ((rc == CC_OK) != valid)
        fail_msg("%s: %s is %s", name, room, valid ? "refused" : "taken");
    diag_free(&diag);
}

static void test_limits_of_numbers(void **state)
{
    struct config_fixture *f = *state;
    size_t n;

    config_settings(&n);
    for (size_t i = 0; i < n; i++) {
        const struct setting *s = &settings[i];

        if (s->kind == KIND_BOOL || s->kind > KIND_MODE)
            continue;
        try_number(f, (int)i, s->min, true);
        try_number(f, (int)i, s->max, true);
        try_number(f, (int)i, s->max + 1, false);
        if (s->min > 0)
            try_number(f, (int)i, s->min - 1, false);
        arena_reset(f->arena);
    }
}

/* cc.yaml takes exactly the algorithms that the verifier has. */
static void test_algorithms_are_those_of_jwt(void **state)
{
    int setting = settings_find_row(SLICE("enforcer.security.tokenService[].algorithms"));
    struct slice rest = slice_of(settings[setting].choices), part;
    size_t count = 0;

    (void)state;
    while (slice_split(&rest, ',', &part)) {
        assert_true(jwt_alg_parse(slice_trim(part)) != JWT_ALG_COUNT);
        count++;
    }
    assert_int_equal(count, JWT_ALG_COUNT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, config_fixture_setup, config_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_complete),
        T(test_defaults_read_back),
        T(test_environment_overrides_each),
        T(test_limits_of_numbers),
        cmocka_unit_test(test_algorithms_are_those_of_jwt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
