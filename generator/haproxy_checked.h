/* haproxy_checked: what HAProxy agreed to last, so that it is not asked the same once more.
 *
 * `haproxy -c` is a function of its program, of the files it is shown and of what those name. A
 * build that changes nothing, or only the agent's half, would ask it about files that it agreed to
 * and that may long be in use: at 10,000 projects that is a tenth of such a build. So the last
 * answer is kept, beside what the build makes, as one SHA-256 of all that it rests on:
 *
 *   the program      where it is, and its device, inode, size, mtime and ctime
 *   what is shown    name and text of each file: configuration, errors, authorities
 *   what is named    where each link to a certificate or key leads, and the authorities for
 *                    endpoints, each with the identity of what is there
 *
 * Of all those, one byte or one identity that differs means another sum, and HAProxy is asked. It
 * is asked always when something is not there; when something was touched less than two seconds
 * before the build, for that could change again within one tick of a coarse clock; with templates
 * of the operator, which may name files that nobody here knows of; and when others than root and
 * this user may write the record. Libraries of HAProxy are not among it: whoever replaces those
 * restarts HAProxy, and the files that it would then refuse are the ones it runs with.
 *
 * All calls block on the disk. */
#pragma once

#include "generator/render.h"

struct haproxy_checked {
    const char *record; /* the file, in the arena */
    char key[65];       /* "": HAProxy must be asked, and its answer is not kept */
    bool before;        /* it agreed to this very thing */
};

/* What would be asked, and whether it was. `directory` is the output directory, `program` as for
 * haproxy_check(), `now_ns` the wall clock. CC_OK or CC_ENOMEM. */
int haproxy_checked_look(struct haproxy_checked *out, const char *directory, const char *program,
                         const struct config *config, const struct render_output *files,
                         int64_t now_ns, struct arena *arena);

/* HAProxy agreed. Failure costs time at the next build, and nothing else. */
void haproxy_checked_keep(const struct haproxy_checked *c);
