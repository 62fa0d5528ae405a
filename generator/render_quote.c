#include "generator/render_quote.h"

enum { QUOTE_MAX = 64 << 10 };

/* No quoting makes these safe; see render_quote.h. */
static bool unsafe(struct slice s)
{
    return slice_has_control(s) || utf8_valid_prefix(s) != s.n;
}

/* Characters that mean nothing to any of HAProxy's readers, so that most words stay readable. */
static bool plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && (c == '\0' || strchr("_.-/:@", c) == NULL))
            return false;
    }
    return s.n > 0;
}

/* Nothing is read inside single quotes, so the only character to take care of is their end. */
static void add_quoted(struct buf *out, struct slice s)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_str(out, "'\\''");
        else
            buf_add_char(out, s.p[i]);
    }
    buf_add_char(out, '\'');
}

int haproxy_quote(struct buf *out, struct slice s)
{
    if (unsafe(s))
        return CC_EINVAL;
    if (plain(s))
        buf_add(out, s);
    else
        add_quoted(out, s);
    return buf_error(out);
}

int haproxy_quote_format(struct buf *out, struct slice s)
{
    struct buf doubled;
    int rc = CC_EINVAL;

    buf_init(&doubled, QUOTE_MAX);
    if (unsafe(s))
        goto out;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%')
            buf_add_char(&doubled, '%');
        buf_add_char(&doubled, s.p[i]);
    }
    rc = buf_error(&doubled);
    if (rc == CC_OK)
        rc = haproxy_quote(out, buf_slice(&doubled));
out:
    buf_free(&doubled);
    return rc;
}

int haproxy_quote_arg(struct buf *out, struct slice s)
{
    struct buf inner;
    int rc;

    buf_init(&inner, QUOTE_MAX);
    rc = haproxy_quote(&inner, s);
    if (rc == CC_OK)
        rc = haproxy_quote(out, buf_slice(&inner));
    buf_free(&inner);
    return rc;
}
