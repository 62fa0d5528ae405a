#include "gateway/pattern.h"

#include "gateway/policy.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

enum {
    NESTING_MAX = 16,       /* parentheses in parentheses */
    STEPS_MAX = 20000,      /* calls of the matcher's inner function: less than a millisecond */
    DEPTH_MAX = 500,        /* points to come back to */
    HEAP_MAX_KIB = 256,     /* for them */
    COMPILED_MAX = 32 << 10 /* bytes; (a{1,1000}){1,1000} is a short text too */
};

struct gw_pattern {
    pcre2_code *code;
};

struct gw_pattern_room {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

bool gw_pattern_is_literal(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr("\\^$.[|()?*+{", text.p[i]) != NULL)
            return false;
    return true;
}

/* --- what can take long -------------------------------------------------------------------------
 */

/* Where the escape, class or single character at `i` ends. */
static size_t skip_atom(struct slice s, size_t i)
{
    if (s.p[i] == '\\')
        return i + 2 < s.n ? i + 2 : s.n;
    if (s.p[i] != '[')
        return i + 1;
    i++;
    if (i < s.n && s.p[i] == '^')
        i++;
    if (i < s.n && s.p[i] == ']')
        i++;
    while (i < s.n && s.p[i] != ']')
        i += s.p[i] == '\\' ? 2 : 1;
    return i < s.n ? i + 1 : s.n;
}

/* Is there a repetition at `i`, of more than one time at most? *end: what follows it. */
static bool repeats(struct slice s, size_t i, size_t *end)
{
    size_t n = i;

    *end = i;
    if (i >= s.n)
        return false;
    if (s.p[i] == '*' || s.p[i] == '+') {
        *end = i + 1;
        return true;
    }
    if (s.p[i] == '?') {
        *end = i + 1;
        return false;
    }
    if (s.p[i] != '{')
        return false;
    while (n < s.n && s.p[n] != '}')
        n++;
    if (n == s.n || i + 1 == n || !ascii_is_digit(s.p[i + 1]))
        return false; /* as PCRE2: text */
    *end = n + 1;
    return !slice_is(slice_make(s.p + i + 1, n - i - 1), "1");
}

/* A repetition of what holds a repetition: as (a+)+ does, it can try a text of n characters in 2^n
 * ways. Alternatives that are repeated, (a|ab)*, are as bad when one begins like another. What is
 * refused here is more than what is bad, and what is left has STEPS_MAX. */
static bool is_explosive(struct slice s)
{
    bool holds[NESTING_MAX + 2] = {false}; /* at each depth: a repetition or alternatives */
    size_t depth = 0, i = 0;

    while (i < s.n) {
        bool group = s.p[i] == ')', inner = false;
        size_t end;

        if (s.p[i] == '(') {
            if (depth == NESTING_MAX)
                return false; /* PCRE2 will say it */
            holds[++depth] = false;
            i++;
            if (i < s.n && s.p[i] == '?') /* what kind of group it is: no repetition */
                i++;
            continue;
        }
        if (s.p[i] == '|') {
            holds[depth] = true;
            i++;
            continue;
        }
        if (group && depth > 0)
            inner = holds[depth--];
        i = skip_atom(s, i);
        if (repeats(s, i, &end)) {
            if (group && inner)
                return true;
            inner = true;
        }
        holds[depth] = holds[depth] || inner;
        i = end;
        if (end < s.n && (s.p[end] == '?' || s.p[end] == '+')) /* lazy, possessive */
            i++;
    }
    return false;
}

/* Back references and recursion, whose cost nothing bounds, and \\Q, in which a parenthesis is
 * none; look-behind and the like are cheap. */
static bool refers_back(struct slice s)
{
    for (size_t i = 0; i + 1 < s.n; i = skip_atom(s, i)) {
        if (s.p[i] == '\\' && ((s.p[i + 1] >= '1' && s.p[i + 1] <= '9') || s.p[i + 1] == 'g' ||
                               s.p[i + 1] == 'k' || s.p[i + 1] == 'Q'))
            return true;
        if (s.p[i] == '(' && i + 2 < s.n && s.p[i + 1] == '?' &&
            (strchr("R&+-C(", s.p[i + 2]) != NULL || ascii_is_digit(s.p[i + 2]) ||
             (s.p[i + 2] == 'P' && i + 3 < s.n && s.p[i + 3] != '<')))
            return true;
        if (s.p[i] == '(' && s.p[i + 1] == '*')
            return true; /* verbs: (*NO_START_OPT), (*LIMIT_MATCH=...) */
    }
    return false;
}

/* ---------------------------------------------------------------------------------------------- */

static pcre2_code *compile(struct slice text, int *error, PCRE2_SIZE *offset)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code *code = NULL;

    *error = PCRE2_ERROR_NOMEMORY;
    *offset = 0;
    if (context == NULL)
        return NULL;
    pcre2_set_parens_nest_limit(context, NESTING_MAX);
    pcre2_set_max_pattern_length(context, GW_PATTERN_MAX);
    code = pcre2_compile((PCRE2_SPTR)text.p, text.n,
                         PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF |
                             PCRE2_DOLLAR_ENDONLY,
                         error, offset, context);
    pcre2_compile_context_free(context);
    return code;
}

const char *gw_pattern_fault(struct slice text, char room[GW_PATTERN_FAULT])
{
    size_t size = 0, offset;
    pcre2_code *code;
    int error;

    if (text.n == 0)
        return "it is empty";
    if (text.n > GW_PATTERN_MAX)
        return "it is longer than 512 bytes";
    if (slice_has_control(text))
        return "it has a control character";
    if (refers_back(text))
        return "back references, recursion, conditions, \\Q and verbs are not allowed: nothing "
               "bounds "
               "their cost";
    if (is_explosive(text))
        return "a repetition of a group that repeats or has alternatives itself, as (a+)+: a short "
               "text could take it for ever";
    code = compile(text, &error, &offset);
    if (code == NULL) {
        char words[128];

        if (pcre2_get_error_message(error, (PCRE2_UCHAR *)words, sizeof(words)) < 0)
            return "PCRE2 does not take it";
        snprintf(room, GW_PATTERN_FAULT, "%s, at character %zu", words, offset + 1);
        return room;
    }
    if (pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size) != 0)
        size = SIZE_MAX;
    pcre2_code_free(code);
    return size > COMPILED_MAX ? "its repetitions make it too large" : NULL;
}

int gw_pattern_new(struct gw_pattern **out, struct slice text)
{
    char room[GW_PATTERN_FAULT];
    struct gw_pattern *p;
    PCRE2_SIZE offset;
    int error;

    if (gw_pattern_fault(text, room) != NULL)
        return CC_EINVAL;
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return CC_ENOMEM;
    p->code = compile(text, &error, &offset);
    if (p->code == NULL) {
        free(p);
        return CC_ENOMEM;
    }
    *out = p;
    return CC_OK;
}

void gw_pattern_free(struct gw_pattern **p)
{
    if (*p == NULL)
        return;
    pcre2_code_free((*p)->code);
    free(*p);
    *p = NULL;
}

struct gw_pattern_room *gw_pattern_room_new(void)
{
    struct gw_pattern_room *room = calloc(1, sizeof(*room));

    if (room == NULL)
        return NULL;
    room->context = pcre2_match_context_create(NULL);
    room->data = pcre2_match_data_create(1, NULL);
    if (room->context == NULL || room->data == NULL) {
        gw_pattern_room_free(&room);
        return NULL;
    }
    pcre2_set_match_limit(room->context, STEPS_MAX);
    pcre2_set_depth_limit(room->context, DEPTH_MAX);
    pcre2_set_heap_limit(room->context, HEAP_MAX_KIB);
    return room;
}

void gw_pattern_room_free(struct gw_pattern_room **room)
{
    if (*room == NULL)
        return;
    pcre2_match_data_free((*room)->data);
    pcre2_match_context_free((*room)->context);
    free(*room);
    *room = NULL;
}

enum gw_found gw_pattern_find(const struct gw_pattern *p, struct gw_pattern_room *room,
                              struct slice text)
{
    int rc = pcre2_match(p->code, (PCRE2_SPTR)(text.p != NULL ? text.p : ""), text.n, 0, 0,
                         room->data, room->context);

    return rc >= 0 ? GW_FOUND : rc == PCRE2_ERROR_NOMATCH ? GW_NOT_FOUND : GW_FOUND_ERROR;
}
