#include "generator/completion.h"

#include "config/config.h"
#include "crypto/jwt.h"
#include "gateway/gateway.h"

enum { CHOICES_MAX_BYTES = 64 << 10 };

/* The choices that a placeholder stands for. */
static void add_algorithms(struct buf *out)
{
#define X(name) buf_add_str(out, #name " ");
    JWT_ALGORITHMS(X)
#undef X
}

static void add_methods(struct buf *out)
{
#define X(name) buf_add_str(out, #name " ");
    GW_METHODS(X)
#undef X
}

static void add_key_types(struct buf *out)
{
    buf_add_str(out, "PRODUCTION SANDBOX ");
}

static void add_commands(struct buf *out)
{
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        buf_printf(out, "%s ", c->name);
}

static void add_codes(struct buf *out)
{
    for (int i = 0; i < DIAG_CODES; i++)
        buf_printf(out, "%s ", diag_code_name((enum diag_code)i));
}

static const struct placeholder {
    const char *name;
    enum completion_kind kind;
    void (*add)(struct buf *out);
} placeholders[] = {
    {"FILE", COMPLETION_FILES, NULL},
    {"DIR", COMPLETION_DIRS, NULL},
    {"SOCKET", COMPLETION_FILES, NULL},
    {"PROJECT", COMPLETION_FILES, NULL}, /* directories and zips */
    {"PROG", COMPLETION_PROGRAMS, NULL},
    {"NAME=VALUE", COMPLETION_SETTINGS, NULL},
    {"ALG", COMPLETION_CHOICES, add_algorithms},
    {"METHOD", COMPLETION_CHOICES, add_methods},
    {"TYPE", COMPLETION_CHOICES, add_key_types},
    {"COMMAND", COMPLETION_CHOICES, add_commands},
    {"CODE", COMPLETION_CHOICES, add_codes},
};

static const struct placeholder *find_placeholder(struct slice name)
{
    for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
        if (slice_is(name, placeholders[i].name))
            return &placeholders[i];
    return NULL;
}

/* A word that is meant as it stands: "bash", "settings". */
static bool is_literal(struct slice word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!(word.p[i] >= 'a' && word.p[i] <= 'z') && word.p[i] != '-')
            return false;
    return word.n > 0;
}

int completion_value(struct slice placeholder, struct arena *arena, struct completion_value *out)
{
    struct slice rest = placeholder, part;
    struct buf choices;
    int rc;

    *out = (struct completion_value){.kind = COMPLETION_NONE, .name = placeholder};
    buf_init(&choices, CHOICES_MAX_BYTES);
    while (slice_split(&rest, '|', &part)) {
        const struct placeholder *p;

        part = slice_trim(part);
        if (slice_ends(part, SLICE("...")))
            part.n -= 3;
        p = find_placeholder(part);
        if (p != NULL)
            out->kind = p->kind;
        if (p != NULL && p->add != NULL)
            p->add(&choices);
        else if (p == NULL && is_literal(part))
            buf_printf(&choices, "%" PRIslice " ", SLICE_ARG(part));
    }
    rc = buf_error(&choices);
    if (rc == CC_OK && choices.n > 0) {
        /* "FILE|-": files matter more than the dash */
        if (out->kind == COMPLETION_NONE)
            out->kind = COMPLETION_CHOICES;
        out->choices = arena_dup(arena, slice_make(choices.p, choices.n - 1));
        rc = out->choices.p != NULL ? CC_OK : CC_ENOMEM;
    }
    buf_free(&choices);
    return rc;
}

/* Cuts the first word off a synopsis: up to a blank, or a whole [group]. */
static bool next_word(struct slice *rest, struct slice *word)
{
    size_t end = 0;

    *rest = slice_trim(*rest);
    if (rest->n == 0)
        return false;
    if (rest->p[0] == '[')
        while (end < rest->n && rest->p[end] != ']')
            end++;
    while (end < rest->n && rest->p[end] != ' ')
        end++;
    *word = slice_first(*rest, end);
    *rest = slice_from(*rest, end);
    return true;
}

/* "[-o DIR | PROJECT...]" -> "PROJECT..."; "[-H HEADER]..." and "[options]" -> nothing. */
static struct slice argument_of(struct slice word)
{
    ptrdiff_t end = slice_find(word, ']'), bar;

    if (word.n == 0 || word.p[0] != '[' || end < 0)
        return word;
    word = slice_trim(slice_make(word.p + 1, (size_t)end - 1));
    if (slice_is(word, "options"))
        return SLICE("");
    if (!slice_starts(word, SLICE("-")))
        return word;
    bar = slice_find(word, '|');
    word = bar < 0 ? SLICE("") : slice_trim(slice_from(word, (size_t)bar + 1));
    /* the "-" of "[--oas FILE|-]" is a value of the option */
    return slice_is(word, "-") ? SLICE("") : word;
}

int completion_synopsis(struct slice synopsis, struct arena *arena, struct completion_words *out)
{
    struct slice rest = synopsis, word;
    int rc = CC_OK;

    *out = (struct completion_words){0};
    while (rc == CC_OK && next_word(&rest, &word)) {
        struct slice argument = argument_of(word);

        if (argument.n == 0 || argument.p[0] == '-' || out->n == COMPLETION_MAX_WORDS)
            continue;
        out->repeats = slice_contains(argument, SLICE("..."));
        rc = completion_value(argument, arena, &out->values[out->n++]);
    }
    return rc;
}

int completion_setting(const char *type, const char *limits, struct arena *arena, struct slice *out)
{
    char *text;
    size_t kept = 0;

    *out = SLICE("");
    if (strcmp(type, "true or false") == 0)
        *out = SLICE("true false");
    if (strcmp(type, "word") != 0 && strcmp(type, "list of words") != 0)
        return CC_OK;
    text = arena_alloc(arena, strlen(limits) + 1);
    if (text == NULL)
        return CC_ENOMEM;
    for (const char *p = limits; *p != '\0'; p++) /* "error, warn, info" */
        if (*p != ',')
            text[kept++] = *p;
    *out = slice_make(text, kept);
    return CC_OK;
}

int completion_write(const char *shell, struct arena *arena, struct buf *out)
{
    static const struct {
        const char *shell;
        int (*write)(struct arena *arena, struct buf *out);
    } writers[] = {
        {"bash", completion_bash},
        {"zsh", completion_zsh},
        {"fish", completion_fish},
    };

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
        if (strcmp(shell, writers[i].shell) == 0)
            return writers[i].write(arena, out);
    return CC_ENOENT;
}
