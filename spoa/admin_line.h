/* admin_line: a line of the admin socket -> commands -> words. Pure.
 *
 *     revoke token 7f2c until 1893456000; show revoked
 *
 * ';' separates commands, blanks separate words, '\' takes the meaning off the byte behind it, as
 * in HAProxy's stats socket. Control characters are refused: no word can break a log line or an
 * answer. */
#pragma once

#include "base/base.h"

enum { ADMIN_WORDS_MAX = 32 };

struct admin_words {
    struct slice word[ADMIN_WORDS_MAX];
    size_t n; /* 0: an empty command */
};

#define ADMIN_LINE_FAULTS(X)                                           \
    X(ADMIN_LINE_OK, "ok")                                             \
    X(ADMIN_LINE_WORDS, "a command has at most 32 words")              \
    X(ADMIN_LINE_CONTROL, "control characters cannot be in a command") \
    X(ADMIN_LINE_ESCAPE, "there is nothing behind the last '\\'")

enum admin_line_fault {
#define X(name, text) name,
    ADMIN_LINE_FAULTS(X)
#undef X
};
const char *admin_line_fault_text(enum admin_line_fault fault);

/* Takes the first command off the text from *at to `end`; *at becomes where the next one begins,
 * and `end` when there is none. Escapes are resolved in place: the words point into the text. After
 * a fault there are no words and *at is `end`: nothing behind it is to be run. */
enum admin_line_fault admin_line_next(char **at, char *end, struct admin_words *out);
