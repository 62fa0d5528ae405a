/* Any lines as saved deny rules: refused, or read; and what is read is the same again when it has
 * been written anew. The sum over the lines is made right first. */
#include "base/file.h"
#include "crypto/key.h"
#include "enforce/deny_file.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/cc-fuzz-XXXXXX";

static void clean(void)
{
    file_remove_tree(directory);
}

static void read_again(const struct deny_list *list)
{
    struct deny_list *again = NULL;
    size_t n = deny_list_count(list);

    CC_ASSERT(deny_file_write(directory, list) == CC_OK);
    CC_ASSERT(deny_file_read(&again, directory) == CC_OK);
    CC_ASSERT(again != NULL && deny_list_count(again) == n);
    for (size_t i = 0; i < n; i++) {
        const struct gw_deny_rule *a = deny_list_at(list, i), *b = deny_list_at(again, i);

        CC_ASSERT(a->kind == b->kind && a->invert == b->invert);
        CC_ASSERT(a->from_s == b->from_s && a->until_s == b->until_s);
        CC_ASSERT(slice_eq(a->value, b->value));
    }
    deny_list_unref(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct slice lines = slice_make((const char *)data, size);
    struct arena *scratch = arena_new((size_t)8 << 20);
    struct deny_list *list = NULL;
    struct slice text;
    char hex[65];

    if (!made) {
        CC_ASSERT(mkdtemp(directory) != NULL);
        atexit(clean);
        made = true;
    }
    CC_ASSERT(scratch != NULL && crypto_sha256_hex(lines, hex) == CC_OK);
    text = arena_printf(scratch, "cc deny rules 1 %s\n%" PRIslice, hex, SLICE_ARG(lines));
    CC_ASSERT(text.p != NULL);
    if (deny_file_parse(&list, text, scratch) == CC_OK && list != NULL)
        read_again(list);
    deny_list_unref(&list);
    arena_free(&scratch);
    return 0;
}
