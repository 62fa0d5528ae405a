/* mock: which example of its document a mock API answers with (private to enforce).
 *
 * The client chooses by two headers:
 *
 *     Prefer: code=404, example=missing     RFC 7240; other preferences are ignored, as it demands
 *     Accept: application/xml, image/png;q=0.5 RFC 9110 12.5.1
 *
 * The code picks the answer: the one with that code, else the ones with 40x and 4xx; without a code
 * it is `default` (as 200), else the first that has an example (its x read as 0). Accept picks the
 * media type of it: the highest weight, then the most specific range, then JSON, then the order of
 * the document. The example is the named one, else the first.
 *
 * Pure and without memory of its own. The cost is that of the headers and of the one operation's
 * answers, whatever else the API has. Both headers are hostile. */
#pragma once

#include "enforce/enforce.h"

enum mock_fault {
    MOCK_OK,
    MOCK_BAD_CODE,   /* the preferred code is not of three digits */
    MOCK_NO_ANSWER,  /* the operation has none at all */
    MOCK_NO_CODE,    /* none for the preferred code */
    MOCK_NO_TYPE,    /* none of the media types is acceptable */
    MOCK_NO_EXAMPLE, /* none has the preferred name */
    MOCK_MANY_LINES, /* found by the caller: more lines of a header than HAProxy joins */
    MOCK_FAULT_COUNT
};

struct mock_choice {
    unsigned status;
    const struct gw_mock_answer *answer;
    const struct gw_mock_content *content; /* NULL: the answer has no body */
    const struct gw_mock_example *example; /* NULL: the same */
    struct slice preferred; /* what was asked for and is not there, as in the header; for texts */
};

/* `prefer` and `accept` are empty when the request has none. */
enum mock_fault mock_choose(const struct gw_operation *operation, struct slice prefer,
                            struct slice accept, struct mock_choice *out);
