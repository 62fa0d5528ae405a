/* revoke_line: one change as text, for the state file and for other gateways.
 *
 *     + 1893456000 6f0c0000-0000-4000-8000-0000000000aa      revoked; "-" = for ever
 *     - - 6f0c0000-0000-4000-8000-0000000000aa               taken back */
#pragma once

#include "revoke/revoke.h"

enum { REVOKE_LINE_MAX = 32 + REVOKED_ID_MAX };

struct revoke_line {
    bool revoked;
    int64_t until_s;
    struct slice id;
};

/* Without an end of line; the id is cut to REVOKED_ID_MAX. */
void revoke_line_add(struct buf *out, const struct revoke_line *line);

/* False: it is none. The id points into the text, and is valid. */
bool revoke_line_parse(struct slice text, struct revoke_line *out);
