/* cc-gen version. */
#include "generator/cli.h"

#include "generator/haproxy_check.h"

#include <openssl/crypto.h>

int cmd_version(const struct cli_args *args)
{
    struct arena *arena = arena_new(1 << 20);
    const char *haproxy = arena != NULL ? haproxy_version(NULL, arena) : NULL;

    (void)args;
    printf("cc-gen %s\n%s\n%s\n", CC_VERSION, haproxy != NULL ? haproxy : "HAProxy: not found",
           OpenSSL_version(OPENSSL_VERSION));
    arena_free(&arena);
    return CLI_OK;
}
