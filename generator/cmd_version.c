/* cc-gen version. */
#include "generator/cli.h"

#include "generator/haproxy_check.h"

#include <openssl/crypto.h>

static void print_json(const char *haproxy)
{
    char room[4096];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    buf_printf(&b, "{\"schema\":1,\"cc_gen\":\"%s\",\"haproxy\":", CC_VERSION);
    if (haproxy != NULL)
        buf_add_json(&b, slice_first(slice_of(haproxy), 512));
    else
        buf_add_str(&b, "null");
    buf_add_str(&b, ",\"openssl\":");
    buf_add_json(&b, slice_of(OpenSSL_version(OPENSSL_VERSION)));
    buf_add_str(&b, "}\n");
    fwrite(b.p, 1, b.n, stdout);
}

int cmd_version(const struct cli_args *args)
{
    struct arena *arena = arena_new(1 << 20);
    const char *haproxy = arena != NULL ? haproxy_version(NULL, arena) : NULL;

    if (cli_has(args, "json"))
        print_json(haproxy);
    else
        printf("cc-gen %s\n%s\n%s\n", CC_VERSION, haproxy != NULL ? haproxy : "HAProxy: not found",
               OpenSSL_version(OPENSSL_VERSION));
    arena_free(&arena);
    return CLI_OK;
}
