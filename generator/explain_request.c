#include "generator/explain_request.h"

#include <arpa/inet.h>
#include <time.h>

static bool is_visible(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ' || ascii_is_control(s.p[i]))
            return false;
    }
    return s.n > 0;
}

/* Cuts *rest at the first of the bytes in `ends`, which stay in *rest. */
static struct slice cut_at(struct slice *rest, const char *ends)
{
    size_t n = 0;
    struct slice head;

    while (n < rest->n && (rest->p[n] == '\0' || strchr(ends, rest->p[n]) == NULL))
        n++;
    head = slice_first(*rest, n);
    *rest = slice_from(*rest, n);
    return head;
}

/* Everything behind scheme and authority. Like a client, it sends no fragment. */
static void set_target(struct explain_request *r, struct slice rest)
{
    r->path = cut_at(&rest, "?#");
    if (rest.n > 0 && rest.p[0] == '?') {
        rest = slice_from(rest, 1);
        r->query = cut_at(&rest, "#");
    }
    if (r->path.n == 0)
        r->path = SLICE("/"); /* RFC 9110 4.2.3 */
}

const char *explain_request_init(struct explain_request *r, struct slice method, struct slice url)
{
    static const struct slice schemes[] = {SLICE_INIT("http://"), SLICE_INIT("https://")};
    struct slice rest = url;

    *r = (struct explain_request){.method = method, .url = url};
    if (!is_visible(method))
        return "the method is empty or has a space or control character";
    if (!is_visible(url))
        return "the URL is empty or has a space or control character";
    for (size_t i = 0; i < 2 && !r->is_absolute; i++) {
        if (!slice_eq_nocase(slice_first(url, schemes[i].n), schemes[i]))
            continue;
        r->is_absolute = true;
        rest = slice_from(url, schemes[i].n);
        r->host = cut_at(&rest, "/?#");
        if (slice_find(r->host, '@') >= 0)
            return "the URL has a user name; HTTP sends it as a header: write that";
        if (r->host.n == 0)
            return "the URL has no host";
    }
    if (!r->is_absolute && url.p[0] != '/' && !slice_is(url, "*"))
        return "the URL begins with neither http://, https:// nor '/'";
    set_target(r, rest);
    return NULL;
}

/* RFC 9110 5.6.2 */
static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) &&
            (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
            return false;
    }
    return s.n > 0;
}

static struct slice lower(struct slice s, struct arena *arena)
{
    char *p = arena_alloc(arena, s.n);

    if (p == NULL)
        return SLICE_NONE;
    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(s.p[i]);
    return slice_make(p, s.n);
}

const char *explain_request_header(struct explain_request *r, struct slice line,
                                   struct arena *arena)
{
    struct slice value = line, name;

    if (slice_find(line, ':') < 0 || !slice_split(&value, ':', &name) || !is_token(name))
        return "a header is written as 'Name: value'";
    value = slice_trim(value);
    if (slice_has_control(value))
        return "the value of a header has a control character";
    if (r->n_headers == EXPLAIN_MAX_HEADERS)
        return "there are more headers than HAProxy takes";
    name = lower(name, arena);
    if (name.p == NULL)
        return "there is no memory for its headers";
    if (slice_is(name, "host")) {
        if (r->has_host)
            return "there is more than one Host header";
        r->has_host = true;
        r->host = value;
    }
    r->headers[r->n_headers++] = (struct explain_header){name, value};
    return NULL;
}

const char *explain_request_check(const struct explain_request *r)
{
    return r->is_absolute || r->has_host ? NULL : "a URL that begins with '/' needs a header Host";
}

const char *explain_request_line(struct explain_request *r, struct slice line, struct arena *arena)
{
    struct slice rest = line, part, method;
    const char *fault;

    if (line.n > EXPLAIN_MAX_BYTES)
        return "the line is longer than 64 KiB";
    slice_split(&rest, '\t', &part);
    if (!slice_split(&part, ' ', &method) || part.p == NULL)
        return "a request is written as METHOD URL";
    fault = explain_request_init(r, method, slice_trim(part));
    while (fault == NULL && slice_split(&rest, '\t', &part))
        fault = explain_request_header(r, part, arena);
    return fault != NULL ? fault : explain_request_check(r);
}

/* The http-request del-header lines of haproxy-templates/cc.cfg.tmpl that stand before the question
 * to the agent; a test holds the two together. */
bool explain_is_removed(struct slice name)
{
    static const char *const prefixes[] = {
        "x-cc-", "x-cc_",   "x_cc",    "x-wso2",      "x_wso2",      "x-envoy", "x_envoy", "x-jwt",
        "x_jwt", "x-trace", "x_trace", "x-forwarded", "x_forwarded", "x-real",  "x_real",
    };

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (slice_starts(name, slice_of(prefixes[i])))
            return true;
    }
    return slice_is(name, "forwarded");
}

struct slice explain_request_headers(const struct explain_request *r, const struct gw_model *model,
                                     struct enforce_header *out)
{
    struct slice removed = SLICE_NONE;

    for (size_t i = 0; i < model->n_headers; i++) {
        out[i] = (struct enforce_header){.count = 0};
        for (size_t k = 0; k < r->n_headers; k++) {
            const struct explain_header *h = &r->headers[k];

            if (!slice_eq(h->name, model->headers[i]))
                continue;
            if (explain_is_removed(h->name))
                removed = h->name;
            else if (out[i].count++ == 0)
                out[i].value = h->value;
            else if (out[i].count <= 1 + ENFORCE_MORE_LINES)
                out[i].more[out[i].count - 2] = h->value;
        }
    }
    return removed;
}

int explain_ip(struct slice text, struct arena *arena, struct slice *out)
{
    char given[INET6_ADDRSTRLEN], usual[INET6_ADDRSTRLEN];
    struct in6_addr address;
    int family = slice_find(text, ':') >= 0 ? AF_INET6 : AF_INET;

    if (text.n == 0 || text.n >= sizeof(given) || slice_has_control(text))
        return CC_EPARSE;
    memcpy(given, text.p, text.n);
    given[text.n] = '\0';
    if (inet_pton(family, given, &address) != 1 ||
        inet_ntop(family, &address, usual, sizeof(usual)) == NULL)
        return CC_EPARSE;
    *out = arena_dup(arena, slice_of(usual));
    return out->p != NULL ? CC_OK : CC_ENOMEM;
}
