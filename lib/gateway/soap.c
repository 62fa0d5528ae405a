#include "gateway/soap.h"

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

struct slice gw_soap_type(enum gw_soap soap)
{
    switch (soap) {
    case GW_SOAP_11:
        return SLICE(GW_SOAP_11_TYPE);
    case GW_SOAP_12:
        return SLICE(GW_SOAP_12_TYPE);
    case GW_SOAP_NONE:
        break;
    }
    return SLICE("");
}

/* Is the character of n bytes one of XML 1.0 (2.2)? UTF-8 has no surrogates: what is left are
 * control characters, U+FFFE and U+FFFF. */
static bool is_xml_char(const char *p, size_t n)
{
    if (n == 1)
        return (unsigned char)p[0] >= 0x20 || p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
    return n != 3 || (memcmp(p, "\xef\xbf\xbe", 3) != 0 && memcmp(p, "\xef\xbf\xbf", 3) != 0);
}

/* Content of an element, where quotes mean nothing. */
static void add_text(struct buf *out, struct slice s)
{
    while (s.n > 0) {
        size_t n = utf8_length(s);

        if (n == 0 || !is_xml_char(s.p, n))
            buf_add_str(out, REPLACEMENT);
        else if (s.p[0] == '&')
            buf_add_str(out, "&amp;");
        else if (s.p[0] == '<')
            buf_add_str(out, "&lt;");
        else if (s.p[0] == '>')
            buf_add_str(out, "&gt;");
        else
            buf_add(out, slice_first(s, n));
        s = slice_from(s, n == 0 ? 1 : n);
    }
}

static const struct {
    const char *before, *between, *after;
} frames[] = {
    {GW_SOAP_11_BEFORE, GW_SOAP_11_BETWEEN, GW_SOAP_11_AFTER},
    {GW_SOAP_12_BEFORE, GW_SOAP_12_BETWEEN, GW_SOAP_12_AFTER},
};

void gw_soap_fault(struct buf *out, enum gw_soap soap, struct slice message, struct slice code,
                   struct slice description)
{
    size_t i = soap == GW_SOAP_12;

    CC_ASSERT(soap != GW_SOAP_NONE);
    buf_add_str(out, frames[i].before);
    add_text(out, message);
    buf_add_str(out, frames[i].between);
    add_text(out, code);
    buf_add_char(out, ':');
    add_text(out, description);
    buf_add_str(out, frames[i].after);
}
