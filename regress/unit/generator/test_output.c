/* The output directory: generations, the switch, and that no moment of dying leaves it broken. */
#include "generator/output.h"

#include "generator/output_dir.h"
#include "generator/output_manifest.h"

#include "crypto/key.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARENA_BYTES = 256 << 20 };

struct world {
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    char directory[64]; /* of the test */
    const char *out;    /* below it */
};

static const char *path(const struct world *w, const char *name)
{
    const char *p = arena_printf(w->arena, "%s/%s", w->directory, name).p;

    assert_non_null(p);
    return p;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char *const no_environment[] = {NULL};

    assert_non_null(w);
    w->arena = arena_new(ARENA_BYTES);
    w->diag = diag_new();
    snprintf(w->directory, sizeof(w->directory), "/tmp/test_output.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    w->out = path(w, "out");
    assert_int_equal(config_load(&w->config, NULL, no_environment, NULL, 0, w->arena, w->diag),
                     CC_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    chmod(w->directory, 0700);
    file_remove_tree(w->directory);
    diag_free(&w->diag);
    arena_free(&w->arena);
    free(w);
    return 0;
}

/* A model of one API. `agent` changes only what the agent reads, `endpoint` what both halves do. */
static struct gw_model *make_model(const struct world *w, const char *agent, const char *endpoint)
{
    struct gw_model *m = arena_alloc(w->arena, sizeof(*m));
    struct gw_api *api = arena_alloc(w->arena, sizeof(*api));
    struct gw_cluster *cluster = arena_alloc(w->arena, sizeof(*cluster));
    struct gw_endpoint *e = arena_alloc(w->arena, sizeof(*e));
    struct gw_resource *r = arena_alloc(w->arena, sizeof(*r));
    struct gw_operation *op = arena_alloc(w->arena, sizeof(*op));
    struct slice *headers = arena_alloc(w->arena, sizeof(*headers));
    char sum[65];

    assert_int_equal(crypto_sha1_hex(slice_of(endpoint), sum), CC_OK);
    *e = (struct gw_endpoint){.host = slice_of(endpoint), .port = 8080};
    *cluster = (struct gw_cluster){
        .name = arena_printf(w->arena, "cc_b_%.12s", sum), .endpoints = e, .n_endpoints = 1};
    *op = (struct gw_operation){.method = GW_GET};
    *r = (struct gw_resource){
        .template = arena_printf(w->arena, "/%s", agent), .operations = op, .n_operations = 1};
    *api = (struct gw_api){.id = SLICE("1"),
                           .name = SLICE("Pets"),
                           .version = SLICE("1"),
                           .vhost = SLICE("*"),
                           .base_path = SLICE("/pets"),
                           .auth_header = SLICE("authorization"),
                           .production = cluster,
                           .resources = r,
                           .n_resources = 1};
    headers[0] = SLICE("authorization");
    *m = (struct gw_model){.system_host = SLICE("localhost"),
                           .headers = headers,
                           .n_headers = 1,
                           .clusters = cluster,
                           .n_clusters = 1,
                           .apis = api,
                           .n_apis = 1};
    return m;
}

static int build_with(struct world *w, const char *agent, const char *endpoint, const char *haproxy,
                      struct output_result *result)
{
    struct output_options options = {
        .directory = w->out, .haproxy = haproxy, .no_validate = haproxy == NULL};

    return output_build(make_model(w, agent, endpoint), w->config, &options, w->arena, w->diag,
                        result);
}

static struct output_result build(struct world *w, const char *agent, const char *endpoint)
{
    struct output_result result;
    int rc = build_with(w, agent, endpoint, NULL, &result);

    if (rc != CC_OK)
        diag_print(w->diag, stderr, false);
    assert_int_equal(rc, CC_OK);
    return result;
}

static struct slice content(const struct world *w, const char *name)
{
    struct slice text;

    assert_int_equal(file_read(w->arena, path(w, name), 1 << 24, &text), CC_OK);
    return text;
}

static void put(const struct world *w, const char *name, const char *text, unsigned mode)
{
    assert_int_equal(file_write_atomic(path(w, name), slice_of(text), mode), CC_OK);
}

static size_t count_entries(const struct world *w, const char *name)
{
    DIR *dir = opendir(path(w, name));
    size_t n = 0;

    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* Everything that readers of the directory rely on; `current` must be there. */
static void assert_whole(const struct world *w)
{
    struct manifest m;

    assert_int_equal(manifest_read(&m, content(w, "out/manifest.json"), w->arena), CC_OK);
    assert_true(m.n_files > 2);
    for (size_t i = 0; i < m.n_files; i++) {
        const char *name =
            arena_printf(w->arena, "out/current/%" PRIslice, SLICE_ARG(m.files[i].name)).p;
        char sum[65];

        assert_int_equal(crypto_sha256_hex(content(w, name), sum), CC_OK);
        assert_string_equal(sum, m.files[i].sha256);
    }
    assert_true(slice_eq(content(w, "out/gateway.json"), content(w, "out/current/gateway.json")));
    assert_true(
        slice_eq(content(w, "out/haproxy/cc.cfg"), content(w, "out/current/haproxy/cc.cfg")));
}

static struct diag_view assert_finding(const struct world *w, enum diag_code code,
                                       const char *words)
{
    struct diag_view view = {0};

    for (size_t i = 0; diag_get(w->diag, i, &view); i++)
        if (view.code == code && slice_contains(view.message, slice_of(words)))
            return view;
    diag_print(w->diag, stderr, false);
    fail_msg("no finding %s with '%s'", diag_code_name(code), words);
    return view;
}

static void a_first_build_makes_generation_1(void **state)
{
    struct world *w = *state;
    struct output_result r = build(w, "cats", "a.example");
    struct stat st;

    assert_int_equal(r.generation, 1);
    assert_true(r.changed && r.haproxy_changed);
    assert_whole(w);
    assert_int_equal(stat(path(w, "out/gateway.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void the_same_build_changes_nothing(void **state)
{
    struct world *w = *state;
    struct output_result r;

    build(w, "cats", "a.example");
    r = build(w, "cats", "a.example");
    assert_int_equal(r.generation, 1);
    assert_false(r.changed || r.haproxy_changed);
    assert_int_equal(count_entries(w, "out/generations"), 1);
}

static void an_agent_change_leaves_haproxy_alone(void **state)
{
    struct world *w = *state;
    struct slice before;
    struct output_result r;

    build(w, "cats", "a.example");
    before = content(w, "out/haproxy/cc.cfg");
    r = build(w, "dogs", "a.example");
    assert_int_equal(r.generation, 2);
    assert_true(r.changed);
    assert_false(r.haproxy_changed);
    assert_true(slice_eq(before, content(w, "out/haproxy/cc.cfg")));
    assert_true(slice_contains(content(w, "out/gateway.json"), SLICE("/dogs")));
    assert_whole(w);
}

static void an_endpoint_change_changes_both(void **state)
{
    struct world *w = *state;
    struct output_result r;

    build(w, "cats", "a.example");
    r = build(w, "cats", "b.example");
    assert_int_equal(r.generation, 2);
    assert_true(r.changed && r.haproxy_changed);
    assert_true(slice_contains(content(w, "out/haproxy/cc.cfg"), SLICE("b.example")));
    assert_whole(w);
}

/* Old generations go, but not the one whose HAProxy files are in use. */
static void old_generations_are_removed(void **state)
{
    struct world *w = *state;
    struct stat st;

    build(w, "a0", "a.example");
    for (int i = 1; i < 9; i++)
        build(w, arena_printf(w->arena, "a%d", i).p, "a.example");
    assert_int_equal(count_entries(w, "out/generations"), OUTPUT_KEEP + 1);
    assert_int_equal(stat(path(w, "out/generations/1/haproxy/cc.cfg"), &st), 0);
    assert_whole(w);
    for (int i = 0; i < OUTPUT_KEEP; i++)
        build(w, arena_printf(w->arena, "b%d", i).p, "b.example");
    assert_int_not_equal(stat(path(w, "out/generations/1"), &st), 0);
    assert_int_equal(count_entries(w, "out/generations"), OUTPUT_KEEP);
    assert_whole(w);
}

static void damage_is_repaired(void **state)
{
    static const char *const files[] = {"out/current/gateway.json", "out/current/haproxy/cc.cfg",
                                        "out/current/manifest.json"};
    struct world *w = *state;
    uint64_t generation = build(w, "cats", "a.example").generation;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct output_result r;

        put(w, files[i], "damaged", 0644);
        r = build(w, "cats", "a.example");
        assert_true(r.changed);
        assert_true(r.generation > generation);
        generation = r.generation;
        assert_whole(w);
    }
}

static void a_foreign_directory_is_not_touched(void **state)
{
    struct world *w = *state;
    struct output_result r;

    assert_int_equal(mkdir(w->out, 0755), 0);
    put(w, "out/precious", "data", 0644);
    assert_int_equal(build_with(w, "cats", "a.example", NULL, &r), CC_EACCESS);
    assert_finding(w, CC5003, "was not made by cc-gen");
    assert_int_equal(count_entries(w, "out"), 1);
}

static void a_locked_directory_is_refused(void **state)
{
    struct world *w = *state;
    struct output_result r;
    int fd;

    build(w, "cats", "a.example");
    fd = open(path(w, "out/.cc-gen.lock"), O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(build_with(w, "dogs", "a.example", NULL, &r), CC_EACCESS);
    assert_finding(w, CC5003, "is locked by another cc-gen");
    close(fd);
    assert_int_equal(build(w, "dogs", "a.example").generation, 2);
}

/* Its inputs, of which there are many, are not read; what is damaged or laid out in another way is
 * read whole. */
static void a_long_manifest_is_read_by_its_ends(void **state)
{
    enum { INPUTS = 3000 };
    struct world *w = *state;
    struct project_input list[INPUTS];
    struct project_inputs inputs = {list, INPUTS};
    struct manifest m, read;
    struct slice text, other;
    struct buf out;

    build(w, "cats", "a.example");
    assert_int_equal(manifest_read(&m, content(w, "out/manifest.json"), w->arena), CC_OK);
    for (size_t i = 0; i < INPUTS; i++)
        list[i] =
            (struct project_input){arena_printf(w->arena, "p%zu", i), slice_of(m.files[0].sha256)};
    assert_int_equal(manifest_inputs(&m, &inputs, NULL, w->arena), CC_OK);
    buf_init(&out, MANIFEST_MAX_BYTES);
    assert_int_equal(manifest_write(&m, &out), CC_OK);
    text = buf_slice(&out);
    assert_true(text.n > 2 * (64 << 10));
    other = arena_dup(w->arena, text);
    for (int i = 0; i < 3; i++) {
        if (i == 1) /* no inputs where they are sought */
            memcpy((char *)(uintptr_t)other.p + (strstr(other.p, "\n \"inputs\"") - other.p), "  ",
                   2);
        if (i == 2)
            other.n -= 2;
        put(w, "manifest", arena_dup(w->arena, other).p, 0644);
        if (i == 2)
            assert_int_equal(truncate(path(w, "manifest"), (off_t)other.n), 0);
        assert_int_equal(manifest_read_file(&read, path(w, "manifest"), w->arena),
                         i < 2 ? CC_OK : CC_EPARSE);
        assert_true(i == 2 || (read.n_files == m.n_files && read.generation == 1 &&
                               strcmp(read.model_hash, m.model_hash) == 0 && read.n_inputs == 0));
    }
    buf_free(&out);
    assert_int_equal(manifest_read_file(&read, path(w, "none"), w->arena), CC_ENOENT);
}

static void haproxy_must_agree(void **state)
{
    struct world *w = *state;
    struct output_result r;
    struct diag_view view;

    build(w, "cats", "a.example");
    put(w, "haproxy",
        "#!/bin/sh\n"
        "echo '[NOTICE]   (7) : haproxy version is 2.6.12' >&2\n"
        "for last; do :; done\n"
        "echo \"[ALERT]    (7) : config : parsing [$last:3] : no such keyword\" >&2\n"
        "exit 1\n",
        0755);
    assert_int_equal(build_with(w, "cats", "b.example", path(w, "haproxy"), &r), CC_EREFUSED);
    view = assert_finding(w, CC5001, "HAProxy says: no such keyword");
    assert_int_equal(diag_errors(w->diag), 1);
    assert_int_equal(view.place.line, 3);
    assert_string_equal(view.place.source->name, "haproxy/cc.cfg");
    assert_int_equal(count_entries(w, "out/generations"), 1);
    assert_true(slice_contains(content(w, "out/haproxy/cc.cfg"), SLICE("a.example")));
    assert_whole(w);
}

/* Also when nothing changed: the HAProxy that is asked may be another one than before. */
static void an_unchanged_build_asks_haproxy_again(void **state)
{
    struct world *w = *state;
    struct output_result r;

    build(w, "cats", "a.example");
    put(w, "haproxy", "#!/bin/sh\nexit 1\n", 0755);
    assert_int_equal(build_with(w, "cats", "a.example", path(w, "haproxy"), &r), CC_EREFUSED);
    assert_finding(w, CC5001, "exit status 1");
    assert_whole(w);
}

/* A build with a HAProxy that agrees, ten seconds after all there is was written: how many
 * questions it was asked. */
static unsigned asked(struct world *w, const char *agent, const char *endpoint,
                      struct output_options options)
{
    const char *log = path(w, "asked");
    struct output_result r;
    struct slice text = SLICE_NONE;
    unsigned n = 0;
    int rc;

    options.directory = w->out;
    options.haproxy = path(w, "haproxy");
    if (options.now_ns == 0)
        options.now_ns = (clock_wall_s(&clock_system) + 10) * 1000000000;
    (void)unlink(log);
    rc = output_build(make_model(w, agent, endpoint), w->config, &options, w->arena, w->diag, &r);
    if (rc != CC_OK)
        diag_print(w->diag, stderr, false);
    assert_int_equal(rc, CC_OK);
    if (access(log, F_OK) == 0)
        text = content(w, "asked");
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static void put_haproxy(struct world *w, const char *more)
{
    const char *script =
        arena_printf(w->arena, "#!/bin/sh\necho asked >>%s\n%s", path(w, "asked"), more).p;

    put(w, "haproxy", script, 0755);
}

static const struct output_options plain;

static void haproxy_is_asked_once(void **state)
{
    struct world *w = *state;

    put_haproxy(w, "");
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    assert_int_equal(asked(w, "cats", "a.example", plain), 0); /* nothing changed */
    assert_int_equal(asked(w, "dogs", "a.example", plain), 0); /* the agent's half */
    assert_int_equal(asked(w, "dogs", "b.example", plain), 1); /* one byte of its own */
    assert_int_equal(asked(w, "dogs", "b.example", plain), 0);
    assert_int_equal(asked(w, "dogs", "a.example", plain), 1);
    assert_true(slice_contains(content(w, "out/manifest.json"), SLICE("\"checked\": true")));
    assert_whole(w);
}

static void another_haproxy_is_asked(void **state)
{
    struct world *w = *state;
    struct output_result r;

    put_haproxy(w, "");
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    put_haproxy(w, "# another\n");
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    assert_int_equal(asked(w, "cats", "a.example", plain), 0); /* kept, though nothing was built */
    assert_int_equal(chmod(path(w, "haproxy"), 0700), 0);      /* its ctime alone */
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    assert_int_equal(unlink(path(w, "haproxy")), 0);
    assert_int_equal(build_with(w, "cats", "a.example", path(w, "haproxy"), &r), CC_ECHILD);
    assert_finding(w, CC5002, "there is no program");
}

/* A refusal is nothing to remember, neither for itself nor of what was agreed to before. */
static void a_refusal_is_asked_again(void **state)
{
    struct world *w = *state;
    struct output_options options = {.directory = w->out, .haproxy = path(w, "haproxy")};
    struct output_result r;

    options.now_ns = (clock_wall_s(&clock_system) + 10) * 1000000000;
    put_haproxy(w, "");
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    put_haproxy(w, "exit 1\n");
    for (int i = 0; i < 2; i++)
        assert_int_equal(output_build(make_model(w, "cats", "a.example"), w->config, &options,
                                      w->arena, w->diag, &r),
                         CC_EREFUSED);
    assert_finding(w, CC5001, "exit status 1");
}

static void what_certificates_are_is_asked_about(void **state)
{
    static const char *const named[] = {"gateway.pem", "gateway.key", "roots.pem", "redis.pem"};
    struct world *w = *state;
    struct key *key = NULL;
    struct buf texts[4];

    for (size_t i = 0; i < 4; i++)
        buf_init(&texts[i], 16384);
    assert_int_equal(key_generate(&key, KEY_EC_P256), CC_OK);
    assert_int_equal(key_write_certificate(key, "gateway.test", 30, &texts[0]), CC_OK);
    assert_int_equal(key_write_private(key, &texts[1]), CC_OK);
    buf_add(&texts[2], buf_slice(&texts[0]));
    buf_add(&texts[3], buf_slice(&texts[0]));
    key_free(&key);
    put_haproxy(w, "");
    for (size_t i = 0; i < 4; i++)
        put(w, named[i], texts[i].p, 0644);
    w->config->router.secured_listener_port = 9095;
    w->config->router.keystore.cert_path = slice_of(path(w, named[0]));
    w->config->router.keystore.key_path = slice_of(path(w, named[1]));
    w->config->router.upstream.ca_file = slice_of(path(w, named[2]));
    w->config->agent.redis.ca_file = slice_of(path(w, named[3]));
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    assert_int_equal(asked(w, "cats", "a.example", plain), 0);
    for (size_t i = 0; i < 4; i++) {
        buf_add_char(&texts[i], '\n');
        put(w, named[i], texts[i].p, 0644);
        assert_int_equal(asked(w, "cats", "a.example", plain), 1);
        assert_int_equal(asked(w, "cats", "a.example", plain), 0);
        buf_free(&texts[i]);
    }
}

static void templates_of_the_operator_are_asked_about(void **state)
{
    struct world *w = *state;
    struct output_options options = {.templates = path(w, "templates")};

    put_haproxy(w, "");
    assert_int_equal(mkdir(options.templates, 0755), 0);
    assert_int_equal(asked(w, "cats", "a.example", options), 1);
    assert_int_equal(asked(w, "cats", "a.example", options), 1);
    assert_int_equal(asked(w, "cats", "a.example", plain), 1); /* nor was it kept */
}

/* What was written a moment ago may be written once more without a trace. */
static void what_is_young_is_asked_about(void **state)
{
    struct world *w = *state;
    struct output_options now = {.now_ns = clock_wall_s(&clock_system) * 1000000000};

    put_haproxy(w, "");
    assert_int_equal(asked(w, "cats", "a.example", now), 1);
    assert_int_equal(asked(w, "cats", "a.example", now), 1);
}

static void a_foreign_record_is_not_believed(void **state)
{
    struct world *w = *state;
    struct slice was;

    put_haproxy(w, "");
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    was = content(w, "out/.cc-gen.checked");
    assert_int_equal(chmod(path(w, "out/.cc-gen.checked"), 0666), 0);
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    assert_true(slice_eq(was, content(w, "out/.cc-gen.checked")));
    assert_int_equal(asked(w, "cats", "a.example", plain), 0);
    assert_int_equal(chmod(w->out, 0777), 0); /* anybody could exchange it */
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    assert_int_equal(chmod(w->out, 0755), 0);
    put(w, "out/.cc-gen.checked",
        arena_printf(w->arena, "%" PRIslice "%c\n", SLICE_ARG(slice_first(was, was.n - 2)),
                     was.p[was.n - 2] == '0' ? '1' : '0')
            .p,
        0600);
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    put(w, "out/.cc-gen.checked", "", 0600);
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
    /* a file of HAProxy's that is not what was built is built anew, and asked about */
    put(w, "out/current/haproxy/cc-spoe.conf", "[other]\n", 0644);
    assert_int_equal(asked(w, "cats", "a.example", plain), 1);
}

static void a_missing_haproxy_is_said(void **state)
{
    struct world *w = *state;
    struct output_result r;

    assert_int_equal(build_with(w, "cats", "a.example", "/nonexistent/haproxy", &r), CC_ECHILD);
    assert_finding(w, CC5002, "/nonexistent/haproxy");
    assert_int_not_equal(access(path(w, "out"), F_OK), 0); /* as before */
    assert_int_equal(mkdir(path(w, "out"), 0755), 0);
    assert_int_equal(build_with(w, "cats", "a.example", "/nonexistent/haproxy", &r), CC_ECHILD);
    assert_int_equal(count_entries(w, "out/generations"), 0);
}

static void a_broken_template_leaves_no_directory(void **state)
{
    struct world *w = *state;
    struct output_options options = {
        .directory = w->out, .templates = path(w, "templates"), .no_validate = true};
    struct output_result r;

    assert_int_equal(mkdir(options.templates, 0755), 0);
    put(w, "templates/cc.cfg.tmpl", "{{nonsense}}\n", 0644);
    assert_int_equal(output_build(make_model(w, "cats", "a.example"), w->config, &options, w->arena,
                                  w->diag, &r),
                     CC_EINVAL);
    assert_finding(w, CC5005, "there is no value 'nonsense' here");
    assert_int_not_equal(access(w->out, F_OK), 0);
    /* a directory that was there, or has a generation, stays */
    assert_int_equal(build(w, "cats", "a.example").generation, 1);
    assert_int_equal(output_build(make_model(w, "dogs", "a.example"), w->config, &options, w->arena,
                                  w->diag, &r),
                     CC_EINVAL);
    assert_whole(w);
}

static void a_file_is_no_directory(void **state)
{
    struct world *w = *state;
    struct output_result r;

    put(w, "out", "data", 0644);
    assert_int_equal(build_with(w, "cats", "a.example", NULL, &r), CC_EACCESS);
    assert_finding(w, CC5003, "is a file, not a directory");
}

/* HAProxy would say it of a line in its own file. */
static void a_log_host_must_be_known(void **state)
{
    struct world *w = *state;
    struct output_result r;

    w->config->router.log_target = SLICE("no-such-host.invalid:514");
    assert_int_equal(build_with(w, "cats", "a.example", "haproxy", &r), CC_EREFUSED);
    assert_finding(w, CC3003, "names the host 'no-such-host.invalid', which cannot be looked up");
}

static void the_real_haproxy_agrees(void **state)
{
    struct world *w = *state;
    struct output_result r;
    int rc = build_with(w, "cats", "127.0.0.1", "haproxy", &r);

    if (rc != CC_OK)
        diag_print(w->diag, stderr, false);
    assert_int_equal(rc, CC_OK);
    assert_whole(w);
}

/* Runs `body` in a process of its own; its result is the exit status. */
static int in_child(struct world *w, int (*body)(struct world *w))
{
    pid_t pid;
    int status;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(body(w));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int build_without_room(struct world *w)
{
    struct rlimit limit = {1000, 1000};
    struct output_result r;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    return build_with(w, "cats", "b.example", NULL, &r) == CC_EIO ? 0 : 1;
}

static void a_full_disk_leaves_the_old_generation(void **state)
{
    struct world *w = *state;

    build(w, "cats", "a.example");
    assert_int_equal(in_child(w, build_without_room), 0);
    assert_int_equal(count_entries(w, "out/generations"), 1);
    assert_true(slice_contains(content(w, "out/haproxy/cc.cfg"), SLICE("a.example")));
    assert_whole(w);
    assert_true(build(w, "cats", "b.example").changed);
}

/* As an ordinary user: root may write everywhere. */
static int build_forbidden(struct world *w)
{
    struct output_result r;

    if (geteuid() == 0 && seteuid(65534) != 0)
        return 2;
    return build_with(w, "cats", "a.example", NULL, &r) == CC_EACCESS ? 0 : 1;
}

static void a_read_only_directory_is_said(void **state)
{
    struct world *w = *state;

    assert_int_equal(chmod(w->directory, 0555), 0);
    assert_int_equal(in_child(w, build_forbidden), 0);
    assert_int_equal(chmod(w->directory, 0755), 0);
    assert_int_equal(count_entries(w, "."), 0);
}

/* Builds one of two models again and again until it is killed. */
static _Noreturn void build_for_ever(struct world *w)
{
    for (unsigned i = 0;; i++) {
        struct output_result r;

        if (build_with(w, i % 3 == 0 ? "cats" : "dogs", i % 2 == 0 ? "a.example" : "b.example",
                       NULL, &r) != CC_OK)
            _exit(1);
    }
}

static void being_killed_never_breaks_it(void **state)
{
    struct world *w = *state;
    unsigned seed = 20;

    build(w, "cats", "a.example");
    for (int round = 0; round < 40; round++) {
        int status;
        pid_t pid = fork();

        if (pid == 0)
            build_for_ever(w);
        /* A build takes some milliseconds, so that this falls into all of its steps. */
        usleep((useconds_t)(1000 + rand_r(&seed) % 30000));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_whole(w);
    }
    /* What the dead left behind goes with the next build. */
    build(w, "birds", "c.example");
    build(w, "birds", "d.example");
    assert_true(count_entries(w, "out/generations") <= 2 * OUTPUT_KEEP);
    assert_whole(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_first_build_makes_generation_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_build_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_agent_change_leaves_haproxy_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_endpoint_change_changes_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_generations_are_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_repaired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_foreign_directory_is_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_locked_directory_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_manifest_is_read_by_its_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(haproxy_must_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unchanged_build_asks_haproxy_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(haproxy_is_asked_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_haproxy_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_certificates_are_is_asked_about, set_up, tear_down),
        cmocka_unit_test_setup_teardown(templates_of_the_operator_are_asked_about, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_young_is_asked_about, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_foreign_record_is_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_haproxy_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_template_leaves_no_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_no_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_host_must_be_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_real_haproxy_agrees, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_old_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_read_only_directory_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(being_killed_never_breaks_it, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
