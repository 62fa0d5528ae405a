/* list: header values that are lists of elements with parameters (private to enforce).
 *
 *     Prefer: code=200, example="a, b"; x=1        Accept: image/png;q=0.5, application/json
 *
 * RFC 9110 5.6.1 (lists), 5.6.4 (quoted strings), 5.6.6 (parameters); RFC 7240 2 for pairs. What is
 * cut keeps pointing into the header: nothing is copied or allocated. Never fails on hostile input:
 * a quote that is not closed reaches to the end, and what is no pair is said to be none. */
#pragma once

#include "base/base.h"

/* The next non-empty element before a `separator` outside of quotes, without blanks around it; false
 * when there is none. *rest becomes what follows. */
bool list_next(struct slice *rest, char separator, struct slice *element);

/* A token, or the inside of a quoted string with its backslashes. */
struct list_word {
    struct slice text;
    bool quoted;
};

/* name [ BWS "=" BWS word ]; without "=", or with an empty word (RFC 7240 2), the value is empty.
 * False when it is neither. */
bool list_pair(struct slice element, struct slice *name, struct list_word *value);

/* Does the word say this? With or without regard to the case of ASCII letters. */
bool list_word_is(struct list_word word, struct slice text, bool any_case);
