/* Which URLs a key set may be fetched from. */
#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_good(void **state)
{
    static const char *const urls[] = {
        "https://idp.example.com/jwks",
        "https://idp.example.com:8443/a/b?c=d&e=%20f",
        "https://10.0.0.1/",
        "https://[2001:db8::1]:443/keys",
        "http://localhost/jwks",
        "http://LOCALHOST:8080/jwks",
        "http://127.0.0.1/jwks",
        "http://127.255.0.9:1/jwks",
        "http://[::1]/jwks",
        "http://[::1]:65535/jwks",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        if (gw_jwks_url_fault(slice_of(urls[i])) != NULL)
            fail_msg("%s: %s", urls[i], gw_jwks_url_fault(slice_of(urls[i])));
}

static void test_bad(void **state)
{
    static const char *const urls[] = {
        "",
        "https://",
        "https:///jwks",
        "https://idp.example.com",
        "https://idp.example.com?x=/",
        "https://:443/",
        "https://a:0/",
        "https://a:65536/",
        "https://a:/",
        "https://a:b/",
        "https://user@idp.example.com/",
        "https://user:password@idp.example.com/",
        "https://idp.example.com/#a",
        "https://idp.example.com/a b",
        "https://idp.example.com/\n",
        "https://idp.example.com\\@evil/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[v1.a]/",
        "https://.example.com/",
        "https://ex\xc3\xa4mple.com/",
        "HTTPS://idp.example.com/",
        "ftp://idp.example.com/",
        "file:///etc/passwd",
        "http://idp.example.com/jwks",
        "http://128.0.0.1/jwks",
        "http://10.0.0.1/jwks",
        "http://127.0.0.1.example.com/jwks",
        "http://127.1/jwks",
        "http://localhost.example.com/jwks",
        "http://[::2]/jwks",
        "http://[::ffff:127.0.0.1]/jwks",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        if (gw_jwks_url_fault(slice_of(urls[i])) == NULL)
            fail_msg("%s was taken", urls[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
