#include "base/hash.h"

#include "base/error.h"

#include <endian.h>
#include <sys/random.h>

void hash_key_random(struct hash_key *key)
{
    ssize_t n = getrandom(key, sizeof(*key), 0);

    CC_ASSERT(n == (ssize_t)sizeof(*key));
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_round(s);
    sip_round(s);
    s->v0 ^= m;
}

/* The last, at most 7 bytes as they would be in a word. */
static inline uint64_t sip_rest(struct slice s)
{
    uint32_t four;
    uint64_t word = 0;

    if (s.n >= 4) {
        memcpy(&four, s.p, 4);
        word = le32toh(four);
        memcpy(&four, s.p + s.n - 4, 4);
        return word | (uint64_t)le32toh(four) << 8 * (s.n - 4);
    }
    for (size_t i = s.n; i > 0; i--)
        word = word << 8 | (unsigned char)s.p[i - 1];
    return word;
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012: c = 2, d = 4. Words are read in
 * the machine's order: the values stay inside the process. */
static inline struct sip sip_text(const struct hash_key *key, struct slice s, uint64_t tweak)
{
    struct sip v = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du ^ tweak,
                    key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
    const uint64_t last = (uint64_t)s.n << 56;
    size_t i = 0;

    for (; i + 8 <= s.n; i += 8) {
        uint64_t m;

        memcpy(&m, s.p + i, 8);
        sip_word(&v, m);
    }
    sip_word(&v, last | sip_rest(slice_from(s, i)));
    return v;
}

static inline uint64_t sip_finish(struct sip *v)
{
    for (int r = 0; r < 4; r++)
        sip_round(v);
    return v->v0 ^ v->v1 ^ v->v2 ^ v->v3;
}

uint64_t hash_slice(const struct hash_key *key, struct slice s)
{
    struct sip v = sip_text(key, s, 0);

    v.v2 ^= 0xff;
    return sip_finish(&v);
}

/* The 128-bit variant of the authors' reference implementation. */
void hash_slice128(const struct hash_key *key, struct slice s, uint64_t out[2])
{
    struct sip v = sip_text(key, s, 0xee);

    v.v2 ^= 0xee;
    out[0] = sip_finish(&v);
    v.v1 ^= 0xdd;
    out[1] = sip_finish(&v);
}
