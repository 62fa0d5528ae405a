/* Revocations by Redis against a server of ours: what it may say, in which order, and what it must
 * not be able to do. */
#include "revoke/revoke.h"
#include "spoa/redis_link.h"
#include "spoa/revoker.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "redis_server.h"

enum { NOW = 1700000000 };

struct fixture {
    struct redis_server s;
    struct clock_fixed clock;
    struct revoked *table;
    struct revoker *revoker;
    struct redis_link *link;
    size_t commands, messages;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL || server_open(&f->s) != 0 || revoked_new(&f->table, 1000) != CC_OK)
        return -1;
    clock_fixed_init(&f->clock, NOW, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    redis_link_free(&f->link);
    if (f->revoker != NULL)
        revoker_stop(f->revoker);
    revoker_free(&f->revoker);
    revoked_free(&f->table);
    server_close(&f->s);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *state_directory)
{
    const struct revoker_options options = {
        .state_directory = state_directory,
        .redis = true,
        .prefix = SLICE("cc:"),
        .without_redis = true,
        .clock = &f->clock.clock,
    };
    const struct redis_link_options link = {
        .address = slice_of(f->s.path), .connect_ms = 2000, .command_ms = 60000};

    assert_int_equal(revoker_new(&f->revoker, f->table, &options), CC_OK);
    assert_int_equal(redis_link_new(&f->link, f->s.loop, &link), CC_OK);
    assert_int_equal(revoker_start(f->revoker, f->s.loop, NULL, f->link), CC_OK);
    redis_link_start(f->link);
}

/* Connected; the first page has been asked for. */
static void start_up(struct fixture *f)
{
    start(f, NULL);
    open_both(&f->s, 0, &f->commands, &f->messages);
    assert_true(got(&f->s, f->messages, "cc:{revoked}:changes"));
    say(&f->s, f->messages, "*3\r\n$9\r\nsubscribe\r\n$20\r\ncc:{revoked}:changes\r\n:1\r\n");
    say(&f->s, f->commands, "+PONG\r\n");
    UNTIL(&f->s, got(&f->s, f->commands, "ZSCAN\r\n$12\r\ncc:{revoked}\r\n$1\r\n0\r\n"));
}

static void page(struct fixture *f, const char *text)
{
    say(&f->s, f->commands, text);
}

static void message(struct fixture *f, const char *payload)
{
    char text[4096];

    snprintf(text, sizeof text,
             "*3\r\n$7\r\nmessage\r\n$20\r\ncc:{revoked}:changes\r\n$%zu\r\n%s\r\n",
             strlen(payload), payload);
    say(&f->s, f->messages, text);
    turn(&f->s);
}

static bool has(const struct fixture *f, const char *id)
{
    return revoked_has(f->table, revoked_key(f->table, slice_of(id)));
}

static size_t count(const struct fixture *f, const char *name)
{
    char room[1024], *at;
    struct buf b;

    buf_init_fixed(&b, room, sizeof room);
    revoker_report(f->revoker, &b);
    at = strstr(room, name);
    assert_non_null(at);
    return strtoul(at + strlen(name) + 1, NULL, 10);
}

#define EMPTY "*2\r\n$1\r\n0\r\n*0\r\n"

/* Nobody is let in until both sets were read; what comes by message meanwhile counts. */
static void test_in_step(void **state)
{
    struct fixture *f = *state;

    start_up(f);
    page(f, "*2\r\n$2\r\n17\r\n*4\r\n$1\r\na\r\n$10\r\n1893456000\r\n$1\r\nb\r\n$3\r\ninf\r\n");
    UNTIL(&f->s, got(&f->s, f->commands, "cc:{revoked}\r\n$2\r\n17\r\n"));
    assert_true(has(f, "a") && has(f, "b"));
    assert_false(revoked_is_ready(f->table));
    message(f, "+ 1893456000 again");
    message(f, "+ - lifted");
    page(f, "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nc\r\n$12\r\n1893456000.5\r\n");
    UNTIL(&f->s, got(&f->s, f->commands, "cc:{revoked}:lifted\r\n"));
    assert_false(revoked_is_ready(f->table));
    message(f, "- - lifted");
    /* it was lifted, and then revoked again, which we heard */
    page(f, "*2\r\n$1\r\n0\r\n*4\r\n$5\r\nagain\r\n$10\r\n1699999999\r\n$6\r\nlifted\r\n$"
            "10\r\n1699999999\r\n");
    UNTIL(&f->s, revoked_is_ready(f->table));
    assert_true(has(f, "a") && has(f, "b") && has(f, "c") && has(f, "again"));
    assert_false(has(f, "lifted"));
    /* nothing was told that it told us; only what has expired is cleaned up */
    UNTIL(&f->s, got(&f->s, f->commands, "EVALSHA"));
    assert_false(got(&f->s, f->commands, "cc:{revoked}:changes"));
}

/* What it does not know is told; what was lifted while we were away is not, and is not revoked any
 * more. */
static void test_told(void **state)
{
    struct fixture *f = *state;

    revoked_add(f->table, SLICE("ours"), REVOKED_FOREVER, REVOKED_BY_STATE, NOW);
    revoked_add(f->table, SLICE("known"), REVOKED_FOREVER, REVOKED_BY_STATE, NOW);
    revoked_add(f->table, SLICE("lifted"), REVOKED_FOREVER, REVOKED_BY_STATE, NOW);
    revoked_add(f->table, SLICE("of the file"), REVOKED_FOREVER, REVOKED_BY_FILE, NOW);
    start_up(f);
    page(f, "*2\r\n$1\r\n0\r\n*2\r\n$5\r\nknown\r\n$3\r\ninf\r\n");
    UNTIL(&f->s, got(&f->s, f->commands, "cc:{revoked}:lifted\r\n"));
    page(f, "*2\r\n$1\r\n0\r\n*2\r\n$6\r\nlifted\r\n$10\r\n1699999999\r\n");
    UNTIL(&f->s, revoked_is_ready(f->table));
    UNTIL(&f->s, got(&f->s, f->commands, "$8\r\n+ - ours\r\n"));
    assert_false(has(f, "lifted"));
    assert_true(has(f, "ours") && has(f, "known") && has(f, "of the file"));
    assert_false(got(&f->s, f->commands, "+ - known"));
    assert_false(got(&f->s, f->commands, "of the file"));
}

/* Pages that are none: given up, and not ready. */
static void test_no_page(void **state)
{
    static const char *const pages[] = {
        "+OK\r\n",
        "-WRONGTYPE no set\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*1\r\n$1\r\n0\r\n",
        "*2\r\n:0\r\n*0\r\n",
        "*2\r\n$1\r\n0\r\n$1\r\nx\r\n",
        "*2\r\n$1\r\n0\r\n*-1\r\n",
        "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n",
        "*2\r\n$0\r\n\r\n*0\r\n",
        "*2\r\n$21\r\n000000000000000000000\r\n*0\r\n",
        "*2\r\n*0\r\n*0\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        void *each = NULL;
        struct fixture *f;

        assert_int_equal(setup(&each), 0);
        f = each;
        start_up(f);
        page(f, pages[i]);
        UNTIL(&f->s, !redis_link_is_up(f->link));
        assert_false(revoked_is_ready(f->table));
        teardown(&each);
    }
}

/* Members that are none are left out and counted; the rest counts. */
static void test_bad_members(void **state)
{
    struct fixture *f = *state;
    struct revoked_entry e;

    start_up(f);
    page(f, "*2\r\n$1\r\n0\r\n*22\r\n"
            "$1\r\na\r\n$3\r\nnan\r\n"
            "$1\r\nb\r\n$2\r\n-5\r\n"
            "$1\r\nc\r\n$4\r\n12x4\r\n"
            "$1\r\nd\r\n$0\r\n\r\n"
            "$1\r\ne\r\n$40\r\n1111111111111111111111111111111111111111\r\n"
            "$3\r\nf\ng\r\n$10\r\n1893456000\r\n"
            "$0\r\n\r\n$10\r\n1893456000\r\n"
            ":5\r\n$10\r\n1893456000\r\n"
            "$1\r\nh\r\n:1893456000\r\n"
            "$1\r\ni\r\n$6\r\n1e+300\r\n"
            "$1\r\nj\r\n$13\r\n1.893456e+09\n\r\n");
    UNTIL(&f->s, got(&f->s, f->commands, "cc:{revoked}:lifted\r\n"));
    page(f, EMPTY);
    UNTIL(&f->s, revoked_is_ready(f->table));
    assert_int_equal(count(f, "revoked_bad_messages"), 10);
    assert_int_equal(count(f, "revoked_entries"), 1);
    assert_true(revoked_find(f->table, SLICE("i"), &e));
    assert_true(e.until_s == REVOKED_FOREVER);
}

static void test_bad_messages(void **state)
{
    static const char *const bad[] = {"",
                                      "+",
                                      "+ ",
                                      "+ 1893456000",
                                      "+ 1893456000 ",
                                      "* 1 a",
                                      "+ -1 a",
                                      "+ x a",
                                      "- 99999999999999999999 a",
                                      "+ - a\x01b",
                                      "++ - a",
                                      "{\"jti\": 1}"};
    struct fixture *f = *state;
    char longest[REVOKED_ID_MAX + 8];

    start_up(f);
    page(f, EMPTY);
    UNTIL(&f->s, got(&f->s, f->commands, "cc:{revoked}:lifted\r\n"));
    page(f, EMPTY);
    UNTIL(&f->s, revoked_is_ready(f->table));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        message(f, bad[i]);
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "+ - ", 4);
    longest[sizeof longest - 1] = '\0';
    message(f, longest); /* an id of 1027 bytes */
    message(f, "+ 1600000000 expired");
    message(f, "+ - good one");
    UNTIL(&f->s, has(f, "good one"));
    assert_int_equal(count(f, "revoked_bad_messages"), 13);
    assert_int_equal(count(f, "revoked_entries"), 1);
    assert_true(redis_link_is_up(f->link));
}

/* Once in step it goes on with what it has when the server is away at the next start, and not
 * before. */
static void test_start_without(void **state)
{
    struct fixture *f = *state;
    char directory[96];

    snprintf(directory, sizeof directory, "%s/state", f->s.dir);
    for (int i = 0; i < 3; i++) {
        size_t from = f->s.n;

        start(f, directory);
        if (i == 1) { /* it answers this time */
            open_both(&f->s, from, &f->commands, &f->messages);
            say(&f->s, f->messages,
                "*3\r\n$9\r\nsubscribe\r\n$20\r\ncc:{revoked}:changes\r\n:1\r\n");
            say(&f->s, f->commands, "+PONG\r\n");
            UNTIL(&f->s, got(&f->s, f->commands, "ZSCAN"));
            page(f, "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$3\r\ninf\r\n");
            UNTIL(&f->s, got(&f->s, f->commands, ":lifted\r\n"));
            page(f, EMPTY);
            UNTIL(&f->s, revoked_is_ready(f->table));
        } else {
            UNTIL(&f->s, f->s.n == from + 2);
            assert_false(revoked_is_ready(f->table));
            redis_link_fail(f->link, "a test");
            assert_int_equal(revoked_is_ready(f->table), i == 2);
            assert_int_equal(has(f, "a"), i == 2);
        }
        redis_link_free(&f->link);
        revoker_stop(f->revoker);
        revoker_free(&f->revoker);
        revoked_free(&f->table);
        assert_int_equal(revoked_new(&f->table, 100), CC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_step, setup, teardown),
        cmocka_unit_test_setup_teardown(test_told, setup, teardown),
        cmocka_unit_test(test_no_page),
        cmocka_unit_test_setup_teardown(test_bad_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start_without, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
