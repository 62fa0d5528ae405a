/* The cache: a build that uses it comes to the same as one that does not, whatever happened to the
 * projects, or to the cache, in between. */
#include "test_project_fixture.h"

#include "crypto/key.h"
#include "gateway/snapshot.h"
#include "generator/project_cache.h"
#include "generator/project_source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define API(name, context)                                                                         \
    "type: api\ndata:\n  name: " name "\n  version: 1.0.0\n  context: " context "\n  type: HTTP\n" \
    "  isDefaultVersion: true\n"                                                                   \
    "  endpointConfig:\n    production_endpoints: {url: http://b:80/v2}\n"
#define OAS                                                                          \
    "openapi: 3.0.3\nx-wso2-cors: {accessControlAllowOrigins: [\"https://shop\"]}\n" \
    "x-wso2-request-interceptor: {serviceURL: \"http://i:9000\"}\n"                  \
    "x-wso2-endpoints: [{other: {urls: [\"https://d\"]}}]\n"                         \
    "paths:\n  /a:\n    get: {security: [{o: [read]}]}\n"                            \
    "    x-wso2-production-endpoints:\n      urls: [\"https://c/x\"]\n"              \
    "      securityConfig: {type: BASIC, username: u, password: p}\n"                \
    "  /b/{x}:\n    post: {}\n"                                                      \
    "components: {securitySchemes: {o: {type: oauth2, flows: {implicit: {scopes: {}}}}}}\n"

enum { TEXT_MAX = 16 << 20, OUTCOME_MAX = 1 << 20 };

static const int64_t later_ns = INT64_C(10000000000);

struct outcome {
    char text[OUTCOME_MAX];
    size_t hits;
};

struct world {
    struct fixture f;
    char cache[64];
    const char *key;
    struct outcome *full, *quick;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->full = calloc(1, sizeof(*w->full));
    w->quick = calloc(1, sizeof(*w->quick));
    assert_true(w->full != NULL && w->quick != NULL);
    fixture_open(&w->f);
    w->f.issuer.algorithms = 1; /* as a snapshot wants it */
    w->f.issuer.pem = SLICE("key");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const apis[] = {API("One", "/one"), API("Two", "/two"),
                                           API("Three", "/three")};

        fixture_project(&w->f);
        fixture_file(&w->f, "api.yaml", apis[i]);
        fixture_file(&w->f, "Definitions/swagger.yaml", OAS);
    }
    snprintf(w->cache, sizeof(w->cache), "%s/cache", w->f.root);
    w->key = "key";
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    fixture_close(&w->f);
    free(w->full);
    free(w->quick);
    free(w);
    return 0;
}

/* All that a build shows: findings as they are printed, the snapshot, the inputs. As a build does
 * whose clock is ahead: files that were just written are old for it. */
static void build(struct world *w, bool with_cache, int64_t ahead_ns, struct outcome *out)
{
    struct project_inputs inputs = {0};
    struct project_options options = w->f.options;
    struct project_rereader rereader = {0};
    struct arena *arena = arena_new(TEXT_MAX * 4);
    struct diag *diag = diag_new();
    struct gw_model *model = NULL;
    FILE *f = fmemopen(out->text, sizeof(out->text), "w");
    struct buf text;
    int rc;

    assert_true(arena != NULL && diag != NULL && f != NULL);
    diag_set_reader(diag, project_reread, &rereader);
    options.inputs = &inputs;
    if (with_cache)
        assert_int_equal(project_cache_open(&options.cache, w->cache, slice_of(w->key),
                                            clock_wall_s(&clock_system) * 1000000000 + ahead_ns,
                                            arena),
                         CC_OK);
    rc = project_build_model(&model, w->f.dirs, w->f.n, &w->f.config, &options, arena, diag);
    fprintf(f, "rc %d\n", rc);
    diag_print(diag, f, false);
    buf_init(&text, TEXT_MAX);
    if (rc == CC_OK)
        assert_int_equal(gw_snapshot_write(model, &text), CC_OK);
    fprintf(f, "%s", text.p != NULL ? text.p : "");
    for (size_t i = 0; i < inputs.n; i++)
        fprintf(f, "%s %s\n", inputs.list[i].name.p, inputs.list[i].sha256.p);
    if (with_cache) {
        out->hits = project_cache_hits(options.cache);
        assert_int_equal(project_cache_save(options.cache), CC_OK);
    }
    assert_int_equal(fclose(f), 0);
    buf_free(&text);
    project_rereader_free(&rereader);
    diag_free(&diag);
    arena_free(&arena);
}

/* Builds both ways; `hits` projects come from the cache. */
static void same_with_hits(struct world *w, size_t hits)
{
    build(w, false, 0, w->full);
    build(w, true, later_ns, w->quick);
    assert_string_equal(w->quick->text, w->full->text);
    assert_int_equal(w->quick->hits, hits);
}

static char *below(const struct world *w, unsigned project, const char *name, char room[128])
{
    snprintf(room, 128, "%s/%s", w->f.dirs[project], name);
    return room;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void unchanged_projects_are_not_read(void **state)
{
    struct world *w = *state;
    char path[128];

    same_with_hits(w, 0);
    same_with_hits(w, 3);
    /* not even opened: they could not be */
    if (geteuid() == 0)
        return;
    assert_int_equal(chmod(below(w, 0, "api.yaml", path), 0), 0);
    assert_int_equal(chmod(path, 0600), 0);
    same_with_hits(w, 3);
}

static void changes_are_seen(void **state)
{
    struct world *w = *state;
    char path[128], other[128];
    struct timespec times[2];
    struct stat st;

    same_with_hits(w, 0);
    /* an edit */
    write_file(below(w, 1, "api.yaml", path), API("Zwei", "/zwei"));
    same_with_hits(w, 2);
    same_with_hits(w, 3);
    /* times alone: by its bytes it is the same */
    assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    same_with_hits(w, 3);
    /* an edit of the same size, with the old time put back */
    assert_int_equal(stat(path, &st), 0);
    write_file(path, API("Drei", "/drei"));
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    same_with_hits(w, 2);
    /* another file renamed over it */
    write_file(below(w, 1, "Definitions/.new", path), OAS "tags: []\n");
    assert_int_equal(rename(path, below(w, 1, "Definitions/swagger.yaml", other)), 0);
    same_with_hits(w, 2);
    /* a file that was not there; one that is not read */
    write_file(below(w, 2, "deployment_environments.yaml", path),
               "data:\n- deploymentEnvironment: Staging\n");
    same_with_hits(w, 2);
    assert_int_equal(mkdir(below(w, 2, "Client-certificates", path), 0700), 0);
    write_file(below(w, 2, "Client-certificates/a.txt", path), "no certificate");
    same_with_hits(w, 2);
    assert_int_equal(unlink(below(w, 2, "deployment_environments.yaml", path)), 0);
    same_with_hits(w, 2);
    same_with_hits(w, 3);
}

/* A cache that was written in pieces, most of them from the one before, is the one that a build
 * which read everything writes. */
static void assert_cache_as_new(struct world *w)
{
    struct arena *arena = arena_new(TEXT_MAX * 2);
    struct slice pieces, whole;

    assert_non_null(arena);
    assert_int_equal(file_read(arena, w->cache, TEXT_MAX, &pieces), CC_OK);
    assert_int_equal(unlink(w->cache), 0);
    same_with_hits(w, 0);
    assert_int_equal(file_read(arena, w->cache, TEXT_MAX, &whole), CC_OK);
    assert_true(whole.n > 0 && slice_eq(pieces, whole));
    arena_free(&arena);
}

static void each_project_of_a_cache_is_replaced(void **state)
{
    struct world *w = *state;
    char path[128];

    same_with_hits(w, 0);
    for (unsigned i = 0; i < 3; i++) {
        write_file(below(w, i, "Definitions/swagger.yaml", path), OAS "tags: []\n");
        same_with_hits(w, 2);
        assert_cache_as_new(w);
        same_with_hits(w, 3);
    }
}

static void projects_come_and_go(void **state)
{
    struct world *w = *state;
    const char *gone;

    same_with_hits(w, 0);
    fixture_project(&w->f);
    fixture_file(&w->f, "api.yaml", API("Four", "/four"));
    fixture_file(&w->f, "Definitions/swagger.yaml", OAS);
    same_with_hits(w, 3);
    /* in another order */
    gone = w->f.dirs[0];
    w->f.dirs[0] = w->f.dirs[3];
    w->f.dirs[3] = gone;
    same_with_hits(w, 4);
    assert_cache_as_new(w);
    w->f.n = 3;
    same_with_hits(w, 3);
    /* what is left out is forgotten */
    w->f.n = 4;
    same_with_hits(w, 3);
    /* a directory under another name is another project */
    gone = w->f.dirs[2];
    w->f.dirs[2] = arena_printf(w->f.arena, "%s.moved", gone).p;
    assert_int_equal(rename(gone, w->f.dirs[2]), 0);
    same_with_hits(w, 3);
}

static void findings_are_told_again(void **state)
{
    struct world *w = *state;
    char path[128];

    /* warnings, with the line they are about */
    write_file(below(w, 0, "api.yaml", path), API("One", "/one") "  lifeCycleStatus: PROTOTYPED\n");
    same_with_hits(w, 0);
    assert_non_null(strstr(w->full->text, "| "));
    assert_non_null(strstr(w->full->text, "CC2110"));
    same_with_hits(w, 3);
    /* a project with an error is never kept, the others are */
    write_file(path, "type: api\n");
    same_with_hits(w, 2);
    same_with_hits(w, 2);
    /* two projects that are good, and collide: told at both, with their lines */
    write_file(path, API("Two", "/two"));
    same_with_hits(w, 2);
    assert_non_null(strstr(w->full->text, "error"));
    same_with_hits(w, 3);
}

/* What was written a moment ago could be written again within the same tick of the clock: it is
 * looked at once more. */
static void young_files_are_doubted(void **state)
{
    struct world *w = *state;
    char path[128];

    build(w, true, 0, w->quick);
    assert_int_equal(w->quick->hits, 0);
    write_file(below(w, 1, "api.yaml", path), API("Eins", "/eins"));
    build(w, false, 0, w->full);
    build(w, true, 0, w->quick);
    assert_string_equal(w->quick->text, w->full->text);
    assert_int_equal(w->quick->hits, 2);
}

static void other_settings_are_another_cache(void **state)
{
    struct world *w = *state;

    same_with_hits(w, 0);
    w->key = "other";
    same_with_hits(w, 0);
    same_with_hits(w, 3);
}

static char *read_cache(const struct world *w, size_t *n)
{
    FILE *f = fopen(w->cache, "r");
    char *text = malloc(TEXT_MAX);

    assert_true(f != NULL && text != NULL);
    *n = fread(text, 1, TEXT_MAX, f);
    fclose(f);
    return text;
}

static void put_cache(const struct world *w, const char *text, size_t n)
{
    FILE *f = fopen(w->cache, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Cut short, or one byte wrong: no project is taken from it. */
static void damage_is_seen(void **state)
{
    struct world *w = *state;
    size_t n;
    char *text;

    same_with_hits(w, 0);
    text = read_cache(w, &n);
    for (size_t i = 0; i < 24; i++) {
        size_t at = i * (n - 1) / 23;

        text[at] = (char)(text[at] ^ 1);
        put_cache(w, text, n);
        same_with_hits(w, 0);
        text[at] = (char)(text[at] ^ 1);
        put_cache(w, text, at);
        same_with_hits(w, 0);
    }
    put_cache(w, text, n);
    same_with_hits(w, 3);
    free(text);
}

/* With the right sum over wrong records: they are read with care, and used when they are whole. */
static void wrong_records_do_no_harm(void **state)
{
    enum { HEAD = 145, SUM_AT = HEAD - 65 };
    struct world *w = *state;
    char *text, sum[65];
    size_t n;

    same_with_hits(w, 0);
    text = read_cache(w, &n);
    assert_int_equal(text[HEAD - 1], '\n');
    for (size_t at = HEAD; at < n; at += 1 + at % 23) {
        char was = text[at];

        text[at] = (char)(was ^ (1 << at % 8));
        assert_int_equal(crypto_sha256_hex(slice_make(text + HEAD, n - HEAD), sum), CC_OK);
        memcpy(text + SUM_AT, sum, 64);
        put_cache(w, text, n);
        build(w, true, later_ns, w->quick);
        assert_memory_equal(w->quick->text, "rc ", 3);
        text[at] = was;
    }
    /* no unit at all: all is built anew, and the cache is begun anew by the next build */
    memset((char *)memmem(text + HEAD, n - HEAD, "cc_b_", 5), 0xff, 200);
    assert_int_equal(crypto_sha256_hex(slice_make(text + HEAD, n - HEAD), sum), CC_OK);
    memcpy(text + SUM_AT, sum, 64);
    put_cache(w, text, n);
    same_with_hits(w, 0);
    same_with_hits(w, 0);
    same_with_hits(w, 3);
    free(text);
}

/* Whoever could have written it decides what the gateway serves. */
static void strangers_are_not_believed(void **state)
{
    struct world *w = *state;
    char other[80];

    same_with_hits(w, 0);
    assert_int_equal(chmod(w->cache, 0620), 0);
    same_with_hits(w, 0);
    same_with_hits(w, 3);
    snprintf(other, sizeof(other), "%s.other", w->cache);
    assert_int_equal(rename(w->cache, other), 0);
    assert_int_equal(symlink(other, w->cache), 0);
    same_with_hits(w, 0);
    same_with_hits(w, 3);
    assert_int_equal(unlink(w->cache), 0);
    assert_int_equal(mkdir(w->cache, 0700), 0);
    build(w, false, 0, w->full);
    assert_int_equal(rmdir(w->cache), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unchanged_projects_are_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_are_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_project_of_a_cache_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(projects_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(findings_are_told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(young_files_are_doubted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_settings_are_another_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_records_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_are_not_believed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
