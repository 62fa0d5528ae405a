/* explain: the key sets that the agent has fetched, as it saved them. */
#include "fetch/jwks_saved.h"
#include "generator/explain.h"

static bool is_listed(const struct live_jwks *list, size_t n, struct slice url)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i].url, url))
            return true;
    return false;
}

/* A set that was not saved, or that is damaged, is not known: the decision says so. */
static void add_saved(struct explainer *e, const char *directory, struct slice url,
                      struct live_jwks *list, size_t *n)
{
    struct jwks_saved saved;
    struct jwks *set = NULL;

    if (*n == LIVE_MAX_JWKS || url.n == 0 || is_listed(list, *n, url) ||
        jwks_saved_read(directory, url, e->view->work.arena, &saved) != CC_OK ||
        jwks_parse(&set, saved.body, url, NULL) != CC_OK)
        return;
    list[*n] = (struct live_jwks){url, LIVE_JWKS_USABLE, set, (unsigned)*n};
    ++*n;
}

int explainer_load_keys(struct explainer *e, const char *directory)
{
    struct live_jwks list[LIVE_MAX_JWKS] = {{.set = NULL}};
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < e->view->model->n_issuers; i++)
        add_saved(e, directory, e->view->model->issuers[i].jwks_url, list, &n);
    rc = enforce_live_new(&e->live, list, n);
    for (size_t i = 0; i < n; i++)
        jwks_unref(&list[i].set);
    return rc;
}
