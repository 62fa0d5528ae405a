#include "gateway/mock.h"

/* RFC 9110 5.6.2 */
static bool is_tchar(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t skip_token(struct slice s, size_t i)
{
    while (i < s.n && is_tchar(s.p[i]))
        i++;
    return i;
}

static bool is_digit_or_x(char c)
{
    return ascii_is_digit(c) || c == 'x';
}

const char *gw_mock_code_fault(struct slice code)
{
    if (slice_is(code, "default"))
        return NULL;
    if (code.n != 3 || code.p[0] < '2' || code.p[0] > '5' || !is_digit_or_x(code.p[1]) ||
        !is_digit_or_x(code.p[2]) || (code.p[1] == 'x' && code.p[2] != 'x'))
        return "it is neither \"default\" nor a status from 200 to 599, nor a range like 4xx or "
               "40x";
    return NULL;
}

const char *gw_mock_media_type_fault(struct slice type)
{
    size_t slash = skip_token(type, 0), end;

    if (type.n > GW_MOCK_TYPE_MAX)
        return "it is longer than 128 bytes";
    if (slice_find(type, '*') >= 0)
        return "it is a range";
    if (slash == 0 || slash == type.n || type.p[slash] != '/')
        return "it is not of the form type/subtype";
    end = skip_token(type, slash + 1);
    if (end == slash + 1)
        return "it is not of the form type/subtype";
    for (size_t i = end; i < type.n; i++) {
        if (ascii_is_control(type.p[i]) || (unsigned char)type.p[i] > 0x7e)
            return "it has a character that headers do not allow";
    }
    if (end < type.n && type.p[end] != ';' && type.p[end] != ' ')
        return "it is not of the form type/subtype";
    return NULL;
}

const char *gw_mock_body_fault(struct slice body)
{
    if (body.n > GW_MOCK_BODY_MAX)
        return "it is longer than 12288 bytes";
    if (gw_mock_body_lines(body) > GW_MOCK_LINES_MAX)
        return "it has more than 256 lines";
    for (size_t i = 0; i < body.n; i++) {
        if (ascii_is_control(body.p[i]) && body.p[i] != '\n' && body.p[i] != '\t')
            return "it has a control character other than tabs and line feeds";
    }
    return NULL;
}

unsigned gw_mock_body_lines(struct slice body)
{
    unsigned lines = 1;
    ptrdiff_t at;

    while ((at = slice_find(body, '\n')) >= 0) {
        body = slice_from(body, (size_t)at + 1);
        lines++;
    }
    return lines;
}

const char *gw_mock_header_name_fault(struct slice name)
{
    static const char *const reserved[] = {
        "content-type", "content-length", "transfer-encoding", "connection", "date",
        "keep-alive",   "proxy-connection", "te",              "trailer",    "upgrade"};

    if (name.n == 0 || name.n > 64)
        return "it has no name, or one above 64 bytes";
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
            return "its name has other characters than letters, digits, '-' and '_'";
    }
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (slice_is(name, reserved[i]))
            return "the gateway makes this header itself";
    }
    return NULL;
}

const char *gw_mock_header_value_fault(struct slice value)
{
    return slice_has_control(value) ? "its value has a control character" : NULL;
}

void gw_mock_headers_json(const struct gw_mock_answer *answer, struct buf *out)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < answer->n_headers; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_json(out, answer->headers[i].name);
        buf_add_char(out, ':');
        buf_add_json(out, answer->headers[i].value);
    }
    buf_add_char(out, '}');
}

const char *gw_mock_answer_fault(const struct gw_mock_answer *answer)
{
    char room[GW_MOCK_HEADERS_MAX + 1];
    struct buf headers;

    if (answer->n_contents > GW_MOCK_CONTENTS_MAX)
        return "it has more than 16 media types";
    buf_init_fixed(&headers, room, sizeof(room));
    gw_mock_headers_json(answer, &headers);
    if (buf_error(&headers) != CC_OK)
        return "its headers are longer than 1024 bytes";
    for (size_t i = 0; i < answer->n_contents; i++) {
        if (answer->contents[i].n_examples == 0)
            return "a media type has no example";
    }
    return NULL;
}

bool gw_mock_status_has_content(unsigned status)
{
    return status != 204 && status != 205 && status != 304;
}

bool gw_mock_code_covers(struct slice code, unsigned status)
{
    const unsigned digits[] = {status / 100, status / 10 % 10, status % 10};

    if (code.n != 3 || status > 999)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (code.p[i] != 'x' && (unsigned)(code.p[i] - '0') != digits[i])
            return false;
    }
    return true;
}
