/* Fuzz target: a batch file of `cc-gen explain`. Whatever the lines are, each is either refused in
 * words or a request that the engine can be asked about; times are either refused or in range. */
#include "generator/explain_request.h"

#include <stdlib.h>

static const struct slice asked[] = {SLICE_INIT("authorization"), SLICE_INIT("x-token")};
static const struct gw_model model = {.headers = asked, .n_headers = 2};

static void check(const struct explain_request *r)
{
    struct enforce_header headers[2];

    CC_ASSERT(r->method.n > 0 && r->path.n > 0);
    CC_ASSERT(!slice_has_control(r->method) && !slice_has_control(r->path));
    CC_ASSERT(slice_find(r->path, '?') < 0 && slice_find(r->path, '#') < 0);
    CC_ASSERT(r->n_headers <= EXPLAIN_MAX_HEADERS);
    explain_request_headers(r, &model, headers);
    for (size_t i = 0; i < 2; i++) {
        CC_ASSERT((headers[i].count == 0) == (headers[i].value.p == NULL));
        CC_ASSERT(!slice_has_control(headers[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make(data, size), line;
    struct arena *arena = arena_new((size_t)4 * EXPLAIN_MAX_BYTES);
    static struct explain_request r;
    int64_t at_s;

    if (arena == NULL)
        abort();
    while (slice_split(&rest, '\n', &line)) {
        if (explain_request_line(&r, line, arena) == NULL)
            check(&r);
        if (explain_time(line, &at_s) == CC_OK)
            CC_ASSERT(at_s >= 0 && at_s < INT64_C(253402387200)); /* zones reach into 10000 */
        arena_reset(arena);
    }
    arena_free(&arena);
    return 0;
}
