/* The id of a token -> its key in the table. */
#include "revoke/revoke_internal.h"

#include "crypto/base64url.h"

/* An ECDSA signature (r, s) as JWS has it, both numbers of one size. (r, n - s) verifies as well
 * (SEC 1 4.1.4), so that whoever has the token can make another text of it; r stays what it is. Two
 * tokens of one key never have the same r, or the key would be known to everybody. */
enum { ES256_BYTES = 64, ES384_BYTES = 96, ES512_BYTES = 132 };

/* What an id is known by: all of it, or r when it may be such a signature. */
static struct slice distinct_part(struct slice id, char room[ES512_BYTES])
{
    size_t n = base64url_decoded_size(id.n);

    if (n != ES256_BYTES && n != ES384_BYTES && n != ES512_BYTES)
        return id;
    if (base64url_decode(id, room, ES512_BYTES, &n) != CC_OK)
        return id;
    return slice_make(room, n / 2);
}

struct revoked_key revoked_key(const struct revoked *r, struct slice id)
{
    char room[ES512_BYTES];
    struct slice part = distinct_part(slice_first(id, REVOKED_ID_MAX), room);
    struct revoked_key key = {hash_slice(&r->keys[0], part), hash_slice(&r->keys[1], part)};

    if (key.a < REVOKED_FIRST_HASH)
        key.a += REVOKED_FIRST_HASH;
    return key;
}

bool revoked_id_valid(struct slice id)
{
    return id.n > 0 && !slice_has_control(id);
}

bool revoked_looks_like_token(struct slice id)
{
    return slice_starts(id, SLICE("eyJ")) && slice_find(id, '.') > 0;
}

char *revoked_copy_id(struct slice id)
{
    return strndup(id.p, id.n);
}
