/* Fuzz target: enforce/mock.h. The first line is Prefer, the second Accept. Whatever they say, the
 * choice is one of the operation's answers and keeps to the promises of mock.h; and it does not
 * depend on blanks around the headers. */
#include "enforce/mock.h"
#include "gateway/mock.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct gw_mock_example examples[] = {{SLICE_INIT("ref"), SLICE_INIT("1")},
                                                  {SLICE_INIT("a\"b"), SLICE_INIT("2")}};
static const struct gw_mock_content contents[] = {
    {SLICE_INIT("text/html"), examples, 2},
    {SLICE_INIT("application/json"), examples, 1},
    {SLICE_INIT("application/json; v=\"1\""), &examples[1], 1},
};
static const struct gw_mock_answer answers[] = {
    {.code = SLICE_INIT("200"), .contents = contents, .n_contents = 3},
    {.code = SLICE_INIT("20x"), .contents = contents, .n_contents = 1},
    {.code = SLICE_INIT("5xx")},
    {.code = SLICE_INIT("default"), .contents = &contents[1], .n_contents = 2},
};

static struct slice copy_of(struct slice s, const char *before)
{
    size_t more = strlen(before);
    char *copy = malloc(s.n + more + 1);

    CC_ASSERT(copy != NULL);
    memcpy(copy, before, more);
    if (s.n > 0)
        memcpy(copy + more, s.p, s.n);
    copy[s.n + more] = ' ';
    return slice_make(copy, s.n + more + (more > 0));
}

static void check(const struct gw_operation *op, enum mock_fault fault, const struct mock_choice *c)
{
    CC_ASSERT(fault < MOCK_FAULT_COUNT && fault != MOCK_MANY_LINES);
    CC_ASSERT((fault == MOCK_NO_ANSWER) <= (op->n_answers == 0));
    if (fault != MOCK_OK)
        return;
    CC_ASSERT(c->answer >= op->answers && c->answer < op->answers + op->n_answers);
    CC_ASSERT(c->status >= 200 && c->status <= 599);
    CC_ASSERT(gw_mock_code_covers(c->answer->code, c->status) ||
              (slice_is(c->answer->code, "default") && c->status == 200));
    CC_ASSERT((c->content != NULL) == (c->example != NULL));
    if (c->content == NULL) {
        CC_ASSERT(c->answer->n_contents == 0 || !gw_mock_status_has_content(c->status));
        return;
    }
    CC_ASSERT(c->content >= c->answer->contents &&
              c->content < c->answer->contents + c->answer->n_contents);
    CC_ASSERT(c->example >= c->content->examples &&
              c->example < c->content->examples + c->content->n_examples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice accept = slice_make(data, size), prefer = SLICE_NONE;
    struct slice exact[2], padded[2];

    slice_split(&accept, '\n', &prefer);
    exact[0] = copy_of(prefer, "");
    exact[1] = copy_of(accept, "");
    padded[0] = copy_of(prefer, " ,\t");
    padded[1] = copy_of(accept, ", ");
    for (size_t n = 0; n <= 4; n++) {
        struct gw_operation op = {.answers = answers, .n_answers = n};
        struct mock_choice one, two;
        enum mock_fault fault = mock_choose(&op, exact[0], exact[1], &one);

        check(&op, fault, &one);
        CC_ASSERT(mock_choose(&op, padded[0], padded[1], &two) == fault);
        CC_ASSERT(fault != MOCK_OK || (one.status == two.status && one.answer == two.answer &&
                                       one.content == two.content && one.example == two.example));
    }
    for (int i = 0; i < 2; i++) {
        free((char *)(uintptr_t)exact[i].p);
        free((char *)(uintptr_t)padded[i].p);
    }
    return 0;
}
