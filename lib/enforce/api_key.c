#include "enforce/api_key.h"

#include "enforce/permitted.h"
#include "enforce/query.h"
#include "enforce/token.h"

static enum credential_state not_usable(struct attempt *a, const struct gw_need *need,
                                        const char *text)
{
    token_refuse_at(a, REFUSE_BAD_API_KEY, need->name, text);
    return CREDENTIAL_REFUSED;
}

static enum credential_state absent(struct attempt *a, const struct gw_need *need, const char *text)
{
    token_refuse_at(a, REFUSE_NO_CREDENTIAL, need->name, text);
    return CREDENTIAL_ABSENT;
}

enum credential_state api_key_find_in_header(struct attempt *a, const struct gw_need *need,
                                             struct slice *text)
{
    const struct enforce_header *h = rules_find_header(a->rules, a->request, need->name);

    TRACE_STEP(a->trace, CREDENTIAL, need->origin);
    if (h == NULL || (*text = slice_trim(h->value)).n == 0)
        return absent(a, need, "the header is missing");
    if (h->count > 1) /* two parties could pick different ones */
        return not_usable(a, need, "the header is there more than once");
    TRACE_SAY(a->trace, "an API key, in the header %" PRIslice, SLICE_ARG(need->name));
    return CREDENTIAL_GOOD;
}

enum credential_state api_key_find_in_query(struct attempt *a, const struct gw_need *need,
                                            struct slice *text)
{
    unsigned n = query_find(a->request->query, need->name, text);

    TRACE_STEP(a->trace, CREDENTIAL, need->origin);
    if (n == 0 || (n == 1 && text->n == 0))
        return absent(a, need, "the query parameter is missing");
    if (n > 1)
        return not_usable(a, need, "the query parameter is there more than once");
    TRACE_SAY(a->trace, "an API key, in the query parameter %" PRIslice, SLICE_ARG(need->name));
    return CREDENTIAL_GOOD;
}

static bool not_permitted(struct attempt *a, const char *text)
{
    return attempt_refuse(a, REFUSE_NOT_PERMITTED, text, a->out->operation->origin);
}

/* Both lists, where there are both. */
static bool check_permitted(struct attempt *a, const struct grant *g)
{
    const struct enforce_header *h;
    struct slice referer = SLICE("");

    if (slice_trim(g->permitted_ip).n == 0 && slice_trim(g->permitted_referer).n == 0)
        return true;
    h = rules_find_header(a->rules, a->request, SLICE("referer"));
    if (h != NULL && h->count == 1)
        referer = h->value;
    TRACE_STEP(a->trace, PERMITTED, a->out->operation->origin);
    TRACE_SAY(a->trace, "permittedIP '%" PRIslice "', permittedReferer '%" PRIslice "'",
              SLICE_ARG(slice_first(g->permitted_ip, 512)),
              SLICE_ARG(slice_first(g->permitted_referer, 512)));
    if (!permitted_address(g->permitted_ip, a->request->has_src ? &a->request->src : NULL))
        return not_permitted(a, a->request->has_src
                                    ? "permittedIP does not name the client's address"
                                    : "permittedIP, and the client's address is not known");
    return permitted_referer(g->permitted_referer, referer) ||
           not_permitted(a, "permittedReferer does not name the request's Referer");
}

bool api_key_open(struct attempt *a, const struct gw_need *need, struct slice text,
                  struct grant *out)
{
    (void)need;
    return token_open_as(a, GW_API_KEY, text, out) && check_permitted(a, out);
}
