#include "base/utf8.h"

static bool is_tail(struct slice s, size_t i)
{
    return i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

size_t utf8_length(struct slice s)
{
    unsigned char b0, b1;

    if (s.n == 0)
        return 0;
    b0 = (unsigned char)s.p[0];
    if (b0 < 0x80)
        return 1;
    if (b0 < 0xc2 || b0 > 0xf4 || !is_tail(s, 1))
        return 0;
    if (b0 < 0xe0)
        return 2;
    b1 = (unsigned char)s.p[1];
    if (!is_tail(s, 2))
        return 0;
    if (b0 < 0xf0) /* no overlong E0 80..9F, no surrogates ED A0..BF */
        return (b0 == 0xe0 && b1 < 0xa0) || (b0 == 0xed && b1 > 0x9f) ? 0 : 3;
    if (!is_tail(s, 3)) /* no overlong F0 80..8F, nothing above F4 8F */
        return 0;
    return (b0 == 0xf0 && b1 < 0x90) || (b0 == 0xf4 && b1 > 0x8f) ? 0 : 4;
}

size_t utf8_valid_prefix(struct slice s)
{
    size_t i = 0;

    while (i < s.n) {
        size_t n = (unsigned char)s.p[i] < 0x80 ? 1 : utf8_length(slice_from(s, i));

        if (n == 0)
            break;
        i += n;
    }
    return i;
}
