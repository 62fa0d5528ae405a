#include "config/loader.h"

/* Only these begin our variables: CC alone is a common prefix of build systems. */
static const char *const prefixes[] = {"CC_ADAPTER_", "CC_ROUTER_", "CC_ENFORCER_", "CC_AGENT_",
                                       "CC_POLICIES"};

/* A variable or an override: its name, its value, and what findings about it point at. */
struct assignment {
    struct slice name, value;
    struct origin origin;
    int setting;
    size_t element;
};

static bool is_ours(struct slice variable)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (slice_starts(variable, slice_of(prefixes[i])))
            return true;
    return false;
}

static int make_origin(struct loader *l, struct assignment *a, enum origin_kind kind)
{
    struct source *source = arena_alloc(l->arena, sizeof(*source));
    struct slice name = arena_printf(l->arena, "%s%" PRIslice,
                                     kind == FROM_OVERRIDE ? "--set " : "", SLICE_ARG(a->name));

    if (source == NULL || name.p == NULL)
        return CC_ENOMEM;
    *source = (struct source){.name = name.p};
    a->origin = (struct origin){kind, place_file(source)};
    return CC_OK;
}

static void report_unknown(struct loader *l, const struct assignment *a)
{
    bool variable = a->origin.kind == FROM_ENVIRONMENT;
    const struct setting_absent *absent =
        variable ? settings_find_absent_variable(a->name) : settings_find_absent(a->name);
    char room[SETTINGS_NAME_MAX * 2];
    struct diag_item *item;
    struct buf near;

    if (absent != NULL) {
        diag_help(diag_error(l->diag, CC3001, a->origin.place,
                             "this version does not have the setting %s", absent->name),
                  "%s; remove it", absent->why);
        return;
    }
    item = diag_error(l->diag, CC3001, a->origin.place, "%s",
                      variable ? "this environment variable names no setting"
                               : "there is no such setting");
    buf_init_fixed(&near, room, sizeof(room));
    if (variable ? settings_nearest_variable(a->name, &near) : settings_nearest(a->name, &near))
        diag_help(item, "did you mean %s?", room);
    else
        diag_help(item, "`cc-gen help settings` lists all");
}

/* An assignment to the element that would be the next one of its list; NULL when there is none. */
static const struct assignment *find_next_element(const struct loader *l,
                                                  const struct assignment *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum setting_list list =
            all[i].setting == SETTINGS_NONE ? LIST_NONE : settings[all[i].setting].list;

        if (list != LIST_NONE && all[i].element == loader_list_length(l->store, list))
            return &all[i];
    }
    return NULL;
}

/* Elements that are not there yet are made as long as some assignment names the next free index,
 * so that a list can come from the environment alone, in whatever order its variables stand. */
static int extend_lists(struct loader *l, const struct assignment *all, size_t n)
{
    const struct assignment *a;
    int rc = CC_OK;

    while (rc == CC_OK && (a = find_next_element(l, all, n)) != NULL)
        rc = loader_list_append(l, settings[a->setting].list, a->origin);
    return rc == CC_EFULL ? CC_OK : rc;
}

static int assign(struct loader *l, const struct assignment *a)
{
    enum setting_list list;

    if (a->setting == SETTINGS_NONE) {
        report_unknown(l, a);
        return CC_OK;
    }
    list = settings[a->setting].list;
    if (list != LIST_NONE && a->element >= loader_list_length(l->store, list)) {
        diag_help(diag_error(l->diag, CC3001, a->origin.place, "%s has %zu elements",
                             setting_lists[list].name, loader_list_length(l->store, list)),
                  "they are counted from 0, without gaps");
        return CC_OK;
    }
    return value_set_text(l, a->setting, a->element, a->value, a->origin);
}

static int assign_all(struct loader *l, const struct assignment *all, size_t n)
{
    int rc = extend_lists(l, all, n);

    for (size_t i = 0; i < n && rc == CC_OK; i++)
        rc = assign(l, &all[i]);
    return rc;
}

int config_read_environment(struct loader *l)
{
    struct assignment *all;
    size_t total = 0, n = 0;

    while (l->environ_ != NULL && l->environ_[total] != NULL)
        total++;
    all = arena_array(l->arena, total, sizeof(*all));
    if (all == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < total; i++) {
        struct assignment *a = &all[n];
        struct slice entry = slice_of(l->environ_[i]);
        ptrdiff_t equals = slice_find(entry, '=');

        if (equals < 0 || !is_ours(entry))
            continue;
        a->name = slice_first(entry, (size_t)equals);
        a->value = slice_from(entry, (size_t)equals + 1);
        a->setting = settings_find_variable(a->name, &a->element);
        if (make_origin(l, a, FROM_ENVIRONMENT) != CC_OK)
            return CC_ENOMEM;
        n++;
    }
    return assign_all(l, all, n);
}

int config_read_overrides(struct loader *l, const struct config_override *overrides, size_t n)
{
    struct assignment *all = arena_array(l->arena, n, sizeof(*all));

    if (all == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        all[i].name = overrides[i].name;
        all[i].value = overrides[i].value;
        all[i].setting = settings_find(all[i].name, &all[i].element);
        if (make_origin(l, &all[i], FROM_OVERRIDE) != CC_OK)
            return CC_ENOMEM;
    }
    return assign_all(l, all, n);
}
