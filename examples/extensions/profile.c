/* profile: an example of a generator of the JWT for endpoints. The endpoint wants `roles` as a
 * list, made of the claim `groups` of the caller's token ("group1,group2"); wants to know whether
 * the request may change something; and is not told the claims that cc.yaml names in `drop`. */
#include <cc_filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
    size_t n;
    char drop[8][128];
};

static int init(void **out, const struct cc_settings *settings, char *error, size_t size)
{
    struct state *s = calloc(1, sizeof *s);
    const char *p, *end;

    if (s == NULL || settings->n != 1 || strcmp(settings->keys[0], "drop") != 0) {
        snprintf(error, size, "configProperties must be {drop: \"CLAIM CLAIM ...\"}");
        free(s);
        return -1;
    }
    for (p = settings->values[0]; *p != '\0' && s->n < 8; p = *end != '\0' ? end + 1 : end) {
        end = p + strcspn(p, " ");
        snprintf(s->drop[s->n++], sizeof s->drop[0], "%.*s", (int)(end - p), p);
    }
    *out = s;
    return 0;
}

/* "a,b" -> ["a","b"]. Names of other characters than these need no escapes in JSON. */
static bool make_list(struct cc_text groups, char *out, size_t size)
{
    size_t n = 0;

    if (groups.n > 1024)
        return false;
    n += (size_t)snprintf(out, size, "[\"");
    for (size_t i = 0; i < groups.n; i++) {
        char c = groups.p[i];

        if (c == ',')
            n += (size_t)snprintf(out + n, size - n, "\",\"");
        else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_')
            out[n++] = c;
        else
            return false;
    }
    snprintf(out + n, size - n, "\"]");
    return true;
}

static enum cc_result on_backend_claims(void *state, struct cc_backend_claims *c)
{
    const struct state *s = state;
    struct cc_text groups = c->calls->token(c, "groups");
    struct cc_text method = c->calls->text(c, CC_METHOD);
    bool reads = method.n == 3 && memcmp(method.p, "GET", 3) == 0;
    char list[4096] = "[]";

    for (size_t i = 0; i < s->n; i++)
        c->calls->remove(c, s->drop[i]);
    if (groups.n > 0 && !make_list(groups, list, sizeof list))
        return CC_DENIED;
    if (!c->calls->set_json(c, "roles", (struct cc_text){list, strlen(list)}) ||
        !c->calls->set_json(c, "changes",
                            (struct cc_text){reads ? "false" : "true", reads ? 5 : 4}))
        return CC_DENIED;
    return CC_CONTINUE;
}

/* `changes` depends on the method: a JWT is used for requests of one method alone. */
CC_EXPORT const struct cc_extension cc_extension = {CC_EXTENSION_HEAD,
                                                    .name = "profile",
                                                    .init = init,
                                                    .free = free,
                                                    .on_backend_claims = on_backend_claims,
                                                    .backend_facts = CC_FACT(CC_METHOD)};
