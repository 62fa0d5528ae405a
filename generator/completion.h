/* completion: what the shells need to complete cc-gen's command line, made from the table of
 * commands, the settings' table and the finding codes. Nothing is listed here a second time: which
 * values an option or an argument takes is read from its placeholder in the table ("FILE", "DIR",
 * "ALG", "bash|zsh|fish"). Pure. */
#pragma once

#include "generator/cli.h"

enum completion_kind {
    COMPLETION_NONE, /* free text */
    COMPLETION_FILES,
    COMPLETION_DIRS,
    COMPLETION_PROGRAMS,
    COMPLETION_SETTINGS, /* NAME=VALUE */
    COMPLETION_CHOICES
};

struct completion_value {
    enum completion_kind kind;
    struct slice choices; /* separated by blanks */
    struct slice name;    /* the placeholder */
};

enum { COMPLETION_MAX_WORDS = 8 };

/* What stands after the options of a command, place for place. */
struct completion_words {
    struct completion_value values[COMPLETION_MAX_WORDS];
    size_t n;
    bool repeats; /* the last one, any number of times */
};

/* "DIR", "PROJECT...", "a|b". In the arena; CC_ENOMEM. */
int completion_value(struct slice placeholder, struct arena *arena, struct completion_value *out);

/* Reads a synopsis: "METHOD URL [-H HEADER]... [-o DIR | PROJECT...]" has METHOD, URL, PROJECT. */
int completion_synopsis(struct slice synopsis, struct arena *arena, struct completion_words *out);

/* The choices of a setting's value: "true false"; empty when any text will do. In the arena. */
int completion_setting(const char *type, const char *limits, struct arena *arena,
                       struct slice *out);

/* Writes the script for `shell` ("bash", "zsh", "fish"). CC_ENOENT: no such shell; CC_ENOMEM,
 * CC_EFULL. */
int completion_write(const char *shell, struct arena *arena, struct buf *out);

/* Its parts. */
int completion_bash(struct arena *arena, struct buf *out);
int completion_zsh(struct arena *arena, struct buf *out);
int completion_fish(struct arena *arena, struct buf *out);
