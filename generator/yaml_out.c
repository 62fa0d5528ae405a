#include "generator/yaml_out.h"

#include <stdlib.h>
#include <yaml.h>

struct yaml_out {
    yaml_emitter_t emitter;
    struct buf *out;
    int rc;
};

static int write_bytes(void *data, unsigned char *bytes, size_t n)
{
    struct yaml_out *y = data;

    buf_add(y->out, slice_make(bytes, n));
    return buf_error(y->out) == CC_OK;
}

/* Gives the event to the emitter, which frees it in any case. */
static void emit(struct yaml_out *y, yaml_event_t *event, int made)
{
    if (y->rc == CC_OK && !made)
        y->rc = CC_ENOMEM;
    if (y->rc != CC_OK) {
        if (made)
            yaml_event_delete(event);
        return;
    }
    if (!yaml_emitter_emit(&y->emitter, event))
        y->rc = y->emitter.error == YAML_MEMORY_ERROR   ? CC_ENOMEM
                : y->emitter.error == YAML_WRITER_ERROR ? CC_EFULL
                                                        : CC_EINVAL;
}

struct yaml_out *yaml_out_new(struct buf *out)
{
    struct yaml_out *y = calloc(1, sizeof(*y));
    yaml_event_t event;

    if (y == NULL)
        return NULL;
    if (!yaml_emitter_initialize(&y->emitter)) {
        free(y);
        return NULL;
    }
    y->out = out;
    yaml_emitter_set_output(&y->emitter, write_bytes, y);
    yaml_emitter_set_unicode(&y->emitter, 1);
    yaml_emitter_set_indent(&y->emitter, 2);
    yaml_emitter_set_width(&y->emitter, -1); /* texts are not folded */
    emit(y, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(y, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    return y;
}

int yaml_out_close(struct yaml_out **yp)
{
    struct yaml_out *y = *yp;
    yaml_event_t event;
    int rc;

    emit(y, &event, yaml_document_end_event_initialize(&event, 1));
    emit(y, &event, yaml_stream_end_event_initialize(&event));
    rc = y->rc;
    yaml_emitter_delete(&y->emitter);
    free(y);
    *yp = NULL;
    return rc;
}

void yaml_out_map(struct yaml_out *y)
{
    yaml_event_t event;

    emit(y, &event,
         yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
}

void yaml_out_map_end(struct yaml_out *y)
{
    yaml_event_t event;

    emit(y, &event, yaml_mapping_end_event_initialize(&event));
}

void yaml_out_list(struct yaml_out *y)
{
    yaml_event_t event;

    emit(y, &event,
         yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
}

void yaml_out_list_end(struct yaml_out *y)
{
    yaml_event_t event;

    emit(y, &event, yaml_sequence_end_event_initialize(&event));
}

static void scalar(struct yaml_out *y, struct slice text, bool plain)
{
    yaml_event_t event;

    if (y->rc == CC_OK && text.n > INT32_MAX)
        y->rc = CC_EFULL;
    if (y->rc == CC_OK && utf8_valid_prefix(text) != text.n)
        y->rc = CC_EINVAL;
    if (y->rc != CC_OK)
        return;
    emit(y, &event,
         yaml_scalar_event_initialize(
             &event, NULL, NULL, (const unsigned char *)(text.p != NULL ? text.p : ""), (int)text.n,
             plain, 1, plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE));
}

/* "1.0.0": digits and at least two points, which no reader takes for a number or a date. */
static bool is_version(struct slice s)
{
    size_t points = 0;

    for (size_t i = 0; i < s.n; i++) {
        points += s.p[i] == '.';
        if (s.p[i] != '.' && !ascii_is_digit(s.p[i]))
            return false;
    }
    return s.n > 0 && ascii_is_digit(s.p[0]) && points >= 2;
}

/* Can it stand without quotes, for every reader? YAML 1.1 (type/bool) also takes y and n. */
static bool is_plain(struct slice s)
{
    bool url = slice_contains(s, SLICE("://"));

    if (s.n == 0 || s.n > 200 || (s.n == 1 && strchr("yYnN", s.p[0]) != NULL))
        return false;
    if (is_version(s))
        return true;
    if (!ascii_is_alpha(s.p[0]) && s.p[0] != '/')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == ' ' && i + 1 < s.n && ascii_is_alpha(s.p[i + 1]))
            continue;
        if (c == ':' && i + 1 < s.n && (s.p[i + 1] == '/' || (url && ascii_is_digit(s.p[i + 1]))))
            continue; /* http://host:80 */
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && strchr("/._-", c) == NULL)
            return false;
    }
    return doc_scalar_type(s) == DOC_TEXT;
}

void yaml_out_text(struct yaml_out *y, struct slice text)
{
    scalar(y, text, is_plain(text));
}

void yaml_out_key(struct yaml_out *y, const char *key)
{
    yaml_out_text(y, slice_of(key));
}

void yaml_out_member(struct yaml_out *y, const char *key, struct slice text)
{
    yaml_out_key(y, key);
    yaml_out_text(y, text);
}

void yaml_out_bool(struct yaml_out *y, bool value)
{
    scalar(y, value ? SLICE("true") : SLICE("false"), true);
}

static void unquoted(struct yaml_out *y, const struct doc_node *node)
{
    if (node->type == DOC_NULL)
        scalar(y, SLICE("null"), true);
    else if (node->type == DOC_TEXT)
        yaml_out_text(y, node->text);
    else
        scalar(y, node->text, true); /* a number or a boolean, as it was written */
}

void yaml_out_node(struct yaml_out *y, const struct doc_node *node)
{
    switch (node->type) {
    case DOC_MAP:
        yaml_out_map(y);
        for (size_t i = 0; i < node->n && y->rc == CC_OK; i++) {
            yaml_out_node(y, node->entries[i].key);
            yaml_out_node(y, node->entries[i].value);
        }
        yaml_out_map_end(y);
        break;
    case DOC_LIST:
        yaml_out_list(y);
        for (size_t i = 0; i < node->n && y->rc == CC_OK; i++)
            yaml_out_node(y, node->entries[i].value);
        yaml_out_list_end(y);
        break;
    default:
        if (node->quoted)
            yaml_out_text(y, node->text);
        else
            unquoted(y, node);
    }
}
