#include "generator/progress.h"

#include "generator/cli.h"

#include <stdio.h>

enum { QUIET_US = 1000000, PAUSE_US = 100000 };

void progress_begin(struct progress *p)
{
    *p = (struct progress){.terminal = cli_terminal(stderr),
                           .started_us = clock_mono_us(&clock_system)};
}

static bool is_due(struct progress *p)
{
    int64_t now_us = p->terminal ? clock_mono_us(&clock_system) : 0;

    if (!p->terminal || now_us - p->started_us < QUIET_US || now_us - p->said_us < PAUSE_US)
        return false;
    p->said_us = now_us;
    p->shown = true;
    return true;
}

void progress_projects(void *progress, size_t done, size_t all)
{
    /* ECMA-48 8.3.41: EL erases to the end of the line */
    if (is_due(progress))
        fprintf(stderr, "\rcc-gen: %zu of %zu projects read\033[K", done, all);
}

void progress_step(struct progress *p, const char *what)
{
    p->said_us = 0;
    if (is_due(p))
        fprintf(stderr, "\rcc-gen: %s\033[K", what);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
