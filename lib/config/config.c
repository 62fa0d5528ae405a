#include "config/loader.h"

#include <unistd.h>

static size_t settings_count(void)
{
    size_t n;

    config_settings(&n);
    return n;
}

const char *loader_title(struct loader *l, int setting, size_t element)
{
    char room[SETTINGS_NAME_MAX];
    struct slice title;
    struct buf b;
    size_t n;

    buf_init_fixed(&b, room, sizeof(room));
    settings_title(setting, element, &b);
    title = arena_dup(l->arena, buf_slice(&b));
    return title.p != NULL ? title.p : config_settings(&n)[setting].name;
}

static void *list_items(const struct config_store *s, enum setting_list list)
{
    const char *config = (const char *)&s->config;

    return *(void *const *)(const void *)(config + setting_lists[list].items_offset);
}

static size_t *list_count(struct config_store *s, enum setting_list list)
{
    return (size_t *)(void *)((char *)&s->config + setting_lists[list].count_offset);
}

void *loader_object(struct config_store *s, int setting, size_t element)
{
    enum setting_list list = settings[setting].list;

    if (list == LIST_NONE)
        return &s->config;
    CC_ASSERT(element < SETTINGS_MAX_ELEMENTS);
    return (char *)list_items(s, list) + element * setting_lists[list].size;
}

struct origin *loader_origin(struct config_store *s, int setting, size_t element)
{
    enum setting_list list = settings[setting].list;

    if (list == LIST_NONE)
        return &s->origins[setting];
    return &s->elements[list][element * settings_count() + (size_t)setting];
}

size_t loader_list_length(const struct config_store *s, enum setting_list list)
{
    const char *config = (const char *)&s->config;

    return *(const size_t *)(const void *)(config + setting_lists[list].count_offset);
}

void loader_list_clear(struct config_store *s, enum setting_list list)
{
    size_t *n = list_count(s, list);

    if (*n > 0)
        memset(list_items(s, list), 0, *n * setting_lists[list].size);
    *n = 0;
}

int loader_list_append(struct loader *l, enum setting_list list, struct origin origin)
{
    size_t element = loader_list_length(l->store, list);
    int rc = CC_OK;

    if (element == SETTINGS_MAX_ELEMENTS) {
        diag_error(l->diag, CC3003, origin.place, "%s has more than %d elements",
                   setting_lists[list].name, SETTINGS_MAX_ELEMENTS);
        return CC_EFULL;
    }
    ++*list_count(l->store, list);
    for (int i = 0; i < (int)settings_count() && rc == CC_OK; i++) {
        if (settings[i].list != list)
            continue;
        /* what a finding about a missing value can point at */
        *loader_origin(l->store, i, element) = (struct origin){FROM_DEFAULT, origin.place};
        rc = value_set_default(l, i, element);
    }
    if (list == LIST_ISSUERS)
        l->store->config.security.token_service[element].origin = origin.place;
    if (list == LIST_KEY_PAIRS)
        l->store->config.jwt_generator.key_pairs[element].origin = origin.place;
    if (list == LIST_FILTERS)
        l->store->config.filters[element].origin = origin.place;
    if (list == LIST_USERS)
        l->store->config.jwt_issuer.users[element].origin = origin.place;
    return rc;
}

static int make_lists(struct loader *l)
{
    for (enum setting_list i = LIST_NONE + 1; i < LISTS; i++) {
        void *items = arena_array(l->arena, SETTINGS_MAX_ELEMENTS, setting_lists[i].size);
        char *config = (char *)&l->store->config;

        l->store->elements[i] =
            arena_array(l->arena, SETTINGS_MAX_ELEMENTS * settings_count(), sizeof(struct origin));
        if (items == NULL || l->store->elements[i] == NULL)
            return CC_ENOMEM;
        *(void **)(void *)(config + setting_lists[i].items_offset) = items;
    }
    return CC_OK;
}

/* "Default" is served whether it is listed or not, as in the reference. */
static int add_default_vhost(struct loader *l)
{
    const struct config *c = &l->store->config;

    for (size_t i = 0; i < c->adapter.n_vhost_mapping; i++)
        if (slice_is(c->adapter.vhost_mapping[i].environment, "Default"))
            return CC_OK;
    return loader_list_append(l, LIST_VHOSTS, (struct origin){FROM_DEFAULT, PLACE_NONE});
}

static int set_defaults(struct loader *l)
{
    int rc = make_lists(l);

    for (int i = 0; i < (int)settings_count() && rc == CC_OK; i++)
        if (settings[i].list == LIST_NONE)
            rc = value_set_default(l, i, 0);
    return rc == CC_OK ? add_default_vhost(l) : rc;
}

static int working_directory(struct arena *arena, struct slice *out)
{
    char room[4096];

    if (getcwd(room, sizeof(room)) == NULL)
        return CC_EIO;
    *out = arena_dup(arena, slice_of(room));
    return out->p != NULL ? CC_OK : CC_ENOMEM;
}

/* The directory of `path`, absolute. */
static struct slice directory_of(const char *path, struct slice working, struct arena *arena)
{
    struct slice dir = slice_of(path);

    while (dir.n > 0 && dir.p[dir.n - 1] != '/')
        dir.n--;
    while (dir.n > 0 && dir.p[dir.n - 1] == '/')
        dir.n--;
    if (path[0] == '/')
        return dir;
    return dir.n == 0 ? working
                      : arena_printf(arena, "%" PRIslice "/%" PRIslice, SLICE_ARG(working),
                                     SLICE_ARG(dir));
}

static int run_stages(struct loader *l, const char *path, const struct config_override *overrides,
                      size_t n_overrides)
{
    struct slice working = SLICE_NONE;
    int rc = set_defaults(l);

    if (rc == CC_OK)
        rc = working_directory(l->arena, &working);
    if (rc == CC_OK && path != NULL) {
        l->directory = directory_of(path, working, l->arena);
        rc = l->directory.p == NULL ? CC_ENOMEM : config_read_file(l, path);
    }
    l->directory = working;
    if (rc == CC_OK)
        rc = config_read_environment(l);
    if (rc == CC_OK)
        rc = config_read_overrides(l, overrides, n_overrides);
    if (rc == CC_OK)
        rc = add_default_vhost(l);
    if (rc == CC_OK)
        config_check(l);
    return rc;
}

int config_load(struct config **out, const char *path, char *const *environ_,
                const struct config_override *overrides, size_t n_overrides, struct arena *arena,
                struct diag *diag)
{
    size_t errors_before = diag_errors(diag);
    struct loader l = {.arena = arena, .diag = diag, .environ_ = environ_};
    int rc;

    l.store = arena_alloc(arena, sizeof(*l.store));
    if (l.store == NULL)
        return CC_ENOMEM;
    l.store->origins = arena_array(arena, settings_count(), sizeof(struct origin));
    if (l.store->origins == NULL)
        return CC_ENOMEM;
    rc = run_stages(&l, path, overrides, n_overrides);
    if (rc != CC_OK)
        return diag_errors(diag) > errors_before ? CC_EINVAL : rc;
    *out = &l.store->config;
    return diag_errors(diag) > errors_before ? CC_EINVAL : CC_OK;
}

/* The setting called so, when it has a value: element settings need an element that is there. */
static int find_value(const struct config *c, const char *name, size_t *element)
{
    const struct config_store *s = (const struct config_store *)(const void *)c;
    int setting = settings_find(slice_of(name), element);

    if (setting != SETTINGS_NONE && settings[setting].list != LIST_NONE &&
        *element >= loader_list_length(s, settings[setting].list))
        return SETTINGS_NONE;
    return setting;
}

bool config_origin(const struct config *c, const char *name, struct buf *out)
{
    struct config_store *s = (struct config_store *)(void *)c; /* only read */
    size_t element;
    int setting = find_value(c, name, &element);
    const struct origin *o;

    if (setting == SETTINGS_NONE)
        return false;
    o = loader_origin(s, setting, element);
    if (o->kind == FROM_DEFAULT)
        buf_add_str(out, "default");
    else if (o->kind == FROM_ENVIRONMENT)
        buf_printf(out, "environment %s", o->place.source->name);
    else if (o->kind == FROM_OVERRIDE)
        buf_add_str(out, o->place.source->name);
    else
        buf_printf(out, "%s:%u:%u", o->place.source->name, o->place.line, o->place.col);
    return true;
}

struct place config_place(const struct config *c, const char *name)
{
    struct config_store *s = (struct config_store *)(void *)c; /* only read */
    size_t element;
    int setting = find_value(c, name, &element);
    const struct origin *o;

    if (setting == SETTINGS_NONE)
        return PLACE_NONE;
    o = loader_origin(s, setting, element);
    if (o->kind == FROM_DEFAULT)
        return PLACE_NONE;
    return o->kind == FROM_FILE ? o->place : place_file(o->place.source);
}

bool config_value(const struct config *c, const char *name, struct buf *out)
{
    size_t element;
    int setting = find_value(c, name, &element);

    if (setting == SETTINGS_NONE)
        return false;
    value_format((const struct config_store *)(const void *)c, setting, element, out);
    return true;
}
