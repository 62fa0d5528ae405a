/* base64url without padding (RFC 7515 appendix C, RFC 4648 5), strict: only the URL alphabet, no
 * white space, no padding, and unused trailing bits must be zero, so that one value has one text.
 */
#pragma once

#include "base/base.h"

/* Bytes that n characters decode to; upper bound for any n. */
static inline size_t base64url_decoded_size(size_t n)
{
    return n / 4 * 3 + (n % 4 == 3 ? 2 : n % 4 == 2 ? 1 : 0);
}

/* Decodes text into out (at least base64url_decoded_size(text.n) bytes). CC_EPARSE when it is not
 * canonical; CC_ETOOBIG when `cap` is too small. */
int base64url_decode(struct slice text, void *out, size_t cap, size_t *n);

/* Appends data as base64url text. */
void base64url_encode(struct slice data, struct buf *out);

/* Appends data as base64 text (RFC 4648 4): with + and /, and padded. */
void base64_encode(struct slice data, struct buf *out);

/* The same without padding. */
void base64_encode_unpadded(struct slice data, struct buf *out);
