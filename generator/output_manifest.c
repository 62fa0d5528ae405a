#include "generator/output_manifest.h"

#include "crypto/key.h"

#include <jansson.h>
#include <stdlib.h>

enum { INPUT_MAX_BYTES = 64 << 20, SETTING_MAX_BYTES = 64 << 10, ENDS_BYTES = 64 << 10 };

/* How the inputs begin: no text in JSON has such a line break. */
#define INPUTS ",\n \"inputs\": {"

static int by_name(const void *a, const void *b)
{
    const struct manifest_file *x = a, *y = b;

    return slice_cmp(x->name, y->name);
}

/* cc.yaml, which no project holds. */
static int add_settings_file(struct manifest *m, const char *path, struct arena *arena)
{
    struct manifest_file *input = &m->inputs[m->n_inputs++];
    struct slice text;
    int rc = file_read(arena, path, INPUT_MAX_BYTES, &text);

    input->name = slice_of(path);
    return rc == CC_OK ? crypto_sha256_hex(text, input->sha256) : rc;
}

int manifest_inputs(struct manifest *m, const struct project_inputs *inputs,
                    const char *config_path, struct arena *arena)
{
    size_t n = inputs != NULL ? inputs->n : 0;
    int rc = CC_OK;

    m->n_inputs = 0;
    m->inputs = arena_array(arena, n + 1, sizeof(*m->inputs));
    if (m->inputs == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct manifest_file *input = &m->inputs[m->n_inputs++];

        CC_ASSERT(inputs->list[i].sha256.n == sizeof(input->sha256) - 1);
        input->name = inputs->list[i].name;
        memcpy(input->sha256, inputs->list[i].sha256.p, sizeof(input->sha256));
    }
    if (config_path != NULL)
        rc = add_settings_file(m, config_path, arena);
    if (m->n_inputs > 0)
        qsort(m->inputs, m->n_inputs, sizeof(*m->inputs), by_name);
    return rc;
}

static void write_files(struct buf *out, const char *member, const struct manifest_file *files,
                        size_t n)
{
    buf_printf(out, ",\n \"%s\": {", member);
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, i == 0 ? "\n  " : ",\n  ");
        buf_add_json(out, files[i].name);
        buf_printf(out, ": \"%s\"", files[i].sha256);
    }
    buf_add_str(out, n > 0 ? "\n }" : "}");
}

/* One more setting, unless there is no such (element of a list): then *more is false. */
static int add_setting(struct manifest *m, size_t *room, const struct config *config,
                       const char *name, struct arena *arena, bool *more)
{
    struct buf value;
    int rc = CC_OK;

    buf_init(&value, SETTING_MAX_BYTES);
    *more = config_value(config, name, &value);
    if (*more && m->n_settings == *room) {
        size_t n = *room == 0 ? 64 : *room * 2;
        struct manifest_setting *settings = arena_array(arena, n, sizeof(*settings));

        if (settings != NULL && m->n_settings > 0)
            memcpy(settings, m->settings, m->n_settings * sizeof(*settings));
        m->settings = settings;
        *room = n;
        rc = settings != NULL ? CC_OK : CC_ENOMEM;
    }
    if (*more && rc == CC_OK) {
        struct manifest_setting *s = &m->settings[m->n_settings++];

        *s = (struct manifest_setting){arena_dup(arena, slice_of(name)),
                                       arena_dup(arena, slice_make(value.p, value.n))};
        rc = buf_error(&value) == CC_OK && s->name.p != NULL && s->value.p != NULL ? CC_OK
                                                                                   : CC_ENOMEM;
    }
    buf_free(&value);
    return rc;
}

/* "a.b[].c" -> "a.b[2].c" for each element that there is. */
static int add_elements(struct manifest *m, size_t *room, const struct config *config,
                        const char *row, struct arena *arena)
{
    const char *bracket = strstr(row, "[]");
    bool more = true;
    int rc = CC_OK;

    for (unsigned i = 0; rc == CC_OK && more; i++) {
        struct slice name =
            arena_printf(arena, "%.*s[%u]%s", (int)(bracket - row), row, i, bracket + 2);

        rc = name.p != NULL ? add_setting(m, room, config, name.p, arena, &more) : CC_ENOMEM;
    }
    return rc;
}

int manifest_settings(struct manifest *m, const struct config *config, struct arena *arena)
{
    size_t n, room = 0;
    const struct config_setting *rows = config_settings(&n);
    bool more;
    int rc = CC_OK;

    m->n_settings = 0;
    m->has_settings = config != NULL;
    for (size_t i = 0; rc == CC_OK && config != NULL && i < n; i++) {
        if (strstr(rows[i].change, "reload HAProxy") == NULL)
            continue;
        rc = strstr(rows[i].name, "[]") != NULL
                 ? add_elements(m, &room, config, rows[i].name, arena)
                 : add_setting(m, &room, config, rows[i].name, arena, &more);
    }
    return rc;
}

static void write_settings(struct buf *out, const struct manifest *m)
{
    if (!m->has_settings)
        return;
    buf_add_str(out, ",\n \"settings\": {");
    for (size_t i = 0; i < m->n_settings; i++) {
        buf_add_str(out, i == 0 ? "\n  " : ",\n  ");
        buf_add_json(out, m->settings[i].name);
        buf_add_str(out, ": ");
        buf_add_json(out, m->settings[i].value);
    }
    buf_add_str(out, m->n_settings > 0 ? "\n }" : "}");
}

int manifest_write(const struct manifest *m, struct buf *out)
{
    buf_printf(out, "{\n \"schema\": %d,\n \"generation\": ", MANIFEST_SCHEMA);
    buf_add_u64(out, m->generation);
    buf_add_str(out, ",\n \"haproxyGeneration\": ");
    buf_add_u64(out, m->haproxy_generation);
    buf_printf(out, ",\n \"model\": \"%s\",\n \"program\": \"cc-gen %s\",\n \"checked\": %s",
               m->model_hash, CC_VERSION, m->checked ? "true" : "false");
    write_settings(out, m);
    write_files(out, "files", m->files, m->n_files);
    write_files(out, "inputs", m->inputs, m->n_inputs);
    buf_add_str(out, "\n}\n");
    return buf_error(out);
}

/* A SHA-256 in hex, copied; false when `value` is anything else. */
static bool take_sum(const json_t *value, char out[65])
{
    const char *text = json_string_value(value);

    if (text == NULL || strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
        return false;
    memcpy(out, text, 65);
    return true;
}

static int read_files(struct manifest *m, json_t *files, struct arena *arena)
{
    const char *name;
    json_t *sum;

    if (!json_is_object(files))
        return CC_EPARSE;
    m->files = arena_array(arena, json_object_size(files), sizeof(*m->files));
    if (m->files == NULL)
        return CC_ENOMEM;
    json_object_foreach(files, name, sum)
    {
        struct manifest_file *file = &m->files[m->n_files++];

        file->name = arena_dup(arena, slice_of(name));
        if (file->name.p == NULL)
            return CC_ENOMEM;
        if (!take_sum(sum, file->sha256))
            return CC_EPARSE;
    }
    return CC_OK;
}

/* Manifests of cc-gen 0.1.0 have no settings: `settings` may be NULL. */
static int read_settings(struct manifest *m, json_t *settings, struct arena *arena)
{
    const char *name;
    json_t *value;

    if (settings == NULL)
        return CC_OK;
    if (!json_is_object(settings))
        return CC_EPARSE;
    m->has_settings = true;
    m->settings = arena_array(arena, json_object_size(settings), sizeof(*m->settings));
    if (m->settings == NULL)
        return CC_ENOMEM;
    json_object_foreach(settings, name, value)
    {
        struct manifest_setting *s = &m->settings[m->n_settings++];

        if (!json_is_string(value))
            return CC_EPARSE;
        s->name = arena_dup(arena, slice_of(name));
        s->value = arena_dup(arena, slice_of(json_string_value(value)));
        if (s->name.p == NULL || s->value.p == NULL)
            return CC_ENOMEM;
    }
    return CC_OK;
}

static bool take_generation(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* The document without its inputs, which come last, are nearly all of it, and are read by people
 * only: of a file, its ends do. NULL: it is not laid out so. */
static json_t *load_head(struct slice head, struct slice tail)
{
    const char *inputs = head.n > 0 ? memmem(head.p, head.n, INPUTS, strlen(INPUTS)) : NULL;
    json_t *root = NULL;
    struct buf text;

    if (inputs == NULL || !slice_ends(tail, SLICE("}\n}\n")))
        return NULL;
    buf_init(&text, head.n + 1);
    buf_add(&text, slice_make(head.p, (size_t)(inputs - head.p)));
    buf_add_char(&text, '}');
    if (buf_error(&text) == CC_OK)
        root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    buf_free(&text);
    return root;
}

/* Takes `root`. */
static int read_document(struct manifest *m, json_t *root, struct arena *arena)
{
    int rc = CC_EPARSE;

    *m = (struct manifest){0};
    if (root == NULL || json_integer_value(json_object_get(root, "schema")) != MANIFEST_SCHEMA ||
        !take_generation(json_object_get(root, "generation"), &m->generation) ||
        !take_generation(json_object_get(root, "haproxyGeneration"), &m->haproxy_generation) ||
        !take_sum(json_object_get(root, "model"), m->model_hash))
        goto out;
    m->checked = json_is_true(json_object_get(root, "checked"));
    rc = read_files(m, json_object_get(root, "files"), arena);
    if (rc == CC_OK)
        rc = read_settings(m, json_object_get(root, "settings"), arena);
out:
    json_decref(root);
    return rc;
}

int manifest_read(struct manifest *m, struct slice text, struct arena *arena)
{
    json_t *root = load_head(text, text);

    if (root == NULL)
        root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    return read_document(m, root, arena);
}

int manifest_read_file(struct manifest *m, const char *path, struct arena *arena)
{
    struct slice head, tail;
    json_t *root;
    int rc = file_read_ends(arena, path, MANIFEST_MAX_BYTES, ENDS_BYTES, &head, &tail);

    *m = (struct manifest){0};
    if (rc != CC_OK)
        return rc;
    root = load_head(head, tail.n > 0 ? tail : head);
    if (root != NULL)
        return read_document(m, root, arena);
    rc = tail.n > 0 ? file_read(arena, path, MANIFEST_MAX_BYTES, &head) : CC_OK;
    return rc == CC_OK ? manifest_read(m, head, arena) : rc;
}

const char *manifest_sum(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (slice_is(m->files[i].name, name))
            return m->files[i].sha256;
    return NULL;
}

struct slice manifest_value(const struct manifest *m, struct slice name)
{
    for (size_t i = 0; i < m->n_settings; i++)
        if (slice_eq(m->settings[i].name, name))
            return m->settings[i].value;
    return SLICE_NONE;
}
