/* What counting costs: nanoseconds of CPU for one request under five levels, one of which is
 * everybody's or all of which are somebody's own.
 *
 *     bench_counter [SECONDS]      how long each line is measured; default 1 */
#include "throttle/counter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LEVELS = 5, MAX_THREADS = 4, SPREAD = 20000, BATCH = 2000 };

static double seconds_each = 1;
static struct counter_table *table;

static const struct counter_rule rules[2] = {
    {.max = UINT64_C(1) << 50, .window_ms = 60000},
    {.max = UINT64_C(1) << 50, .window_ms = 60000, .window = COUNTER_SLIDING},
};

struct job {
    pthread_t thread;
    const struct counter_rule *rule;
    bool hot;
    unsigned seed;
    size_t done;
    double cpu_s;
};

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Texts as long as those of a gateway: API, resource, subscription, application, custom. */
static void make_limits(const struct job *job, unsigned who, char texts[LEVELS][96],
                        struct counter_limit *limits)
{
    unsigned id = job->hot ? 0 : who;

    snprintf(texts[0], 96, "api:50KPerMin:/petstore/%u:1.0.0", id);
    snprintf(texts[1], 96, "resource:10KPerMin:/petstore/1.0.0/pets/{id}/visits:GET:%u", id);
    snprintf(texts[2], 96, "subscription:Gold:2c9d1f0e-64d0-4a52-a0cd-5f0c6b%06u:/petstore:1.0.0",
             id);
    snprintf(texts[3], 96, "application:50PerMin:2c9d1f0e-64d0-4a52-a0cd-%u:alice@carbon.super",
             id);
    snprintf(texts[4], 96, "custom:per-address:192.0.2.%u", id);
    for (unsigned i = 0; i < LEVELS; i++)
        limits[i] = (struct counter_limit){job->rule, slice_of(texts[i]), NULL};
}

static void *run_job(void *arg)
{
    struct job *job = arg;
    enum { OWN = 64 };
    static _Thread_local char texts[OWN][LEVELS][96];
    static _Thread_local struct counter_limit limits[OWN][LEVELS];
    struct counter_time now = counter_now(&clock_system);
    double start;

    for (unsigned i = 0; i < OWN; i++)
        make_limits(job, (job->seed * OWN + i) % SPREAD, texts[i], limits[i]);
    start = cpu_s();
    do {
        for (unsigned i = 0; i < BATCH; i++) {
            struct counter_result r;

            now.mono_us++;
            counter_take(table, limits[i % OWN], LEVELS, 0, now, &r);
            if (r.refused >= 0)
                abort();
        }
        job->done += BATCH;
        job->cpu_s = cpu_s() - start;
    } while (job->cpu_s < seconds_each);
    return NULL;
}

static void measure(const char *what, unsigned n, const struct counter_rule *rule, bool hot)
{
    struct job jobs[MAX_THREADS];
    struct timespec begun, ended;
    double wall_s, spent = 0;
    size_t done = 0;

    if (counter_table_new(&table, 100000) != CC_OK)
        abort();
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (unsigned i = 0; i < n; i++) {
        jobs[i] = (struct job){.rule = rule, .hot = hot, .seed = i};
        if (pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(jobs[i].thread, NULL);
        done += jobs[i].done;
        spent += jobs[i].cpu_s;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    wall_s = (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("%-32s %u threads %12.0f /s %8.0f ns of CPU\n", what, n, (double)done / wall_s,
           spent * 1e9 / (double)done);
    counter_table_free(&table);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seconds_each = strtod(argv[1], NULL);
    puts("counting: five limits a request, all or none");
    for (unsigned n = 1; n <= MAX_THREADS; n *= 2) {
        measure("hot keys, fixed windows", n, &rules[0], true);
        measure("hot keys, sliding windows", n, &rules[1], true);
        measure("spread keys, fixed windows", n, &rules[0], false);
        measure("spread keys, sliding windows", n, &rules[1], false);
    }
    return 0;
}
