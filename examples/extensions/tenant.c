/* tenant: an example of a filter. Requests say in X-Tenant for whom they are; cc.yaml says which
 * tenants there are, and which of them have endpoints of their own. The endpoint is told who the
 * user is; what a client puts into that header goes nowhere. */
#include <cc_filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What init makes of configProperties; one for each worker. */
struct state {
    size_t n;
    struct {
        char tenant[32], endpoints[32]; /* "" = those of the API */
    } rows[16];
};

static int init(void **out, const struct cc_settings *settings, char *error, size_t size)
{
    struct state *s = calloc(1, sizeof *s);

    if (s == NULL || settings->n == 0 || settings->n > sizeof s->rows / sizeof s->rows[0]) {
        snprintf(error, size, "configProperties must have 1 to 16 lines TENANT: ENDPOINTS");
        free(s);
        return -1;
    }
    for (size_t i = 0; i < settings->n; i++) {
        snprintf(s->rows[i].tenant, sizeof s->rows[i].tenant, "%s", settings->keys[i]);
        snprintf(s->rows[i].endpoints, sizeof s->rows[i].endpoints, "%s", settings->values[i]);
    }
    s->n = settings->n;
    *out = s;
    return 0;
}

static bool is(struct cc_text text, const char *word)
{
    return text.n == strlen(word) && memcmp(text.p, word, text.n) == 0;
}

static enum cc_result on_request(void *state, struct cc_request *r)
{
    const struct state *s = state;
    unsigned count;
    struct cc_text tenant = CC_CALLS(r)->header(r, "x-tenant", &count);
    struct cc_text user = CC_CALLS(r)->text(r, CC_USER);

    for (size_t i = 0; count == 1 && i < s->n; i++) {
        const char *endpoints = s->rows[i].endpoints;

        if (!is(tenant, s->rows[i].tenant))
            continue;
        if (endpoints[0] != '\0' &&
            !CC_CALLS(r)->route(r, (struct cc_text){endpoints, strlen(endpoints)})) {
            CC_CALLS(r)->reason(r, "the API has no endpoints for this tenant");
            CC_CALLS(r)->deny(r, 404, "710404", "No such tenant", "The API is not for this tenant");
            return CC_DENIED;
        }
        if (user.p != NULL && !CC_CALLS(r)->set_header(r, "x-user", user))
            break;
        CC_CALLS(r)->remove_header(r, "x-tenant");
        return CC_CONTINUE;
    }
    CC_CALLS(r)->reason(r, "no usable X-Tenant");
    CC_CALLS(r)->deny(r, 403, "710403", "Tenant unknown", "X-Tenant must name one tenant");
    return CC_DENIED;
}

CC_EXPORT const struct cc_extension cc_extension = {
    CC_EXTENSION_HEAD, .name = "tenant", .init = init, .free = free, .on_request = on_request};
