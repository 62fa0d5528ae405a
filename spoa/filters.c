#include "spoa/filters.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERROR_ROOM = 512, PROPERTIES_MAX = 64, MAX_EXTENSION_BYTES = 4096 };

struct loaded {
    void *handle;
    struct cc_extension extension; /* as much of it as the shared object has */
};

struct filters {
    struct loaded loaded[ENFORCE_MAX_FILTERS];
    size_t n;
    size_t n_workers;
    struct enforce_filters *workers;
};

static bool fail(struct diag *diag, const struct config_filter *f, const char *why)
{
    diag_help(diag_error(diag, CC3061, f->origin, "filter \"%" PRIslice "\": %s",
                         SLICE_ARG(f->name), why),
              "%" PRIslice, SLICE_ARG(f->path));
    return false;
}

/* It becomes part of the agent: who can write it is the agent. */
static bool check_file(struct diag *diag, const struct config_filter *f)
{
    struct stat st;

    if (stat(f->path.p, &st) != 0)
        return fail(diag, f, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(diag, f, "it is no file");
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(diag, f, "its group or others may write it (chmod go-w)");
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return fail(diag, f, "it belongs to another user, who may write it (chown root)");
    return true;
}

/* The constant of the shared object, of which an older one has less. */
static bool take_extension(struct diag *diag, const struct config_filter *f, struct loaded *l)
{
    const struct cc_extension *e = dlsym(l->handle, "cc_extension");
    char why[ERROR_ROOM];

    if (e == NULL)
        return fail(diag, f, "it exports no cc_extension (cc_filter.h)");
    if (e->abi != CC_EXTENSION_ABI) {
        snprintf(why, sizeof why, "it is made for version %u of cc_filter.h, and this agent has %u",
                 (unsigned)e->abi, CC_EXTENSION_ABI);
        return fail(diag, f, why);
    }
    if (e->size < offsetof(struct cc_extension, on_claims) || e->size > MAX_EXTENSION_BYTES)
        return fail(diag, f, "its cc_extension has an impossible size");
    memset(&l->extension, 0, sizeof l->extension);
    memcpy(&l->extension, e, e->size < sizeof *e ? e->size : sizeof *e);
    if (l->extension.on_request == NULL && l->extension.on_claims == NULL &&
        l->extension.on_backend_claims == NULL)
        return fail(diag, f,
                    "it has neither on_request nor on_claims nor on_backend_claims: it would do "
                    "nothing");
    return true;
}

static bool open_one(struct diag *diag, const struct config_filter *f, struct loaded *l)
{
    const char *error;

    if (!check_file(diag, f))
        return false;
    l->handle = dlopen(f->path.p, RTLD_NOW | RTLD_LOCAL);
    if (l->handle == NULL) {
        error = dlerror();
        return fail(diag, f, error != NULL ? error : "it cannot be loaded");
    }
    return take_extension(diag, f, l);
}

/* "key=value" -> two terminated texts in `room`. */
static void split_properties(const struct config_filter *f, char **copies, const char **keys,
                             const char **values)
{
    for (size_t i = 0; i < f->n_properties; i++) {
        size_t at = (size_t)slice_find(f->properties[i], '=');

        memcpy(copies[i], f->properties[i].p, f->properties[i].n);
        copies[i][f->properties[i].n] = '\0';
        copies[i][at] = '\0';
        keys[i] = copies[i];
        values[i] = copies[i] + at + 1;
    }
}

static bool init_one(struct diag *diag, const struct config_filter *f, const struct loaded *l,
                     void **state)
{
    const char *keys[PROPERTIES_MAX], *values[PROPERTIES_MAX];
    char *copies[PROPERTIES_MAX] = {NULL}, error[ERROR_ROOM] = "", why[ERROR_ROOM + 32];
    struct cc_settings settings = {sizeof settings, f->name.p, f->n_properties, keys, values};
    int rc = 0;

    if (f->n_properties > PROPERTIES_MAX)
        return fail(diag, f, "it has more than 64 configProperties");
    for (size_t i = 0; rc == 0 && i < f->n_properties; i++) {
        copies[i] = malloc(f->properties[i].n + 1);
        rc = copies[i] == NULL;
    }
    if (rc == 0) {
        split_properties(f, copies, keys, values);
        rc = l->extension.init != NULL ? l->extension.init(state, &settings, error, sizeof error)
                                       : 0;
    }
    for (size_t i = 0; i < f->n_properties; i++)
        free(copies[i]);
    error[sizeof error - 1] = '\0';
    for (char *p = error; *p != '\0'; p++)
        if (ascii_is_control(*p))
            *p = '?';
    snprintf(why, sizeof why, "its init failed: %s",
             error[0] != '\0' ? error : "it does not say why");
    return rc == 0 || fail(diag, f, why);
}

static bool make_worker(const struct config_filter *f, const struct loaded *l,
                        struct enforce_filters *w, struct diag *diag)
{
    struct enforce_filter *item = &w->items[w->n];

    *item = (struct enforce_filter){.name = f->name,
                                    .extension = &l->extension,
                                    .position = (enum enforce_filter_position)f->position,
                                    .limit_us = (int64_t)f->time_limit_us};
    if (!init_one(diag, f, l, &item->state))
        return false;
    w->n++;
    return true;
}

static bool load_one(struct filters *all, const struct config_filter *f, struct diag *diag)
{
    struct loaded *l = &all->loaded[all->n++];

    if (!open_one(diag, f, l))
        return false;
    for (size_t w = 0; w < all->n_workers; w++)
        if (!make_worker(f, l, &all->workers[w], diag))
            return false;
    return true;
}

static const struct cc_extension *find(const struct filters *all, const struct config *config,
                                       struct slice name, const struct config_filter **f)
{
    for (size_t i = 0; i < config->n_filters; i++)
        if (slice_eq(config->filters[i].name, name))
            *f = &config->filters[i];
    for (size_t i = 0; all->n_workers > 0 && i < all->workers[0].n; i++)
        if (slice_eq(all->workers[0].items[i].name, name))
            return all->workers[0].items[i].extension;
    return NULL; /* cc-gen's to say */
}

/* What settings name must have the function that they name it for. */
static bool check_uses(const struct filters *all, const struct config *config, struct diag *diag)
{
    const struct cc_extension *e;
    const struct config_filter *f = NULL;
    bool good = true;

    if (config->jwt_generator.enabled && config->jwt_generator.generator.n > 0) {
        e = find(all, config, config->jwt_generator.generator, &f);
        if (e != NULL && e->on_backend_claims == NULL)
            good = fail(diag, f, "gatewayGeneratorImpl names it, and it has no on_backend_claims");
    }
    for (size_t i = 0; i < config->security.n_token_service; i++) {
        if (config->security.token_service[i].claim_transformer.n == 0)
            continue;
        e = find(all, config, config->security.token_service[i].claim_transformer, &f);
        if (e != NULL && e->on_claims == NULL)
            good = fail(diag, f, "a claimTransformer names it, and it has no on_claims");
    }
    return good;
}

int filters_new(struct filters **out, const struct config *config, size_t n_workers,
                struct diag *diag)
{
    struct filters *all = calloc(1, sizeof *all);
    bool good = true;
    int rc = CC_ENOMEM;

    if (all == NULL)
        goto out;
    all->n_workers = n_workers;
    all->workers = calloc(n_workers, sizeof *all->workers);
    if (all->workers == NULL)
        goto out;
    rc = CC_EREFUSED;
    if (config->n_filters > ENFORCE_MAX_FILTERS) {
        fail(diag, &config->filters[ENFORCE_MAX_FILTERS], "there are more than 16");
        goto out;
    }
    /* in the order of cc-gen's model */
    for (uint64_t position = 1; position <= 3; position++)
        for (size_t i = 0; i < config->n_filters; i++)
            if (config->filters[i].position == position)
                good = load_one(all, &config->filters[i], diag) && good;
    if (!good || !check_uses(all, config, diag))
        goto out;
    *out = all;
    all = NULL;
    rc = CC_OK;
out:
    filters_free(&all);
    return rc;
}

void filters_free(struct filters **pf)
{
    struct filters *all = *pf;

    *pf = NULL;
    if (all == NULL)
        return;
    for (size_t w = 0; all->workers != NULL && w < all->n_workers; w++)
        for (size_t i = 0; i < all->workers[w].n; i++)
            if (all->workers[w].items[i].extension->free != NULL)
                all->workers[w].items[i].extension->free(all->workers[w].items[i].state);
    for (size_t i = 0; i < all->n; i++)
        if (all->loaded[i].handle != NULL)
            dlclose(all->loaded[i].handle);
    free(all->workers);
    free(all);
}

const struct enforce_filters *filters_of(const struct filters *f, size_t worker)
{
    CC_ASSERT(worker < f->n_workers);
    return &f->workers[worker];
}
