/* roles: an example of a claim transformer. The issuer names groups, "group1,group2", in the claim
 * `groups`; APIs want scopes. cc.yaml says which group is which scope. */
#include <cc_filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    size_t n;
    struct {
        char group[64], scope[64];
    } rows[16];
};

static int init(void **out, const struct cc_settings *settings, char *error, size_t size)
{
    struct state *s = calloc(1, sizeof *s);

    if (s == NULL || settings->n > sizeof s->rows / sizeof s->rows[0]) {
        snprintf(error, size, "configProperties has more than 16 lines GROUP: SCOPE");
        free(s);
        return -1;
    }
    for (size_t i = 0; i < settings->n; i++) {
        snprintf(s->rows[i].group, sizeof s->rows[i].group, "%s", settings->keys[i]);
        snprintf(s->rows[i].scope, sizeof s->rows[i].scope, "%s", settings->values[i]);
    }
    s->n = settings->n;
    *out = s;
    return 0;
}

/* Is `word` one of those between the commas? */
static bool has(struct cc_text list, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= list.n; i++)
        if (memcmp(list.p + i, word, n) == 0 && (i == 0 || list.p[i - 1] == ',') &&
            (i + n == list.n || list.p[i + n] == ','))
            return true;
    return false;
}

static enum cc_result on_claims(void *state, struct cc_claims *c)
{
    const struct state *s = state;
    struct cc_text groups = c->calls->get(c, "groups");
    char scopes[16 * 65];
    size_t n = 0;

    for (size_t i = 0; groups.p != NULL && i < s->n; i++)
        if (has(groups, s->rows[i].group))
            n += (size_t)snprintf(scopes + n, sizeof scopes - n, "%s%s", n > 0 ? " " : "",
                                  s->rows[i].scope);
    return c->calls->set(c, "scope", (struct cc_text){scopes, n}) ? CC_CONTINUE : CC_DENIED;
}

CC_EXPORT const struct cc_extension cc_extension = {
    CC_EXTENSION_HEAD, .name = "roles", .init = init, .free = free, .on_claims = on_claims};
