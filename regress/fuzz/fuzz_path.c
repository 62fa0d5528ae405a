/* Fuzz target: path.h. Besides memory errors it finds broken promises: a normal form that is not
 * stable, is longer than what was sent, or holds what the header says is refused. */
#include "gateway/path.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct slice raw, char *room, char *room_again)
{
    struct slice out, again;

    if (gw_path_normalize(raw, room, &out) != GW_PATH_OK)
        return;
    CC_ASSERT(out.n > 0 && out.n <= raw.n && out.n <= GW_PATH_MAX && out.p[0] == '/');
    CC_ASSERT(gw_path_normalize(out, room_again, &again) == GW_PATH_OK && again.p == out.p);
    for (size_t i = 0; i < out.n; i++) {
        char next = i + 1 < out.n ? out.p[i + 1] : 'x';

        CC_ASSERT(out.p[i] > ' ' && out.p[i] < 0x7f);
        CC_ASSERT(strchr("\\;#?{}\"<>", out.p[i]) == NULL);
        CC_ASSERT(out.p[i] != '/' || next != '/');
    }
}

static void check_host(struct slice raw)
{
    char room[GW_HOST_MAX], room_again[GW_HOST_MAX];
    struct slice out, again;

    if (!gw_host_normalize(raw, room, &out))
        return;
    CC_ASSERT(out.n > 0 && out.n <= GW_HOST_MAX && gw_vhost_fault(out) == NULL);
    if (slice_find(out, ':') < 0) /* IPv6 has lost its brackets and is no Host header any more */
        CC_ASSERT(gw_host_normalize(out, room_again, &again) && slice_eq(out, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice raw = slice_make(data, size);
    char *room = malloc(size + 1), *room_again = malloc(size + 1);

    CC_ASSERT(room != NULL && room_again != NULL);
    check_path(raw, room, room_again);
    check_host(raw);
    gw_base_path_fault(raw);
    gw_template_fault(raw);
    gw_vhost_fault(raw);
    free(room);
    free(room_again);
    return 0;
}
