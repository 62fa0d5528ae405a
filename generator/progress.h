/* progress: one line on a terminal about what takes longer than a second; else nothing.
 *
 * The line is on stderr and is overwritten; progress_end() takes it away before anything else is
 * said. Not for threads. */
#pragma once

#include "base/base.h"

struct progress {
    bool terminal, shown;
    int64_t started_us, said_us;
};

void progress_begin(struct progress *p);

/* "cc-gen: 5120 of 10000 projects read". */
void progress_projects(void *progress, size_t done, size_t all);

/* "cc-gen: writing and checking the generation". */
void progress_step(struct progress *p, const char *what);

void progress_end(struct progress *p);
