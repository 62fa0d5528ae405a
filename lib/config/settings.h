/* settings: the table of settings in its working form (inside of config only).
 *
 *   settings.def, settings.c   the rows, and finding them by name and by environment variable
 *   value.c         texts -> one setting, and back      config_file.c   cc.yaml
 *   config_env.c    environment and overrides           config_check.c  rules between settings
 *   config.c        the order of all that, lists, origins                                      */
#pragma once

#include "config/config.h"

enum setting_kind {
    KIND_BOOL,
    KIND_NUMBER,
    KIND_PORT,
    KIND_SECONDS,
    KIND_MILLIS,
    KIND_BYTES,
    KIND_MODE, /* permissions, octal */
    KIND_TEXT,
    KIND_SECRET,      /* text that is never shown */
    KIND_HOST,        /* name, address or pattern of a host */
    KIND_HEADER,      /* RFC 9110 5.1 field name, made lower case */
    KIND_PATH,        /* made absolute */
    KIND_SOCKET_PATH, /* must be absolute as it stands: two programs have to mean the same */
    KIND_SOCKET,      /* the same, or host:port */
    KIND_WORD,        /* one of choices */
    KIND_TEXTS,       /* list of text */
    KIND_WORDS,       /* list of choices, not empty */
    KIND_CLAIMS,      /* list of "remote=local", or of {remoteClaim, localClaim} */
    KIND_PROPERTIES,  /* list of "name=text", or a mapping */
};

enum setting_list { LIST_NONE, LIST_VHOSTS, LIST_ISSUERS, LIST_KEY_PAIRS, LIST_FILTERS, LIST_USERS, LISTS };

/* What a public row (struct config_setting, same index) does not say. */
struct setting {
    enum setting_kind kind;
    enum setting_list list; /* whose element has the member; LIST_NONE: struct config has it */
    size_t offset;          /* of the member */
    size_t count_offset;    /* KIND_TEXTS, KIND_WORDS: of the number */
    uint64_t min, max;      /* of the value, or of the length of a text */
    const char *choices;    /* "a, b, c" */
};

static inline bool setting_is_list(enum setting_kind kind)
{
    return kind >= KIND_TEXTS;
}

/* A list whose elements are structs. */
struct setting_list_row {
    const char *name;                  /* "adapter.vhostMapping" */
    size_t items_offset, count_offset; /* in struct config */
    size_t size;                       /* of an element */
};

enum {
    SETTINGS_MAX_ELEMENTS = 64, /* of one list */
    SETTINGS_NAME_MAX = 128,
    SETTINGS_NONE = -1
};

extern const struct setting settings[];
extern const struct setting_list_row setting_lists[LISTS];

/* A key of the reference that is no setting here. */
struct setting_absent {
    const char *name, *why;
};

/* Index of the setting called `name`, in which "[]" of an element's setting stands for a number
 * that goes to *element ("a.b[2].c"). SETTINGS_NONE when there is none. */
int settings_find(struct slice name, size_t *element);
/* The same by environment variable: "CC_A_B_2_C". */
int settings_find_variable(struct slice variable, size_t *element);
/* The same by the name as it stands in the table, with "[]". */
int settings_find_row(struct slice name);

/* The list called so, or LIST_NONE. */
enum setting_list settings_find_list(struct slice name);
/* Do names of settings begin with `name` and a dot? */
bool settings_is_section(struct slice name);

/* The row for `name` or for a section above it; NULL when it was never a key of the reference. */
const struct setting_absent *settings_find_absent(struct slice name);
const struct setting_absent *settings_find_absent_variable(struct slice variable);

/* Writes "CC_A_B_0_C" for the setting, or its name with the number in place of "[]". */
void settings_variable(int setting, size_t element, struct buf *out);
void settings_title(int setting, size_t element, struct buf *out);

/* The name that someone who wrote `name` may have meant, in out; false when nothing is near. */
bool settings_nearest(struct slice name, struct buf *out);
bool settings_nearest_variable(struct slice variable, struct buf *out);
