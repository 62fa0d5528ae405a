/* Fuzz target: what API keys bring and where they are: the query that holds one, the lists of who
 * may use it. The input is four lines: a query, a parameter's name, a list, and what is looked up
 * in the list. Besides memory errors it finds broken promises: a parameter that is still there
 * after it was cut out, a query that was changed otherwise, a list that permits what a slower
 * reading does not. */
#include "enforce/permitted.h"
#include "enforce/query.h"

#include "fuzz_copy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(struct slice query)
{
    struct slice one;
    size_t n = 0;

    while (slice_split(&query, '&', &one))
        n++;
    return n;
}

/* Is `part` what is left of `whole` when some of its parameters are taken out, in order? */
static bool is_left_of(struct slice part, struct slice whole)
{
    struct slice wanted, one;
    bool more = slice_split(&part, '&', &wanted);

    while (more && slice_split(&whole, '&', &one))
        if (slice_eq(one, wanted))
            more = slice_split(&part, '&', &wanted);
    return !more;
}

static void check_query(struct slice query, struct slice name)
{
    char *room = malloc(query.n + (query.n == 0));
    struct slice value, left;
    unsigned n = query_find(query, name, &value);

    CC_ASSERT(room != NULL);
    CC_ASSERT(value.n < query.n || value.n == 0);
    if (query_cut(query, &name, 1, room, &left)) {
        CC_ASSERT(n > 0 && left.n < query.n + (n == 0));
        CC_ASSERT(query_find(left, name, &value) == 0);
        CC_ASSERT(count(left) <= count(query) - n + (left.n == 0));
        CC_ASSERT(is_left_of(left, query) || left.n == 0);
    } else {
        CC_ASSERT(n == 0);
    }
    free(room);
}

/* By trying every length of every star. */
static bool fits_slowly(struct slice pattern, struct slice text, unsigned depth)
{
    if (pattern.n == 0)
        return text.n == 0;
    if (pattern.p[0] != '*')
        return text.n > 0 && text.p[0] == pattern.p[0] &&
               fits_slowly(slice_from(pattern, 1), slice_from(text, 1), depth);
    for (size_t i = 0; i <= text.n; i++) {
        if (fits_slowly(slice_from(pattern, 1), slice_from(text, i), depth + 1))
            return true;
        if (i < text.n && text.p[i] == ' ')
            break;
    }
    return false;
}

static void check_referer(struct slice list, struct slice referer)
{
    struct slice rest = list, item;
    size_t stars = 0;
    bool fits = false;

    for (size_t i = 0; i < list.n; i++)
        stars += list.p[i] == '*';
    if (list.n > 64 || referer.n > 64 || stars > 4) {
        permitted_referer(list, referer);
        return;
    }
    while (slice_split(&rest, ',', &item)) {
        item = slice_trim(item);
        fits = fits || (item.n > 0 && referer.n > 0 && fits_slowly(item, referer, 0));
    }
    CC_ASSERT(permitted_referer(list, referer) == (fits || slice_trim(list).n == 0));
}

static void check_address(struct slice list, struct slice text)
{
    struct gw_address client, v6;
    bool permitted;

    CC_ASSERT(permitted_address(list, NULL) == (slice_trim(list).n == 0));
    if (!gw_address_parse(text, &client))
        return;
    permitted = permitted_address(list, &client);
    if (permitted)
        CC_ASSERT(slice_trim(list).n == 0 || slice_find(list, '.') >= 0 ||
                  slice_find(list, ':') >= 0);
    /* the same client by its bytes */
    CC_ASSERT(gw_address_from(slice_make(client.b, sizeof(client.b)), &v6));
    CC_ASSERT(permitted_address(list, &v6) == permitted);
    CC_ASSERT(permitted_address(text, &client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make(data, size),
                 parts[4] = {SLICE(""), SLICE(""), SLICE(""), SLICE("")};

    for (size_t i = 0; i < 3; i++)
        slice_split(&rest, '\n', &parts[i]);
    parts[3] = rest;
    for (size_t i = 0; i < 4; i++)
        parts[i] = copy_of(parts[i]);
    if (parts[1].n > 0) /* as in any model */
        check_query(parts[0], parts[1]);
    check_referer(parts[2], parts[3]);
    check_address(parts[2], parts[3]);
    for (size_t i = 0; i < 4; i++)
        free((char *)(uintptr_t)parts[i].p);
    return 0;
}
