/* Loading a snapshot of 1,000 and 10,000 APIs of 10 resources each: time, and memory of the process
 * that holds it. Each load is a process of its own (this program again, with the file as argument),
 * so that memory is counted from nothing. */
#include "gateway/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RESOURCES = 10 };

static const struct source source = {.name = "projects/api/Definitions/swagger.yaml"};
static const struct slice scopes[] = {SLICE_INIT("orders:read"), SLICE_INIT("orders:write")};
static const struct slice headers[] = {SLICE_INIT("authorization")};

static const char *const templates[RESOURCES] = {
    "/orders",    "/orders/{orderId}",       "/orders/{orderId}/items",
    "/customers", "/customers/{customerId}", "/customers/{customerId}/addresses",
    "/search",    "/reports/{name}.pdf",     "/files/*",
    "/orders/{orderId}/items/{itemId}",
};

/* Every resource has a GET and a POST with a scope. */
static void fill_resources(struct arena *a, struct gw_api *api, unsigned number)
{
    struct gw_resource *r = arena_array(a, RESOURCES, sizeof(*r));
    struct gw_operation *op = arena_array(a, 2 * RESOURCES, sizeof(*op));
    struct gw_requirement *q = arena_array(a, 2 * RESOURCES, sizeof(*q));
    struct gw_need *need = arena_array(a, 2 * RESOURCES, sizeof(*need));

    CC_ASSERT(r != NULL && op != NULL && q != NULL);
    for (unsigned i = 0; i < 2 * RESOURCES; i++) {
        struct place origin = {&source, number % 5000 + i, 7};

        need[i] = (struct gw_need){GW_TOKEN, SLICE(""), &scopes[i % 2], 1, origin};
        q[i] = (struct gw_requirement){&need[i], 1, origin};
        op[i] = (struct gw_operation){.method = i % 2 ? GW_POST : GW_GET, .requirements = &q[i],
                                      .n_requirements = 1, .origin = origin};
        if (i % 2 == 0)
            r[i / 2] = (struct gw_resource){.template = slice_of(templates[i / 2]),
                                            .operations = &op[i], .n_operations = 2,
                                            .origin = origin};
    }
    api->resources = r;
    api->n_resources = RESOURCES;
}

static void write_snapshot(const char *path, unsigned n)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct gw_api *apis = arena_array(a, n, sizeof(*apis));
    struct gw_cluster *clusters = arena_array(a, n, sizeof(*clusters));
    struct gw_endpoint *endpoints = arena_array(a, n, sizeof(*endpoints));
    struct gw_model model = {.generation = 1, .headers = headers, .n_headers = 1, .apis = apis,
                             .n_apis = n, .clusters = clusters, .n_clusters = n};
    struct buf text;

    CC_ASSERT(apis != NULL && clusters != NULL && endpoints != NULL);
    for (unsigned i = 0; i < n; i++) {
        endpoints[i] = (struct gw_endpoint){.host = arena_printf(a, "backend-%u.internal", i),
                                            .port = 8080, .path = SLICE("/v1")};
        clusters[i] = (struct gw_cluster){.name = arena_printf(a, "cc_b_%012x", i),
                                          .endpoints = &endpoints[i],
                                          .n_endpoints = 1};
        apis[i] = (struct gw_api){.id = arena_printf(a, "%040x", i),
                                  .name = arena_printf(a, "service%u", i),
                                  .version = SLICE("1.0.0"), .vhost = SLICE("api.example.com"),
                                  .base_path = arena_printf(a, "/service%u/1.0.0", i),
                                  .auth_header = SLICE("authorization"),
                                  .production = &clusters[i], .origin = {&source, 1, 1}};
        fill_resources(a, &apis[i], i);
    }
    buf_init(&text, GW_SNAPSHOT_MAX_BYTES);
    CC_ASSERT(gw_snapshot_write(&model, &text) == CC_OK);
    CC_ASSERT(file_write_atomic(path, buf_slice(&text), 0600) == CC_OK);
    buf_free(&text);
    arena_free(&a);
}

/* Processor time of this process: other load on the machine does not count. */
static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Resident memory, from the kernel. */
static long resident_kib(const char *field)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[128];
    long kib = 0;

    CC_ASSERT(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtol(line + strlen(field) + 1, NULL, 10);
    }
    fclose(f);
    return kib;
}

static int load(const char *path)
{
    struct diag *diag = diag_new();
    struct gw_snapshot *s = NULL;
    long before = resident_kib("VmRSS");
    int64_t start = clock_mono_us(&clock_system);
    double ms, cpu = cpu_ms();

    CC_ASSERT(diag != NULL);
    if (gw_snapshot_read_file(&s, path, diag) != CC_OK) {
        diag_print(diag, stderr, false);
        return 1;
    }
    ms = (double)(clock_mono_us(&clock_system) - start) / 1000.0;
    printf("%8zu %10.0f %10.0f %12ld %12ld %12ld\n", gw_snapshot_model(s)->n_apis, ms,
           cpu_ms() - cpu, before, resident_kib("VmRSS"), resident_kib("VmHWM"));
    gw_snapshot_unref(&s);
    diag_free(&diag);
    return 0;
}

static bool load_apart(const char *program, const char *path)
{
    int status = 1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        execl(program, program, path, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {1, 1000, 10000};
    char path[] = "/tmp/bench_snapshot.XXXXXX";
    bool ok = true;
    int fd;

    if (argc > 1)
        return load(argv[1]);
    fd = mkstemp(path);
    CC_ASSERT(fd >= 0);
    close(fd);
    printf("%8s %10s %10s %12s %12s %12s\n", "APIs", "load ms", "CPU ms", "before KiB", "RSS KiB",
           "peak KiB");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        write_snapshot(path, sizes[i]);
        ok = load_apart("/proc/self/exe", path) && ok;
    }
    unlink(path);
    return ok ? 0 : 1;
}
