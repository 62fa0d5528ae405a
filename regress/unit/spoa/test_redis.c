/* The link to Redis against a server of ours, which says what no server should: bounds, time-outs,
 * scripts, logging in, subscribing, and coming back. */
#include "spoa/redis_link.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "redis_server.h"

struct fixture {
    struct redis_server s;
    struct redis_link *link;
    struct redis_link_options options;
    struct redis_user user;
    unsigned ups, downs, messages;
    char message[64];
    /* of the last command */
    unsigned answers;
    int type;
    char text[128];
};

static void on_up(void *context)
{
    ((struct fixture *)context)->ups++;
}

static void on_down(void *context)
{
    ((struct fixture *)context)->downs++;
}

static void on_message(void *context, struct slice payload)
{
    struct fixture *f = context;

    f->messages++;
    snprintf(f->message, sizeof f->message, "%" PRIslice, SLICE_ARG(payload));
}

static void on_answer(void *context, const redisReply *reply)
{
    struct fixture *f = context;

    f->answers++;
    f->type = reply != NULL ? reply->type : -1;
    snprintf(f->text, sizeof f->text, "%s", reply != NULL && reply->str != NULL ? reply->str : "");
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (f == NULL || server_open(&f->s) != 0)
        return -1;
    f->options = (struct redis_link_options){
        .address = slice_of(f->s.path), .connect_ms = 2000, .command_ms = 60000};
    f->user =
        (struct redis_user){.up = on_up, .down = on_down, .message = on_message, .context = f};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    redis_link_free(&f->link);
    server_close(&f->s);
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    assert_int_equal(redis_link_new(&f->link, f->s.loop, &f->options), CC_OK);
    redis_link_join(f->link, &f->user);
    redis_link_start(f->link);
}

/* Connected, with the connection for commands as the first peer. */
static void start_up(struct fixture *f)
{
    start(f);
    UNTIL(&f->s, got(&f->s, 0, "PING\r\n"));
    say(&f->s, 0, "+PONG\r\n");
    UNTIL(&f->s, f->ups == 1);
}

static int send_get(struct fixture *f)
{
    const struct slice args[] = {SLICE("GET"), SLICE("key")};

    return redis_link_send(f->link, args, 2, on_answer, f);
}

static void test_commands(void **state)
{
    struct fixture *f = *state;

    start_up(f);
    assert_int_equal(send_get(f), CC_OK);
    assert_int_equal(send_get(f), CC_OK);
    UNTIL(&f->s, got(&f->s, 0, "GET\r\n$3\r\nkey\r\n*2\r\n$3\r\nGET"));
    say(&f->s, 0, "$1\r\na\r\n-ERR no\r\n");
    UNTIL(&f->s, f->answers == 2);
    assert_int_equal(f->type, REDIS_REPLY_ERROR);
    assert_string_equal(f->text, "ERR no");
    assert_true(redis_link_is_up(f->link));
}

/* A password and a database, in order, before it is up. */
static void test_login(void **state)
{
    struct fixture *f = *state;

    f->options.user = SLICE("me");
    f->options.password = SLICE("pass word");
    f->options.database = 7;
    start(f);
    UNTIL(&f->s, got(&f->s, 0, "PING\r\n"));
    assert_string_equal(f->s.peers[0].got.p,
                        "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$9\r\npass word\r\n"
                        "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n*1\r\n$4\r\nPING\r\n");
    say(&f->s, 0, "+OK\r\n+OK\r\n");
    assert_int_equal(send_get(f), CC_EAGAIN);
    say(&f->s, 0, "+PONG\r\n");
    UNTIL(&f->s, f->ups == 1);
}

static void test_refused_login(void **state)
{
    struct fixture *f = *state;

    f->options.password = SLICE("wrong");
    start(f);
    UNTIL(&f->s, got(&f->s, 0, "PING\r\n"));
    assert_string_equal(f->s.peers[0].got.p,
                        "*2\r\n$4\r\nAUTH\r\n$5\r\nwrong\r\n*1\r\n$4\r\nPING\r\n");
    say(&f->s, 0, "-WRONGPASS no\r\n-NOAUTH no\r\n");
    UNTIL(&f->s, f->downs == 1);
    assert_int_equal(f->ups, 0);
    /* once more, and then it works */
    UNTIL(&f->s, got(&f->s, 1, "PING\r\n"));
    assert_int_equal(f->downs, 1); /* said once */
    say(&f->s, 1, "+OK\r\n+PONG\r\n");
    UNTIL(&f->s, f->ups == 1);
}

/* A server that is loading its data, or that wants a password that we do not have. */
static void test_not_ready(void **state)
{
    struct fixture *f = *state;

    start(f);
    UNTIL(&f->s, got(&f->s, 0, "PING\r\n"));
    say(&f->s, 0, "-LOADING Redis is loading the dataset in memory\r\n");
    UNTIL(&f->s, f->downs == 1);
    assert_int_equal(f->ups, 0);
}

static void test_messages(void **state)
{
    struct fixture *f = *state;
    size_t commands, messages;

    f->user.channel = SLICE("ch");
    start(f);
    open_both(&f->s, 0, &commands, &messages);
    say(&f->s, commands, "+PONG\r\n");
    assert_int_equal(f->ups, 0); /* not before it hears all */
    say(&f->s, messages, "*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n");
    UNTIL(&f->s, f->ups == 1);
    say(&f->s, messages, "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n");
    UNTIL(&f->s, f->messages == 1);
    assert_string_equal(f->message, "hello");
    /* what is for nobody, and what is no text */
    say(&f->s, messages,
        "*3\r\n$7\r\nmessage\r\n$2\r\nno\r\n$1\r\nx\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n"
        "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n:5\r\n");
    UNTIL(&f->s, f->messages == 2);
    assert_string_equal(f->message, "");
    assert_true(redis_link_is_up(f->link));
    /* when one is lost, both are */
    close(f->s.peers[messages].fd);
    f->s.peers[messages].fd = -1;
    UNTIL(&f->s, f->downs == 1);
    open_both(&f->s, 2, &commands, &messages);
    say(&f->s, messages, "-NOPERM no\r\n");
    UNTIL(&f->s, !got(&f->s, messages, "x")); /* a turn */
    say(&f->s, commands, "+PONG\r\n");
    assert_int_equal(f->ups, 1);
}

/* Nothing of this crashes, takes memory without end, or is taken for an answer. */
static void test_hostile(void **state)
{
    static const char *const texts[] = {
        "nonsense\r\n",
        "*65537\r\n",
        "*2147483647\r\n",
        "*99999999999999999999\r\n",
        "*-5\r\n",
        "$99999999999\r\n",
        "$-5\r\n",
        ":99999999999999999999999\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
        "+OK\r\n+nobody asked\r\n",
        "$5\r\nabcdefgh\r\n",
        "*2\r\n*65536\r\n*65536\r\n*65536\r\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fixture *f = NULL;
        void *each = NULL;

        (void)state;
        assert_int_equal(setup(&each), 0);
        f = each;
        f->options.command_ms = 500; /* where it looks like the begin of an answer */
        start_up(f);
        assert_int_equal(send_get(f), CC_OK);
        UNTIL(&f->s, got(&f->s, 0, "GET"));
        say(&f->s, 0, texts[i]);
        UNTIL(&f->s, f->downs == 1);
        assert_int_equal(f->answers, 1);
        teardown(&each);
    }
}

/* An answer that is too long ends it, long before it is all there. */
static void test_too_long(void **state)
{
    struct fixture *f = *state;
    char *block = malloc((1 << 20) + 1);

    assert_non_null(block);
    memset(block, 'x', 1 << 20);
    block[1 << 20] = '\0';
    start_up(f);
    assert_int_equal(send_get(f), CC_OK);
    UNTIL(&f->s, got(&f->s, 0, "GET"));
    say(&f->s, 0, "$400000000\r\n");
    for (int i = 0; i < 20 && f->downs == 0; i++)
        say(&f->s, 0, block);
    UNTIL(&f->s, f->downs == 1);
    assert_int_equal(f->type, -1);
    free(block);
}

/* Many elements that take more memory than bytes on the wire. */
static void test_too_many(void **state)
{
    struct fixture *f = *state;
    struct buf b;

    start_up(f);
    assert_int_equal(send_get(f), CC_OK);
    UNTIL(&f->s, got(&f->s, 0, "GET"));
    buf_init(&b, 4 << 20);
    buf_add_str(&b, "*60000\r\n");
    for (int i = 0; i < 60000; i++)
        buf_add_str(&b, "*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n");
    say(&f->s, 0, b.p);
    UNTIL(&f->s, f->downs == 1);
    assert_int_equal(f->type, -1);
    buf_free(&b);
}

static void test_silence(void **state)
{
    struct fixture *f = *state;

    f->options.command_ms = 150;
    start_up(f);
    assert_int_equal(send_get(f), CC_OK);
    UNTIL(&f->s, f->downs == 1);
    assert_int_equal(f->answers, 1);
    assert_int_equal(f->type, -1);
    assert_int_equal(send_get(f), CC_EAGAIN);
    /* it comes again by itself */
    UNTIL(&f->s, got(&f->s, 1, "PING\r\n"));
    say(&f->s, 1, "+PONG\r\n");
    UNTIL(&f->s, f->ups == 2);
}

/* A server that takes nothing: what waits is bounded. */
static void test_not_read(void **state)
{
    struct fixture *f = *state;
    static char value[100000];
    const struct slice args[] = {SLICE("SET"), SLICE("key"), slice_make(value, sizeof value)};
    int rc = CC_OK;
    size_t n = 0;

    start_up(f);
    while (rc == CC_OK && n < 1000) {
        rc = redis_link_send(f->link, args, 3, NULL, NULL);
        n += rc == CC_OK;
        ev_run(f->s.loop, EVRUN_NOWAIT); /* and the server reads nothing */
    }
    assert_int_equal(rc, CC_EFULL);
    assert_true(n >= REDIS_OUT_BYTES / 100100 && n < 200);
    assert_true(redis_link_is_up(f->link));
}

static void test_script(void **state)
{
    struct fixture *f = *state;
    struct redis_script script;
    const struct slice args[] = {SLICE("key"), SLICE("value")};

    assert_int_equal(redis_script_init(&script, SLICE("return 1")), CC_OK);
    assert_string_equal(script.sha, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    start_up(f);
    assert_int_equal(redis_link_eval(f->link, &script, 1, args, 2, on_answer, f), CC_OK);
    UNTIL(&f->s, got(&f->s, 0,
                     "EVALSHA\r\n$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n$1\r\n1\r\n"
                     "$3\r\nkey\r\n$5\r\nvalue\r\n"));
    say(&f->s, 0, "-NOSCRIPT No matching script.\r\n");
    UNTIL(&f->s,
          got(&f->s, 0, "EVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"));
    assert_int_equal(f->answers, 0);
    say(&f->s, 0, ":1\r\n");
    UNTIL(&f->s, f->answers == 1);
    assert_int_equal(f->type, REDIS_REPLY_INTEGER);
    /* a server that never knows it: the second time is the last */
    assert_int_equal(redis_link_eval(f->link, &script, 1, args, 2, on_answer, f), CC_OK);
    UNTIL(&f->s, got(&f->s, 0, "EVALSHA"));
    say(&f->s, 0, "-NOSCRIPT No matching script.\r\n");
    UNTIL(&f->s, got(&f->s, 0, "EVAL\r\n"));
    say(&f->s, 0, "-NOSCRIPT No matching script.\r\n");
    UNTIL(&f->s, f->answers == 2);
    assert_int_equal(f->type, REDIS_REPLY_ERROR);
    /* lost in between */
    assert_int_equal(redis_link_eval(f->link, &script, 1, args, 2, on_answer, f), CC_OK);
    redis_link_fail(f->link, "a test");
    assert_int_equal(f->answers, 3);
    assert_int_equal(f->type, -1);
}

/* A callback may give it up. */
static void fail_at_once(void *context, const redisReply *reply)
{
    struct fixture *f = context;

    f->answers++;
    if (reply != NULL)
        redis_link_fail(f->link, "it makes no sense");
}

static void test_fail_inside(void **state)
{
    struct fixture *f = *state;
    const struct slice args[] = {SLICE("GET"), SLICE("key")};

    start_up(f);
    assert_int_equal(redis_link_send(f->link, args, 2, fail_at_once, f), CC_OK);
    assert_int_equal(redis_link_send(f->link, args, 2, fail_at_once, f), CC_OK);
    UNTIL(&f->s, got(&f->s, 0, "GET"));
    say(&f->s, 0, "+OK\r\n+OK\r\n");
    UNTIL(&f->s, f->answers == 2);
    assert_int_equal(f->downs, 1);
    UNTIL(&f->s, got(&f->s, 1, "PING\r\n"));
}

static void test_nobody_there(void **state)
{
    struct fixture *f = *state;

    f->options.address = SLICE("/nowhere/redis.sock");
    start(f);
    UNTIL(&f->s, f->downs == 1);
    /* a name that cannot be looked up, and one that can, on a port where nobody listens */
    redis_link_free(&f->link);
    f->options.address = SLICE("no-such-host.invalid:6379");
    start(f);
    UNTIL(&f->s, f->downs == 2);
    redis_link_free(&f->link);
    f->options.address = SLICE("localhost:1");
    start(f);
    UNTIL(&f->s, f->downs == 3);
    /* freed in the middle of a look-up */
    redis_link_free(&f->link);
    f->options.address = SLICE("localhost:1");
    start(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(test_login, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_login, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_script, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fail_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
