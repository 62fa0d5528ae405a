/* render: what HAProxy says itself when there is nobody else to answer. */
#include "gateway/soap.h"
#include "generator/render_quote.h"
#include "generator/render_row.h"

/* Bodies of errors that HAProxy itself makes: the contract's codes where it has one for the cause,
 * else the status. */
struct http_error {
    unsigned status;
    const char *code, *message, *description;
};

/* What can go wrong before a backend is chosen, where HAProxy's HTTP layer says so. */
static const struct http_error frontend_errors[] = {
    {403, "403", "Forbidden", "The request is not allowed."},
    {404, "404", "Not Found", "The requested resource is not available."},
    {405, "405", "Method Not Allowed", "The method is not allowed for the requested resource."},
    {429, "429", "Too Many Requests", "Too many requests."},
    {502, "102510", "Upstream connection termination", "The upstream did not answer completely."},
    {503, "503", "Service Unavailable", "The gateway cannot serve the request now."},
    {504, "102504", "Upstream connection timeout", "The upstream did not answer in time."},
};

/* What goes wrong where requests are parsed, below that layer: those need whole answers in files.
 */
static const struct http_error early_errors[] = {
    {400, "400", "Bad Request", "The request is not valid HTTP."},
    {408, "408", "Request Timeout", "The request did not arrive in time."},
    /* also: its length cannot be known, as of an HTTP/1.0 request with Transfer-Encoding */
    {413, "413", "Content Too Large", "The request is larger than the gateway accepts."},
    {422, "422", "Unprocessable Content", "The gateway does not know the Transfer-Encoding."},
    {500, "500", "Internal Server Error", "The gateway could not process the request."},
    {501, "501", "Not Implemented", "The gateway does not support the request."},
};
/* The same in newer versions only, older ones say 400. */
static const struct http_error newer_early_errors[] = {
    {414, "414", "URI Too Long", "The path is longer than the gateway accepts."},
    {431, "431", "Request Header Fields Too Large",
     "The headers are larger than the gateway accepts."},
};

/* What can go wrong between HAProxy and an API's servers. A 503 here is a server that could not be
 * reached: that there is none to try is told apart by a rule of its own (no_server). The template
 * has more to say about 502. */
static const struct http_error upstream_errors[] = {
    {400, "400", "Bad Request", "The request is not valid HTTP."},
    {408, "408", "Request Timeout", "The request did not arrive in time."},
    {413, "413", "Content Too Large", "The request is larger than the gateway accepts."},
    {500, "500", "Internal Server Error", "The gateway could not process the request."},
    {502, "102510", "Upstream connection termination", "The upstream did not answer completely."},
    {503, "102503", "Upstream connection failed", "The upstream could not be reached."},
    {504, "102504", "Upstream connection timeout", "The upstream did not answer in time."},
};

/* Between a frontend of the user's and the gateway, both in one HAProxy. */
static const struct http_error entry_errors[] = {
    {500, "500", "Internal Server Error", "The gateway could not process the request."},
    {502, "502", "Bad Gateway", "The gateway did not answer completely."},
    {503, "503", "Service Unavailable", "The gateway cannot serve the request now."},
    {504, "504", "Gateway Timeout", "The gateway did not answer in time."},
};

/* Bodies that rules of the templates send. */
static const struct {
    const char *name;
    struct http_error error;
} bodies[] = {
    /* No decision: the agent is away, too slow or talks nonsense. The code is that of the contract;
     * its status there is 500, but the cause is temporary (RFC 9110 15.6.4). */
    {"body_no_decision",
     {503, "102500", "Unclassified Validation Failure", "Error during validating the request"}},
    {"body_no_backend",
     {500, "102507", "Upstream not configured for the resource",
      "The decision names a backend that does not exist."}},
    {"body_no_server",
     {503, "102508", "No healthy upstream", "All servers of the upstream are down."}},
    {"body_unreachable",
     {503, "102503", "Upstream connection failed", "The upstream could not be reached."}},
    {"body_overflow",
     {503, "102505", "Upstream overflow", "The upstream has as many requests as it may have."}},
};

/* What 3.0 and newer can tell besides (see the template). */
static const struct http_error told_causes[] = {
    {400, "102513", "Stream idle timeout", "The rest of the request did not arrive in time."},
    {502, "102509", "Upstream connection reset by the remote",
     "The upstream reset the connection."},
    {502, "102515", "HTTP protocol error in upstream request",
     "What the upstream answered is not valid HTTP or too large."},
};

enum { FAULTS_MAX_BYTES = 64 << 10 };

static const char faults_name[] = "haproxy/faults.map";

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(COUNT(early_errors) + COUNT(newer_early_errors) == RENDER_ERROR_FILES,
               "a file for each");

/* {"code":"102503","message":...}: the contract's form of a router's own error. */
static struct slice error_body(struct arena *arena, const struct http_error *e)
{
    return arena_printf(arena, "{\"code\":\"%s\",\"message\":\"%s\",\"description\":\"%s\"}",
                        e->code, e->message, e->description);
}

/* HAProxy's expression for the error of a code as this client wants it, and that it was sent. */
static struct slice fault_expression(const struct render_context *ctx, const char *code)
{
    struct slice path = arena_printf(ctx->arena, "%s/%s", ctx->directory, faults_name), found;
    struct buf quoted;
    int rc = path.p != NULL ? CC_OK : CC_ENOMEM;

    buf_init(&quoted, 4 * path.n + 16);
    if (rc == CC_OK)
        rc = haproxy_quote(&quoted, path);
    found = rc != CC_OK ? SLICE_NONE
                        : arena_printf(ctx->arena,
                                       "%%[var(txn.ccin.soap,0),set-var(txn.ccin.faulted),"
                                       "concat(-%s),map(%" PRIslice ")]",
                                       code, SLICE_ARG(buf_slice(&quoted)));
    buf_free(&quoted);
    return found;
}

static int add_body(struct row *row, const char *name, const struct render_context *ctx,
                    const struct http_error *e)
{
    bool soap = ctx->config->adapter.soap_errors;
    struct slice body = soap ? fault_expression(ctx, e->code) : error_body(ctx->arena, e);

    add_text(row, name, soap ? TEMPLATE_WORD : TEMPLATE_FORMAT, body, PLACE_NONE);
    return body.p != NULL ? CC_OK : CC_ENOMEM;
}

static int add_errors(struct row *root, const char *name, const struct render_context *ctx,
                      const struct http_error *errors, size_t n)
{
    struct template_row *rows = rows_new(ctx->arena, n);
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!row_new(&row, ctx->arena, 2))
            return CC_ENOMEM;
        add_number(&row, "status", errors[i].status);
        if (add_body(&row, "body", ctx, &errors[i]) != CC_OK)
            return CC_ENOMEM;
        rows[i] = finished(&row);
    }
    add_list(root, name, rows, n);
    return CC_OK;
}

/* Below "haproxy/". */
static struct slice file_name(struct arena *arena, const struct http_error *e)
{
    return arena_printf(arena, "haproxy/errors/%u.http", e->status);
}

static int add_early_errors(struct row *root, const char *name, const struct render_context *ctx,
                            const struct http_error *errors, size_t n)
{
    struct template_row *rows = rows_new(ctx->arena, n);
    struct row row;

    if (rows == NULL)
        return CC_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct slice file = file_name(ctx->arena, &errors[i]);
        struct slice path =
            arena_printf(ctx->arena, "%s/%" PRIslice, ctx->directory, SLICE_ARG(file));

        if (file.p == NULL || path.p == NULL || !row_new(&row, ctx->arena, 2))
            return CC_ENOMEM;
        add_number(&row, "status", errors[i].status);
        add_word(&row, "file", path);
        rows[i] = finished(&row);
    }
    add_list(root, name, rows, n);
    return CC_OK;
}

static int add_soap(struct row *root, const struct render_context *ctx)
{
    struct slice by_code = SLICE("");

    add_bool(root, "soap", ctx->config->adapter.soap_errors);
    add_word(root, "soap_11_type", gw_soap_type(GW_SOAP_11));
    add_word(root, "soap_12_type", gw_soap_type(GW_SOAP_12));
    if (ctx->config->adapter.soap_errors)
        by_code = fault_expression(ctx, ",txn.ccin.fault");
    add_word(root, "fault_by_code", by_code);
    return by_code.p != NULL ? CC_OK : CC_ENOMEM;
}

int render_errors(struct row *root, const struct render_context *ctx)
{
    int rc = add_soap(root, ctx);

    for (size_t i = 0; i < COUNT(bodies) && rc == CC_OK; i++)
        rc = add_body(root, bodies[i].name, ctx, &bodies[i].error);
    if (rc == CC_OK)
        rc = add_errors(root, "frontend_errors", ctx, frontend_errors, COUNT(frontend_errors));
    if (rc == CC_OK)
        rc = add_errors(root, "upstream_errors", ctx, upstream_errors, COUNT(upstream_errors));
    if (rc == CC_OK)
        rc = add_errors(root, "entry_errors", ctx, entry_errors, COUNT(entry_errors));
    if (rc == CC_OK)
        rc = add_early_errors(root, "early_errors", ctx, early_errors, COUNT(early_errors));
    if (rc == CC_OK)
        rc = add_early_errors(root, "newer_early_errors", ctx, newer_early_errors,
                              COUNT(newer_early_errors));
    return rc;
}

/* A whole answer as `errorfile` wants it. Whoever gets one speaks no HTTP that could go on. */
static int error_file(struct render_file *file, struct arena *arena, const struct http_error *e)
{
    struct slice body = error_body(arena, e);

    *file = (struct render_file){
        .name = file_name(arena, e),
        .text = arena_printf(arena,
                             "HTTP/1.1 %u %s\r\n"
                             "Content-Type: application/json\r\n"
                             "Content-Length: %zu\r\n"
                             "Cache-Control: no-cache\r\n"
                             "Connection: close\r\n"
                             "\r\n"
                             "%" PRIslice,
                             e->status, e->message, body.n, SLICE_ARG(body)),
    };
    return body.p != NULL && file->name.p != NULL && file->text.p != NULL ? CC_OK : CC_ENOMEM;
}

int render_error_files(struct render_file *files, struct arena *arena)
{
    int rc = CC_OK;

    for (size_t i = 0; i < COUNT(early_errors) && rc == CC_OK; i++)
        rc = error_file(files++, arena, &early_errors[i]);
    for (size_t i = 0; i < COUNT(newer_early_errors) && rc == CC_OK; i++)
        rc = error_file(files++, arena, &newer_early_errors[i]);
    return rc;
}

/* "11-102503 <?xml ...": each error as JSON (0) and as a fault of both SOAPs. A code that is there
 * several times means the same each time. */
static int add_faults(struct buf *out, struct arena *arena, const struct http_error *e)
{
    struct slice json = error_body(arena, e);
    static const enum gw_soap soaps[] = {GW_SOAP_11, GW_SOAP_12};

    if (json.p == NULL)
        return CC_ENOMEM;
    buf_printf(out, "0-%s %" PRIslice "\n", e->code, SLICE_ARG(json));
    for (size_t i = 0; i < COUNT(soaps); i++) {
        buf_printf(out, "%d-%s ", (int)soaps[i], e->code);
        gw_soap_fault(out, soaps[i], slice_of(e->message), slice_of(e->code),
                      slice_of(e->description));
        buf_add_char(out, '\n');
    }
    return buf_error(out);
}

static int add_all_faults(struct buf *out, struct arena *arena)
{
    static const struct {
        const struct http_error *errors;
        size_t n;
    } lists[] = {{frontend_errors, COUNT(frontend_errors)},
                 {upstream_errors, COUNT(upstream_errors)},
                 {entry_errors, COUNT(entry_errors)},
                 {told_causes, COUNT(told_causes)}};
    int rc = CC_OK;

    for (size_t i = 0; i < COUNT(lists) && rc == CC_OK; i++)
        for (size_t k = 0; k < lists[i].n && rc == CC_OK; k++)
            rc = add_faults(out, arena, &lists[i].errors[k]);
    for (size_t i = 0; i < COUNT(bodies) && rc == CC_OK; i++)
        rc = add_faults(out, arena, &bodies[i].error);
    return rc;
}

int render_faults_file(struct render_file *file, const struct config *config, struct arena *arena)
{
    struct buf text;
    int rc;

    *file = (struct render_file){.name = SLICE("")};
    if (!config->adapter.soap_errors)
        return CC_OK;
    buf_init(&text, FAULTS_MAX_BYTES);
    rc = add_all_faults(&text, arena);
    if (rc == CC_OK)
        rc = render_text_file(file, faults_name, &text, arena);
    buf_free(&text);
    return rc;
}
