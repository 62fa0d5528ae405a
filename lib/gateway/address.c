#include "gateway/address.h"

#include <arpa/inet.h>

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

enum { MAPPED_BITS = 96 };

bool gw_address_is_v4(const struct gw_address *a)
{
    return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool gw_address_from(struct slice bytes, struct gw_address *out)
{
    if (bytes.n == 16) {
        memcpy(out->b, bytes.p, 16);
        return true;
    }
    if (bytes.n != 4)
        return false;
    memcpy(out->b, mapped, sizeof(mapped));
    memcpy(out->b + sizeof(mapped), bytes.p, 4);
    return true;
}

bool gw_address_parse(struct slice text, struct gw_address *out)
{
    char room[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (text.n == 0 || text.n >= sizeof(room) || slice_find(text, '\0') >= 0)
        return false;
    memcpy(room, text.p, text.n);
    room[text.n] = '\0';
    if (slice_find(text, ':') >= 0)
        return inet_pton(AF_INET6, room, out->b) == 1;
    return inet_pton(AF_INET, room, &v4) == 1 && gw_address_from(slice_make(&v4, sizeof(v4)), out);
}

int gw_address_cmp(const struct gw_address *a, const struct gw_address *b)
{
    return memcmp(a->b, b->b, sizeof(a->b));
}

bool gw_address_in(const struct gw_address *a, const struct gw_address_range *range)
{
    return gw_address_cmp(&range->first, a) <= 0 && gw_address_cmp(a, &range->last) <= 0;
}

/* The network of `bits` bits that begins at out->first. */
static const char *set_network(struct gw_address_range *out, unsigned bits)
{
    out->last = out->first;
    for (unsigned i = bits; i < 128; i++) {
        unsigned char bit = (unsigned char)(0x80 >> i % 8);

        if ((out->first.b[i / 8] & bit) != 0)
            return "the address has bits set behind the length of its prefix";
        out->last.b[i / 8] |= bit;
    }
    return NULL;
}

static const char *parse_network(struct slice address, struct slice length,
                                 struct gw_address_range *out)
{
    bool v4 = slice_find(address, ':') < 0;
    uint64_t bits;

    if (!gw_address_parse(address, &out->first))
        return "what stands before '/' is no IP address";
    if (slice_to_u64(length, &bits) != CC_OK || bits > (v4 ? 32 : 128))
        return v4 ? "the length of an IPv4 prefix is 0 to 32"
                  : "the length of an IPv6 prefix is 0 to 128";
    return set_network(out, (unsigned)bits + (v4 ? MAPPED_BITS : 0));
}

const char *gw_address_range_parse(struct slice text, struct gw_address_range *out)
{
    ptrdiff_t at = slice_find(text, '/');

    if (at >= 0)
        return parse_network(slice_first(text, (size_t)at), slice_from(text, (size_t)at + 1), out);
    at = slice_find(text, '-');
    if (at < 0) {
        out->last = out->first = (struct gw_address){{0}};
        if (!gw_address_parse(text, &out->first))
            return "it is no IP address";
        out->last = out->first;
        return NULL;
    }
    if (!gw_address_parse(slice_trim(slice_first(text, (size_t)at)), &out->first) ||
        !gw_address_parse(slice_trim(slice_from(text, (size_t)at + 1)), &out->last))
        return "what stands around '-' are not two IP addresses";
    if (gw_address_is_v4(&out->first) != gw_address_is_v4(&out->last))
        return "its two ends are of two families";
    return gw_address_cmp(&out->first, &out->last) > 0 ? "its end is before its beginning" : NULL;
}

struct gw_address gw_address_network(const struct gw_address *a, unsigned bits)
{
    struct gw_address network = *a;

    if (gw_address_is_v4(a))
        return network;
    for (unsigned i = bits; i < GW_IPV6_BITS; i++)
        network.b[i / 8] &= (unsigned char)~(0x80 >> i % 8);
    return network;
}

struct slice gw_address_text(const struct gw_address *a, char room[GW_ADDRESS_TEXT])
{
    const char *text = gw_address_is_v4(a)
                           ? inet_ntop(AF_INET, a->b + sizeof(mapped), room, GW_ADDRESS_TEXT)
                           : inet_ntop(AF_INET6, a->b, room, GW_ADDRESS_TEXT);

    return slice_of(text != NULL ? text : "");
}

static struct slice v4_decimal(const struct gw_address *a, char room[GW_ADDRESS_DECIMAL])
{
    uint32_t number =
        (uint32_t)a->b[12] << 24 | (uint32_t)a->b[13] << 16 | (uint32_t)a->b[14] << 8 | a->b[15];
    size_t n = GW_ADDRESS_DECIMAL;

    do
        room[--n] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return slice_make(room + n, GW_ADDRESS_DECIMAL - n);
}

struct slice gw_address_decimal(const struct gw_address *a, char room[GW_ADDRESS_DECIMAL])
{
    uint32_t part[4]; /* base 2^32, most significant first */
    size_t n = GW_ADDRESS_DECIMAL;
    bool more;

    if (gw_address_is_v4(a))
        return v4_decimal(a, room);
    for (size_t i = 0; i < 4; i++)
        part[i] = (uint32_t)a->b[4 * i] << 24 | (uint32_t)a->b[4 * i + 1] << 16 |
                  (uint32_t)a->b[4 * i + 2] << 8 | a->b[4 * i + 3];
    do {
        uint64_t rest = 0;

        more = false;
        for (size_t i = 0; i < 4; i++) {
            uint64_t value = rest << 32 | part[i];

            part[i] = (uint32_t)(value / 10);
            rest = value % 10;
            more = more || part[i] != 0;
        }
        room[--n] = (char)('0' + rest);
    } while (more);
    return slice_make(room + n, GW_ADDRESS_DECIMAL - n);
}
