/* What tools read of HTTP/1.1 messages. */
#pragma once

#include "base/base.h"

/* The value of header `name`; absent when it is not there. `headers`: lines, the first of them may
 * be any. */
static inline struct slice http_header(struct slice headers, const char *name)
{
    struct slice line;

    while (slice_split(&headers, '\n', &line)) {
        struct slice value = line, found;

        if (slice_find(line, ':') >= 0 && slice_split(&value, ':', &found) &&
            slice_eq_nocase(found, slice_of(name))) {
            if (slice_ends(value, SLICE("\r")))
                value.n--;
            return slice_trim(value);
        }
    }
    return SLICE_NONE;
}
