#include "spoa/reload.h"

#include "fetch/key_file.h"
#include "spoa/dispatch.h"
#include "spoa/thread.h"
#include "subs/subs_read.h"

#include <pthread.h>
#include <stdlib.h>

/* The texts of files that something is wrong in. */
#define FINDINGS_MAX ((size_t)1 << 30)

struct reload {
    const char *path, *subs_path;
    struct ev_loop *loop;
    ev_async done;
    void (*callback)(void *context, struct reload_result result);
    void *context;
    pthread_t thread;
    bool running, again; /* the main thread's */
    /* the loader's until it sends `done`; pthread_join() makes it visible to the main thread */
    struct reload_result result;
};

/* Its file is read with each snapshot, so that one build changes both. */
static int load_signing_key(struct enforce_rules *rules, struct diag *diag)
{
    const struct gw_key_pair *pair =
        gw_backend_jwt_signing(&enforce_rules_model(rules)->backend_jwt);
    struct key *key = NULL;
    char path[4096];
    struct buf b;

    if (pair == NULL)
        return CC_OK;
    buf_init_fixed(&b, path, sizeof path);
    buf_add(&b, pair->private_key);
    if (key_file_read(&key, path, KEY_FILE_GROUP_READS, PLACE_NONE, diag) != CC_OK)
        return CC_EREFUSED;
    if (enforce_rules_set_signing_key(rules, key) == CC_OK)
        return CC_OK;
    diag_help(diag_error(diag, CC4004, PLACE_NONE,
                         "the private key %s does not belong to the certificate in the snapshot",
                         path),
              "build again when both files are in place");
    return CC_EREFUSED;
}

int rules_load(struct enforce_rules **out, const char *path, struct diag *diag)
{
    struct gw_snapshot *snapshot = NULL;
    const struct gw_model *model;
    int rc = gw_snapshot_read_file(&snapshot, path, diag);

    if (rc != CC_OK)
        goto out;
    model = gw_snapshot_model(snapshot);
    if (model->n_headers > GW_MAX_HEADERS) {
        diag_error(diag, CC6001, PLACE_NONE,
                   "%s asks for %zu request headers; one SPOP message carries at most %d", path,
                   model->n_headers, (int)GW_MAX_HEADERS);
        rc = CC_EREFUSED;
        goto out;
    }
    rc = enforce_rules_new(out, snapshot, diag);
    if (rc == CC_OK)
        rc = load_signing_key(*out, diag);
    if (rc != CC_OK)
        enforce_rules_unref(out);
out:
    gw_snapshot_unref(&snapshot);
    return rc;
}

static void load_rules(struct reload *r)
{
    struct diag *diag = diag_new();
    int rc = CC_ENOMEM;

    if (diag != NULL) {
        rc = rules_load(&r->result.rules, r->path, diag);
        diag_log(diag);
    }
    if (rc != CC_OK)
        log_error("snapshot %s refused (%s); the one in use stays", r->path, cc_strerror(rc));
    diag_free(&diag);
}

static void load_subs(struct reload *r)
{
    struct arena *arena = arena_new(FINDINGS_MAX);
    struct diag *diag = diag_new();
    int rc = CC_ENOMEM;

    if (arena != NULL && diag != NULL) {
        rc = subs_read(&r->result.subs, r->subs_path, arena, diag);
        diag_log(diag);
    }
    if (rc != CC_OK)
        log_error("subscriptions in %s refused (%s); those in use stay", r->subs_path,
                  cc_strerror(rc));
    diag_free(&diag);
    arena_free(&arena);
}

static void *load(void *arg)
{
    struct reload *r = arg;
    int64_t start_us = clock_mono_us(&clock_system);

    r->result = (struct reload_result){0};
    load_rules(r);
    if (r->subs_path != NULL)
        load_subs(r);
    r->result.took_ms = (clock_mono_us(&clock_system) - start_us) / 1000;
    ev_async_send(r->loop, &r->done);
    return NULL;
}

static void finish(struct reload *r)
{
    pthread_join(r->thread, NULL);
    r->running = false;
}

static void on_done(struct ev_loop *loop, ev_async *done, int revents)
{
    struct reload *r = done->data;

    (void)loop;
    (void)revents;
    if (!r->running)
        return;
    finish(r);
    r->callback(r->context, r->result);
    if (r->again)
        reload_start(r);
}

void reload_start(struct reload *r)
{
    int error;

    if (r->running) {
        r->again = true;
        return;
    }
    r->again = false;
    error = thread_start(&r->thread, load, r);
    r->running = error == 0;
    if (error != 0)
        log_error("cannot reload: no thread: %s", strerror(error));
}

int reload_new(struct reload **out, struct ev_loop *loop, const char *path, const char *subs_path,
               void (*done)(void *context, struct reload_result result), void *context)
{
    struct reload *r = calloc(1, sizeof *r);

    if (r == NULL)
        return CC_ENOMEM;
    *r = (struct reload){
        .path = path, .subs_path = subs_path, .loop = loop, .callback = done, .context = context};
    r->done.data = r;
    ev_async_init(&r->done, on_done);
    ev_async_start(loop, &r->done);
    *out = r;
    return CC_OK;
}

void reload_free(struct reload **pr)
{
    struct reload *r = *pr;

    if (r == NULL)
        return;
    if (r->running) {
        finish(r);
        enforce_rules_unref(&r->result.rules);
        subs_unref(&r->result.subs);
    }
    ev_async_stop(r->loop, &r->done);
    free(r);
    *pr = NULL;
}
