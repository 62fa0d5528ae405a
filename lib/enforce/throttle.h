/* throttle: deny rules and limits, the last step before a request goes on (private to enforce).
 *
 * First hit stops: deny rules (403, 900805), then the limit of the API (429, 900800) or of the
 * operation (900802), of the subscription (900804), of the application (900803), of custom policies
 * (900806). All limits that a request has are asked at once, and take from it all or nothing. */
#pragma once

#include "base/base.h"
#include "gateway/path.h"
#include "throttle/counter_strict.h"

struct attempt;

enum {
    THROTTLE_KEYS_ROOM = 48 << 10, /* keys of one request */
    THROTTLE_TEXT_ROOM = 4096      /* what clients and logs are told */
};

/* Scratch; one a worker. */
struct throttle_room {
    char keys[THROTTLE_KEYS_ROOM];
    char texts[THROTTLE_TEXT_ROOM];
    char value[GW_PATH_MAX]; /* of a query parameter */
    struct counter_question question;
    uint64_t asked; /* questions so far */
};

/* False after a refusal. */
bool throttle(struct attempt *a);
