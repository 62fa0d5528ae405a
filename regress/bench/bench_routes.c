/* Route look-ups, path normalisation included, with 10, 1,000 and 10,000 APIs of 10 resources each.
 *
 * Every look-up is for a random path of a random API. The list of requests is as long in each case
 * and larger than the caches, so that the cases differ in the number of APIs alone. A round goes
 * through the whole list in chunks; cases take turns. Of each chunk the fastest run counts, in
 * processor time, because other load on the machine only ever adds. */
#include "gateway/path.h"
#include "gateway/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REQUESTS = 400000, CHUNKS = 8, ROUNDS = 25, RESOURCES = 10 };

static const char *const templates[RESOURCES] = {
    "/orders",
    "/orders/{orderId}",
    "/orders/{orderId}/items",
    "/orders/{orderId}/items/{itemId}",
    "/customers",
    "/customers/{customerId}",
    "/customers/{customerId}/addresses",
    "/search",
    "/reports/{name}.pdf",
    "/files/*",
};

/* One request for each template; %u is a random number. */
static const char *const requests[RESOURCES] = {
    "/orders",       "/orders/%u",           "/orders/%u/items", "/orders/%u/items/3",
    "/customers",    "/customers/%u",        "/customers/%u/addresses",
    "/search",       "/reports/y%u.pdf",     "/files/2022/%u/a.png",
};

static const char *const names[] = {"petstore", "billing", "hr", "inventory", "payments",
                                    "tracking", "identity-provider", "crm"};

struct bench {
    unsigned n_apis;
    struct arena *arena;
    struct gw_route_table *table;
    struct slice *paths;
    double best_ns[CHUNKS]; /* a look-up */
    size_t misses;
};

/* xorshift: the same requests in each run. */
static uint32_t next_random(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

static struct slice base_path(struct arena *arena, unsigned api)
{
    return arena_printf(arena, "/%s%u/1.%u.0", names[api % 8], api / 8, api % 3);
}

static void build_table(struct bench *b)
{
    static const struct gw_operation get = {.method = GW_GET};
    struct gw_api *apis = arena_array(b->arena, b->n_apis, sizeof(*apis));
    struct gw_model *model = arena_alloc(b->arena, sizeof(*model));
    struct diag *diag = diag_new();

    CC_ASSERT(apis != NULL && model != NULL && diag != NULL);
    for (unsigned i = 0; i < b->n_apis; i++) {
        struct gw_resource *r = arena_array(b->arena, RESOURCES, sizeof(*r));

        CC_ASSERT(r != NULL);
        for (unsigned k = 0; k < RESOURCES; k++)
            r[k] = (struct gw_resource){
                .template = slice_of(templates[k]), .operations = &get, .n_operations = 1};
        apis[i].vhost = SLICE("api.example.com");
        apis[i].base_path = base_path(b->arena, i);
        apis[i].resources = r;
        apis[i].n_resources = RESOURCES;
    }
    model->apis = apis;
    model->n_apis = b->n_apis;
    CC_ASSERT(gw_route_table_new(&b->table, model, diag) == CC_OK);
    diag_free(&diag);
}

static void make_requests(struct bench *b)
{
    b->paths = arena_array(b->arena, REQUESTS, sizeof(*b->paths));
    CC_ASSERT(b->paths != NULL);
    for (unsigned i = 0; i < REQUESTS; i++) {
        unsigned api = next_random() % b->n_apis, number = next_random() % 1000000;
        char tail[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(tail, sizeof(tail), requests[next_random() % RESOURCES], number);
#pragma GCC diagnostic pop
        b->paths[i] = arena_printf(b->arena, "/%s%u/1.%u.0%s", names[api % 8], api / 8, api % 3,
                                   tail);
        CC_ASSERT(b->paths[i].p != NULL);
    }
}

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_chunk(struct bench *b, unsigned chunk)
{
    const unsigned n = REQUESTS / CHUNKS;
    const struct slice *paths = b->paths + chunk * n;
    char room[GW_PATH_MAX];
    double start = cpu_ns(), ns;

    for (unsigned i = 0; i < n; i++) {
        struct gw_route route;
        struct slice path;

        if (gw_path_normalize(paths[i], room, &path) != GW_PATH_OK ||
            !gw_route_find(b->table, SLICE("api.example.com"), path, &route))
            b->misses++;
    }
    ns = (cpu_ns() - start) / n;
    if (b->best_ns[chunk] <= 0 || ns < b->best_ns[chunk])
        b->best_ns[chunk] = ns;
}

static double mean_ns(const struct bench *b)
{
    double sum = 0;

    for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
        sum += b->best_ns[chunk];
    return sum / CHUNKS;
}

int main(void)
{
    struct bench cases[] = {{.n_apis = 10}, {.n_apis = 1000}, {.n_apis = 10000}};
    const size_t n = sizeof(cases) / sizeof(cases[0]);
    size_t misses = 0;

    for (size_t i = 0; i < n; i++) {
        cases[i].arena = arena_new(SIZE_MAX);
        CC_ASSERT(cases[i].arena != NULL);
        build_table(&cases[i]);
        make_requests(&cases[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < n; i++)
            for (unsigned chunk = 0; chunk < CHUNKS; chunk++)
                run_chunk(&cases[i], chunk);
    }
    printf("%8s %12s %10s %12s %12s\n", "APIs", "ns/look-up", "ratio", "table bytes", "per API");
    for (size_t i = 0; i < n; i++) {
        size_t bytes = gw_route_table_bytes(cases[i].table);

        printf("%8u %12.1f %10.2f %12zu %12zu\n", cases[i].n_apis, mean_ns(&cases[i]),
               mean_ns(&cases[i]) / mean_ns(&cases[0]), bytes, bytes / cases[i].n_apis);
        misses += cases[i].misses;
        gw_route_table_free(&cases[i].table);
        arena_free(&cases[i].arena);
    }
    if (misses > 0)
        printf("%zu look-ups found nothing: the figures mean nothing\n", misses);
    return misses > 0;
}
