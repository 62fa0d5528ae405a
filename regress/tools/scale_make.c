/* scale_make: many API projects, the same ones each time, for measuring builds.
 *
 *     scale_make DIR N shared|distinct
 *
 * Writes DIR/pNNNNN for each of N APIs of 10 resources with two operations each, as an OpenAPI 3 document of
 * about 10 KiB with parameters, bodies and schemas. Their endpoints are the same few for all, or distinct. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { RESOURCES = 10, SHARED_ENDPOINTS = 10, TEXT_BYTES = 1 << 20 };

static const char *const templates[RESOURCES] = {
    "/orders",
    "/orders/{orderId}",
    "/orders/{orderId}/items",
    "/orders/{orderId}/items/{itemId}",
    "/customers",
    "/customers/{customerId}",
    "/customers/{customerId}/addresses",
    "/search",
    "/reports/{reportName}",
    "/files/*",
};

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "scale_make: %s\n", what);
    exit(EX_CANTCREAT);
}

static void write_text(const char *dir, const char *name, struct buf *text)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    need(buf_error(text) == CC_OK, "a text is too long");
    f = fopen(path, "w");
    need(f != NULL && fwrite(text->p, 1, text->n, f) == text->n && fclose(f) == 0, path);
    buf_reset(text);
}

static void add_api(struct buf *b, unsigned number, unsigned endpoint)
{
    buf_printf(b,
               "type: api\nversion: v4.1.0\ndata:\n  name: Service%u\n"
               "  context: /service%u\n  version: 1.0.0\n  provider: admin\n"
               "  lifeCycleStatus: PUBLISHED\n  type: HTTP\n  transport:\n    - http\n    - https\n"
               "  tags:\n    - orders\n  policies:\n    - Unlimited\n  securityScheme:\n    - oauth2\n"
               "  visibility: PUBLIC\n  endpointConfig:\n    endpoint_type: http\n"
               "    production_endpoints:\n      url: http://10.%u.%u.%u:8080/v1\n"
               "  endpointImplementationType: ENDPOINT\n",
               number, number, endpoint >> 16 & 255, endpoint >> 8 & 255, endpoint & 255);
}

/* The names in braces as parameters of the path. */
static void add_parameters(struct buf *b, const char *template)
{
    struct slice rest = slice_of(template), name;
    bool first = true;

    while (slice_split(&rest, '{', &name) && slice_split(&rest, '}', &name)) {
        if (first)
            buf_add_str(b, "    parameters:\n");
        first = false;
        buf_printf(b,
                   "      - name: %" PRIslice "\n        in: path\n        required: true\n"
                   "        description: Which one is meant.\n        schema:\n          type: string\n",
                   SLICE_ARG(name));
    }
}

static void add_operation(struct buf *b, const char *method, const char *scope, unsigned number)
{
    buf_printf(b,
               "    %s:\n      operationId: %s%u\n      summary: What %s does here\n"
               "      tags: [orders]\n      responses:\n        '200':\n"
               "          description: The thing that was asked for.\n"
               "          content:\n            application/json:\n              schema:\n"
               "                $ref: '#/components/schemas/Order'\n"
               "        default:\n          description: What went wrong.\n"
               "      security:\n        - default:\n            - orders:%s\n",
               method, method, number, method, scope);
}

static void add_document(struct buf *b, unsigned number)
{
    buf_printf(b, "openapi: 3.0.3\ninfo:\n  title: Service %u\n  version: 1.0.0\npaths:\n", number);
    for (unsigned i = 0; i < RESOURCES; i++) {
        buf_printf(b, "  %s:\n", templates[i]);
        add_parameters(b, templates[i]);
        add_operation(b, "get", "read", i);
        add_operation(b, "post", "write", i);
    }
    buf_add_str(b, "components:\n  securitySchemes:\n    default:\n      type: oauth2\n"
                   "      flows:\n        implicit:\n"
                   "          authorizationUrl: https://login.example.com/authorize\n"
                   "          scopes:\n            orders:read: read orders\n"
                   "            orders:write: change orders\n  schemas:\n    Order:\n"
                   "      type: object\n      required: [id, customer]\n      properties:\n");
    for (unsigned i = 0; i < 20; i++)
        buf_printf(b,
                   "        field%u:\n          type: string\n          maxLength: 64\n"
                   "          description: The field with number %u.\n",
                   i, i);
}

int main(int argc, char **argv)
{
    uint64_t n = 0;
    char dir[2048], below[2100];
    struct buf b;
    bool shared;

    if (argc != 4 || slice_to_u64(slice_of(argv[2]), &n) != CC_OK || n == 0 || n > 1000000 ||
        strlen(argv[1]) > 1024) {
        fputs("usage: scale_make DIR N shared|distinct\n", stderr);
        return EX_USAGE;
    }
    shared = strcmp(argv[3], "shared") == 0;
    buf_init(&b, TEXT_BYTES);
    for (unsigned i = 0; i < (unsigned)n; i++) {
        snprintf(dir, sizeof(dir), "%s/p%05u", argv[1], i);
        snprintf(below, sizeof(below), "%s/Definitions", dir);
        need(file_mkdirs(below, 0755) == CC_OK, below);
        add_api(&b, i, shared ? i % SHARED_ENDPOINTS : i);
        write_text(dir, "api.yaml", &b);
        add_document(&b, i);
        write_text(below, "swagger.yaml", &b);
    }
    buf_free(&b);
    return 0;
}
