#include "config/loader.h"

#include <stdio.h>

static const struct config_setting *row(int setting)
{
    size_t n;

    return &config_settings(&n)[setting];
}

static bool is_list(int setting)
{
    return setting_is_list(settings[setting].kind);
}

struct slice value_expected(struct loader *l, int setting)
{
    const struct config_setting *r = row(setting);

    switch (settings[setting].kind) {
    case KIND_BOOL:
        return SLICE("true or false");
    case KIND_WORD:
        return arena_printf(l->arena, "one of %s", r->limits);
    case KIND_WORDS:
        return arena_printf(l->arena, "a list of %s", r->limits);
    case KIND_TEXTS:
        return arena_printf(l->arena, "a list of text, %s", r->limits);
    case KIND_CLAIMS:
        return SLICE("a list of {remoteClaim: NAME, localClaim: NAME}, names without '='");
    case KIND_PROPERTIES:
        return SLICE("a mapping of names, without '=', to texts");
    case KIND_NUMBER: /* its type's name says it already */
        return arena_printf(l->arena, "a whole number, %s", r->limits);
    case KIND_PORT:
    case KIND_SECONDS:
    case KIND_MILLIS:
    case KIND_BYTES:
        return arena_printf(l->arena, "a whole number (%s), %s", r->type, r->limits);
    default:
        return arena_printf(l->arena, "%s, %s", r->type, r->limits);
    }
}

static void refuse(struct loader *l, int setting, size_t element, struct slice found,
                   enum diag_code code, struct place place)
{
    if (settings[setting].kind == KIND_SECRET)
        found = SLICE("(not shown)");
    diag_help(diag_error(l->diag, code, place, "%s is '%" PRIslice "', expected %" PRIslice,
                         loader_title(l, setting, element), SLICE_ARG(slice_first(found, 100)),
                         SLICE_ARG(value_expected(l, setting))),
              "%s", row(setting)->help);
}

/* Is `word` one of the words in "a, b, c"? */
static bool is_choice(struct slice word, const char *choices)
{
    struct slice rest = slice_of(choices), part;

    while (slice_split(&rest, ',', &part))
        if (slice_eq(slice_trim(part), word))
            return true;
    return false;
}

/* Host names, IPv4, IPv6 with or without brackets, *.name and *: what may follow is checked where
 * it is used; here only nothing strange gets in. */
static bool is_host(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            slice_find(SLICE(".-_:[]*"), s.p[i]) < 0)
            return false;
    return true;
}

/* RFC 9110 5.6.2: token. */
static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            slice_find(SLICE("!#$%&'*+-.^_`|~"), s.p[i]) < 0)
            return false;
    return true;
}

bool config_split_address(struct slice text, struct slice *host, uint64_t *port)
{
    size_t colon = text.n;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon <= 1)
        return false;
    *host = slice_first(text, colon - 1);
    if (!is_host(*host) || slice_to_u64(slice_from(text, colon), port) != CC_OK || *port < 1 ||
        *port > 65535)
        return false;
    if (host->n > 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
        *host = slice_make(host->p + 1, host->n - 2);
    return true;
}

static bool is_host_and_port(struct slice s)
{
    struct slice host;
    uint64_t port;

    return config_split_address(s, &host, &port);
}

/* REMOTE=LOCAL */
static bool is_mapping(struct slice s)
{
    ptrdiff_t at = slice_find(s, '=');

    return at > 0 && (size_t)at + 1 < s.n && slice_find(slice_from(s, (size_t)at + 1), '=') < 0;
}

/* Is a text that is short and long enough one that the kind takes? An empty one got so far because
 * it is allowed. */
static bool fits_kind(const struct setting *s, struct slice text)
{
    if (slice_has_control(text))
        return false;
    if (text.n == 0)
        return true;
    switch (s->kind) {
    case KIND_HOST:
        return is_host(text);
    case KIND_HEADER:
        return is_token(text);
    case KIND_SOCKET_PATH:
        return text.p[0] == '/';
    case KIND_SOCKET:
        return text.p[0] == '/' || is_host_and_port(text);
    case KIND_WORD:
    case KIND_WORDS:
        return is_choice(text, s->choices);
    case KIND_CLAIMS:
        return is_mapping(text);
    case KIND_PROPERTIES:
        return slice_find(text, '=') > 0;
    default:
        return true;
    }
}

/* Digits to the base; CC_EPARSE, CC_ERANGE. */
static int parse_number(const struct setting *s, struct slice text, uint64_t *out)
{
    uint64_t v = 0;

    if (s->kind != KIND_MODE)
        return slice_to_u64(text, out);
    if (text.n == 0 || text.n > 6)
        return CC_EPARSE;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '7')
            return CC_EPARSE;
        v = v << 3 | (uint64_t)(text.p[i] - '0');
    }
    *out = v;
    return CC_OK;
}

/* A value of a kind that is stored as bool or number; CC_EINVAL, with the finding's code. */
static int set_plain(const struct setting *s, void *member, struct slice text, enum diag_code *code)
{
    uint64_t v = 0;
    int rc;

    *code = CC3002;
    if (s->kind == KIND_BOOL) {
        if (doc_scalar_type(text) != DOC_BOOL)
            return CC_EINVAL;
        *(bool *)member = doc_scalar_true(text);
        return CC_OK;
    }
    rc = parse_number(s, text, &v);
    if (rc == CC_ERANGE || (rc == CC_EPARSE && doc_scalar_type(text) == DOC_INT) ||
        (rc == CC_OK && (v < s->min || v > s->max)))
        *code = CC3003;
    if (rc != CC_OK || *code == CC3003)
        return CC_EINVAL;
    *(uint64_t *)member = v;
    return CC_OK;
}

/* The text as the setting keeps it: a copy, paths absolute, header names lower case. p is NULL when
 * memory is short. */
static struct slice stored_text(struct loader *l, const struct setting *s, struct slice text)
{
    struct slice out;

    if (s->kind == KIND_PATH && text.n > 0 && text.p[0] != '/') {
        while (slice_starts(text, SLICE("./")))
            text = slice_from(text, 2);
        return arena_printf(l->arena, "%" PRIslice "/%" PRIslice, SLICE_ARG(l->directory),
                            SLICE_ARG(text));
    }
    if (s->kind != KIND_HEADER)
        return arena_dup(l->arena, text);
    out = arena_dup(l->arena, text);
    for (size_t i = 0; out.p != NULL && i < out.n; i++)
        ((char *)out.p)[i] = ascii_lower(out.p[i]); /* our own copy */
    return out;
}

static int set_texts(struct loader *l, const struct setting *s, void *object,
                     const struct slice *texts, size_t n)
{
    struct slice *copies = arena_array(l->arena, n, sizeof(*copies));

    if (copies == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        copies[i] = stored_text(l, s, texts[i]);
        if (copies[i].p == NULL)
            return CC_ENOMEM;
    }
    *(struct slice **)(void *)((char *)object + s->offset) = copies;
    *(size_t *)(void *)((char *)object + s->count_offset) = n;
    return CC_OK;
}

/* The first text that does not fit, or n. */
static size_t find_misfit(const struct setting *s, const struct slice *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (texts[i].n < s->min || texts[i].n > s->max || !fits_kind(s, texts[i]))
            return i;
    return n;
}

int value_set(struct loader *l, int setting, size_t element, const struct slice *texts, size_t n,
              struct origin origin)
{
    const struct setting *s = &settings[setting];
    void *object = loader_object(l->store, setting, element);
    void *member = (char *)object + s->offset;
    enum diag_code code;
    struct slice text;
    size_t misfit;

    *loader_origin(l->store, setting, element) = origin; /* also of a refused value */
    if (s->kind <= KIND_MODE) {
        if (set_plain(s, member, texts[0], &code) != CC_OK)
            refuse(l, setting, element, texts[0], code, origin.place);
        return CC_OK;
    }
    misfit = find_misfit(s, texts, n);
    if (misfit < n || (n == 0 && s->kind == KIND_WORDS)) {
        refuse(l, setting, element, misfit < n ? texts[misfit] : SLICE("[]"), CC3003, origin.place);
        return CC_OK;
    }
    if (is_list(setting))
        return set_texts(l, s, object, texts, n);
    text = stored_text(l, s, texts[0]);
    if (text.p == NULL)
        return CC_ENOMEM;
    *(struct slice *)member = text;
    return CC_OK;
}

int value_set_text(struct loader *l, int setting, size_t element, struct slice text,
                   struct origin origin)
{
    struct slice *texts, rest = text, part;
    size_t n = 0;

    if (!is_list(setting))
        return value_set(l, setting, element, &text, 1, origin);
    texts = arena_array(l->arena, text.n + 1, sizeof(*texts));
    if (texts == NULL)
        return CC_ENOMEM;
    while (slice_trim(text).n > 0 && slice_split(&rest, ',', &part))
        texts[n++] = slice_trim(part);
    return value_set(l, setting, element, texts, n, origin);
}

static struct slice without_quotes(struct slice text)
{
    return slice_starts(text, SLICE("\"")) ? slice_make(text.p + 1, text.n - 2) : text;
}

/* Defaults stand in the table as in cc.yaml; they are our own, so taking off the marks of a quoted
 * text or a list is enough. test_config_table proves it against the real reader. */
int value_set_default(struct loader *l, int setting, size_t element)
{
    struct slice def = slice_of(row(setting)->def), rest, part, *texts;
    struct origin origin = {FROM_DEFAULT, PLACE_NONE};
    size_t n = 0;

    if (!is_list(setting)) {
        if (slice_is(def, "\"\"") && settings[setting].min > 0)
            return CC_OK; /* has no default: empty until config_check() asks for it */
        return value_set_text(l, setting, element, without_quotes(def), origin);
    }
    texts = arena_array(l->arena, def.n, sizeof(*texts));
    if (texts == NULL)
        return CC_ENOMEM;
    rest = slice_make(def.p + 1, def.n - 2);
    while (rest.n > 0 && slice_split(&rest, ',', &part))
        texts[n++] = without_quotes(slice_trim(part));
    return value_set(l, setting, element, texts, n, origin);
}

/* Plain when YAML reads it back as the same text, else in double quotes. */
static void format_text(struct slice text, struct buf *out)
{
    bool plain = text.n > 0 && doc_scalar_type(text) == DOC_TEXT && text.p[0] != '-';

    for (size_t i = 0; i < text.n && plain; i++)
        plain = ascii_is_alpha(text.p[i]) || ascii_is_digit(text.p[i]) ||
                slice_find(SLICE("/._-"), text.p[i]) >= 0;
    if (plain)
        buf_add(out, text);
    else
        buf_add_json(out, text);
}

void value_format(const struct config_store *store, int setting, size_t element, struct buf *out)
{
    const struct setting *s = &settings[setting];
    const char *object = loader_object((struct config_store *)store, setting, element);
    const void *member = object + s->offset;

    if (s->kind == KIND_BOOL) {
        buf_add_str(out, *(const bool *)member ? "true" : "false");
    } else if (s->kind == KIND_MODE) {
        buf_printf(out, "\"%04llo\"", (unsigned long long)*(const uint64_t *)member);
    } else if (s->kind < KIND_MODE) {
        buf_add_u64(out, *(const uint64_t *)member);
    } else if (s->kind == KIND_SECRET && ((const struct slice *)member)->n > 0) {
        format_text(SLICE("(not shown)"), out);
    } else if (!is_list(setting)) {
        format_text(*(const struct slice *)member, out);
    } else {
        const struct slice *texts = *(struct slice *const *)member;
        size_t n = *(const size_t *)(const void *)(object + s->count_offset);

        buf_add_char(out, '[');
        for (size_t i = 0; i < n; i++) {
            buf_add_str(out, i > 0 ? ", " : "");
            if (s->kind == KIND_WORDS)
                buf_add(out, texts[i]); /* ours, and digits are read as text there */
            else
                format_text(texts[i], out);
        }
        buf_add_char(out, ']');
    }
}
