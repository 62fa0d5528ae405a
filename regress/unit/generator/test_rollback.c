/* Going back to a kept generation, and planning against one: what is switched, refused, left. */
#include "generator/output_plan.h"
#include "generator/output_rollback.h"

#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARENA_BYTES = 256 << 20 };

struct world {
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    char directory[64];
    const char *out;
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

    assert_non_null(w);
    w->arena = arena_new(ARENA_BYTES);
    w->diag = diag_new();
    snprintf(w->directory, sizeof(w->directory), "/tmp/test_rollback.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    w->out = path(w, "out");
    assert_int_equal(config_load(&w->config, NULL, NULL, NULL, 0, w->arena, w->diag), CC_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    file_remove_tree(w->directory);
    diag_free(&w->diag);
    arena_free(&w->arena);
    free(w);
    return 0;
}

/* `agent` changes what the agent reads, `endpoint` what both halves do. */
static struct gw_model *make_model(const struct world *w, const char *agent, const char *endpoint)
{
    struct gw_model *m = arena_alloc(w->arena, sizeof(*m));
    struct gw_api *api = arena_alloc(w->arena, sizeof(*api));
    struct gw_cluster *cluster = arena_alloc(w->arena, sizeof(*cluster));
    struct gw_endpoint *e = arena_alloc(w->arena, sizeof(*e));
    struct gw_resource *r = arena_alloc(w->arena, sizeof(*r));
    char sum[65];

    assert_int_equal(crypto_sha1_hex(slice_of(endpoint), sum), CC_OK);
    *e = (struct gw_endpoint){.host = slice_of(endpoint), .port = 8080};
    cluster->name = arena_printf(w->arena, "cc_b_%.12s", sum);
    cluster->endpoints = e;
    cluster->n_endpoints = 1;
    r->template = arena_printf(w->arena, "/%s", agent);
    *api = (struct gw_api){.id = SLICE("1"),
                           .name = SLICE("Pets"),
                           .version = SLICE("1"),
                           .vhost = SLICE("*"),
                           .base_path = SLICE("/pets"),
                           .auth_header = SLICE("authorization"),
                           .production = cluster,
                           .resources = r,
                           .n_resources = 1};
    *m = (struct gw_model){.system_host = SLICE("localhost"),
                           .clusters = cluster,
                           .n_clusters = 1,
                           .apis = api,
                           .n_apis = 1};
    return m;
}

static struct output_options options(const struct world *w)
{
    return (struct output_options){.directory = w->out, .no_validate = true};
}

static struct output_result build(const struct world *w, const char *agent, const char *endpoint)
{
    struct output_options o = options(w);
    struct output_result result;

    assert_int_equal(
        output_build(make_model(w, agent, endpoint), w->config, &o, w->arena, w->diag, &result),
        CC_OK);
    return result;
}

static struct output_plan plan(const struct world *w, const char *agent, const char *endpoint)
{
    struct output_options o = options(w);
    struct output_plan p;

    assert_int_equal(
        output_plan(&p, make_model(w, agent, endpoint), w->config, &o, w->arena, w->diag), CC_OK);
    return p;
}

static int roll(const struct world *w, uint64_t wanted, struct output_rollback *r)
{
    struct output_options o = options(w);
    int rc = output_rollback(r, &o, wanted, w->arena, w->diag);

    output_rollback_free(r);
    return rc;
}

static void rolled(const struct world *w, uint64_t wanted, uint64_t from, uint64_t to, bool haproxy)
{
    struct output_rollback r;

    assert_int_equal(roll(w, wanted, &r), CC_OK);
    assert_int_equal(r.from, from);
    assert_int_equal(r.to, to);
    assert_int_equal(r.haproxy_changed, haproxy);
}

/* Where `current` leads; "" when there is none. */
static void read_current(const struct world *w, char room[64])
{
    ssize_t n = readlink(path(w, "out/current"), room, 63);

    room[n > 0 ? n : 0] = '\0';
}

static void refused(const struct world *w, uint64_t wanted, enum diag_code code, const char *words)
{
    struct output_rollback r;
    struct diag_view view = {0};
    size_t before = diag_errors(w->diag);
    char link[64], after[64];

    read_current(w, link);
    assert_int_equal(roll(w, wanted, &r), CC_EREFUSED);
    assert_int_equal(diag_errors(w->diag), before + 1);
    for (size_t i = 0; diag_get(w->diag, i, &view); i++)
        continue;
    assert_int_equal(view.code, code);
    if (!slice_contains(view.message, slice_of(words)))
        fail_msg("'%s' is not in: %.*s", words, (int)view.message.n, view.message.p);
    read_current(w, after);
    assert_string_equal(link, after);
}

static struct slice content(const struct world *w, const char *name)
{
    struct slice text;

    assert_int_equal(file_read(w->arena, path(w, name), 1 << 24, &text), CC_OK);
    return text;
}

static void overwrite(const struct world *w, const char *name, struct slice text)
{
    assert_int_equal(file_write_atomic(path(w, name), text, 0644), CC_OK);
}

/* Generations 1 (a, x), 2 (b, x: HAProxy's half is that of 1), 3 (b, y). */
static void build_three(const struct world *w)
{
    build(w, "a", "x.example");
    build(w, "b", "x.example");
    build(w, "b", "y.example");
}

static void one_step_back_and_another(void **state)
{
    struct world *w = *state;

    build_three(w);
    rolled(w, 0, 3, 2, true);
    assert_true(slice_contains(content(w, "out/gateway.json"), SLICE("\"generation\":2,")));
    assert_true(slice_contains(content(w, "out/haproxy/cc.cfg"), SLICE("x.example")));
    rolled(w, 0, 2, 1, false);
    assert_true(slice_contains(content(w, "out/gateway.json"), SLICE("/a")));
    refused(w, 0, CC7103, "no generation before 1");
}

static void to_any_generation_and_forward_again(void **state)
{
    struct world *w = *state;

    build_three(w);
    rolled(w, 1, 3, 1, true);
    rolled(w, 3, 1, 3, true);
    rolled(w, 3, 3, 3, false);
    refused(w, 4, CC7101, "no generation 4");
    refused(w, UINT64_MAX, CC7101, "no generation");
}

/* Whatever was rolled back from keeps its number to itself: an agent or HAProxy may still have it.
 */
static void a_build_after_a_rollback_takes_a_new_number(void **state)
{
    struct world *w = *state;

    build_three(w);
    rolled(w, 1, 3, 1, true);
    assert_int_equal(build(w, "c", "x.example").generation, 4);
    rolled(w, 1, 4, 1, false);
    /* What is current already is not built again, */
    assert_int_equal(build(w, "a", "x.example").generation, 1);
    /* and what was built as generation 3 is another one now. */
    assert_int_equal(build(w, "b", "y.example").generation, 5);
    /* Nor does pruning free a number. */
    rolled(w, 2, 5, 2, true);
    for (unsigned i = 6; i < 14; i++)
        assert_int_equal(build(w, arena_printf(w->arena, "c%u", i).p, "x.example").generation, i);
}

/* The snapshot and the configuration of one generation name the same number: /ready fits. */
static void halves_of_a_generation_belong_together(void **state)
{
    struct world *w = *state;

    build_three(w);
    rolled(w, 2, 3, 2, true);
    assert_true(slice_contains(content(w, "out/gateway.json"), SLICE("\"haproxy_generation\":1,")));
    assert_true(
        slice_contains(content(w, "out/haproxy/cc.cfg"), SLICE("var(txn.cc.hgen) -m int 1 }")));
}

static void a_damaged_generation_is_refused(void **state)
{
    static const char *const files[] = {"gateway.json", "haproxy/cc.cfg", "haproxy/cc-spoe.conf",
                                        "manifest.json"};
    struct world *w = *state;

    build_three(w);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *name = arena_printf(w->arena, "out/generations/1/%s", files[i]).p;
        struct slice text = content(w, name);
        struct slice longer = arena_printf(w->arena, "%" PRIslice " ", SLICE_ARG(text));

        /* one byte more; nothing; no file */
        if (strcmp(files[i], "manifest.json") != 0) {
            overwrite(w, name, longer);
            refused(w, 1, CC7102, files[i]);
        }
        overwrite(w, name, SLICE("{}"));
        refused(w, 1, CC7102, strcmp(files[i], "manifest.json") == 0 ? "manifest" : files[i]);
        assert_int_equal(unlink(path(w, name)), 0);
        refused(w, 1, CC7102, strcmp(files[i], "manifest.json") == 0 ? "manifest" : files[i]);
        overwrite(w, name, text);
    }
    rolled(w, 1, 3, 1, true);
}

/* Whole by its sums, but not made of parts of one build. */
static void parts_of_different_generations_are_refused(void **state)
{
    struct world *w = *state;
    struct slice snapshot, rest, line;
    struct buf text;
    char sum[65];

    build_three(w);
    snapshot = content(w, "out/generations/2/gateway.json");
    rest = content(w, "out/generations/1/manifest.json");
    assert_int_equal(crypto_sha256_hex(snapshot, sum), CC_OK);
    buf_init(&text, 1 << 20);
    while (slice_split(&rest, '\n', &line)) {
        if (slice_contains(line, SLICE("\"gateway.json\"")))
            buf_printf(&text, "  \"gateway.json\": \"%s\",\n", sum);
        else
            buf_printf(&text, "%" PRIslice "\n", SLICE_ARG(line));
    }
    overwrite(w, "out/generations/1/gateway.json", snapshot);
    overwrite(w, "out/generations/1/manifest.json", buf_slice(&text));
    refused(w, 1, CC7102, "different generations");
    buf_free(&text);
}

static void a_manifest_cannot_lead_out_of_its_generation(void **state)
{
    struct world *w = *state;
    struct slice rest, line;
    struct buf text;

    build_three(w);
    rest = content(w, "out/generations/1/manifest.json");
    buf_init(&text, 1 << 20);
    while (slice_split(&rest, '\n', &line)) {
        if (slice_contains(line, SLICE("\"haproxy/cc.cfg\"")))
            buf_printf(&text, "  \"haproxy/../../../../secret\": \"%064d\",\n", 0);
        else
            buf_printf(&text, "%" PRIslice "\n", SLICE_ARG(line));
    }
    overwrite(w, "out/generations/1/manifest.json", buf_slice(&text));
    refused(w, 1, CC7102, "is no file of a generation");
    buf_free(&text);
}

/* The current generation may be damaged: that is a reason to leave it. */
static void away_from_a_damaged_generation(void **state)
{
    struct world *w = *state;

    build_three(w);
    overwrite(w, "out/generations/3/gateway.json", SLICE("{}"));
    rolled(w, 0, 3, 2, true);
}

static void where_nothing_was_built(void **state)
{
    struct world *w = *state;
    struct stat st;

    refused(w, 0, CC7103, "nothing was built");
    assert_int_equal(stat(w->out, &st), -1); /* and nothing is made */
    assert_int_equal(mkdir(w->out, 0755), 0);
    refused(w, 1, CC7103, "nothing was built");
}

static void lists_what_is_kept(void **state)
{
    struct world *w = *state;
    struct output_kept *kept;
    size_t n;

    build_three(w);
    rolled(w, 2, 3, 2, true);
    overwrite(w, "out/generations/1/manifest.json", SLICE("{}"));
    assert_int_equal(output_list(&kept, &n, w->out, w->arena, w->diag), CC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(kept[0].generation, 3);
    assert_int_equal(kept[0].haproxy_generation, 3);
    assert_false(kept[0].current);
    assert_true(kept[1].current);
    assert_int_equal(kept[1].haproxy_generation, 1);
    assert_int_equal(kept[2].haproxy_generation, 0);
    assert_true(kept[2].built_s > 0);
}

/* --- plan ------------------------------------------------------------------------------------ */

static void planned(const struct world *w, const char *agent, const char *endpoint, bool model,
                    bool haproxy)
{
    struct output_plan p = plan(w, agent, endpoint);
    struct output_result r;

    assert_int_equal(p.same_model, model);
    assert_int_equal(p.same_haproxy, haproxy);
    output_plan_free(&p);
    /* and the build does what was planned */
    r = build(w, agent, endpoint);
    assert_int_equal(r.changed, !model || !haproxy);
    assert_int_equal(r.haproxy_changed, !haproxy);
    assert_int_equal(r.generation, r.changed ? p.next : p.built);
}

static void plan_and_build_agree(void **state)
{
    struct world *w = *state;

    planned(w, "a", "x.example", false, false);
    planned(w, "a", "x.example", true, true);
    planned(w, "b", "x.example", false, true);
    planned(w, "b", "y.example", false, false);
    overwrite(w, "out/current/haproxy/cc.cfg", SLICE("# edited\n"));
    planned(w, "b", "y.example", true, false);
    overwrite(w, "out/current/gateway.json", SLICE("{}"));
    planned(w, "b", "y.example", false, true);
    rolled(w, 2, 5, 2, true);
    planned(w, "b", "x.example", true, true);
}

static void plan_writes_nothing(void **state)
{
    struct world *w = *state;
    struct output_plan p = plan(w, "a", "x.example");
    struct stat st;

    assert_int_equal(p.built, 0);
    assert_null(p.snapshot);
    output_plan_free(&p);
    assert_int_equal(stat(w->out, &st), -1);
}

static void plan_says_what_it_cannot_compare(void **state)
{
    struct world *w = *state;
    struct output_plan p;

    build(w, "a", "x.example");
    overwrite(w, "out/current/gateway.json", SLICE("{}"));
    p = plan(w, "a", "x.example");
    assert_non_null(strstr(p.fault, "gateway.json is not what was built"));
    assert_null(p.snapshot);
    output_plan_free(&p);
    overwrite(w, "out/current/manifest.json", SLICE("[]"));
    p = plan(w, "a", "x.example");
    assert_string_equal(p.fault, "its manifest cannot be read");
    assert_false(p.same_model || p.same_haproxy);
    output_plan_free(&p);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(one_step_back_and_another),
        CASE(to_any_generation_and_forward_again),
        CASE(a_build_after_a_rollback_takes_a_new_number),
        CASE(halves_of_a_generation_belong_together),
        CASE(a_damaged_generation_is_refused),
        CASE(parts_of_different_generations_are_refused),
        CASE(a_manifest_cannot_lead_out_of_its_generation),
        CASE(away_from_a_damaged_generation),
        CASE(where_nothing_was_built),
        CASE(lists_what_is_kept),
        CASE(plan_and_build_agree),
        CASE(plan_writes_nothing),
        CASE(plan_says_what_it_cannot_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
