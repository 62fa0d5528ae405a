/* UTF-8, one character at a time (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
#pragma once

#include "base/slice.h"

/* Bytes of the valid UTF-8 character that s begins with: 1 to 4; 0 when it is not valid or s is
 * empty. */
size_t utf8_length(struct slice s);

/* Offset of the first byte that is not valid UTF-8; s.n when all is. */
size_t utf8_valid_prefix(struct slice s);
