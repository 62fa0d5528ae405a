/* Who may use an API key: addresses of both families, and pages. */
#include "enforce/permitted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct row {
    const char *list, *from;
    bool permitted;
};

static const struct row addresses[] = {
    {"", "192.0.2.7", true},
    {"  ", "192.0.2.7", true},
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7", "192.0.2.8", false},
    {"192.0.2.7", "::ffff:192.0.2.7", true},
    {"::ffff:192.0.2.7", "192.0.2.7", true},
    {"10.0.0.1, 192.0.2.7", "192.0.2.7", true},
    {"10.0.0.1,192.0.2.0/24,::1", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.99/24", "192.0.2.1", true}, /* bits behind the prefix do not count */
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.129", true},
    {"192.0.2.7/32", "192.0.2.7", true},
    {"0.0.0.0/0", "203.0.113.1", true},
    {"0.0.0.0/0", "::ffff:203.0.113.1", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.7", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
    {"2001:db8::/32", "2001:db8:1::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:DB8::1", "2001:db8:0::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    /* what cannot be read permits nobody */
    {",", "192.0.2.7", false},
    {"192.0.2.0/33", "192.0.2.1", false},
    {"192.0.2.0/", "192.0.2.0", false},
    {"192.0.2.0/-1", "192.0.2.0", false},
    {"192.0.2.0/24/1", "192.0.2.0", false},
    {"192.0.2.0/4294967320", "192.0.2.0", false},
    {"192.0.2", "192.0.2.0", false},
    {"192.0.02.7", "192.0.2.7", false},
    {"192.0.2.7 10.0.0.1", "192.0.2.7", false},
    {"localhost", "127.0.0.1", false},
    {"*", "192.0.2.7", false},
    {"fe80::1%eth0", "fe80::1", false},
    {"nonsense, 192.0.2.7", "192.0.2.7", true},
};

static void test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct gw_address from;

        assert_true(gw_address_parse(slice_of(addresses[i].from), &from));
        if (permitted_address(slice_of(addresses[i].list), &from) != addresses[i].permitted)
            fail_msg("%s from %s", addresses[i].list, addresses[i].from);
    }
    assert_true(permitted_address(SLICE(""), NULL));
    assert_false(permitted_address(SLICE("0.0.0.0/0"), NULL)); /* who knows who it is? */
}

static const struct row pages[] = {
    {"", "", true},
    {"www.example.com", "", false},
    {"https://www.example.com/a", "https://www.example.com/a", true},
    {"https://www.example.com/a", "https://www.example.com/ab", false},
    {"https://www.example.com/a", "https://www.example.com/", false},
    {"https://www.example.com/*", "https://www.example.com/", true},
    {"https://www.example.com/*", "https://www.example.com/a/b?c", true},
    {"https://www.example.com/*", "https://www.example.com.evil.test/", false},
    {"https://*.example.com/*", "https://a.b.example.com/x", true},
    {"*.example.com/*", "https://shop.example.com/x", true},
    {"*", "https://anything.test/", true},
    {"a*b*c", "aXbYc", true},
    {"a*b*c", "abcbc", true},
    {"a*b*c", "abcb", false},
    {"a**c", "ac", true},
    {"*a", "bab", false},
    {"*", "two words", false},
    {"a*", "a b", false},
    {"a* b", "ax b", true},
    /* no regular expressions: a dot is a dot */
    {"https://www.example.com/", "https://wwwxexample.com/", false},
    {".*", "anything", false},
    {"[a-z]*", "abc", false},
    {"https://a.test/, https://b.test/*", "https://b.test/x", true},
    {",", "", false},
    {",", "x", false},
    {"HTTPS://WWW.EXAMPLE.COM/", "https://www.example.com/", false},
};

static void test_referers(void **state)
{
    char many[PERMITTED_REFERER_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (permitted_referer(slice_of(pages[i].list), slice_of(pages[i].from)) !=
            pages[i].permitted)
            fail_msg("'%s' from '%s'", pages[i].list, pages[i].from);
    memset(many, 'a', sizeof(many));
    assert_true(permitted_referer(SLICE("*"), slice_make(many, sizeof(many) - 1)));
    assert_false(permitted_referer(SLICE("*"), slice_make(many, sizeof(many))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_referers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
