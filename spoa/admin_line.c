#include "spoa/admin_line.h"

const char *admin_line_fault_text(enum admin_line_fault fault)
{
    static const char *const texts[] = {
#define X(name, text) text,
        ADMIN_LINE_FAULTS(X)
#undef X
    };

    return texts[fault];
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Copies one word down to its begin, without the escapes; *at is left at what ends it. */
static enum admin_line_fault take_word(char **at, const char *end, struct slice *out)
{
    char *from = *at, *to = *at;

    *out = slice_make(from, 0);
    while (from < end && !is_blank(*from) && *from != ';') {
        if (*from == '\\' && ++from == end)
            return ADMIN_LINE_ESCAPE;
        if (ascii_is_control(*from))
            return ADMIN_LINE_CONTROL;
        *to++ = *from++;
        out->n++;
    }
    *at = from;
    return ADMIN_LINE_OK;
}

enum admin_line_fault admin_line_next(char **at, char *end, struct admin_words *out)
{
    enum admin_line_fault fault = ADMIN_LINE_OK;
    char *p = *at;

    out->n = 0;
    for (;;) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end || *p == ';')
            break;
        fault =
            out->n < ADMIN_WORDS_MAX ? take_word(&p, end, &out->word[out->n]) : ADMIN_LINE_WORDS;
        if (fault != ADMIN_LINE_OK) {
            out->n = 0;
            *at = end;
            return fault;
        }
        out->n++;
    }
    *at = p < end ? p + 1 : end;
    return ADMIN_LINE_OK;
}
