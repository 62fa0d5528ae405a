#include "generator/output_manifest.h"

#include "crypto/key.h"

#include <jansson.h>
#include <stdlib.h>

enum { INPUT_MAX_BYTES = 64 << 20 };

/* Sources already seen. Facts of one project stand together, so looking from the end is quick. */
struct sources {
    const struct source **list;
    size_t n, room;
};

static int add_source(struct sources *s, struct place place)
{
    if (place.source == NULL || place.source->text.p == NULL)
        return CC_OK;
    for (size_t i = s->n; i > 0 && s->n - i < 8; i--)
        if (s->list[i - 1] == place.source)
            return CC_OK;
    if (s->n == s->room) {
        size_t room = s->room == 0 ? 64 : s->room * 2;
        const struct source **list = realloc(s->list, room * sizeof(s->list[0]));

        if (list == NULL)
            return CC_ENOMEM;
        s->list = list;
        s->room = room;
    }
    s->list[s->n++] = place.source;
    return CC_OK;
}

static int add_resource_sources(struct sources *s, const struct gw_resource *resource)
{
    int rc = add_source(s, resource->origin);

    for (size_t i = 0; rc == CC_OK && i < resource->n_operations; i++)
        rc = add_source(s, resource->operations[i].origin);
    return rc;
}

static int add_model_sources(struct sources *s, const struct gw_model *model)
{
    int rc = CC_OK;

    for (size_t i = 0; rc == CC_OK && i < model->n_apis; i++) {
        const struct gw_api *api = &model->apis[i];

        rc = add_source(s, api->origin);
        for (size_t r = 0; rc == CC_OK && r < api->n_resources; r++)
            rc = add_resource_sources(s, &api->resources[r]);
    }
    for (size_t i = 0; rc == CC_OK && i < model->n_issuers; i++)
        rc = add_source(s, model->issuers[i].origin);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    const struct manifest_file *x = a, *y = b;

    return slice_cmp(x->name, y->name);
}

static int add_input(struct manifest *m, struct slice name, struct slice text)
{
    struct manifest_file *input = &m->inputs[m->n_inputs++];

    input->name = name;
    return crypto_sha256_hex(text, input->sha256);
}

static void sort_inputs(struct manifest *m)
{
    size_t kept = 0;

    qsort(m->inputs, m->n_inputs, sizeof(*m->inputs), by_name);
    for (size_t i = 0; i < m->n_inputs; i++)
        if (kept == 0 || !slice_eq(m->inputs[kept - 1].name, m->inputs[i].name))
            m->inputs[kept++] = m->inputs[i];
    m->n_inputs = kept;
}

int manifest_inputs(struct manifest *m, const struct gw_model *model, const char *config_path,
                    struct arena *arena)
{
    struct sources sources = {0};
    struct slice text;
    int rc = add_model_sources(&sources, model);

    if (rc != CC_OK)
        goto out;
    m->n_inputs = 0;
    m->inputs = arena_array(arena, sources.n + 1, sizeof(*m->inputs));
    rc = m->inputs != NULL ? CC_OK : CC_ENOMEM;
    for (size_t i = 0; rc == CC_OK && i < sources.n; i++)
        rc = add_input(m, slice_of(sources.list[i]->name), sources.list[i]->text);
    if (rc == CC_OK && config_path != NULL) {
        rc = file_read(arena, config_path, INPUT_MAX_BYTES, &text);
        if (rc == CC_OK)
            rc = add_input(m, slice_of(config_path), text);
    }
    if (rc == CC_OK)
        sort_inputs(m);
out:
    free(sources.list);
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

int manifest_write(const struct manifest *m, struct buf *out)
{
    buf_printf(out, "{\n \"schema\": %d,\n \"generation\": ", MANIFEST_SCHEMA);
    buf_add_u64(out, m->generation);
    buf_add_str(out, ",\n \"haproxyGeneration\": ");
    buf_add_u64(out, m->haproxy_generation);
    buf_printf(out, ",\n \"model\": \"%s\",\n \"program\": \"cc-gen %s\",\n \"checked\": %s",
               m->model_hash, CC_VERSION, m->checked ? "true" : "false");
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

static bool take_generation(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

int manifest_read(struct manifest *m, struct slice text, struct arena *arena)
{
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    int rc = CC_EPARSE;

    *m = (struct manifest){0};
    if (root == NULL || json_integer_value(json_object_get(root, "schema")) != MANIFEST_SCHEMA ||
        !take_generation(json_object_get(root, "generation"), &m->generation) ||
        !take_generation(json_object_get(root, "haproxyGeneration"), &m->haproxy_generation) ||
        !take_sum(json_object_get(root, "model"), m->model_hash))
        goto out;
    m->checked = json_is_true(json_object_get(root, "checked"));
    rc = read_files(m, json_object_get(root, "files"), arena);
out:
    json_decref(root);
    return rc;
}

const char *manifest_sum(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (slice_is(m->files[i].name, name))
            return m->files[i].sha256;
    return NULL;
}
