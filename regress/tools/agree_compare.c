/* agree_compare: did the gateway do what `cc-gen explain` said?
 *
 *     agree_compare REQUESTS EXPLAINED ANSWERED LOG
 *
 * EXPLAINED is from `cc-gen explain --batch --json`, ANSWERED from agree_send, LOG is HAProxy's
 * access log, whose lines are found by the requests' ids: all three must say the same verdict,
 * code, backend and path of each request, who the gateway was to the endpoint, and the answer of a
 * mock API. Prints what differs. Fails also when the requests are too few of a kind for the test to
 * mean much. */
#include "crypto/crypto.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { MAX_LINES = 100000, ENOUGH = 5, SHOWN = 20 };

struct lines {
    json_t *items[MAX_LINES];
    size_t n;
};

struct compare {
    json_t *by_id; /* lines of the log */
    unsigned differences;
    const char *request;
    size_t number;
};

/* The JSON lines of a file; others (HAProxy's own words in a log) only when they are allowed. */
static void read_lines(const char *path, bool mixed, struct lines *out)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    out->n = 0;
    while (file != NULL && getline(&text, &room, file) > 0) {
        json_t *item = json_loads(text, 0, NULL);

        if (item != NULL && out->n < MAX_LINES)
            out->items[out->n++] = item;
        else if (!mixed)
            fprintf(stderr, "%s:%zu: not a line of JSON\n", path, out->n + 1);
    }
    free(text);
    if (file == NULL)
        perror(path);
    else
        fclose(file);
}

/* Text of a member; NULL when it is null, absent, or "-", which is how the log says so. */
static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL && strcmp(text, "-") != 0 ? text : NULL;
}

static void same(struct compare *c, const char *what, const char *said, const char *done)
{
    if ((said == NULL && done == NULL) || (said != NULL && done != NULL && strcmp(said, done) == 0))
        return;
    if (c->differences++ < SHOWN)
        printf("request %zu: %s: explain says %s, the gateway %s\n  %.200s\n", c->number, what,
               said != NULL ? said : "none", done != NULL ? done : "none", c->request);
}

/* Of a failover list the first endpoint is the one: all are up. */
static bool ends_at_port(const json_t *endpoints, bool first_only, const char *port)
{
    char prefix[64];
    size_t i;
    json_t *endpoint;

    snprintf(prefix, sizeof(prefix), "http://127.0.0.1:%s", port);
    json_array_foreach(endpoints, i, endpoint)
    {
        const char *url = json_string_value(endpoint);
        size_t n = strlen(prefix);

        if (strncmp(url, prefix, n) == 0 && (url[n] == '/' || url[n] == '\0'))
            return true;
        if (first_only)
            break;
    }
    return false;
}

static void compare_status(struct compare *c, const json_t *said, const json_t *done)
{
    json_int_t expected = json_is_null(json_object_get(said, "status"))
                              ? 200
                              : json_integer_value(json_object_get(said, "status"));
    char a[32], b[32];

    snprintf(a, sizeof(a), "%lld", (long long)expected);
    snprintf(b, sizeof(b), "%lld", (long long)json_integer_value(json_object_get(done, "status")));
    same(c, "status", a, b);
}

/* Of several endpoints each has its own Host, and explain does not know which one it will be. */
static void compare_host(struct compare *c, const json_t *said, const json_t *done)
{
    const char *host = text_of(said, "host"), *port = text_of(done, "port");
    char own[64];

    if (host == NULL && port != NULL) {
        snprintf(own, sizeof(own), "127.0.0.1:%s", port);
        host = own;
    }
    same(c, "host", host, text_of(done, "host"));
}

/* The value of the last header `name` of the request, and how many there are. */
static struct slice requested(const char *request, const char *name, unsigned *count)
{
    struct slice rest = slice_of(request), field, found, last = SLICE_NONE;

    *count = 0;
    while (slice_split(&rest, '\t', &field)) {
        if (slice_find(field, ':') < 0 || !slice_split(&field, ':', &found) ||
            !slice_eq_nocase(found, slice_of(name)))
            continue;
        last = slice_trim(field);
        (*count)++;
    }
    return last;
}

/* The endpoint gets its own credentials, alone; else what the client sent, unless that was the
 * token. agree_make gave the password of each user. */
static void compare_credentials(struct compare *c, const json_t *said, const json_t *done)
{
    const char *user = text_of(said, "credential_user"), *removed = text_of(said, "removed_header");
    char room[8192], number[16];
    unsigned count;
    struct slice sent = requested(c->request, "authorization", &count);
    struct buf b, plain;

    buf_init_fixed(&b, room, sizeof(room));
    if (user != NULL) {
        char pair[256];

        buf_init_fixed(&plain, pair, sizeof(pair));
        buf_printf(&plain, "%s:secret-of-%s", user, user);
        buf_add_str(&b, "Basic ");
        base64_encode(buf_slice(&plain), &b);
        count = 1;
    } else if (removed != NULL && strcmp(removed, "authorization") == 0) {
        count = 0;
    } else {
        buf_add(&b, sent);
    }
    buf_add_char(&b, '\0');
    if (buf_error(&b) != CC_OK)
        room[0] = '\0';
    snprintf(number, sizeof(number), "%u", count);
    same(c, "Authorization", room[0] != '\0' ? room : NULL, text_of(done, "authorization"));
    same(c, "lines of Authorization", number, text_of(done, "authorizations"));
}

/* Explained as a JSON object of headers, of which agree_make makes but one. */
static void compare_headers(struct compare *c, const json_t *said, const json_t *done)
{
    const char *text = text_of(said, "headers");
    json_t *headers = text != NULL ? json_loads(text, 0, NULL) : NULL;

    same(c, "header x-at", text_of(headers, "x-at"), text_of(done, "x-at"));
    json_decref(headers);
}

/* What the gateway itself says: a refusal, or the example of a mock API. */
static void compare_answer(struct compare *c, const json_t *said, const json_t *done)
{
    bool mock = strcmp(text_of(said, "verdict"), "answer") == 0;

    if (strncmp(c->request, "HEAD ", 5) != 0 && (mock || text_of(said, "body") != NULL))
        same(c, "body", text_of(said, "body"), text_of(done, "body"));
    if (!mock)
        return;
    same(c, "type", text_of(said, "type"), text_of(done, "type"));
    compare_headers(c, said, done);
}

/* The backend that HAProxy must have chosen. */
static const char *backend_of(const json_t *said, const char *verdict)
{
    if (strcmp(verdict, "allow") == 0)
        return text_of(said, "backend");
    return strcmp(verdict, "answer") == 0 ? "cc_mock" : "cc_refuse";
}

static void compare_one(struct compare *c, const json_t *said, const json_t *done)
{
    const char *verdict = text_of(said, "verdict"), *id = text_of(done, "id");
    const json_t *log = id != NULL ? json_object_get(c->by_id, id) : NULL;
    const char *port = text_of(done, "port");
    bool allowed = verdict != NULL && strcmp(verdict, "allow") == 0;

    if (verdict == NULL) {
        same(c, "verdict", NULL, "answered");
        return;
    }
    compare_status(c, said, done);
    same(c, "path", text_of(said, "path"), text_of(done, "path"));
    compare_host(c, said, done);
    if (text_of(done, "code") != NULL) /* an answer to HEAD has no body */
        same(c, "code in the body", text_of(said, "code"), text_of(done, "code"));
    same(c, "origin that may read", text_of(said, "cors_origin"), text_of(done, "cors_origin"));
    if (strcmp(verdict, "health") == 0)
        return; /* before HAProxy has an id to give away */
    if (log == NULL) {
        same(c, "line in the log", "one", NULL);
        return;
    }
    same(c, "verdict", verdict, text_of(log, "verdict"));
    same(c, "code", text_of(said, "code"), text_of(log, "code"));
    same(c, "backend", backend_of(said, verdict), text_of(log, "backend"));
    same(c, "resource", text_of(said, "resource"), text_of(log, "resource"));
    if (!allowed)
        same(c, "backend reached", NULL, port);
    else if (port == NULL || !ends_at_port(json_object_get(said, "endpoints"),
                                           json_is_true(json_object_get(said, "failover")), port))
        same(c, "endpoint", "one of the cluster's", port);
    if (!allowed) {
        compare_answer(c, said, done);
        return;
    }
    compare_credentials(c, said, done);
    if (text_of(said, "removed_header") != NULL && text_of(said, "credential_user") == NULL)
        same(c, "token that the backend got", NULL, text_of(done, text_of(said, "removed_header")));
}

/* Other things that must have happened a few times, among the requests that were let through. */
enum fact {
    SANDBOX,
    FAILOVER,
    BALANCED,
    CORS,
    DEFAULT_VERSION,
    CREDENTIALS,
    MOCK_BODY,
    MOCK_EMPTY,
    MOCK_HEADER,
    FACTS
};

static void count_answer(const json_t *said, unsigned *counts)
{
    counts[MOCK_BODY] += text_of(said, "body") != NULL;
    counts[MOCK_EMPTY] += text_of(said, "body") == NULL;
    counts[MOCK_HEADER] += text_of(said, "headers") != NULL;
}

static void count_facts(const json_t *said, unsigned *counts)
{
    const char *keytype = text_of(said, "keytype");
    const char *path = text_of(json_object_get(said, "request"), "path");
    const char *base = text_of(json_object_get(said, "api"), "base_path");
    bool several = json_array_size(json_object_get(said, "endpoints")) > 1;
    bool failover = json_is_true(json_object_get(said, "failover"));

    if (text_of(said, "verdict") != NULL && strcmp(text_of(said, "verdict"), "answer") == 0)
        count_answer(said, counts);
    if (text_of(said, "backend") == NULL)
        return;
    counts[CREDENTIALS] += text_of(said, "credential_user") != NULL;
    counts[SANDBOX] += keytype != NULL && strcmp(keytype, "SANDBOX") == 0;
    counts[FAILOVER] += several && failover;
    counts[BALANCED] += several && !failover;
    counts[CORS] += text_of(said, "cors_origin") != NULL;
    counts[DEFAULT_VERSION] +=
        path != NULL && base != NULL && strstr(path, "/1.0.0") == NULL && strlen(base) > 1;
}

static bool has_facts(const struct lines *said)
{
    static const char *const names[] = {
        "allow sandbox",      "allow failover",        "allow load balanced",
        "allow CORS",         "allow default version", "allow credentials of the endpoint",
        "answer with a body", "answer without a body", "answer with a header"};
    unsigned counts[FACTS] = {0};
    bool enough = true;

    for (size_t i = 0; i < said->n; i++)
        count_facts(said->items[i], counts);
    for (size_t k = 0; k < FACTS; k++) {
        printf("%6u %s\n", counts[k], names[k]);
        enough = enough && counts[k] >= ENOUGH;
    }
    return enough;
}

/* Each outcome there is must have happened a few times. */
static bool is_varied(const struct lines *said)
{
    static const char *const kinds[] = {"allow null -",    "deny 200 -",      "deny 204 -",
                                        "deny 400 400",    "deny 401 900901", "deny 401 900902",
                                        "deny 403 900910", "deny 404 404",    "deny 405 405",
                                        "answer 200 -",    "answer 204 -",    "answer 404 -",
                                        "deny 400 900870", "deny 501 900871"};
    unsigned counts[sizeof(kinds) / sizeof(kinds[0])] = {0};
    bool enough = true;

    for (size_t i = 0; i < said->n; i++) {
        const char *verdict = text_of(said->items[i], "verdict");
        const char *code = text_of(said->items[i], "code");
        const json_t *status = json_object_get(said->items[i], "status");
        char kind[64];

        snprintf(kind, sizeof(kind), "%s %.0lld%s %s", verdict != NULL ? verdict : "?",
                 (long long)json_integer_value(status), json_is_null(status) ? "null" : "",
                 code != NULL ? code : "-");
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
            counts[k] += strcmp(kind, kinds[k]) == 0;
    }
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        printf("%6u %s\n", counts[k], kinds[k]);
        enough = enough && counts[k] >= ENOUGH;
    }
    return enough;
}

static size_t read_requests(const char *path, char **out)
{
    FILE *file = fopen(path, "r");
    size_t n = 0, room = 0;

    while (file != NULL && n < MAX_LINES && getline(&out[n], &room, file) > 0) {
        out[n][strcspn(out[n], "\n")] = '\0';
        n++;
        room = 0;
    }
    if (file != NULL)
        fclose(file);
    return n;
}

static bool compare_all(struct compare *c, const struct lines *said, const struct lines *done,
                        char *const *requests, size_t n)
{
    bool varied;

    if (n == 0 || said->n != n || done->n != n) {
        printf("%zu requests, %zu explained, %zu answered\n", n, said->n, done->n);
        return false;
    }
    for (c->number = 1; c->number <= n; c->number++) {
        c->request = requests[c->number - 1];
        compare_one(c, said->items[c->number - 1], done->items[c->number - 1]);
    }
    varied = is_varied(said);
    varied = has_facts(said) && varied;
    printf("%zu requests, %u differences%s\n", n, c->differences,
           varied ? "" : "; too few of a kind");
    return c->differences == 0 && varied;
}

static void free_lines(struct lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        json_decref(l->items[i]);
}

int main(int argc, char **argv)
{
    static struct lines said, done, log;
    static char *requests[MAX_LINES + 1];
    struct compare c = {.by_id = json_object()};
    bool good = false;
    size_t n;

    if (argc != 5) {
        fputs("usage: agree_compare REQUESTS EXPLAINED ANSWERED LOG\n", stderr);
        return EX_USAGE;
    }
    n = read_requests(argv[1], requests);
    read_lines(argv[2], false, &said);
    read_lines(argv[3], false, &done);
    read_lines(argv[4], true, &log);
    for (size_t i = 0; i < log.n; i++) {
        const char *id = text_of(log.items[i], "id");

        if (id != NULL)
            json_object_set(c.by_id, id, log.items[i]);
    }
    good = compare_all(&c, &said, &done, requests, n);
    json_decref(c.by_id);
    free_lines(&said);
    free_lines(&done);
    free_lines(&log);
    for (size_t i = 0; i <= n; i++)
        free(requests[i]);
    return good ? EX_OK : EX_DATAERR;
}
