#include "doc/doc_json.h"

/* 0x and 0o: value of the digits, or false when it does not fit. */
static bool read_based(struct slice digits, unsigned base, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char c = ascii_lower(digits.p[i]);
        unsigned d = ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;

        if (*out > (UINT64_MAX - d) / base)
            return false;
        *out = *out * base + d;
    }
    return true;
}

/* Digits, point and exponent with what JSON demands around the point, and without leading zeros. */
static void add_decimal(struct slice s, struct buf *out)
{
    size_t i = 0;

    while (i + 1 < s.n && s.p[i] == '0' && ascii_is_digit(s.p[i + 1]))
        i++;
    if (i < s.n && s.p[i] == '.')
        buf_add_char(out, '0');
    for (; i < s.n; i++) {
        buf_add_char(out, s.p[i]);
        if (s.p[i] == '.' && (i + 1 == s.n || !ascii_is_digit(s.p[i + 1])))
            buf_add_char(out, '0');
    }
}

static int add_number(struct slice s, struct buf *out)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t value;

    if (minus || (s.n > 0 && s.p[0] == '+'))
        s = slice_from(s, 1);
    if (s.n > 1 && s.p[0] == '.' && !ascii_is_digit(s.p[1])) {
        buf_add_str(out, "null"); /* infinite, or not a number */
        return CC_EINVAL;
    }
    if (minus)
        buf_add_char(out, '-');
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'o')) {
        if (read_based(slice_from(s, 2), s.p[1] == 'x' ? 16 : 8, &value)) {
            buf_add_u64(out, value);
            return CC_OK;
        }
        buf_add_char(out, '0');
        return CC_EINVAL;
    }
    add_decimal(s, out);
    return CC_OK;
}

static int add_node(const struct doc_node *node, struct buf *out)
{
    bool map = node->type == DOC_MAP;
    int rc = CC_OK;

    switch (node->type) {
    case DOC_NULL:
        buf_add_str(out, "null");
        break;
    case DOC_BOOL:
        buf_add_str(out, doc_scalar_true(node->text) ? "true" : "false");
        break;
    case DOC_INT:
    case DOC_REAL:
        return add_number(node->text, out);
    case DOC_TEXT:
        buf_add_json(out, node->text);
        break;
    case DOC_LIST:
    case DOC_MAP:
        buf_add_char(out, map ? '{' : '[');
        for (size_t i = 0; i < node->n && buf_error(out) == CC_OK; i++) {
            int one;

            if (i > 0)
                buf_add_char(out, ',');
            if (map) {
                buf_add_json(out, node->entries[i].key->text);
                buf_add_char(out, ':');
            }
            one = add_node(node->entries[i].value, out);
            rc = rc == CC_OK ? one : rc;
        }
        buf_add_char(out, map ? '}' : ']');
    }
    return rc;
}

int doc_json(const struct doc_node *node, struct buf *out)
{
    int rc = add_node(node, out);

    return buf_error(out) != CC_OK ? buf_error(out) : rc;
}
