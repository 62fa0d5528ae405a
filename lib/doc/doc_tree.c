#include "doc/doc_impl.h"

enum { POINTER_PART_MAX = 4096 };

const char *doc_type_name(enum doc_type type)
{
    static const char *const names[] = {
        [DOC_NULL] = "null",     [DOC_BOOL] = "true or false", [DOC_INT] = "a whole number",
        [DOC_REAL] = "a number", [DOC_TEXT] = "text",          [DOC_LIST] = "a list",
        [DOC_MAP] = "a mapping",
    };

    return names[type];
}

struct place doc_place(const struct doc *doc, const struct doc_node *node)
{
    if (node == NULL)
        return place_file(&doc->source);
    return (struct place){&doc->source, node->line, node->col};
}

static const struct doc_node *find_sorted(const struct doc_node *map, struct slice key)
{
    size_t low = 0, high = map->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct doc_entry *e = &map->entries[map->by_key[mid]];
        int d = slice_cmp(key, e->key->text);

        if (d == 0)
            return e->value;
        if (d < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static const struct doc_node *find_key(const struct doc_node *map, struct slice key)
{
    if (map == NULL || map->type != DOC_MAP)
        return NULL;
    if (map->by_key != NULL)
        return find_sorted(map, key);
    for (size_t i = 0; i < map->n; i++)
        if (slice_eq(map->entries[i].key->text, key))
            return map->entries[i].value;
    return NULL;
}

const struct doc_node *doc_get(const struct doc_node *map, const char *key)
{
    return find_key(map, slice_of(key));
}

const struct doc_node *doc_get_nocase(const struct doc_node *map, const char *key)
{
    if (map == NULL || map->type != DOC_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (slice_eq_nocase(map->entries[i].key->text, slice_of(key)))
            return map->entries[i].value;
    return NULL;
}

const struct doc_node *doc_path(const struct doc_node *map, const char *dotted)
{
    struct slice rest = slice_of(dotted), part;

    while (map != NULL && slice_split(&rest, '.', &part))
        map = find_key(map, part);
    return map;
}

/* RFC 6901 section 6: first the fragment's %XX, then ~1 and ~0. Writes into out; false when the
 * part is malformed or too long. */
static bool decode_part(struct slice part, char out[POINTER_PART_MAX], struct slice *decoded)
{
    size_t n = 0, end = 0;

    if (part.n > POINTER_PART_MAX)
        return false;
    for (size_t i = 0; i < part.n; i++) {
        char c = part.p[i];

        if (c == '%') {
            int high = i + 2 < part.n ? ascii_hex_value(part.p[i + 1]) : -1;
            int low = high >= 0 ? ascii_hex_value(part.p[i + 2]) : -1;

            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        out[n++] = c;
    }
    for (size_t i = 0; i < n; i++) {
        char c = out[i];

        if (c == '~') {
            if (i + 1 == n || (out[i + 1] != '0' && out[i + 1] != '1'))
                return false;
            c = out[++i] == '0' ? '~' : '/';
        }
        out[end++] = c;
    }
    *decoded = slice_make(out, end);
    return true;
}

const struct doc_node *doc_pointer(const struct doc *doc, struct slice pointer)
{
    const struct doc_node *node = doc->root;
    char room[POINTER_PART_MAX];
    struct slice part, key;

    if (slice_is(pointer, "#"))
        return node;
    if (!slice_starts(pointer, SLICE("#/")))
        return NULL;
    pointer = slice_from(pointer, 2);
    while (node != NULL && slice_split(&pointer, '/', &part)) {
        uint64_t index;

        if (!decode_part(part, room, &key))
            return NULL;
        if (node->type != DOC_LIST)
            node = find_key(node, key);
        else if (slice_to_u64(key, &index) == CC_OK && index < node->n)
            node = node->entries[index].value;
        else
            node = NULL;
    }
    return node;
}

/* The finding of all typed readers: "data.version is a list, expected text". */
static struct diag_item *wrong_type(const struct doc *doc, const struct doc_node *node,
                                    const char *what, const char *expected, struct diag *diag)
{
    return diag_error(diag, CC1201, doc_place(doc, node), "%s is %s, expected %s", what,
                      node->type == DOC_NULL ? "empty (null)" : doc_type_name(node->type),
                      expected);
}

int doc_text(const struct doc *doc, const struct doc_node *node, const char *what,
             struct diag *diag, struct slice *out)
{
    struct diag_item *item;

    if (node == NULL)
        return CC_ENOENT;
    if (node->type == DOC_TEXT || node->type == DOC_INT || node->type == DOC_REAL) {
        *out = node->text;
        return CC_OK;
    }
    item = wrong_type(doc, node, what, "text", diag);
    if (node->type == DOC_BOOL || (node->type == DOC_NULL && node->text.n > 0))
        diag_help(item, "write it in quotes to mean the text: \"%" PRIslice "\"",
                  SLICE_ARG(node->text));
    return CC_EINVAL;
}

int doc_bool(const struct doc *doc, const struct doc_node *node, const char *what,
             struct diag *diag, bool *out)
{
    struct diag_item *item;

    if (node == NULL)
        return CC_ENOENT;
    if (node->type == DOC_BOOL) {
        *out = doc_scalar_true(node->text);
        return CC_OK;
    }
    item = wrong_type(doc, node, what, "true or false", diag);
    if (node->quoted && doc_scalar_type(node->text) == DOC_BOOL)
        diag_help(item, "remove the quotes");
    return CC_EINVAL;
}

int doc_u64(const struct doc *doc, const struct doc_node *node, const char *what, uint64_t min,
            uint64_t max, struct diag *diag, uint64_t *out)
{
    struct diag_item *item;
    uint64_t v;
    int rc;

    if (node == NULL)
        return CC_ENOENT;
    if (node->type != DOC_INT) {
        item = wrong_type(doc, node, what, "a whole number", diag);
        if (node->quoted && doc_scalar_type(node->text) == DOC_INT)
            diag_help(item, "remove the quotes");
        return CC_EINVAL;
    }
    rc = slice_to_u64(node->text, &v);
    if (rc == CC_OK && v >= min && v <= max) {
        *out = v;
        return CC_OK;
    }
    item = diag_error(diag, CC1203, doc_place(doc, node),
                      "%s is %" PRIslice ", expected a number from %llu to %llu", what,
                      SLICE_ARG(node->text), (unsigned long long)min, (unsigned long long)max);
    if (rc == CC_EPARSE)
        diag_help(item, "write it in decimal digits, without leading zeros");
    return CC_EINVAL;
}

static bool is_container(const struct doc *doc, const struct doc_node *node, const char *what,
                         enum doc_type type, struct diag *diag)
{
    if (node == NULL)
        return false;
    if (node->type != type)
        wrong_type(doc, node, what, doc_type_name(type), diag);
    return node->type == type;
}

bool doc_is_list(const struct doc *doc, const struct doc_node *node, const char *what,
                 struct diag *diag)
{
    return is_container(doc, node, what, DOC_LIST, diag);
}

bool doc_is_map(const struct doc *doc, const struct doc_node *node, const char *what,
                struct diag *diag)
{
    return is_container(doc, node, what, DOC_MAP, diag);
}
