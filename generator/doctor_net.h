/* doctor_net: connections that doctor tries. Each call blocks for at most its time-out. Internal to
 * doctor. */
#pragma once

#include "base/base.h"

/* Connects to a unix socket ('/' first) or host:port and closes again. 0, or the errno. */
int net_connect(const char *address, int timeout_ms);

/* GET `path` from host:port, or, when `port` is 0, from the unix socket `host`, which expects the
 * PROXY protocol. Returns the status, 0: no answer. The body, cut where `body` is full, is appended
 * to it. */
int net_get(const char *host, unsigned port, const char *host_header, const char *path,
            int timeout_ms, struct buf *body);
