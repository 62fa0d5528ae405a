#include "doc/doc_impl.h"

#include <stdlib.h>

enum { NODES_AT_ONCE = 1024, TEXT_AT_ONCE = 64 << 10, VALUES_MIN = 256 };

/* A container that is being read. */
struct frame {
    struct doc_node *node;
    size_t first;      /* its children begin here in reader.values */
    uint64_t expanded; /* nodes in it so far, aliases followed, itself included */
    unsigned height;   /* of its highest child */
    size_t anchor;     /* index of its anchor + 1, or 0 */
};

/* Nodes whose container is still open stand on one stack (`values`); when the container ends they
 * move to the arena as its entries, so that the arena gets arrays of the final size only. */
struct reader {
    yaml_parser_t parser;
    struct doc *doc;
    struct arena *arena;
    struct diag *diag;
    struct doc_input input;
    struct doc_anchors anchors;
    const struct doc_node **values;
    size_t n_values, cap_values;
    struct frame frames[DOC_MAX_DEPTH];
    size_t depth;
    struct doc_node *spare_nodes; /* small things come from larger pieces of the arena */
    size_t n_spare_nodes;
    char *spare_text;
    size_t n_spare_text;
    bool has_document;
};

static struct place mark_place(const struct reader *r, yaml_mark_t mark)
{
    return doc_input_place(&r->input, r->doc, mark);
}

static int refuse_size(struct reader *r, struct place place, const char *what)
{
    diag_error(r->diag, CC1004, place, "%s", what);
    return CC_EPARSE;
}

static struct doc_node *new_node(struct reader *r, enum doc_type type, yaml_mark_t mark)
{
    struct place place = mark_place(r, mark);
    struct doc_node *node;

    if (r->n_spare_nodes == 0) {
        size_t n = r->input.text.n / 16 + 4; /* about what a text of this length needs */

        n = n < NODES_AT_ONCE ? n : NODES_AT_ONCE;
        r->spare_nodes = arena_array(r->arena, n, sizeof(*node));
        if (r->spare_nodes == NULL)
            return NULL;
        r->n_spare_nodes = n;
    }
    r->n_spare_nodes--;
    node = r->spare_nodes++;
    node->type = type;
    node->line = place.line;
    node->col = place.col;
    return node;
}

/* A NUL-terminated copy of s; p is NULL when the arena is full. */
static struct slice new_text(struct reader *r, struct slice s)
{
    char *p;

    if (s.n >= TEXT_AT_ONCE / 16)
        return arena_dup(r->arena, s);
    if (s.n >= r->n_spare_text) {
        size_t n = r->input.text.n + 16 < TEXT_AT_ONCE ? r->input.text.n + 16 : TEXT_AT_ONCE;

        n = n > s.n ? n : s.n + 1;
        r->spare_text = arena_alloc(r->arena, n);
        if (r->spare_text == NULL) {
            r->n_spare_text = 0;
            return SLICE_NONE;
        }
        r->n_spare_text = n;
    }
    p = r->spare_text;
    memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    r->spare_text += s.n + 1;
    r->n_spare_text -= s.n + 1;
    return slice_make(p, s.n);
}

static int grow_values(struct reader *r)
{
    size_t cap = r->cap_values == 0 ? VALUES_MIN : r->cap_values * 2;
    const struct doc_node **values = reallocarray(r->values, cap, sizeof(*values));

    if (values == NULL)
        return CC_ENOMEM;
    r->values = values;
    r->cap_values = cap;
    return CC_OK;
}

static int push_value(struct reader *r, const struct doc_node *node)
{
    if (r->n_values == r->cap_values && grow_values(r) != CC_OK)
        return CC_ENOMEM;
    r->values[r->n_values++] = node;
    return CC_OK;
}

/* Puts a finished node where it belongs: into the innermost open container, or at the root.
 * `place` is where it stands now, which is not where the node of an alias was defined. */
static int attach(struct reader *r, const struct doc_node *node, uint64_t expanded, unsigned height,
                  struct place place)
{
    struct frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;

    if (r->depth + height > DOC_MAX_DEPTH)
        return refuse_size(r, place, "nested too deeply, more than 256 levels");
    if (f == NULL) {
        r->doc->root = node;
        return CC_OK;
    }
    f->expanded += expanded;
    f->height = height > f->height ? height : f->height;
    if (f->expanded > DOC_MAX_NODES)
        return refuse_size(r, place, "too many values, more than 8000000 with aliases followed");
    if (f->node->type == DOC_MAP && (r->n_values - f->first) % 2 == 0 && height > 0)
        diag_help(
            diag_error(r->diag, CC1002, place, "%s cannot be a key", doc_type_name(node->type)),
            "put text that begins with '{' or '[' in quotes");
    return push_value(r, node);
}

static int define_anchor(struct reader *r, const yaml_char_t *name, size_t *index)
{
    struct slice copy;

    if (name == NULL)
        return CC_OK;
    copy = new_text(r, slice_of((const char *)name));
    return copy.p == NULL ? CC_ENOMEM : doc_anchors_add(&r->anchors, copy, index);
}

static bool tag_is(const yaml_char_t *tag, const char *name)
{
    return strcmp((const char *)tag, name) == 0;
}

static int refuse_tag(struct reader *r, const yaml_event_t *event, const yaml_char_t *tag)
{
    diag_help(diag_error(r->diag, CC1002, mark_place(r, event->start_mark),
                         "the tag %s is not supported here", (const char *)tag),
              "remove the tag, or put text that begins with '!' in quotes");
    return CC_EPARSE;
}

/* The type of a scalar with a tag: !!str and ! make text of anything; the others of YAML's core
 * must be what the text says without them. */
static int tagged_type(struct reader *r, const yaml_event_t *event, struct doc_node *node)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    enum doc_type found = doc_scalar_type(node->text);
    bool fits = (tag_is(tag, YAML_NULL_TAG) && found == DOC_NULL) ||
                (tag_is(tag, YAML_BOOL_TAG) && found == DOC_BOOL) ||
                (tag_is(tag, YAML_INT_TAG) && found == DOC_INT) ||
                (tag_is(tag, YAML_FLOAT_TAG) && (found == DOC_REAL || found == DOC_INT));

    if (tag_is(tag, YAML_STR_TAG) || tag_is(tag, "!")) {
        node->quoted = true;
        node->type = DOC_TEXT;
        return CC_OK;
    }
    if (!fits)
        return refuse_tag(r, event, tag);
    node->type = tag_is(tag, YAML_FLOAT_TAG) ? DOC_REAL : found;
    return CC_OK;
}

static int on_scalar(struct reader *r, const yaml_event_t *event)
{
    struct doc_node *node = new_node(r, DOC_TEXT, event->start_mark);
    size_t anchor = 0;
    int rc = CC_OK;

    if (node == NULL)
        return CC_ENOMEM;
    node->text = new_text(r, slice_make(event->data.scalar.value, event->data.scalar.length));
    if (node->text.p == NULL)
        return CC_ENOMEM;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.tag != NULL)
        rc = tagged_type(r, event, node);
    else if (!node->quoted)
        node->type = doc_scalar_type(node->text);
    if (rc == CC_OK && event->data.scalar.anchor != NULL) {
        rc = define_anchor(r, event->data.scalar.anchor, &anchor);
        if (rc == CC_OK) {
            r->anchors.list[anchor].node = node;
            r->anchors.list[anchor].expanded = 1;
        }
    }
    return rc == CC_OK ? attach(r, node, 1, 0, doc_place(r->doc, node)) : rc;
}

static int on_alias(struct reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct doc_anchor *anchor = doc_anchors_find(&r->anchors, slice_of(name));
    struct place place = mark_place(r, event->start_mark);

    if (anchor == NULL) {
        diag_help(
            diag_error(r->diag, CC1002, place, "no anchor &%s stands before this alias", name),
            "put text that begins with '*' in quotes");
        return CC_EPARSE;
    }
    if (anchor->node == NULL) {
        diag_error(r->diag, CC1002, place, "the alias *%s stands inside of what it refers to",
                   name);
        return CC_EPARSE;
    }
    return attach(r, anchor->node, anchor->expanded, anchor->height, place);
}

static int on_start(struct reader *r, const yaml_event_t *event)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *name =
        is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag =
        is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    struct frame *f = &r->frames[r->depth];
    size_t anchor = 0;
    int rc;

    if (tag != NULL && !tag_is(tag, is_map ? YAML_MAP_TAG : YAML_SEQ_TAG) && !tag_is(tag, "!"))
        return refuse_tag(r, event, tag);
    if (r->depth == DOC_MAX_DEPTH)
        return refuse_size(r, mark_place(r, event->start_mark),
                           "nested too deeply, more than 256 levels");
    rc = define_anchor(r, name, &anchor);
    if (rc != CC_OK)
        return rc;
    *f = (struct frame){new_node(r, is_map ? DOC_MAP : DOC_LIST, event->start_mark), r->n_values, 1,
                        0, name != NULL ? anchor + 1 : 0};
    if (f->node == NULL)
        return CC_ENOMEM;
    r->depth++;
    return CC_OK;
}

static int fill_list(struct reader *r, const struct frame *f)
{
    size_t n = r->n_values - f->first;
    struct doc_entry *entries = arena_array(r->arena, n, sizeof(*entries));

    if (entries == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++)
        entries[i].value = r->values[f->first + i];
    f->node->entries = entries;
    f->node->n = n;
    return CC_OK;
}

static int on_end(struct reader *r)
{
    struct frame *f = &r->frames[r->depth - 1];
    int rc;

    if (f->node->type == DOC_LIST)
        rc = fill_list(r, f);
    else
        rc = doc_map_fill(f->node, r->values + f->first, (r->n_values - f->first) / 2, r->doc,
                          r->arena, r->diag);
    if (rc != CC_OK)
        return rc;
    if (f->anchor > 0) {
        struct doc_anchor *anchor = &r->anchors.list[f->anchor - 1];

        anchor->node = f->node;
        anchor->expanded = f->expanded;
        anchor->height = f->height + 1;
    }
    r->n_values = f->first;
    r->depth--;
    return attach(r, f->node, f->expanded, f->height + 1, doc_place(r->doc, f->node));
}

static int on_document(struct reader *r, const yaml_event_t *event)
{
    if (r->has_document) {
        diag_help(diag_error(r->diag, CC1002, mark_place(r, event->start_mark),
                             "a second document begins here"),
                  "one file holds one document; remove the line `---` or split the file");
        return CC_EPARSE;
    }
    r->has_document = true;
    return CC_OK;
}

static int on_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_start(r, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(r);
    default: /* stream start and end, document end: nothing to do */
        return CC_OK;
    }
}

static int add_empty_root(struct reader *r)
{
    struct doc_node *root = new_node(r, DOC_NULL, (yaml_mark_t){0, 0, 0});

    if (root == NULL)
        return CC_ENOMEM;
    root->text = SLICE("");
    r->doc->root = root;
    return CC_OK;
}

static int read_events(struct reader *r)
{
    bool at_end = false;
    int rc = CC_OK;

    while (rc == CC_OK && !at_end) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r->parser, &event))
            return doc_fault(&r->parser, &r->input, r->doc, r->diag);
        at_end = event.type == YAML_STREAM_END_EVENT;
        rc = on_event(r, &event);
        yaml_event_delete(&event);
    }
    if (rc == CC_OK && r->doc->root == NULL) /* nothing but white space and comments */
        rc = add_empty_root(r);
    return rc;
}

static int run_reader(struct reader *r)
{
    int rc = doc_input_init(&r->input, r->doc, r->diag);

    if (rc != CC_OK)
        return rc;
    if (grow_values(r) != CC_OK || !yaml_parser_initialize(&r->parser))
        return CC_ENOMEM;
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->input.text.p,
                                 r->input.text.n);
    rc = read_events(r);
    yaml_parser_delete(&r->parser);
    return rc;
}

int doc_read(struct doc **out, struct slice text, const char *name, struct arena *arena,
             struct diag *diag)
{
    size_t errors_before = diag_errors(diag);
    struct reader *r = calloc(1, sizeof(*r));
    struct slice name_copy = arena_dup(arena, slice_of(name));
    int rc = CC_ENOMEM;

    if (r == NULL || name_copy.p == NULL)
        goto out;
    r->doc = arena_alloc(arena, sizeof(*r->doc));
    if (r->doc == NULL)
        goto out;
    r->doc->source = (struct source){
        .name = name_copy.p, .text = slice_make(text.p != NULL ? text.p : "", text.n)};
    r->arena = arena;
    r->diag = diag;
    rc = run_reader(r);
    if (rc == CC_ENOMEM)
        diag_error(diag, CC1004, place_file(&r->doc->source),
                   "reading it takes more memory than there is");
    if (rc == CC_OK && diag_errors(diag) > errors_before)
        rc = CC_EPARSE;
    if (rc == CC_OK)
        *out = r->doc;
out:
    if (r != NULL) {
        doc_input_free(&r->input);
        doc_anchors_free(&r->anchors);
        free(r->values);
        free(r);
    }
    return rc;
}

int doc_read_file(struct doc **out, const char *path, const char *name, struct arena *arena,
                  struct diag *diag)
{
    struct slice text;
    int rc = file_read(arena, path, DOC_MAX_BYTES, &text);
    struct slice copy = arena_dup(arena, slice_of(name != NULL ? name : path));
    struct source *source = arena_alloc(arena, sizeof(*source));

    if (copy.p == NULL || source == NULL)
        return CC_ENOMEM;
    if (rc == CC_OK)
        return doc_read(out, text, copy.p, arena, diag);
    source->name = copy.p;
    diag_error(diag, rc == CC_ETOOBIG ? CC1004 : CC1001, place_file(source), "%s",
               rc == CC_EINVAL ? "not a regular file" : cc_strerror(rc));
    return rc;
}
