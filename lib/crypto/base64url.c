#include "crypto/base64url.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Six bits for each character of the alphabet, 64 for all others. A table: tokens have no pattern
 * that branches could be predicted by, which cost more than all else here. */
/* clang-format off */
static const uint8_t VALUES[256] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
    64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
/* clang-format on */

/* Collects the bits of up to four characters; false when one is not in the alphabet. */
static bool group_value(const char *p, size_t n, uint32_t *bits)
{
    unsigned bad = 0;

    *bits = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = VALUES[(unsigned char)p[i]];

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
