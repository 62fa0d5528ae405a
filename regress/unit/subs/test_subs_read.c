/* Subscription files: what is taken, and what is found wrong in them. */
#include "subs/subs_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define APP "applications: [{uuid: a, id: 1, name: Shop}]\n"

struct world {
    struct arena *arena;
    struct diag *diag;
    struct subs *store;
    int rc;
};

static void open_world(struct world *w)
{
    *w = (struct world){arena_new((size_t)64 << 20), diag_new(), NULL, CC_OK};
    assert_true(w->arena != NULL && w->diag != NULL);
}

static void close_world(struct world *w)
{
    subs_unref(&w->store);
    diag_free(&w->diag);
    arena_free(&w->arena);
}

static void add_findings(const struct diag *diag, struct buf *out)
{
    struct diag_view v;

    for (size_t i = 0; diag_get(diag, i, &v); i++)
        buf_printf(out, "%s %s:%u:%u %.*s\n", diag_code_name(v.code),
                   v.place.source != NULL ? v.place.source->name : "-", v.place.line, v.place.col,
                   (int)v.message.n, v.message.p);
}

static const struct {
    const char *text, *findings;
} cases[] = {
    {"", ""},
    {"# nothing yet\n", ""},
    {"applications:\nsubscriptions: []\n", ""},
    {APP, ""},
    {"[]\n", "CC1201 f:1:1 a subscription file is a list, expected a mapping\n"},
    {"applications: {}\n", "CC1201 f:1:15 applications is a mapping, expected a list\n"},
    {"applications: [7]\n", "CC1201 f:1:16 applications is a whole number, expected a mapping\n"},
    {"application: []\n", "CC3070 f:1:1 a subscription file has no list 'application'\n"},
    {"applications: [{uuid: a, id: 1, name: S, plan: x}]\n",
     "CC3070 f:1:42 an element of applications has no 'plan'\n"},
    {"applications: [{uuid: a, name: S}]\n",
     "CC3071 f:1:16 an element of applications lacks 'id'\n"},
    {"applications: [{uuid: null, id: 1, name: S}]\n",
     "CC3071 f:1:16 an element of applications lacks 'uuid'\n"},
    {"applications: [{uuid: \"\", id: 1, name: S}]\n", "CC3073 f:1:23 uuid is empty\n"},
    {"applications: [{uuid: \"a\\x01b\", id: 1, name: S}]\n",
     "CC3073 f:1:23 uuid has a control character\n"},
    {"applications: [{uuid: a, id: -1, name: S}]\n",
     "CC1203 f:1:30 id is -1, expected a number from 0 to 2147483647\n"},
    {"applications: [{uuid: a, id: x, name: S}]\n",
     "CC1201 f:1:30 id is text, expected a whole number\n"},
    {"applications: [{uuid: a, id: 1, name: S, attributes: [x]}]\n",
     "CC1201 f:1:54 attributes is a list, expected a mapping\n"},
    {"applications: [{uuid: a, id: 1, name: S, attributes: {team: {}}}]\n",
     "CC1201 f:1:61 an attribute is a mapping, expected text\n"},
    {"applications: [{uuid: a, id: 1, name: S}, {uuid: a, id: 2, name: S}]\n",
     "CC3072 f:1:43 another element of applications has the same uuid or id\n"},
    {"applications: [{uuid: a, id: 1, name: S}, {uuid: b, id: 1, name: S}]\n",
     "CC3072 f:1:43 another element of applications has the same uuid or id\n"},
    {"applications: [{uuid: a, id: 1, name: S, policy: Gold}]\n",
     "CC3074 f:1:16 there is no policy of applications 'Gold'\n"},
    {"applications: [{uuid: a, id: 1, name: S, policy: Gold}]\nsubscriptionPolicies: [{name: "
     "Gold}]\n",
     "CC3074 f:1:16 there is no policy of applications 'Gold'\n"},
    {"applicationKeyMappings: [{consumerKey: k, keyManager: m, applicationUUID: a}]\n",
     "CC3074 f:1:26 there is no application 'a'\n"},
    {APP "applicationKeyMappings: [{consumerKey: k, keyManager: m, applicationUUID: a, keyType: "
         "Test}]\n",
     "CC3073 f:2:87 keyType cannot be 'Test'\n"},
    {APP "applicationKeyMappings:\n"
         "  - {consumerKey: k, keyManager: m, applicationUUID: a}\n"
         "  - {consumerKey: k, keyManager: m, applicationUUID: a, keyType: SANDBOX}\n",
     "CC3072 f:4:5 another element of applicationKeyMappings has the same consumerKey and "
     "keyManager\n"},
    {APP "subscriptions: [{applicationUUID: a, apiUUID: p, subscriptionState: Blocked}]\n",
     "CC3073 f:2:69 subscriptionState cannot be 'Blocked'\n"},
    {APP "subscriptions: [{applicationUUID: a, apiUUID: p, policyId: Gold}]\n",
     "CC3074 f:2:17 there is no policy of subscriptions 'Gold'\n"},
    {APP "subscriptions: [{applicationUUID: b, apiUUID: p}]\n",
     "CC3074 f:2:17 there is no application 'b'\n"},
    {APP "subscriptions: [{applicationUUID: a, apiUUID: p}, {applicationUUID: a, apiUUID: p}]\n",
     "CC3072 f:2:51 another element of subscriptions has the same applicationUUID and apiUUID\n"},
    {"subscriptionPolicies: [{name: Gold, stopOnQuotaReach: maybe}]\n",
     "CC1201 f:1:55 stopOnQuotaReach is text, expected true or false\n"},
    {"subscriptionPolicies: [{name: Gold, quotaType: requests}]\n",
     "CC3073 f:1:48 quotaType cannot be 'requests'\n"},
    {"subscriptionPolicies: [{name: Gold}, {name: Gold}]\n",
     "CC3072 f:1:38 another element of subscriptionPolicies has the same name\n"},
    {"apis: [{uuid: p, status: Blocked}]\n", "CC3073 f:1:26 status cannot be 'Blocked'\n"},
    {"apis: [{uuid: p}, {uuid: p}]\n", "CC3072 f:1:19 another element of apis has the same uuid\n"},
    /* all of it in one run; what was refused is not missed as well */
    {"applications: [{uuid: a}]\nsubscriptions: [{applicationUUID: a, apiUUID: p, state: x}]\n",
     "CC3071 f:1:16 an element of applications lacks 'id'\n"
     "CC3071 f:1:16 an element of applications lacks 'name'\n"
     "CC3070 f:2:50 an element of subscriptions has no 'state'\n"},
};

static void test_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        struct buf found;

        open_world(&w);
        buf_init(&found, 65536);
        buf_add_str(&found, "");
        w.rc = subs_read_text(&w.store, slice_of(cases[i].text), "f", w.arena, w.diag);
        add_findings(w.diag, &found);
        if (strcmp(found.p != NULL ? found.p : "", cases[i].findings) != 0)
            fail_msg("%s-> %s", cases[i].text, found.p);
        assert_int_equal(w.rc, cases[i].findings[0] == '\0' ? CC_OK : CC_EINVAL);
        assert_true((w.store != NULL) == (w.rc == CC_OK));
        buf_free(&found);
        close_world(&w);
    }
}

/* What the control plane's REST API sends, unused members and nulls included. */
static void test_as_sent(void **state)
{
    static const char text[] =
        "{\"applications\":[{\"uuid\":\"a\",\"id\":2,\"name\":\"ShopApp\",\"subName\":\"alice\","
        "\"policy\":\"10PerMin\",\"tokenType\":\"JWT\",\"groupIds\":[],\"attributes\":"
        "{\"team\":\"blue\"}}],"
        "\"applicationKeyMappings\":[{\"applicationId\":2,\"applicationUUID\":\"a\","
        "\"consumerKey\":\"Zx9\",\"keyType\":\"SANDBOX\",\"keyManager\":\"Resident\"}],"
        "\"applicationPolicies\":[{\"id\":3,\"tenantId\":-1234,\"name\":\"10PerMin\","
        "\"quotaType\":\"bandwidthVolume\"}],"
        "\"subscriptionPolicies\":[{\"id\":5,\"tenantId\":-1234,\"name\":\"Bronze\",\"quotaType\":"
        "\"requestCount\",\"graphQLMaxComplexity\":0,\"graphQLMaxDepth\":0,\"rateLimitCount\":0,"
        "\"rateLimitTimeUnit\":null,\"stopOnQuotaReach\":false}],"
        "\"subscriptions\":[{\"subscriptionUUID\":\"5b\",\"subscriptionId\":7,\"policyId\":"
        "\"Bronze\","
        "\"apiUUID\":\"p\",\"apiId\":4,\"applicationUUID\":\"a\",\"appId\":2,"
        "\"subscriptionState\":\"TIER_UPDATE_PENDING\"}],"
        "\"apis\":[{\"uuid\":\"p\",\"apiId\":4,\"provider\":\"admin\",\"name\":\"PizzaAPI\","
        "\"version\":\"1.0.0\",\"context\":\"/pizza/1.0.0\",\"policy\":null,\"apiType\":\"HTTP\","
        "\"status\":\"BLOCKED\",\"isDefaultVersion\":false,\"urlMappings\":[]}]}";
    struct subs_subscription sub;
    struct subs_key key;
    struct world w;

    (void)state;
    open_world(&w);
    w.rc = subs_read_text(&w.store, slice_of(text), "f", w.arena, w.diag);
    diag_print(w.diag, stderr, false);
    assert_int_equal(w.rc, CC_OK);
    assert_true(subs_find_key(w.store, SLICE("Zx9"), SLICE("Resident"), &key) && key.sandbox);
    assert_true(key.application->id == 2 && slice_is(key.application->owner, "alice"));
    assert_true(slice_is(key.application->attributes[0].value, "blue"));
    assert_true(key.application->policy->bandwidth);
    assert_true(subs_find(w.store, key.application, SLICE("p"), &sub));
    assert_true(sub.state == SUBS_TIER_UPDATE_PENDING && !sub.policy->stop_on_quota_reach);
    assert_true(slice_is(subs_find_api(w.store, SLICE("p"))->status, "BLOCKED"));
    close_world(&w);
}

static void test_defaults(void **state)
{
    struct subs_subscription sub;
    struct subs_key key;
    struct world w;

    (void)state;
    open_world(&w);
    w.rc = subs_read_text(&w.store,
                          SLICE(APP "applicationKeyMappings: [{consumerKey: k, keyManager: m, "
                                    "applicationUUID: a}]\n"
                                    "subscriptions: [{applicationUUID: a, apiUUID: p, policyId: "
                                    "Gold}]\nsubscriptionPolicies: [{name: Gold}]\n"),
                          "f", w.arena, w.diag);
    assert_int_equal(w.rc, CC_OK);
    assert_true(subs_find_key(w.store, SLICE("k"), SLICE("m"), &key) && !key.sandbox);
    assert_true(slice_is(key.application->policy->name, "Unlimited"));
    assert_int_equal(key.application->owner.n, 0);
    assert_true(subs_find(w.store, key.application, SLICE("p"), &sub));
    assert_true(sub.state == SUBS_UNBLOCKED && sub.policy->stop_on_quota_reach);
    close_world(&w);
}

/* --- a directory --------------------------------------------------------------------------------
 */

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(file_write_atomic(path, slice_of(text), 0600), CC_OK);
}

static void test_directory(void **state)
{
    char dir[] = "/tmp/cc-subs-XXXXXX", expected[512];
    struct world w;
    struct subs_counts n;
    struct buf found;

    (void)state;
    assert_non_null(mkdtemp(dir));
    open_world(&w);
    assert_int_equal(subs_read(&w.store, dir, w.arena, w.diag), CC_EINVAL); /* no file at all */
    assert_int_equal(diag_errors(w.diag), 1);
    close_world(&w);

    put(dir, "z.yaml", APP);
    put(dir, "a.json", "{\"subscriptions\":[{\"applicationUUID\":\"a\",\"apiUUID\":\"p\"}]}");
    put(dir, "b.yml",
        "applicationKeyMappings: [{consumerKey: k, keyManager: m, applicationUUID: a}]");
    put(dir, ".hidden.yaml", "no: such list\n");
    put(dir, "README", "not a subscription file\n");
    open_world(&w);
    assert_int_equal(subs_read(&w.store, dir, w.arena, w.diag), CC_OK);
    subs_count(w.store, &n);
    assert_true(n.applications == 1 && n.keys == 1 && n.subscriptions == 1);
    close_world(&w);

    /* findings say the file, and keep its text for those who print them */
    put(dir, "c.yaml", "applications: [\n");
    put(dir, "d.yaml", "apis: [{uuid: p, status: x}]\n");
    open_world(&w);
    buf_init(&found, 65536);
    assert_int_equal(subs_read(&w.store, dir, w.arena, w.diag), CC_EINVAL);
    assert_null(w.store);
    assert_int_equal(diag_errors(w.diag), 2);
    for (size_t i = 0; i < 2; i++) {
        struct diag_view v;

        assert_true(diag_get(w.diag, i, &v));
        buf_printf(&found, "%s %s\n", v.place.source->name,
                   v.place.source->text.n > 0 ? "text" : "no text");
    }
    snprintf(expected, sizeof(expected), "%s/c.yaml text\n%s/d.yaml text\n", dir, dir);
    assert_string_equal(found.p, expected);
    buf_free(&found);
    close_world(&w);
    file_remove_tree(dir);

    open_world(&w);
    assert_int_equal(subs_read(&w.store, dir, w.arena, w.diag), CC_EINVAL); /* it is gone */
    assert_int_equal(diag_errors(w.diag), 1);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_as_sent),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
