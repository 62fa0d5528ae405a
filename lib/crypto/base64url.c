#include "crypto/base64url.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Six bits, or 64 for a character that is not in the alphabet. */
static unsigned value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (ascii_is_digit(c))
        return (unsigned)(c - '0') + 52;
    return c == '-' ? 62 : c == '_' ? 63 : 64;
}

/* Collects the bits of up to four characters; false when one is not in the alphabet. */
static bool group_value(const char *p, size_t n, uint32_t *bits)
{
    unsigned bad = 0;

    *bits = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = value_of(p[i]);

        bad |= v & 64;
        *bits = *bits << 6 | (v & 63);
    }
    return bad == 0;
}

int base64url_decode(struct slice text, void *out, size_t cap, size_t *n)
{
    const char *p = text.p;
    size_t left = text.n;
    uint8_t *to = out;
    uint32_t bits;

    if (left % 4 == 1)
        return CC_EPARSE;
    if (base64url_decoded_size(left) > cap)
        return CC_ETOOBIG;
    for (; left >= 4; left -= 4, p += 4) {
        if (!group_value(p, 4, &bits))
            return CC_EPARSE;
        *to++ = (uint8_t)(bits >> 16);
        *to++ = (uint8_t)(bits >> 8);
        *to++ = (uint8_t)bits;
    }
    if (left > 0) {
        /* Two characters carry one byte and four spare bits, three carry two bytes and two. */
        unsigned spare = left == 2 ? 4 : 2;

        if (!group_value(p, left, &bits) || (bits & ((1u << spare) - 1)) != 0)
            return CC_EPARSE;
        bits >>= spare;
        if (left == 3)
            *to++ = (uint8_t)(bits >> 8);
        *to++ = (uint8_t)bits;
    }
    *n = base64url_decoded_size(text.n);
    return CC_OK;
}

/* The groups of four; returns how many characters the last one lacks. */
static size_t encode(struct slice data, const char *alphabet, struct buf *out)
{
    size_t n = 3;

    for (size_t i = 0; i < data.n; i += 3) {
        uint32_t bits = 0;
        char group[4];

        n = data.n - i < 3 ? data.n - i : 3;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < n ? (uint8_t)data.p[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            group[j] = alphabet[bits >> (18 - 6 * j) & 63];
        buf_add(out, slice_make(group, n + 1));
    }
    return 3 - n;
}

void base64url_encode(struct slice data, struct buf *out)
{
    (void)encode(data, ALPHABET, out);
}

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct slice data, struct buf *out)
{
    for (size_t padding = encode(data, STANDARD, out); padding > 0; padding--)
        buf_add_char(out, '=');
}

void base64_encode_unpadded(struct slice data, struct buf *out)
{
    (void)encode(data, STANDARD, out);
}
