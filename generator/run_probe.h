/* run_probe: is a port free, does the gateway answer? Blocks for a bounded time. */
#pragma once

#include "base/base.h"

/* Can a listener be bound to host:port ("" or "*" = any address)? 0, or the errno. */
int probe_port(const char *host, unsigned port);

/* GET `path` over HTTP/1.1 from host:port with this Host header. The status of the answer, or 0
 * when there was none within timeout_ms. */
int probe_http(const char *host, unsigned port, const char *host_header, const char *path,
               int timeout_ms);
