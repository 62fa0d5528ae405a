#include "enforce/permitted.h"

enum { PATTERN_MAX = 512, V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = V6_BITS - V4_BITS };

/* Do both begin with the same `bits` bits? */
static bool same_prefix(const struct gw_address *a, const struct gw_address *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;
    unsigned char mask = (unsigned char)(0xff << (8 - rest));

    return memcmp(a->b, b->b, bytes) == 0 &&
           (rest == 0 || ((a->b[bytes] ^ b->b[bytes]) & mask) == 0);
}

/* "10.0.0.0/8", "2001:db8::1". Bits behind the prefix do not count, as the makers of keys have it.
 */
static bool is_in(const struct gw_address *client, struct slice item)
{
    ptrdiff_t at = slice_find(item, '/');
    struct gw_address network;
    uint64_t bits = 0;
    bool v4;

    if (!gw_address_parse(at >= 0 ? slice_first(item, (size_t)at) : item, &network))
        return false;
    v4 = slice_find(item, ':') < 0;
    if (at < 0)
        return gw_address_cmp(client, &network) == 0;
    if (slice_to_u64(slice_from(item, (size_t)at + 1), &bits) != CC_OK ||
        bits > (v4 ? V4_BITS : V6_BITS))
        return false;
    if (v4)
        bits += MAPPED_BITS;
    /* ::/0 is a network of the other family, but ::ffff:10.0.0.0/104 is not */
    return gw_address_is_v4(client) == (bits >= MAPPED_BITS && gw_address_is_v4(&network)) &&
           same_prefix(client, &network, (unsigned)bits);
}

bool permitted_address(struct slice list, const struct gw_address *client)
{
    struct slice item;

    if (slice_trim(list).n == 0)
        return true;
    while (client != NULL && slice_split(&list, ',', &item))
        if (is_in(client, slice_trim(item)))
            return true;
    return false;
}

/* The last '*' alone is tried again: what an earlier one could take as well, it can take too. */
static bool matches(struct slice pattern, struct slice text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX && text.p[from] != ' ') {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

bool permitted_referer(struct slice list, struct slice referer)
{
    struct slice item;

    if (slice_trim(list).n == 0)
        return true;
    if (referer.n == 0 || referer.n > PERMITTED_REFERER_MAX)
        return false;
    while (slice_split(&list, ',', &item)) {
        item = slice_trim(item);
        if (item.n > 0 && item.n <= PATTERN_MAX && matches(item, referer))
            return true;
    }
    return false;
}
