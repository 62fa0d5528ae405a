/* Any bytes as a line of the admin socket. */
#include "spoa/admin_commands.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool run(struct admin_call *call)
{
    (void)call;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct admin_command rows[] = {{"show x", "[y]", "one", 0, 1, run},
                                                {"show x all", "", "two", 0, 0, run}};
    struct admin_commands table = {.n = 0};
    char *text = malloc(size + 1), *at = text, *end = text + size;
    struct admin_words words;
    struct buf out;

    CC_ASSERT(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    buf_init(&out, ADMIN_OUT_MAX);
    admin_commands_add(&table, rows, 2, NULL);
    while (at < end) {
        struct admin_call call = {.out = &out};
        const char *before = at;
        enum admin_line_fault fault = admin_line_next(&at, end, &words);

        CC_ASSERT(at > before && at <= end);
        CC_ASSERT(fault == ADMIN_LINE_OK || (words.n == 0 && at == end));
        for (size_t i = 0; i < words.n; i++) {
            CC_ASSERT(words.word[i].p >= before && words.word[i].p + words.word[i].n <= at);
            CC_ASSERT(!slice_has_control(words.word[i]));
        }
        if (words.n > 0 && admin_commands_find(&table, &words, &call) != NULL)
            CC_ASSERT(call.n_args <= 1);
        buf_reset(&out);
    }
    buf_free(&out);
    free(text);
    return 0;
}
