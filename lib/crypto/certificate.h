/* Certificates that say whom to believe: PEM texts of authorities.
 *
 * A text is taken apart by its "-----BEGIN" lines; whatever stands between blocks is a comment (RFC
 * 7468 2). Nothing is verified here: who is believed is for the owner of the text to say. */
#pragma once

#include "base/base.h"

enum { CERTIFICATES_MAX_BYTES = 1 << 20, CERTIFICATES_MAX = 1000 };

struct certificate {
    struct slice pem;             /* this one alone, as OpenSSL writes it */
    struct slice subject, issuer; /* DER of the names; equal: it is signed by itself */
    int64_t not_after;            /* seconds since 1970 */
    unsigned line;                /* of the text, from 1 */
};

struct certificates {
    struct certificate *items; /* in the order of the text */
    size_t n;
};

/* All certificates of a PEM text, in the arena. *line is where it went wrong, 0: nowhere in
 * particular. CC_ETOOBIG; CC_EREFUSED for a text that holds a private key; CC_EUNSUPPORTED for
 * another block; CC_EPARSE for one that is damaged; CC_ENOENT without any; CC_ENOMEM. */
int certificates_from_pem(struct certificates *out, struct slice pem, struct arena *arena,
                          unsigned *line);
