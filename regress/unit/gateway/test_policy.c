/* Addresses, regular expressions, key templates and limits as text. */
#include "gateway/address.h"
#include "gateway/gateway.h"
#include "gateway/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text, *out; /* NULL: none */
    const char *decimal;
} addresses[] = {
    {"10.0.0.1", "10.0.0.1", "167772161"},
    {"0.0.0.0", "0.0.0.0", "0"},
    {"255.255.255.255", "255.255.255.255", "4294967295"},
    {"::ffff:10.0.0.1", "10.0.0.1", "167772161"},
    {"::FFFF:0a00:0001", "10.0.0.1", "167772161"},
    {"2001:DB8:0::1", "2001:db8::1", "42540766411282592856903984951653826561"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "340282366920938463463374607431768211455"},
    {"::", "::", "0"},
    {"10.0.0", NULL, NULL},
    {"10.0.0.01", NULL, NULL},
    {"10.0.0.256", NULL, NULL},
    {"2001:db8::1%eth0", NULL, NULL},
    {"[::1]", NULL, NULL},
    {" 10.0.0.1", NULL, NULL},
    {"", NULL, NULL},
};

static void test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(addresses); i++) {
        char text[GW_ADDRESS_TEXT], decimal[GW_ADDRESS_DECIMAL];
        struct gw_address a;
        bool good = gw_address_parse(slice_of(addresses[i].text), &a);

        assert_int_equal(good, addresses[i].out != NULL);
        if (!good)
            continue;
        assert_true(slice_is(gw_address_text(&a, text), addresses[i].out));
        assert_true(slice_is(gw_address_decimal(&a, decimal), addresses[i].decimal));
    }
}

static const struct {
    const char *text;
    unsigned bits;
    const char *network;
} networks[] = {
    {"2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6"},
    {"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"},
    {"2001:db8:1:2:3:4:5:6", 127, "2001:db8:1:2:3:4:5:6"},
    {"2001:db8:1:2:3:4:5:7", 127, "2001:db8:1:2:3:4:5:6"},
    {"2001:db8:1:2f7:3:4:5:6", 60, "2001:db8:1:2f0::"},
    {"2001:db8:1:ff:3:4:5:6", 57, "2001:db8:1:80::"},
    {"ffff::1", 1, "8000::"},
    {"::ffff:10.0.0.255", 64, "10.0.0.255"},
    {"10.0.0.255", 1, "10.0.0.255"},
};

static void test_networks(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(networks); i++) {
        char text[GW_ADDRESS_TEXT];
        struct gw_address a, network;

        assert_true(gw_address_parse(slice_of(networks[i].text), &a));
        network = gw_address_network(&a, networks[i].bits);
        assert_true(slice_is(gw_address_text(&network, text), networks[i].network));
    }
}

static const struct {
    const char *range, *inside, *outside;
    const char *fault; /* NULL: none */
} ranges[] = {
    {"10.0.0.0/8", "10.0.0.0 10.255.255.255 ::ffff:10.1.2.3", "9.255.255.255 11.0.0.0 ::a00:1",
     NULL},
    {"0.0.0.0/0", "0.0.0.0 255.255.255.255", "::1 2001:db8::1", NULL},
    {"10.1.2.3/32", "10.1.2.3", "10.1.2.2 10.1.2.4", NULL},
    {"2001:db8::/33", "2001:db8:7fff:ffff::1", "2001:db8:8000::", NULL},
    {"::/0", "::1 10.0.0.1", "", NULL},
    {"::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0", NULL},
    {"10.0.0.1-10.0.0.9", "10.0.0.1 10.0.0.9", "10.0.0.0 10.0.0.10", NULL},
    {"10.0.0.1 - 10.0.0.9", "10.0.0.5", "10.0.0.10", NULL},
    {"10.0.0.7", "10.0.0.7", "10.0.0.8", NULL},
    {"10.0.0.1/8", "", "", "bits set behind"},
    {"10.0.0.0/33", "", "", "0 to 32"},
    {"::/129", "", "", "0 to 128"},
    {"::/", "", "", "0 to 128"},
    {"10.0.0.0/08", "", "", "0 to 32"},
    {"10.0.0.0/-1", "", "", "0 to 32"},
    {"10.0.0/8", "", "", "no IP address"},
    {"10.0.0.9-10.0.0.1", "", "", "end is before"},
    {"10.0.0.1-::1", "", "", "two families"},
    {"10.0.0.1-", "", "", "two IP addresses"},
    {"x", "", "", "no IP address"},
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(ranges); i++) {
        struct gw_address_range r;
        const char *fault = gw_address_range_parse(slice_of(ranges[i].range), &r);
        struct slice in = slice_of(ranges[i].inside), out = slice_of(ranges[i].outside), word;
        struct gw_address a;

        if (ranges[i].fault != NULL) {
            assert_non_null(fault);
            assert_non_null(strstr(fault, ranges[i].fault));
            continue;
        }
        assert_null(fault);
        while (in.n > 0 && slice_split(&in, ' ', &word)) {
            assert_true(gw_address_parse(word, &a));
            assert_true(gw_address_in(&a, &r));
        }
        while (out.n > 0 && slice_split(&out, ' ', &word)) {
            assert_true(gw_address_parse(word, &a));
            assert_false(gw_address_in(&a, &r));
        }
    }
}

static void test_bytes_of_the_network(void **state)
{
    struct gw_address a, b;

    (void)state;
    assert_true(gw_address_from(SLICE("\x0a\x00\x00\x01"), &a));
    assert_true(gw_address_from(SLICE("\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x00\x00\x01"), &b));
    assert_int_equal(gw_address_cmp(&a, &b), 0);
    assert_false(gw_address_from(SLICE("10.0.0.1"), &a));
}

/* --- regular expressions ------------------------------------------------------------------------
 */

static const struct {
    const char *text, *fault;
} faults[] = {
    {"^mob(ile)?$", NULL},
    {"a+b*c{2,5}", NULL},
    {"(abc)+", NULL},
    {"[a-z]+@[a-z.]+", NULL},
    {"(?:ab|cd)ef", NULL},
    {"\\(a+\\)+", NULL},
    {"[(a+)]+", NULL},
    {"x{1}", NULL},
    {"(?i)curl", NULL},
    {"(?<=a)b", NULL},
    {"(a+)+", "repeats"},
    {"(a*)*", "repeats"},
    {"((a+))+", "repeats"},
    {"(a|aa)+", "repeats"},
    {"(x(a+)y)*", "repeats"},
    {"(a{2,})+", "repeats"},
    {"(?:a+){3,}", "repeats"},
    {"(a+)\\1", "nothing bounds"},
    {"(?R)", "nothing bounds"},
    {"(?1)", "nothing bounds"},
    {"(*NO_START_OPT)a", "nothing bounds"},
    {"\\Q(\\E", "nothing bounds"},
    {"(", "missing closing parenthesis"},
    {"a)", "unmatched closing parenthesis"},
    {"[z-a]", "out of order"},
    {"*", "quantifier does not follow"},
    {"\\C", "disabled by the application"},
    {"((((((((((((((((((a))))))))))))))))))", "too deeply nested"},
    {"(?:abcdefgh){1000}(?:ijklmnop){1000}", "too large"},
    {"a\nb", "control character"},
    {"", "empty"},
};

static void test_pattern_faults(void **state)
{
    char room[GW_PATTERN_FAULT], large[GW_PATTERN_MAX + 1];

    (void)state;
    for (size_t i = 0; i < N(faults); i++) {
        struct slice text = slice_of(faults[i].text);
        const char *fault = gw_pattern_fault(text, room);
        struct gw_pattern *p = NULL;

        if ((fault == NULL) != (faults[i].fault == NULL) ||
            (fault != NULL && strstr(fault, faults[i].fault) == NULL))
            fail_msg("%s: %s", faults[i].text, fault != NULL ? fault : "no fault");
        assert_int_equal(gw_pattern_new(&p, text), fault == NULL ? CC_OK : CC_EINVAL);
        gw_pattern_free(&p);
    }
    memset(large, 'a', sizeof(large));
    assert_non_null(gw_pattern_fault(slice_make(large, sizeof(large)), room));
    assert_null(gw_pattern_fault(slice_make(large, sizeof(large) - 1), room));
}

static void test_patterns_are_found_anywhere(void **state)
{
    struct gw_pattern_room *room = gw_pattern_room_new();
    struct gw_pattern *p;

    (void)state;
    assert_non_null(room);
    assert_int_equal(gw_pattern_new(&p, SLICE("b[0-9]+c$")), CC_OK);
    assert_int_equal(gw_pattern_find(p, room, SLICE("ab12c")), GW_FOUND);
    assert_int_equal(gw_pattern_find(p, room, SLICE("ab12c\n")), GW_NOT_FOUND);
    assert_int_equal(gw_pattern_find(p, room, SLICE("ab12cd")), GW_NOT_FOUND);
    assert_int_equal(gw_pattern_find(p, room, SLICE_NONE), GW_NOT_FOUND);
    assert_int_equal(gw_pattern_find(p, room,
                                     SLICE("\0\xff"
                                           "b1c")),
                     GW_FOUND);
    gw_pattern_free(&p);
    gw_pattern_room_free(&room);
}

/* What the rules let through, and yet is slow on a text that is made for it. */
static void test_patterns_have_a_budget(void **state)
{
    struct gw_pattern_room *room = gw_pattern_room_new();
    static char text[4096];
    struct gw_pattern *p;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 2] = 'b';
    assert_int_equal(gw_pattern_new(&p, SLICE("a*a*a*a*a*a*b$")), CC_OK);
    assert_int_equal(gw_pattern_find(p, room, slice_make(text, sizeof(text))), GW_FOUND_ERROR);
    assert_int_equal(gw_pattern_find(p, room, SLICE("aab")), GW_FOUND);
    gw_pattern_free(&p);
    gw_pattern_room_free(&room);
}

static void test_literals(void **state)
{
    (void)state;
    assert_true(gw_pattern_is_literal(SLICE("mobile-app/1,0 \"x\"")));
    assert_false(gw_pattern_is_literal(SLICE("1.0")));
    assert_false(gw_pattern_is_literal(SLICE("a\\d")));
    assert_false(gw_pattern_is_literal(SLICE("a\0b")));
}

/* --- key templates ------------------------------------------------------------------------------
 */

static void test_templates(void **state)
{
    static const struct {
        const char *text, *parts; /* variables as numbers, '<text>' */
        const char *fault;
    } cases[] = {
        {"$userId", "1", NULL},
        {"$userId:$apiContext:$apiVersion", "1<:>2<:>3", NULL},
        {"$resourceKey-$clientIp", "0<->7", NULL},
        {"$customProperty.tenant_id-x:a", "8[tenant_id-x]<:a>", NULL},
        {"a$apiTenant", "<a>5", NULL},
        {"$apiContext2", "<$apiContext2>", "begins no variable"},
        {"$customProperty.", "<$customProperty.>", "begins no variable"},
        {"$userid", "<$userid>", "begins no variable"},
        {"$$userId", "<$>1", "begins no variable"},
        {"all", "<all>", "no variable"},
        {"", "", "no variable"},
        {"$userId\n", "1<\n>", "control"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct slice rest = slice_of(cases[i].text), text;
        const char *fault = gw_key_template_fault(rest);
        enum gw_variable v;
        char room[256];
        struct buf b;

        buf_init_fixed(&b, room, sizeof(room));
        while (gw_key_template_next(&rest, &v, &text)) {
            if (v == GW_VARIABLE_NONE)
                buf_printf(&b, "<%" PRIslice ">", SLICE_ARG(text));
            else if (v == GW_VARIABLE_PROPERTY)
                buf_printf(&b, "%d[%" PRIslice "]", v, SLICE_ARG(text));
            else
                buf_printf(&b, "%d", v);
        }
        assert_string_equal(room, cases[i].parts);
        assert_int_equal(fault != NULL, cases[i].fault != NULL);
        if (fault != NULL)
            assert_non_null(strstr(fault, cases[i].fault));
    }
}

static void test_texts(void **state)
{
    static const struct {
        struct gw_quota quota;
        const char *text;
    } cases[] = {
        {{.count = 0}, "unlimited"},
        {{.count = 1, .period_s = 1}, "1 request a second"},
        {{.count = 50, .period_s = 60}, "50 requests a minute"},
        {{.count = 50, .period_s = 90}, "50 requests in 90 seconds"},
        {{.count = 50, .period_s = 7200}, "50 requests in 2 hours"},
        {{.count = 4096, .period_s = 86400, .bandwidth = true}, "4096 bytes a day"},
        {{.count = 2, .months = 1}, "2 requests a month"},
        {{.count = 2, .months = 3}, "2 requests in 3 months"},
    };
    static const char *const where[][2] = {{"10.0.0.1", "ip = 10.0.0.1"},
                                           {"10.0.0.0/8", "ip in 10.0.0.0/8"},
                                           {"::1-::9", "ip in ::1-::9"}};
    const struct gw_condition c = {GW_CONDITION_HEADER, GW_MATCH_CONTAINS, true,
                                   SLICE("x-a"),        SLICE("b"),        {NULL, 0, 0}};
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    for (size_t i = 0; i < N(cases); i++) {
        gw_quota_text(&cases[i].quota, &b);
        assert_string_equal(b.p, cases[i].text);
        buf_reset(&b);
    }
    gw_condition_text(&c, &b);
    assert_string_equal(b.p, "not header x-a contains b");
    for (size_t i = 0; i < N(where); i++) {
        const struct gw_condition a = {.kind = GW_CONDITION_ADDRESS,
                                       .match = GW_MATCH_EQUAL,
                                       .name = SLICE(""),
                                       .value = slice_of(where[i][0])};

        buf_reset(&b);
        gw_condition_text(&a, &b);
        assert_string_equal(b.p, where[i][1]);
    }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_bytes_of_the_network),
        cmocka_unit_test(test_pattern_faults),
        cmocka_unit_test(test_patterns_are_found_anywhere),
        cmocka_unit_test(test_patterns_have_a_budget),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
