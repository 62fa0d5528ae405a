/* SOAP faults: well formed whatever the texts are. */
#include "gateway/soap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define BODY_11(message, detail)                                                           \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                           \
    "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"  \
    "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>" message "</faultstring>" \
    "<detail>" detail "</detail></soap:Fault></soap:Body></soap:Envelope>"
#define BODY_12(message, detail)                                                             \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                             \
    "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body>"      \
    "<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value></soap:Code><soap:Reason>" \
    "<soap:Text xml:lang=\"en\">" message "</soap:Text></soap:Reason>"                       \
    "<soap:Detail>" detail "</soap:Detail></soap:Fault></soap:Body></soap:Envelope>"

static void expect(enum gw_soap soap, struct slice message, struct slice code,
                   struct slice description, const char *wanted)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    gw_soap_fault(&b, soap, message, code, description);
    assert_int_equal(buf_error(&b), CC_OK);
    if (!slice_is(buf_slice(&b), wanted))
        fail_msg("%" PRIslice " is not %s", SLICE_ARG(buf_slice(&b)), wanted);
    buf_free(&b);
}

static void both_versions(void **state)
{
    (void)state;
    expect(GW_SOAP_11, SLICE("Not Found"), SLICE("404"), SLICE("It's \"gone\"."),
           BODY_11("Not Found", "404:It's \"gone\"."));
    expect(GW_SOAP_12, SLICE("Not Found"), SLICE("404"), SLICE("Gone."),
           BODY_12("Not Found", "404:Gone."));
    expect(GW_SOAP_12, SLICE(""), SLICE(""), SLICE(""), BODY_12("", ":"));
    assert_string_equal(GW_SOAP_FAULT(11, "M", "1", "D"), BODY_11("M", "1:D"));
    assert_string_equal(GW_SOAP_FAULT(12, "M", "1", "D"), BODY_12("M", "1:D"));
    assert_true(slice_is(gw_soap_type(GW_SOAP_11), "text/xml; charset=utf-8"));
    assert_true(slice_is(gw_soap_type(GW_SOAP_12), "application/soap+xml; charset=utf-8"));
    assert_int_equal(gw_soap_type(GW_SOAP_NONE).n, 0);
}

static void texts_stay_texts(void **state)
{
    (void)state;
    expect(GW_SOAP_11, SLICE("a<b>&c]]>"), SLICE("</x>"), SLICE("&lt;!--"),
           BODY_11("a&lt;b&gt;&amp;c]]&gt;", "&lt;/x&gt;:&amp;lt;!--"));
    expect(GW_SOAP_11, slice_make("a\0\x01\x1f\x7f\t\n", 7), SLICE("1"),
           SLICE("\xc3\xa9\xf0\x9f\x98\x80"),
           BODY_11("a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x7f\t\n", "1:\xc3\xa9\xf0\x9f\x98\x80"));
    /* no UTF-8, a surrogate, and two that XML does not have */
    expect(
        GW_SOAP_12, SLICE("\xff\xc3"), SLICE("1"),
        SLICE("\xed\xa0\x80|\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbf\xbc"),
        BODY_12("\xef\xbf\xbd\xef\xbf\xbd",
                "1:\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbc"));
}

/* What rooms are measured by. */
static void nothing_grows_more_than_it_says(void **state)
{
    for (int fill = 0; fill < 256; fill++) {
        char text[100];
        struct buf b;

        memset(text, fill, sizeof(text));
        for (size_t i = 0; i < 2; i++) {
            buf_init(&b, GW_SOAP_FRAME_MAX + 300 * GW_SOAP_BYTE_MAX);
            gw_soap_fault(&b, i == 0 ? GW_SOAP_11 : GW_SOAP_12, slice_make(text, 100),
                          slice_make(text, 100), slice_make(text, 100));
            assert_int_equal(buf_error(&b), CC_OK);
            buf_free(&b);
        }
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions),
        cmocka_unit_test(texts_stay_texts),
        cmocka_unit_test(nothing_grows_more_than_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
