/* What feeders know, put together; and that replaced stores are freed by the main thread. */
#include "spoa/live_hub.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void no_report(void *context, const char *what, struct slice name, struct place place)
{
    (void)context;
    (void)place;
    fail_msg("%s %.*s", what, SLICE_ARG(name));
}

static struct subs *new_store(void)
{
    struct subs_builder *b = NULL;
    struct subs *s = NULL;

    assert_int_equal(subs_builder_new(&b), CC_OK);
    assert_int_equal(subs_build(b, &s, no_report, NULL), CC_OK);
    subs_builder_free(&b);
    return s;
}

static struct enforce_live *make(const struct live_hub *hub)
{
    struct enforce_live *live = NULL;

    assert_int_equal(live_hub_make(hub, &live), CC_OK);
    return live;
}

static void test_together(void **state)
{
    const struct live_jwks jwks = {.url = SLICE("https://idp/jwks"), .state = LIVE_JWKS_FETCHING};
    struct enforce_live *keys = NULL, *live;
    struct live_hub hub = {.keys = NULL};
    struct subs *store = new_store();

    (void)state;
    live = make(&hub);
    assert_null(enforce_live_subs(live));
    enforce_live_unref(&live);

    live_hub_set_subs(&hub, store);
    assert_int_equal(enforce_live_new(&keys, &jwks, 1), CC_OK);
    live_hub_set_keys(&hub, keys);
    live = make(&hub);
    assert_ptr_equal(enforce_live_subs(live), store);
    assert_non_null(enforce_live_find_jwks(live, jwks.url));
    enforce_live_unref(&live);
    assert_true(subs_is_last(store));

    /* new keys take no store away */
    assert_int_equal(enforce_live_new(&keys, &jwks, 1), CC_OK);
    live_hub_set_keys(&hub, keys);
    live = make(&hub);
    assert_ptr_equal(enforce_live_subs(live), store);
    enforce_live_unref(&live);
    live_hub_free(&hub);
}

/* A worker that lets its state go late never holds the last reference to a store. */
static void test_replaced(void **state)
{
    struct live_hub hub = {.keys = NULL};
    struct enforce_live *worker;
    struct subs *first = new_store();

    (void)state;
    live_hub_set_subs(&hub, first);
    worker = make(&hub);
    live_hub_set_subs(&hub, new_store());
    assert_ptr_equal(hub.old[0], first);
    assert_false(subs_is_last(first));
    live_hub_sweep(&hub);
    assert_ptr_equal(hub.old[0], first); /* still in use */
    enforce_live_unref(&worker);
    assert_true(subs_is_last(first));
    live_hub_sweep(&hub);
    assert_null(hub.old[0]);

    /* more of them than places: none is lost, none is freed twice */
    for (int i = 0; i < LIVE_HUB_OLD + 2; i++) {
        struct enforce_live *late = make(&hub);

        live_hub_set_subs(&hub, new_store());
        if (i == LIVE_HUB_OLD)
            worker = late;
        else
            enforce_live_unref(&late);
    }
    enforce_live_unref(&worker);
    live_hub_free(&hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
