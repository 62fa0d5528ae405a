/* Fuzz target: gateway/cors.h. A policy of the first line, which is an origin or a pattern as a
 * document may have it, is asked about the second, which is an Origin header. Besides memory errors
 * it finds broken promises: an origin that is allowed and could not be sent back as it is, or that
 * a slower reading of the pattern does not fit. */
#include "gateway/cors.h"

#include "fuzz_copy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What every origin must be that gets into an answer. */
static void check_sane(struct slice origin)
{
    CC_ASSERT(origin.n > 0 && origin.n <= GW_ORIGIN_MAX);
    for (size_t i = 0; i < origin.n; i++) {
        CC_ASSERT(origin.p[i] > ' ' && origin.p[i] < 0x7f);
        CC_ASSERT(strchr(",;\"'\\@?#*<>", origin.p[i]) == NULL);
    }
}

/* Part by part from the right, as nobody would do it for speed. */
static bool fits_slowly(struct slice pattern, struct slice origin)
{
    size_t star = (size_t)slice_find(pattern, '*'), tail = pattern.n - star - 1;

    if (origin.n < star + tail + 1)
        return false;
    for (size_t i = 0; i < star; i++) {
        if (origin.p[i] != pattern.p[i])
            return false;
    }
    for (size_t i = 1; i <= tail; i++) {
        if (origin.p[origin.n - i] != pattern.p[pattern.n - i])
            return false;
    }
    for (size_t i = star; i < origin.n - tail; i++) {
        char c = origin.p[i];

        if (c == '.' ? i == star || i == origin.n - tail - 1 || origin.p[i + 1] == '.'
                     : !ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

static void check_policy(struct slice listed, struct slice origin)
{
    char *room = malloc(listed.n + 1);
    struct slice normal;
    struct gw_cors cors = {.credentials = true};

    CC_ASSERT(room != NULL);
    normal = gw_origin_normalize(listed, room);
    CC_ASSERT(normal.n <= listed.n);
    CC_ASSERT(gw_origin_fault(normal) != NULL || gw_origin_pattern_fault(normal) != NULL);
    if (gw_origin_pattern_fault(normal) == NULL) {
        cors.patterns = &normal;
        cors.n_patterns = 1;
        CC_ASSERT(gw_cors_allows(&cors, origin) ==
                  (gw_origin_is_sane(origin) && fits_slowly(normal, origin)));
    } else if (gw_origin_fault(normal) == NULL) {
        cors.origins = &normal;
        cors.n_origins = 1;
        CC_ASSERT(gw_cors_allows(&cors, origin) ==
                  (gw_origin_is_sane(origin) && slice_eq(normal, origin)));
    }
    CC_ASSERT(gw_cors_cmp(&cors, &cors) == 0);
    cors.any_origin = true;
    CC_ASSERT(gw_cors_allows(&cors, origin) == gw_origin_is_sane(origin));
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make(data, size), listed = SLICE_NONE, origin;

    slice_split(&rest, '\n', &listed);
    listed = copy_of(listed);
    origin = copy_of(rest);
    if (gw_origin_is_sane(origin))
        check_sane(origin);
    check_policy(listed, origin);
    free((char *)(uintptr_t)listed.p);
    free((char *)(uintptr_t)origin.p);
    return 0;
}
