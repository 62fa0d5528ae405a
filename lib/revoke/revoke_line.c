#include "revoke/revoke_line.h"

void revoke_line_add(struct buf *out, const struct revoke_line *line)
{
    buf_add_str(out, line->revoked ? "+ " : "- ");
    if (line->until_s == REVOKED_FOREVER)
        buf_add_char(out, '-');
    else
        buf_add_u64(out, (uint64_t)line->until_s);
    buf_add_char(out, ' ');
    buf_add(out, slice_first(line->id, REVOKED_ID_MAX));
}

bool revoke_line_parse(struct slice text, struct revoke_line *out)
{
    struct slice rest = text, what, until;
    uint64_t seconds;

    if (!slice_split(&rest, ' ', &what) || !slice_split(&rest, ' ', &until))
        return false;
    out->revoked = slice_is(what, "+");
    out->until_s = REVOKED_FOREVER;
    out->id = rest;
    if ((!out->revoked && !slice_is(what, "-")) || !revoked_id_valid(out->id) ||
        out->id.n > REVOKED_ID_MAX)
        return false;
    if (slice_is(until, "-"))
        return true;
    if (slice_to_u64(until, &seconds) != CC_OK || seconds >= REVOKED_FOREVER)
        return false;
    out->until_s = (int64_t)seconds;
    return true;
}
