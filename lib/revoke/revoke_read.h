/* revoke_read: the operator's file of revoked tokens.
 *
 *     # id, and when the token expires: seconds since 1970, or a time like 2030-01-01T00:00:00Z
 *     6f0c0000-0000-4000-8000-0000000000aa 1893456000
 *     7d2e0000-0000-4000-8000-0000000000bb
 *     {"jti": "an id with blanks", "exp": 1893456000}
 *     {"jwt_signature": "6f0c...", "expiry_time": 1893456000000}     as API Manager lists them, in
 * ms
 *
 * A revocation a line; empty lines and those that begin with '#' say nothing. */
#pragma once

#include "revoke/revoke.h"

enum { REVOKE_FILE_MAX = 256 << 20 };

/* Adds what the text says to the table (REVOKED_BY_FILE), after revoked_begin(). Every bad line is
 * a CC3090 finding, and what is good is taken all the same. CC_EINVAL when there was a finding.
 * `source` has no text, so that findings show none: a line may hold a token by mistake. */
int revoke_parse(struct slice text, const struct source *source, struct revoked *table,
                 int64_t now_s, struct diag *diag);

/* Reads the file first; the source is in the arena. That it cannot be read is a CC1001 finding. */
int revoke_read(const char *path, struct revoked *table, int64_t now_s, struct arena *arena,
                struct diag *diag);
