/* Keyed hashing for tables that hold what strangers send.
 *
 * SipHash-2-4 with a random key of the process: an attacker who cannot read the key cannot make
 * entries collide. Not a signature; content hashes that must be unforgeable use SHA-256 (crypto).
 */
#pragma once

#include "base/slice.h"

#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

/* Fills the key from the kernel's random source. Aborts when there is none. */
void hash_key_random(struct hash_key *key);

/* SipHash-2-4 of s under key. */
uint64_t hash_slice(const struct hash_key *key, struct slice s);

/* The same with 128 bits, for tables that take equal hashes for equal texts: as long as the key is
 * not known, 2^64 texts have to be tried until two of them are alike. */
void hash_slice128(const struct hash_key *key, struct slice s, uint64_t out[2]);
