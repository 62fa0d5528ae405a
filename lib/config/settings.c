#include "config/settings.h"

#include <stddef.h>

#define TYPE_BOOL        "true or false"
#define TYPE_NUMBER      "whole number"
#define TYPE_PORT        "port"
#define TYPE_SECONDS     "seconds"
#define TYPE_MILLIS      "milliseconds"
#define TYPE_BYTES       "bytes"
#define TYPE_MODE        "octal permissions"
#define TYPE_TEXT        "text"
#define TYPE_SECRET      "text, not shown"
#define TYPE_HOST        "host"
#define TYPE_HEADER      "header name"
#define TYPE_PATH        "path"
#define TYPE_SOCKET_PATH "absolute path"
#define TYPE_SOCKET      "absolute path or host:port"
#define TYPE_WORD        "word"
#define TYPE_TEXTS       "list of text"
#define TYPE_WORDS       "list of words"
#define TYPE_CLAIMS      "list of claims"
#define TYPE_PROPERTIES  "mapping of texts"

#define LIMITS_VALUE(min, max, choices)   #min " to " #max
#define LIMITS_LENGTH(min, max, choices)  #min " to " #max " characters"
#define LIMITS_CHOICES(min, max, choices) choices
#define LIMITS_BOOL(min, max, choices)    ""
#define LIMITS_NUMBER                     LIMITS_VALUE
#define LIMITS_PORT                       LIMITS_VALUE
#define LIMITS_SECONDS                    LIMITS_VALUE
#define LIMITS_MILLIS                     LIMITS_VALUE
#define LIMITS_BYTES                      LIMITS_VALUE
#define LIMITS_MODE                       LIMITS_VALUE
#define LIMITS_TEXT                       LIMITS_LENGTH
#define LIMITS_SECRET                     LIMITS_LENGTH
#define LIMITS_HOST                       LIMITS_LENGTH
#define LIMITS_HEADER                     LIMITS_LENGTH
#define LIMITS_PATH                       LIMITS_LENGTH
#define LIMITS_SOCKET_PATH                LIMITS_LENGTH
#define LIMITS_SOCKET                     LIMITS_LENGTH
#define LIMITS_WORD                       LIMITS_CHOICES
#define LIMITS_TEXTS(min, max, choices)   "each " #min " to " #max " characters"
#define LIMITS_WORDS                      LIMITS_CHOICES
#define LIMITS_CLAIMS                     LIMITS_TEXTS
#define LIMITS_PROPERTIES                 LIMITS_TEXTS

static const struct config_setting rows[] = {
#define SCALAR(kind, name, member, def, min, max, choices, change, help) \
    {name, TYPE_##kind, def, LIMITS_##kind(min, max, choices), change, help},
#define FIELD(list, kind, name, member, def, min, max, choices, change, help) \
    SCALAR(kind, name, member, def, min, max, choices, change, help)
#define FIELDS(list, kind, name, member, count, def, min, max, choices, change, help) \
    SCALAR(kind, name, member, def, min, max, choices, change, help)
#include "config/settings.def"
};

#define ELEMENT_NONE      struct config
#define ELEMENT_VHOSTS    struct config_vhost_mapping
#define ELEMENT_ISSUERS   struct config_token_service
#define ELEMENT_KEY_PAIRS struct config_jwt_key
#define ELEMENT_FILTERS   struct config_filter
#define ELEMENT_USERS     struct config_jwt_user

#define WHERE(list, member) offsetof(ELEMENT_##list, member)

const struct setting settings[] = {
#define SCALAR(kind, name, member, def, min, max, choices, change, help) \
    {KIND_##kind, LIST_NONE, offsetof(struct config, member), 0, min, max, choices},
#define FIELD(list, kind, name, member, def, min, max, choices, change, help) \
    {KIND_##kind, LIST_##list, WHERE(list, member), 0, min, max, choices},
#define FIELDS(list, kind, name, member, count, def, min, max, choices, change, help) \
    {KIND_##kind, LIST_##list, WHERE(list, member), WHERE(list, count), min, max, choices},
#include "config/settings.def"
};

const struct setting_list_row setting_lists[LISTS] = {
    [LIST_VHOSTS] = {"adapter.vhostMapping", offsetof(struct config, adapter.vhost_mapping),
                     offsetof(struct config, adapter.n_vhost_mapping), sizeof(ELEMENT_VHOSTS)},
    [LIST_ISSUERS] = {"enforcer.security.tokenService",
                      offsetof(struct config, security.token_service),
                      offsetof(struct config, security.n_token_service), sizeof(ELEMENT_ISSUERS)},
    [LIST_KEY_PAIRS] = {"enforcer.jwtGenerator.keypair",
                        offsetof(struct config, jwt_generator.key_pairs),
                        offsetof(struct config, jwt_generator.n_key_pairs),
                        sizeof(ELEMENT_KEY_PAIRS)},
    [LIST_FILTERS] = {"enforcer.filters", offsetof(struct config, filters),
                      offsetof(struct config, n_filters), sizeof(ELEMENT_FILTERS)},
    [LIST_USERS] = {"enforcer.jwtIssuer.jwtUser", offsetof(struct config, jwt_issuer.users),
                    offsetof(struct config, jwt_issuer.n_users), sizeof(ELEMENT_USERS)},
};

static const struct setting_absent absent[] = {
#define ABSENT(name, why) {name, why},
#include "config/settings_absent.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), ABSENT_ROWS = sizeof(absent) / sizeof(absent[0]) };

const struct config_setting *config_settings(size_t *n)
{
    *n = ROWS;
    return rows;
}

/* Reads the digits at s.p[*at]; false when there are none or they say no sensible index. */
static bool take_index(struct slice s, size_t *at, size_t *element)
{
    size_t begin = *at;
    uint64_t v;

    while (*at < s.n && ascii_is_digit(s.p[*at]))
        ++*at;
    if (slice_to_u64(slice_make(s.p + begin, *at - begin), &v) != CC_OK || v > UINT32_MAX)
        return false;
    *element = (size_t)v;
    return true;
}

static char ascii_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

/* What a character of a name is in the name of its variable. */
static char variable_char(char c)
{
    if (c == '.')
        return '_';
    return ascii_upper(c);
}

/* Is `s` the name `row`, "[]" standing for "[N]"? With `prefix` it may go on after the name. */
static bool match_name(struct slice s, const char *row, size_t *element, bool prefix)
{
    size_t at = 0;

    for (; *row != '\0'; row++) {
        if (at == s.n || s.p[at++] != *row)
            return false;
        if (*row == '[' && !(at < s.n && s.p[at] == ']') && !take_index(s, &at, element))
            return false;
    }
    return at == s.n || (prefix && s.p[at] == '.');
}

/* Is `s` the environment variable of the name `row`? "a.b[].cD" is CC_A_B_0_CD. */
static bool match_variable(struct slice s, const char *row, size_t *element, bool prefix)
{
    size_t at = 3;

    if (s.n < at || memcmp(s.p, "CC_", at) != 0)
        return false;
    for (; *row != '\0'; row++) {
        if (at == s.n || s.p[at++] != (*row == '[' ? '_' : variable_char(*row)))
            return false;
        if (*row == '[') {
            if (!take_index(s, &at, element))
                return false;
            row++; /* the ']' */
        }
    }
    return at == s.n || (prefix && s.p[at] == '_');
}

int settings_find(struct slice name, size_t *element)
{
    *element = 0;
    for (int i = 0; i < ROWS; i++)
        if (match_name(name, rows[i].name, element, false) && !slice_contains(name, SLICE("[]")))
            return i;
    return SETTINGS_NONE;
}

int settings_find_variable(struct slice variable, size_t *element)
{
    *element = 0;
    for (int i = 0; i < ROWS; i++)
        if (match_variable(variable, rows[i].name, element, false))
            return i;
    return SETTINGS_NONE;
}

int settings_find_row(struct slice name)
{
    for (int i = 0; i < ROWS; i++)
        if (slice_is(name, rows[i].name))
            return i;
    return SETTINGS_NONE;
}

enum setting_list settings_find_list(struct slice name)
{
    for (enum setting_list i = LIST_NONE + 1; i < LISTS; i++)
        if (slice_is(name, setting_lists[i].name))
            return i;
    return LIST_NONE;
}

static bool is_below(const char *name, struct slice section)
{
    struct slice s = slice_of(name);

    return slice_starts(s, section) && s.n > section.n && s.p[section.n] == '.';
}

bool settings_is_section(struct slice name)
{
    for (int i = 0; i < ROWS; i++)
        if (is_below(rows[i].name, name))
            return true;
    return false;
}

const struct setting_absent *settings_find_absent(struct slice name)
{
    size_t element;

    for (int i = 0; i < ABSENT_ROWS; i++)
        if (match_name(name, absent[i].name, &element, true))
            return &absent[i];
    return NULL;
}

const struct setting_absent *settings_find_absent_variable(struct slice variable)
{
    size_t element;

    for (int i = 0; i < ABSENT_ROWS; i++)
        if (match_variable(variable, absent[i].name, &element, true))
            return &absent[i];
    return NULL;
}

void settings_variable(int setting, size_t element, struct buf *out)
{
    buf_add_str(out, "CC_");
    for (const char *c = rows[setting].name; *c != '\0'; c++) {
        if (*c == '[') {
            buf_add_char(out, '_');
            buf_add_u64(out, element);
            c++; /* the ']' */
        } else {
            buf_add_char(out, variable_char(*c));
        }
    }
}

void settings_title(int setting, size_t element, struct buf *out)
{
    for (const char *c = rows[setting].name; *c != '\0'; c++) {
        buf_add_char(out, *c);
        if (*c == '[')
            buf_add_u64(out, element);
    }
}

/* Where the last part of a dotted name begins. */
static size_t last_part(struct slice name)
{
    size_t i = name.n;

    while (i > 0 && name.p[i - 1] != '.')
        i--;
    return i;
}

/* Collects what may stand after `section` (with its dot) in names of settings: "listenerPort",
 * "upstream". Copies stand in `room`, one a row. */
static size_t collect_siblings(struct slice section, char room[ROWS][SETTINGS_NAME_MAX],
                               const char *names[ROWS])
{
    size_t n = 0;

    for (int i = 0; i < ROWS; i++) {
        struct slice rest = slice_of(rows[i].name), part;
        struct buf b;

        if (!slice_starts(rest, section))
            continue;
        rest = slice_from(rest, section.n);
        slice_split(&rest, '.', &part);
        if (slice_ends(part, SLICE("[]")))
            part.n -= 2;
        buf_init_fixed(&b, room[n], SETTINGS_NAME_MAX);
        buf_add(&b, part);
        names[n] = room[n];
        n++;
    }
    return n;
}

/* A near name in the same section, else the same last word anywhere. */
bool settings_nearest(struct slice name, struct buf *out)
{
    char room[ROWS][SETTINGS_NAME_MAX] = {{0}};
    const char *names[ROWS];
    size_t cut = last_part(name), n = collect_siblings(slice_first(name, cut), room, names);
    struct slice last = slice_from(name, cut);
    const char *near = nearest_word(last, names, n);

    if (near != NULL) {
        buf_add(out, slice_first(name, cut));
        buf_add_str(out, near);
        return true;
    }
    for (int i = 0; i < ROWS; i++) {
        struct slice row = slice_of(rows[i].name);

        if (slice_eq_nocase(slice_from(row, last_part(row)), last)) {
            buf_add(out, row);
            return true;
        }
    }
    return false;
}

bool settings_nearest_variable(struct slice variable, struct buf *out)
{
    char room[ROWS][SETTINGS_NAME_MAX] = {{0}};
    const char *names[ROWS], *near;

    for (int i = 0; i < ROWS; i++) {
        struct buf b;

        buf_init_fixed(&b, room[i], SETTINGS_NAME_MAX);
        settings_variable(i, 0, &b);
        names[i] = room[i];
    }
    near = nearest_word(variable, names, ROWS);
    if (near != NULL)
        buf_add_str(out, near);
    return near != NULL;
}
