/* Fuzz target: what a socket that `cc-gen explain --agent` was pointed at says of deny rules.
 * Refused, or rules that an agent can have, and all that were told. */
#include "generator/agent_denials.h"

#include <stdlib.h>

static size_t count_lines(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static size_t count_lists(struct slice text)
{
    struct slice line;
    size_t n = 0;

    while (text.n > 0 && slice_split(&text, '\n', &line))
        n += slice_starts(line, SLICE("list "));
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct deny_list *list = NULL;
    int rc = agent_denials_read(text, &list);
    size_t n = list != NULL ? deny_list_count(list) : 0;

    CC_ASSERT(rc == CC_OK || list == NULL);
    CC_ASSERT(n <= DENY_FILE_RULES);
    if (rc == CC_OK) /* the empty line is the end */
        CC_ASSERT(n + count_lists(text) + 1 == count_lines(text));
    for (size_t i = 0; i < n; i++)
        CC_ASSERT(deny_file_fault(deny_list_at(list, i)) == NULL);
    deny_list_unref(&list);
    return 0;
}
