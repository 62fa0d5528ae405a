/* address: IP addresses of both families as numbers in one space.
 *
 * An IPv4 address is its IPv4-mapped IPv6 address (RFC 4291 2.5.5.2), so that it is the same client
 * whichever way the kernel tells it. Pure. */
#pragma once

#include "base/base.h"

struct gw_address {
    unsigned char b[16]; /* most significant first */
};

struct gw_address_range {
    struct gw_address first, last; /* both inside */
};

/* "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1". False: it is none. */
bool gw_address_parse(struct slice text, struct gw_address *out);

/* The 4 or 16 bytes that the network has. False for any other number. */
bool gw_address_from(struct slice bytes, struct gw_address *out);

/* An address, "10.0.0.0/8" (RFC 4632 3.1, RFC 4291 2.3) or "10.0.0.1-10.0.0.9". What is wrong with
 * it, or NULL. */
const char *gw_address_range_parse(struct slice text, struct gw_address_range *out);

bool gw_address_is_v4(const struct gw_address *a);
bool gw_address_in(const struct gw_address *a, const struct gw_address_range *range);
int gw_address_cmp(const struct gw_address *a, const struct gw_address *b);

/* The first address of the network of so many bits that an IPv6 address is in; an IPv4 address
 * itself. */
enum { GW_IPV6_BITS = 128 };
struct gw_address gw_address_network(const struct gw_address *a, unsigned bits);

/* "10.0.0.1", "2001:db8::1" (RFC 5952). */
enum { GW_ADDRESS_TEXT = 46 };
struct slice gw_address_text(const struct gw_address *a, char room[GW_ADDRESS_TEXT]);

/* The number of an IPv4 address (32 bits) or of an IPv6 address in decimal: $clientIp. */
enum { GW_ADDRESS_DECIMAL = 40 };
struct slice gw_address_decimal(const struct gw_address *a, char room[GW_ADDRESS_DECIMAL]);
