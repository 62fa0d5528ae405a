#include "config/loader.h"

/* cc.yaml while it is walked. */
struct walk {
    struct loader *l;
    const struct doc *doc;
};

static struct place place_of(const struct walk *w, const struct doc_node *node)
{
    return doc_place(w->doc, node);
}

static void report_unknown(struct walk *w, const struct doc_node *key, struct slice name)
{
    const struct setting_absent *absent = settings_find_absent(name);
    char room[SETTINGS_NAME_MAX * 2];
    struct diag_item *item;
    struct buf near;

    if (absent != NULL) {
        diag_help(diag_error(w->l->diag, CC3001, place_of(w, key),
                             "this version does not have the setting %" PRIslice, SLICE_ARG(name)),
                  "%s; remove it", absent->why);
        return;
    }
    item = diag_error(w->l->diag, CC3001, place_of(w, key), "there is no setting %" PRIslice,
                      SLICE_ARG(name));
    buf_init_fixed(&near, room, sizeof(room));
    if (slice_find(key->text, '.') >= 0)
        diag_help(item, "write a section's settings below its name, not joined to it by dots");
    else if (settings_nearest(name, &near))
        diag_help(item, "did you mean %s?", room);
    else
        diag_help(item, "`cc-gen help settings` lists all");
}

static const char *environment(const struct loader *l, struct slice name)
{
    for (char *const *e = l->environ_; e != NULL && *e != NULL; e++) {
        struct slice entry = slice_of(*e);

        if (entry.n > name.n && slice_starts(entry, name) && entry.p[name.n] == '=')
            return entry.p + name.n + 1;
    }
    return NULL;
}

/* Adds the value of the variable whose name begins at text.p[*at]; *at goes to behind its '}'. */
static bool expand_one(struct walk *w, const struct doc_node *node, size_t *at, struct buf *out)
{
    struct slice rest = slice_make(node->text.p + *at, node->text.n - *at), name;
    ptrdiff_t end = slice_find(rest, '}');
    const char *value;

    if (end <= 0) {
        diag_help(diag_error(w->l->diag, CC3004, place_of(w, node),
                             "$env{ without the name of a variable and '}'"),
                  "write $env{NAME}");
        *at = node->text.n;
        return false;
    }
    name = slice_first(rest, (size_t)end);
    *at += name.n + 1;
    value = environment(w->l, name);
    if (value == NULL) {
        diag_error(w->l->diag, CC3004, place_of(w, node),
                   "the environment variable %" PRIslice " is not set", SLICE_ARG(name));
        return false;
    }
    buf_add_str(out, value);
    return true;
}

/* Replaces each $env{NAME} in a text. False after findings. */
static bool expand(struct walk *w, const struct doc_node *node, struct buf *out)
{
    struct slice text = node->text;
    bool ok = true;

    for (size_t at = 0; at < text.n;) {
        if (slice_starts(slice_make(text.p + at, text.n - at), SLICE("$env{"))) {
            at += 5;
            ok = expand_one(w, node, &at, out) && ok;
        } else {
            buf_add_char(out, text.p[at++]);
        }
    }
    return ok;
}

static void report_type(struct walk *w, const struct doc_node *node, int setting, size_t element)
{
    const struct setting *s = &settings[setting];
    struct diag_item *item =
        diag_error(w->l->diag, CC3002, place_of(w, node), "%s is %s, expected %" PRIslice,
                   loader_title(w->l, setting, element),
                   node->type == DOC_NULL ? "empty (null)" : doc_type_name(node->type),
                   SLICE_ARG(value_expected(w->l, setting)));
    size_t n;

    if (node->type == DOC_NULL)
        diag_help(item, "remove the line for the default, %s", config_settings(&n)[setting].def);
    else if (node->quoted && s->kind < KIND_MODE)
        diag_help(item, "remove the quotes");
    else if (node->type == DOC_BOOL)
        diag_help(item, "write it in quotes to mean the text: \"%" PRIslice "\"",
                  SLICE_ARG(node->text));
}

/* Does a node of this type hold a value of this kind? Numbers serve as text, as they are written:
 * `name: 7`, `socketMode: 0660`. */
static bool type_fits(enum setting_kind kind, const struct doc_node *node)
{
    if (kind == KIND_BOOL)
        return node->type == DOC_BOOL;
    if (kind < KIND_MODE)
        return node->type == DOC_INT;
    return node->type == DOC_TEXT || node->type == DOC_INT || node->type == DOC_REAL;
}

/* One text of a setting; a variable may stand for any type. CC_EINVAL after a finding. */
static int read_text(struct walk *w, const struct doc_node *node, int setting, size_t element,
                     struct slice *out)
{
    bool has_variable = node->type == DOC_TEXT && slice_contains(node->text, SLICE("$env{"));
    struct buf expanded;
    int rc;

    if (!has_variable && !type_fits(settings[setting].kind, node)) {
        report_type(w, node, setting, element);
        return CC_EINVAL;
    }
    *out = node->text;
    if (!has_variable)
        return CC_OK;
    buf_init(&expanded, 1 << 20);
    rc = expand(w, node, &expanded) ? buf_error(&expanded) : CC_EINVAL;
    if (rc == CC_OK) {
        *out = arena_dup(w->l->arena, buf_slice(&expanded));
        rc = out->p == NULL ? CC_ENOMEM : CC_OK;
    }
    buf_free(&expanded);
    return rc;
}

/* {remoteClaim: A, localClaim: B} -> "A=B". CC_EINVAL after a finding. */
static int read_mapping(struct walk *w, const struct doc_node *node, int setting, size_t element,
                        struct slice *out)
{
    static const char *const keys[] = {"remoteClaim", "localClaim"};
    struct slice names[2] = {SLICE_NONE, SLICE_NONE};
    int rc = CC_OK;

    for (size_t i = 0; i < node->n && rc == CC_OK; i++) {
        size_t key = slice_is(node->entries[i].key->text, keys[0]) ? 0 : 1;

        if (!slice_is(node->entries[i].key->text, keys[key])) {
            diag_help(diag_error(w->l->diag, CC3001, place_of(w, node->entries[i].key),
                                 "%s has no %" PRIslice, loader_title(w->l, setting, element),
                                 SLICE_ARG(node->entries[i].key->text)),
                      "it has remoteClaim and localClaim");
            return CC_EINVAL;
        }
        rc = read_text(w, node->entries[i].value, setting, element, &names[key]);
    }
    for (size_t key = 0; key < 2 && rc == CC_OK; key++) {
        if (names[key].p == NULL) {
            diag_error(w->l->diag, CC3007, place_of(w, node), "%s of %s is missing", keys[key],
                       loader_title(w->l, setting, element));
            return CC_EINVAL;
        }
    }
    if (rc != CC_OK)
        return rc;
    *out = arena_printf(w->l->arena, "%" PRIslice "=%" PRIslice, SLICE_ARG(names[0]),
                        SLICE_ARG(names[1]));
    return out->p == NULL ? CC_ENOMEM : CC_OK;
}

/* One element of a list of text, or the text itself. */
static int read_item(struct walk *w, const struct doc_node *node, int setting, size_t element,
                     struct slice *out)
{
    if (settings[setting].kind == KIND_CLAIMS && node->type == DOC_MAP)
        return read_mapping(w, node, setting, element, out);
    return read_text(w, node, setting, element, out);
}

/* NAME: TEXT -> "NAME=TEXT". CC_EINVAL after a finding. */
static int read_property(struct walk *w, const struct doc_entry *e, int setting, size_t element,
                         struct slice *out)
{
    struct slice text;
    int rc = read_text(w, e->value, setting, element, &text);

    if (rc != CC_OK)
        return rc;
    *out = arena_printf(w->l->arena, "%" PRIslice "=%" PRIslice, SLICE_ARG(e->key->text),
                        SLICE_ARG(text));
    return out->p == NULL ? CC_ENOMEM : CC_OK;
}

/* A setting's value; findings do not stop the walk. */
static int read_setting(struct walk *w, const struct doc_node *node, int setting, size_t element)
{
    bool many = setting_is_list(settings[setting].kind);
    bool map = settings[setting].kind == KIND_PROPERTIES && node->type == DOC_MAP;
    size_t n = many ? node->n : 1, bad = 0;
    struct slice *texts = arena_array(w->l->arena, n, sizeof(*texts));
    struct origin origin = {FROM_FILE, place_of(w, node)};
    int rc = CC_OK;

    if (texts == NULL)
        return CC_ENOMEM;
    *loader_origin(w->l->store, setting, element) = origin; /* also of a refused value */
    if (many && !map && node->type != DOC_LIST) {
        report_type(w, node, setting, element);
        return CC_OK;
    }
    for (size_t i = 0; i < n && rc != CC_ENOMEM; i++) {
        rc = map ? read_property(w, &node->entries[i], setting, element, &texts[i])
                 : read_item(w, many ? node->entries[i].value : node, setting, element, &texts[i]);
        bad += rc != CC_OK;
    }
    if (rc == CC_ENOMEM || bad > 0)
        return rc == CC_ENOMEM ? rc : CC_OK;
    return value_set(w->l, setting, element, texts, n, origin);
}

static void report_container(struct walk *w, const struct doc_node *node, const char *name,
                             const char *expected)
{
    diag_error(w->l->diag, CC3002, place_of(w, node), "%s is %s, expected %s", name,
               node->type == DOC_NULL ? "empty (null)" : doc_type_name(node->type), expected);
}

/* The members of an element, or of a section in it. */
static int read_members(struct walk *w, const struct doc_node *map, struct slice section,
                        size_t element)
{
    int rc = CC_OK;

    for (size_t i = 0; i < map->n && rc == CC_OK; i++) {
        const struct doc_entry *e = &map->entries[i];
        struct slice path = arena_printf(w->l->arena, "%" PRIslice ".%" PRIslice,
                                         SLICE_ARG(section), SLICE_ARG(e->key->text));
        int setting = path.p == NULL ? SETTINGS_NONE : settings_find_row(path);

        if (path.p == NULL)
            return CC_ENOMEM;
        /* with a dot in a name, one setting could be given in two ways */
        if (slice_find(e->key->text, '.') >= 0 ||
            (setting == SETTINGS_NONE && !settings_is_section(path)))
            report_unknown(w, e->key, path);
        else if (setting != SETTINGS_NONE)
            rc = read_setting(w, e->value, setting, element);
        else if (e->value->type == DOC_MAP)
            rc = read_members(w, e->value, path, element);
        else if (e->value->type != DOC_NULL)
            report_container(w, e->value, path.p, "a mapping");
    }
    return rc;
}

static int read_element(struct walk *w, const struct doc_node *node, enum setting_list list)
{
    const char *name = setting_lists[list].name;
    struct slice section = arena_printf(w->l->arena, "%s[]", name);
    int rc;

    if (section.p == NULL)
        return CC_ENOMEM;

    if (node->type != DOC_MAP) {
        report_container(w, node, name, "a list of mappings");
        return CC_OK;
    }
    rc = loader_list_append(w->l, list, (struct origin){FROM_FILE, place_of(w, node)});
    return rc == CC_OK ? read_members(w, node, section, loader_list_length(w->l->store, list) - 1)
                       : rc;
}

/* A list in the file replaces the default list. */
static int read_list(struct walk *w, const struct doc_node *node, enum setting_list list)
{
    int rc = CC_OK;

    if (node->type != DOC_LIST) {
        report_container(w, node, setting_lists[list].name, "a list of mappings");
        return CC_OK;
    }
    loader_list_clear(w->l->store, list);
    for (size_t i = 0; i < node->n && rc == CC_OK; i++)
        rc = read_element(w, node->entries[i].value, list);
    return rc == CC_EFULL ? CC_OK : rc;
}

static int read_section(struct walk *w, const struct doc_node *map, struct slice section);

static int read_entry(struct walk *w, const struct doc_entry *e, struct slice path)
{
    int setting = settings_find_row(path);
    enum setting_list list = settings_find_list(path);

    if (slice_find(e->key->text, '.') >= 0) { /* else one setting could be given in two ways */
        report_unknown(w, e->key, path);
        return CC_OK;
    }
    if (setting != SETTINGS_NONE && settings[setting].list == LIST_NONE)
        return read_setting(w, e->value, setting, 0);
    if (list != LIST_NONE)
        return read_list(w, e->value, list);
    if (!settings_is_section(path)) {
        report_unknown(w, e->key, path);
        return CC_OK;
    }
    if (e->value->type == DOC_MAP)
        return read_section(w, e->value, path);
    if (e->value->type != DOC_NULL) /* a section whose lines are all comments is fine */
        report_container(w, e->value, path.p, "a mapping");
    return CC_OK;
}

/* As deep as the names of settings are, whatever the file is: only sections are entered. */
static int read_section(struct walk *w, const struct doc_node *map, struct slice section)
{
    int rc = CC_OK;

    for (size_t i = 0; i < map->n && rc == CC_OK; i++) {
        const struct doc_entry *e = &map->entries[i];
        struct slice path =
            arena_printf(w->l->arena, "%" PRIslice "%s%" PRIslice, SLICE_ARG(section),
                         section.n > 0 ? "." : "", SLICE_ARG(e->key->text));

        rc = path.p == NULL ? CC_ENOMEM : read_entry(w, e, path);
    }
    return rc;
}

int config_read_file(struct loader *l, const char *path)
{
    struct walk w = {l, NULL};
    struct doc *doc = NULL;
    int rc = doc_read_file(&doc, path, NULL, l->arena, l->diag);

    if (rc != CC_OK) /* the findings say why; the other stages still have their say */
        return rc == CC_ENOMEM ? rc : CC_OK;
    w.doc = doc;
    if (doc->root->type == DOC_MAP)
        return read_section(&w, doc->root, SLICE_NONE);
    if (doc->root->type != DOC_NULL)
        report_container(&w, doc->root, "the document", "a mapping");
    return CC_OK;
}
